"""What one conditional reads that another does not."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from dvaec.spec.frames import at_frames, at_last
from dvaec.spec.model import LAST, Conditional, Parent
from dvaec.spec.offsets import ALL, NONE, NOW, Offsets, of, window

HOLDING = {0: window(None, -1), 1: window(None, 0), LAST: window(0, None)}
"""The least windows that hold an absolute frame at every t of 1..T."""
HOLDING_ITSELF = {0: window(None, -1), 1: window(None, -1), LAST: window(1, None)}
"""The same of a value's own frames: what waits for it reads nothing where it is that frame itself."""


def beyond(one: Conditional, other: Conditional, zero: Collection[str] = ()) -> tuple[Parent, ...]:
    """Return what `one` reads and `other` does not, in the order of `one`.

    `zero` are the names that have a frame 0, of which the lines of frames 0 and 1 tell.
    """
    if one.frame == LAST:
        return tuple(_beyond_last(one, other))
    if one.frame is not None:
        return tuple(_beyond_counted(one, other, zero))
    found = []
    for parent in one.parents:
        seen = _window(other, parent.name)
        if parent.offsets is not None:
            if rest := parent.offsets - seen:
                found.append(Parent(parent.name, rest))
        elif other.of(parent.name, parent.frame) is None and not _held(one.target, parent, seen):
            found.append(parent)
    return tuple(found)


def read_of_these(lacking: Iterable[Parent], other: Conditional) -> tuple[Parent, ...]:
    """Return what `other` does read of the frames that it lacks.

    So it does of single frames within the open windows that it lacks, and, at some t, of the single frames
    that it lacks, where an open window of its own holds them.
    """
    lacking = tuple(lacking)
    opened = {p.name: p.offsets for p in lacking if p.offsets is not None and not p.offsets.finite}
    single = {(p.name, p.frame) for p in lacking}
    found = []
    for p in other.parents:
        if p.frame is not None and p.name in opened:
            there = bool(opened[p.name] & (window(1, None) if p.frame == LAST else window(None, 0)))
        else:
            ahead = p.offsets is not None and p.offsets.reaches_future and (p.name, LAST) in single
            back = p.offsets is not None and p.offsets.reaches_past
            there = ahead or (back and any((p.name, frame) in single for frame in (0, 1)))
        found += [p] if there else []
    return tuple(found)


def _held(target: str, parent: Parent, seen: Offsets) -> bool:
    """Whether a window always holds an absolute frame."""
    holding = HOLDING_ITSELF if parent.name == target else HOLDING
    return parent.frame is not None and holding[parent.frame] <= seen


def _beyond_counted(one: Conditional, other: Conditional, zero: Collection[str]) -> Iterator[Parent]:
    """Yield what the line of frame 0 or 1 reads and another does not, the frames of each name together."""
    for name in dict.fromkeys(parent.name for parent in one.parents):
        seen, some = frames_read(other, name), [p for p in one.parents if p.name == name]
        if frames := frames_read(one, name) - seen:
            yield from at_frames(name, frames, 0 if name in zero else 1, one.frame or 0)
        for parent in some:
            there = parent.frame == LAST and window(1, None) <= seen
            if parent.offsets is None and parent.frame in (None, LAST) and not there:
                yield from () if other.of(name, parent.frame) else (parent,)


def _beyond_last(one: Conditional, other: Conditional) -> Iterator[Parent]:
    """Yield what the line of frame T reads and another does not, the frames of each name together."""
    for name in dict.fromkeys(parent.name for parent in one.parents):
        seen, some = _back_from_last(other, name), [p for p in one.parents if p.name == name]
        yield from at_last(name, _back_from_last(one, name) - seen)
        for parent in (p for p in some if p.offsets is None and p.frame != LAST):
            whole = window(None, -1) if name == one.target else window(None, 0)
            there = parent.frame is not None and whole <= seen
            yield from () if there or other.of(name, parent.frame) else (parent,)


def _back_from_last(conditional: Conditional, name: str) -> Offsets:
    """Return the frames of a name, counted from T, that the line of frame T reads; 0 and 1 have no place."""
    found = NONE
    for parent in (p for p in conditional.parents if p.name == name):
        found |= NOW if parent.frame == LAST else (parent.offsets or NONE) & window(None, 0)
    return found


def frames_read(conditional: Conditional, name: str) -> Offsets:
    """Return the frames of a name, as numbers, that the line of frame 0 or 1 reads; T has none."""
    frames = NONE
    for parent in (p for p in conditional.parents if p.name == name):
        if parent.offsets is not None:
            frames |= parent.offsets.shift(conditional.frame or 0)
        elif parent.frame in (0, 1):
            frames |= of(parent.frame)
    return frames


def _window(conditional: Conditional, name: str) -> Offsets:
    parent = conditional.of(name)
    return parent.offsets if parent is not None and parent.offsets is not None else NONE


def beside_itself(seen: Conditional) -> Conditional:
    """Leave z_0 itself out of the frames that its network sees: it counts as seeing all others."""
    kept = []
    for p in seen.parents:
        itself = (p.name, seen.frame) == (seen.target, 0) and p.offsets == ALL
        kept.append(Parent(p.name, window(1, None)) if itself else p)
    return Conditional(seen.target, tuple(kept), seen.frame)
