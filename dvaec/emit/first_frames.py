"""Frame 1 of some nodes, before a schedule makes their other frames: p(x_1), then p(z_1 | x_1).

Names end in `_first`; `x_first` then stands at frame 1 of x, however the other frames are made.
"""

from __future__ import annotations

from dvaec.emit.attending import at_frame_1, attends
from dvaec.emit.batched import constants
from dvaec.emit.cells import cell, recurrent
from dvaec.emit.loop_maps import earlier, linear_map
from dvaec.emit.reading import at_zero, has_zero, single, start, start_cell, whole
from dvaec.emit.writer import Body, draw_from, drawn_from, joined, known_at, parameters
from dvaec.plan.first_frame import at_first
from dvaec.plan.model import (
    FeatureNode,
    FirstFrame,
    HeadNode,
    HoldNode,
    Node,
    Port,
    Read,
    StateNode,
    ValueNode,
    framed,
)


def first_frames(body: Body, step: FirstFrame) -> None:
    """Write the nodes of a step at frame 1, (batch, dim) each."""
    body.note(f"Frame 1: {', '.join(step.nodes)}; {step.reason}.")
    for name in step.nodes:
        first_frame(body, name)


def first_frame(body: Body, name: str) -> None:
    """Write one node at frame 1."""
    node = body.network.node(name)
    if isinstance(node, ValueNode):
        _value(body, node)
    elif isinstance(node, HeadNode):
        _head(body, node)
    elif isinstance(node, StateNode):
        _state(body, node)
    elif isinstance(node, FeatureNode) and attends(node):
        queries = [port_at_first(body, port) for port in node.ports[1:]]
        at_frame_1(body, node, _read, queries)
    elif isinstance(node, FeatureNode):
        made = ", ".join(port_at_first(body, port) for port in node.ports)
        made = made if node.block is None else f"self.{name}_net({made})"
        body.add(f"{name}_first = {made}", name)
    body.named.add(f"{name}_first")


def name_outside(body: Body, step: FirstFrame) -> None:
    """Name what stands before frame 1 of all that the nodes of a step read there."""
    for node in (body.network.node(name) for name in step.nodes):
        if isinstance(node, StateNode):
            start(body, node.name)
            start_cell(body, node)
        for read in (read for port in node.ports for read in port.reads):
            if read.offset is not None and read.offset < 0:
                _before(body, body.network.node(read.node), read.offset)


def _value(body: Body, node: ValueNode) -> None:
    head = drawn_from(body, node)
    begins = body.network.node(head.begins or head.name)
    assert isinstance(begins, HeadNode)
    names = _parameters(begins)
    if begins.ends and body.entry.name == "finish":
        last = body.network.node(begins.ends)
        assert isinstance(last, HeadNode)
        body.add("if frames == 1:")
        for here, there in zip(names, parameters(last), strict=True):
            body.add(f"    {here} = {there}")
    draw_from(body, node, begins, names, f"{node.name}_first", _noise(body, node))
    known_at(body, node, f"{node.name}_first", "[:, 0]")


def _noise(body: Body, node: ValueNode) -> str:
    """The noise of frame 1: a stream has that of one frame, or has kept that of the frame's own step."""
    if node.name in body.entry.late:
        return f"noise_{node.name}_first"
    return f"noise_{node.name}" + ("" if body.entry.streamed else "[:, 0]")


def _parameters(node: HeadNode) -> tuple[str, ...]:
    return tuple(f"{name}{'_first' if node.head.frame is None else ''}" for name in parameters(node))


def made_first(body: Body, name: str, step: FirstFrame) -> tuple[str, ...]:
    """Name frame 1 of a node, with an LSTM's cell, as a step has made it; a conditional's parameters."""
    node = body.network.node(name)
    if isinstance(node, HeadNode):
        line = node.begins if node.begins in step.nodes else name
        begun = body.network.node(line)
        assert isinstance(begun, HeadNode)
        return _parameters(begun)
    lstm = isinstance(node, StateNode) and node.state.cell == "lstm"
    return (f"{name}_first", f"{name}_cell_t") if lstm else (f"{name}_first",)


def _head(body: Body, node: HeadNode) -> None:
    if node.ports:
        made = ", ".join(port_at_first(body, port) for port in node.ports)
        body.add(f"{', '.join(_parameters(node))} = self.{node.name}({made})", node.name)
    else:
        constants(body, node, "batch", "_first" if node.head.frame is None else "")


def _state(body: Body, node: StateNode) -> None:
    """One step from the start; a held frame is what it holds, or 0 where it comes later."""
    name = node.name
    if isinstance(node, HoldNode):
        held = start(body, name) if node.past else _read(body, node.ports[0].reads[0])
        body.add(f"{name}_first = {held}", name)
        return
    recurrent(body, node)
    body.add(f"{earlier(name, node.state.lag)} = {start(body, name)}")
    if node.state.cell == "lstm":
        body.add(f"{earlier(f'{name}_cell', node.state.lag)} = {start_cell(body, node)}")
    reads = joined([_read(body, read) for read in node.ports[0].reads])
    cell(body, node, linear_map(body, node, node.ports[0]).format(reads))
    body.add(f"{name}_first = {name}_t")


def port_at_first(body: Body, port: Port) -> str:
    """Return the pre-activation of a port at frame 1."""
    inputs = joined([_read(body, read) for read in port.reads])
    return f"self.{port.weights}({inputs})" if port.weights else inputs


def _read(body: Body, read: Read) -> str:
    """What is read at frame 1, (batch, dim)."""
    node = body.network.node(read.node)
    if not framed(node) or (read.offset is None and read.frame != 1):
        return single(body, read)
    if at_first(read):
        return single(body, Read(read.node, None, 1))
    assert read.offset is not None
    if read.offset < 0:
        return _before(body, node, read.offset)
    if body.entry.streamed:  # the steps before have kept it
        return single(body, Read(read.node, None, 1 + read.offset))
    return f"{whole(body, read)}[:, 0]"


def _before(body: Body, node: Node, offset: int) -> str:
    """What stands before frame 1."""
    return at_zero(body, node.name) if offset == -1 and has_zero(body, node.name) else start(body, node.name)
