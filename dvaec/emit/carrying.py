"""What a stream carries from one step to the next: the fields of its state, and what they begin with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from dvaec.emit.attending import so_far
from dvaec.emit.families import noise_width
from dvaec.emit.loop_maps import earlier
from dvaec.emit.once import begun_by_draws
from dvaec.emit.reading import at_zero, has_zero, start, start_cell
from dvaec.emit.results import Field
from dvaec.emit.writer import Body, parameters
from dvaec.plan.model import Entry, HeadNode, Loop, Node, Once, StateNode, Stream, ValueNode
from dvaec.spec.families import parameters_of
from dvaec.spec.notation import counted


def begin_with(body: Body, stream: Stream) -> list[Field]:
    """Return the fields of the state before the first step."""
    found = []
    for name, steps in stream.carried:
        for tensor, k, begun in _behind(body, name, steps, int(_foremost(stream, name))):
            made = placeholder(body, name) if begun_by_draws(body, name) else begun()
            width = dict(held_tensors(body, name)).get(tensor, _dim(body, name))
            about = f"(batch, {width}), {tensor} {counted(k, 'step')} before"
            found.append((earlier(tensor, k), made, about))
    for name in stream.gathered:
        made = placeholder(body, name, True) if begun_by_draws(body, name) else so_far(body, name)
        found.append((f"{name}_so_far", made, f"(batch, frames, {_dim(body, name)}), {name} so far"))
    for tensor, width in (one for name in stream.held for one in held_tensors(body, name)):
        made = f"{body.like}.new_zeros(batch, {width})"
        found.append((tensor, made, f"(batch, {width}), made before the step that comes to frame 1"))
    for value in kept_noise(body, stream):
        width = noise_width(value.variable)
        about = f"(batch, {width}), the noise of frame 1, which is drawn behind later frames"
        found.append((f"noise_{value.name}_first", f"{body.like}.new_zeros(batch, {width})", about))
    return found


def kept_noise(body: Body, stream: Stream) -> list[ValueNode]:
    """The values whose frame 1 is drawn behind the step of its place, which has its noise."""
    late = [name for entry in stream.entries for name in entry.late]
    return [value for value in body.network.values if value.name in late]


def begin_with_draws(body: Body, stream: Stream, once: Once) -> list[tuple[str, str]]:
    """What stands, before frame 1, for what is carried and begins with some draws; name and value."""
    found = []
    for name, steps in stream.carried:
        shift = stream.shift_in(body.entry, name)
        if shift is not None and begun_by_draws(body, name, once.nodes):
            some = _behind(body, name, steps - shift, _frame_in(body.entry, name, once.after))
            found += [(earlier(tensor, k), begun()) for tensor, k, begun in some]
    names = [name for name in gathered_in(body, stream) if begun_by_draws(body, name, once.nodes)]
    return [*found, *((f"{name}_so_far", so_far(body, name)) for name in names)]


def shift(body: Body, stream: Stream) -> None:
    """Carry every value on to the next step."""
    for name, steps in stream.carried:
        further = stream.shift_in(body.entry, name)
        for tensor in tensors_of(body, name) if further is not None else ():
            span = range(steps - (further or 0), 0, -1)
            body.add_shifted([(earlier(tensor, k), earlier(tensor, k - 1)) for k in span])


def carried_fields(body: Body, stream: Stream) -> list[tuple[str, str]]:
    """All carried tensors: the field of the state, and its name in an entry, empty where that has none."""
    found = []
    for name, steps in stream.carried:
        further = stream.shift_in(body.entry, name)
        for tensor in tensors_of(body, name):
            for k in range(1, steps + 1):
                own = further is not None and k > further
                found.append((earlier(tensor, k), earlier(tensor, k - (further or 0)) if own else ""))
    own_frames = gathered_in(body, stream)
    found += [(f"{n}_so_far", f"{n}_so_far" if n in own_frames else "") for n in stream.gathered]
    mine = held_in(body, stream)
    tensors = [(name, n in mine) for n in stream.held for name, _ in held_tensors(body, n)]
    tensors += [(f"noise_{v.name}_first", v.name in body.entry.late) for v in kept_noise(body, stream)]
    return [*found, *((name, name if own else "") for name, own in tensors)]


def held_in(body: Body, stream: Stream) -> tuple[str, ...]:
    """What an entry makes of frame 1 that the state has from the step that makes it on."""
    return tuple(n for n in stream.held if n in body.entry.begun and stream.shift_in(body.entry, n) == 0)


def held_tensors(body: Body, name: str) -> list[tuple[str, int]]:
    """The names and widths of what is held of a node whose frame 1 is made before its own step."""
    node = body.network.node(name)
    if not isinstance(node, HeadNode):
        return [(f"{name}_first", node.dim)]
    return [
        (one, made.width) for one, made in zip(parameters(node), parameters_of(node.variable), strict=True)
    ]


def gathered_in(body: Body, stream: Stream) -> tuple[str, ...]:
    """The nodes of which an entry gathers the frames."""
    loops = [step for step in body.entry.steps if isinstance(step, Loop)]
    return tuple(name for name in stream.gathered if any(name in loop.nodes for loop in loops))


def placeholder(body: Body, name: str, frames: bool = False) -> str:
    """What the first step puts something else in the place of."""
    return f"{body.like}.new_zeros(batch, {'0, ' * frames}{_dim(body, name)})"


def _dim(body: Body, name: str) -> int:
    return body.network.node(name).dim


def _behind(body: Body, name: str, steps: int, frame: int) -> Iterator[tuple[str, int, Callable[[], str]]]:
    """Yield what a node was before frame 1, so many steps before it makes a `frame`.

    That is the tensor, the steps, and the value once asked.
    """
    node = body.network.node(name)
    zero = not isinstance(node, HeadNode | StateNode) and has_zero(body, name)
    for tensor, begun in _begins(body, node):
        for k in range(max(1, frame), steps + 1):
            yield tensor, k, partial(at_zero, body, name) if zero and k == frame else begun


def _foremost(stream: Stream, name: str) -> bool:
    """Whether a node is at frame 1 when draws are made: the state begins with its frame 0."""
    entries = [entry for entry in stream.entries if entry.name != "imagine" or not stream.finishes]
    late = {entry: max((once.after for once in entry.once), default=0) for entry in entries}
    return all(_frame_in(entry, name, late[entry]) == 1 for entry in entries)


def _frame_in(entry: Entry, name: str, after: int) -> int:
    """The frame that a node makes so many steps after the first one."""
    loops = [step for step in entry.steps if isinstance(step, Loop) and name in step.nodes]
    return next((1 + loop.frame_of(name) + after - max(loop.ahead) for loop in loops), 1)


def name_begins(body: Body, node: Node) -> None:
    """Name what a node is before frame 1."""
    for _, begun in _begins(body, node):
        begun()
    if has_zero(body, node.name):
        at_zero(body, node.name)


def _begins(body: Body, node: Node) -> list[tuple[str, Callable[[], str]]]:
    """A node's start, and that of an LSTM's cell; of a conditional, whose parameters wait, zeros."""
    if isinstance(node, HeadNode):
        zeros = [f"{body.like}.new_zeros(batch, {width})" for _, width in held_tensors(body, node.name)]
        return [(name, partial(str, made)) for name, made in zip(parameters(node), zeros, strict=True)]
    found: list[tuple[str, Callable[[], str]]] = [(node.name, partial(start, body, node.name))]
    if isinstance(node, StateNode) and node.state.cell == "lstm":
        found.append((f"{node.name}_cell", partial(start_cell, body, node)))
    return found


def tensors_of(body: Body, name: str) -> tuple[str, ...]:
    """The names of a node's value and of an LSTM's cell, or of a conditional's parameters."""
    node = body.network.node(name)
    if isinstance(node, HeadNode):
        return parameters(node)
    lstm = isinstance(node, StateNode) and node.state.cell == "lstm"
    return (name, f"{name}_cell") if lstm else (name,)
