"""The order in which the review prints what stands behind a conditional's bar.

p has observed variables before latents, as in (9.7); q and posteriors have latents first, as in (9.13);
inputs come last. Within a role the order is that of declaration.
"""

from __future__ import annotations

from collections.abc import Iterable

from dvaec.spec.model import Parent, Role, Side, Spec

P_ORDER = (Role.OBSERVED, Role.LATENT, Role.INPUT)
Q_ORDER = (Role.LATENT, Role.OBSERVED, Role.INPUT)


def in_print_order(spec: Spec, side: Side, parents: Iterable[Parent]) -> tuple[Parent, ...]:
    """Return the parents of one side's conditional in the order of print."""
    order = Q_ORDER if side is Side.Q else P_ORDER
    return tuple(sorted(parents, key=lambda parent: place(spec, order, parent.name)))


def place(spec: Spec, order: tuple[Role, ...], name: str) -> tuple[int, int]:
    """Return the sort key of a variable: its role's place in `order`, then its own in the declaration.

    States, which auxiliary conditionals are of, come first.
    """
    names = [variable.name for variable in spec.variables]
    if name not in names:
        return -1, 0
    return order.index(spec.variable(name).role), names.index(name)
