"""Statements over (batch, time): batched nodes and whole-sequence recurrences."""

from __future__ import annotations

from dvaec.emit.writer import Body, draw, joined, parameters, start, whole, whole_port
from dvaec.plan.model import Batched, FeatureNode, HeadNode, StateNode, ValueNode, WholeSequence
from dvaec.spec.model import Direction


def batched(body: Body, step: Batched) -> None:
    """Write one node as one operation over (batch, time)."""
    node = body.network.node(step.node)
    if isinstance(node, ValueNode):
        draw(body, node, "", f"noise_{node.name}")
    elif isinstance(node, HeadNode):
        _head(body, node)
    else:
        assert isinstance(node, FeatureNode)
        arguments = ", ".join(whole_port(body, port) for port in node.ports)
        text = arguments if node.block is None else f"self.{node.name}_net({arguments})"
        body.add(f"{node.name} = {text}", node.name)


def _head(body: Body, node: HeadNode) -> None:
    names = parameters(node)
    if node.ports:
        body.add(f"{', '.join(names)} = self.{node.name}({whole_port(body, node.ports[0])})", node.name)
    elif node.standard:
        zeros = f"{body.like}.new_zeros(batch, frames, {node.dim})"
        for name in names:
            body.add(f"{name} = {zeros}")
    else:
        for name in names:
            constant = f"self.{name}"
            if name.endswith(("logvar", "logscale")):
                constant = body.call("bounded", constant)
            if name.endswith("logvar") and isinstance(node.head.variance, float):
                body.add(f"{name} = torch.full_like({names[0]}, math.log({node.head.variance!r}))")
            else:
                body.add(f"{name} = {constant}.expand(batch, frames, {node.dim})")


def whole_sequence(body: Body, step: WholeSequence) -> None:
    """Write one recurrent state as one library call."""
    node = body.network.node(step.node)
    assert isinstance(node, StateNode)
    backward = step.direction is Direction.BACKWARD
    inputs = joined([whole(body, read) for read in node.ports[0].reads])
    if backward:
        inputs = body.call("reverse", inputs, "lengths")
    if node.state.cell == "sum":
        result = f"torch.cumsum(self.{node.name}_1({inputs}), 1)"
        if node.state.learned_start:
            result = f"{start(body, node.name)}.unsqueeze(1) + {result}"
    else:
        result = f"self.{node.name}_rnn({inputs}{_initial(body, node)})[0]"
    result = body.call("reverse", result, "lengths") if backward else result
    body.add(f"{node.name} = {result}", node.name)


def _initial(body: Body, node: StateNode) -> str:
    if not node.state.learned_start:
        return ""
    hidden = f"{start(body, node.name)}.unsqueeze(0).contiguous()"
    if node.state.cell != "lstm":
        return f", {hidden}"
    cell = f"self.{node.name}_cell_start.expand(1, batch, {node.dim}).contiguous()"
    return f", ({hidden}, {cell})"
