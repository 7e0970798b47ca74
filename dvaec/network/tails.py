"""From the bits of a finite line to an eventually periodic set: the guess that a proof then verifies."""

from __future__ import annotations

from math import lcm

from dvaec.spec.offsets import Offsets, from_predicate


def fitted(bits: int, half: int, trusted: int, room: int) -> Offsets | None:
    """Return the set that agrees with `bits`, offsets -half..half, for |d| <= `trusted` and repeats beyond.

    Each tail repeats for at least two periods and `room` offsets within the trusted part; None if one fails.
    """
    ahead = _tail(bits >> half, trusted, room)
    back = _tail(_reversed(bits, 2 * half + 1) >> half, trusted, room)
    if ahead is None or back is None:
        return None
    high, future = ahead
    low, past = back

    def member(d: int) -> bool:
        if d >= high:
            d = high + (d - high) % future
        elif d <= -low:
            d = -low - (-low - d) % past
        return bool(bits >> (d + half) & 1)

    return from_predicate(-low, high, lcm(past, future), member)


def between(bits: int, half: int, reach: int, period: int) -> Offsets:
    """Return the set given by `bits`, offsets -half..half, that is known to repeat beyond `reach`."""
    return from_predicate(-reach, reach, period, lambda d: bool(bits >> (d + half) & 1))


def _tail(bits: int, trusted: int, room: int) -> tuple[int, int] | None:
    """Return where bits 0..`trusted` begin to repeat, and the smallest period that leaves room to tell."""
    for period in range(1, trusted // 3 + 1):
        compared = (1 << (trusted - period + 1)) - 1
        start = ((bits ^ (bits >> period)) & compared).bit_length()
        if start + 2 * period + room <= trusted:
            return start, period
    return None


def _reversed(bits: int, width: int) -> int:
    return int(format(bits, f"0{width}b")[::-1], 2)
