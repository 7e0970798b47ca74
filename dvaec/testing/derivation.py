"""Properties of the derivations, on the conditionals alone: each against an independent way to the answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from dvaec.spec.model import Spec
from dvaec.testing import bounds, sets
from dvaec.testing.closeness import Gap

SIZES = (1, 2, 3, 5)


@dataclass(frozen=True)
class Derived:
    """One line of the list: what is claimed, how it is known, and the function that checks it at T frames."""

    name: str
    says: str
    how: str
    holds: Callable[[Spec, int], Gap]
    sizes: tuple[int, ...]

    def bind(self, spec: Spec) -> Callable[[int], Gap]:
        """Return the check of one spec."""
        return lambda frames: self.holds(spec, frames)


FIELD = "random linear-Gaussian weights over a prime field, no tolerance"
WEIGHTS = "the printed expression with free linear-Gaussian weights, exact moments"

DERIVED: tuple[Derived, ...] = (
    Derived(
        "posterior",
        "the exact posterior at every frame is the minimal conditioning set",
        FIELD,
        sets.posterior_is_minimal,
        SIZES,
    ),
    Derived(
        "posterior windows",
        "the posterior's windows hold at every frame, exact but for the frames that are named",
        FIELD,
        sets.windows_are_the_posterior,
        (*SIZES, sets.LONG),
    ),
    Derived(
        "q windows",
        "q's derived windows are minimal in the evidence that the page leaves it",
        FIELD,
        sets.windows_are_the_inference,
        (*SIZES, 8),
    ),
    Derived(
        "elbo",
        "every step of the bound is E_q[log p - log q], at most log p(x)",
        WEIGHTS,
        bounds.steps_are_the_bound,
        SIZES,
    ),
    Derived(
        "tightness",
        "at the exact posterior log p - log q does not depend on z",
        WEIGHTS,
        bounds.exact_posterior_is_tight,
        SIZES,
    ),
    Derived(
        "needed links",
        "without any link of the exact posterior the bound stays below log p(x)",
        "the closest q without it",
        bounds.links_are_needed,
        SIZES,
    ),
)
