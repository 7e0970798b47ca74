"""What every node of a stream waits for: of later frames, of frame 1, and of what is drawn once.

A node n makes frame t in step t - A(n), and frame 1, where that has an order of its own, in step 1 - B(n).
What is drawn once is drawn in step 1 - C. Then

    A(source) >= A(reader) + offset                 at the frames behind the first,
    B(source) >= B(reader)                          for what frame 1 reads of frame 1,
    A(source) >= B(reader) + offset                 for what it reads of later frames,
    C >= B(reader), and A(source) >= C + k - 1      for what waits for the draws, and frames k that these see,
    B(n) >= A(n)                                    where frame 1 is there when the loop comes to it.

Where frame 1 comes late, behind later frames of its own, there is B(source) >= A(reader) + offset in the
place of the last, for all that reads frame 1 from a later frame.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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
    Once,
    Origin,
    ValueNode,
    head_name,
)
from dvaec.plan.schedule import needed_by
from dvaec.plan.turned import at_first

Binding = dict[str, Origin]
Made = tuple[str, bool]  # a node; whether frame 1 alone is meant, where that is made apart
FAR = 1000  # more steps than one wait is for
ONCE: Made = ("", True)  # what is drawn once, with those frames 1 that it waits for


@dataclass(frozen=True)
class Task:
    """The framed nodes of one step with what they wait for: of each other, and of what is drawn once."""

    network: Network
    binding: Binding
    names: tuple[str, ...]
    inside: tuple[Dependence, ...]
    still: tuple[Dependence, ...] = ()
    once: Once | None = None

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
    def begun(self) -> tuple[str, ...]:
        """The values whose frame 1 is drawn with what is drawn once."""
        return self.once.begun if self.once is not None else ()

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

    def first(name: str) -> Made:
        return ONCE if name in task.begun else (name, name in nodes)

    for edge in apart.edges:
        steps = distance(edge, 1)
        assert steps is not None  # what attends to all later frames has no stream
        if edge.reader in apart.rest and edge.source in apart.rest:
            yield Wait((edge.reader, False), (edge.source, False), steps, edge.source)
    for edge in at_first(network, task.inside):
        line = edge.source in nodes and of_frame_1(network.node(edge.source))
        loop = edge.reader not in nodes and (line or edge in apart.edges)
        if edge.reader in task.begun or loop:
            continue
        source = _speaking(network, edge) if edge.reader in nodes else edge.source
        reader = first(edge.reader)
        for offset in _offsets(edge):
            if offset == 0:
                yield Wait(reader, first(source), 0, source)
            elif offset > 0:
                yield Wait(reader, (source, False), offset, source)
    for node in network.nodes:  # what is held from frame 1 on, behind that
        if isinstance(node, HoldNode) and node.name in apart.rest and node.past and node.source in nodes:
            yield Wait((node.name, False), first(node.source), -1, node.source)
    if task.once is not None:
        yield from _waits_once(task, task.once, apart.step.nodes)


def in_order(task: Task, apart: Apart) -> Iterator[Wait]:
    """Yield that frame 1 of a value, and the line that speaks for it, are there when the loop comes to it."""
    for name in dict.fromkeys((*apart.step.nodes, *task.begun)):
        node = task.network.node(name)
        if isinstance(node, ValueNode):
            yield Wait((name, False), ONCE if name in task.begun else (name, True), 0, name)
        elif isinstance(node, HeadNode) and of_frame_1(node):
            place = head_name(node.head.side, node.value, None)
            yield Wait((place, False), (name, True), 0, name)


def late_waits(task: Task, apart: Apart) -> Iterator[Wait]:
    """Yield, in the place of `in_order`, that frame 1 is there when a later frame reads it.

    All frames of what is attended to are gathered in their order.
    """
    for one in in_order(task, apart):
        if one.source == ONCE:
            yield one
    places = placed(task, apart)
    there = [edge for edge in at_first(task.network, apart.edges) if edge.reader not in places]
    for edge in apart.edges:
        there_first = edge.source in apart.step.nodes and edge.source not in task.begun
        if not there_first or edge.reader not in apart.rest:
            continue
        if edge.window is not None:
            yield Wait((edge.source, False), (edge.source, True), 0, edge.source)
        elif edge.offset is not None and (edge.offset < 0 or (edge.offset == 0 and edge in there)):
            yield Wait((edge.reader, False), (edge.source, True), edge.offset, edge.source)


def placed(task: Task, apart: Apart) -> dict[str, str]:
    """Return the nodes of the loop of which frame 1 is made apart, each with what makes it.

    What is drawn once makes that of others.
    """
    found = {}
    for name in (name for name in apart.step.nodes if name not in task.begun):
        node = task.network.node(name)
        line = isinstance(node, HeadNode) and of_frame_1(node)
        place = head_name(node.head.side, node.value, None) if isinstance(node, HeadNode) and line else name
        if place in apart.rest:
            found[place] = name
    return found


def _waits_once(task: Task, once: Once, nodes: Sequence[str]) -> Iterator[Wait]:
    """Yield what waits for what is drawn once, and what that waits for."""
    network = task.network
    for name, frame in once.ahead:
        apart = frame == 1 and name in nodes
        yield Wait(ONCE, (name, apart), frame - 1, name)
    for edge in task.still:
        node = network.node(edge.reader)
        if edge.reader in nodes and edge.reader not in task.begun:
            yield Wait((edge.reader, True), ONCE, 0, edge.source)
        later = edge.reader in nodes or (isinstance(node, HeadNode) and node.begins != "")
        if not (isinstance(node, HeadNode) and node.head.frame == 1 and edge.reader in nodes):
            yield Wait((edge.reader, False), ONCE, -int(later), edge.source)
    for edge in at_first(network, task.inside):
        begun = any(offset < 0 for offset in _offsets(edge)) and _begins(task, edge.source)
        if begun and edge.reader not in task.begun:
            yield Wait((edge.reader, edge.reader in nodes), ONCE, 0, edge.source)
    for name in begun_by_draws(task):
        yield Wait((name, False), ONCE, 0, name)


def begun_by_draws(task: Task) -> tuple[str, ...]:
    """Return what is made, before frame 1, of what is drawn once, and does not wait for those draws."""
    early = needed_by(task.inside, [name for name, _ in task.once.ahead]) if task.once is not None else set()
    found = [n for n in task.drawn if not isinstance(task.network.node(n), HeadNode) and n not in early]
    return tuple(name for name in found if task.once is not None and _begins(task, name))


def _begins(task: Task, name: str) -> bool:
    """Whether a node before frame 1 is made of what is drawn once."""
    return any(task.binding.get(one) is not Origin.GIVEN for one in begins_with(task.network, name))


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
