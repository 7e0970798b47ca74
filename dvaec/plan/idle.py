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
from itertools import islice

from dvaec.plan.attention import nearest
from dvaec.plan.links import on_page, said
from dvaec.plan.model import (
    FeatureNode,
    HeadNode,
    Network,
    Node,
    Port,
    Read,
    StateNode,
    ValueNode,
    framed,
    head_name,
)
from dvaec.plan.network import build_network
from dvaec.spec.model import LAST, Convolution, Custom, ImageEncoder, Scan, Spec
from dvaec.spec.notation import frame_word, listed, page
from dvaec.spec.offsets import NONE, Offsets, of

IDLE = "DV306"
LONGEST = 20_000  # frames that are looked at where the page does not fix T


@dataclass(frozen=True)
class Idle:
    """What the page has that is of no use: in words, and the nodes to look for on it."""

    message: str
    nodes: tuple[str, ...]


def idle_on_page(spec: Spec, developed: Spec) -> Iterator[Idle]:
    """Yield what a page's own states, features and networks have of weights that no data could teach.

    What is developed by default is left as it is.
    """
    network = build_network(developed)
    written = {state.name for state in spec.states} | {feature.name for feature in spec.features}
    for head in spec.heads:
        written.add(head_name(head.side, head.target, head.frame))
        if head.frame is not None:
            written.add(f"{head.side}_{head.target}_{frame_word(head.frame)}")
    for node, why in idle(network, spec.frames):
        names = _names(network, node.name)
        if written & {*names[:3]}:
            where = "" if spec.frames is None else f"T is {spec.frames}, and "
            message = f"{where}{_said(network, names)} has weights of no use: {why}"
            yield Idle(message, names)


def idle(network: Network, frames: int | None) -> Iterator[tuple[Node, str]]:
    """Yield the nodes with idle weights, and why they are; `frames` is T where the page fixes it."""
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
            yield node, why


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

    def shown(self, name: str) -> int:
        """The frames at which a node is more than the zeros that stand outside the sequence.

        A concatenation is what it reads; what has weights has a bias, too.
        """
        node, first = self.network.node(name), self.first(name)
        reads = [r for port in node.ports for r in port.reads]
        weighed = _weighs(node) or any(port.weights or port.window is not None for port in node.ports)
        if not isinstance(node, FeatureNode) or weighed or any(r.offset is None for r in reads):
            return self.within(-1, first)
        return self.within(_union(_moved(self.shown(r.node), -(r.offset or 0)) for r in reads), first)

    def met(self, read: Read, readers: int) -> int:
        """The frames at which a node is met by a read from these frames."""
        if read.offset is None:
            at = self.length if read.frame == LAST else read.frame
            found = 0 if at is None or not readers else 1 << at
        else:
            found = _moved(readers, read.offset)
        return found & self.shown(read.node)

    def choosing(self, port: Port, places: int) -> int:
        """Those of these frames from which more than one frame is attended to."""
        assert port.window is not None
        first, window = self.first(port.reads[0].node), port.window
        found = 0
        for at in _places(places):
            low = first - at if window.reaches_past else max(first - at, window.low)
            high = self.length - at if window.reaches_future else min(self.length - at, window.high - 1)
            if len([*islice((d for d in range(low, high + 1) if d in window), 2)]) > 1:
                found |= 1 << at
        return found

    def attended(self, port: Port, readers: int) -> int:
        """The frames that are attended to from these frames."""
        assert port.window is not None
        offsets = port.window.within(-self.length, self.length)
        return _union(self.met(Read(port.reads[0].node, d), readers) for d in offsets)


def _moved(places: int, by: int) -> int:
    return places << by if by >= 0 else places >> -by


def _weighs(node: Node) -> bool:
    """Whether a node has weights behind what it reads as it is: kernels, or a class of the page's own."""
    blocks = [node.block] if isinstance(node, FeatureNode | HeadNode) else []
    return any(isinstance(block, Convolution | ImageEncoder | Scan | Custom) for block in blocks)


def _union(sets: Iterator[int]) -> int:
    found = 0
    for one in sets:
        found |= one
    return found


def _places(places: int) -> Iterator[int]:
    return (k for k in range(places.bit_length()) if places >> k & 1)


def _reached(needs: _Needs, node: Node, places: int) -> Iterator[tuple[Node, int]]:
    """Yield what a node reads at these of its frames, with the frames there."""
    for port, readers in _asking(needs, node, places):
        for read in port.reads:
            source = needs.network.node(read.node)
            if port.window is not None:
                yield source, needs.attended(port, readers)
            elif framed(source):
                yield source, needs.met(read, readers)
    if isinstance(node, StateNode):
        before, step = places, node.step
        while (more := before | needs.met(Read(node.name, step), before)) != before:
            before, step = more, 2 * step  # from a frame and the one before to the two before these
        yield node, before


def _asking(needs: _Needs, node: Node, places: int) -> Iterator[tuple[Port, int]]:
    """Yield what a node reads by, and at which frames: a query asks where there are frames to choose from."""
    attended = next((port for port in node.ports if port.window is not None), None)
    for port in node.ports:
        if attended is None or port is attended:
            yield port, places
        else:
            yield port, needs.choosing(attended, places)


def _idle(needs: _Needs, node: Node) -> Iterator[str]:
    """Say which weights of a node are of no use."""
    places = needs.places[node.name]
    if isinstance(node, HeadNode) and node.ports and not places:
        yield "it is of no frame"
    for number, (port, readers) in enumerate(_asking(needs, node, places)):
        weighed = (port.weights or _weighs(node)) and not (isinstance(node, StateNode) and number == 1)
        if port.window is not None and not needs.choosing(port, readers):
            yield "it never has two frames to choose from"
        elif weighed and not any(_is_met(needs, read, readers) for read in port.reads):
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
    return listed([page(name, read) for name, read in offsets.items()] or ["what it reads"])


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
