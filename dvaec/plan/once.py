"""What a stream takes up once: variables at sequence level, and frames 0.

Its first step draws them before all else, `step` from q and `imagine` from p; what is observed once a
sequence is given to it. There are frame 1 of what is given, and what features and forward states make of it:
q(v), q(z_0 | v, x_1). Where q itself looks at frame k, the step that comes to frame k draws them, and what is
made without them runs ahead: q(z_0 | x_<1:3>), or of g_3 where g reads x. What waits for the whole sequence
has no place in a stream.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dvaec.plan.dependences import dependences
from dvaec.plan.first_needs import LaterFrameError, beyond_first, frames_of, needs_of
from dvaec.plan.links import on_page, said
from dvaec.plan.model import (
    DrawNode,
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


def drawn_once(network: Network, binding: Mapping[str, Origin]) -> tuple[Once, ...]:
    """Return what a stream takes up once, each value with what it is made of, behind those that it needs.

    Raises NoStreamError where a draw waits for what waits for it, or for the whole sequence.
    """
    values = [v.name for v in once_a_sequence(network) if v.name in binding]
    found = {value: _taken_up(network, binding, value, values) for value in values}
    order = topological(values, {value: once.waits for value, once in found.items()})
    if len(order) < len(values):
        waiting = [n for n in values if n not in order]
        raise NoStreamError(f"frame 1 of what {listed(waiting)} is drawn from starts with it")
    return tuple(found[value] for value in order)


def joined(drawn: Sequence[Once]) -> Once:
    """Return draws that one step makes, one after another."""
    nodes = tuple(dict.fromkeys(name for once in drawn for name in once.nodes))
    return Once(
        nodes,
        f"once a sequence: {', '.join(once.name for once in drawn)}",
        max(once.after for once in drawn),
        tuple(dict.fromkeys(place for once in drawn for place in once.ahead)),
        drawn[0].behind,
        tuple(dict.fromkeys(name for once in drawn for name in once.waits if name not in nodes)),
    )


def _taken_up(network: Network, binding: Mapping[str, Origin], value: str, values: Sequence[str]) -> Once:
    """Return one value of the whole sequence with what it is made of."""
    needs: dict[str, list[str]] = {}
    ahead = dict.fromkeys(_seen_ahead(network, binding, value))
    after = _gather(network, binding, value, needs, ahead)
    made = [n for n in needs if n == value or binding.get(n) is not Origin.GIVEN]
    nodes = topological([node.name for node in network.nodes if node.name in made], needs)
    if len(nodes) < len(made):
        raise NoStreamError(f"frame 1 of what {value} is drawn from starts with it")
    used = dict.fromkeys(one for some in needs.values() for one in some)
    waits = tuple(one for one in used if one in values and one != value)
    return Once(nodes, f"once a sequence: {value}", after, tuple(ahead), (), waits)


def last_first(node: DrawNode) -> str:
    """Say why a stream cannot have a frame T ahead of all others."""
    return f"q draws {node.value}_T first, and a stream comes to that last"


def has_draw(network: Network, binding: Mapping[str, Origin], value: str) -> bool:
    """Whether a stream may draw a value of the whole sequence."""
    try:
        _taken_up(network, binding, value, ())
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
        drawn = name == value and binding[name] is not Origin.GIVEN
        later = _given_ahead(network, binding, node) if side == "q" else []
        after = max([after, *(read.offset or (read.frame or 1) - 1 for read in later)])
        reads = _of_numbered_frames(node) if name == f"q_{value}" else ()
        made = [r for r in reads if (r.node, r.frame) in ahead]
        if side == "q":
            behind = _made_later(network, binding, node, value)
            ahead |= {(r.node, 1 + (r.offset or 0)): None for r in behind}
            made += behind
        try:
            needs[name] = (
                [f"{side}_{name}"] if drawn else list(dict.fromkeys(needs_of(network, node, later, made)))
            )
        except LaterFrameError as error:
            why = _why(network, binding, value, node, error.behind)
            raise NoStreamError(why) from None
        first = [one for one in needs[name] if framed(network.node(one)) and _drawn(network, binding, one)]
        for one in first:
            _check_first(network, binding, value, one)
            ahead[one, 1] = None
        needs[name] = [one for one in needs[name] if one not in first]
        waiting += [one for one in needs[name] if framed(network.node(one)) or one not in binding]
    return after


def _drawn(network: Network, binding: Mapping[str, Origin], name: str) -> bool:
    return isinstance(network.node(name), ValueNode) and binding.get(name) is not Origin.GIVEN


def _check_first(network: Network, binding: Mapping[str, Origin], value: str, first: str) -> None:
    """Refuse a draw of which some frame 1 waits that itself waits for it, or for all frames."""
    waits = waits_at(network, binding, first, 1)
    if WHOLE in waits:
        raise NoStreamError(_why(network, binding, value, network.node(value), None))
    if value in waits:
        raise NoStreamError(f"frame 1 of what {value} is drawn from starts with it")


def _given_ahead(network: Network, binding: Mapping[str, Origin], node: Node) -> list[Read]:
    """Return what frame 1 of a node reads of later frames of what is given."""
    reads = [r for port in node.ports if port.window is None for r in port.reads]
    given = [r for r in reads if binding.get(r.node) is Origin.GIVEN and framed(network.node(r.node))]
    return [r for r in given if r.frame != LAST and (r.offset or (r.frame or 1) - 1) > 0]


def _made_later(network: Network, binding: Mapping[str, Origin], node: Node, value: str) -> list[Read]:
    """Return what frame 1 of a node reads of later frames of what is made without one draw."""
    reads = [r for port in node.ports if port.window is None for r in port.reads if (r.offset or 0) > 0]
    made = [r for r in reads if binding.get(r.node) is not Origin.GIVEN and framed(network.node(r.node))]
    return [r for r in made if _without(network, binding, r.node, 1 + (r.offset or 0), value)]


def _without(network: Network, binding: Mapping[str, Origin], name: str, frame: int, value: str) -> bool:
    """Whether a frame of a node waits neither for that draw nor for the whole sequence."""
    return not {value, WHOLE} & set(waits_at(network, binding, name, frame))


def _of_numbered_frames(node: Node) -> tuple[Read, ...]:
    """Return what a conditional itself reads of frames 1, 2, ..."""
    reads = (read for port in node.ports for read in port.reads)
    return tuple(read for read in reads if read.offset is None and read.frame not in (None, LAST))


def _seen_ahead(network: Network, binding: Mapping[str, Origin], value: str) -> tuple[tuple[str, int], ...]:
    """Return the frames that one of q's draws sees of what the loop makes without it.

    What sees frame 1 of the given alone is made with the draw, unless the loop makes other frames of it.
    """
    if binding.get(value) is not Origin.Q:
        return ()
    others = [v.name for v in once_a_sequence(network) if binding.get(v.name) is Origin.Q]
    made = {
        name: [
            r
            for r in _of_numbered_frames(network.node(f"q_{name}"))
            if binding.get(r.node) is not Origin.GIVEN
            and _without(network, binding, r.node, r.frame or 1, name)
        ]
        for name in others
    }
    every = [r for some in made.values() for r in some]
    drawn = [r for r in every if r.node in binding or r.frame != 1 or beyond_first(network, r.node)]
    edges = [e for e in dependences(network, binding) if binding.get(e.source) is not Origin.GIVEN]
    run = needed_by(edges, [read.node for read in drawn])
    found = [r for r in made[value] if r in drawn or run & needed_by(edges, [r.node])]
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
