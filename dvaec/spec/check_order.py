"""The order in which q's chain rule takes the latents: as the page gives it, else as q asks for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from dvaec.spec.asked_order import asked_for, spoken, too_early, turned_at_ends, without_single_frames
from dvaec.spec.assemble import inference_kind
from dvaec.spec.check_conditionals import complete
from dvaec.spec.check_cycles import in_frame
from dvaec.spec.check_ends import check_ends
from dvaec.spec.check_time import place_of
from dvaec.spec.codes import Code
from dvaec.spec.context import Context
from dvaec.spec.early import drawn_ahead
from dvaec.spec.ends_over_time import cycle_at_ends
from dvaec.spec.frames import conditional_of
from dvaec.spec.graph import topological
from dvaec.spec.model import LAST, Conditional, InferenceKind, Parent, Side, Sweep
from dvaec.spec.notation import frame_word, listed, target
from dvaec.spec.offsets import ALL, NOW, Offsets, of, window
from dvaec.spec.one_frame import with_order_of_one_frame
from dvaec.spec.order_block import given_order
from dvaec.spec.over_time import arrows_of
from dvaec.spec.seen import seen_by_networks
from dvaec.spec.skewed import skewed
from dvaec.spec.unswept import ChainRule, Read, drawable, groups, read_too_early

FROM_1 = window(0, None)  # all frames from its own on, as the line of frame 1 counts them


def chain_rule(context: Context, q: tuple[Conditional, ...]) -> ChainRule:
    """Return the order: that of `order`, else one in which `q`, as far as it is declared, can be drawn.

    Ties keep the default: values of the sequence first, then one sweep in generative order, whose own ties
    keep the lines' order; it runs as p's latents do, except where q is to follow the data as they come. Where
    q can be drawn in no such order, it is not swept.
    """
    latents = context.having("latent")
    p = in_frame(context.parsed.generation)
    generated = [name for name in topological(list(p), p) if name in latents]
    generated.sort(key=lambda name: context.framed.get(name, True))
    static = [name for name in generated if not context.framed.get(name, True)]
    given = given_order(context)
    order, early = asked_for(context, generated, static, q)
    if given is not None:
        way = _left_out(order, early)
        order = turned_at_ends(context, given, q)
        order = with_order_of_one_frame(order, spoken(context, order, q), static, context.zero)
        _conflicts(context, order, q, way)
        early = () if context.report.found else tuple(too_early(context, order, q))
    if context.report.found:
        return ChainRule(order)
    if early and cycle_at_ends(q, static, context.zero, drawn=True):
        return ChainRule(order)  # networks that wait for one another, which is told of them
    behind = skewed(without_single_frames(order), q) if early and given is None else None
    if behind is not None and not any(read_too_early(behind, q, static, context.zero)):
        return ChainRule(behind)
    if early and (unswept := _unswept(context, order, q, static, early[0])) is not None:
        return unswept
    if early:
        _report_early(context, *early[0])
    else:
        check_ends(context, order, q)
    return ChainRule(order)


def _report_early(context: Context, line: Conditional, parent: Parent) -> None:
    """Report a read in an order that no sweep has, where the rest of q is derived, which needs one."""
    child = target(line, context.framed[line.target])
    message = f"q's '{child}' reads '{parent.name}' in an order that no sweep has, and not all of q is given"
    hint = "what is derived needs sweeps: give every latent a line of all frames; or leave this link out"
    span = place_of(context, "inference", line.target, line.frame, parent.name)
    context.report.add(Code.INFERENCE_ORDER, message, span, hint)


def _unswept(
    context: Context,
    order: tuple[Sweep, ...],
    q: Sequence[Conditional],
    static: Sequence[str],
    early: tuple[Conditional, Parent],
) -> ChainRule | None:
    """Return an order for q's lines that can be drawn, but not in the one found; None if they cannot."""
    kept = drawable(without_single_frames(order), q, static, context.zero)
    if kept is None:
        return None
    line, parent = early
    child = target(line, context.framed[line.target])
    message = f"q's '{child}' reads '{parent.name}' in an order that no sweep has"
    way = ", ".join(name for sweep in kept for name in sweep.latents)
    hint = f"q is drawn all the same; the exact posterior's order is {way}, and q is compared along its own"
    span = place_of(context, "inference", line.target, line.frame, parent.name)
    context.report.note(Code.INFERENCE_ORDER, message, span, hint)
    return ChainRule(kept, groups(q, kept))


def _left_out(order: tuple[Sweep, ...], early: Sequence[Read]) -> str:
    """Say what only an order that q asks for can do: draw single frames in another order, all in time."""
    keys = drawn_ahead(order)
    if early or not any(sweep.first or sweep.last for sweep in order):
        return ""
    why = "single frames have an order of their own within one block"
    if keys:
        why = f"no block of 'order' is of {listed(f'{name}_{frame_word(at)}' for name, at in keys)} alone"
    return f"{why}: leave 'order' out, and q draws as its lines ask"


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
        return message, f"in 'order' write {child if sweep.backward else f'{{backward: {child}}}'}"
    message = f"q's '{child}' reads {side} frames of '{parent}', and 'order' draws both from t = {way}"
    return message, f"as a block of its own {parent} can come first: order: [{parent}, {child}]"
