"""What a stream takes up once: variables at sequence level, and frames 0.

Its first step draws them before all else, `step` from q and `imagine` from p; what is observed once a
sequence is given to it. There are frame 1 of what is given, and what features and forward states make of it:
q(v), q(z_0 | v, x_1). What waits for any later frame has no place in a stream.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from dvaec.plan.first_frame import at_first
from dvaec.plan.model import (
    FeatureNode,
    HeadNode,
    HoldNode,
    Network,
    Node,
    Once,
    Origin,
    Read,
    StateNode,
    ValueNode,
    framed,
    is_frame_zero,
)
from dvaec.spec.graph import topological
from dvaec.spec.model import LAST, Attention, Direction, Role
from dvaec.spec.notation import listed


class NoStreamError(Exception):
    """The model cannot run frame by frame; says why."""


def drawn_once(network: Network, binding: Mapping[str, Origin]) -> Once | None:
    """Return what the first step of a stream takes up once, with what that is made of; None without any.

    Raises NoStreamError where a draw waits for more than frame 1 of what is given.
    """
    values = [v.name for v in once_a_sequence(network)]
    needs: dict[str, list[str]] = {}
    after = max([_gather(network, binding, value, needs) for value in values], default=0)
    made = [n for n in needs if n in values or binding.get(n) is not Origin.GIVEN]
    nodes = topological([node.name for node in network.nodes if node.name in made], needs)
    if len(nodes) < len(made):
        waiting = [n for n in values if n not in nodes]
        raise NoStreamError(f"frame 1 of what {listed(waiting)} is drawn from starts with it")
    begun = tuple(n for n in nodes if n in binding and n not in values)
    return Once(nodes, f"once a sequence: {', '.join(values)}", after, begun) if nodes else None


def once_a_sequence(network: Network) -> tuple[ValueNode, ...]:
    """Return the values that a stream draws, or observes, in its first step alone."""
    return tuple(v for v in network.values if not v.framed and v.variable.role is not Role.INPUT)


def _gather(network: Network, binding: Mapping[str, Origin], value: str, needs: dict[str, list[str]]) -> int:
    """Add what a draw is made of to `needs`; return how many frames behind frame 1 q itself looks."""
    side = "q" if binding[value] is Origin.Q else "p"
    waiting, after = [value], 0
    for name in waiting:
        if name in needs:
            continue
        node = network.node(name)
        drawn = isinstance(node, ValueNode) and binding[name] is not Origin.GIVEN
        later = _of_later_frames(network, node) if name == f"q_{value}" else ()
        after = max([after, *((read.frame or 1) - 1 for read in later)])
        try:
            needs[name] = (
                [_head(network, f"{side}_{name}")]
                if drawn
                else list(dict.fromkeys(_needs(network, node, later)))
            )
        except _LaterFrameError as error:
            raise NoStreamError(_why(network, side, value, error.behind)) from None
        waiting += [one for one in needs[name] if framed(network.node(one)) or one not in binding]
    return after


def _head(network: Network, name: str) -> str:
    """Return the head that speaks for frame 1 of a conditional."""
    head = network.node(name)
    return (head.begins if isinstance(head, HeadNode) else "") or name


def _of_later_frames(network: Network, node: Node) -> tuple[Read, ...]:
    """Return what a conditional itself reads of variables at frames 2, 3, ..."""
    reads = (read for port in node.ports for read in port.reads)
    values = [read for read in reads if isinstance(network.node(read.node), ValueNode)]
    return tuple(read for read in values if read.frame not in (None, LAST) and not at_first(read))


def _why(network: Network, side: str, value: str, behind: str) -> str:
    if side == "p":
        frames = _frames_of(network, f"p_{value}")
        return f"{value} is generated from the frames of {frames}, and a stream begins with the first"
    return f"q draws {value} from {behind or 'the whole sequence'}"


def _frames_of(network: Network, head: str) -> str:
    """Name the variables whose frames a conditional waits for."""
    waiting = [head]
    for name in waiting:
        reads = (read.node for port in network.node(name).ports for read in port.reads)
        waiting += [one for one in dict.fromkeys(reads) if one not in waiting]
    return listed(v.name for v in network.values if v.framed and v.name in waiting)


class _LaterFrameError(Exception):
    """Something waits for more than frame 1; `behind` names what, unless that is the whole sequence."""

    def __init__(self, behind: str = "") -> None:
        super().__init__(behind)
        self.behind = behind


def waits_for_all(network: Network) -> str:
    """Say which value of the whole sequence p makes from more frames than the first, or nothing."""
    for head in network.heads:
        if head.head.side == "p" and not head.variable.framed and _beyond_first(network, head):
            frames = _frames_of(network, head.name)
            return f"{head.value} is generated from the frames of {frames}: more of them make another"
    return ""


def _beyond_first(network: Network, head: HeadNode) -> bool:
    """Whether a conditional waits for more than frame 1 of the variables."""
    waiting = [head.name]
    try:
        for name in waiting:
            waiting += [one for one in _needs(network, network.node(name)) if one not in waiting]
    except _LaterFrameError:
        return True
    return False


def _needs(network: Network, node: Node, later: Sequence[Read] = ()) -> Iterator[str]:
    """Yield what frame 1 of a node, or its one value, is computed from; of variables nothing.

    Reads of `later` frames are allowed.
    """
    if isinstance(node, ValueNode):
        return
    if isinstance(node, StateNode) and node.state.runs is Direction.BACKWARD:
        raise _LaterFrameError
    if isinstance(node, HoldNode) and node.past:
        return
    if isinstance(getattr(node, "block", None), Attention):
        raise _LaterFrameError
    for port in node.ports:
        for read in port.reads:
            yield from [read.node] if read in later else _at(network, read)


def _at(network: Network, read: Read) -> Iterator[str]:
    """What frame 1 of a node needs of one read."""
    if not framed(network.node(read.node)) or at_first(read):
        yield read.node
    elif read.offset is None:
        raise _LaterFrameError("" if read.frame in (None, LAST) else f"{read.node}_{read.frame}")
    elif read.offset > 0:
        raise _LaterFrameError(f"{read.node}_{1 + read.offset}")
    else:
        yield from begins_with(network, read.node)


def begins_with(network: Network, name: str) -> tuple[str, ...]:
    """Return the values of the whole sequence that a node before frame 1 is made of."""
    node = network.node(name)
    if isinstance(node, ValueNode):
        return tuple(v.name for v in network.values if is_frame_zero(v) and v.variable.name == name)
    attends = isinstance(getattr(node, "block", None), Attention)
    if attends or not isinstance(node, FeatureNode | StateNode):
        return ()
    ports = node.ports[1:] if isinstance(node, StateNode) else node.ports
    found: list[str] = []
    for read in (read for port in ports for read in port.reads):
        still = framed(network.node(read.node))
        found += begins_with(network, read.node) if still else [read.node]
    return tuple(dict.fromkeys(found))
