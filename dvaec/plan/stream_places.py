"""When a stream makes what it makes: the step of every node, of its frame 1, and of what is drawn once.

The least numbers that meet all waits give the shortest delay. Where two sides are equal, one step makes both,
in that order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from dvaec.plan.aligning import least
from dvaec.plan.first_frame import Apart
from dvaec.plan.model import is_last
from dvaec.plan.stream_waits import (
    Made,
    Task,
    Wait,
    begun_by_draws,
    in_order,
    late_waits,
    placed,
    waits_of,
)
from dvaec.spec.graph import topological

FAR = 1000  # more steps than one wait is for


@dataclass(frozen=True)
class Places:
    """By how many frames everything runs `ahead`, and the order in which a step makes what is not given.

    Nodes of the loop that come to frame 1 before that is made are `late`, by so many steps.
    """

    waits: tuple[Wait, ...]
    ahead: Mapping[Made, int]
    order: tuple[Made, ...]
    late: Mapping[str, int]


def places_of(task: Task, apart: Apart, *, late: bool = False) -> Places | None:
    """Return the least places in which all that is read is there; None where there are none.

    `late` is whether frame 1 may come behind later frames of its own.
    """
    waits = (*waits_of(task, apart), *(late_waits if late else in_order)(task, apart))
    keys, first = _all_made(apart)
    ahead = _least(dict.fromkeys((*task.made_once, *first, *keys), 0), waits)
    if ahead is None:
        return None
    last = [frames for (name, _), frames in ahead.items() if is_last(task.network.node(name))]
    looks = [ahead[once.name, True] + once.after for once in task.once]
    run = [ahead[key] for key in (*first, *keys)]
    most = max([0, *run, *looks, *(1 + frames for frames in last)])
    ahead |= {(name, False): most for name in task.given}
    for once in (once for once in task.once if not once.ahead):  # as soon as that can be
        own = [ahead[one.source] for one in waits if one.reader == (once.name, True)]
        ahead[once.name, True] = min([most - once.after, *own])
    _together(ahead, first, waits)
    first.sort(key=lambda key: -ahead[key])
    made = [*task.made_once, *first, *(key for key in keys if key[0] in task.drawn)]
    if late:  # all the same, most of frame 1 may be there when the loop comes to it
        waits += tuple(one for one in in_order(task, apart) if ahead[one.source] >= ahead[one.reader])
    order = _order(task, made, ahead, waits, _ties(task, apart) if late else ())
    behind = _late(task, apart, ahead) if late else {}
    return Places(waits, ahead, order, behind) if len(order) == len(made) else None


def _order(
    task: Task,
    made: Sequence[Made],
    ahead: Mapping[Made, int],
    waits: Sequence[Wait],
    ties: Iterable[tuple[Made, Made]],
) -> tuple[Made, ...]:
    """What is made in one step, one after another; less than all where that is in a cycle."""
    needs: dict[Made, list[Made]] = {key: [] for key in made}
    for one in waits:
        if one.reader in needs and ahead[one.source] == ahead[one.reader] + one.steps:
            needs[one.reader].append(one.source)
    for reader, source in ties:
        if ahead[reader] == ahead[source]:
            needs[reader].append(source)
    for name, source in begun_by_draws(task):
        if (name, False) in needs and ahead[name, False] < ahead[source]:
            needs[name, False].append(source)  # its frame 0, and those before, are what the draws are
    return topological(made, needs)


def _ties(task: Task, apart: Apart) -> Iterator[tuple[Made, Made]]:
    """Yield what the loop makes behind frame 1 of what it reads there, where one step makes both."""
    places = placed(task, apart)
    for edge in apart.edges:
        if edge.source in places and edge.reader in places and edge.offset == 0:
            yield (edge.reader, False), (places[edge.source], True)


def _late(task: Task, apart: Apart, ahead: Mapping[Made, int]) -> dict[str, int]:
    """The nodes of the loop that come to frame 1 before that is made: by how many steps."""
    steps = {name: ahead[name, False] - ahead[made, True] for name, made in placed(task, apart).items()}
    return {name: number for name, number in steps.items() if number > 0}


def drawn_late(task: Task, apart: Apart) -> tuple[str, int] | None:
    """Return a value whose frame 1 waits for later frames of its own, and the last of these."""
    waits = tuple(waits_of(task, apart))
    keys, first = _all_made(apart)
    for one in (one for one in in_order(task, apart) if one.name in task.binding):
        start = dict.fromkeys((*task.made_once, *first, *keys), -len(waits) * FAR) | {one.source: 0}
        ahead = _least(start, waits)
        if ahead is not None and ahead[one.reader] > 0:
            return one.name, 1 + ahead[one.reader]
    return None


def _all_made(apart: Apart) -> tuple[list[Made], list[Made]]:
    """What the loop makes, and what is made apart of frame 1."""
    keys = [(name, False) for name in apart.rest]
    return keys, [(name, True) for name in apart.step.nodes]


def _least(ahead: Mapping[Made, int], waits: Sequence[Wait]) -> dict[Made, int] | None:
    return least(ahead, [(one.reader, one.source, one.steps) for one in waits])


def _together(ahead: dict[Made, int], first: Sequence[Made], waits: Sequence[Wait]) -> None:
    """Let frame 1 of all be made in one step as far as that can be: the first of them that makes any."""
    most = max([ahead[key] for key in first], default=0)
    needs = {key: [one.source for one in waits if one.reader == key] for key in first}
    for key in topological(first, needs):
        ahead[key] = min([most, *(ahead[one.source] - one.steps for one in waits if one.reader == key)])
