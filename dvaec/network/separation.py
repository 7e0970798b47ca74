"""D-separation on an unrolled network: the minimal conditioning set in closed form, and its evidence.

Let E be what a target is given. In the moral graph of the ancestral subgraph of E and the target, K is the
component of the target among the nodes outside E; the neighbours of K in E are the unique minimal set S with
p(target | E) = p(target | S).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from dvaec.network.unrolled import Node, Unrolled


@dataclass(frozen=True)
class Step:
    """One arrow of a trail, from `tail` to `head` in the network; the trail goes along it or `against` it."""

    tail: Node
    head: Node
    against: bool

    @property
    def start(self) -> Node:
        """The node at which the trail takes this step."""
        return self.head if self.against else self.tail

    @property
    def end(self) -> Node:
        """The node to which the step leads."""
        return self.tail if self.against else self.head


@dataclass(frozen=True)
class Opened:
    """A head-to-head node of an active trail, and the way down to the given node that opens it."""

    collider: Node
    descent: tuple[Node, ...]


@dataclass(frozen=True)
class Trail:
    """An active trail: its arrows in order, and what opens its head-to-head nodes."""

    steps: tuple[Step, ...]
    opened: tuple[Opened, ...]


@dataclass(frozen=True)
class Blocker:
    """A node at which trails end: a given chain or fork node, or a head-to-head node that nothing opens.

    `steps` is one trail from the target to it, active up to there.
    """

    node: Node
    collider: bool
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class Judgement:
    """What a target depends on, given `evidence`: the minimal set, and the component K that is its reason."""

    network: Unrolled
    target: Node
    evidence: frozenset[Node]
    component: tuple[Node, ...]
    minimal: tuple[Node, ...]

    @cached_property
    def _minimal(self) -> frozenset[Node]:
        return frozenset(self.minimal)

    def __contains__(self, node: Node) -> bool:
        return node in self._minimal

    def witness(self, member: Node) -> Trail:
        """Return a shortest active trail from the target to a member of the set; KeyError for others."""
        search = _Search(self.network, self.target, self.evidence - {member})
        return search.trail(member)

    def blockers(self, candidate: Node) -> tuple[Blocker, ...]:
        """Return what blocks every trail from the target to a given node outside the minimal set."""
        search = _Search(self.network, self.target, self.evidence - {candidate})
        return search.blockers(candidate)


def judge(network: Unrolled, target: Node, evidence: frozenset[Node]) -> Judgement:
    """Return the minimal conditioning set of `target` given `evidence`, by one search of the moral graph."""
    relevant = network.ancestors(evidence | {target})
    component, minimal = {target}, set()
    entered: set[Node] = set()
    waiting = [target]
    while waiting:
        node = waiting.pop()
        for child in (node, *network.children[node]):
            if child not in relevant or child in entered:
                continue
            entered.add(child)
            for member in (child, *network.parents[child]):
                if member in evidence:
                    minimal.add(member)
                elif member not in component:
                    component.add(member)
                    waiting.append(member)
    ordered = network.parents
    return Judgement(
        network,
        target,
        evidence,
        tuple(n for n in ordered if n in component),
        tuple(n for n in ordered if n in minimal),
    )


class _Search:
    """Active trails from one node, breadth first over (node, whether it was entered by an arrow into it)."""

    def __init__(self, network: Unrolled, start: Node, given: frozenset[Node]) -> None:
        self.network = network
        self.start = start
        self.given = given
        self.open = network.ancestors(given)
        self.reached: dict[tuple[Node, bool], tuple[tuple[Node, bool], Step] | None] = {(start, False): None}
        waiting = deque(self.reached)
        while waiting:
            state = waiting.popleft()
            for step in self._onward(state):
                following = (step.end, not step.against)
                if following not in self.reached:
                    self.reached[following] = (state, step)
                    waiting.append(following)

    def _onward(self, state: tuple[Node, bool]) -> list[Step]:
        """List the arrows by which an active trail may go on from a node."""
        node, entered = state
        up = [Step(parent, node, True) for parent in self.network.parents[node]]
        down = [Step(node, child, False) for child in self.network.children[node]]
        if not entered:  # the start, or a chain or fork
            return [] if node in self.given else up + down
        return (up if node in self.open else []) + (down if node not in self.given else [])

    def _steps(self, state: tuple[Node, bool]) -> tuple[Step, ...]:
        steps = []
        while (back := self.reached[state]) is not None:
            state, step = back
            steps.append(step)
        return tuple(reversed(steps))

    def trail(self, goal: Node) -> Trail:
        """Return a shortest active trail to `goal`; KeyError if there is none."""
        states = [(goal, entered) for entered in (False, True) if (goal, entered) in self.reached]
        if not states:
            raise KeyError(f"no active trail from {self.start} to {goal}")
        steps = min((self._steps(state) for state in states), key=len)
        turns = [a.end for a, b in pairwise(steps) if not a.against and b.against]
        return Trail(steps, tuple(Opened(node, self._descent(node)) for node in turns))

    def _descent(self, collider: Node) -> tuple[Node, ...]:
        """Return a shortest directed way from a head-to-head node to a given one."""
        came: dict[Node, Node | None] = {collider: None}
        waiting = deque([collider])
        while waiting:
            node = waiting.popleft()
            if node in self.given:
                way = [node]
                while (before := came[way[-1]]) is not None:
                    way.append(before)
                return tuple(reversed(way))
            for child in self.network.children[node]:
                if child not in came:
                    came[child] = node
                    waiting.append(child)
        raise KeyError(f"nothing opens {collider}")

    def blockers(self, candidate: Node) -> tuple[Blocker, ...]:
        """Return the ends of the active region from which `candidate` could be reached outside of it."""
        inside = {node: state for state in reversed(self.reached) for node in state[:1]}
        beyond = self._around(candidate, inside)
        found = []
        for node, state in inside.items():
            near = (*self.network.parents[node], *self.network.children[node])
            if any(n in beyond for n in near):
                found.append(Blocker(node, node not in self.given, self._steps(state)))
        return tuple(sorted(found, key=lambda blocker: len(blocker.steps)))

    def _around(self, candidate: Node, inside: Mapping[Node, object]) -> set[Node]:
        """Return the nodes from which the candidate can be reached without entering the active region."""
        found, waiting = {candidate}, [candidate]
        while waiting:
            node = waiting.pop()
            for near in (*self.network.parents[node], *self.network.children[node]):
                if near not in found and near not in inside:
                    found.add(near)
                    waiting.append(near)
        return found
