"""What every node of the developed form waits for, once it is known where the variables' values come from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from dvaec.plan.attention import looks_back, nearest
from dvaec.plan.model import (
    Dependence,
    DrawNode,
    FeatureNode,
    HeadNode,
    Loop,
    Network,
    Origin,
    StateNode,
    ValueNode,
    head_name,
    is_frame_zero,
)
from dvaec.spec.model import LAST, Attention, Side


def dependences(network: Network, binding: Mapping[str, Origin]) -> tuple[Dependence, ...]:
    """Return what every node needs, under a binding."""
    found: list[Dependence] = []
    for node in network.nodes:
        if isinstance(node, ValueNode):
            origin = binding.get(node.name)
            if origin not in (None, Origin.GIVEN):
                side = "q" if origin is Origin.Q else "p"
                found.append(Dependence(node.name, f"{side}_{node.name}", 0 if node.framed else None))
        if isinstance(node, DrawNode):
            lines = lines_of(network, node, binding)
            found.extend(Dependence(node.name, line.name, 0) for line in lines)
            found += [] if lines else [Dependence(node.name, node.value, None)]
        for port in node.ports:
            if port.window is not None:
                near = nearest(port.window)
                found.extend(Dependence(node.name, read.node, near, port.window) for read in port.reads)
                if looks_back(port.window):
                    found.extend(_zeros(network, node.name, [read.node for read in port.reads]))
                continue
            found.extend(Dependence(node.name, read.node, read.offset) for read in port.reads)
            before = [read.node for read in port.reads if read.offset is not None and read.offset < 0]
            found.extend(_zeros(network, node.name, before))
        if isinstance(node, StateNode):
            found.append(Dependence(node.name, node.name, node.step))
        if isinstance(node, HeadNode):
            found.extend(Dependence(node.name, own, 0) for own in (node.begins, node.ends) if own)
    return tuple(dict.fromkeys(found))


def lines_of(network: Network, node: DrawNode, binding: Mapping[str, Origin]) -> tuple[HeadNode, ...]:
    """Return the heads that draw a value's frame T: that of T, and that of frame 1, for where T is 1.

    There is none where that frame is there with the others.
    """
    origin = binding.get(node.value)
    side = Side.Q if origin is Origin.Q else Side.P
    frames = (LAST, 1) if node.begins else (LAST,)
    made = origin in (Origin.P, Origin.Q, Origin.FED)
    names = [head_name(side, node.value, at) for at in frames]
    found = [head for name in names for head in network.heads if head.name == name]
    return tuple(found) if made and found and found[0].name == names[0] else ()


def _zeros(network: Network, reader: str, sources: Sequence[str]) -> Iterator[Dependence]:
    """Read before frame 1, a variable is its frame 0, and so is what a feature makes of it."""
    at_zero = {node.variable.name: node.name for node in network.values if is_frame_zero(node)}
    for source in sources:
        for name in instant(network, source):
            if name in at_zero:
                yield Dependence(reader, at_zero[name], None)


def instant(network: Network, name: str) -> Iterator[str]:
    """Yield a node and what it reads at the same frame, through features."""
    yield name
    node = network.node(name)
    if isinstance(node, FeatureNode) and not isinstance(node.block, Attention):
        for port in node.ports:
            for read in port.reads:
                if read.offset == 0:
                    yield from instant(network, read.node)


def carried_by(network: Network, binding: Mapping[str, Origin], step: Loop) -> dict[str, int]:
    """Return for how many steps of a loop each node's value must be carried on."""
    longest: dict[str, int] = {}
    for edge in dependences(network, binding):
        if edge.offset is None or edge.window is not None:
            continue
        if edge.reader in step.nodes and edge.source in step.nodes:
            steps = step.distance(edge.reader, edge.source, edge.offset)
            longest[edge.source] = max(longest.get(edge.source, 0), steps)
    return longest


def gathered_by(network: Network, step: Loop) -> tuple[str, ...]:
    """Return the nodes that nodes of a loop attend to: all their frames are kept."""
    ports = (port for name in step.nodes for port in network.node(name).ports if port.window is not None)
    return tuple(dict.fromkeys(port.reads[0].node for port in ports))
