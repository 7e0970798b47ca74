"""The parameters of a head: which of them networks give, on which layers, and which are numbers."""

from __future__ import annotations

from dataclasses import dataclass

from dvaec.spec.families import FORMS, parameters_of
from dvaec.spec.model import Head, Output, Variable


@dataclass(frozen=True)
class Branch:
    """One parameter that a network gives: its name, its width, and the layers of its own before it."""

    parameter: str
    width: int
    output: Output

    @property
    def fan(self) -> int:
        """The width of its first layer."""
        return self.output.layers[0].units if self.output.layers else self.width


def branches(head: Head, variable: Variable) -> tuple[Branch, ...]:
    """Return the network branches behind a head's trunk, one per parameter that a network gives."""
    form = FORMS[variable.family]
    said = {form.mean: head.mean, form.variance: head.variance}
    found = []
    for parameter in parameters_of(variable):
        given = said.get(parameter.name)
        if parameter.fixed is None and (given is None or isinstance(given, Output)):
            found.append(Branch(parameter.name, parameter.width, given or Output()))
    return tuple(found)


def fixed_parameters(head: Head, variable: Variable) -> tuple[tuple[str, float], ...]:
    """Return the parameters that are the logarithm of one number, with that number."""
    found = [(p.name, p.fixed) for p in parameters_of(variable) if p.fixed is not None]
    if isinstance(head.variance, float):
        found.append((FORMS[variable.family].variance, head.variance))
    return tuple(found)


def fan_units(head: Head, variable: Variable) -> tuple[int, ...]:
    """Return the widths of the first layers behind the trunk, which are one matrix product together."""
    return tuple(branch.fan for branch in branches(head, variable) if branch.output.block is None)
