"""The order in which q draws frames 1 and T, where it is another than that of all frames."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from dvaec.spec.assemble import inference_kind
from dvaec.spec.check_time import place_of
from dvaec.spec.codes import Code
from dvaec.spec.context import Context
from dvaec.spec.early import comes_ahead, drawn_ahead
from dvaec.spec.first_lines import turned, turns_where_t_is_1
from dvaec.spec.model import LAST, Conditional, InferenceKind, Sweep
from dvaec.spec.notation import frame_word
from dvaec.spec.over_time import arrows_of


def check_ends(context: Context, order: tuple[Sweep, ...], q: Sequence[Conditional], early: bool) -> None:
    """Remark what the orders of frames 1 and T leave open; report lines of frame T that no order serves.

    `early` says whether some line reads what is drawn after it.
    """
    for frame in (1, LAST):
        _check_turned(context, order, q, frame)
    if early:
        _check_last(context, order, q)


def _check_turned(context: Context, order: tuple[Sweep, ...], q: Sequence[Conditional], frame: int) -> None:
    """Remark latents that have no line of frame 1 (T), though at that frame other latents come before them.

    A conditional or network of every frame is one of that frame, too; what is derived is derived there.
    Where T is 1, the lines of frame 1 speak, and no network is told of that reads what is drawn by then.
    """
    networks = inference_kind(context.parsed) is InferenceKind.NETWORKS
    own, at = {(line.target, line.frame) for line in q}, frame_word(frame)
    for sweep, name in turned(order, own, frame):
        where_t_is_1 = frame == 1 and turns_where_t_is_1(order, sweep, name, own)
        keys = sweep.first if frame == 1 and not where_t_is_1 else tuple((one, LAST) for one in sweep.last)
        said = ", ".join(f"{one}_{frame_word(there)}" for one, there in keys)
        span = place_of(context, "inference", name, None, "")
        message = f"q draws {said} in this order, and '{name}_t' serves frame {at} too, in another one"
        if where_t_is_1:
            message = f"q draws {said} in this order, but where T = 1 it follows the lines of frame 1"
        if networks and where_t_is_1:
            hint = f"give {name}_1 a network of its own, q({name}_1), too"
            context.report.add(Code.INFERENCE_ORDER, message, span, hint)
        else:
            hint = f"so {name}_{at} has a network of its own"
            if networks:
                hint = f"the network of {name}_t draws {name}_{at}, too, unless there is a q({name}_{at})"
            elif (name, None) in own:
                hint += ", as if its line stood there, too"
            context.report.note(Code.INFERENCE_ORDER, message, span, hint)


def _check_last(context: Context, order: tuple[Sweep, ...], q: Sequence[Conditional]) -> None:
    """Report lines of frame T that read of their sweep what it draws after them."""
    ahead = drawn_ahead(order)
    for sweep in order:
        here = (line for line in q if line.frame == LAST and line.target in sweep.latents)
        lines = [line for line in here if (line.target, LAST) not in ahead]
        for line, parent in ((one, p) for one in lines for p in one.parents if p.name in sweep.latents):
            if comes_ahead(line, parent, ahead) or (parent.name, parent.frame) == (line.target, LAST):
                continue  # the line of z_T that reads z_T has been told of
            beside = [replace(c, parents=()) for c in q if c.frame == 1]
            alone = replace(line, parents=(parent,))  # the frames that are drawn ahead are no matter
            late = arrows_of((*beside, alone), sweep.latents, drawn=True)[line.target, parent.name]
            late = late - sweep.before(parent.name, line.target, LAST)
            if not late:
                continue
            message = f"q's '{line.target}_T' reads '{parent.name}', which q draws after it"
            hint = f"frame T keeps the order of the other frames: {', '.join(sweep.latents)}"
            if sweep.backward:
                hint += ", from T down"
            span = place_of(context, "inference", line.target, LAST, parent.name)
            context.report.add(Code.INFERENCE_ORDER, message, span, hint)
