"""What one conditional reads that another does not."""

from __future__ import annotations

from dvaec.spec.model import LAST, Conditional, Parent
from dvaec.spec.offsets import ALL, NONE, Offsets, of, window

HOLDING = {0: window(None, -1), 1: window(None, 0), LAST: window(0, None)}
"""The least windows that hold an absolute frame at every t of 1..T."""


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
