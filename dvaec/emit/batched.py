"""Statements over (batch, time): batched nodes and whole-sequence recurrences."""

from __future__ import annotations

from collections.abc import Sequence

from dvaec.emit.attending import at_all_frames, attends
from dvaec.emit.convolving import over_all_frames
from dvaec.emit.families import linked
from dvaec.emit.reading import drawn_ahead, one_frame, single_port, start, start_cell, whole, whole_port
from dvaec.emit.writer import Body, draw, draw_from, joined, known, known_names, parameters
from dvaec.plan.branches import fixed_parameters
from dvaec.plan.dependences import lines_of
from dvaec.plan.model import (
    Batched,
    DrawNode,
    FeatureNode,
    HeadNode,
    HoldNode,
    Read,
    StateNode,
    ValueNode,
    WholeSequence,
)
from dvaec.spec.families import parameters_of
from dvaec.spec.model import Convolution, Direction


def batched(body: Body, step: Batched) -> None:
    """Write one node as one operation over (batch, time)."""
    node = body.network.node(step.node)
    if isinstance(node, ValueNode):
        draw(body, node, "", f"noise_{node.name}")
        known(body, node, "")
        if node.name in body.entry.begun:
            body.add(f"{node.name} = {body.call('begun', f'{node.name}_first', node.name)}")
    elif isinstance(node, HeadNode):
        _head(body, node)
    elif isinstance(node, DrawNode):
        _last_frame(body, node)
    else:
        assert isinstance(node, FeatureNode)
        if attends(node):
            queries = [whole_port(body, port) for port in node.ports[1:]]
            body.add(f"{node.name} = {at_all_frames(body, node, queries)}", node.name)
            return
        if isinstance(node.block, Convolution) and (made := over_all_frames(body, node)) is not None:
            body.add(f"{node.name} = {made}", node.name)
            return
        arguments = ", ".join(whole_port(body, port) for port in node.ports)
        text = arguments if node.block is None else f"self.{node.name}_net({arguments})"
        body.add(f"{node.name} = {text}", node.name)


def _last_frame(body: Body, node: DrawNode) -> None:
    """Write frame T of a value, (batch, dim), before its other frames."""
    body.named.add(node.name)
    lines = lines_of(body.network, node, dict(body.entry.binding))
    if lines:
        _drawn_last(body, node, lines)
    else:
        body.add(f"{node.name} = {body.call('last', node.value, 'lengths')}")
    if node.past:
        body.add(f"{node.name} = torch.where({one_frame(body)}, torch.zeros_like({node.name}), {node.name})")


def _drawn_last(body: Body, node: DrawNode, lines: Sequence[HeadNode]) -> None:
    """Write the draw of frame T by its own line, and by that of frame 1 where T is 1."""
    value = body.network.node(node.value)
    assert isinstance(value, ValueNode)
    for first in lines[1:]:
        one = one_frame(body)
        for at_last, at_first in zip(parameters(lines[0]), parameters(first), strict=True):
            body.add(f"{at_last} = torch.where({one}, {at_first}, {at_last})")
    noise = body.call("last", f"noise_{node.value}", "lengths")
    head = next((line for line in lines if not line.standard), lines[0])  # N(0, I) if both lines are
    draw_from(body, value, head, parameters(lines[0]), node.name, noise)
    if body.entry.origin(node.value).partly_known:
        where, what = (body.call("last", one, "lengths") for one in known_names(node.value))
        body.add(f"{node.name} = torch.where({where}, {what}, {node.name})")


def _head(body: Body, node: HeadNode) -> None:
    names = parameters(node)
    sizes = "batch, frames" if node.framed else "batch"
    if node.ports:
        port = whole_port if node.framed else single_port
        arguments = ", ".join(port(body, one) for one in node.ports)
        body.add(f"{', '.join(names)} = self.{node.name}({arguments})", node.name)
    else:
        constants(body, node, sizes)
    if node.ends:
        last = body.network.node(node.ends)
        assert isinstance(last, HeadNode)
        body.functions.add("last_frames")
        for name, ended in zip(names, parameters(last), strict=True):
            body.add(f"{name} = {body.call('ended', ended, name, 'mask')}")
    if node.begins:
        first = body.network.node(node.begins)
        assert isinstance(first, HeadNode)
        for name, begun in zip(names, parameters(first), strict=True):
            body.add(f"{name} = {body.call('begun', begun, name)}")


def constants(body: Body, node: HeadNode, sizes: str, moment: str = "") -> None:
    """Write the parameters of a conditional that reads nothing."""
    fixed = dict(fixed_parameters(node.head, node.variable))
    names = parameters(node)
    for name, made in zip(names, parameters_of(node.variable), strict=True):
        if node.fixed:
            text = f"{body.like}.new_zeros({sizes}, {made.width})"
        elif made.name in fixed:
            text = f"torch.full_like({names[0]}{moment}, math.log({fixed[made.name]!r}))"
        else:
            constant = linked(node.variable, made.name, f"self.{name}")
            text = f"{constant}.expand({sizes}, {made.width})"
        body.add(f"{name}{moment} = {text}")


def whole_sequence(body: Body, step: WholeSequence) -> None:
    """Write one recurrent state as one library call."""
    node = body.network.node(step.node)
    assert isinstance(node, StateNode)
    if isinstance(node, HoldNode):
        body.add(f"{node.name} = {_held(body, node)}", node.name)
        return
    backward = step.direction is Direction.BACKWARD
    inputs = joined([whole(body, read) for read in node.ports[0].reads])
    if backward:
        inputs = body.call("reverse", inputs, "lengths")
    if node.state.cell == "sum":
        result = f"torch.cumsum(self.{node.name}_1({inputs}), 1)"
        if node.state.learned_start or len(node.ports) > 1:
            result = f"{start(body, node.name)}.unsqueeze(1) + {result}"
    else:
        result = f"self.{node.name}_rnn({inputs}{_initial(body, node)})[0]"
    result = body.call("reverse", result, "lengths") if backward else result
    body.add(f"{node.name} = {result}", node.name)


def _held(body: Body, node: HoldNode) -> str:
    """One frame of what is there, at all frames from which on it may be read."""
    held = whole(body, Read(node.source, None, node.frame))
    if not node.past:
        return held
    if node.frame == 1:
        return body.call("lag", held, "1")
    return body.call("lead", held, "1", "mask", *[start(body, node.name)] * drawn_ahead(body, node))


def _initial(body: Body, node: StateNode) -> str:
    if not node.state.learned_start and len(node.ports) == 1:
        return ""
    hidden = f"{start(body, node.name)}.unsqueeze(0).contiguous()"
    if node.state.cell != "lstm":
        return f", {hidden}"
    cell = f"{start_cell(body, node)}.unsqueeze(0).contiguous()"
    return f", ({hidden}, {cell})"
