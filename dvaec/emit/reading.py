"""What a node reads, as text: for all frames at once, for one absolute frame, and outside 1..T.

Outside 1..T a variable is 0, a feature is the feature of zeros and a state is its start. A variable with a
frame 0 of its own (z_0) is that value there, and so is what features make of frame 0.
"""

from __future__ import annotations

from dvaec.emit.writer import Body, joined
from dvaec.plan.model import (
    FeatureNode,
    HoldNode,
    Origin,
    Port,
    Read,
    StateNode,
    ValueNode,
    framed,
    is_frame_zero,
    value_name,
)
from dvaec.spec.model import LAST, Attention


def start(body: Body, name: str) -> str:
    """Name what a node is outside 0..T, (batch, dim): 0, a feature of zeros, or a state's start."""
    node = body.network.node(name)
    if not framed(node):
        return name
    if isinstance(node, ValueNode):
        return body.once(f"{name}_start", f"{body.like}.new_zeros(batch, {node.dim})")
    if isinstance(node, StateNode):
        return _state_start(body, node)
    assert isinstance(node, FeatureNode)
    if isinstance(node.block, Attention):  # there are no frames to attend to
        return body.once(f"{name}_start", f"{body.like}.new_zeros(batch, {node.dim})")
    arguments = [_port_at_start(body, port) for port in node.ports]
    return body.once(f"{name}_start", _made(node, arguments))


def at_zero(body: Body, name: str) -> str:
    """Name what a node is at frame 0, (batch, dim)."""
    if not has_zero(body, name):
        return start(body, name)
    node = body.network.node(name)
    if isinstance(node, ValueNode):
        return value_name(name, 0)
    assert isinstance(node, FeatureNode)
    arguments = []
    for port in node.ports:
        inputs = [at_zero(body, r.node) if r.offset == 0 else _outside(body, r) for r in port.reads]
        arguments.append(_mapped(port, inputs))
    return body.once(f"{name}_zero", _made(node, arguments))


def has_zero(body: Body, name: str) -> bool:
    """Whether a node has a value of its own at frame 0."""
    node = body.network.node(name)
    if isinstance(node, ValueNode):
        return any(is_frame_zero(v) and v.variable.name == name for v in body.network.values)
    instant = (r for port in node.ports for r in port.reads if r.offset == 0)
    made = isinstance(node, FeatureNode) and not isinstance(node.block, Attention)
    return made and any(has_zero(body, read.node) for read in instant)


def start_cell(body: Body, node: StateNode) -> str:
    """Name the cell that an LSTM starts with, (batch, dim)."""
    begun = start(body, node.name)
    if len(node.ports) > 1:
        return f"{node.name}_cell_start"
    return f"self.{node.name}_cell_start.expand(batch, {node.dim})" if node.state.learned_start else begun


def _state_start(body: Body, node: StateNode) -> str:
    name = f"{node.name}_start"
    if len(node.ports) > 1:
        if name not in body.named:
            body.named.add(name)
            made = f"torch.tanh({single_port(body, node.ports[1])})"
            cell = node.state.cell == "lstm"
            body.add(f"{name}, {node.name}_cell_start = {made}.chunk(2, -1)" if cell else f"{name} = {made}")
        return name
    if node.state.learned_start:
        return body.once(name, f"self.{name}.expand(batch, {node.dim})")
    if isinstance(node, HoldNode) and drawn_ahead(body, node):
        alone = node.source in body.alone
        one, first = one_frame(body), f"{node.source}_alone"
        first = first if alone else single(body, Read(node.source, None, 1))
        return body.once(name, f"torch.where({one}, {first}, {body.like}.new_zeros(batch, {node.dim}))")
    return body.once(name, f"{body.like}.new_zeros(batch, {node.dim})")


def one_frame(body: Body) -> str:
    """Name the mask of sequences whose frame T is frame 1, (batch, 1)."""
    return body.once("one_frame", f"{body.call('last_frames', 'mask', '0')}[:, 0]")


def drawn_ahead(body: Body, node: HoldNode) -> bool:
    """Whether what is held is there at its own frame where T is 1: frame 1 is drawn, or given, before."""
    if not node.ahead:
        return False
    made = {*body.entry.begun, *body.alone}
    return body.entry.origin(node.source) is Origin.GIVEN or node.source in made


def put_alone(body: Body, node: ValueNode, value: str) -> None:
    """Let `value`, of all frames or of frame 1, be what was made for T = 1 in sequences of one frame."""
    if node.name in body.alone:
        one, alone = one_frame(body), f"{node.name}_alone"
        if node.framed and value == node.name:
            one, alone = f"{one}.unsqueeze(1)", f"{alone}.unsqueeze(1)"
        body.add(f"{value} = torch.where({one}, {alone}, {value})")


def _made(node: FeatureNode, arguments: list[str]) -> str:
    return arguments[0] if node.block is None else f"self.{node.name}_net({', '.join(arguments)})"


def _mapped(port: Port, inputs: list[str]) -> str:
    return f"self.{port.weights}({joined(inputs)})" if port.weights else joined(inputs)


def _port_at_start(body: Body, port: Port) -> str:
    return _mapped(port, [_outside(body, read) for read in port.reads])


def _outside(body: Body, read: Read) -> str:
    """What a read is for a reader outside 1..T: absolute frames are what they are, others at their start."""
    return single(body, read) if read.offset is None else start(body, read.node)


def zero_start(body: Body, name: str) -> bool:
    """Whether a node is plain zero outside 1..T."""
    node = body.network.node(name)
    if isinstance(node, ValueNode):
        return node.framed and not has_zero(body, name)
    if isinstance(node, FeatureNode):
        return isinstance(node.block, Attention)
    plain = isinstance(node, StateNode) and len(node.ports) == 1
    held = isinstance(node, HoldNode) and drawn_ahead(body, node)
    return plain and isinstance(node, StateNode) and not node.state.learned_start and not held


def single(body: Body, read: Read) -> str:
    """Name one read of what has no frame t, (batch, dim); the heads of frames 1 and T read that frame as t.

    Before its own frame only that of T reads.
    """
    if not framed(body.network.node(read.node)):
        return read.node
    if read.frame == LAST:
        return body.once(f"{read.node}_last", body.call("last", read.node, "lengths"))
    if read.offset is not None and read.offset < 0:
        lagged = whole(body, Read(read.node, read.offset))
        return body.once(f"{lagged}_last", body.call("last", lagged, "lengths"))
    later = read.offset or (read.frame or 1) - 1
    if later:
        name = f"{read.node}_frame{later + 1}"
        known = name in body.named  # a stream has kept it
        return name if known else body.once(name, f"{whole(body, Read(read.node, later))}[:, 0]")
    return body.once(f"{read.node}_first", f"{read.node}[:, 0]")


def single_port(body: Body, port: Port) -> str:
    """Return the pre-activation of a port that reads no frame t, (batch, units)."""
    return _mapped(port, [single(body, read) for read in port.reads])


def whole(body: Body, read: Read) -> str:
    """Name one read for all frames at once, (batch, time, dim)."""
    name, offset = read.node, read.offset
    if offset is None or not framed(body.network.node(name)):
        one = single(body, read)
        return body.once(f"{one}_all".replace("[:, 0]", ""), f"{one}.unsqueeze(1).expand(-1, frames, -1)")
    if offset == 0:
        return name
    if offset < 0 and has_zero(body, name):
        first = body.once(f"{name}_lag1", body.call("lag", name, "1", at_zero(body, name)))
        if offset == -1:
            return first
        further = body.call("lag", first, str(-offset - 1), *outside_of(body, name))
        return body.once(f"{name}_lag{-offset}", further)
    ends = outside_of(body, name)
    if offset < 0:
        lagged = body.call("lag", name, str(-offset), *ends)
        return body.once(f"{name}_lag{-offset}", lagged)
    return body.once(f"{name}_lead{offset}", body.call("lead", name, str(offset), "mask", *ends))


def outside_of(body: Body, name: str) -> list[str]:
    """What stands outside 0..T, where that is not plain zero."""
    zero = isinstance(body.network.node(name), ValueNode) or zero_start(body, name)
    return [] if zero else [start(body, name)]


def whole_port(body: Body, port: Port) -> str:
    """Return the pre-activation of a port for all frames at once."""
    return _mapped(port, [whole(body, read) for read in port.reads])
