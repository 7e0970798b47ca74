"""What one conditional reads that another does not."""

from __future__ import annotations

from dvaec.spec.model import LAST, Conditional, Parent
from dvaec.spec.offsets import NONE, Offsets, window

HOLDING = {0: window(None, -1), 1: window(None, 0), LAST: window(0, None)}
"""The least windows that hold an absolute frame at every t of 1..T."""


def beyond(one: Conditional, other: Conditional) -> tuple[Parent, ...]:
    """Return what `one` reads and `other` does not, in the order of `one`."""
    found = []
    for parent in one.parents:
        seen = _window(other, parent.name)
        if parent.offsets is not None:
            if rest := parent.offsets - seen:
                found.append(Parent(parent.name, rest))
        elif other.of(parent.name, parent.frame) is None and not _held(parent, seen):
            found.append(parent)
    return tuple(found)


def _held(parent: Parent, seen: Offsets) -> bool:
    """Whether a window always holds an absolute frame."""
    return parent.frame is not None and HOLDING[parent.frame] <= seen


def _window(conditional: Conditional, name: str) -> Offsets:
    parent = conditional.of(name)
    return parent.offsets if parent is not None and parent.offsets is not None else NONE
