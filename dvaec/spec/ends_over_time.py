"""Cycles of conditionals unrolled over a few frames: what the lines and reads of single frames close.

Where T is 1, the line of frame 1 speaks before that of frame T.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

from dvaec.spec.model import LAST, Conditional
from dvaec.spec.offsets import Offsets
from dvaec.spec.over_time import Place

MOST_ARROWS = 300_000


def cycle_at_ends(
    conditionals: Sequence[Conditional],
    static: Collection[str],
    zero: Collection[str],
    *,
    drawn: bool = False,
) -> tuple[Place, ...] | None:
    """Return a cycle of the graph unrolled over some few numbers of frames, as (a, b, ..., a): a reads b.

    Where a value of the sequence or a numbered frame is read, the ends matter, which `direction` does not
    see. `drawn` values are q's: at the frame itself that a line of every frame names by its number, it reads
    what has been drawn by then, and so nothing that waits for it; nor does a line of z_1 that reads z_T read
    itself where T is 1.
    """
    graphs = (unrolled(conditionals, static, zero, frames, drawn) for frames in lengths(conditionals))
    return next(filter(None, map(cycle_of, graphs)), None)


def lengths(conditionals: Sequence[Conditional]) -> Iterator[int]:
    """Yield numbers of frames that show all that the ends of a sequence do, but for what is too large."""
    reach = max((_end(p.offsets) for c in conditionals for p in c.parents), default=0)
    most = 8 + 2 * reach
    budget = MOST_ARROWS
    for frames in (*range(1, min(4, most)), *range(most, 3, -1)):
        cost = sum(_arrows(p.offsets, frames) for c in conditionals for p in c.parents)
        if cost <= budget:
            budget -= cost
            yield frames


def _arrows(offsets: Offsets | None, frames: int) -> int:
    """Count the arrows of one parent over some frames, roughly and without making them."""
    width = 1 if offsets is None else len(offsets.inside) if offsets.finite else frames
    return frames * min(width, frames)


def _end(offsets: Offsets | None) -> int:
    return 0 if offsets is None else max(abs(offsets.low), abs(offsets.high))


def unrolled(
    conditionals: Sequence[Conditional],
    static: Collection[str],
    zero: Collection[str],
    frames: int,
    drawn: bool,
    others: Collection[str] = (),
) -> dict[Place, list[Place]]:
    """Return what reads what in a sequence of some frames, node by node; `drawn` as in `cycle_at_ends`.

    Reads are of what the lines are of, and of `others`.
    """
    targets = {line.target for line in conditionals}.union(others)
    own: set[tuple[str, int]] = {(one.target, one.frame) for one in conditionals if one.frame is not None}
    found: dict[Place, list[Place]] = {}
    for line in conditionals:
        times: Iterable[int] = (0,)
        if line.frame == LAST:
            times = (frames,)
        elif line.frame is not None:
            times = (line.frame,)
        elif line.target not in static:
            times = range(1, frames + 1)
        for t in (t for t in times if line.frame == speaking(own, line.target, t, frames)):
            reads = found.setdefault((line.target, t), [])
            for parent in line.parents:
                if parent.name not in targets:
                    continue
                first = 0 if parent.name in zero or parent.name in static else 1
                if parent.name in static:
                    reads.append((parent.name, 0))
                elif parent.frame is not None:
                    at = frames if parent.frame == LAST else parent.frame
                    itself = parent.name == line.target or line.frame is None
                    if at != t or not itself or not drawn:
                        reads.append((parent.name, at))
                elif parent.offsets is not None:
                    near = parent.offsets.within(first - t, frames - t)
                    beside = line.frame == 0 and parent.name == line.target  # z_0 leaves itself out
                    reads += [(parent.name, t + d) for d in near if d or not beside]
    return found


def speaking(own: Collection[tuple[str, int | None]], target: str, t: int, frames: int) -> int | None:
    """Return the number of the line that serves a frame; None for that of every frame."""
    near = (t, LAST) if t == frames else (t,)
    return next((frame for frame in near if (target, frame) in own), None)


def cycle_of(reads: dict[Place, list[Place]]) -> tuple[Place, ...] | None:
    """Return a cycle, found depth first without recursion."""
    done: set[Place] = set()
    for start, first in reads.items():
        path: dict[Place, int] = {}
        stack = [(start, iter(first))] if start not in done else []
        path[start] = 0
        while stack:
            place, rest = stack[-1]
            for step in rest:
                if step in path:
                    names = list(path)
                    return (*names[path[step] :], step)
                if step in reads and step not in done:
                    path[step] = len(path)
                    stack.append((step, iter(reads[step])))
                    break
            else:
                stack.pop()
                done.add(place)
                path.pop(place, None)
    return None
