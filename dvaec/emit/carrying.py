"""What a stream carries from one step to the next: the fields of its state, and what they begin with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from dvaec.emit.attending import so_far
from dvaec.emit.loop_maps import earlier
from dvaec.emit.once import begun_by_draws
from dvaec.emit.reading import at_zero, has_zero, start, start_cell
from dvaec.emit.results import Field
from dvaec.emit.writer import Body
from dvaec.plan.model import HeadNode, Loop, Node, StateNode, Stream
from dvaec.spec.notation import counted


def begin_with(body: Body, stream: Stream) -> list[Field]:
    """Return the fields of the state before the first step."""
    return [
        (field, placeholder(body, name, field) if begun_by_draws(body, name) else begun(), about)
        for name, field, begun, about in _carried(body, stream)
    ]


def begin_with_draws(body: Body, stream: Stream) -> list[Field]:
    """The fields of the state that begin with what is drawn once."""
    return [
        (field, begun(), about)
        for name, field, begun, about in _carried(body, stream)
        if begun_by_draws(body, name)
    ]


def shift(body: Body, stream: Stream) -> None:
    """Carry every value on to the next step."""
    for name, steps in stream.carried:
        for tensor in _tensors(body, name):
            for k in range(steps, 0, -1):
                body.add(f"{earlier(tensor, k)} = {earlier(tensor, k - 1)}")


def carried_names(body: Body, stream: Stream) -> list[str]:
    """The names of all carried tensors."""
    found = []
    for name, steps in stream.carried:
        for tensor in _tensors(body, name):
            found += [earlier(tensor, k) for k in range(1, steps + 1)]
    return [*found, *(f"{name}_so_far" for name in stream.gathered)]


def placeholder(body: Body, name: str, field: str = "") -> str:
    """What the first step puts something else in the place of."""
    frames = "0, " * field.endswith("_so_far")
    return f"{body.like}.new_zeros(batch, {frames}{body.network.node(name).dim})"


def _carried(body: Body, stream: Stream) -> Iterator[tuple[str, str, Callable[[], str], str]]:
    """Yield the fields of the state: of which node, the name, what it begins with once asked, what it is."""
    for name, steps in stream.carried:
        node = body.network.node(name)
        zero = not isinstance(node, HeadNode | StateNode) and has_zero(body, name) and _foremost(stream, name)
        for tensor, begun in _begins(body, node):
            for k in range(1, steps + 1):
                made = partial(at_zero, body, name) if zero and k == 1 else begun
                about = f"(batch, {node.dim}), {tensor} {counted(k, 'step')} before"
                yield name, earlier(tensor, k), made, about
    for name in stream.gathered:
        about = f"(batch, frames, {body.network.node(name).dim}), {name} so far"
        yield name, f"{name}_so_far", partial(so_far, body, name), about


def _foremost(stream: Stream, name: str) -> bool:
    """Whether a node is at frame 1 in the step that draws what there is once, not before it."""
    loops = [(one, entry.once) for entry in stream.entries for one in entry.steps if isinstance(one, Loop)]
    frames = [loop.frame_of(name) + (once.after if once else 0) for loop, once in loops if name in loop.nodes]
    return all(frame == stream.delay for frame in frames)


def name_begins(body: Body, node: Node) -> None:
    """Name what a node is before frame 1."""
    for _, begun in _begins(body, node):
        begun()
    if has_zero(body, node.name):
        at_zero(body, node.name)


def _begins(body: Body, node: Node) -> list[tuple[str, Callable[[], str]]]:
    """A node's start, and that of an LSTM's cell."""
    found: list[tuple[str, Callable[[], str]]] = [(node.name, partial(start, body, node.name))]
    if isinstance(node, StateNode) and node.state.cell == "lstm":
        found.append((f"{node.name}_cell", partial(start_cell, body, node)))
    return found


def _tensors(body: Body, name: str) -> tuple[str, ...]:
    """The names of a node's value and of an LSTM's cell."""
    node = body.network.node(name)
    lstm = isinstance(node, StateNode) and node.state.cell == "lstm"
    return (name, f"{name}_cell") if lstm else (name,)
