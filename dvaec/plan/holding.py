"""Absolute frames that a run over time itself makes: values held from the frame at which they are there.

Where q(z_t) reads z_1, and z_1 is drawn in the same run over time, what is read is a recurrence,

    m_t = z_1 where t = 1, m_{t-1} behind it (0 before frame 1),

which a loop carries, a whole sequence computes at once and a stream keeps. Where z_1 is not drawn yet when
the target's own frame 1 is (z_1 itself, and what comes before z in q's order), what is read there is 0:
m_{t-1} in place of m_t. In a backward run it is the last frame that is held, from T down.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cached_property

from dvaec.plan.dependences import dependences
from dvaec.plan.links import on_page
from dvaec.plan.model import Dependence, Origin
from dvaec.plan.nodes import (
    DrawNode,
    HeadNode,
    HoldNode,
    Network,
    Node,
    Port,
    Read,
    StateNode,
    ValueNode,
    framed,
    head_name,
)
from dvaec.plan.schedule import needed_by
from dvaec.spec.model import LAST, Causality, Conditional, Direction, Parent, Side, Spec, State
from dvaec.spec.offsets import of


def with_holds(
    spec: Spec, network: Network, infer: Mapping[str, Origin], generate: Mapping[str, Origin]
) -> Network:
    """Let conditionals that read an absolute frame of their own run read the value held since then.

    In causal models every frame 1 is held, so that a stream has it. A read that no order of the frames lets
    come true is left as it is, and has no schedule.
    """
    holding = _Holding(spec, network, {Side.Q: infer, Side.P: generate})
    nodes = [holding.reading(node) for node in network.nodes]
    return Network((*nodes, *holding.made.values()))


class _Holding:
    def __init__(self, spec: Spec, network: Network, bindings: Mapping[Side, Mapping[str, Origin]]) -> None:
        self.spec, self.network, self.bindings = spec, network, bindings
        self.made: dict[str, HoldNode | DrawNode] = {}

    @cached_property
    def edges(self) -> Mapping[Side, tuple[Dependence, ...]]:
        """What everything waits for when a side draws; asked only where some read is of an absolute frame."""
        return {side: dependences(self.network, binding) for side, binding in self.bindings.items()}

    @cached_property
    def rank(self) -> dict[str, tuple[int, int, int]]:
        """Where in q's order each latent stands: its sweep, how far behind there, its place."""
        return {
            name: (number, sweep.shift(name), place)
            for number, sweep in enumerate(self.spec.order)
            for place, name in enumerate(sweep.latents)
        }

    def reading(self, node: Node) -> Node:
        """Return a node that reads held values in the place of absolute frames."""
        if isinstance(node, ValueNode | DrawNode):
            return node
        read_at = self._read if framed(node) or _in_a_run(node) else self._drawn
        reads = [tuple(read_at(node, read) for read in port.reads) for port in node.ports]
        ports = [replace(port, reads=some) for port, some in zip(node.ports, reads, strict=True)]
        if isinstance(node, StateNode):  # what a state starts at comes before its first frame
            ports[1:] = node.ports[1:]
        return replace(node, ports=tuple(ports))

    def _drawn(self, node: Node, read: Read) -> Read:
        """Return a read of what is drawn before the value itself, where frame T of that is read."""
        source = self.network.node(read.node)
        if read.frame != LAST or not isinstance(source, ValueNode):
            return read
        sides = {head.head.side for head in self._heads(node)}
        of_p = sides == {Side.P}
        ahead = self._first_in_p(node, source.name) if of_p else (source.name, LAST) in self.spec.early
        if not ahead and not self._turned(node, source.name):
            return read
        if ahead and isinstance(node, HeadNode) and node.head.frame == 1 and node.value == source.name:
            name = f"{source.name}_last_ahead"
            self.made[name] = DrawNode(name, source.variable, True, False, True)
            return Read(name, None)
        name = f"{source.name}_last"
        before = self.made.get(name)
        first = ahead or (isinstance(before, DrawNode) and before.ahead)  # as one side has it, or the other
        begins = first or (source.name, 1) in self.spec.early
        self.made[name] = DrawNode(name, source.variable, first, begins)
        return Read(name, None if ahead else 0)

    def _first_in_p(self, reader: Node, name: str) -> bool:
        """Whether p draws frame T of a value, which waits for its reader, before its other frames."""
        if reader.name not in needed_by(self.edges[Side.P], [name]):
            return False
        line = head_name(Side.P, name, LAST)
        own = any(head.name == line for head in self.network.heads)
        made = needed_by(self._edges_of_lines, [line])
        whole = [
            node.name for node in self.network.nodes if isinstance(node, ValueNode) and node.name in made
        ]
        return own and name not in needed_by(self.edges[Side.P], whole)

    @cached_property
    def _edges_of_lines(self) -> tuple[Dependence, ...]:
        """What everything waits for when p draws, where frames 1 and T are made of their own lines alone."""
        lines = {head.name for head in self.network.heads}
        found: list[Dependence] = []
        for edge in self.edges[Side.P]:
            single = _single_frames(self.network.node(edge.reader), edge.source)
            own = [head_name(Side.P, edge.source, at) for at in single]
            known = bool(own) and lines.issuperset(own)
            found += [replace(edge, source=line) for line in own] if known else [edge]
        return tuple(found)

    def _turned(self, node: Node, read: str) -> bool:
        """Whether at frame T alone q draws what is read before what the head of that frame draws."""
        if not isinstance(node, HeadNode) or node.head.frame != LAST:
            return False
        if node.head.side is Side.P:
            now = needed_by([edge for edge in self.edges[Side.P] if edge.offset == 0], [read])
            return node.value in now and head_name(Side.P, read, LAST) in now
        pair = {node.variable.name, read}
        sweep = next((one for one in self.spec.order if pair <= set(one.last)), None)
        at = node.variable.name
        return (
            sweep is not None
            and sweep.last.index(read) < sweep.last.index(at)
            and sweep.latents.index(read) > sweep.latents.index(at)
        )

    def _read(self, node: Node, read: Read) -> Read:
        read = self._drawn(node, read)
        if read.frame is None:
            return read
        source, frame = self.network.node(read.node), read.frame
        if read.offset is not None or not framed(source):
            return read
        heads = [head for head in self._heads(node) if _in_a_run(head)]
        runs = {self._direction(node, source, head, frame) for head in heads} - {None}
        way = Direction.BACKWARD if frame == LAST else Direction.FORWARD
        if runs != {way}:
            return read  # no run over time makes that frame, or one makes it after all others
        past = any(self._too_late(head, source, frame) for head in heads)
        name = f"{source.name}_{'last' if frame == LAST else 'first'}"
        name += "_past" if past else "_held"
        offset = 0 if not past else -1 if way is Direction.FORWARD else 1
        state = State(name, "hold", source.dim, (Parent(source.name, of(offset)),), runs=way)
        port = Port("", (Read(source.name, offset),), (source.dim,), source.dim)
        ahead = (
            past and frame == LAST and isinstance(source, ValueNode) and (source.name, 1) in self.spec.early
        )
        self.made[name] = HoldNode(name, state, source.dim, (port,), frame, ahead)
        return Read(name, 0, LAST if isinstance(node, HeadNode) and node.head.frame == LAST else None)

    def _direction(self, reader: Node, source: Node, head: HeadNode, frame: int) -> Direction | None:
        """The direction of the run that makes a frame and reads it; None where that is no run.

        What p draws has an order, as was checked: a forward run makes frame 1, a backward one T. In q what is
        drawn later within the run is not read, even if it waits for nothing there.
        """
        side = head.head.side
        waits = reader.name in needed_by(self.edges[side], [source.name])
        if waits and (side is Side.P or not self.spec.swept):
            return Direction.BACKWARD if frame == LAST else Direction.FORWARD
        if waits or (side is Side.Q and self._drawn_later(head, source, frame)):
            sweeps = [s.backward for s in self.spec.order if head.variable.name in s.latents]
            return (Direction.BACKWARD if sweeps[0] else Direction.FORWARD) if sweeps else None
        streaming = self.spec.causality is Causality.CAUSAL and frame == 1
        return Direction.FORWARD if streaming else None

    def _heads(self, reader: Node) -> Iterator[HeadNode]:
        """Yield the conditionals that see a node at their own frame."""
        seen = [reader.name]
        for name in seen:
            node = self.network.node(name)
            if isinstance(node, HeadNode):
                yield node
            for other in self.network.nodes:
                reads = (r for port in other.ports for r in port.reads)
                if other.name not in seen and any(r.node == name and r.offset == 0 for r in reads):
                    seen.append(other.name)

    def _too_late(self, head: HeadNode, source: Node, frame: int) -> bool:
        """Whether a source's frame 1 (T) is not there yet when q draws the target's."""
        if head.begins and frame == 1:
            return True  # another network speaks for frame 1
        if head.ends and frame == LAST:
            return True
        if not self.spec.swept and head.head.side is Side.Q:
            line = Conditional(head.variable.name, (), head.head.frame)
            return self.spec.reads_nothing_there(Parent(on_page(source.name), None, frame), line)
        return head.head.side is Side.Q and self._drawn_later(head, source, frame)

    def _drawn_later(self, head: HeadNode, source: Node, frame: int) -> bool:
        """Whether q draws a frame of a source behind a head's value at that frame."""
        mine, rank = head.variable.name, dict(self.rank)
        made = [name for name in self._made_of(source.name) if name in rank]
        sweep = next(one for one in self.spec.order if mine in one.latents)
        if (mine, frame) in sweep.first:  # an order of their own
            rank |= {name: (*rank[mine][:2], k) for k, (name, at) in enumerate(sweep.first) if at == frame}
        return any(rank[name] >= rank[mine] for name in made if (name, frame) not in self.spec.early)

    def _made_of(self, name: str) -> tuple[str, ...]:
        """What a node is made of within its frame, through features and states."""
        found = [name]
        for one in found:
            reads = [r.node for port in self.network.node(one).ports for r in port.reads if r.offset == 0]
            found += [other for other in dict.fromkeys(reads) if other not in found]
        return tuple(found)


def _single_frames(node: Node, source: str) -> tuple[int, ...]:
    """Return the frames 1 and T of a source that a node reads; nothing if it reads others, too."""
    first = isinstance(node, HeadNode) and node.head.frame == 1
    reads = [read for port in node.ports for read in port.reads if read.node == source]
    frames = [1 if first and read.offset == 0 else read.frame for read in reads]
    some = tuple(frame for frame in dict.fromkeys(frames) if frame is not None)
    return some if None not in frames and all(port.window is None for port in node.ports) else ()


def _in_a_run(node: Node) -> bool:
    """Whether a conditional is of frames that a run over time comes to: every t, 1 or T."""
    return isinstance(node, HeadNode) and node.variable.framed and node.head.frame != 0
