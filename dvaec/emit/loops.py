"""A loop over time as statements.

Results go into lists and one `stack`; reads go through one `unbind`. (Slices of a buffer would make the
backward pass quadratic in T.) What a later step reads is carried in variables: `z_prev` is z of the step
before, z_{t-1} in a forward loop, z_{t+1} in a backward one. (Lists that a loop both reads and appends to
are not safe: TorchScript drops an append whose list is not read behind the loop.)
"""

from __future__ import annotations

from itertools import groupby

from dvaec.emit.attending import attends, distances, prepare
from dvaec.emit.cells import name_ends, recurrent
from dvaec.emit.loop_maps import Writing, earlier, prepared
from dvaec.emit.loop_steps import begins_at_zero, blank, group, starts, tensors
from dvaec.emit.reading import at_zero
from dvaec.emit.writer import Body, known_names
from dvaec.plan.dependences import carried_by, dependences
from dvaec.plan.model import (
    DrawNode,
    FirstFrame,
    HeadNode,
    Loop,
    Node,
    Passes,
    Port,
    StateNode,
    ValueNode,
    nodes_of,
)
from dvaec.spec.model import LAST, Direction


def loop(body: Body, step: Loop) -> None:
    """Write one time loop with its preparation and the stacking of its results."""
    writing = Writing(body, step)
    nodes = [body.network.node(name) for name in step.nodes]
    kept, carried = _kept(body, step), carried_by(body.network, dict(body.entry.binding), step)
    ports = {node.name: [prepared(writing, node, port) for port in stepping(node)] for node in nodes}
    if any(attends(node) for node in nodes):
        distances(body)
    restarted = _restarted(body, step)
    if restarted:
        body.once("mask_at", "mask.unbind(1)")
    for node in nodes:
        _prepare(writing, node, carried.get(node.name, 0))
    lists = [name for node in nodes if node.name in kept for name in tensors(node)]
    for name in lists:
        body.add(f"{name}_list: List[Tensor] = []")
    body.note(f"Loop over time, {step.direction}: {', '.join(step.nodes)}; {step.reason}.")
    body.add(f"for t in {_range(step)}:")
    body.depth += 1
    for _, some in groupby(nodes, key=lambda node: step.frame_of(node.name)):
        group(writing, list(some), ports, kept, restarted)
    for node in nodes:
        _shift(body, node, carried.get(node.name, 0))
    body.depth -= 1
    turn = ".flip(1)" if step.direction is Direction.BACKWARD else ""
    for name in lists:
        body.add(f"{name} = torch.stack({name}_list, 1){turn}")


def _range(step: Loop) -> str:
    """The steps: as many more than frames as the foremost node is ahead of the last one."""
    most = max(step.ahead)
    if step.direction is Direction.FORWARD:
        return f"range({-most}, frames)" if most else "range(frames)"
    first = {0: "frames - 1", 1: "frames"}.get(most, f"frames + {most - 1}")
    return f"range({first}, -1, -1)"


def stepping(node: Node) -> tuple[Port, ...]:
    """Return the ports that every step reads: a state's start is made before the loop."""
    if isinstance(node, StateNode):
        return node.ports[:1]
    return node.ports[1:] if attends(node) else node.ports


def _kept(body: Body, step: Loop) -> tuple[str, ...]:
    """The nodes of the loop that something outside it needs."""
    edges = dependences(body.network, dict(body.entry.binding))
    later = [step for step in body.entry.computing if not isinstance(step, FirstFrame)]
    computed = {name for s in later for name in nodes_of(s)}
    outside = {e.source for e in edges if e.reader in computed and e.reader not in step.nodes}
    passes = [one.begun for one in body.entry.steps if isinstance(one, Passes)]
    outside.update(*passes, body.entry.outputs)
    return tuple(n for n in step.nodes if n in outside)


def _restarted(body: Body, step: Loop) -> tuple[str, ...]:
    """The nodes that the loop reads at later frames, which may lie behind a sequence's own end."""
    edges = dependences(body.network, dict(body.entry.binding))
    later = {e.source for e in edges if e.reader in step.nodes and e.window is None and (e.offset or 0) > 0}
    return tuple(name for name in step.nodes if name in later)


def _prepare(writing: Writing, node: Node, carried: int) -> None:
    """Name a node's start, its recurrent weights and its noise."""
    body = writing.body
    if not isinstance(node, HeadNode | DrawNode) and (carried or any(writing.step.ahead)):
        forward = writing.step.direction is Direction.FORWARD
        first = at_zero(body, node.name) if forward and begins_at_zero(body, writing.step, node) else ""
        # A node that is not the foremost begins the loop further before frame 1.
        foremost = abs(writing.step.frame_of(node.name)) == max(writing.step.ahead)
        for name, begun in starts(body, node):
            zero = 1 if first and foremost and carried else 0
            body.add_equal([earlier(name, 1)] * zero, first)
            body.add_equal([earlier(name, steps) for steps in range(1 + zero, carried + 1)], begun)
    recurrent(body, node)
    name_ends(body, node)
    prepare(body, node, writing.step)
    if isinstance(node, ValueNode | DrawNode):
        value = node.value if isinstance(node, DrawNode) else node.name
        body.once(f"noise_{value}_at", f"noise_{value}.unbind(1)")
        for name in reversed(known_names(value)) if body.entry.origin(value).partly_known else ():
            body.once(f"{name}_at", f"{name}.unbind(1)")
    if isinstance(node, HeadNode) and node.head.frame in (1, LAST):
        blank(body, node, "")


def _shift(body: Body, node: Node, carried: int) -> None:
    """Carry a node's value on to the next step."""
    if carried == 0 or isinstance(node, HeadNode):
        return
    for name, _ in starts(body, node):
        body.add_shifted([(earlier(name, k), earlier(name, k - 1)) for k in range(carried, 0, -1)])
