"""The minimal conditioning set of one factor, given E as windows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TypeAlias

from dvaec.derive.evidence import Given, ever_there
from dvaec.derive.model import Key
from dvaec.network.finite import Finite
from dvaec.network.numbered import last_windows, numbered_windows
from dvaec.network.template import Template
from dvaec.network.unframed import unframed_windows
from dvaec.network.unrolled import Node
from dvaec.network.windows import Windows, stationary_windows
from dvaec.spec.frames import united
from dvaec.spec.model import LAST, Parent, Spec
from dvaec.spec.offsets import of, window

Alone: TypeAlias = tuple[Given, tuple[Parent, ...]]
"""E as windows, and single frames that it holds, too."""


def needed_alone(template: Template, key: Key, alone: Alone, usual: Alone) -> Iterator[Parent]:
    """Yield what frame 0 or 1 needs where T is 1, as its line reads it.

    That is z_T if the `usual` E, of longer sequences, has that, but not z_1.
    """
    network, frame = Finite(template, 1), key[1] or 0
    minimal = network.minimal(Node(*key), *alone)
    there = network.places((*(Parent(n, o) for n, o in usual[0].items()), *_but_last(usual[1])), frame)
    last = {p.name for p in usual[1] if p.frame == LAST}
    for name, places in minimal.items():
        if name in template.static:
            yield from (Parent(name, None),) if places else ()
            continue
        for at in (one for one in (0, 1) if places >> one & 1):
            if at == 1 and name in last and not there[name] & 2:
                yield Parent(name, None, LAST)
            else:
                yield Parent(name, of(at - frame))


def _but_last(parents: Iterable[Parent]) -> list[Parent]:
    return [parent for parent in parents if parent.frame != LAST]


def windows_given(
    spec: Spec,
    template: Template,
    key: Key,
    given: Given,
    served: tuple[int, int] = (1, 0),
    absolute: tuple[Parent, ...] = (),
    alone: Alone | None = None,
) -> Windows:
    """Return the minimal conditioning set of one factor, given E as windows, at the frames that are `served`.

    E holds the single frames `absolute`, too; where T is 1 it is `alone`, if the order is its own there. A
    factor of frame T is that of frame 1, too, where this has none of its own.
    """
    name, frame = key
    single = tuple((p.name, p.frame) for p in absolute if p.frame is not None)
    if frame in (0, 1):
        found = numbered_windows(template, name, frame, given, single, longer=alone is not None)
        there = window(-frame, None if spec.frames is None else spec.frames - frame)
        parents = [p for p in found.parents if p.offsets is None or p.offsets & there]
        parents += [p for p in absolute if (p.name, p.frame) in found.singles]
        parents += needed_alone(template, key, alone, (given, absolute)) if alone is not None else ()
        return replace(found, parents=united(parents, template.names, template.zero, frame))
    if name in template.static:
        return unframed_windows(template, name, given, absolute, alone)
    if frame == LAST:
        found, served = last_windows(template, name, given, served[0] == 1, single), (served[0], 0)
    else:
        found = stationary_windows(template, name, given, served, single)
    kept = [p for p in found.parents if ever_there(spec, template, p, served)]
    kept += [p for p in absolute if (p.name, p.frame) in found.singles and p not in kept]
    return replace(found, parents=tuple(kept))
