"""What a stream takes up once: variables at sequence level, and frames 0.

Its first step draws them before all else, `step` from q and `imagine` from p; what is observed once a
sequence is given to it. There are frame 1 of what is given, and what features and forward states make of it:
q(v), q(z_0 | v, x_1). Where q itself looks at frame k, the step that comes to frame k draws them, and what is
made without them runs ahead: q(z_0 | x_<1:3>), or of g_3 where g reads x. What waits for the whole sequence
has no place in a stream.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from dvaec.plan.dependences import dependences
from dvaec.plan.first_frame import at_first
from dvaec.plan.links import on_page, said
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
from dvaec.plan.schedule import needed_by
from dvaec.spec.graph import topological
from dvaec.spec.model import LAST, Attention, Direction, Role
from dvaec.spec.notation import listed


class NoStreamError(Exception):
    """The model cannot run frame by frame; says why."""


def drawn_once(network: Network, binding: Mapping[str, Origin]) -> Once | None:
    """Return what the first step of a stream takes up once, with what that is made of; None without any.

    Raises NoStreamError where a draw waits for more than frame 1 of what is given.
    """
    values = [v.name for v in once_a_sequence(network) if v.name in binding]
    needs: dict[str, list[str]] = {}
    ahead: dict[tuple[str, int], None] = {}
    after = max([_gather(network, binding, value, needs, ahead) for value in values], default=0)
    made = [n for n in needs if n in values or binding.get(n) is not Origin.GIVEN]
    nodes = topological([node.name for node in network.nodes if node.name in made], needs)
    if len(nodes) < len(made):
        waiting = [n for n in values if n not in nodes]
        raise NoStreamError(f"frame 1 of what {listed(waiting)} is drawn from starts with it")
    begun = tuple(n for n in nodes if n in binding and n not in values)
    reason = f"once a sequence: {', '.join(values)}"
    return Once(nodes, reason, after, begun, tuple(ahead)) if nodes else None


def has_draw(network: Network, binding: Mapping[str, Origin], value: str) -> bool:
    """Whether a stream may draw a value of the whole sequence."""
    try:
        _gather(network, binding, value, {}, {})
    except NoStreamError:
        return False
    return True


def once_a_sequence(network: Network) -> tuple[ValueNode, ...]:
    """Return the values that a stream draws, or observes, in its first step alone."""
    return tuple(v for v in network.values if not v.framed and v.variable.role is not Role.INPUT)


def _gather(
    network: Network,
    binding: Mapping[str, Origin],
    value: str,
    needs: dict[str, list[str]],
    ahead: dict[tuple[str, int], None],
) -> int:
    """Add what a draw is made of to `needs`; return how many frames behind frame 1 q itself looks.

    Frames of nodes that are made without what is drawn once are added to `ahead`.
    """
    side = "q" if binding[value] is Origin.Q else "p"
    waiting, after = [value], 0
    for name in waiting:
        if name in needs:
            continue
        node = network.node(name)
        drawn = isinstance(node, ValueNode) and binding[name] is not Origin.GIVEN
        reads = _of_numbered_frames(node) if name == f"q_{value}" else ()
        later = [r for r in reads if r.frame != 1 and binding.get(r.node) is Origin.GIVEN]
        after = max([after, *((read.frame or 1) - 1 for read in later)])
        made = [r for r in reads if r not in later and _runs_ahead(network, binding, r)]
        ahead |= dict.fromkeys((read.node, read.frame or 1) for read in made)
        try:
            needs[name] = (
                [_head(network, f"{side}_{name}")]
                if drawn
                else list(dict.fromkeys(_needs(network, node, later, made)))
            )
        except _LaterFrameError as error:
            why = _why(network, binding, value, node, error.behind)
            raise NoStreamError(why) from None
        waiting += [one for one in needs[name] if framed(network.node(one)) or one not in binding]
    return after


def _head(network: Network, name: str) -> str:
    """Return the head that speaks for frame 1 of a conditional."""
    head = network.node(name)
    return (head.begins if isinstance(head, HeadNode) else "") or name


def _of_numbered_frames(node: Node) -> tuple[Read, ...]:
    """Return what a conditional itself reads of frames 1, 2, ..."""
    reads = (read for port in node.ports for read in port.reads)
    return tuple(read for read in reads if read.offset is None and read.frame not in (None, LAST))


def _runs_ahead(network: Network, binding: Mapping[str, Origin], read: Read) -> bool:
    """Whether the loop makes what is read; what sees frame 1 of the given alone is made with the draws."""
    drawn = binding.get(read.node) not in (None, Origin.GIVEN)
    if read.frame == 1 and not drawn and not _beyond_first(network, read.node):
        return False
    return not _waits(network, binding, read.node)


def _waits(network: Network, binding: Mapping[str, Origin], name: str) -> str:
    """Say what the frames of a node wait for: the whole sequence, or what is drawn once; or nothing."""
    edges = dependences(network, binding)
    reached = needed_by(edges, [name])
    later = [e for e in edges if e.reader in reached and e.window is not None and e.window.reaches_future]
    nodes = [network.node(name) for name in reached]
    last = any(read.frame == LAST for node in nodes for port in node.ports for read in port.reads)
    if later or last or any(_backward(node) for node in nodes):
        return "the whole sequence"
    once = [v.name for v in once_a_sequence(network) if binding.get(v.name) is not Origin.GIVEN]
    waiting = [name for name in once if name in reached]
    return listed(waiting) if waiting else ""


def _backward(node: Node) -> bool:
    return isinstance(node, StateNode) and node.state.runs is Direction.BACKWARD


def _why(
    network: Network, binding: Mapping[str, Origin], value: str, node: Node, behind: tuple[str, int] | None
) -> str:
    """Say what a draw waits for, which a node that it is made of reads."""
    if binding[value] is not Origin.Q:
        frames = _frames_of(network, f"p_{value}")
        return f"{value} is generated from the frames of {frames}, and a stream begins with the first"
    if behind is None:
        return f"q draws {value} from the whole sequence"
    source, seen = behind[0], f"{on_page(behind[0])}_{behind[1]}"
    if node.name != f"q_{value}":  # made at frame 1, before all else
        return f"q draws {value} from {said(node.name).replace('_t', '_1')}, which waits for {seen}"
    return f"q draws {value} from {seen}, which waits for {_waits(network, binding, source)}"


def _frames_of(network: Network, head: str) -> str:
    """Name the variables whose frames a conditional waits for."""
    waiting = [head]
    for name in waiting:
        reads = (read.node for port in network.node(name).ports for read in port.reads)
        waiting += [one for one in dict.fromkeys(reads) if one not in waiting]
    return listed(v.name for v in network.values if v.framed and v.name in waiting)


class _LaterFrameError(Exception):
    """Something waits for more than frame 1; `behind` is of which node, unless that is the whole sequence."""

    def __init__(self, behind: tuple[str, int] | None = None) -> None:
        super().__init__(behind)
        self.behind = behind


def waits_for_all(network: Network) -> str:
    """Say which value of the whole sequence p makes from more frames than the first, or nothing."""
    for head in network.heads:
        if head.head.side == "p" and not head.variable.framed and _beyond_first(network, head.name):
            frames = _frames_of(network, head.name)
            return f"{head.value} is generated from the frames of {frames}: more of them make another"
    return ""


def _beyond_first(network: Network, name: str) -> bool:
    """Whether frame 1 of a node, or its one value, waits for more than frame 1 of the variables."""
    waiting = [name]
    try:
        for each in waiting:
            waiting += [one for one in _needs(network, network.node(each)) if one not in waiting]
    except _LaterFrameError:
        return True
    return False


def _needs(
    network: Network, node: Node, later: Sequence[Read] = (), made: Sequence[Read] = ()
) -> Iterator[str]:
    """Yield what frame 1 of a node, or its one value, is computed from; of variables nothing.

    Reads of `later` frames are allowed, and so is what is `made` before.
    """
    if isinstance(node, ValueNode):
        return
    if _backward(node):
        raise _LaterFrameError
    if isinstance(node, HoldNode) and node.past:
        return
    if isinstance(getattr(node, "block", None), Attention):
        raise _LaterFrameError
    for port in node.ports:
        for read in port.reads:
            if read not in made:
                yield from [read.node] if read in later else _at(network, read)


def _at(network: Network, read: Read) -> Iterator[str]:
    """What frame 1 of a node needs of one read."""
    if not framed(network.node(read.node)) or at_first(read):
        yield read.node
    elif read.offset is None:
        raise _LaterFrameError(None if read.frame in (None, LAST) else (read.node, read.frame))
    elif read.offset > 0:
        raise _LaterFrameError((read.node, 1 + read.offset))
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
