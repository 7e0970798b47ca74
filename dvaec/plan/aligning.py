"""The direction of a loop over time, and by how many frames each of its nodes runs ahead."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import TypeVar

from dvaec.plan.links import distance, no_direction
from dvaec.plan.model import Dependence
from dvaec.spec.graph import topological
from dvaec.spec.model import Direction

Key = TypeVar("Key", bound=Hashable)


class UnschedulableError(Exception):
    """The dependences admit no schedule; carries the nodes of the offending component.

    `frame` is the name and the absolute frame whose reading closes the cycle, where one does.
    """

    def __init__(
        self, message: str, nodes: tuple[str, ...], code: str, frame: tuple[str, int] | None = None
    ) -> None:
        super().__init__(message)
        self.message, self.nodes, self.code, self.frame = message, nodes, code, frame


def aligned(component: tuple[str, ...], inside: tuple[Dependence, ...]) -> tuple[Direction, dict[str, int]]:
    """Return the direction of a component and by how many frames each node runs ahead of the loop.

    A loop exists iff the offsets of every cycle add up to the same side of zero. Then there are least
    numbers a >= 0 with a(source) >= a(reader) + offset (seen in the loop's direction), so that everything is
    made no later than the step in which it is read; the nodes come in the order of the steps' own needs.

    Raises UnschedulableError where there is no such direction.
    """
    for direction, ahead in alignments(component, inside):
        return direction, ahead
    raise UnschedulableError(no_direction(component, inside), component, "DV302")


def alignments(
    component: tuple[str, ...], inside: tuple[Dependence, ...]
) -> Iterator[tuple[Direction, dict[str, int]]]:
    """Yield the directions in which there is a loop, forward first."""
    for direction, sign in ((Direction.FORWARD, 1), (Direction.BACKWARD, -1)):
        steps = [(e.reader, e.source, d) for e in inside if (d := distance(e, sign)) is not None]
        ahead = least(dict.fromkeys(component, 0), steps) if len(steps) == len(inside) else None
        if ahead is not None:
            order = ordered(component, inside, ahead, sign)
            if len(order) == len(component):
                yield direction, {name: ahead[name] for name in order}


def least(ahead: Mapping[Key, int], waits: Sequence[tuple[Key, Key, int]]) -> dict[Key, int] | None:
    """Bellman and Ford's relaxation from what is `ahead` at least; None if a cycle never comes to rest.

    Every wait is a reader, its source, and by how many frames more that runs ahead.
    """
    found = dict(ahead)
    for _ in range(len(found) + 1):
        before = dict(found)
        for reader, source, steps in waits:
            found[source] = max(found[source], found[reader] + steps)
        if found == before:
            return found
    return None


def ordered(
    names: tuple[str, ...], inside: tuple[Dependence, ...], ahead: Mapping[str, int], sign: int = 1
) -> tuple[str, ...]:
    """Return nodes in the order in which a step makes them; fewer if they need each other there."""
    tight = tuple(e for e in inside if ahead[e.source] == ahead[e.reader] + (distance(e, sign) or 0))
    needs = {name: [e.source for e in tight if e.reader == name] for name in names}
    return () if any(name in needs[name] for name in names) else topological(names, needs)
