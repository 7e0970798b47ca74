"""Checks of a q that is declared by its networks alone: each latent has one, and none reads later latents."""

from __future__ import annotations

from math import inf

from dvaec.spec.assemble import inference_kind
from dvaec.spec.codes import Code
from dvaec.spec.context import Context
from dvaec.spec.model import InferenceKind, Side
from dvaec.spec.subscripts import Reference

Reach = dict[str, float]  # variable -> the largest offset at which it is seen


def check_networks(context: Context) -> None:
    """Report latents without a network, and networks that see latents of later frames."""
    parsed = context.parsed
    if inference_kind(parsed) is not InferenceKind.NETWORKS or not parsed.sound.has("inference"):
        return
    reading: dict[str, str] = {}
    for key, (side, name) in parsed.heads.items():
        if side is Side.Q and parsed.reads_of_head(key):
            reading[name] = key
    reached = _reached(context)
    named = all(name in context.variables for _, name in parsed.heads.values())
    complete = named and parsed.sound.whole("networks")
    for name in context.having("latent"):
        if name in reading:
            _later_latents(context, reading[name], name, reached)
        elif complete:
            message = f"q's networks declare what q reads, and there is none for '{name}' that reads anything"
            hint = f"add q({name}_t), or declare q: inference: exact"
            context.report.add(Code.CONDITIONAL_MISSING, message, parsed.span(("networks",)), hint)


def _later_latents(context: Context, key: str, name: str, reached: dict[str, Reach]) -> None:
    """Report a network of q that sees a latent of a later frame, itself or through states and features."""
    for read in context.parsed.reads_of_head(key):
        for reference in read.references:
            for latent in context.having("latent"):
                if _seen(reference, reached).get(latent, -inf) > 0:
                    through = "" if reference.name == latent else f" through '{reference.name}'"
                    message = (
                        f"q draws its latents from t = 1 to T; that '{name}' reads later '{latent}'{through} "
                        "is not supported yet"
                    )
                    context.report.add(Code.NOT_SUPPORTED, message, context.place(read.scalar, reference))


def _seen(reference: Reference, reached: dict[str, Reach]) -> Reach:
    """Return what reading this shows, each variable with its largest offset."""
    if reference.offsets is None:
        return {}
    offsets = reference.offsets
    last = inf if offsets.reaches_future else max(offsets.within(-offsets.reach, offsets.reach), default=-inf)
    inner = reached.get(reference.name, {reference.name: 0})
    return {name: last + offset for name, offset in inner.items()}


def _reached(context: Context) -> dict[str, Reach]:
    """Return what each state and feature sees; a recurrence that runs backward adds all the future."""
    parsed = context.parsed
    nodes = {("states", k): n for k, n in parsed.states.items()} | {
        ("features", k): n for k, n in parsed.features.items()
    }
    reached: dict[str, Reach] = {name: {} for name in nodes.values()}
    for _ in range(len(nodes) + 1):
        for (block, key), name in nodes.items():
            shape = parsed.shape.states.get(key) if block == "states" else None
            onward = inf if shape is not None and shape.runs != "forward" else 0
            for path, read in parsed.reads.items():
                for reference in read.references if path[:2] == (block, key) else ():
                    for variable, offset in _seen(reference, reached).items():
                        reached[name][variable] = max(reached[name].get(variable, -inf), offset + onward)
    return reached
