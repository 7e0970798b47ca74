"""Frame 1 in an order of its own, in a stream where q looks ahead.

Frame 1 of all values that have it made apart is made in one step of the loop, once the frames of the given
are there that it sees. All their frames come in the same steps, if they can; where one runs ahead of another,
as with q(a_1 | z_1) beside q(z_t | a_<t+1>), that step is the one of frame 1 of the foremost, and frame 1 of
the others is held from there on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from dvaec.plan.aligning import least
from dvaec.plan.links import distance
from dvaec.plan.model import Dependence, FirstFrame, HeadNode, Loop, Network, Origin, Read, ValueNode, framed


def in_one_step(
    ahead: Mapping[str, int], values: Sequence[str], edges: Sequence[Dependence]
) -> dict[str, int] | None:
    """Let some values run equally far ahead, what they are made of as far as they need; None if none can."""
    found, steps = dict(ahead), [(edge, distance(edge, 1) or 0) for edge in edges]
    for _ in range(len(found) + 1):
        most = max(found[name] for name in values)
        again = least(found | dict.fromkeys(values, most), steps)
        if again is None or again == found:
            return again
        found = again
    return None


def begun_in(
    network: Network,
    ahead: Mapping[str, int],
    first: FirstFrame,
    inside: Sequence[Dependence],
    every: Sequence[Dependence],
) -> tuple[dict[str, int], FirstFrame]:
    """Return by how many frames each node runs ahead, and frame 1 in its step.

    The loop waits for what is `inside`, and of `every` dependence for frame 1 of the values alone.
    """
    values = values_of(network, first)
    together = in_one_step(ahead, values, every)
    if together is not None:
        return together, replace(first, ahead=together[values[0]])
    waiting = [edge.reader for edge in every if edge not in inside]
    return dict(ahead), replace(first, ahead=max(ahead[name] for name in (*values, *waiting)))


def values_of(network: Network, first: FirstFrame) -> tuple[str, ...]:
    """The values whose frame 1 is made apart, also those of which the conditional alone is."""
    nodes = (network.node(name) for name in first.nodes)
    found = (
        n.value if isinstance(n, HeadNode) else n.name for n in nodes if isinstance(n, HeadNode | ValueNode)
    )
    return tuple(dict.fromkeys(found))


def held(network: Network, loop: Loop, first: FirstFrame) -> tuple[str, ...]:
    """The values, and the lines of frame 1, that are made before the step in which they have their place."""
    found = []
    for node in (network.node(name) for name in first.nodes):
        line = isinstance(node, HeadNode) and node.head.frame == 1
        place = f"{node.head.side}_{node.value}" if isinstance(node, HeadNode) else node.name
        if (line or isinstance(node, ValueNode)) and loop.frame_of(place) < first.ahead:
            found.append(node.name)
    return tuple(found)


def sees(network: Network, binding: Mapping[str, Origin], first: FirstFrame) -> int:
    """How many frames behind frame 1 of the given lie that are seen there."""
    return max([read.offset or 0 for read in _of_given(network, binding, first)], default=0)


def seen_back(
    network: Network, binding: Mapping[str, Origin], loop: Loop, first: FirstFrame
) -> dict[str, int]:
    """How many steps before frame 1 is made that of the given has come, by name."""
    steps = max(loop.ahead) - first.ahead
    return {read.node: steps for read in _of_given(network, binding, first)}


def _of_given(network: Network, binding: Mapping[str, Origin], first: FirstFrame) -> Iterator[Read]:
    for read in (r for name in first.nodes for port in network.node(name).ports for r in port.reads):
        given = binding.get(read.node) is Origin.GIVEN and framed(network.node(read.node))
        if given and (read.offset is None or read.offset >= 0):
            yield read
