"""Frame 1 in an order of its own, in a stream where q looks ahead.

Of the values whose frame 1 is made apart, all frames come in the same steps of the loop, so that frame 1 of
all is made in one of them, once the frames of the given are there that it sees.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

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


def values_of(network: Network, first: FirstFrame) -> tuple[str, ...]:
    """The values whose frame 1 is made apart, also those of which the conditional alone is."""
    nodes = (network.node(name) for name in first.nodes)
    found = (
        n.value if isinstance(n, HeadNode) else n.name for n in nodes if isinstance(n, HeadNode | ValueNode)
    )
    return tuple(dict.fromkeys(found))


def sees(network: Network, binding: Mapping[str, Origin], first: FirstFrame) -> int:
    """How many frames behind frame 1 of the given lie that are seen there."""
    return max([read.offset or 0 for read in _of_given(network, binding, first)], default=0)


def seen_back(
    network: Network, binding: Mapping[str, Origin], loop: Loop, first: FirstFrame
) -> dict[str, int]:
    """How many steps before frame 1 is made that of the given has come, by name."""
    steps = max(loop.ahead) - loop.frame_of(values_of(network, first)[0])
    return {read.node: steps for read in _of_given(network, binding, first)}


def _of_given(network: Network, binding: Mapping[str, Origin], first: FirstFrame) -> Iterator[Read]:
    for read in (r for name in first.nodes for port in network.node(name).ports for r in port.reads):
        given = binding.get(read.node) is Origin.GIVEN and framed(network.node(read.node))
        if given and (read.offset is None or read.offset >= 0):
            yield read
