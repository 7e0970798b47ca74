"""Where windows that hold for every T are larger than needed, in words."""

from __future__ import annotations

from collections.abc import Iterable

from dvaec.derive.model import DerivedConditional, Looseness, Place, Spare
from dvaec.spec.frames import runs
from dvaec.spec.notation import line

MOST_NAMED = 4


def loose_words(factor: DerivedConditional) -> str:
    """Return the end of a sentence on the windows; nothing where they are the minimum at every frame."""
    loose = factor.loose
    if not loose.compared:
        return "; not compared with the exact minimum at the ends, which would take too long"
    named = f" ({_named(loose)})" if loose.spare else ""
    if loose.lengths:
        return f"; larger than needed {_lengths(loose)}{named}"
    where = loose_frames(loose)
    if not where:
        return ""
    some = "for some T " if loose.varies and not loose.at_some else ""
    more = ", ".join((*_starts(loose.more[0]), *_ends(loose.more[1])))
    besides = f", by more at {more}" if more else ""
    return f"; clipped to 1..T, {some}larger than needed at {where}{named}{besides}"


def interior_words(factor: DerivedConditional, zeros: Iterable[str] = ()) -> str:
    """Say which smaller windows hold at which frames, if there are any; `zeros` have a frame 0."""
    inside = factor.interior
    if inside is None:
        return ""
    last = f"T-{inside.left}" if inside.left else "T"
    return f"; for t = {inside.first} to {last}, {line(inside.conditional, zeros=zeros)} is enough"


def loose_frames(loose: Looseness) -> str:
    """Name the frames t at which windows are larger than needed: `every t`, `every t but t = 1`, `t = 1`."""
    if loose.at_some:
        return "some t"
    if not loose.spare:
        return ", ".join((*_starts(loose.first), *_ends(loose.last)))
    tight = [
        [k for k in range(*bounds) if k not in some]
        for bounds, some in (
            ((1, max(loose.first, default=0)), loose.first),
            ((0, max(loose.last, default=0)), loose.last),
        )
    ]
    but = ", ".join((*_starts(tight[0]), *_ends(tight[1])))
    return f"every t but {but}" if but else "every t"


def spare_word(spare: Spare) -> str:
    """Write a run of frames as a page does: u_T, x_<1:4>, z_<t-3>; a bare name at sequence level."""
    if spare.first is None or spare.last is None:
        return spare.name
    first, last = _place_word(spare.first), _place_word(spare.last)
    if first != last:
        return f"{spare.name}_<{first}:{last}>"
    return f"{spare.name}_{first}" if len(first) == 1 else f"{spare.name}_<{first}>"


def _named(loose: Looseness) -> str:
    words = [spare_word(one) for one in loose.spare]
    more = len(words) - MOST_NAMED
    return ", ".join(words[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def _place_word(place: Place) -> str:
    if place.anchor == "1":
        return str(1 + place.offset)
    return f"{place.anchor}{place.offset:+d}" if place.offset else place.anchor


def _lengths(loose: Looseness) -> str:
    if loose.varies or not loose.spare:
        some = "for some T, as for " if loose.varies else "for "
        return some + ", ".join(_from_to("T", [str(k) for k in run]) for run in runs(sorted(loose.lengths)))
    first = runs(sorted(loose.lengths))[-1][0]
    return "for every T" if first == 1 else f"for every T from {first} on"


def _starts(frames: Iterable[int]) -> list[str]:
    return [_from_to("t", [str(frame) for frame in run]) for run in runs(sorted(frames))]


def _ends(backs: Iterable[int]) -> list[str]:
    return [
        _from_to("t", [f"T-{back}" if back else "T" for back in reversed(run)])
        for run in reversed(runs(sorted(backs)))
    ]


def _from_to(name: str, frames: list[str]) -> str:
    return f"{name} = {frames[0]}" if len(frames) == 1 else f"{name} = {frames[0]} to {frames[-1]}"
