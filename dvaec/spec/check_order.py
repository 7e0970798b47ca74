"""The order in which q's chain rule takes the latents: as the page gives it, else as q asks for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from dvaec.spec.assemble import inference_kind
from dvaec.spec.chain import orders, with_first, with_last
from dvaec.spec.check_conditionals import complete
from dvaec.spec.check_cycles import in_frame
from dvaec.spec.check_ends import check_ends
from dvaec.spec.check_time import place_of
from dvaec.spec.codes import Code
from dvaec.spec.context import Context
from dvaec.spec.early import drawn_ahead, unmet, with_early_frames
from dvaec.spec.frames import conditional_of
from dvaec.spec.graph import topological
from dvaec.spec.model import LAST, Conditional, InferenceKind, Parent, Side, Sweep
from dvaec.spec.node_order import serves
from dvaec.spec.notation import frame_word, listed, target
from dvaec.spec.offsets import ALL, NOW, Offsets, of, window
from dvaec.spec.one_frame import order_of_one_frame, with_order_of_one_frame
from dvaec.spec.order_block import given_order
from dvaec.spec.over_time import arrows_of
from dvaec.spec.seen import seen_by_networks

FROM_1 = window(0, None)  # all frames from its own on, as the line of frame 1 counts them


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
    free = _asked_for(context, generated, static, q)
    if given is None:
        order = free
    else:
        order = _turned_at_ends(context, given, q)
        _conflicts(context, order, q, _left_out(free, q))
    networks = inference_kind(context.parsed) is InferenceKind.NETWORKS
    if given is None and not networks and not context.report.found:
        _apart(context, order, q)
    if context.report.found:
        return order
    check_ends(context, order, q)
    return with_order_of_one_frame(order, q, static, context.zero)


def _asked_for(
    context: Context, generated: Sequence[str], static: Sequence[str], q: Sequence[Conditional]
) -> tuple[Sweep, ...]:
    """Return the first order that `q`, as far as it is declared, can be drawn in, by default one sweep."""
    streams = inference_kind(context.parsed) in (InferenceKind.FILTERING, InferenceKind.LOOKAHEAD)
    follows = not streams and complete(context, "generation")
    lines = context.parsed.generation if follows else ()
    made = [
        conditional_of(line, context.variables, context.zero)
        for line in lines
        if line.target.name in generated
    ]
    found = (_with_single_frames(context, one, q) for one in orders(generated, static, q, made))
    first = _first_of(found, q)
    if context.report.found or not any(unmet(first, q)):
        return first
    for one in orders(generated, static, q, made):
        order, ends = _with_single_frames(context, one, q, alike=False), (q, static, context.zero)
        if not any(unmet(order, q)) and serves(order, *ends) and order_of_one_frame(order, *ends) is not None:
            return order
    return first


def _left_out(order: tuple[Sweep, ...], q: Sequence[Conditional]) -> str:
    """Say what only an order that q asks for can do: draw single frames in another order, all in time."""
    keys = drawn_ahead(order)
    if any(unmet(order, q)) or not any(sweep.first or sweep.last for sweep in order):
        return ""
    why = "single frames have an order of their own within one block"
    if keys:
        why = f"no block of 'order' is of {listed(f'{name}_{frame_word(at)}' for name, at in keys)} alone"
    return f"{why}: leave 'order' out, and q draws as its lines ask"


def _with_single_frames(
    context: Context, order: tuple[Sweep, ...], q: Sequence[Conditional], *, alike: bool = True
) -> tuple[Sweep, ...]:
    """Return an order with those of frames 0, 1 and T, and the blocks of frames that are drawn ahead.

    If it is to be `alike` where T is 1, frame T comes ahead with frame 1 of its latent.
    """
    order = _turned_at_ends(context, order, q)
    return order if context.report.found else with_early_frames(order, q, alike=alike)


def _turned_at_ends(
    context: Context, order: tuple[Sweep, ...], q: Sequence[Conditional]
) -> tuple[Sweep, ...]:
    """Return an order with those of frames 0, 1 and T where they are their own."""
    static = [name for name, framed in context.framed.items() if not framed]
    found = (with_first(sweep, q, static, context.zero) for sweep in order)
    return tuple(with_last(sweep, q, static, context.zero) for sweep in found)


def _first_of(orders: Iterator[tuple[Sweep, ...]], q: Sequence[Conditional]) -> tuple[Sweep, ...]:
    """Return the first order in which nothing is read before it is drawn; the first of all if none is."""
    first = order = next(orders)
    while any(unmet(order, q)):
        if (order := next(orders, ())) == ():
            return first
    return order


def declared(context: Context) -> tuple[Conditional, ...]:
    """Return what q reads, as far as the page says it: its conditionals, or what its networks see."""
    if inference_kind(context.parsed) is InferenceKind.NETWORKS:
        return seen_by_networks(context)
    if not complete(context, "inference"):
        return ()
    return tuple(conditional_of(line, context.variables, context.zero) for line in context.parsed.inference)


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


def _conflicts(context: Context, order: tuple[Sweep, ...], q: Sequence[Conditional], way: str) -> None:
    """Report conditionals of q that read what comes after them in `order`.

    `way` is the hint where q could be drawn if the page gave no order.
    """
    home = {name: (place, sweep) for place, sweep in enumerate(order) for name in sweep.latents}
    lines = [_beside_first(_there(one, context), home) for one in q]
    for (child, parent), offsets in arrows_of(lines, home, drawn=True).items():
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
        frame = next(c.frame for c in q if c.target == child and any(p.name == parent for p in c.parents))
        span = place_of(context, "inference", child, frame, parent)
        context.report.add(Code.INFERENCE_ORDER, message, span, way or hint)


def _apart(context: Context, order: tuple[Sweep, ...], q: Sequence[Conditional]) -> None:
    """Report lines that read a latent of which all is drawn later, but perhaps for the frame they read.

    Lines of single frames first: the order that is found without them may be no order because of them.
    """
    rank = {name: place for place, sweep in enumerate(order) for name in sweep.latents}
    found = list(unmet(order, q))
    begun = {line.target for line in q if line.frame == 1}
    for line, parent in found:
        if rank[line.target] == rank[parent.name] and parent.frame == LAST and parent.name in begun:
            child, name = target(line, context.framed[line.target]), parent.name
            message = f"q's '{child}' reads '{name}_T', which is {name}_1 where T is 1: q draws that after it"
            hint = f"let the line of {name}_1 read nothing that reads {name}_T; or leave this link out"
            span = place_of(context, "inference", line.target, line.frame, name)
            context.report.add(Code.INFERENCE_ORDER, message, span, hint)
    far = [(line, parent.name) for line, parent in found]
    late = [(line, read) for line, read in far if rank[line.target] != rank[read]]
    for line, read in [one for one in late if one[0].frame is not None] or late:
        child, name = target(line, context.framed[line.target]), line.target
        message = f"q's '{child}' reads '{read}', and q draws {name} before {read}, as a whole"
        hint = f"let no line of {read} read {name}, nor what is made of it; or leave this link out"
        if line.frame is not None:
            hint = (
                f"a line of {read}_t that reads nothing drawn after all of {name} lets q draw both "
                f"frame by frame; or leave this link out"
            )
        span = place_of(context, "inference", name, line.frame, read)
        context.report.add(Code.INFERENCE_ORDER, message, span, hint)


def _there(line: Conditional, context: Context) -> Conditional:
    """Leave out of all that a line of frame 1 reads the frames 0 that there are not."""
    if line.frame != 1:
        return line
    whole = {name for name in context.variables if name not in context.zero}
    cut = (p if p.offsets != ALL or p.name not in whole else Parent(p.name, FROM_1) for p in line.parents)
    return replace(line, parents=tuple(cut))


def _beside_first(line: Conditional, home: Mapping[str, tuple[int, Sweep]]) -> Conditional:
    """Leave out what a line of a single frame reads there of its sweep, where that has its own order."""
    if line.frame is None or line.target not in home:
        return line
    sweep = home[line.target][1]
    if not (sweep.last if line.frame == LAST else sweep.first):
        return line
    near, kept = NOW if line.frame == LAST else of(-line.frame, 1 - line.frame), []
    for parent in line.parents:
        if parent.name in sweep.latents and parent.offsets is not None:
            kept.append(replace(parent, offsets=parent.offsets - near))
        elif parent.name not in sweep.latents or (parent.frame == LAST) != (line.frame == LAST):
            kept.append(parent)
    return replace(line, parents=tuple(kept))


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
