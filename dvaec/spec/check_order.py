"""The order in which q's chain rule takes the latents: as the page gives it, else as q asks for it."""

from __future__ import annotations

from dvaec.spec.assemble import inference_kind
from dvaec.spec.chain import sweeps
from dvaec.spec.check_conditionals import complete, in_frame
from dvaec.spec.check_time import place_of
from dvaec.spec.codes import Code
from dvaec.spec.context import Context
from dvaec.spec.frames import conditional_of
from dvaec.spec.graph import topological
from dvaec.spec.model import Conditional, InferenceKind, Side, Sweep
from dvaec.spec.offsets import NOW, Offsets, window
from dvaec.spec.order_block import given_order
from dvaec.spec.over_time import arrows_of
from dvaec.spec.seen import seen_by_networks


def chain_order(context: Context, q: tuple[Conditional, ...]) -> tuple[Sweep, ...]:
    """Return the order: that of `order`, else one in which `q`, as far as it is declared, can be drawn.

    Ties keep the default: values of the sequence first, then one sweep in generative order, whose own ties
    keep the lines' order; it runs as p's latents do, except where q is to follow the data as they come.
    """
    latents = context.having("latent")
    p = in_frame(context.parsed.generation)
    generated = [name for name in topological(list(p), p) if name in latents]
    generated.sort(key=lambda name: context.framed.get(name, True))
    static = [name for name in generated if not context.framed.get(name, True)]
    given = given_order(context)
    if given is None:
        streams = inference_kind(context.parsed) in (InferenceKind.FILTERING, InferenceKind.LOOKAHEAD)
        follows = not streams and complete(context, "generation")
        lines = context.parsed.generation if follows else ()
        made = [conditional_of(line, context.variables) for line in lines if line.target.name in generated]
        return sweeps(generated, static, q, made)
    _conflicts(context, given, q)
    return given


def declared(context: Context) -> tuple[Conditional, ...]:
    """Return what q reads, as far as the page says it: its conditionals, or what its networks see."""
    if inference_kind(context.parsed) is InferenceKind.NETWORKS:
        return seen_by_networks(context)
    if not complete(context, "inference"):
        return ()
    return tuple(conditional_of(line, context.variables) for line in context.parsed.inference)


def developed_needs(context: Context, side: Side) -> dict[str, list[str]]:
    """Return what each state, feature and conditional of one side reads at the same frame."""
    parsed, needs = context.parsed, dict[str, list[str]]()
    for path, read in parsed.reads.items():
        block, key = str(path[0]), str(path[1])
        if block == "networks":
            head = parsed.heads.get(key)
            if head is None or head[0] is not side or parsed.targets[key].frame is not None:
                continue
            name = head[1]
        else:
            name = (parsed.states if block == "states" else parsed.features).get(key, key)
        needs.setdefault(name, []).extend(
            r.name for r in read.references if r.offsets is not None and 0 in r.offsets and r.name != name
        )
    return needs


def _conflicts(context: Context, order: tuple[Sweep, ...], q: tuple[Conditional, ...]) -> None:
    """Report conditionals of q that read what comes after them in `order`."""
    home = {name: (place, sweep) for place, sweep in enumerate(order) for name in sweep.latents}
    for (child, parent), offsets in arrows_of(q, home, drawn=True).items():
        place, sweep = home[child]
        other = home[parent][0]
        if other < place or not offsets:
            continue
        if other > place:
            message = f"q's '{child}' reads '{parent}', which 'order' draws after it"
            hint = f"put {parent} before {child}"
        else:
            at = sweep.latents.index(parent) < sweep.latents.index(child)
            late = offsets - _drawn(sweep.backward, at)
            if not late:
                continue
            message, hint = _too_early(child, parent, sweep, late)
        span = place_of(context, "inference", child, None, parent)
        context.report.add(Code.INFERENCE_ORDER, message, span, hint)


def _drawn(backward: bool, at: bool) -> Offsets:
    """Return the frames of a sweep's latent that are drawn already."""
    last = 0 if at else 1
    return window(last, None) if backward else window(None, -last)


def _too_early(child: str, parent: str, sweep: Sweep, late: Offsets) -> tuple[str, str]:
    if late == NOW and child != parent:
        message = f"q's '{child}' reads '{parent}' of the same frame, which comes after it in 'order'"
        return message, f"put {parent} before {child}"
    side, way = ("earlier", "T down to 1") if sweep.backward else ("later", "1 to T")
    if child == parent:
        message = f"q's '{child}' reads itself at {side} frames, and 'order' draws it from t = {way}"
        return message, f"write {child}" if sweep.backward else f"write {{backward: {child}}}"
    message = f"q's '{child}' reads {side} frames of '{parent}', and 'order' draws both from t = {way}"
    return message, f"as a block of its own {parent} can come first: order: [{parent}, {child}]"
