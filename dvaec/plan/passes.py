"""Passes: a schedule for what can be drawn, though in no one order of the frames.

Where q(a_1 | a_3) stands beside q(a_t | a_<t-2>), a_1 comes between a_3 and a_5's parents: no loop over time
makes that. But frames with lines of their own are few. Let them read what the pass before has made: then a
schedule exists, and what it makes is right wherever no way through the unrolled graph leads through a read
of a wrong value. Such a way has each single frame on it once. So after one more pass than there are single
frames that read so, or are read so, all values are those of the conditionals, and so are their gradients.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from dvaec.plan.aligning import UnschedulableError
from dvaec.plan.links import on_page, said
from dvaec.plan.model import (
    Dependence,
    FirstFrame,
    HeadNode,
    HoldNode,
    Network,
    Origin,
    Passes,
    Step,
    framed,
)
from dvaec.plan.places import comes_true
from dvaec.spec.notation import frame_word, listed

Cut = tuple[str, int | None]
"""A line of single frames, whatever it reads (no frame); or a node, wherever that frame of it is read."""


def in_passes(
    network: Network,
    binding: Mapping[str, Origin],
    component: tuple[str, ...],
    inside: Sequence[Dependence],
    scheduled: Callable[[tuple[Dependence, ...]], tuple[Step, ...]],
) -> Passes | None:
    """Return passes over a component that has no schedule; None where they do not make it.

    `scheduled` makes a schedule of fewer dependences, or raises UnschedulableError.
    """
    if not (cuts := _cuts(network, inside)) or not comes_true(network, binding, component):
        return None
    steps = _tried(network, inside, cuts, scheduled)
    if steps is None:
        return None
    for cut in tuple(cuts):
        fewer = [one for one in cuts if one != cut]
        if fewer and (found := _tried(network, inside, fewer, scheduled)) is not None:
            cuts, steps = fewer, found
    begun = {e.source for e in inside if _is_cut(network, e, cuts)}
    kept = [step for step in steps if not isinstance(step, FirstFrame | Passes)]
    assert len(kept) == len(steps)
    names = listed(_words(cut) for cut in cuts)
    reason = f"what {names} {'waits' if len(cuts) == 1 else 'wait'} for is made in the pass before"
    return Passes(tuple(kept), 1 + len(cuts), tuple(n for n in component if n in begun), reason)


def _tried(
    network: Network,
    inside: Sequence[Dependence],
    cuts: Sequence[Cut],
    scheduled: Callable[[tuple[Dependence, ...]], tuple[Step, ...]],
) -> tuple[Step, ...] | None:
    try:
        return scheduled(tuple(e for e in inside if not _is_cut(network, e, cuts)))
    except UnschedulableError:
        return None


def _cuts(network: Network, inside: Iterable[Dependence]) -> list[Cut]:
    """Return the lines of single frames, and the single frames that others read by their numbers."""
    found: dict[Cut, None] = {}
    for edge in inside:
        if _of_one_frame(network, edge.reader) and edge.reader != edge.source:
            found[edge.reader, None] = None
        else:
            found |= {(edge.source, frame): None for frame in _frames(network, edge)}
    return list(found)


def _of_one_frame(network: Network, name: str) -> bool:
    node = network.node(name)
    return isinstance(node, HoldNode) or (isinstance(node, HeadNode) and not framed(node))


def _frames(network: Network, edge: Dependence) -> tuple[int, ...]:
    """Return the frames that an edge is of by their numbers; none where it is of others, too."""
    if edge.offset is not None or edge.window is not None:
        return ()
    ports = network.node(edge.reader).ports
    reads = [r for port in ports for r in port.reads if r.node == edge.source and r.offset is None]
    frames = tuple(dict.fromkeys(r.frame for r in reads if r.frame is not None))
    return frames if len(frames) == len({r.frame for r in reads}) else ()


def _is_cut(network: Network, edge: Dependence, cuts: Sequence[Cut]) -> bool:
    if (edge.reader, None) in cuts and edge.reader != edge.source:
        return True
    frames = _frames(network, edge)
    return bool(frames) and all((edge.source, frame) in cuts for frame in frames)


def _words(cut: Cut) -> str:
    name, frame = cut
    return said(name) if frame is None else f"what reads {on_page(name)}_{frame_word(frame)}"
