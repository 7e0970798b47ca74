"""Whether conditionals, repeated at every frame, can be drawn one after another: no cycle when unrolled.

Let a closed walk of the template have the offsets d_1, ..., d_k. The unrolled graph has a cycle iff some
closed walk can have the sum 0. In a strongly connected part with a closed walk of sum a > 0 and one of sum
-b < 0 some walk has the sum 0 (let c be the sum of a walk that joins them; a b times round that, and then
round one of the two until c a b is used up). So a part can be drawn iff all its cycles have sums of one
strict sign: negative, forward in time; positive, backward.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from dvaec.spec.graph import reachable
from dvaec.spec.model import LAST, Conditional, Direction
from dvaec.spec.offsets import ALL, NONE, NOW, Offsets, of, window

FARTHEST = 24  # how far in time a cycle is looked for to be shown

Arrows = dict[tuple[str, str], Offsets]  # (child, parent) -> offsets; of a sequence-level parent: ALL
Place = tuple[str, int]  # a variable and its frame; sequence-level ones have frame 0
Walk = tuple[tuple[str, int], ...]  # names with offsets from the first one's frame


@dataclass(frozen=True)
class Tangle:
    """A strongly connected part with cycles both ways or in place; `walk`, if one was found, returns."""

    names: tuple[str, ...]
    walk: Walk = ()


def arrows_of(conditionals: Iterable[Conditional], names: Collection[str], *, drawn: bool = False) -> Arrows:
    """Return who reads whom among `names` at which offsets; single frames count by their distances.

    `drawn` values are q's: a line of every frame that names one by its number does not wait for it there, and
    no line waits for its own value, as z_1 | z_T would where T is 1.
    """
    found: Arrows = {}
    conditionals = tuple(conditionals)
    begun = {line.target for line in conditionals if line.frame == 1}
    for line in conditionals:
        for parent in line.parents if line.target in names else ():
            if parent.name in names:
                key = (line.target, parent.name)
                read = _offsets(line.frame, parent.offsets, parent.frame)
                if line.frame == 0 and parent.name == line.target:
                    read = read - NOW  # z_0 reads the frames beside its own
                if drawn and parent.frame is not None and (line.frame is None or parent.name == line.target):
                    read = read - NOW
                if line.frame == LAST and line.target in begun and parent.frame == 1:
                    read = read - NOW  # where T = 1, the line of frame 1 speaks
                found[key] = found.get(key, NONE) | read
    return found


def _offsets(reader: int | None, offsets: Offsets | None, frame: int | None) -> Offsets:
    if reader is None:
        if frame is None:
            return ALL if offsets is None else offsets
        return window(0, None) if frame == LAST else window(None, frame - 1)
    if reader == LAST:
        if frame is None:
            return window(None, 0) & (ALL if offsets is None else offsets)
        return of(0) if frame == LAST else window(None, frame - 1)
    if offsets is not None:
        return offsets & window(-reader, None)
    if frame is None:
        return ALL
    return window(1 - reader, None) if frame == LAST else of(frame - reader)


def components(names: Sequence[str], arrows: Arrows) -> tuple[tuple[str, ...], ...]:
    """Return the strongly connected parts, each in the order of `names`, sorted by their first members."""
    needs = {name: [p for c, p in arrows if c == name] for name in names}
    around = {name: frozenset(reachable(name, needs)) for name in names}
    found: list[tuple[str, ...]] = []
    placed: set[str] = set()
    for name in names:
        if name not in placed:
            same = tuple(n for n in names if n == name or (n in around[name] and name in around[n]))
            found.append(same)
            placed.update(same)
    return tuple(found)


def direction(part: tuple[str, ...], arrows: Arrows) -> Direction | Tangle | None:
    """Return the direction of time in which a part can be drawn; None for one without a cycle."""
    inner = {key: offsets for key, offsets in arrows.items() if key[0] in part and key[1] in part and offsets}
    if not inner:
        return None
    if not _turns(part, {key: _last(o) for key, o in inner.items()}):
        return Direction.FORWARD
    if not _turns(part, {key: _last(_mirrored(o)) for key, o in inner.items()}):
        return Direction.BACKWARD
    return Tangle(part, _return(part, inner))


def _last(offsets: Offsets) -> int | None:
    """The largest offset; None if there is none."""
    if offsets.reaches_future:
        return None
    return next(d for d in range(offsets.high, offsets.low - len(offsets.past) - 1, -1) if d in offsets)


def _mirrored(offsets: Offsets) -> Offsets:
    """A set with the mirrored largest member: enough of {-d : d in offsets} for `_last`."""
    if offsets.reaches_past:
        return window(0, None)
    end = offsets.high + len(offsets.future)
    return of(-next(d for d in range(offsets.low - 1, end + 1) if d in offsets))


def _turns(part: tuple[str, ...], weights: dict[tuple[str, str], int | None]) -> bool:
    """Whether some cycle has a sum of 0 or more; None weighs as much as one likes.

    With w' = (n + 1) w + 1 a cycle of at most n arrows has a positive sum iff its own is at least 0, and
    longest walks still grow after n rounds.
    """
    if None in weights.values():
        return True  # within a strongly connected part every arrow lies on a cycle
    scale = len(part) + 1
    longest = dict.fromkeys(part, 0)
    for _ in range(len(part) + 1):
        grown = False
        for (child, parent), weight in weights.items():
            assert weight is not None
            reached = longest[child] + weight * scale + 1
            if reached > longest[parent]:
                longest[parent], grown = reached, True
        if not grown:
            return False
    return True


def _return(part: tuple[str, ...], arrows: Arrows) -> Walk:
    """Return a short closed walk of sum 0 that stays near its start; () if there is none so near."""
    steps: dict[str, list[tuple[str, int]]] = {name: [] for name in part}
    for (child, parent), offsets in arrows.items():
        steps[child] += [(parent, d) for d in sorted(offsets.within(-FARTHEST, FARTHEST), key=abs)]
    for start in part:
        before: dict[Place, Place | None] = {(start, 0): None}
        waiting: list[Place] = [(start, 0)]
        for place in waiting:
            reached = [(name, place[1] + d) for name, d in steps[place[0]] if abs(place[1] + d) <= FARTHEST]
            if (start, 0) in reached:
                return (*_path(place, before), (start, 0))
            for step in reached:
                if step not in before:
                    before[step] = place
                    waiting.append(step)
    return ()


def _path(place: Place | None, before: dict[Place, Place | None]) -> Walk:
    walk: list[Place] = []
    while place is not None:
        walk.append(place)
        place = before[place]
    return tuple(reversed(walk))
