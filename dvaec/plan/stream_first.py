"""One loop of a stream, with what it makes apart: frame 1 in an order of its own, and what is drawn once."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from dvaec.plan.attention import farthest
from dvaec.plan.first_frame import Apart, first_frame_apart
from dvaec.plan.model import (
    FirstFrame,
    HeadNode,
    Loop,
    Network,
    Once,
    Port,
    Read,
    Step,
    ValueNode,
    framed,
)
from dvaec.plan.once import joined
from dvaec.plan.stream_places import Places, drawn_late, places_of
from dvaec.plan.stream_waits import Made, Task, placed
from dvaec.spec.model import Direction
from dvaec.spec.notation import listed


@dataclass(frozen=True)
class Run:
    """What one step of a stream does: its loop, with what is made of frame 1 in an order of its own.

    Single steps draw what is drawn once.
    """

    loop: Loop
    once: tuple[Once, ...]
    looked_back: tuple[tuple[str, int], ...]  # what the draws are made of, and how many steps before
    first: tuple[FirstFrame, ...] = ()
    held: tuple[str, ...] = ()  # what is made of frame 1 before the step in which it is needed last

    @property
    def steps(self) -> tuple[Step, ...]:
        return (*self.first, self.loop)


def arranged(task: Task) -> Run | None:
    """Return the loop of least delay; None where there is none.

    Of equal ones, it is that in which least of frame 1 is made apart, and nothing late.
    """
    ways = list(_ways(task))
    best: tuple[int, Apart, Places] | None = None
    for way, late in [(way, late) for late in (False, True) for way in ways if way.step.nodes or not late]:
        places = places_of(task, way, late=late)
        if places is None:
            continue
        delay = max(places.ahead[name, False] for name in way.rest)
        if best is None or delay < best[0]:
            best = delay, way, places
        if delay == 0:
            break  # none has less
    return _run(task, *best[1:]) if best is not None else None


def _ways(task: Task) -> Iterator[Apart]:
    """Yield nothing made apart of frame 1; then what has a line of its own there; then what waits for it."""
    yield task.whole()
    for behind in (False, True):
        own = first_frame_apart(
            task.network, task.binding, task.drawn, task.inside, streamed=True, behind=behind
        )
        if own is not None:
            yield replace(own, rest=(*task.given, *own.rest))


def why_late(task: Task) -> str:
    """Say of which value a later frame would be drawn before the first, or nothing."""
    found = next((one for way in _ways(task) if (one := drawn_late(task, way))), None)
    if found is None:
        return ""
    name, frame = found
    return f"q draws {name}_1 behind {name}_{frame}, and a stream draws the others of {name} in their order"


def _run(task: Task, way: Apart, places: Places) -> Run:
    ahead = {name: places.ahead[name, False] for name in way.rest}
    order = [name for name, first in places.order if not first]
    order = [*task.given, *order]
    loop = Loop(
        tuple(order), Direction.FORWARD, "one frame of a stream", tuple(ahead[name] for name in order)
    )
    first, once = _steps(task, way, places), _draws(task, places, max(loop.ahead))
    looked = looked_back(task, loop, once, first)
    looked |= {name: max(steps, looked.get(name, 0)) for name, steps in places.late.items()}
    return Run(loop, once, tuple(looked.items()), first, _held(task, places, first))


def _draws(task: Task, places: Places, most: int) -> tuple[Once, ...]:
    """What is drawn once, in as few parts as steps and their order allow."""
    found: list[Once] = []
    before: Made | None = None
    for number, key in enumerate(places.order):
        once = next((one for one in task.once if key == (one.name, True)), None)
        if once is None:
            before = None
            continue
        made = tuple(name for name, first in places.order[:number] if not first)
        once = replace(once, after=most - places.ahead[key], behind=made)
        if before is not None and places.ahead[before] == places.ahead[key]:
            once = joined((found.pop(), once))
        found.append(once)
        before = key
    return tuple(found)


def _steps(task: Task, way: Apart, places: Places) -> tuple[FirstFrame, ...]:
    """Frame 1 in as few parts as steps and their order allow, each with what a step makes before it."""
    found: list[FirstFrame] = []
    behind: list[str] = []
    before: Made | None = None
    for key in places.order:
        name, ahead = key[0], places.ahead[key]
        if key in task.made_once or not key[1]:
            behind.append(name)
        elif (
            before is not None
            and before[1]
            and before not in task.made_once
            and places.ahead[before] == ahead
        ):
            found[-1] = replace(found[-1], nodes=(*found[-1].nodes, name))
        else:
            found.append(FirstFrame((name,), "", ahead, tuple(behind)))
        before = key
    made = placed(task, way)
    late = [tuple(place for place in places.late.items() if made[place[0]] in step.nodes) for step in found]
    return tuple(
        replace(step, reason=_why(task, step, dict(some)), late=some)
        for step, some in zip(found, late, strict=True)
    )


def _why(task: Task, step: FirstFrame, late: Collection[str]) -> str:
    values = values_of(task.network, step)
    made = ", ".join(f"{name}_1" for name in values)
    behind = [name for name in values if name in late]
    after = f", behind later frames of {listed(behind)}" if behind else ""
    return f"the order of frame 1 is its own: {made}{after}"


def _held(task: Task, places: Places, first: Sequence[FirstFrame]) -> tuple[str, ...]:
    """What is made of frame 1 before the step in which it has its place, or is read while it has none yet."""
    found = set()
    for one in places.waits:
        alone = one.source[1] and one.source not in task.made_once
        before = places.ahead[one.reader] + one.steps
        other = not one.reader[1] and one.reader[0] != one.name
        placed = other and places.ahead.get((one.name, False), -1) >= before
        if alone and places.ahead[one.source] > before and not placed:
            found.add(one.name)
    return tuple(name for step in first for name in step.nodes if name in found)


def values_of(network: Network, first: FirstFrame) -> tuple[str, ...]:
    """The values whose frame 1 is made apart, also those of which the conditional alone is."""
    nodes = (network.node(name) for name in first.nodes)
    found = (
        n.value if isinstance(n, HeadNode) else n.name for n in nodes if isinstance(n, HeadNode | ValueNode)
    )
    return tuple(dict.fromkeys(found))


def apart(network: Network, first: Iterable[FirstFrame]) -> tuple[str, ...]:
    """The nodes whose frame 1 is made apart."""
    found = (name for step in first for name in (*step.nodes, *values_of(network, step)))
    return tuple(dict.fromkeys(found))


def looked_back(
    task: Task, loop: Loop, drawn: Sequence[Once], first: Sequence[FirstFrame] = ()
) -> dict[str, int]:
    """What the draws of a step read of earlier steps: all frames of what is given, and what is made ahead."""
    found: dict[str, int] = {}
    for once in drawn:
        reads = {r.node for name in once.nodes for port in task.network.node(name).ports for r in port.reads}
        found |= {n: max(once.after, found.get(n, 0)) for n in task.given if n in reads}
        for name, frame in once.ahead:
            if name in loop.nodes:
                found[name] = max(found.get(name, 0), once.steps_behind(loop, name, frame))
    made = apart(task.network, first)
    for step in first:
        for (name, _), steps in seen_back(task.network, loop, step, made).items():
            found[name] = max(found.get(name, 0), steps)
    return found


def seen_back(
    network: Network, loop: Loop, first: FirstFrame, apart: Collection[str]
) -> dict[tuple[str, int], int]:
    """How many steps before frame 1 is made a frame has come that it reads of what the loop makes.

    Frame 1 of some nodes is made `apart`.
    """
    found = {}
    ports = (port for name in first.nodes for port in network.node(name).ports)
    for read in (read for port in ports for read in reads_at_first(port)):
        frame = _frame(read)
        if frame > int(read.node in apart) and framed(network.node(read.node)):
            found[read.node, frame] = loop.frame_of(read.node) - (frame - 1) - first.ahead
    return found


def reads_at_first(port: Port) -> tuple[Read, ...]:
    """What a port reads at frame 1: of a window, which is attended to, the frames from 1 on."""
    if port.window is None:
        return port.reads
    there = port.window.within(0, farthest(port.window, 1) or 0)
    return tuple(Read(read.node, offset) for read in port.reads for offset in there)


def _frame(read: Read) -> int:
    """The frame that is read at frame 1."""
    return 1 + read.offset if read.offset is not None else read.frame or 0
