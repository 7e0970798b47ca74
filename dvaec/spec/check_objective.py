"""Checks of `objective`: factors of what is a latent, and a warm-up where its form is given."""

from __future__ import annotations

from dvaec.diagnostics import did_you_mean
from dvaec.spec.codes import Code
from dvaec.spec.context import Context
from dvaec.spec.shape_keys import node_at
from dvaec.spec.yaml_tree import Entries, Scalar


def _factor(context: Context, name: str) -> Scalar | None:
    """The key of a factor, where the page gives it in a block."""
    block = node_at(context.parsed.tree, ("objective", "factors"))
    return block.key(name) if isinstance(block, Entries) else None


def check_objective(context: Context) -> None:
    """Report what weighs no divergence, and cycles of a warm-up that is not there."""
    objective = context.parsed.shape.objective
    if objective is None:
        return
    latents = context.having("latent")
    if context.parsed.sound.has("variables") and not latents and context.closed:
        message = "without latents the bound is the log-likelihood: there is no divergence to weigh"
        span = context.parsed.span(("objective",))
        context.report.add(Code.OBJECTIVE, message, span, "leave 'objective' out")
        return
    for name in objective.factors:
        if name in latents or not context.parsed.sound.has("variables"):
            continue
        what = f"'{name[:60]}' is observed" if name in context.having("observed") else None
        what = what or (f"'{name}' is an input" if name in context.roles else f"'{name[:60]}' is no variable")
        hint = did_you_mean(name, latents) or f"its latents: {', '.join(latents) or 'none'}"
        written = _factor(context, name)
        span = context.parsed.span(("objective", "factors", name)) if written is None else written.span
        context.report.add(Code.OBJECTIVE, f"{what}, and has no divergence to weigh", span, hint)
    for key in ("cycles", "rise"):
        if getattr(objective, key) != 1 and not objective.warmup:
            message = f"'{key}' shapes a warm-up, and there is none"
            span = context.parsed.span(("objective", key))
            context.report.add(Code.OBJECTIVE, message, span, "write warmup: 20")
