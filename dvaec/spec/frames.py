"""Absolute frames in words of the page, and what a reference or a line means as a value."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from dvaec.spec.conditionals import Line
from dvaec.spec.model import LAST, Conditional, Parent
from dvaec.spec.offsets import ALL, NONE, NOW, Offsets, of, window
from dvaec.spec.subscripts import Reference

FRAMES = {"0": 0, "1": 1, "T": LAST}  # others are reported where the names are checked


def parent_of(reference: Reference) -> Parent:
    """Return what a reference means."""
    return Parent(reference.name, reference.offsets, FRAMES.get(reference.frame or ""))


def numbered(line: Line) -> int | None:
    """Return the frame of a numbered line, z_0, z_1 or z_T; None for every other."""
    return parent_of(line.target).frame


def label(line: Line) -> str:
    """Return the key of a line's places: its target, with its number if it has one."""
    return line.target.name if line.target.frame is None else f"{line.target.name}_{line.target.frame}"


def settled(reference: Reference, frame: int, zero: Collection[str]) -> tuple[Reference, ...]:
    """Return what a reference means in the line of frame 0, 1 or T, where windows may count frames.

    As values these are relative to the line's own frame; frames 0, 1 and T alone stay as they are. `zero` are
    the names that have a frame 0, which z_<1:T> leaves out.
    """
    if frame == LAST:
        here = reference.counted and reference.offsets == NOW
        return (replace(reference, offsets=None, frame="T", begins=None) if here else reference,)
    if reference.counted and reference.offsets is not None:
        frames = reference.offsets
    elif (reference.frame or "").isdigit() and reference.frame not in FRAMES:
        frames = of(int(reference.frame or ""))
    elif reference.offsets == ALL and reference.begins == "1" and reference.name in zero:
        frames = window(1, None)
    else:
        return (reference,)
    if frames <= of(0, 1):
        single = (str(at) for at in frames.members)
        return tuple(replace(reference, offsets=None, frame=at, begins=None, counted=True) for at in single)
    return (replace(reference, offsets=frames.shift(-frame), frame=None, counted=True),)


def at_frames(name: str, frames: Offsets, first: int, reader: int) -> tuple[Parent, ...]:
    """Return the frames of a name, the first of which is `first`, as the line of frame 0 or 1 reads them.

    There is one form of each meaning: all frames are ALL, nothing but frames 0 and 1 is these one by one, any
    other window is relative to the reader.
    """
    frames = frames & window(first, None)
    if frames == window(first, None):
        return (Parent(name, ALL),)
    if frames <= of(0, 1):
        return tuple(Parent(name, None, at) for at in frames.members)
    return (Parent(name, frames.shift(-reader)),)


def at_last(name: str, offsets: Offsets) -> tuple[Parent, ...]:
    """Return frames of a name, relative to T, as the line of frame T reads them.

    There is one form of each meaning: everything up to T is ALL, nothing but T is that frame, any other
    window is relative to T.
    """
    offsets = offsets & window(None, 0)
    if offsets == window(None, 0):
        return (Parent(name, ALL),)
    return (Parent(name, None, LAST) if offsets == NOW else Parent(name, offsets),) if offsets else ()


def conditional_of(line: Line, names: Sequence[str], zero: Collection[str]) -> Conditional:
    """Unite the windows of each parent; parents in the order of `names`, relative before absolute ones.

    Of unknown names there must be none. `zero` are the names that have a frame 0.
    """
    frame = numbered(line)
    return Conditional(line.target.name, united(map(parent_of, line.parents), names, zero, frame), frame)


def united(
    parents: Iterable[Parent], names: Sequence[str], zero: Collection[str], frame: int | None
) -> tuple[Parent, ...]:
    """Return each name and absolute frame once, sorted by `names`; T comes last of a name's frames.

    `frame` is that of the line; what one of frame 0, 1 or T reads of a name is in its one form (`at_frames`,
    `at_last`).
    """
    found: dict[tuple[str, int | None], Parent] = {}
    for parent in parents:
        before = found.get((parent.name, parent.frame), parent)
        if before.offsets is not None and parent.offsets is not None:
            parent = Parent(parent.name, before.offsets | parent.offsets)
        found[parent.name, parent.frame] = parent
    if frame in (0, 1):
        found = {(p.name, p.frame): p for p in _counted(found.values(), zero, frame)}
    elif frame == LAST:
        found = {(p.name, p.frame): p for p in _counted_back(found.values())}
    place = {None: 0, 0: 1, 1: 2, LAST: 3}
    return tuple(sorted(found.values(), key=lambda p: (names.index(p.name), place[p.frame])))


def _counted(parents: Iterable[Parent], zero: Collection[str], reader: int) -> Iterable[Parent]:
    """Yield what the line of frame 0 or 1 reads, the frames of each name in their one form."""
    parents = tuple(parents)
    for name in dict.fromkeys(p.name for p in parents):
        first, frames, rest = 0 if name in zero else 1, NONE, list[Parent]()
        for one in (p for p in parents if p.name == name):
            if one.offsets is not None:
                frames |= one.offsets.shift(reader)
            elif one.frame in (0, 1):
                frames |= of(one.frame)
            else:
                rest.append(one)
        yield from at_frames(name, frames, first, reader) if frames else ()
        yield from (one for one in rest if one.frame is None or not window(1, None) <= frames)


def _counted_back(parents: Iterable[Parent]) -> Iterable[Parent]:
    """Yield what the line of frame T reads, the frames of each name in their one form."""
    parents = tuple(parents)
    for name in dict.fromkeys(p.name for p in parents):
        some = [p for p in parents if p.name == name]
        offsets = NONE
        for one in some:
            offsets |= NOW if one.frame == LAST else one.offsets or NONE
        yield from at_last(name, offsets)
        whole = window(None, 0) <= offsets
        yield from (p for p in some if p.offsets is None and p.frame != LAST and not whole)


def runs(numbers: Iterable[int]) -> list[list[int]]:
    """Part increasing numbers into runs without gaps."""
    found: list[list[int]] = []
    for number in numbers:
        if found and found[-1][-1] == number - 1:
            found[-1].append(number)
        else:
            found.append([number])
    return found
