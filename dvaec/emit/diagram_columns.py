"""Which columns of a picture a reader in one of them reads: slices, plates and ellipses, single frames."""

from __future__ import annotations

from dvaec.emit.diagram import AFTER, EARLIER, FINAL, FIRST, FUTURE, LATER, PAST, ZERO
from dvaec.spec.offsets import Offsets

EARLY = (ZERO, FIRST)
LATE = (FINAL, AFTER)


def reads_column(slices: tuple[int, ...], offsets: Offsets, reader: int, source: int) -> bool:
    """Whether a reader in one column reads the frame, or one of the frames, of another."""
    if reader in slices:
        if source in slices:
            return source - reader in offsets
        if source in (EARLIER, PAST):
            open_end = offsets.reaches_past
            return (source == EARLIER) is open_end and any_within(offsets, None, slices[0] - 1 - reader)
        if source in (FUTURE, LATER):
            open_end = offsets.reaches_future
            return (source == LATER) is open_end and any_within(offsets, slices[-1] + 1 - reader, None)
        return offsets.reaches_past if source in EARLY else offsets.reaches_future
    if source == reader:
        return 0 in offsets
    if reader == FIRST:
        if source == ZERO:
            return -1 in offsets
        if source == PAST:
            return not offsets.reaches_future and any_within(offsets, 1, None)
        return source != FUTURE and offsets.reaches_future
    if source == AFTER:
        return 1 in offsets
    if source == FUTURE:
        return not offsets.reaches_past and any_within(offsets, None, -1)
    return source != PAST and offsets.reaches_past


def any_within(offsets: Offsets, low: int | None, high: int | None) -> bool:
    """Whether the set has a member between two bounds; None is no bound."""
    reach = offsets.reach + abs(low or 0) + abs(high or 0) + 1
    return bool(offsets.within(-reach if low is None else low, reach if high is None else high))
