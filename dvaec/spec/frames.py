"""Absolute frames in words of the page, and what a reference or a line means as a value."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dvaec.spec.conditionals import Line
from dvaec.spec.model import LAST, Conditional, Parent
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


def conditional_of(line: Line, names: Sequence[str]) -> Conditional:
    """Unite the windows of each parent; parents in the order of `names`, relative before absolute ones.

    Of unknown names there must be none.
    """
    return Conditional(line.target.name, united(map(parent_of, line.parents), names), numbered(line))


def united(parents: Iterable[Parent], names: Sequence[str]) -> tuple[Parent, ...]:
    """Return each name and absolute frame once, sorted by `names`; T comes last of a name's frames."""
    found: dict[tuple[str, int | None], Parent] = {}
    for parent in parents:
        before = found.get((parent.name, parent.frame), parent)
        if before.offsets is not None and parent.offsets is not None:
            parent = Parent(parent.name, before.offsets | parent.offsets)
        found[parent.name, parent.frame] = parent
    place = {None: 0, 0: 1, 1: 2, LAST: 3}
    return tuple(sorted(found.values(), key=lambda p: (names.index(p.name), place[p.frame])))
