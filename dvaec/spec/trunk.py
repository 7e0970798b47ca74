"""Which heads have a trunk: the network of the parameters that nothing else gives."""

from __future__ import annotations

from dvaec.spec.blocks import Head, Output
from dvaec.spec.families import FORMS, parameters_of
from dvaec.spec.variables import Variable


def needs_trunk(head: Head, variable: Variable) -> bool:
    """Whether some parameter of a head comes neither from a block of its own nor from a constant."""
    form = FORMS[variable.family]
    for parameter in parameters_of(variable):
        if parameter.fixed is not None:
            continue
        if parameter.name == form.mean and _own(head.mean):
            continue
        if parameter.name == form.variance and head.variance is not None and _own(head.variance):
            continue
        return True
    return False


def _own(given: object) -> bool:
    """Whether what a head says of a parameter leaves nothing to the trunk."""
    return given is not None and not (isinstance(given, Output) and given.block is None)
