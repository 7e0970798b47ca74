"""The order within one step of a stream, and by how many frames what is given runs ahead of the rest.

Where frame 1 has an order of its own that cannot be made apart, since what it waits for attends to the frames
so far, or is of later ones, the step of frame 1 has that order.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from dvaec.plan.aligning import least, ordered
from dvaec.plan.links import distance
from dvaec.plan.model import Dependence, Loop, Network, Once, Origin, is_last
from dvaec.plan.once import NoStreamError
from dvaec.plan.schedule import needed_by
from dvaec.plan.turned import at_first, later_edges
from dvaec.spec.graph import topological
from dvaec.spec.model import Direction
from dvaec.spec.notation import counted

Binding = dict[str, Origin]


def turned_loop(
    network: Network,
    binding: Binding,
    names: tuple[str, ...],
    inside: tuple[Dependence, ...],
    once: Once | None,
) -> tuple[Loop, Once | None] | None:
    """Return one loop whose order is another in the step of frame 1, and when it draws what there is once.

    So it must be where frame 1 cannot be made apart: where what it waits for attends to the frames so far.
    None if there is no such order.
    """
    later, first = later_edges(network, inside), tuple(at_first(network, inside))
    every = tuple(dict.fromkeys((*later, *first)))
    if any(edge.offset is None or distance(edge, 1) is None for edge in every):
        return None
    ahead = least(dict.fromkeys(names, 0), [(e, distance(e, 1) or 0) for e in every])
    if ahead is None:
        return None
    if once is not None and once.ahead:
        raise NoStreamError(turned_ahead(once.after))
    ahead, once = led(network, binding, ahead, every, once, [])
    ways = [ordered(names, edges, ahead) for edges in (later, first)]
    given = _given(network, binding, names)
    levels = _levels([name for name in names if name not in given], every, ahead)
    if levels is None or any(len(way) < len(names) for way in ways):
        return None
    order, turned = (sorted(way, key=lambda n: levels.get(ahead[n], 0)) for way in ways)
    return loop_of(network, binding, ahead, order, turned), once


def _levels(
    names: Sequence[str], edges: Iterable[Dependence], ahead: Mapping[str, int]
) -> dict[int, int] | None:
    """Return the place of what runs so far ahead, which a step makes together; None if that cannot be."""
    needs: dict[int, list[int]] = {ahead[name]: [] for name in names}
    for edge in edges:
        source, reader = ahead[edge.source], ahead[edge.reader]
        tight = source == reader + (distance(edge, 1) or 0)
        if edge.source in names and edge.reader in names and source != reader and tight:
            needs[reader].append(source)
    found = topological([*needs], needs)
    return {level: place for place, level in enumerate(found)} if len(found) == len(needs) else None


def led(
    network: Network,
    binding: Binding,
    ahead: dict[str, int],
    inside: tuple[Dependence, ...],
    once: Once | None,
    begins: Iterable[int],
) -> tuple[dict[str, int], Once | None]:
    """Let the given run as far ahead as what sees it needs; also say when what there is once is drawn."""
    given = _given(network, binding, ahead)
    after, wanted = (once.after, once.ahead) if once is not None else (0, ())
    early = needed_by(inside, [name for name, _ in wanted])
    behind = max(
        [frames for name, frames in ahead.items() if name not in given and name not in early], default=0
    )
    for name, frame in wanted:
        ahead[name] = max(ahead[name], frame - 1 + behind)
    ahead = least(ahead, [(e, distance(e, 1) or 0) for e in inside]) or ahead
    drawn = [frames for name, frames in ahead.items() if name not in given]
    ends = [1 + frames for name, frames in ahead.items() if is_last(network.node(name))]
    most = max([after + behind, *drawn, *ends, *begins, *(ahead[name] for name in given)])
    ahead |= dict.fromkeys(given, most)
    if once is not None and (wanted or once.begun):
        once = replace(once, after=most - behind)
    return ahead, once


def loop_of(
    network: Network,
    binding: Binding,
    ahead: Mapping[str, int],
    order: Sequence[str],
    turned: Sequence[str] = (),
) -> Loop:
    """Return the loop of a step: what is given comes before all else."""
    given = _given(network, binding, ahead)
    order, turned = ((*given, *(n for n in names if n not in given)) for names in (order, turned))
    turned = turned if len(turned) == len(order) else ()
    steps = tuple(ahead[name] for name in order)
    return Loop(order, Direction.FORWARD, "one frame of a stream", steps, turned)


def _given(network: Network, binding: Binding, names: Collection[str]) -> tuple[str, ...]:
    return tuple(n.name for n in network.values if n.name in names and binding[n.name] is Origin.GIVEN)


def turned_ahead(frames: int) -> str:
    """Say that a stream would draw what there is once from later frames than frame 1."""
    looks = f"looks {counted(frames, 'frame')} ahead" if frames else "draws ahead"
    return f"it {looks}, and frame 1 is made in an order of its own"
