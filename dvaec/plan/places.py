"""The nodes of a data flow at every frame of a short sequence: what waits for what, one by one.

A place is a node at a frame; of what has no frames, the frame is 0.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from dvaec.plan.dependences import lines_of
from dvaec.plan.model import (
    DrawNode,
    FeatureNode,
    HeadNode,
    HoldNode,
    Network,
    Node,
    Origin,
    Port,
    Read,
    StateNode,
    ValueNode,
    framed,
    value_name,
)
from dvaec.spec.ends_over_time import MOST_ARROWS, cycle_of
from dvaec.spec.model import LAST, Attention, Direction
from dvaec.spec.over_time import Place


def comes_true(network: Network, binding: Mapping[str, Origin], names: tuple[str, ...]) -> bool:
    """Whether some nodes wait for no frame of themselves, for any T from 1 up to where the ends are far.

    Longer sequences than MOST_ARROWS allows are not looked at.
    """
    reads = [r for node in network.nodes for port in node.ports for r in port.reads]
    windows = [p.window.reach for node in network.nodes for p in node.ports if p.window is not None]
    most = 8 + 2 * max([abs(r.offset or 0) for r in reads] + [max(r.frame or 0, 0) for r in reads] + windows)
    budget = MOST_ARROWS
    for frames in (*range(1, min(4, most)), *range(most, 3, -1)):
        cost = frames * (len(reads) + frames * len(windows))
        if cost > budget:
            continue
        budget -= cost
        if cycle_of(Places(network, binding, frames).needs(names)):
            return False
    return True


@dataclass(frozen=True)
class Places:
    """A data flow over some frames under a binding."""

    network: Network
    binding: Mapping[str, Origin]
    frames: int

    def needs(self, names: tuple[str, ...]) -> dict[Place, list[Place]]:
        """Return what some nodes wait for at all their frames, and what that waits for."""
        waiting: list[Place] = []
        for name in names:
            some = range(1, self.frames + 1) if framed(self.network.node(name)) else (0,)
            waiting += [(name, t) for t in some]
        found: dict[Place, list[Place]] = {}
        while waiting:
            place = waiting.pop()
            if place not in found:
                found[place] = list(dict.fromkeys(self._of(*place)))
                waiting += found[place]
        return found

    def _of(self, name: str, t: int) -> Iterator[Place]:
        node = self.network.node(name)
        if isinstance(node, ValueNode):
            yield from self._drawn(node, t)
        elif isinstance(node, DrawNode):
            yield from self._drawn_last(node)
        elif isinstance(node, HoldNode):
            frame = self.frames if node.frame == LAST else node.frame
            since = t - frame if node.state.runs is Direction.FORWARD else frame - t
            if since >= int(node.past) or (node.ahead and self.frames == 1):
                yield from self._at(node.source, frame)
        else:
            at = self._frame_of(node) if isinstance(node, HeadNode) and not framed(node) else t
            for k, port in enumerate(node.ports):
                started = isinstance(node, StateNode) and k > 0
                yield from self._port(port, None if started else at)
            if isinstance(node, StateNode):
                yield from self._at(name, t + node.step)

    def _frame_of(self, head: HeadNode) -> int:
        return self.frames if head.head.frame == LAST else head.head.frame or 0

    def _drawn(self, node: ValueNode, t: int) -> Iterator[Place]:
        origin = self.binding.get(node.name, Origin.GIVEN)
        if origin is not Origin.GIVEN:
            yield self._head(f"{'q' if origin is Origin.Q else 'p'}_{node.name}", t)

    def _drawn_last(self, node: DrawNode) -> Iterator[Place]:
        lines = lines_of(self.network, node, self.binding)
        if self.frames == 1 and node.past:
            return
        if lines:
            yield lines[-1 if self.frames == 1 else 0].name, 0
        else:
            yield node.value, self.frames

    def _head(self, name: str, t: int) -> Place:
        """The conditional that speaks for a frame."""
        node = self.network.node(name)
        if isinstance(node, HeadNode) and node.begins and t == 1:
            return node.begins, 0
        if isinstance(node, HeadNode) and node.ends and t == self.frames:
            return node.ends, 0
        return name, t

    def _port(self, port: Port, t: int | None) -> Iterator[Place]:
        """Yield what a port reads at t; of no frame, what it reads of single frames and of the sequence."""
        for read in port.reads:
            if port.window is not None and t is not None:
                for d in port.window.within(-t, self.frames - t):
                    yield from self._at(read.node, t + d)
            else:
                yield from self._read(read, t)

    def _read(self, read: Read, t: int | None) -> Iterator[Place]:
        if read.frame is not None:
            yield from self._at(read.node, self.frames if read.frame == LAST else read.frame)
        elif read.offset is None or t is not None:
            yield from self._at(read.node, (t or 0) + (read.offset or 0))

    def _at(self, name: str, t: int) -> Iterator[Place]:
        """Yield the place of a node at t, where there is one; at frame 0 what features make of z_0."""
        node: Node = self.network.node(name)
        if not framed(node):
            yield name, 0
        elif 1 <= t <= self.frames:
            yield name, t
        elif isinstance(node, ValueNode) and t == 0:
            zero = value_name(name, 0)
            yield from ((value.name, 0) for value in self.network.values if value.name == zero)
        elif isinstance(node, FeatureNode) and not isinstance(node.block, Attention):
            for read in (r for port in node.ports for r in port.reads if t == 0 or r.offset is None):
                if not read.offset:
                    yield from self._read(read, 0)
        elif isinstance(node, StateNode):
            for port in node.ports[1:]:
                yield from self._port(port, None)
