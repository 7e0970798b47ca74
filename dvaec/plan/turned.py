"""A loop over time whose nodes come in another order at frame 1.

With p(z_1 | x_1, z_2) and p(z_t | z_{t+1}), p(x_t | z_t), x_1 comes before z_1, but z_2 before x_2. Where
frame 1 cannot be made ahead of the loop, since it waits for the other frames (a backward state does) or for
what attends to it, the loop makes it in its own step, in its own order: there the line of frame 1 speaks for
its conditional, and everything else needs what it needs within a frame.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from dvaec.plan.first_frame import of_frame_1
from dvaec.plan.links import distance
from dvaec.plan.model import Dependence, HeadNode, HoldNode, Loop, Network, ValueNode
from dvaec.spec.graph import topological
from dvaec.spec.model import Direction


def later_edges(network: Network, inside: Sequence[Dependence]) -> tuple[Dependence, ...]:
    """Return what the nodes of a cycle wait for at the frames t > 1."""
    return tuple(edge for edge in inside if not _only_at_first(network, edge))


def turned(network: Network, loop: Loop, inside: Sequence[Dependence]) -> Loop | None:
    """Return a loop over the later frames' needs as one that makes frame 1, too; None if it cannot.

    Frames that the loop comes to before frame 1 are there, those before frame 1 are what stands there.
    """
    needs: dict[str, list[str]] = {name: [] for name in loop.nodes}
    for edge in at_first(network, inside):
        if edge.offset is None or (loop.direction is Direction.FORWARD and (distance(edge, 1) or 0) > 0):
            return None
        if edge.offset == 0 or (edge.window is not None and 0 in edge.window):
            needs[edge.reader].append(edge.source)
    order = topological(loop.nodes, needs)
    if any(loop.ahead) or len(order) < len(needs):
        return None
    made = ", ".join(f"{name}_1" for name in order if isinstance(network.node(name), ValueNode))
    return replace(loop, reason=f"{loop.reason}; the order of frame 1 is its own: {made}", turned=order)


def at_first(network: Network, inside: Sequence[Dependence]) -> Iterator[Dependence]:
    """Yield what is needed at frame 1: the line of frame 1 speaks there, and nothing is held from before."""
    for edge in inside:
        reader = network.node(edge.reader)
        spoken = isinstance(reader, HeadNode) and reader.begins not in ("", edge.source)
        if not spoken and not (isinstance(reader, HoldNode) and reader.past):
            yield edge


def _only_at_first(network: Network, edge: Dependence) -> bool:
    """Whether a dependence is of frame 1 alone."""
    reader, source = network.node(edge.reader), network.node(edge.source)
    if of_frame_1(reader) or of_frame_1(source):
        return True
    held = isinstance(reader, HoldNode) and reader.frame == 1 and not reader.past
    return held and edge.source != edge.reader
