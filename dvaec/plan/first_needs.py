"""What frame 1 of a node, or a value of the whole sequence, is computed from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dvaec.plan.first_frame import at_first
from dvaec.plan.model import (
    FeatureNode,
    HoldNode,
    Network,
    Node,
    Read,
    StateNode,
    ValueNode,
    framed,
    is_frame_zero,
)
from dvaec.spec.model import LAST, Attention, Direction
from dvaec.spec.notation import listed


class LaterFrameError(Exception):
    """Something waits for more than frame 1; `behind` is of which node, unless that is the whole sequence."""

    def __init__(self, behind: tuple[str, int] | None = None) -> None:
        super().__init__(behind)
        self.behind = behind


def waits_for_all(network: Network) -> str:
    """Say which value of the whole sequence p makes from more frames than the first, or nothing."""
    for head in network.heads:
        if head.head.side == "p" and not head.variable.framed and beyond_first(network, head.name):
            frames = frames_of(network, head.name)
            return f"{head.value} is generated from the frames of {frames}: more of them make another"
    return ""


def frames_of(network: Network, head: str) -> str:
    """Name the variables whose frames a conditional waits for."""
    waiting = [head]
    for name in waiting:
        reads = (read.node for port in network.node(name).ports for read in port.reads)
        waiting += [one for one in dict.fromkeys(reads) if one not in waiting]
    return listed(v.name for v in network.values if v.framed and v.name in waiting)


def beyond_first(network: Network, name: str) -> bool:
    """Whether frame 1 of a node, or its one value, waits for more than frame 1 of the variables."""
    waiting = [name]
    try:
        for each in waiting:
            waiting += [one for one in needs_of(network, network.node(each)) if one not in waiting]
    except LaterFrameError:
        return True
    return False


def needs_of(
    network: Network, node: Node, later: Sequence[Read] = (), made: Sequence[Read] = ()
) -> Iterator[str]:
    """Yield what frame 1 of a node, or its one value, is computed from; of variables nothing.

    Reads of `later` frames are allowed, and so is what is `made` before.
    """
    if isinstance(node, ValueNode):
        return
    if runs_backward(node):
        raise LaterFrameError
    if isinstance(node, HoldNode) and node.past:
        return
    if isinstance(getattr(node, "block", None), Attention):
        raise LaterFrameError
    for port in node.ports:
        for read in port.reads:
            if read not in made:
                yield from [read.node] if read in later else _at(network, read)


def _at(network: Network, read: Read) -> Iterator[str]:
    """What frame 1 of a node needs of one read."""
    if not framed(network.node(read.node)) or at_first(read):
        yield read.node
    elif read.offset is None:
        raise LaterFrameError(None if read.frame in (None, LAST) else (read.node, read.frame))
    elif read.offset > 0:
        raise LaterFrameError((read.node, 1 + read.offset))
    else:
        yield from begins_with(network, read.node, 1 + read.offset)


def begins_with(network: Network, name: str, frame: int = 0) -> tuple[str, ...]:
    """Return the values of the whole sequence that a node's `frame` before frame 1 is made of.

    What stands before frame 0 is the same at all frames: zeros, features of zeros, and starts.
    """
    return tuple(dict.fromkeys(_begins_with(network, name, frame, set())))


def _begins_with(network: Network, name: str, frame: int, met: set[tuple[str, bool]]) -> Iterator[str]:
    """Yield these values; what has been `met`, at frame 0 or before, has told its own."""
    if (name, frame == 0) in met:
        return
    met.add((name, frame == 0))
    node = network.node(name)
    if isinstance(node, ValueNode) and frame == 0:
        yield from (v.name for v in network.values if is_frame_zero(v) and v.variable.name == name)
    attends = isinstance(getattr(node, "block", None), Attention)
    if attends or not isinstance(node, FeatureNode | StateNode):
        return
    starting = isinstance(node, StateNode)
    for read in (read for port in (node.ports[1:] if starting else node.ports) for read in port.reads):
        at = 0 if frame == 0 and read.offset == 0 and not starting else -1
        if framed(network.node(read.node)):
            yield from _begins_with(network, read.node, at, met)
        else:
            yield read.node


def runs_backward(node: Node) -> bool:
    return isinstance(node, StateNode) and node.state.runs is Direction.BACKWARD
