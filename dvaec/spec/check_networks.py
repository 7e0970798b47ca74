"""Checks of a q that is declared by its networks alone: each latent has one, and q can be drawn."""

from __future__ import annotations

from collections.abc import Sequence

from dvaec.spec.assemble import inference_kind
from dvaec.spec.check_time import check_directions
from dvaec.spec.codes import Code
from dvaec.spec.context import Context
from dvaec.spec.model import Conditional, InferenceKind, Side


def check_networks(context: Context, q: Sequence[Conditional]) -> None:
    """Report latents without a network, and networks that read in a circle; `q` is what they see."""
    parsed = context.parsed
    if inference_kind(parsed) is not InferenceKind.NETWORKS or not parsed.sound.has("inference"):
        return
    reading = {
        (name, parsed.targets[key].frame)
        for key, (side, name) in parsed.heads.items()
        if side is Side.Q and parsed.reads_of_head(key)
    }
    named = all(name in context.variables for _, name in parsed.heads.values())
    complete = named and parsed.sound.whole("networks")
    zero = [(name, "0") for name in context.having("latent") if name in context.zero]
    for name, frame in [*((name, None) for name in context.having("latent")), *zero]:
        if complete and (name, frame) not in reading:
            shown = f"{name}_0" if frame else f"{name}_t" if context.framed[name] else name
            what = shown if frame else name
            message = f"q's networks declare what q reads, and there is none for '{what}' that reads anything"
            hint = f"add q({shown}), or declare q: inference: exact"
            context.report.add(Code.CONDITIONAL_MISSING, message, parsed.span(("networks",)), hint)
    if complete and not context.report.found:
        check_directions(context, q, context.having("latent"), "inference")
