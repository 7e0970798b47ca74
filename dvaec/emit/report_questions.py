"""What a report asks about a factor of the exact posterior."""

from __future__ import annotations

from dvaec.derive.beyond import HOLDING
from dvaec.derive.model import DerivedConditional
from dvaec.spec.model import Parent, Spec
from dvaec.spec.offsets import ALL, NOW


def candidates(spec: Spec, factor: DerivedConditional) -> tuple[Parent, ...]:
    """Return what to ask about: whole variables (not a target of sequence level), frames by number."""
    target = factor.conditional.target
    whole = [
        Parent(v.name, ALL if v.framed else None) for v in spec.variables if v.framed or v.name != target
    ]
    single = [p for p in factor.conditional.parents if p.frame is not None and not covered(p, factor)]
    return (*whole, *single)


def covered(parent: Parent, factor: DerivedConditional) -> bool:
    """Whether the argument for a window of the latent itself speaks of its first or last frame too."""
    window = factor.conditional.of(parent.name)
    if parent.name != factor.conditional.target or window is None or window.offsets is None:
        return False
    return bool(HOLDING[parent.frame or 0] - window.offsets <= NOW)
