"""The minimal conditioning set of one factor, given E as windows."""

from __future__ import annotations

from dataclasses import replace

from dvaec.derive.evidence import Given, ever_there
from dvaec.derive.model import Key
from dvaec.network.numbered import last_windows, numbered_windows
from dvaec.network.template import Template
from dvaec.network.unframed import unframed_windows
from dvaec.network.windows import Windows, stationary_windows
from dvaec.spec.frames import united
from dvaec.spec.model import LAST, Parent, Spec
from dvaec.spec.offsets import window


def windows_given(
    spec: Spec,
    template: Template,
    key: Key,
    given: Given,
    served: tuple[int, int] = (1, 0),
    absolute: tuple[Parent, ...] = (),
) -> Windows:
    """Return the minimal conditioning set of one factor, given E as windows, at the frames that are `served`.

    E holds the single frames `absolute`, too. A factor of frame T is that of frame 1, too, where this has
    none of its own.
    """
    name, frame = key
    single = tuple((p.name, p.frame) for p in absolute if p.frame is not None)
    if frame in (0, 1):
        found = numbered_windows(template, name, frame, given, single)
        there = window(-frame, None if spec.frames is None else spec.frames - frame)
        parents = [p for p in found.parents if p.offsets is None or p.offsets & there]
        parents += [p for p in absolute if (p.name, p.frame) in found.singles]
        return replace(found, parents=united(parents, template.names, template.zero, frame))
    if name in template.static:
        return unframed_windows(template, name, given, absolute)
    if frame == LAST:
        found, served = last_windows(template, name, given, served[0] == 1, single), (served[0], 0)
    else:
        found = stationary_windows(template, name, given, served, single)
    kept = [p for p in found.parents if ever_there(spec, template, p, served)]
    kept += [p for p in absolute if (p.name, p.frame) in found.singles and p not in kept]
    return replace(found, parents=tuple(kept))
