"""Loop distribution by strongly connected components (Allen and Kennedy): from dependences to a schedule.

Under a binding every node depends on other nodes at given offsets. A component without a cycle is one batched
operation; a component that is one recurrent state is one whole-sequence call; what is left is a loop over
time that holds exactly the nodes of its cycles. A loop is possible iff all cycles have lag sums of one sign.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dvaec.plan.dependences import dependences
from dvaec.plan.first_frame import first_frame_apart
from dvaec.plan.links import arrow, distance, made, no_direction
from dvaec.plan.model import (
    Batched,
    Dependence,
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
from dvaec.spec.model import LAST, Direction


class UnschedulableError(Exception):
    """The dependences admit no schedule; carries the nodes of the offending component.

    `frame` is the name and the absolute frame whose reading closes the cycle, where one does.
    """

    def __init__(
        self, message: str, nodes: tuple[str, ...], code: str, frame: tuple[str, int] | None = None
    ) -> None:
        super().__init__(message)
        self.message, self.nodes, self.code, self.frame = message, nodes, code, frame


def schedule(network: Network, binding: Mapping[str, Origin], outputs: Sequence[str]) -> tuple[Step, ...]:
    """Return the steps that compute `outputs` under `binding`, and nothing that they do not need.

    Raises UnschedulableError where a cycle has no direction of time.
    """
    edges = dependences(network, binding)
    needed = needed_by(edges, outputs)
    order = [node.name for node in network.nodes if node.name in needed]
    return _steps(network, binding, order, [e for e in edges if e.reader in needed])


def _steps(
    network: Network, binding: Mapping[str, Origin], order: Sequence[str], edges: Sequence[Dependence]
) -> tuple[Step, ...]:
    """Schedule component by component; one that has no schedule may have one apart from its frame 1."""
    sources: dict[str, list[str]] = {name: [] for name in order}
    for edge in edges:
        if edge.source in sources:
            sources[edge.reader].append(edge.source)
    steps: list[Step] = []
    for component in components(order, sources):
        inside = tuple(e for e in edges if e.reader in component and e.source in component)
        try:
            step = _step(network, binding, component, inside)
        except UnschedulableError:
            apart = first_frame_apart(network, binding, component, inside)
            if apart is None:
                raise
            steps += [apart.step, *_steps(network, binding, apart.rest, apart.edges)]
            continue
        if step is not None:
            steps.append(step)
    return tuple(steps)


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
    cycle = ", ".join(arrow(e) for e in inside if e.offset != 0 or e.window is not None)
    reason = f"cycle over time through {cycle}"
    early = [f"{name} by {frames}" for name, frames in ahead.items() if frames]
    if early:
        reason += f"; running ahead of the loop, so that all is made before it is read: {', '.join(early)}"
    return Loop(tuple(ahead), direction, reason, tuple(ahead.values()))


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
        message = f"{made(edge.reader)} reads {edge.source}_{at}, which is made after it, and waits for it"
        return UnschedulableError(message, component, "DV304", (edge.source, frames[0]))
    what = f"{made(edge.reader)} waits for {edge.source} as a whole, which waits for it"
    return UnschedulableError(what, component, "DV302")


def _why_batched(node: Node, binding: Mapping[str, Origin]) -> str:
    if isinstance(node, ValueNode):
        origin = binding[node.name]
        return f"{origin}, {'and no draw waits for an earlier one' if node.framed else 'once a sequence'}"
    if isinstance(node, HeadNode) and not node.ports:
        return "constant parameters"
    if not framed(node):
        return "one value a sequence"
    return "no cycle over time: one operation over (batch, time)"


def aligned(component: tuple[str, ...], inside: tuple[Dependence, ...]) -> tuple[Direction, dict[str, int]]:
    """Return the direction of a component and by how many frames each node runs ahead of the loop.

    A loop exists iff the offsets of every cycle add up to the same side of zero. Then there are least
    numbers a >= 0 with a(source) >= a(reader) + offset (seen in the loop's direction), so that everything is
    made no later than the step in which it is read; the nodes come in the order of the steps' own needs.

    Raises UnschedulableError where there is no such direction.
    """
    for direction, sign in ((Direction.FORWARD, 1), (Direction.BACKWARD, -1)):
        steps = [(e, d) for e in inside if (d := distance(e, sign)) is not None]
        ahead = _least(component, steps) if len(steps) == len(inside) else None
        if ahead is not None:
            tight = tuple(e for e, d in steps if ahead[e.source] == ahead[e.reader] + d)
            order = _topological(component, tight)
            if len(order) == len(component):
                return direction, {name: ahead[name] for name in order}
    raise UnschedulableError(no_direction(component, inside), component, "DV302")


def _least(component: tuple[str, ...], steps: list[tuple[Dependence, int]]) -> dict[str, int] | None:
    """Bellman and Ford's relaxation; None if a cycle never comes to rest."""
    ahead = dict.fromkeys(component, 0)
    for _ in range(len(component) + 1):
        before = dict(ahead)
        for edge, steps_away in steps:
            ahead[edge.source] = max(ahead[edge.source], ahead[edge.reader] + steps_away)
        if ahead == before:
            return ahead
    return None


def _topological(names: tuple[str, ...], edges: tuple[Dependence, ...]) -> tuple[str, ...]:
    """Kahn's order, stable in `names`; shorter than `names` if there is a cycle."""
    done: list[str] = []
    waiting = list(names)
    while waiting:
        ready = [n for n in waiting if all(e.source in done for e in edges if e.reader == n)]
        if not ready:
            break
        done.append(ready[0])
        waiting.remove(ready[0])
    return tuple(done)
