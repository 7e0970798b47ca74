"""What the frames of a node wait for that does not come frame by frame: draws made once, or all frames."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from dvaec.plan.dependences import dependences
from dvaec.plan.first_frame import of_frame_1
from dvaec.plan.first_needs import begins_with, runs_backward
from dvaec.plan.model import Dependence, HeadNode, HoldNode, Network, Node, Origin, ValueNode, framed, is_last
from dvaec.plan.schedule import needed_by
from dvaec.spec.model import LAST, Role
from dvaec.spec.notation import listed

WHOLE = "the whole sequence"
FAR = 100  # so many frames further on is as far as the end

Place = tuple[str, int]


def once_a_sequence(network: Network) -> tuple[ValueNode, ...]:
    """Return the values that a stream draws, or observes, in its first step alone."""
    return tuple(v for v in network.values if not v.framed and v.variable.role is not Role.INPUT)


def waits_for(network: Network, binding: Mapping[str, Origin], name: str) -> str:
    """Say what the frames of a node wait for: the whole sequence, or what is drawn once; or nothing."""
    edges = dependences(network, binding)
    reached = needed_by(edges, [name])
    later = [e for e in edges if e.reader in reached and e.window is not None and e.window.reaches_future]
    nodes = [network.node(name) for name in reached]
    unknown = [node for node in nodes if not is_last(node)]
    last = any(read.frame == LAST for node in unknown for port in node.ports for read in port.reads)
    if later or last or any(runs_backward(node) for node in nodes):
        return WHOLE
    once = [v.name for v in once_a_sequence(network) if binding.get(v.name) is not Origin.GIVEN]
    waiting = [name for name in once if name in reached]
    return listed(waiting) if waiting else ""


def waits_at(network: Network, binding: Mapping[str, Origin], name: str, frame: int) -> tuple[str, ...]:
    """Return what one frame of a node waits for: the draws made once that it needs itself."""
    found = waits_for(network, binding, name)
    if not found or found == WHOLE:
        return (found,) if found else ()
    edges = dependences(network, binding)
    once = [v.name for v in once_a_sequence(network) if binding.get(v.name) is not Origin.GIVEN]
    waiting: list[Place] = [(name, frame)]
    for place in waiting:
        if place[1] > frame + FAR:
            return (WHOLE,)
        if place[0] not in once:
            waiting += [one for one in dict.fromkeys(_needs(network, edges, place)) if one not in waiting]
    return tuple(dict.fromkeys(one for one, _ in waiting if one in once))


def _needs(network: Network, edges: tuple[Dependence, ...], place: Place) -> Iterator[Place]:
    """Yield what one frame of a node needs, frame by frame; values without frames are of frame 0."""
    node, frame = network.node(place[0]), place[1]
    if not framed(node) and not isinstance(node, HeadNode):
        return
    for edge in (edge for edge in edges if edge.reader == node.name):
        source = network.node(edge.source)
        if is_last(source) or _silent(node, source.name, of_frame_1(source), frame):
            continue
        if edge.offset is None:  # z_0 that is read before frame 1 alone comes with that
            named = any(r.node == source.name for port in node.ports for r in port.reads)
            yield from [(source.name, 1 if framed(source) else 0)] if named else []
            continue
        offsets = (edge.offset,) if edge.window is None else edge.window.within(-frame, FAR)
        for at in (frame + offset for offset in offsets):
            before = ((one, 0) for one in begins_with(network, source.name, at))
            yield from [(source.name, at)] if at > 0 else before


def _silent(node: Node, source: str, line: bool, frame: int) -> bool:
    """Whether a frame of a node does not need a source, which is a line of frame 1 or not."""
    if isinstance(node, HoldNode) and source != node.name:
        return frame != 1 + int(node.past)
    if not isinstance(node, HeadNode) or node.begins == "":
        return False
    return line if frame > 1 else source != node.begins
