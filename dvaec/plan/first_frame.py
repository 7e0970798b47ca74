"""Frame 1 of a cycle, made apart from its other frames.

A line of its own at frame 1 may turn an order of the variables round there: with p(z_1 | x_1) and
p(x_t | z_t), x_1 comes before z_1, but z_2 before x_2. Then frame 1 is made first, one value after another,
and takes its place in the schedule of all frames: nothing waits there for the lines of frame 1 any more, nor
for what is read of frame 1 by its number.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from dvaec.plan.model import (
    Dependence,
    FeatureNode,
    FirstFrame,
    HeadNode,
    HoldNode,
    Network,
    Node,
    Origin,
    Read,
    StateNode,
    ValueNode,
    framed,
)
from dvaec.spec.graph import reachable, topological
from dvaec.spec.model import Attention, Direction


@dataclass(frozen=True)
class Apart:
    """What is made of frame 1 beforehand; the nodes of the other frames, and what they still wait for."""

    step: FirstFrame
    rest: tuple[str, ...]
    edges: tuple[Dependence, ...]


def first_frame_apart(
    network: Network,
    binding: Mapping[str, Origin],
    component: tuple[str, ...],
    edges: Sequence[Dependence],
    *,
    streamed: bool = False,
    behind: bool = False,
) -> Apart | None:
    """Take apart frame 1 of a component that has no schedule as it is; None where that changes nothing.

    Made are those values that have a line of their own there, of which frame 1 with all that it is made of
    reads nothing else of the component but frame 1, in some order; in a stream, where the step that makes it
    can be a later one, also later frames. `behind` is whether whatever waits there for these is made, too.
    """
    needs: dict[str, list[str]] = {}
    drawn = [name for name in component if _drawn(network, binding, name)]
    own = [name for name in drawn if _line_of(network, binding, name)]
    others = [n for n in component if isinstance(network.node(n), FeatureNode | StateNode)]
    for name in (*drawn, *others) if behind else own:
        found = _closed(network, binding, name, component, streamed)
        needs |= found if set(own) & set(found) else {}
    if streamed:  # what waits for no draw comes as early as it is read
        needs = {name: some for name, some in needs.items() if _waits_for_draws(network, name, needs)}
    order = topological([n for n in component if n in needs and binding.get(n) is not Origin.GIVEN], needs)
    kept = tuple(e for e in edges if not _made(network, e, order))
    if len(kept) == len(edges):
        return None
    made = ", ".join(f"{name}_1" for name in order if name in binding)
    rest = tuple(n for n in component if n not in order or not of_frame_1(network.node(n)))
    return Apart(FirstFrame(order, f"the order of frame 1 is its own: {made}"), rest, kept)


def _waits_for_draws(network: Network, name: str, needs: Mapping[str, Sequence[str]]) -> bool:
    """Whether a node is a draw, or its conditional, or needs some."""
    nodes = (network.node(one) for one in (name, *reachable(name, needs)))
    return any(isinstance(node, ValueNode | HeadNode) for node in nodes)


def at_first(read: Read) -> bool:
    """Whether a read, at frame 1, is of frame 1."""
    return read.offset == 0 or read.frame == 1


def _closed(
    network: Network, binding: Mapping[str, Origin], value: str, component: Collection[str], streamed: bool
) -> dict[str, list[str]]:
    """Return what frame 1 of a value is made of within its component; nothing unless that is of frame 1."""
    needs: dict[str, list[str]] = {}
    waiting = [value]
    for name in waiting:
        found = list(_needs(network, binding, name, component, streamed))
        needs[name] = [one for one in found if one is not None]
        if len(needs[name]) < len(found):
            return {}
        waiting += [one for one in needs[name] if one not in waiting]
    return needs if len(topological(needs, needs)) == len(needs) else {}


def _drawn(network: Network, binding: Mapping[str, Origin], name: str) -> bool:
    """Whether a node is a value of every frame that is drawn."""
    node = network.node(name)
    return isinstance(node, ValueNode) and node.framed and binding[name] is not Origin.GIVEN


def _line_of(network: Network, binding: Mapping[str, Origin], name: str) -> str:
    """The head that speaks for frame 1 alone of a value that is drawn, or nothing."""
    head = network.node(f"{_side(binding, name)}_{name}")
    return head.begins if isinstance(head, HeadNode) else ""


def _side(binding: Mapping[str, Origin], name: str) -> str:
    return "q" if binding[name] is Origin.Q else "p"


def _needs(
    network: Network, binding: Mapping[str, Origin], name: str, component: Collection[str], streamed: bool
) -> Iterator[str | None]:
    """Yield the nodes of the component whose frame 1 is needed for a node's; None for what is not frame 1."""
    node = network.node(name)
    if isinstance(node, ValueNode):
        if _drawn(network, binding, name):
            head = network.node(_line_of(network, binding, name) or f"{_side(binding, name)}_{name}")
            ends = head.ends if isinstance(head, HeadNode) else ""
            if ends and not streamed:
                yield None  # where T = 1, the line of frame T speaks
            yield from (one for one in (head.name, ends) if one in component)
        elif not node.framed:
            yield None
        return
    if isinstance(node, StateNode) and node.state.runs is Direction.BACKWARD:
        yield None
    if isinstance(node, HoldNode) and node.past:
        return
    attends = isinstance(getattr(node, "block", None), Attention)
    for port in node.ports:
        for read in (read for read in port.reads if read.node in component):
            if attends and not streamed:
                yield None
            elif port.window is not None:
                yield from (read.node for here in (0,) if here in port.window)
            else:
                yield from _at(network, read, streamed)


def _at(network: Network, read: Read, streamed: bool) -> Iterator[str | None]:
    """What frame 1 of a node needs of one read within its component."""
    if not framed(network.node(read.node)):
        yield None
    elif at_first(read):
        yield read.node
    elif read.offset is None or (read.offset > 0 and not streamed):
        yield None  # a read before frame 1 is of what stands there


def _made(network: Network, edge: Dependence, order: Sequence[str]) -> bool:
    """Whether a dependence comes to nothing once frame 1 of some nodes is there."""
    reader = network.node(edge.reader)
    if edge.reader in order and of_frame_1(reader):
        return True
    if edge.source not in order:
        return False
    source = network.node(edge.source)
    if isinstance(source, HeadNode):
        return of_frame_1(source)
    if isinstance(reader, HoldNode):  # itself it holds from frame to frame
        return reader.frame == 1 and edge.source != edge.reader
    if of_frame_1(reader) and edge.offset == 0:
        return True
    reads = [read for port in reader.ports for read in port.reads if read.node == edge.source]
    named = bool(reads) and all(read.frame == 1 for read in reads if read.offset is None)
    return edge.offset is None and edge.window is None and named


def of_frame_1(node: Node) -> bool:
    """Whether a node is the line of frame 1 of a conditional."""
    return isinstance(node, HeadNode) and node.head.frame == 1
