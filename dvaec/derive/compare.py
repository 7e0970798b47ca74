"""Declared q against the exact posterior: golden and silver arrows, and links that q does not need."""

from __future__ import annotations

from collections.abc import Iterable

from dvaec.derive.model import Comparison, Posterior
from dvaec.derive.posterior import first_served
from dvaec.network.template import template_of
from dvaec.network.unframed import unframed_windows
from dvaec.network.windows import NoFixpointError, stationary_windows
from dvaec.spec.model import LAST, Conditional, Parent, Spec
from dvaec.spec.offsets import ALL, NONE, Offsets, of, window

HOLDING = {0: window(None, -1), 1: window(None, 0), LAST: window(0, None)}
"""The least windows that hold an absolute frame at every t of 1..T."""


def compare(spec: Spec, posterior: Posterior, inference: Iterable[Conditional]) -> tuple[Comparison, ...]:
    """Return, per factor of q, what only the exact posterior reads (golden), only q reads (silver).

    And what q reads without need: a link is redundant if the target is D-separated from it given all else
    that q reads. With E all that q reads, these are the links outside the minimal set; each can be left out,
    and all together, since a minimal set is one.
    """
    return tuple(_compare(spec, posterior.of(q.target, q.frame), q) for q in inference)


def _compare(spec: Spec, exact: Conditional, q: Conditional) -> Comparison:
    idle = () if q == exact else redundant(spec, q)
    return Comparison(q.target, beyond(exact, q), beyond(q, exact), q.frame, idle)


def redundant(spec: Spec, q: Conditional) -> tuple[Parent, ...]:
    """Return the links of one factor of q that tell the target nothing, given the rest of what it reads.

    What is named is redundant at every frame of every T. None is named where no windows are found for E,
    nor what a single frame, far from t, would alone make idle.
    """
    template = template_of(spec)
    given: dict[str, Offsets | None] = {v.name: NONE for v in spec.variables if v.framed}
    given |= {p.name: p.offsets for p in q.parents if p.frame is None}
    absolute = [p for p in q.parents if p.frame is not None]
    try:
        if q.target not in template.static and q.frame is None:
            single = tuple((p.name, p.frame) for p in absolute if p.frame is not None)
            windows = stationary_windows(template, q.target, given, first_served(spec, q.target), single)
            needed = Conditional(q.target, _widened(windows.parents))
            near = Conditional(q.target, tuple(p for p in q.parents if p.frame is None))
            idle = (*beyond(near, needed), *(p for p in absolute if (p.name, p.frame) not in windows.singles))
            place = {(p.name, p.frame): k for k, p in enumerate(q.parents)}
            return tuple(sorted(idle, key=lambda p: place[p.name, p.frame]))
        found = unframed_windows(template, q.target, q.frame, given, absolute).parents
    except NoFixpointError:
        return ()
    whole = {p.name for p in found if p.offsets is not None}
    there = {(p.name, p.frame) for p in found}
    some = {p.name for p in found}
    return tuple(
        p
        for p in q.parents
        if (p.name not in some if p.frame is None else (p.name, p.frame) not in there and p.name not in whole)
    )


def _widened(parents: tuple[Parent, ...]) -> tuple[Parent, ...]:
    """Return windows that hold, at every t, the absolute frames that are read as well."""
    found: dict[str, Offsets | None] = {}
    for parent in parents:
        there = parent.offsets if parent.frame is None else HOLDING[parent.frame]
        found[parent.name] = there if there is None else there | (found.get(parent.name) or NONE)
    return tuple(Parent(name, offsets) for name, offsets in found.items())


def beyond(one: Conditional, other: Conditional) -> tuple[Parent, ...]:
    """Return what `one` reads and `other` does not, in the order of `one`."""
    found = []
    there = window(0, None) if one.frame == 0 else ALL
    for parent in one.parents:
        seen = _window(other, parent.name)
        if parent.offsets is not None:
            rest = parent.offsets - seen
            if rest := rest & there if seen else rest:
                found.append(Parent(parent.name, rest))
        elif other.of(parent.name, parent.frame) is None and not _held(parent, seen, one.frame):
            found.append(parent)
    return tuple(found)


def _held(parent: Parent, seen: Offsets, reader: int | None) -> bool:
    """Whether a window always holds an absolute frame; of frame 0 they count from there."""
    if reader == 0 and parent.frame is not None:
        return (window(1, None) if parent.frame == LAST else of(parent.frame)) <= seen
    return parent.frame is not None and HOLDING[parent.frame] <= seen


def _window(conditional: Conditional, name: str) -> Offsets:
    parent = conditional.of(name)
    return parent.offsets if parent is not None and parent.offsets is not None else NONE


def beside_itself(seen: Conditional) -> Conditional:
    """Leave z_0 itself out of the frames that its network sees: it counts as seeing all others."""
    kept = []
    for p in seen.parents:
        itself = (p.name, seen.frame) == (seen.target, 0) and p.offsets == ALL
        kept.append(Parent(p.name, window(1, None)) if itself else p)
    return Conditional(seen.target, tuple(kept), seen.frame)
