"""Sets of frame offsets: the meaning of every window of the language and of every derived window.

A window such as x_{1:t-1} is the set of offsets d = s - t of its frames s, here {..., -3, -2, -1};
x_{t:T} is {0, 1, 2, ...}, x_{t-2:t} is {-2, -1, 0}, and a stride of two gives {0, 2, 4, ...}. All these are
*eventually periodic* sets of integers, closed under union, intersection, difference, shift, sum and star,
with one canonical value each, so that equal windows are equal values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import lcm
from operator import and_, gt, or_


@dataclass(frozen=True)
class Offsets:
    """An eventually periodic set of integers in canonical form.

    Members below `low` repeat the pattern `past` (`past[0]` is the membership of `low - 1`, going down),
    members from `low + len(inside)` on repeat `future` (`future[0]` is the first of them, going up), and
    `inside` lists the membership of the offsets between. Build values with the functions of this module,
    which canonicalise.
    """

    low: int
    inside: tuple[bool, ...]
    past: tuple[bool, ...]
    future: tuple[bool, ...]

    @property
    def high(self) -> int:
        """The first offset of the periodic future part."""
        return self.low + len(self.inside)

    def __contains__(self, offset: int) -> bool:
        if offset < self.low:
            return self.past[(self.low - 1 - offset) % len(self.past)]
        if offset >= self.high:
            return self.future[(offset - self.high) % len(self.future)]
        return self.inside[offset - self.low]

    def __bool__(self) -> bool:
        return any(self.past) or any(self.inside) or any(self.future)

    def __or__(self, other: Offsets) -> Offsets:
        if not other or self == other:
            return self
        return _combine(self, other, or_) if self else other

    def __and__(self, other: Offsets) -> Offsets:
        return _combine(self, other, and_)

    def __sub__(self, other: Offsets) -> Offsets:
        return _combine(self, other, gt)  # in a and not in b

    def __le__(self, other: Offsets) -> bool:
        return not self - other

    def shift(self, by: int) -> Offsets:
        """Return {d + by : d in self}."""
        return Offsets(self.low + by, self.inside, self.past, self.future) if self else self

    @property
    def finite(self) -> bool:
        """Whether the set is finite."""
        return not any(self.past) and not any(self.future)

    @property
    def reaches_past(self) -> bool:
        """Whether the set has no smallest member."""
        return any(self.past)

    @property
    def reaches_future(self) -> bool:
        """Whether the set has no largest member."""
        return any(self.future)

    @property
    def members(self) -> tuple[int, ...]:
        """The members of a finite set in increasing order; ValueError for an infinite one."""
        if not self.finite:
            raise ValueError("an open window has no list of members")
        return tuple(self.low + k for k, there in enumerate(self.inside) if there)

    def within(self, low: int, high: int) -> tuple[int, ...]:
        """The members d with low <= d <= high in increasing order."""
        low = low if self.reaches_past else max(low, self.low)
        high = high if self.reaches_future else min(high, self.high - 1)
        return tuple(d for d in range(low, high + 1) if d in self)

    @property
    def reach(self) -> int:
        """The largest |d| that is needed to tell the set from its periodic continuation."""
        return max(abs(self.low), abs(self.high)) + max(len(self.past), len(self.future))


def from_predicate(low: int, high: int, period: int, member: Callable[[int], bool]) -> Offsets:
    """Build the set with the given membership, which must have `period` below `low` and from `high` on."""
    past = tuple(member(low - 1 - k) for k in range(period))
    future = tuple(member(high + k) for k in range(period))
    return _canonical(low, tuple(member(d) for d in range(low, high)), past, future)


def of(*members: int) -> Offsets:
    """Build a finite set."""
    if not members:
        return NONE
    return from_predicate(min(members), max(members) + 1, 1, lambda d: d in members)


def window(start: int | None, stop: int | None, stride: int = 1) -> Offsets:
    """Build {start, ..., stop}, both ends included; None is an open end.

    A stride counts from `start`, or from `stop` where the start is open.
    """
    if start is None and stop is None:
        if stride != 1:
            raise ValueError("a window open at both ends has no end to count its stride from")
        return ALL
    anchor = start if start is not None else stop
    assert anchor is not None
    low = start if start is not None else anchor
    high = (stop if stop is not None else anchor) + 1

    def member(d: int) -> bool:
        below = start is not None and d < start
        above = stop is not None and d > stop
        return not below and not above and (d - anchor) % stride == 0

    return from_predicate(min(low, high), max(low, high), stride, member)


def union(sets: Iterable[Offsets]) -> Offsets:
    """Return the union of any number of sets."""
    total = NONE
    for one in sets:
        total = total | one
    return total


def star(steps: Offsets) -> Offsets:
    """Return the sums of any number (also none) of members of `steps`, all of one sign: an RNN's reach.

    Raises ValueError if the steps do not all point to the same side of zero, or are not finite.
    """
    lags = steps.members
    if not lags:
        return of(0)
    if not (max(lags) < 0 or min(lags) > 0):
        raise ValueError("a recurrence must keep one direction of time")
    sign = 1 if lags[0] > 0 else -1
    sizes = [abs(d) for d in lags]
    # A numerical semigroup has the gcd of its generators as eventual period, from below max * min on.
    bound = max(sizes) * min(sizes) + max(sizes)
    reached = [True] + [False] * (2 * bound)
    for total in range(1, len(reached)):
        reached[total] = any(total >= size and reached[total - size] for size in sizes)
    period = min(sizes)

    def member(d: int) -> bool:
        distance = d * sign
        if distance < 0:
            return False
        if distance >= len(reached):
            distance = bound + (distance - bound) % period
        return reached[distance]

    return from_predicate(-bound if sign < 0 else 0, 1 if sign < 0 else bound, period, member)


def plus(a: Offsets, b: Offsets) -> Offsets:
    """Return the sums {i + j : i in a, j in b}."""
    if not a or not b:
        return NONE
    period = lcm(len(a.past), len(a.future), len(b.past), len(b.future))
    # Two rays {x + p i} and {y + q j} of one direction have sums of period gcd(p, q) from x + y + lcm(p, q)
    # on.
    edge = a.reach + b.reach + 2 * period
    span = 4 * edge
    mask = _mask(a, -span, span)
    sums = 0
    for j in b.within(-span, span):
        sums |= mask << (j + span)
    return from_predicate(-edge, edge, period, lambda d: bool(sums >> (d + 2 * span) & 1))


def _mask(a: Offsets, low: int, high: int) -> int:
    """Return the members of `a` from `low` to `high` as the bits of one number, bit 0 for `low`."""
    return int("".join("1" if d in a else "0" for d in range(high, low - 1, -1)), 2)


def _combine(a: Offsets, b: Offsets, rule: Callable[[bool, bool], bool]) -> Offsets:
    period = lcm(len(a.past), len(a.future), len(b.past), len(b.future))
    low, high = min(a.low, b.low), max(a.high, b.high)
    whole = tuple(map(rule, *(_row(one, low - period, high + period) for one in (a, b))))
    return _canonical(low, whole[period:-period], whole[:period][::-1], whole[-period:])


def _row(a: Offsets, low: int, high: int) -> tuple[bool, ...]:
    """Return the membership of low..high - 1, which hold all that is inside."""
    below, above = a.low - low, high - a.high
    past = (a.past * (below // len(a.past) + 1))[:below][::-1]
    return (*past, *a.inside, *(a.future * (above // len(a.future) + 1))[:above])


def _shortest(pattern: tuple[bool, ...]) -> tuple[bool, ...]:
    """Return the smallest repeating unit of a periodic pattern."""
    n = len(pattern)
    for period in range(1, n):
        if n % period == 0 and pattern == pattern[:period] * (n // period):
            return pattern[:period]
    return pattern


def _canonical(
    low: int, inside: tuple[bool, ...], past: tuple[bool, ...], future: tuple[bool, ...]
) -> Offsets:
    past, future = _shortest(past), _shortest(future)
    # Let the past's pattern swallow what continues it, first inside, then (if that is used up) the future.
    period = lcm(len(past), len(future))
    swallowed = 0
    while swallowed < len(inside) + period:
        k = swallowed - len(inside)
        actual = inside[swallowed] if k < 0 else future[k % len(future)]
        if actual != past[-1]:
            break
        past = past[-1:] + past[:-1] if len(past) > 1 else past
        swallowed += 1
    if swallowed == len(inside) + period:  # the same pattern everywhere: write it from offset zero
        turn = (low + swallowed) % len(past)
        past = tuple(past[(k + turn) % len(past)] for k in range(len(past)))
        return Offsets(0, (), past, tuple(past[-1 - k] for k in range(len(past))))
    low += swallowed
    beyond = max(0, swallowed - len(inside)) % len(future)
    future = future[beyond:] + future[:beyond]
    rest = list(inside[swallowed:])
    while rest and rest[-1] == future[-1]:
        future = future[-1:] + future[:-1] if len(future) > 1 else future
        rest.pop()
    if not any(past) and not rest and not any(future):
        low = 0
    return Offsets(low, tuple(rest), past, future)


NONE = Offsets(0, (), (False,), (False,))
ALL = Offsets(0, (), (True,), (True,))
NOW = of(0)
