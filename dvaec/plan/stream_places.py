"""When a stream makes what it makes: the step of every node, of its frame 1, and of what is drawn once.

A node n makes frame t in step t - A(n), and frame 1, where that has an order of its own, in step 1 - B(n):
B(n) >= A(n), so that it is there when the loop comes to it. What is drawn once is drawn in step 1 - C. Then

    A(source) >= A(reader) + offset                 at the frames behind the first,
    B(source) >= B(reader)                          for what frame 1 reads of frame 1,
    A(source) >= B(reader) + offset                 for what it reads of later frames,
    C >= B(reader), and A(source) >= C + k - 1      for what waits for the draws, and frames k that these see.

The least such numbers give the shortest delay. Where two sides are equal, one step makes both, in that order.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from dvaec.plan.aligning import least
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
    is_last,
)
from dvaec.plan.schedule import needed_by
from dvaec.plan.turned import at_first
from dvaec.spec.graph import topological

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


@dataclass(frozen=True)
class Places:
    """By how many frames everything runs `ahead`, and the order in which a step makes what is not given."""

    waits: tuple[Wait, ...]
    ahead: Mapping[Made, int]
    order: tuple[Made, ...]


def places_of(task: Task, apart: Apart) -> Places | None:
    """Return the least places in which all that is read is there; None where there are none."""
    waits = (*_waits(task, apart), *_in_order(task, apart))
    keys, first = _all_made(task, apart)
    once = task.once
    ahead = _least(dict.fromkeys((ONCE, *first, *keys), 0), waits)
    if ahead is None:
        return None
    ends = [1 + frames for (name, _), frames in ahead.items() if name and is_last(task.network.node(name))]
    looks = [ahead[ONCE] + once.after] if once is not None else []
    if once is not None and any(is_last(task.network.node(name)) for name in once.nodes):
        ends.append(1 + ahead[ONCE])  # whether T is 1 must be known
    most = max([0, *(frames for key, frames in ahead.items() if key != ONCE), *ends, *looks])
    ahead |= {(name, False): most for name in task.given}
    if once is not None and not once.ahead and not once.begun:
        ahead[ONCE] = most - once.after  # as soon as that can be
    _together(ahead, first, waits)
    first.sort(key=lambda key: -ahead[key])
    made = [*([ONCE] if once is not None else []), *first, *(key for key in keys if key[0] in task.drawn)]
    needs: dict[Made, list[Made]] = {key: [] for key in made}
    for one in waits:
        if one.reader in needs and ahead[one.source] == ahead[one.reader] + one.steps:
            needs[one.reader].append(one.source)
    order = topological(made, needs)
    return Places(waits, ahead, order) if len(order) == len(made) else None


def drawn_late(task: Task, apart: Apart) -> tuple[str, int] | None:
    """Return a value whose frame 1 waits for later frames of its own, and the last of these."""
    waits = tuple(_waits(task, apart))
    keys, first = _all_made(task, apart)
    for one in (one for one in _in_order(task, apart) if one.name in task.binding):
        start = dict.fromkeys((ONCE, *first, *keys), -len(waits) * FAR) | {one.source: 0}
        ahead = _least(start, waits)
        if ahead is not None and ahead[one.reader] > 0:
            return one.name, 1 + ahead[one.reader]
    return None


def _all_made(task: Task, apart: Apart) -> tuple[list[Made], list[Made]]:
    """What the loop makes, and what is made apart of frame 1."""
    keys = [(name, False) for name in apart.rest]
    return keys, [(name, True) for name in apart.step.nodes if name not in task.begun]


def _least(ahead: Mapping[Made, int], waits: Sequence[Wait]) -> dict[Made, int] | None:
    return least(ahead, [(one.reader, one.source, one.steps) for one in waits])


def _together(ahead: dict[Made, int], first: Sequence[Made], waits: Sequence[Wait]) -> None:
    """Let frame 1 of all be made in one step as far as that can be: the first of them that makes any."""
    most = max([ahead[key] for key in first], default=0)
    needs = {key: [one.source for one in waits if one.reader == key] for key in first}
    for key in topological(first, needs):
        ahead[key] = min([most, *(ahead[one.source] - one.steps for one in waits if one.reader == key)])


def _waits(task: Task, apart: Apart) -> Iterator[Wait]:
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


def _in_order(task: Task, apart: Apart) -> Iterator[Wait]:
    """Yield that frame 1 of a value, and the line that speaks for it, are there when the loop comes to it."""
    for name in dict.fromkeys((*apart.step.nodes, *task.begun)):
        node = task.network.node(name)
        if isinstance(node, ValueNode):
            yield Wait((name, False), ONCE if name in task.begun else (name, True), 0, name)
        elif isinstance(node, HeadNode) and of_frame_1(node):
            place = head_name(node.head.side, node.value, None)
            yield Wait((place, False), (name, True), 0, name)


def _waits_once(task: Task, once: Once, nodes: Sequence[str]) -> Iterator[Wait]:
    """Yield what waits for what is drawn once, and what that waits for."""
    network = task.network
    for name, frame in once.ahead:
        apart = frame == 1 and name in nodes
        yield Wait(ONCE, (name, apart), frame - 1, name)
    early = needed_by(task.inside, [name for name, _ in once.ahead])
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
    for name in task.drawn:
        line = isinstance(network.node(name), HeadNode)
        if not line and name not in early and _begins(task, name):
            yield Wait((name, False), ONCE, 0, name)


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
