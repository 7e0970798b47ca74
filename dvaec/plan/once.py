"""What a stream takes up once: variables at sequence level, and frames 0.

Its first step draws them before all else, `step` from q and `imagine` from p; what is observed once a
sequence is given to it. There are frame 1 of what is given, and what features and forward states make of it:
q(v), q(z_0 | v, x_1). Where q itself looks at frame k, the step that comes to frame k draws them, and what is
made without them runs ahead: q(z_0 | x_<1:3>), or of g_3 where g reads x. What waits for the whole sequence
has no place in a stream.
"""

from __future__ import annotations

from collections.abc import Mapping

from dvaec.plan.dependences import dependences
from dvaec.plan.first_needs import LaterFrameError, beyond_first, frames_of, needs_of
from dvaec.plan.links import on_page, said
from dvaec.plan.model import (
    DrawNode,
    HeadNode,
    Network,
    Node,
    Once,
    Origin,
    Read,
    ValueNode,
    framed,
)
from dvaec.plan.once_waits import WHOLE, once_a_sequence, waits_at, waits_for
from dvaec.plan.schedule import needed_by
from dvaec.spec.graph import topological
from dvaec.spec.model import LAST
from dvaec.spec.notation import listed


class NoStreamError(Exception):
    """The model cannot run frame by frame; says why."""


def drawn_once(network: Network, binding: Mapping[str, Origin]) -> Once | None:
    """Return what the first step of a stream takes up once, with what that is made of; None without any.

    Raises NoStreamError where a draw waits for more than frame 1 of what is given.
    """
    values = [v.name for v in once_a_sequence(network) if v.name in binding]
    needs: dict[str, list[str]] = {}
    ahead = dict.fromkeys(_seen_ahead(network, binding))
    after = max([_gather(network, binding, value, needs, ahead) for value in values], default=0)
    made = [n for n in needs if n in values or binding.get(n) is not Origin.GIVEN]
    nodes = topological([node.name for node in network.nodes if node.name in made], needs)
    if len(nodes) < len(made):
        waiting = [n for n in values if n not in nodes]
        raise NoStreamError(f"frame 1 of what {listed(waiting)} is drawn from starts with it")
    begun = tuple(n for n in nodes if n in binding and n not in values)
    reason = f"once a sequence: {', '.join(values)}"
    return Once(nodes, reason, after, begun, tuple(ahead)) if nodes else None


def last_first(node: DrawNode) -> str:
    """Say why a stream cannot have a frame T ahead of all others."""
    return f"q draws {node.value}_T first, and a stream comes to that last"


def has_draw(network: Network, binding: Mapping[str, Origin], value: str) -> bool:
    """Whether a stream may draw a value of the whole sequence."""
    try:
        _gather(network, binding, value, {}, dict.fromkeys(_seen_ahead(network, binding)))
    except NoStreamError:
        return False
    return True


def _gather(
    network: Network,
    binding: Mapping[str, Origin],
    value: str,
    needs: dict[str, list[str]],
    ahead: dict[tuple[str, int], None],
) -> int:
    """Add what a draw is made of to `needs`; return how many frames behind frame 1 q looks.

    Frames that are there `ahead`, of what is made without the draws, are not made with them; later ones that
    frame 1 of a draw waits for are added to these.
    """
    side = "q" if binding[value] is Origin.Q else "p"
    waiting, after = [value], 0
    for name in waiting:
        if name in needs:
            continue
        node = network.node(name)
        if isinstance(node, DrawNode):
            raise NoStreamError(last_first(node))
        drawn = isinstance(node, ValueNode) and binding[name] is not Origin.GIVEN
        later = _given_ahead(network, binding, node) if side == "q" else []
        after = max([after, *(read.offset or (read.frame or 1) - 1 for read in later)])
        reads = _of_numbered_frames(node) if name == f"q_{value}" else ()
        made = [r for r in reads if (r.node, r.frame) in ahead]
        if side == "q":
            behind = _made_later(network, binding, node)
            ahead |= {(r.node, 1 + (r.offset or 0)): None for r in behind}
            made += behind
        try:
            needs[name] = (
                list(_heads(network, f"{side}_{name}"))
                if drawn
                else list(dict.fromkeys(needs_of(network, node, later, made)))
            )
        except LaterFrameError as error:
            why = _why(network, binding, value, node, error.behind)
            raise NoStreamError(why) from None
        waiting += [one for one in needs[name] if framed(network.node(one)) or one not in binding]
    return after


def _given_ahead(network: Network, binding: Mapping[str, Origin], node: Node) -> list[Read]:
    """Return what frame 1 of a node reads of later frames of what is given."""
    reads = [r for port in node.ports if port.window is None for r in port.reads]
    given = [r for r in reads if binding.get(r.node) is Origin.GIVEN and framed(network.node(r.node))]
    return [r for r in given if r.frame != LAST and (r.offset or (r.frame or 1) - 1) > 0]


def _made_later(network: Network, binding: Mapping[str, Origin], node: Node) -> list[Read]:
    """Return what frame 1 of a node reads of later frames of what is made without the draws."""
    reads = [r for port in node.ports if port.window is None for r in port.reads if (r.offset or 0) > 0]
    made = [r for r in reads if binding.get(r.node) is not Origin.GIVEN and framed(network.node(r.node))]
    return [r for r in made if not waits_at(network, binding, r.node, 1 + (r.offset or 0))]


def _heads(network: Network, name: str) -> tuple[str, ...]:
    """Return the head that speaks for frame 1 of a conditional, and that of frame T where T is 1."""
    head = network.node(name)
    if not isinstance(head, HeadNode):
        return (name,)
    return (head.begins,) if head.begins else (name, head.ends) if head.ends else (name,)


def _of_numbered_frames(node: Node) -> tuple[Read, ...]:
    """Return what a conditional itself reads of frames 1, 2, ..."""
    reads = (read for port in node.ports for read in port.reads)
    return tuple(read for read in reads if read.offset is None and read.frame not in (None, LAST))


def _seen_ahead(network: Network, binding: Mapping[str, Origin]) -> tuple[tuple[str, int], ...]:
    """Return the frames that q's draws see of what the loop makes without them.

    What sees frame 1 of the given alone is made with the draws, unless the loop makes other frames of it.
    """
    values = [v.name for v in once_a_sequence(network) if binding.get(v.name) is Origin.Q]
    reads = [r for name in values for r in _of_numbered_frames(network.node(f"q_{name}"))]
    made = [
        r
        for r in reads
        if binding.get(r.node) is not Origin.GIVEN and not waits_at(network, binding, r.node, r.frame or 1)
    ]
    drawn = [r for r in made if r.node in binding or r.frame != 1 or beyond_first(network, r.node)]
    edges = [e for e in dependences(network, binding) if binding.get(e.source) is not Origin.GIVEN]
    run = needed_by(edges, [read.node for read in drawn])
    found = [r for r in made if r in drawn or run & needed_by(edges, [r.node])]
    return tuple(dict.fromkeys((read.node, read.frame or 1) for read in found))


def _why(
    network: Network, binding: Mapping[str, Origin], value: str, node: Node, behind: tuple[str, int] | None
) -> str:
    """Say what a draw waits for, which a node that it is made of reads."""
    if binding[value] is not Origin.Q:
        frames = frames_of(network, f"p_{value}")
        return f"{value} is generated from the frames of {frames}, and a stream begins with the first"
    if behind is None:
        return f"q draws {value} from {WHOLE}"
    source, seen = behind[0], f"{on_page(behind[0])}_{behind[1]}"
    if node.name != f"q_{value}":  # made at frame 1, before all else
        first = said(node.name).replace("_t", "_1")
        seen = WHOLE if waits_for(network, binding, node.name) == WHOLE else seen
        return f"q draws {value} from what {first} makes, which waits for {seen}"
    return f"q draws {value} from {seen}, which waits for {waits_for(network, binding, source)}"
