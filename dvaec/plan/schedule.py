"""Loop distribution by strongly connected components (Allen and Kennedy): from dependences to a schedule.

Under a binding every node depends on other nodes at given offsets. A component without a cycle is one batched
operation; a component that is one recurrent state is one whole-sequence call; what is left is a loop over
time that holds exactly the nodes of its cycles. A loop is possible iff all cycles have lag sums of one sign.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dvaec.plan.aligning import UnschedulableError, aligned, alignments
from dvaec.plan.dependences import dependences
from dvaec.plan.first_frame import first_frame_apart
from dvaec.plan.links import arrow, gathered, on_page, said
from dvaec.plan.model import (
    Batched,
    Dependence,
    DrawNode,
    HeadNode,
    HoldNode,
    Loop,
    Network,
    Node,
    Origin,
    StateNode,
    Step,
    ValueNode,
    WholeSequence,
    framed,
)
from dvaec.plan.passes import in_passes
from dvaec.plan.turned import later_edges, turned
from dvaec.spec.model import LAST


def schedule(network: Network, binding: Mapping[str, Origin], outputs: Sequence[str]) -> tuple[Step, ...]:
    """Return the steps that compute `outputs` under `binding`, and nothing that they do not need.

    Raises UnschedulableError where a cycle has no direction of time.
    """
    edges = dependences(network, binding)
    needed = needed_by(edges, outputs)
    order = [node.name for node in network.nodes if node.name in needed]
    return _steps(network, binding, order, [e for e in edges if e.reader in needed])


def _steps(
    network: Network,
    binding: Mapping[str, Origin],
    order: Sequence[str],
    edges: Sequence[Dependence],
    passes: bool = True,
) -> tuple[Step, ...]:
    """Schedule component by component; one that has no schedule may have one if its frame 1 has its own.

    Else, with `passes`, it may be made in these.
    """
    sources: dict[str, list[str]] = {name: [] for name in order}
    for edge in edges:
        if edge.source in sources:
            sources[edge.reader].append(edge.source)
    steps: list[Step] = []
    for component in components(order, sources):
        inside = tuple(e for e in edges if e.reader in component and e.source in component)
        try:
            step = _step(network, binding, component, inside)
        except UnschedulableError as fault:
            otherwise = _otherwise if passes else _with_own_frame_1
            steps += otherwise(network, binding, component, inside, fault)
            continue
        if step is not None:
            steps.append(step)
    return tuple(steps)


def _otherwise(
    network: Network,
    binding: Mapping[str, Origin],
    component: tuple[str, ...],
    inside: tuple[Dependence, ...],
    fault: UnschedulableError,
) -> tuple[Step, ...]:
    """Schedule a component that has no schedule as it is, or raise its fault."""
    try:
        return _with_own_frame_1(network, binding, component, inside, fault)
    except UnschedulableError as later:
        passes = in_passes(
            network, binding, component, inside, lambda edges: _plain(network, binding, component, edges)
        )
        if passes is None:
            raise later from None
        return (passes,)


def _plain(
    network: Network, binding: Mapping[str, Origin], order: Sequence[str], edges: Sequence[Dependence]
) -> tuple[Step, ...]:
    """Schedule component by component, frame 1 as all others."""
    sources = {name: [e.source for e in edges if e.reader == name] for name in order}
    found = []
    for part in components(order, sources):
        inside = tuple(e for e in edges if e.reader in part and e.source in part)
        found.append(_step(network, binding, part, inside))
    return tuple(step for step in found if step is not None)


def _with_own_frame_1(
    network: Network,
    binding: Mapping[str, Origin],
    component: tuple[str, ...],
    inside: tuple[Dependence, ...],
    fault: UnschedulableError,
) -> tuple[Step, ...]:
    """Schedule a component that is in the way of itself: frame 1 ahead of all else, or in its own order."""
    apart = first_frame_apart(network, binding, component, inside)
    if apart is not None:
        try:
            return (apart.step, *_steps(network, binding, apart.rest, apart.edges, False))
        except UnschedulableError as later:
            fault = later
    loop = loop_turned(network, component, inside)
    if loop is None:
        raise fault
    return (loop,)


def loop_turned(network: Network, component: tuple[str, ...], inside: tuple[Dependence, ...]) -> Loop | None:
    """Return one loop over a component whose order at frame 1 is another; None if that is no way, either."""
    later = later_edges(network, inside)
    if any(edge.offset is None for edge in later):
        return None
    ways = alignments(component, later)
    loops = (Loop(tuple(ahead), way, _through(later), tuple(ahead.values())) for way, ahead in ways)
    return next((one for loop in loops if (one := turned(network, loop, inside)) is not None), None)


def needed_by(edges: Sequence[Dependence], outputs: Sequence[str]) -> frozenset[str]:
    """Return the outputs and all that they depend on."""
    reached = list(dict.fromkeys(outputs))
    for name in reached:
        reached.extend(e.source for e in edges if e.reader == name and e.source not in reached)
    return frozenset(reached)


def components(order: Sequence[str], sources: Mapping[str, Sequence[str]]) -> list[tuple[str, ...]]:
    """Tarjan's strongly connected components, what is read before what reads it; members in `order`."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[tuple[str, ...]] = []

    def visit(name: str) -> None:
        index[name] = low[name] = len(index)
        stack.append(name)
        for source in sources[name]:
            if source not in index:
                visit(source)
            if source in stack:
                low[name] = min(low[name], low[source])
        if low[name] == index[name]:
            cut = stack.index(name)
            members = stack[cut:]
            del stack[cut:]
            found.append(tuple(n for n in order if n in members))

    for name in order:
        if name not in index:
            visit(name)
    return found


def _step(
    network: Network,
    binding: Mapping[str, Origin],
    component: tuple[str, ...],
    inside: tuple[Dependence, ...],
) -> Step | None:
    node = network.node(component[0])
    if isinstance(node, ValueNode) and binding[node.name] is Origin.GIVEN:
        return None
    if not inside:
        return Batched(node.name, _why_batched(node, binding))
    if any(edge.offset is None for edge in inside):
        raise _absolute(network, component, inside)
    direction, ahead = aligned(component, inside)
    if len(component) == 1 and isinstance(node, StateNode) and node.state.lag == 1:
        reason = f"{node.name} depends on itself alone; all that it reads is there for every frame"
        if isinstance(node, HoldNode):
            reason = f"one frame of {node.source}, which is there"
        return WholeSequence(node.name, direction, reason)
    reason = _through(inside)
    early = [f"{name} by {frames}" for name, frames in ahead.items() if frames]
    if early:
        reason += f"; running ahead of the loop, so that all is made before it is read: {', '.join(early)}"
    return Loop(tuple(ahead), direction, reason, tuple(ahead.values()))


def _through(inside: Sequence[Dependence]) -> str:
    cycle = ", ".join(arrow(e) for e in gathered(e for e in inside if e.offset != 0 or e.window is not None))
    return f"cycle over time through {cycle}"


def _absolute(
    network: Network, component: tuple[str, ...], inside: tuple[Dependence, ...]
) -> UnschedulableError:
    """Say which read, of no frame relative to t, closes a cycle."""
    whole = [e for e in inside if e.offset is None]
    edge = next((e for e in whole if not e.source.startswith(("p_", "q_"))), whole[0])
    reads = (read for port in network.node(edge.reader).ports for read in port.reads)
    frames = [r.frame for r in reads if r.node == edge.source and r.frame is not None]
    if frames:
        at = "T" if frames[0] == LAST else frames[0]
        message = (
            f"{said(edge.reader)} reads {on_page(edge.source)}_{at}, which is made after it, and waits for it"
        )
        return UnschedulableError(message, component, "DV304", (edge.source, frames[0]))
    what = f"{said(edge.reader)} waits for {on_page(edge.source)} as a whole, which waits for it"
    return UnschedulableError(what, component, "DV302")


def _why_batched(node: Node, binding: Mapping[str, Origin]) -> str:
    if isinstance(node, ValueNode):
        origin = binding[node.name]
        return f"{origin}, {'and no draw waits for an earlier one' if node.framed else 'once a sequence'}"
    if isinstance(node, HeadNode) and not node.ports:
        return "constant parameters"
    if isinstance(node, DrawNode):
        return f"frame T of {node.value}, there before its other frames"
    if not framed(node):
        return "one value a sequence"
    return "no cycle over time: one operation over (batch, time)"
