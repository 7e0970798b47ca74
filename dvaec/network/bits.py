"""Sets of frames as the bits of one number, and windows as what moves them.

A *space* says which frame a bit stands for. On a `Line` bit k is frame low + k, and what leaves the line is
lost. In `Marks` there are four bits: frame 0, frame 1, frame T, and any other. There a set is known only up
to what can be said without a frame t, and a move that would need more returns all four: a superset.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Protocol

from dvaec.spec.offsets import Offsets


@dataclass(frozen=True)
class Stencil:
    """A window as runs (first member, count) and endless rays (first member, step; a step < 0 goes down)."""

    runs: tuple[tuple[int, int], ...]
    rays: tuple[tuple[int, int], ...]

    def reflected(self) -> Stencil:
        """Return the stencil of {-d}: from the parent's view to its children."""
        return Stencil(
            tuple((-first - count + 1, count) for first, count in self.runs),
            tuple((-first, -step) for first, step in self.rays),
        )

    def __contains__(self, d: int) -> bool:
        if any(first <= d < first + count for first, count in self.runs):
            return True
        return any((d - first) % step == 0 and (d - first) * step >= 0 for first, step in self.rays)

    def beyond(self, d: int) -> bool:
        """Whether it has a member larger than d."""
        ahead = any(step > 0 for _, step in self.rays) or any(first > d for first, _ in self.rays)
        return ahead or any(first + count - 1 > d for first, count in self.runs)

    def up_to(self, last: int) -> Stencil:
        """Return the members up to `last`."""
        runs = [(first, min(count, last + 1 - first)) for first, count in self.runs if first <= last]
        down = [(first, step) for first, step in self.rays if step < 0]
        rays = [(first if first <= last else last + (first - last) % step, step) for first, step in down]
        runs += [(d, 1) for first, step in self.rays if step > 0 for d in range(first, last + 1, step)]
        return Stencil(tuple(runs), tuple(rays))

    def since(self, first: int) -> Stencil:
        """Return the members from `first` on."""
        return self.reflected().up_to(-first).reflected()


@lru_cache(maxsize=1024)
def stencil(offsets: Offsets) -> Stencil:
    """Return a window as a stencil."""
    runs: list[tuple[int, int]] = []
    for k, there in enumerate(offsets.inside):
        d = offsets.low + k
        if there and runs and sum(runs[-1]) == d:
            runs[-1] = (runs[-1][0], runs[-1][1] + 1)
        elif there:
            runs.append((d, 1))
    down = ((offsets.low - 1 - k, -len(offsets.past)) for k, there in enumerate(offsets.past) if there)
    up = ((offsets.high + k, len(offsets.future)) for k, there in enumerate(offsets.future) if there)
    return Stencil(tuple(runs), (*down, *up))


class Space(Protocol):
    """Where sets of frames live."""

    def spread(self, bits: int, by: Stencil) -> int:
        """Return {s + d : s in bits, d in by}, or a superset."""
        ...

    def fill(self, bits: int, step: int, through: int) -> int:
        """Return what is reached from `bits` by steps that each end in `through`."""
        ...


@dataclass(frozen=True)
class Line:
    """The frames low..high."""

    low: int
    high: int

    @cached_property
    def full(self) -> int:
        """All frames."""
        return (1 << (self.high - self.low + 1)) - 1

    def spread(self, bits: int, by: Stencil) -> int:
        """Return {s + d : s in bits, d in by} on the line."""
        if not bits:
            return 0
        found = 0
        for first, count in by.runs:
            found |= _moved(bits if count == 1 else _dilated(bits, count), first)
        for first, step in by.rays:
            if step > 0 > first:  # what leaves the line below comes in again
                wide = (1 << (self.high - self.low + 1 - first)) - 1
                found |= _filled(bits, step, wide) >> -first
            else:
                found |= _filled(_moved(bits, first), step, self.full << max(0, first))
        return found & self.full

    def window(self, offsets: Offsets, around: int) -> int:
        """Return the frames of a window relative to the frame `around`."""
        by = stencil(offsets)
        if self.low <= around <= self.high:
            return self.spread(1 << (around - self.low), by)
        raise ValueError("the window's own frame is not on the line")

    def fill(self, bits: int, step: int, through: int) -> int:
        """Return what is reached from `bits` by steps that each end in `through`; doubling, so log many."""
        width = self.high - self.low + 1
        while through and abs(step) < width:
            bits |= through & _moved(bits, step)
            through &= _moved(through, step)
            step *= 2
        return bits


ZERO, ONE, FINAL, OTHER = 1, 2, 4, 8
ANY = ZERO | ONE | FINAL | OTHER


@dataclass(frozen=True)
class Marks:
    """Frame 0, frame 1, frame T, any other: what can be said without a frame t.

    Frame T is frame 1 where T = 1, and frame 2 is frame T where T = 2; so OTHER is never without the others.
    """

    def spread(self, bits: int, by: Stencil) -> int:
        """Return a superset of {s + d : s in bits, d in by}."""
        found = 0
        if bits & OTHER and (by.runs or by.rays):
            return ANY
        for frame, mark in ((0, ZERO), (1, ONE)):
            if bits & mark:
                if by.beyond(1 - frame):
                    return ANY
                found |= (ZERO if -frame in by else 0) | (ONE if 1 - frame in by else 0)
        if bits & FINAL:
            if by.reflected().beyond(0):
                return ANY
            found |= FINAL if 0 in by else 0
        return found

    def fill(self, bits: int, step: int, through: int) -> int:
        """Return `bits`: there is no need to hurry."""
        del step, through
        return bits


def _moved(bits: int, by: int) -> int:
    return bits << by if by >= 0 else bits >> -by


def _dilated(bits: int, count: int) -> int:
    """Return {s + d : 0 <= d < count}."""
    have = 1
    while have < count:
        more = min(have, count - have)
        bits |= bits << more
        have += more
    return bits


def _filled(bits: int, step: int, full: int) -> int:
    """Return {s + k step : k >= 0} within `full`."""
    while True:
        more = (bits | _moved(bits, step)) & full if step > 0 else bits | _moved(bits, step)
        if more == bits or not more:
            return more
        bits, step = more, step * 2
