"""Declared q against the exact posterior: golden and silver arrows."""

from __future__ import annotations

from collections.abc import Iterable

from dvaec.derive.model import Comparison, Posterior
from dvaec.spec.model import Conditional, Parent
from dvaec.spec.offsets import NONE


def compare(posterior: Posterior, inference: Iterable[Conditional]) -> tuple[Comparison, ...]:
    """Return, per latent of q, what only the exact posterior reads (golden), only q reads (silver)."""
    return tuple(_compare(posterior.of(q.target), q) for q in inference)


def _compare(exact: Conditional, q: Conditional) -> Comparison:
    return Comparison(q.target, golden=beyond(exact, q), silver=beyond(q, exact))


def beyond(one: Conditional, other: Conditional) -> tuple[Parent, ...]:
    """Return what `one` reads and `other` does not, in the order of `one`."""
    found = []
    for parent in one.parents:
        there = other.of(parent.name)
        if parent.offsets is None:
            if there is None:
                found.append(parent)
        else:
            seen = there.offsets if there is not None and there.offsets is not None else NONE
            if rest := parent.offsets - seen:
                found.append(Parent(parent.name, rest))
    return tuple(found)
