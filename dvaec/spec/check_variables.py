"""Checks of the block `variables`: families, levels, and that something is observed."""

from __future__ import annotations

from dvaec.spec.check_families import check_family
from dvaec.spec.codes import Code
from dvaec.spec.context import Context


def check_variables(context: Context) -> None:
    """Report families that do not fit their role, levels that are not supported yet, and nothing observed."""
    if not context.closed:
        return
    for name, shape in context.parsed.shape.variables.items():
        check_family(context, name, shape)
    if not context.having("observed") and context.parsed.sound.whole("variables"):
        span = context.parsed.span(("variables",))
        hint = "give one variable role: observed"
        context.report.add(
            Code.NO_OBSERVED, "no variable is observed, so there is nothing to learn from", span, hint
        )
