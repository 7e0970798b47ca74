"""One step of a stream as one loop that is left after it, and the reasons why a model may have none.

All framed nodes that an entry point needs are in it. Where q looks ahead, or what is drawn once a sequence
does, what is given comes so many frames before the rest. A line of frame T needs one: a frame is drawn when
the next one has come, so that it is not the last, and frame T by `finish`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from dvaec.plan.aligning import UnschedulableError, aligned, ordered
from dvaec.plan.dependences import dependences
from dvaec.plan.first_frame import first_frame_apart, of_frame_1
from dvaec.plan.links import arrow_said, on_page, said
from dvaec.plan.model import (
    Dependence,
    DrawNode,
    FirstFrame,
    HeadNode,
    Loop,
    Network,
    Node,
    Once,
    Origin,
    Step,
    ValueNode,
    framed,
    is_last,
)
from dvaec.plan.once import NoStreamError, drawn_once, last_first
from dvaec.plan.schedule import components, loop_turned, needed_by
from dvaec.plan.stream_first import begun_in, held, seen_back, sees
from dvaec.plan.stream_order import Binding, led, loop_of, turned_ahead, turned_loop
from dvaec.plan.turned import later_edges
from dvaec.spec.model import LAST, Direction
from dvaec.spec.notation import listed


@dataclass(frozen=True)
class Run:
    """What one step of a stream does: its loop, after what is made of frame 1 in an order of its own.

    The first step begins with what is drawn once.
    """

    loop: Loop
    once: Once | None
    looked_back: tuple[tuple[str, int], ...]  # what the draws are made of, and how many steps before
    first: FirstFrame | None = None
    held: tuple[str, ...] = ()  # what is made of frame 1 before the step in which it has its place

    @property
    def steps(self) -> tuple[Step, ...]:
        return (self.loop,) if self.first is None else (self.first, self.loop)


def run_of(network: Network, binding: Binding, outputs: tuple[str, ...]) -> Run:
    """Return all framed nodes that the outputs need as one forward loop; what is given is there first."""
    once = drawn_once(network, binding)
    apart = once.nodes if once is not None else ()
    still = [v.name for v in network.values if not v.framed]
    edges = tuple(e for e in dependences(network, binding) if e.reader not in still)
    looked = [r.node for name in apart for port in network.node(name).ports for r in port.reads]
    seen = [v.name for v in network.values if v.framed and v.name in looked]
    seen += [name for name, _ in once.ahead] if once is not None else []
    needed = needed_by(edges, (*outputs, *seen))
    if any(is_last(network.node(name)) for name in needed):  # what comes tells that a frame was not the last
        needed |= {v.name for v in network.values if v.framed and binding[v.name] is Origin.GIVEN}
    nodes = [n for n in network.nodes if n.name in needed and (framed(n) or of_frame_1(n) or is_last(n))]
    names = tuple(node.name for node in nodes)
    inside = tuple(e for e in edges if e.reader in names and e.source in names and e.offset is not None)
    _check_reads(network, names, nodes, inside)
    try:
        loop, once, _ = _one_loop(network, binding, names, inside, once)
        return Run(_with_frame_1(loop, once), once, _looked_back(network, binding, loop, once))
    except UnschedulableError as fault:
        drawn = tuple(name for name in names if binding.get(name) is not Origin.GIVEN)
        turned, why = first_frame_apart(network, binding, drawn, inside), fault
    try:
        if turned is None:
            raise why
        rest = (*(name for name in names if name not in drawn), *turned.rest)
        if once is not None and once.ahead:
            raise NoStreamError(turned_ahead(once.after))
        loop, once, first = _one_loop(network, binding, rest, turned.edges, once, (turned.step, inside))
    except UnschedulableError:
        own = turned_loop(network, binding, names, inside, once)
        if own is None:
            if reason := _backward(network, names, inside, turned=True):
                raise NoStreamError(reason) from None
            raise
        loop, once = own
        return Run(_with_frame_1(loop, once), once, _looked_back(network, binding, loop, once))
    looked_back = _looked_back(network, binding, loop, once)
    assert first is not None
    looked_back += tuple(seen_back(network, binding, loop, first).items())
    begun = once.begun if once is not None else ()
    first = replace(first, nodes=tuple(n for n in first.nodes if n not in begun))
    return Run(_with_frame_1(loop, once), once, looked_back, first, held(network, loop, first))


def _check_reads(
    network: Network, names: tuple[str, ...], nodes: Sequence[Node], inside: tuple[Dependence, ...]
) -> None:
    """Refuse what is read of frames that no step has."""
    for node in nodes:
        if any(port.window is not None and port.window.reaches_future for port in node.ports):
            raise NoStreamError(f"{said(node.name)} attends to all later frames")
        for read in (read for port in node.ports for read in port.reads):
            source = network.node(read.node)
            if isinstance(source, DrawNode) and source.ahead:
                raise NoStreamError(last_first(source))
            if read.frame == LAST and not is_last(node):
                last = f"{on_page(read.node)} at frame T, which a stream does not know"
                raise NoStreamError(f"{said(node.name)} reads {last}")
            if read.offset is None and read.node in names:
                there = f"{on_page(read.node)}_{read.frame}, which is not made yet"
                try:
                    why = _backward(network, names, inside)
                except UnschedulableError:
                    why = ""
                raise NoStreamError(why or f"{said(node.name)} reads {there}")


def _looked_back(
    network: Network, binding: Binding, loop: Loop, once: Once | None
) -> tuple[tuple[str, int], ...]:
    """What is drawn once reads of earlier steps: all frames of what is given, and what is made ahead."""
    if once is None:
        return ()
    reads = {r.node for name in once.nodes for port in network.node(name).ports for r in port.reads}
    given = [v.name for v in network.values if v.framed and binding[v.name] is Origin.GIVEN]
    found = {name: once.after for name in given if name in reads and name in loop.nodes}
    for name, frame in once.ahead:
        found[name] = max(found.get(name, 0), once.steps_behind(loop, name, frame))
    return tuple(found.items())


def _with_frame_1(loop: Loop, once: Once | None) -> Loop:
    """Return a loop, if the step that draws what there is once comes to frame 1 of what that waits for."""
    begun = once.begun if once is not None else ()
    for name in begun:
        if once is not None and once.steps_behind(loop, name, 1) != 0:
            raise NoStreamError(f"what is drawn once waits for {name}_1, of which other draws run ahead")
    return loop


def _one_loop(
    network: Network,
    binding: Binding,
    names: tuple[str, ...],
    inside: tuple[Dependence, ...],
    once: Once | None,
    apart: tuple[FirstFrame, tuple[Dependence, ...]] | None = None,
) -> tuple[Loop, Once | None, FirstFrame | None]:
    """Return nodes that wait for one another as one loop, and when it draws what there is once, and frame 1.

    The given runs as many frames ahead of the rest as that looks at, and so does what it sees of other nodes;
    and as what is made `apart` of frame 1 looks at. The loop does not wait for that, but is not ahead of it.
    """
    if why := _backward(network, names, inside):
        raise NoStreamError(why)
    direction, ahead = aligned(names, inside)
    if direction is not Direction.FORWARD:
        raise NoStreamError("it runs backward in time")
    first: FirstFrame | None = None
    begins: list[int] = []
    if apart is not None:
        every = [e for e in apart[1] if e.reader in names and e.source in names]
        ahead, first = begun_in(network, ahead, apart[0], inside, every)
        begins.append(first.ahead + sees(network, binding, first))
    ahead, once = led(network, binding, ahead, inside, once, begins)
    loop = loop_of(network, binding, ahead, ordered(names, inside, ahead))
    return loop, once, first


def _backward(
    network: Network, names: tuple[str, ...], inside: tuple[Dependence, ...], *, turned: bool = False
) -> str:
    """Say what begins at the last frame, and what waits for it, or nothing.

    `turned` is whether frame 1 has an order of its own within the run.
    """
    sources = {name: [e.source for e in inside if e.reader == name] for name in names}
    heads = [n for n in names if isinstance(network.node(n), HeadNode)]
    for ring in components(names, sources):
        links = tuple(e for e in inside if e.reader in ring and e.source in ring)
        if turned:
            own = loop_turned(network, ring, links)
            way, links = own.direction if own else Direction.FORWARD, later_edges(network, links)
        else:
            way, _ = aligned(ring, links)
        later = next((e for e in links if (e.offset or 0) > 0), None)
        if way is Direction.FORWARD or later is None:
            continue
        link = arrow_said(later)
        drawn = [n for n in ring if isinstance(network.node(n), ValueNode)]
        if drawn:
            return f"q draws {listed(drawn)} backward from frame T ({link})"
        waiting = [n for n in heads if set(ring) & needed_by(inside, [n])]
        first = min(waiting, key=lambda n: n.startswith("p_"), default=ring[0])
        parts = list(dict.fromkeys(on_page(name) for name in ring))
        which = f"{listed(parts)}, which run{'s' * (len(parts) == 1)}"
        return f"{said(first)} waits for {which} backward from frame T ({link})"
    return ""
