"""The only frame of some nodes where T is 1, before a schedule makes the frames of every T.

Names end in `_alone`. Wherever frame 1 or T of such a value is made, `z_alone` stands in the sequences that
have one frame.
"""

from __future__ import annotations

from dvaec.emit.attending import attends, from_zero, window_text
from dvaec.emit.batched import constants
from dvaec.emit.cells import cell, recurrent
from dvaec.emit.loop_maps import earlier, linear_map
from dvaec.emit.reading import at_zero, has_zero, single, start, start_cell
from dvaec.emit.writer import Body, draw_from, drawn_from, joined, known_at, parameters
from dvaec.plan.model import (
    DrawNode,
    FeatureNode,
    HeadNode,
    HoldNode,
    Node,
    OneFrame,
    Port,
    Read,
    StateNode,
    ValueNode,
    framed,
)
from dvaec.plan.one_frame import at_one_frame, held


def one_frame_alone(body: Body, step: OneFrame) -> None:
    """Write the nodes of a step where T is 1, (batch, dim) each."""
    body.note(f"Where T is 1: {', '.join(step.nodes)}; {step.reason}.")
    for node in (body.network.node(name) for name in step.nodes):
        if isinstance(node, ValueNode):
            _value(body, node)
        elif isinstance(node, HeadNode):
            _head(body, node)
        else:
            _made(body, node)
        body.alone.add(node.name)


def _value(body: Body, node: ValueNode) -> None:
    head = drawn_from(body, node)
    speaks = body.network.node(head.begins or head.ends or head.name)
    assert isinstance(speaks, HeadNode)
    at = "[:, 0]" if node.framed else ""
    alone = speaks.name in body.alone
    names = (
        _parameters(speaks)
        if alone
        else tuple(f"{one}{'[:, 0]' if speaks.framed else ''}" for one in parameters(speaks))
    )
    draw_from(body, node, speaks, names, f"{node.name}_alone", f"noise_{node.name}{at}")
    known_at(body, node, f"{node.name}_alone", at)


def _parameters(node: HeadNode) -> tuple[str, ...]:
    return tuple(f"{name}_alone" for name in parameters(node))


def _head(body: Body, node: HeadNode) -> None:
    if node.ports:
        made = ", ".join(_port(body, port) for port in node.ports)
        body.add(f"{', '.join(_parameters(node))} = self.{node.name}({made})", node.name)
    else:
        constants(body, node, "batch", "_alone")


def _made(body: Body, node: Node) -> None:
    """Write a feature, a state's step from its start, or a frame that is drawn or held apart."""
    name = f"{node.name}_alone"
    if isinstance(node, DrawNode):
        body.add(f"{name} = {start(body, node.value) if node.past else f'{node.value}_alone'}")
    elif isinstance(node, HoldNode):
        source = Read(node.source, 0)
        body.add(f"{name} = {_read(body, source) if held(node) else _zeros(body, node)}")
    elif isinstance(node, FeatureNode) and attends(node):
        _attending(body, node)
    elif isinstance(node, FeatureNode):
        made = ", ".join(_port(body, port) for port in node.ports)
        body.add(f"{name} = {made if node.block is None else f'self.{node.name}_net({made})'}", node.name)
    elif isinstance(node, StateNode):
        recurrent(body, node)
        body.add(f"{earlier(node.name, node.state.lag)} = {start(body, node.name)}")
        if node.state.cell == "lstm":
            body.add(f"{earlier(f'{node.name}_cell', node.state.lag)} = {start_cell(body, node)}")
        reads = joined([_read(body, read) for read in node.ports[0].reads])
        cell(body, node, linear_map(body, node, node.ports[0]).format(reads))
        body.add(f"{name} = {node.name}_t")


def _attending(body: Body, node: FeatureNode) -> None:
    """Write a node that attends to the only frame, if its window holds that, and to frame 0."""
    name, port = node.name, node.ports[0]
    source = port.reads[0]
    seen = port.window is not None and 0 in port.window
    keys = _read(body, source) if seen else _zeros(body, body.network.node(source.node))
    body.add(f"{name}_frames = {keys}.unsqueeze(1)")
    body.add(f"{name}_distance = torch.zeros(1, 1, dtype=torch.long, device={body.like}.device)")
    if from_zero(body, node):
        zero = f"{at_zero(body, source.node)}.unsqueeze(1)"
        body.add(f"{name}_frames = torch.cat([{zero}, {name}_frames], 1)")
        body.add(f"{name}_distance = torch.cat([{name}_distance - 1, {name}_distance], 1)")
    queries = [f"({_port(body, port)}).unsqueeze(1)" for port in node.ports[1:]]
    body.add(f"{name}_seen = ({window_text(port, f'{name}_distance')}).unsqueeze(0)")
    given = ", ".join([f"{name}_frames", *queries, f"{name}_distance", f"{name}_seen"])
    body.add(f"{name}_alone = self.{name}_net({given}).squeeze(1)", name)


def _port(body: Body, port: Port) -> str:
    """Return the pre-activation of a port where T is 1."""
    inputs = joined([_read(body, read) for read in port.reads])
    return f"self.{port.weights}({inputs})" if port.weights else inputs


def _read(body: Body, read: Read) -> str:
    """What is read where T is 1, (batch, dim)."""
    node, name = body.network.node(read.node), read.node
    if not framed(node) or at_one_frame(read):
        if name in body.alone:
            return f"{name}_alone"
        return single(body, Read(name, None, 1)) if framed(node) else name
    if read.offset == -1 and has_zero(body, name):
        zero = at_zero(body, name)
        return f"{zero}_alone" if zero in body.alone else zero
    return start(body, name)


def _zeros(body: Body, node: Node) -> str:
    return f"{body.like}.new_zeros(batch, {getattr(node, 'dim', 1)})"
