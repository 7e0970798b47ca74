"""When a step of a stream may come, and what it takes.

Where q looks k frames ahead, its draws come k steps late: `step` takes frame t + k and draws frame t. Behind
the last frame, `finish` takes none and draws the next. Then `imagine` goes on; it may also come first.
"""

from __future__ import annotations

from dvaec.emit.attending import attends
from dvaec.emit.once import observed_once, taken_up
from dvaec.emit.preparing import one_hot
from dvaec.emit.reading import start
from dvaec.emit.writer import Body
from dvaec.plan.model import HeadNode, HoldNode, Loop, Node, Stream, ValueNode
from dvaec.spec.model import Role

DRAWN = "frame_drawn"  # a field of the state where no `step` comes behind an `imagine`


def delayed(body: Body, stream: Stream) -> bool:
    """Whether an entry draws what `step` has left behind."""
    return stream.finishes and body.entry.name != "imagine"


def arguments(body: Body, given: list[ValueNode], drawn: list[ValueNode]) -> list[str]:
    """What a step takes: what is given, the noise of what is drawn, masks of what is observed."""
    finishing, observed = body.entry.name == "finish", observed_once(body)
    once = [v for v in taken_up(body) if v not in observed]
    seen = [v for v in given if v.variable.role is Role.OBSERVED]
    found = ["state: State"]
    if not finishing:
        found += [f"{v.name}: Tensor" for v in sorted(given, key=lambda v: v not in seen)]
        found += [f"{v.name}: Optional[Tensor] = None" for v in observed]
    found += [f"noise_{v.name}: Optional[Tensor] = None" for v in (*drawn, *once)]
    found += ["sample: bool = True"] if body.entry.name == "imagine" else []
    if not finishing:
        found += [f"mask_{v.name}: Optional[Tensor] = None" for v in (*seen, *observed)]
    return found


def when(body: Body, stream: Stream, loop: Loop) -> None:
    """Write which frame it is, once it is known that one may come."""
    body.add("batch = state.batch")
    most = max(loop.ahead)
    if stream.finishes or (stream.one_way and body.entry.name == "step"):
        _refuse(body, stream)
    if delayed(body, stream):
        body.add(f"t = state.{DRAWN}")
        body.add("frames = state.frame")
    elif most or body.entry.begun or any(_looks_at_frame(body.network.node(name)) for name in loop.nodes):
        body.add("t = state.frame" + (f" - {most}" if most else ""))


def _refuse(body: Body, stream: Stream) -> None:
    """Write the error of a step that comes too early or too late."""
    faults = {
        "step": (
            f"state.frame - state.{DRAWN} != {stream.delay}",
            f"this stream {'is finished' if stream.finishes else 'imagines'}: begin another to observe",
        ),
        "finish": (
            f"state.frame == 0 or state.{DRAWN} == state.frame",
            "q has drawn every frame that was observed",
        ),
        "imagine": (
            f"state.frame != 0 and state.{DRAWN} != state.frame",
            f"q has not drawn every frame that was observed: finish first, {_times(stream.delay)}",
        ),
    }
    condition, message = faults[body.entry.name]
    body.add(f"if {condition}:")
    body.add(f'    raise ValueError("{message}")')


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count} times")


def counted_on(body: Body, stream: Stream) -> list[str]:
    """The numbers of a state behind a step."""
    frame = "state.frame" if body.entry.name == "finish" else "state.frame + 1"
    if not stream.finishes:  # q draws every frame that comes, and none behind those that p makes
        drawn = f"state.{DRAWN}" if body.entry.name == "imagine" else "state.frame + 1"
    else:
        drawn = "state.frame + 1" if body.entry.name == "imagine" else "t + 1"
    return [frame, "batch", *([drawn] if stream.one_way else [])]


def take(body: Body, value: ValueNode) -> None:
    """Write what is given of a variable in this step; behind the last frame it is what stands there."""
    name = value.name
    if body.entry.name == "finish":
        body.add(f"{name}_t = {start(body, name)}")
        return
    one_hot(body, value, 1, body.like)
    text = f'static({name}, "{name}", {value.dim})'
    body.functions.add("static")
    if value.variable.role is Role.OBSERVED:
        text = f"own({text}, {body.call('seen', 'present', f'mask_{name}')})"
    body.add(f"{name}_t = {text}")


def _looks_at_frame(node: Node) -> bool:
    """Whether what a node does depends on the frame's number."""
    first = isinstance(node, HoldNode) or (isinstance(node, HeadNode) and node.head.frame == 1)
    return first or attends(node)
