"""The order in which q draws frames 1 and T, where it is another than that of all frames."""

from __future__ import annotations

from collections.abc import Sequence

from dvaec.spec.assemble import inference_kind
from dvaec.spec.check_time import place_of
from dvaec.spec.codes import Code
from dvaec.spec.context import Context
from dvaec.spec.first_lines import turned, turns_where_t_is_1
from dvaec.spec.model import LAST, Conditional, InferenceKind, Sweep
from dvaec.spec.notation import frame_word


def check_ends(context: Context, order: tuple[Sweep, ...], q: Sequence[Conditional]) -> None:
    """Remark what the orders of frames 1 and T leave open."""
    for frame in (1, LAST):
        _check_turned(context, order, q, frame)


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
