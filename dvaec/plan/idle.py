"""Weights that nothing ever passes through.

A node is needed at the frames at which a conditional, or what it is made of, reads it. A linear map all of
whose inputs lie outside 1..T at all of these frames multiplies nothing but zeros, a recurrence that never
steps from a frame of 1..T to another multiplies its zero start, and attention with a single row to look at
has nothing to choose: no gradient reaches such weights, in whatever data. This depends on T where the page
fixes it; else T is as large as all lags together, so that nothing more is met in longer sequences.

Sets of frames are numbers here, of which bit k stands for frame k.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from dvaec.plan.aligning import UnschedulableError
from dvaec.plan.attention import nearest
from dvaec.plan.links import on_page, said
from dvaec.plan.model import FeatureNode, HeadNode, Network, Node, Port, Read, StateNode, ValueNode, framed
from dvaec.spec.model import LAST
from dvaec.spec.notation import listed, page
from dvaec.spec.offsets import NONE, Offsets, of

IDLE = "DV306"
LONGEST = 20_000  # frames that are looked at where the page does not fix T


def check_idle(network: Network, frames: int | None) -> None:
    """Refuse a network of which no data could teach all weights; `frames` is T where the page fixes it.

    Raises UnschedulableError, DV306.
    """
    length = min(enough(network), LONGEST) if frames is None else frames
    needs = _Needs(network, length, {node.name: 0 for node in network.nodes})
    waiting: list[tuple[Node, int]] = [(node, needs.own(node)) for node in network.heads]
    while waiting:
        node, places = waiting.pop()
        if new := places & ~needs.places[node.name]:
            needs.places[node.name] |= new
            waiting.extend(_reached(needs, node, new))
    for node in network.nodes:
        if why := next(_idle(needs, node), None):
            names = _names(network, node.name)
            where = "" if frames is None else f"T is {frames}, and "
            message = f"{where}{_said(network, names)} has weights of no use: {why}"
            raise UnschedulableError(message, names, IDLE)


def enough(network: Network) -> int:
    """Return a length at which all is met that longer sequences meet: lags add up along a path."""
    longest = 0
    for node in network.nodes:
        longest += max([abs(r.offset or 0) for port in node.ports for r in port.reads], default=0)
        longest += abs(node.step) if isinstance(node, StateNode) else 0
        windows = [port.window for port in node.ports if port.window is not None]
        longest += sum(abs(nearest(w)) + 2 * max(len(w.past), len(w.future)) for w in windows)
    return longest + 3  # with a frame between the first and the last


@dataclass
class _Needs:
    """The frames of each node that are needed so far."""

    network: Network
    length: int
    places: dict[str, int] = field(default_factory=dict)

    def within(self, places: int, first: int = 1) -> int:
        """What of these frames lies in first..T."""
        return places & ((2 << self.length) - (1 << first))

    def first(self, name: str) -> int:
        """The first frame at which a node is no constant: 0 for z where there is a z_0, and maps of z_t."""
        node = self.network.node(name)
        if isinstance(node, ValueNode):
            return node.variable.first
        read = [r.node for port in node.ports for r in port.reads if r.offset == 0]
        return min(map(self.first, read), default=1) if isinstance(node, FeatureNode) else 1

    def own(self, node: HeadNode) -> int:
        """The frames that a conditional is of; frame 1, which it does not read, where it has no frame t."""
        if node.head.frame == LAST:
            return 1 << self.length
        if not node.framed:
            return 1 << 1
        taken = (2 if node.begins else 0) | (1 << self.length if node.ends else 0)
        return self.within(-1) & ~taken

    def met(self, read: Read, readers: int) -> int:
        """The frames at which a node is met by a read from these frames."""
        if read.offset is None:
            at = self.length if read.frame == LAST else read.frame
            found = 0 if at is None or not readers else 1 << at
        else:
            found = readers << read.offset if read.offset >= 0 else readers >> -read.offset
        return self.within(found, self.first(read.node))

    def rows(self, port: Port, at: int) -> int:
        """How many frames are attended to from one frame."""
        assert port.window is not None
        return len(port.window.within(self.first(port.reads[0].node) - at, self.length - at))

    def attended(self, port: Port, readers: int) -> int:
        """The frames that are attended to from these frames."""
        assert port.window is not None
        offsets = port.window.within(-self.length, self.length)
        return _union(self.met(Read(port.reads[0].node, d), readers) for d in offsets)


def _union(sets: Iterator[int]) -> int:
    found = 0
    for one in sets:
        found |= one
    return found


def _places(places: int) -> Iterator[int]:
    return (k for k in range(places.bit_length()) if places >> k & 1)


def _reached(needs: _Needs, node: Node, places: int) -> Iterator[tuple[Node, int]]:
    """Yield what a node reads at these of its frames, with the frames there."""
    for port in node.ports:
        for read in port.reads:
            source = needs.network.node(read.node)
            if port.window is not None:
                yield source, needs.attended(port, places)
            elif framed(source):
                yield source, needs.met(read, places)
    if isinstance(node, StateNode):
        before, step = places, node.step
        while (more := before | needs.met(Read(node.name, step), before)) != before:
            before, step = more, 2 * step  # from a frame and the one before to the two before these
        yield node, before


def _idle(needs: _Needs, node: Node) -> Iterator[str]:
    """Say which weights of a node are of no use."""
    places = needs.places[node.name]
    if isinstance(node, HeadNode) and node.ports and not places:
        yield "it is of no frame"
    for number, port in enumerate(node.ports):
        begins = isinstance(node, StateNode) and number == 1
        if port.window is not None:
            if not any(needs.rows(port, at) > 1 for at in _places(places)):
                yield "it never has two frames to choose from"
        elif port.weights and not begins and not any(_is_met(needs, read, places) for read in port.reads):
            yield f"it is needed at no frame that has {_listed(port)}"
    if isinstance(node, StateNode) and not _moves(needs, node, places):
        way = node.name.removeprefix(on_page(node.name)).rpartition("_")[2]
        ran = f"running {way}, it" if way in ("forward", "backward") else "it"
        yield f"where it is read, {ran} is at its start"


def _moves(needs: _Needs, node: StateNode, places: int) -> bool:
    """Whether a recurrence's weights meet anything but zeros at these frames; a sum has none."""
    begun = len(node.ports) > 1 or node.state.learned_start or node.state.cell == "sum"
    return begun or needs.met(Read(node.name, node.step), places) != 0


def _is_met(needs: _Needs, read: Read, places: int) -> bool:
    return not framed(needs.network.node(read.node)) or needs.met(read, places) != 0


def _listed(port: Port) -> str:
    offsets: dict[str, Offsets] = {}
    for read in port.reads:
        if read.offset is not None:
            name = on_page(read.node)
            offsets[name] = offsets.get(name, NONE) | of(read.offset)
    return listed(page(name, read) for name, read in offsets.items())


def _names(network: Network, name: str) -> tuple[str, ...]:
    """The node, what it is a part of on the page, and the conditionals that read it."""
    inner = name.removeprefix("attention_").removeprefix("convolution_")
    inner = inner.removesuffix("_keys").removesuffix("_mean")
    readers = (h.name for h in network.heads if any(r.node == name for port in h.ports for r in port.reads))
    return tuple(dict.fromkeys((name, inner, on_page(inner), *readers)))


def _said(network: Network, names: tuple[str, ...]) -> str:
    """Name a node in the words of the page; what is of the sequence has no frame t."""
    shown = said(names[0])
    whole = any(h.name == names[1] and not h.framed and h.head.frame is None for h in network.heads)
    return shown.replace("_t)", ")") if whole else shown
