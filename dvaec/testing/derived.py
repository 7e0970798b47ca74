"""What is derived from a spec, once for all the properties that look at it."""

from __future__ import annotations

from functools import lru_cache

from dvaec.derive.derivation import derive
from dvaec.derive.elbo import elbo_terms
from dvaec.derive.model import Derivation
from dvaec.derive.regroup import regroupings
from dvaec.derive.steps import Step, derivation_steps
from dvaec.spec.model import Conditional, Spec


@lru_cache(maxsize=2)
def derived(spec: Spec) -> Derivation:
    """Return the derivation of a spec; the last ones are kept, since a spec is a frozen value."""
    return derive(spec)


@lru_cache(maxsize=2)
def forms(spec: Spec, inference: tuple[Conditional, ...]) -> tuple[Step, ...]:
    """Return the steps to the bound and its regroupings: expressions of every length."""
    elbo = elbo_terms(spec, inference)
    return (*derivation_steps(spec, inference, elbo), *regroupings(spec, inference, elbo))
