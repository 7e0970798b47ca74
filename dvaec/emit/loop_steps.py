"""The nodes of one step of a loop over time as statements; frame 1 may have an order of its own."""

from __future__ import annotations

from dvaec.emit.attending import attends, gathered, in_a_step, in_a_stream
from dvaec.emit.cells import cell, hold
from dvaec.emit.loop_heads import at_first_alone, behind_first, conditional
from dvaec.emit.loop_maps import Writing, earlier
from dvaec.emit.reading import at_zero, has_zero, start, start_cell
from dvaec.emit.writer import Body, draw, draw_from, known, known_at, parameters
from dvaec.plan.dependences import dependences, instant, lines_of
from dvaec.plan.model import (
    DrawNode,
    FeatureNode,
    HeadNode,
    HoldNode,
    Loop,
    Node,
    Passes,
    StateNode,
    ValueNode,
    framed,
    is_frame_zero,
    nodes_of,
    value_name,
)
from dvaec.spec.families import parameters_of
from dvaec.spec.model import Direction


def group(
    writing: Writing,
    nodes: list[Node],
    ports: dict[str, list[str]],
    kept: tuple[str, ...],
    restarted: tuple[str, ...],
) -> None:
    """Write the nodes that compute the same frame; outside 1..T they are at their start."""
    body, step = writing.body, writing.step
    condition = _within(writing, nodes[0].name) if any(step.ahead) else ""
    guarded = condition != ""
    if guarded:
        body.add(f"if {condition}:")
        body.depth += 1
    if step.turned:
        _turned(writing, nodes, ports, restarted)
    else:
        for node in nodes:
            _made(writing, node, ports, restarted)
    for name in [name for node in nodes if node.name in kept for name in tensors(node)]:
        body.add(f"{name}_list.append({name}_t)")
    if guarded:
        body.depth -= 1
        others = [node for node in nodes if not isinstance(node, HeadNode | DrawNode)]
        if others:
            body.add("else:")
        for node in others:
            for name, begun in starts(body, node):
                at = f" if {writing.frame(node.name)} == -1 else {begun}"
                outside = at_zero(body, name) + at if begins_at_zero(body, step, node) else begun
                body.add(f"    {name}_t = {outside}")


def _turned(
    writing: Writing, nodes: list[Node], ports: dict[str, list[str]], restarted: tuple[str, ...]
) -> None:
    """Write a step whose order is another at frame 1; `nodes` are those that it makes."""
    body, names = writing.body, [node.name for node in nodes]
    first = [body.network.node(name) for name in writing.step.turned if name in names]
    begins = f"if {writing.frame(nodes[0].name)} == 0:"
    later = [node for node in nodes if not (isinstance(node, HeadNode) and node.head.frame == 1)]
    ways = [(begins, first, True), ("else:", later, False)]
    for condition, some, at_first in ways if later else ways[:1]:
        body.add(condition)
        body.depth += 1
        for node in some:
            _made(writing, node, ports, restarted, at_first)
        body.depth -= 1


def _made(
    writing: Writing,
    node: Node,
    ports: dict[str, list[str]],
    restarted: tuple[str, ...],
    at_first: bool | None = None,
) -> None:
    """Write one node of a step, of which it may be known whether it makes frame 1."""
    if isinstance(node, HeadNode) and at_first is not None:
        (at_first_alone if at_first else behind_first)(writing, node, ports)
    elif isinstance(node, HoldNode) and at_first is not None and node.frame == 1 and not node.past:
        held = ports[node.name][0] if at_first else earlier(node.name, 1)
        writing.body.add(f"{node.name}_t = {held}", node.name)
    else:
        _node(writing, node, ports)
    if node.name in restarted:
        _restart(writing, node)
    if writing.gathers(node):
        gathered(writing.body, node, writing.step.direction)


def _within(writing: Writing, node: str) -> str:
    """The condition that a node's frame of this step is one of 1..T, as far as the loop does not grant it."""
    frame, most = writing.frame(node), max(writing.step.ahead)
    ahead = abs(writing.step.frame_of(node))
    forward = writing.step.direction is Direction.FORWARD
    lagging, leading = ahead < most, ahead > 0
    limits = [f"{frame} >= 0"] if (lagging if forward else leading) else []
    ending = leading if forward else lagging
    limits += [f"{frame} < frames"] if ending and not writing.endless else []
    return " and ".join(limits)


def tensors(node: Node) -> tuple[str, ...]:
    """The names of what a node hands out, one a frame."""
    if isinstance(node, HeadNode):
        return parameters(node) if node.framed else ()
    return () if isinstance(node, DrawNode) else (node.name,)


def starts(body: Body, node: Node) -> list[tuple[str, str]]:
    """What a node is outside 1..T, with an LSTM's cell."""
    found = [(node.name, start(body, node.name))]
    if isinstance(node, StateNode) and node.state.cell == "lstm":
        found.append((f"{node.name}_cell", start_cell(body, node)))
    return found


def begins_at_zero(body: Body, step: Loop, node: Node) -> bool:
    """Whether a node has a value of its own at frame 0 that the loop waits for."""
    if not isinstance(node, ValueNode | FeatureNode) or not has_zero(body, node.name):
        return False
    edges = dependences(body.network, dict(body.entry.binding))
    waiting = {edge.source for edge in edges if edge.reader in step.nodes}
    zeros = {v.name for v in body.network.values if is_frame_zero(v)}
    mine = zeros.intersection(value_name(one, 0) for one in instant(body.network, node.name))
    return body.entry.streamed or mine <= waiting


def _restart(writing: Writing, node: Node) -> None:
    """Hold a node at its start outside each sequence's own frames."""
    for name, begun in starts(writing.body, node):
        mask = f"mask_at[{writing.frame(node.name)}]"
        writing.body.add(f"{name}_t = torch.where({mask}, {name}_t, {begun})")


def _node(writing: Writing, node: Node, ports: dict[str, list[str]]) -> None:
    body = writing.body
    if isinstance(node, ValueNode):
        draw(body, node, "_t", writing.noise(node.name))
        known(body, node, "_t", writing.frame(node.name))
        if node.name in body.entry.begun and node.name not in body.entry.late:
            body.add(f"if {writing.frame(node.name)} == 0:")
            body.add(f"    {node.name}_t = {node.name}_first")
    elif isinstance(node, HeadNode):
        conditional(writing, node, ports)
    elif isinstance(node, DrawNode):
        _frame_t(writing, node)
    elif isinstance(node, FeatureNode) and attends(node):
        write = in_a_stream if body.entry.streamed else in_a_step
        write(body, node, writing.step, writing.frame(node.name), ports[node.name])
    elif isinstance(node, FeatureNode):
        inputs = ", ".join(ports[node.name])
        text = inputs if node.block is None else f"self.{node.name}_net({inputs})"
        body.add(f"{node.name}_t = {text}", node.name)
    elif isinstance(node, HoldNode):
        begun = node.source in body.entry.begun and node.frame == 1
        begun = begun and writing.begun(node, node.source, node.ports[0].reads[0].offset or 0)
        made = f"{node.source}_first" if begun else ports[node.name][0]
        hold(body, node, made, writing.frame(node.name))
    elif isinstance(node, StateNode):
        cell(body, node, ports[node.name][0])


def _frame_t(writing: Writing, node: DrawNode) -> None:
    """Write the draw of frame T by its own line; where that is frame 1, by the line of frame 1."""
    body, value = writing.body, writing.body.network.node(node.value)
    assert isinstance(value, ValueNode)
    noise, name = writing.noise(node.name, value.name), f"{node.name}_t"
    last, *first = lines_of(body.network, node, dict(body.entry.binding))
    draw_from(body, value, last, parameters(last), name, noise)
    for line in first:
        body.add(f"if {writing.frame(node.name)} == 0:")
        body.depth += 1
        if value.name in body.entry.begun:
            body.add(f"{name} = {value.name}_first")
        else:
            draw_from(body, value, line, parameters(line), name, noise)
        body.depth -= 1
    known_at(body, value, name, f"_at[{writing.frame(node.name)}]")


def blank(body: Body, node: HeadNode, moment: str) -> None:
    """Name a conditional's parameters before a condition under which they are made."""
    for name, parameter in zip(parameters(node), parameters_of(node.variable), strict=True):
        body.add(f"{name}{moment} = {body.like}.new_zeros(batch, {parameter.width})")


def blanks(body: Body, step: Passes) -> list[tuple[str, str]]:
    """Return the tensors of which passes need a value before the first, or which are needed behind them."""
    found = []
    behind = [one for other in body.entry.steps if other != step for one in nodes_of(other)]
    edges = dependences(body.network, dict(body.entry.binding))
    needed = {e.source for e in edges if e.reader in behind}.union(step.begun, body.entry.outputs)
    for node in (body.network.node(name) for name in step.nodes if name in needed):
        sizes = "batch, frames" if framed(node) else "batch"
        if isinstance(node, HeadNode):
            widths = [parameter.width for parameter in parameters_of(node.variable)]
            found += [(name, f"{sizes}, {w}") for name, w in zip(parameters(node), widths, strict=True)]
        else:
            found.append((node.name, f"{sizes}, {node.dim}"))
    return found
