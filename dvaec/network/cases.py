"""Where frames 1 and T can be, seen from frame t: finitely many cases that together are all t and T.

Any partition of the offsets is sound: a T-frame network at frame t is part of the line of its own case. The
finer it is, the less is laid over one another that is never there at once. So frame 1 is put at each single
offset near t, where it may touch what t is linked to, and farther away at all offsets of one residue of the
period with which the moral component of t repeats, and of the strides that families keep
(`dvaec.network.strides`), which lines of frame T may be the first to link to t: what a stride links there, it
links for all of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import lcm

from dvaec.network.scenes import Case, own_lines
from dvaec.network.strides import stride
from dvaec.network.template import Template, reflect
from dvaec.spec.model import LAST
from dvaec.spec.offsets import NONE, Offsets, of, window

MOST_CASES = 400


def unnumbered(template: Template, asked: tuple[int, ...] = ()) -> bool:
    """Whether no family, and nothing that is `asked`, tells frame 0, 1 or T from the others."""
    return not _told(template, (0, 1), asked) and not _told(template, (LAST,), asked)


def end_is_told(template: Template, frame: int) -> bool:
    """Whether a family tells frame 0 or 1 (or, of frame T, that one) from the others."""
    return _told(template, (LAST,) if frame == LAST else (0, 1), ())


def cases_near(
    template: Template, served: tuple[int, int], near: int, period: int, asked: tuple[int, ...] = ()
) -> Iterator[Case]:
    """Yield the cases of the t that are `served` and all T: single offsets up to `near`, then residues.

    Served is every t from the first number on, but for as many frames before the end as the second one says.
    The residues are of `period`.

    Frames that are `asked` about are told from the others, too.

    Where these would be more than MOST_CASES they are taken with fewer residues or none, or from nearer to t.
    """
    first, last = _told(template, (0, 1), asked), _told(template, (LAST,), asked)
    both = first and last

    def count() -> int:
        return (near + period) ** (2 if both else 1)

    plain, period = period, lcm(period, stride(template))
    for fewer in (plain, 1):
        period = fewer if count() > MOST_CASES else period
    while near and count() > MOST_CASES:
        near //= 2
    back = tuple(_away(served[0] - 1, near, period)) if first else (NONE,)
    ahead = tuple(_away(served[1], near, period)) if last else (NONE,)
    for one in back:
        for other in ahead:
            yield Case(reflect(one), other)


def cases_beside(
    template: Template, frame: int, nearest: int, near: int, period: int, asked: tuple[int, ...]
) -> Iterator[Offsets]:
    """Yield where frame T can be, seen from frame 0 or 1, or frame 1 from T: `nearest` frames off or more.

    `frame` says which of the two is looked for.
    """
    if not _told(template, (LAST,) if frame == LAST else (0, 1), asked):
        yield NONE
        return
    kept = lcm(period, stride(template))
    period = kept if near + kept <= MOST_CASES else period
    if near + period > MOST_CASES:
        near, period = min(near, MOST_CASES), 1
    away = _away(nearest, near, period)
    yield from away if frame == LAST else map(reflect, away)


def _told(template: Template, frames: tuple[int, ...], asked: tuple[int, ...]) -> bool:
    if any(frame in frames for frame in asked):
        return True
    lines = own_lines(template)
    if any(line.frame in frames for line in lines):
        return True
    families = (*template.families, *lines)
    return any(parent.frame in frames for family in families for parent in family.parents)


def _away(nearest: int, near: int, period: int) -> Iterator[Offsets]:
    """Yield sets that together are all distances from `nearest` on."""
    yield from (of(d) for d in range(nearest, near))
    far = max(near, nearest)
    yield from (window(far + k, None, period) for k in range(period))
