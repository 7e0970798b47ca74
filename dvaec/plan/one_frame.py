"""The only frame of sequences where T is 1, made apart from the frames of longer ones.

Frame T is frame 1 there, of which the line of frame 1 speaks. Where z_T is drawn ahead of all other frames,
and z_1 waits for what comes after it, as q(z_1 | a_1) beside q(a_t | z_T) does, no order serves every T. But
where T is 1 there is but one line of each variable, and one frame: these have an order of their own. So that
frame is made first, of the values that are in the way, as if T were 1; in sequences of one frame it then
stands wherever frame 1 or T of these values is made, and nothing waits for their lines of frame 1 any more
when it makes frame T ahead.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from dvaec.plan.dependences import lines_of
from dvaec.plan.model import (
    Dependence,
    DrawNode,
    HeadNode,
    HoldNode,
    Network,
    OneFrame,
    Origin,
    Port,
    Read,
    StateNode,
    ValueNode,
    framed,
)
from dvaec.spec.graph import topological
from dvaec.spec.model import LAST


@dataclass(frozen=True)
class Alone:
    """What is made of the only frame where T is 1, and what a component waits for where T is more."""

    step: OneFrame
    edges: tuple[Dependence, ...]


def one_frame_apart(
    network: Network,
    binding: Mapping[str, Origin],
    component: tuple[str, ...],
    edges: Sequence[Dependence],
) -> Alone | None:
    """Take the case T = 1 out of a component that has no schedule as it is; None where that is no way.

    It is in the way where frame T is drawn ahead, and waits for the line of frame 1, which speaks for it
    where T is 1.
    """
    only = tuple(edge for edge in edges if _where_t_is_1(network, binding, edge))
    needs: dict[str, list[str]] = {}
    waiting = [node.value for edge in only if isinstance(node := network.node(edge.reader), DrawNode)]
    for name in waiting:
        found = list(_needs(network, binding, name, component))
        if None in found:
            return None
        needs[name] = [one for one in found if one is not None]
        waiting += [one for one in needs[name] if one not in waiting]
    order = topological([node.name for node in network.nodes if node.name in needs], needs)
    if not only or len(order) < len(needs):
        return None
    made = ", ".join(f"{name}_1" if framed(network.node(name)) else name for name in order if name in binding)
    step = OneFrame(order, f"where T is 1 the order is its own: {made}")
    return Alone(step, tuple(edge for edge in edges if edge not in only))


def _where_t_is_1(network: Network, binding: Mapping[str, Origin], edge: Dependence) -> bool:
    """Whether a draw of frame T needs the line of frame 1, for where T is 1."""
    node = network.node(edge.reader)
    return isinstance(node, DrawNode) and edge.source in [
        line.name for line in lines_of(network, node, binding)[1:]
    ]


def _needs(
    network: Network, binding: Mapping[str, Origin], name: str, component: Collection[str]
) -> Iterator[str | None]:
    """Yield what a node needs of its component where T is 1; None for what cannot be said there.

    Frame T of a value is that value, also of one that is no part of the component: its line is there by then.
    """
    node = network.node(name)
    if isinstance(node, DrawNode):
        there = {*component, *(line.name for line in lines_of(network, node, binding))}
        made = _line(network, binding, node.value) in there
        yield from () if node.past else (node.value if made else None,)
    elif isinstance(node, ValueNode):
        line = _line(network, binding, name)
        yield from (line,) if line in component else ()
    elif isinstance(node, HoldNode):
        yield from (node.source,) if held(node) and node.source in component else ()
    else:
        for port in node.ports:
            for read in port.reads:
                yield from _of_read(network, port, read, component)
        if isinstance(node, StateNode):
            yield from (None for one in _outside(network, name) if one in component)


def _of_read(network: Network, port: Port, read: Read, component: Collection[str]) -> Iterator[str | None]:
    """Yield what one read needs where T is 1: the node, or what stands before its only frame."""
    source = network.node(read.node)
    here = not framed(source) or at_one_frame(read)
    if read.node in component and (here if port.window is None else 0 in port.window):
        yield read.node
    if port.window is not None or not here:
        plain = isinstance(source, ValueNode)
        yield from (one if plain else None for one in _outside(network, read.node) if one in component)


def held(node: HoldNode) -> bool:
    """Whether what is held is there at the only frame."""
    return not node.past or node.ahead


def at_one_frame(read: Read) -> bool:
    """Whether a read, where T is 1, is of its only frame."""
    return read.frame in (1, LAST) if read.offset is None else read.offset == 0


def _line(network: Network, binding: Mapping[str, Origin], value: str) -> str:
    """Return the head that speaks for a value that is drawn where T is 1; nothing for one that is given."""
    if binding[value] is Origin.GIVEN:
        return ""
    head = network.node(f"{'q' if binding[value] is Origin.Q else 'p'}_{value}")
    assert isinstance(head, HeadNode)
    return head.begins or head.ends or head.name


def _outside(network: Network, name: str) -> tuple[str, ...]:
    """Return the values that are not of every frame, of which a node outside 1..T is made."""
    found = [name]
    for one in found:
        node = network.node(one)
        ports = node.ports[1:] if isinstance(node, StateNode) else node.ports
        reads = [read.node for port in ports for read in port.reads]
        zero = [v.name for v in network.values if not v.framed and v.variable.name == one]
        found += [other for other in dict.fromkeys((*reads, *zero)) if other not in found]
    return tuple(one for one in found if not framed(network.node(one)))
