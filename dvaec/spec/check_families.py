"""Checks of the distributions: what fits a variable's role and size, and the numbers that go with some."""

from __future__ import annotations

from math import prod

from dvaec.spec.codes import Code
from dvaec.spec.context import Context
from dvaec.spec.families import FORMS, OPTIONS
from dvaec.spec.schema import VariableShape
from dvaec.spec.variables import Family

LARGEST_FULL = 512
"""The largest dimension of a full covariance, which has dim (dim + 1) / 2 numbers at each frame."""


def check_family(context: Context, name: str, shape: VariableShape) -> None:
    """Check the distribution of one variable."""
    if shape.role == "input" and shape.distribution not in (None, "categorical"):
        message = f"'{name}' is an input: it is given, and has no distribution"
        hint = "leave out 'distribution', or say categorical where its values are classes"
        _fault(context, name, "distribution", message, hint)
    elif shape.distribution is not None:
        _role(context, name, shape, Family(shape.distribution))
        _size(context, name, shape, Family(shape.distribution))
    _options(context, name, shape, Family(shape.distribution or "gaussian"))


def _role(context: Context, name: str, shape: VariableShape, family: Family) -> None:
    if shape.role == "latent" and not FORMS[family].latent:
        message = f"'{name}' is latent and {family}: no gradient could pass its draws to q"
        *some, last = [one.value for one, form in FORMS.items() if form.latent]
        _fault(context, name, "distribution", message, f"latents are {', '.join(some)} or {last}")


def _size(context: Context, name: str, shape: VariableShape, family: Family) -> None:
    dim = prod(shape.dim) if isinstance(shape.dim, list) else shape.dim
    if family is Family.COMPLEX_GAUSSIAN and dim % 2:
        message = f"'{name}' is complex: real parts, then as many imaginary parts, and {dim} is odd"
        _fault(context, name, "dim", message, f"write dim: {dim + 1}")
    if family is Family.CATEGORICAL and isinstance(shape.dim, list) and len(shape.dim) > 1:
        message = f"'{name}' is one class among {dim}, and classes have no axes"
        _fault(context, name, "dim", message, f"write dim: {dim}")
    if family is Family.CATEGORICAL and dim < 2:
        message = f"'{name}' is categorical of one class, which is a constant"
        _fault(context, name, "dim", message, "write dim: 2")
    if family is Family.FULL_GAUSSIAN and dim > LARGEST_FULL:
        message = f"'{name}' would have a covariance of {dim} by {dim} numbers at each frame"
        hint = f"a full covariance has at most {LARGEST_FULL}; gaussian is diagonal"
        _fault(context, name, "dim", message, hint)


def _options(context: Context, name: str, shape: VariableShape, family: Family) -> None:
    for option in OPTIONS:
        owner = next(one for one, form in FORMS.items() if option in form.options)
        if getattr(shape, option) is None:
            continue
        if family is not owner:
            message = f"'{option}' belongs to the {owner} distribution, and '{name}' has another"
            _fault(context, name, option, message)
        elif option == "temperature" and shape.role != "latent":
            message = f"'temperature' is of the draws of a latent variable, and '{name}' is none"
            _fault(context, name, option, message, "leave it out: its draws are exact")
    if family is Family.MIXTURE and shape.components is None:
        message = f"the mixture of '{name}' lacks the number of its components"
        _fault(context, name, "distribution", message, "write components: 5")


def _fault(context: Context, name: str, key: str, message: str, hint: str | None = None) -> None:
    context.report.add(Code.DISTRIBUTION, message, context.parsed.span(("variables", name, key)), hint)
