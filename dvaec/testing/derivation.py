"""Properties of the derivations, on the conditionals alone: each against an independent way to the answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from dvaec.spec.model import Spec
from dvaec.testing.closeness import Gap


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


DERIVED: tuple[Derived, ...] = ()
