"""What every node of a stream waits for: of later frames, of frame 1, and of what is drawn once.

A node n makes frame t in step t - A(n), and frame 1, where that has an order of its own, in step 1 - B(n).
What is drawn once is drawn in step 1 - C. Then

    A(source) >= A(reader) + offset                 at the frames behind the first,
    B(source) >= B(reader)                          for what frame 1 reads of frame 1,
    A(source) >= B(reader) + offset                 for what it reads of later frames,
    C >= B(reader), and A(source) >= C + k - 1      for what waits for the draws, and frames k that these see,
    C >= A(reader) + 1 - k                          where frame k is the first to read z_0, or a drawn start,
    B(n) >= A(n)                                    where frame 1 is there when the loop comes to it.

Where frame 1 comes late, behind later frames of its own, there is B(source) >= A(reader) + offset in the
place of the last, for all that reads frame 1 from a later frame.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dvaec.plan.attention import looks_back
from dvaec.plan.first_frame import Apart, of_frame_1
from dvaec.plan.first_needs import begins_with
from dvaec.plan.links import distance
from dvaec.plan.model import (
    Dependence,
    FirstFrame,
    HeadNode,
    HoldNode,
    Network,
    Node,
    Once,
    Origin,
    ValueNode,
    head_name,
    is_last,
)
from dvaec.plan.turned import at_first

Binding = dict[str, Origin]
Made = tuple[str, bool]  # a node; whether frame 1 alone is meant, where that is made apart


@dataclass(frozen=True)
class Task:
    """The framed nodes of one step with what they wait for: of each other, and of what is drawn once."""

    network: Network
    binding: Binding
    names: tuple[str, ...]
    inside: tuple[Dependence, ...]
    still: tuple[Dependence, ...] = ()
    once: tuple[Once, ...] = ()

    @property
    def given(self) -> tuple[str, ...]:
        """The nodes that are given, which come before all else."""
        values = (v.name for v in self.network.values if v.name in self.names)
        return tuple(name for name in values if self.binding[name] is Origin.GIVEN)

    @property
    def drawn(self) -> tuple[str, ...]:
        """All others."""
        return tuple(name for name in self.names if self.binding.get(name) is not Origin.GIVEN)

    @property
    def made_once(self) -> tuple[Made, ...]:
        """What stands, among all that is made, for the draws of each step."""
        return tuple((once.name, True) for once in self.once)

    @property
    def draws(self) -> dict[str, Made]:
        """What makes each value of the whole sequence that is drawn."""
        found = {name: (once.name, True) for once in self.once for name in once.nodes}
        return {name: made for name, made in found.items() if _is_drawn(self, name)}

    def whole(self) -> Apart:
        """Nothing made apart of frame 1."""
        return Apart(FirstFrame((), ""), self.names, self.inside)


@dataclass(frozen=True)
class Wait:
    """What is read must run so many steps further ahead at least: ahead(source) >= ahead(reader) + steps.

    `name` is the node that is read.
    """

    reader: Made
    source: Made
    steps: int
    name: str


def waits_of(task: Task, apart: Apart) -> Iterator[Wait]:
    """Yield what waits for what, and for how many steps."""
    network, nodes = task.network, apart.step.nodes
    for edge in apart.edges:
        steps = distance(edge, 1)
        assert steps is not None  # what attends to all later frames has no stream
        if edge.reader in apart.rest and edge.source in apart.rest:
            yield Wait((edge.reader, False), (edge.source, False), steps, edge.source)
    for edge in at_first(network, task.inside):
        line = edge.source in nodes and of_frame_1(network.node(edge.source))
        if edge.reader not in nodes and (line or edge in apart.edges):
            continue
        source = _speaking(network, edge) if edge.reader in nodes else edge.source
        reader = edge.reader, edge.reader in nodes
        for offset in _offsets(edge):
            if offset == 0:
                yield Wait(reader, (source, source in nodes), 0, source)
            elif offset > 0:
                yield Wait(reader, (source, False), offset, source)
    for node in network.nodes:  # what is held from frame 1 on, behind that
        if isinstance(node, HoldNode) and node.name in apart.rest and node.past and node.source in nodes:
            yield Wait((node.name, False), (node.source, True), -1, node.source)
    yield from _waits_once(task, apart)
    yield from _begun(task, apart)


def in_order(task: Task, apart: Apart) -> Iterator[Wait]:
    """Yield that frame 1 of a value, and the line that speaks for it, are there when the loop comes to it."""
    for place, made in placed(task, apart).items():
        if made != place or isinstance(task.network.node(made), ValueNode):
            yield Wait((place, False), (made, True), 0, made)


def late_waits(task: Task, apart: Apart) -> Iterator[Wait]:
    """Yield, in the place of `in_order`, that frame 1 is there when a later frame reads it.

    All frames of what is attended to are gathered in their order.
    """
    places = placed(task, apart)
    there = [edge for edge in at_first(task.network, apart.edges) if edge.reader not in places]
    for edge in apart.edges:
        if edge.source not in apart.step.nodes or edge.reader not in apart.rest:
            continue
        if edge.window is not None:
            yield Wait((edge.source, False), (edge.source, True), 0, edge.source)
        elif edge.offset is not None and (edge.offset < 0 or (edge.offset == 0 and edge in there)):
            yield Wait((edge.reader, False), (edge.source, True), edge.offset, edge.source)


def placed(task: Task, apart: Apart) -> dict[str, str]:
    """Return the nodes of the loop of which frame 1 is made apart, each with what makes it."""
    found = {}
    for name in apart.step.nodes:
        node = task.network.node(name)
        line = isinstance(node, HeadNode) and of_frame_1(node)
        place = head_name(node.head.side, node.value, None) if isinstance(node, HeadNode) and line else name
        if place in apart.rest and not is_last(node):
            found[place] = name
    return found


def _waits_once(task: Task, apart: Apart) -> Iterator[Wait]:
    """Yield what waits for what is drawn once, and what that waits for."""
    network, nodes, draws = task.network, apart.step.nodes, task.draws
    for once in task.once:
        made = once.name, True
        for name, frame in once.ahead:
            yield Wait(made, (name, frame == 1 and name in nodes), frame - 1, name)
        for name in (name for name in once.waits if name in draws):
            yield Wait(made, draws[name], 0, name)
    for edge in task.still:
        node = network.node(edge.reader)
        if not any(read.node == edge.source for port in node.ports for read in port.reads):
            continue  # z_0 that is read as z_<t-1>
        if edge.reader in nodes:
            yield Wait((edge.reader, True), draws[edge.source], 0, edge.source)
        if not of_frame_1(node) or edge.reader not in nodes:
            later = int(_from_frame_2(node))
            yield Wait((edge.reader, False), draws[edge.source], -later, edge.source)


def _begun(task: Task, apart: Apart) -> Iterator[Wait]:
    """Yield what reads, before frame 1, something that is made of draws: z_0 as z_<t-1>, a state's start."""
    for edge in (edge for edge in task.inside if any(offset < 0 for offset in _offsets(edge))):
        reader = task.network.node(edge.reader)
        if isinstance(reader, HoldNode) and reader.name != edge.source:
            continue  # it reads frames from 1 on
        back = 1 if edge.window is not None else -(edge.offset or 0)
        always = _drawn_before(task, edge.source, -1)
        for name in dict.fromkeys((*always, *_drawn_before(task, edge.source, 0))):
            frame = 1 if name in always else back  # the first that reads it
            if frame == 1 and edge.reader in apart.step.nodes:
                yield Wait((edge.reader, True), task.draws[name], 0, name)
            if frame == 1 and _from_frame_2(reader):
                frame = 2
            if frame <= back and (not of_frame_1(reader) or edge.reader not in apart.step.nodes):
                yield Wait((edge.reader, False), task.draws[name], 1 - frame, name)


def begun_by_draws(task: Task) -> Iterator[tuple[str, Made]]:
    """Yield what is made, before frame 1, of what is drawn once, with that."""
    for name in (name for name in task.drawn if not isinstance(task.network.node(name), HeadNode)):
        yield from ((name, task.draws[one]) for one in _drawn_before(task, name, 0))


def _drawn_before(task: Task, name: str, frame: int) -> tuple[str, ...]:
    """The draws that a node's frame before frame 1 is made of."""
    return tuple(one for one in begins_with(task.network, name, frame) if one in task.draws)


def _is_drawn(task: Task, name: str) -> bool:
    return task.binding.get(name) not in (None, Origin.GIVEN)


def _from_frame_2(node: Node) -> bool:
    """Whether the loop needs a node from frame 2 on: another line speaks at frame 1."""
    return isinstance(node, HeadNode) and node.begins != ""


def _speaking(network: Network, edge: Dependence) -> str:
    """The source of a dependence at frame 1: for a value's conditional, the line of frame 1 if it has one."""
    source = network.node(edge.source)
    value = isinstance(network.node(edge.reader), ValueNode)
    return (source.begins if value and isinstance(source, HeadNode) else "") or edge.source


def _offsets(edge: Dependence) -> tuple[int, ...]:
    """What a dependence reads at most of frame 1, of later ones, and before frame 1."""
    if edge.window is None:
        return () if edge.offset is None else (edge.offset,)
    most = distance(edge, 1) or 0
    back = (-1,) if looks_back(edge.window) else ()
    return (*back, *((0,) if 0 in edge.window else ()), *((most,) if most > 0 else ()))
