"""One step of a stream as one loop that is left after it, and the reasons why a model may have none.

All framed nodes that an entry point needs are in it. Where q looks ahead, or what is drawn once a sequence
does, what is given comes so many frames before the rest. A line of frame T needs one: a frame is drawn when
the next one has come, so that it is not the last, and frame T by `finish`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from dvaec.plan.aligning import UnschedulableError, aligned
from dvaec.plan.dependences import dependences
from dvaec.plan.first_frame import of_frame_1
from dvaec.plan.links import arrow_said, on_page, said
from dvaec.plan.model import (
    Dependence,
    DrawNode,
    HeadNode,
    Network,
    Node,
    Origin,
    ValueNode,
    framed,
    is_last,
)
from dvaec.plan.once import NoStreamError, drawn_once, joined, last_first
from dvaec.plan.schedule import components, loop_turned, needed_by
from dvaec.plan.stream_first import Run, arranged, why_late
from dvaec.plan.stream_waits import Binding, Task
from dvaec.plan.turned import later_edges
from dvaec.spec.model import LAST, Direction
from dvaec.spec.notation import listed


def run_of(network: Network, binding: Binding, outputs: tuple[str, ...]) -> Run:
    """Return all framed nodes that the outputs need as one forward loop; what is given is there first."""
    drawn_apart = drawn_once(network, binding)
    apart = [name for once in drawn_apart for name in once.nodes]
    still = [v.name for v in network.values if not v.framed]
    edges = tuple(e for e in dependences(network, binding) if e.reader not in still)
    looked = [r.node for name in apart for port in network.node(name).ports for r in port.reads]
    seen = [v.name for v in network.values if v.framed and v.name in looked]
    seen += [name for once in drawn_apart for name, _ in once.ahead]
    needed = needed_by(edges, (*outputs, *seen))
    if any(is_last(network.node(name)) for name in needed):  # what comes tells that a frame was not the last
        needed |= {v.name for v in network.values if v.framed and binding[v.name] is Origin.GIVEN}
    nodes = [n for n in network.nodes if n.name in needed and (framed(n) or of_frame_1(n) or is_last(n))]
    names = tuple(node.name for node in nodes)
    inside = tuple(e for e in edges if e.reader in names and e.source in names and e.offset is not None)
    _check_reads(network, names, nodes, inside)
    drawn = [name for name in still if binding.get(name) not in (None, Origin.GIVEN)]
    waiting = tuple(e for e in edges if e.reader in names and e.source in drawn)
    task = Task(network, binding, names, inside, waiting, drawn_apart)
    run = _best(task)
    if run is None:
        raise NoStreamError(_why_of_last(task) or why_late(task) or _why_not(network, names, inside))
    return run


def _best(task: Task) -> Run | None:
    """Return the run of least delay, with all that is drawn once in one step if none is in several."""
    run = arranged(replace(task, once=(joined(task.once),))) if task.once else arranged(task)
    if len(task.once) < 2 or (run is not None and not any(run.loop.ahead)):
        return run
    found = [one for one in (run, arranged(task)) if one is not None]
    return min(found, key=lambda one: max(one.loop.ahead), default=None)


def _why_of_last(task: Task) -> str:
    """Say which lines of frame T stand in the way, or nothing: without them there is an order for every T."""
    lines = [name for name in task.names if is_last(task.network.node(name))]
    inside = tuple(e for e in task.inside if not {e.reader, e.source} & set(lines))
    still = tuple(e for e in task.still if e.reader not in lines)
    names = tuple(name for name in task.names if name not in lines)
    if not lines or _best(replace(task, names=names, inside=inside, still=still)) is None:
        return ""
    what = listed(
        dict.fromkeys(said(name) for name in lines if isinstance(task.network.node(name), HeadNode))
    )
    return f"with {what}, the order of the frames depends on T, and a stream learns that last"


def _why_not(network: Network, names: tuple[str, ...], inside: tuple[Dependence, ...]) -> str:
    """Say what runs backward in time, or waits for itself."""
    try:
        if why := _backward(network, names, inside):
            return why
        aligned(names, inside)
    except UnschedulableError as fault:
        if why := _backward(network, names, inside, turned=True):
            return why
        drawn = [name for name in fault.nodes if isinstance(network.node(name), ValueNode)]
        return f"{listed(drawn)} {'is' if len(drawn) == 1 else 'are'} drawn in no one direction of time"
    return "no order of its steps has all at hand that is read there"


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
