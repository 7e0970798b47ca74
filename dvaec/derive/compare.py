"""Declared q against the exact posterior: golden and silver arrows."""

from __future__ import annotations

from collections.abc import Iterable

from dvaec.derive.model import Comparison, Posterior
from dvaec.spec.model import LAST, Conditional, Parent
from dvaec.spec.offsets import NONE, Offsets, window

HOLDING = {0: window(None, -1), 1: window(None, 0), LAST: window(0, None)}
"""The least windows that hold an absolute frame at every t of 1..T."""


def compare(posterior: Posterior, inference: Iterable[Conditional]) -> tuple[Comparison, ...]:
    """Return, per latent of q, what only the exact posterior reads (golden), only q reads (silver)."""
    return tuple(_compare(posterior.of(q.target), q) for q in inference)


def _compare(exact: Conditional, q: Conditional) -> Comparison:
    return Comparison(q.target, golden=beyond(exact, q), silver=beyond(q, exact))


def beyond(one: Conditional, other: Conditional) -> tuple[Parent, ...]:
    """Return what `one` reads and `other` does not, in the order of `one`."""
    found = []
    for parent in one.parents:
        seen = _window(other, parent.name)
        if parent.offsets is not None:
            if rest := parent.offsets - seen:
                found.append(Parent(parent.name, rest))
        elif other.of(parent.name, parent.frame) is None:
            if parent.frame is None or not HOLDING[parent.frame] <= seen:
                found.append(parent)
    return tuple(found)


def _window(conditional: Conditional, name: str) -> Offsets:
    parent = conditional.of(name)
    return parent.offsets if parent is not None and parent.offsets is not None else NONE
