"""The parameters of a conditional inside a loop over time, at frames 1 and T of a head of their own."""

from __future__ import annotations

from dvaec.emit.batched import constants
from dvaec.emit.loop_maps import Writing
from dvaec.emit.writer import Body, parameters
from dvaec.plan.model import HeadNode
from dvaec.spec.model import LAST


def conditional(
    writing: Writing, node: HeadNode, ports: dict[str, list[str]], maybe_first: bool = True
) -> None:
    """Write the parameters of a conditional; at frames 1 and T those of its own head, where it has one.

    `maybe_first` is whether the step may make frame 1.
    """
    body, at_first = writing.body, f"if {writing.frame(node.name)} == 0:"
    made = f"self.{node.name}({', '.join(ports[node.name])})"
    if node.head.frame == 1 and not node.ports:
        constants(body, node, "batch")
        return
    if node.head.frame == 1:
        _made_if(writing, node, at_first, made)
        return
    if node.head.frame == LAST:
        (_behind_the_end if writing.body.entry.streamed else _at_last)(writing, node, made)
        return
    names = [f"{name}_t" for name in parameters(node)]
    if node.ports:
        body.add(f"{', '.join(names)} = {made}", node.name)
    else:
        constants(body, node, "batch", "_t")
    if node.ends and body.entry.streamed and not writing.endless:
        body.add(f"if {writing.frame(node.name)} == frames - 1:")
        for name, ended in zip(names, _parameters_of(body, node.ends), strict=True):
            body.add(f"    {name} = {ended}")
    elif node.ends and not writing.endless:
        for name, ended in zip(names, _parameters_of(body, node.ends), strict=True):
            body.add(f"{name} = torch.where(ends_at[{writing.frame(node.name)}], {ended}, {name})")
    if node.begins and maybe_first and node.name not in body.entry.late:
        body.add(at_first)
        for name, begun in zip(names, _parameters_of(body, node.begins), strict=True):
            body.add(f"    {name} = {begun}")


def at_first_alone(writing: Writing, node: HeadNode, ports: dict[str, list[str]]) -> None:
    """Write the parameters of a conditional in a step that is known to make frame 1."""
    body = writing.body
    if node.begins:
        for name, begun in zip(parameters(node), _parameters_of(body, node.begins), strict=True):
            body.add(f"{name}_t = {begun}")
    elif node.head.frame == 1 and node.ports:
        made = f"self.{node.name}({', '.join(ports[node.name])})"
        body.add(f"{', '.join(parameters(node))} = {made}", node.name)
    else:
        conditional(writing, node, ports)


def behind_first(writing: Writing, node: HeadNode, ports: dict[str, list[str]]) -> None:
    """Write the parameters of a conditional in a step that is known to make a later frame."""
    if node.head.frame != 1:
        conditional(writing, node, ports, False)


def _parameters_of(body: Body, name: str) -> tuple[str, ...]:
    """The names of what another head makes."""
    head = body.network.node(name)
    assert isinstance(head, HeadNode)
    return parameters(head)


def _at_last(writing: Writing, node: HeadNode, made: str) -> None:
    """Write the parameters of frame T: those that are made where each sequence has its own last frame."""
    body = writing.body
    names = [f"{name}_t" for name in parameters(node)]
    body.add(f"{', '.join(names)} = {made}", node.name)
    for name, now in zip(parameters(node), names, strict=True):
        body.add(f"{name} = torch.where(ends_at[{writing.frame(node.name)}], {now}, {name})")


def _behind_the_end(writing: Writing, node: HeadNode, made: str) -> None:
    """Write the parameters of frame T in a stream: in `finish`, which alone knows it, and alone draws it."""
    if node.ports:
        _made_if(writing, node, f"if {writing.frame(node.name)} == frames - 1:", made)
    else:
        constants(writing.body, node, "batch")


def _made_if(writing: Writing, node: HeadNode, condition: str, made: str) -> None:
    """Write the parameters of a numbered frame under a condition."""
    body = writing.body
    body.add(condition)
    body.depth += 1
    body.add(f"{', '.join(parameters(node))} = {made}", node.name)
    body.depth -= 1
