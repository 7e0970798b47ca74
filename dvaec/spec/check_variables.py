"""Checks of the block `variables`: families, levels, and that something is observed."""

from __future__ import annotations

from dvaec.spec.codes import Code
from dvaec.spec.context import Context
from dvaec.spec.schema import VariableShape


def check_variables(context: Context) -> None:
    """Report families that do not fit their role, levels that are not supported yet, and nothing observed."""
    if not context.closed:
        return
    for name, shape in context.parsed.shape.variables.items():
        _family(context, name, shape)
        _level(context, name, shape)
    if not context.having("observed") and context.parsed.sound.whole("variables"):
        span = context.parsed.span(("variables",))
        hint = "give one variable role: observed"
        context.report.add(
            Code.NO_OBSERVED, "no variable is observed, so there is nothing to learn from", span, hint
        )


def _family(context: Context, name: str, shape: VariableShape) -> None:
    """Check the distribution of one variable."""
    report, place = context.report, context.parsed.span
    family = place(("variables", name, "distribution"))
    if shape.role == "input":
        if shape.distribution is not None:
            message = f"'{name}' is an input: it is given, and has no distribution"
            report.add(Code.DISTRIBUTION, message, family, "leave out 'distribution'")
    elif shape.role == "latent" and shape.distribution not in (None, "gaussian"):
        message = f"a latent variable with distribution {shape.distribution} is not supported yet"
        report.add(Code.NOT_SUPPORTED, message, family, "latents are gaussian")
    if shape.distribution == "gamma":
        if shape.shape is None:
            message = f"the gamma distribution of '{name}' lacks its shape"
            report.add(Code.DISTRIBUTION, message, family, "write shape: 1, the Itakura-Saito case of 13.2.1")
        elif shape.shape != 1:
            message = f"a gamma distribution of shape {shape.shape} is not supported yet"
            report.add(Code.NOT_SUPPORTED, message, place(("variables", name, "shape")), "the shape is 1")
    elif shape.shape is not None:
        message = f"'shape' belongs to the gamma distribution, and '{name}' has another"
        report.add(Code.DISTRIBUTION, message, place(("variables", name, "shape")))


def _level(context: Context, name: str, shape: VariableShape) -> None:
    """Random variables of the sequence are not supported yet; inputs of the sequence are."""
    if context.framed[name] or shape.role == "input":
        return
    said = shape.level is not None
    span = context.parsed.span(("variables", name, "level") if said else ("variables", name))
    kind = "latent" if shape.role == "latent" else "observed"
    message = f"'{name}', {kind} with one value a sequence, is not supported yet"
    hint = None if said else f"for a value at each frame write {name}_t"
    context.report.add(Code.NOT_SUPPORTED, message, span, hint)
