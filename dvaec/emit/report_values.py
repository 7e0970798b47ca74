"""What a report is made of: everything that the passes found out about one page, as one value."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from dvaec.derive.model import Derivation, Elbo
from dvaec.emit.report_code import Mention, mentions
from dvaec.plan.model import Plan
from dvaec.spec.model import Spec
from dvaec.spec.source import Source


@dataclass(frozen=True)
class Report:
    """One page with all that follows from it; `developed` has the states and networks that it leaves out.

    `parameters` are the emitted module's, as its instance lists them: a name with dots, and a shape.
    """

    source: Source
    overrides: tuple[str, ...]
    hash: str
    version: str
    spec: Spec
    derivation: Derivation
    elbo: Elbo
    developed: Spec
    plan: Plan
    module: str
    parameters: tuple[tuple[str, tuple[int, ...]], ...]

    @property
    def size(self) -> int:
        """The number of trained values."""
        return sum(count(shape) for _, shape in self.parameters)

    @cached_property
    def mentions(self) -> tuple[Mention, ...]:
        """The lines of the module that carry equation numbers."""
        return mentions(self.module)


def count(shape: tuple[int, ...]) -> int:
    """Return the number of entries of a tensor."""
    product = 1
    for length in shape:
        product *= length
    return product
