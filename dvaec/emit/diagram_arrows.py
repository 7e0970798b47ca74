"""From links, as a reader has them, to the arrows of a picture.

A link z_{t+d} -> x_t with offsets D becomes, for each slice f, an arrow from every visible frame f + d, d in
D, and one from the ellipsis of either end if D reaches past it. Where single frames (0, 1, T, T+1) are drawn,
they read and are read by the same rule (by a window with a stride: if it reads that frame at some t); a
recurrence from or to such a frame leads through the ellipsis.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from dvaec.emit.diagram import AFTER, FINAL, FIRST, FUTURE, PAST, SLICES, ZERO, Arrow, Place, Tone
from dvaec.spec.model import LAST, Parent
from dvaec.spec.offsets import Offsets

COLUMN_OF = {0: ZERO, 1: FIRST, LAST: FINAL}
"""By absolute frame: where it stands."""

_EARLY = (ZERO, FIRST)
_LATE = (FINAL, AFTER)


@dataclass(frozen=True)
class Link:
    """All arrows of one template link: what `target` reads; with `column`, at that frame alone."""

    parent: Parent
    target: str
    column: int | None = None
    tone: Tone = Tone.PLAIN


def arrows_of(
    links: Iterable[Link], own: Iterable[Place], static: frozenset[str]
) -> tuple[tuple[Arrow, ...], tuple[Place, ...]]:
    """Return the arrows, and the single frames drawn.

    `own` are the places with reads of their own (numbered conditionals, starts): they read nothing else.
    """
    view = _View(tuple(links), tuple(own), static)
    shown = view.shown()
    arrows = dict.fromkeys(arrow for link in view.links for arrow in view.arrows(link, shown))
    for link in view.links:
        arrows.update(dict.fromkeys(view.leading_on(link, shown, {a.source for a in arrows})))
    return tuple(arrows), shown


@dataclass(frozen=True)
class _View:
    links: tuple[Link, ...]
    own: tuple[Place, ...]
    static: frozenset[str]

    def shown(self) -> tuple[Place, ...]:
        """The single frames: those with reads of their own, those read absolutely, and what these read."""
        found = dict.fromkeys(self.own)
        for link in self.links:
            if link.parent.frame is not None:
                found[Place(link.parent.name, COLUMN_OF[link.parent.frame])] = None
        self._follow(found, list(found))
        if any(place.frame == FIRST for place in found):  # then z_0 leads to z_1, and not past that column
            after = [
                Place(k.target, FIRST)
                for k in self.links
                if Place(k.parent.name, ZERO) in found and self._leaves(k)
            ]
            new = [place for place in dict.fromkeys(after) if place not in found]
            found.update(dict.fromkeys(new))
            self._follow(found, new)
        return tuple(found)

    def _leaves(self, link: Link) -> bool:
        """Whether a link leads from frame 0 to frame 1: a recurrence, or where there is none, any other."""
        offsets, name = link.parent.offsets, link.parent.name
        if offsets is None or -1 not in offsets or link.column is not None or link.target in self.static:
            return False
        recurs = any(k.parent.name == k.target == name and k.column is None for k in self.links)
        return link.target == name or not recurs

    def _follow(self, found: dict[Place, None], queue: list[Place]) -> None:
        """Add what single frames read at the same frame, and so on."""
        while queue:
            place = queue.pop(0)
            if place in self.own:
                continue
            for link in self.links:
                offsets = link.parent.offsets
                if (
                    link.target != place.name
                    or link.column is not None
                    or offsets is None
                    or 0 not in offsets
                ):
                    continue
                source = Place(link.parent.name, place.frame)
                if source not in found:
                    found[source] = None
                    queue.append(source)

    def arrows(self, link: Link, shown: tuple[Place, ...]) -> Iterator[Arrow]:
        """Every arrow of a link."""
        columns: tuple[int | None, ...]
        if link.target in self.static:
            columns = (None,)
        elif link.column is not None:
            columns = (link.column,)
        else:
            single = (
                c for c in (FIRST, FINAL) if (p := Place(link.target, c)) in shown and p not in self.own
            )
            columns = (*SLICES, *single)
        for column in columns:
            target = Place(link.target, column)
            for source in self._sources(link, column, shown):
                if source != target:
                    yield Arrow(source, target, link.tone)

    def _sources(self, link: Link, column: int | None, shown: tuple[Place, ...]) -> list[Place]:
        parent = link.parent
        if parent.frame is not None:
            return [Place(parent.name, COLUMN_OF[parent.frame])]
        if parent.offsets is None:
            return [Place(parent.name, None)]
        singles = [c for c in (*_EARLY, *_LATE) if Place(parent.name, c) in shown]
        if column is None or link.column is not None:  # without a frame t: all frames are read
            read = [PAST, *SLICES, FUTURE, *singles]
        else:
            every = (PAST, *SLICES, FUTURE, *singles)
            read = [source for source in every if _reads(parent.offsets, column, source)]
        return [Place(parent.name, source) for source in read]

    def leading_on(self, link: Link, shown: tuple[Place, ...], read: set[Place]) -> Iterator[Arrow]:
        """The arrows from a single frame into an ellipsis, and from the slices towards a single frame."""
        offsets, source, target = link.parent.offsets, link.parent.name, link.target
        if offsets is None or link.column is not None or target in self.static:
            return
        recurs = source == target
        forward, backward = _any(offsets, None, -1), _any(offsets, 1, None)
        pairs = [
            (ZERO, PAST, self._leaves(link) and Place(target, FIRST) not in shown),
            (FIRST, PAST, recurs and forward),
            (SLICES[0], PAST, recurs and backward and Place(target, FIRST) in shown),
            (SLICES[-1], FUTURE, recurs and forward and Place(target, FINAL) in shown),
            (FINAL, FUTURE, recurs and backward),
            (AFTER, FUTURE, recurs and 1 in offsets and Place(target, FINAL) not in shown),
        ]
        for start, ellipsis, there in pairs:
            begins, ends = Place(source, start), Place(target, ellipsis)
            if there and (start in SLICES or begins in shown) and ends in read:
                yield Arrow(begins, ends, link.tone)


def _reads(offsets: Offsets, reader: int, source: int) -> bool:
    """Whether a reader in one column reads the frame, or one of the frames, of another."""
    if reader in SLICES:
        if source in SLICES:
            return source - reader in offsets
        if source == PAST:
            return _any(offsets, None, SLICES[0] - 1 - reader)
        if source == FUTURE:
            return _any(offsets, SLICES[-1] + 1 - reader, None)
        return offsets.reaches_past if source in _EARLY else offsets.reaches_future
    if source == reader:
        return 0 in offsets
    if reader == FIRST:
        if source == ZERO:
            return -1 in offsets
        return _any(offsets, 1, None) if source == PAST else offsets.reaches_future
    if source == AFTER:
        return 1 in offsets
    return _any(offsets, None, -1) if source == FUTURE else offsets.reaches_past


def _any(offsets: Offsets, low: int | None, high: int | None) -> bool:
    """Whether the set has a member between two bounds; None is no bound."""
    reach = offsets.reach + 2 * FUTURE
    return bool(offsets.within(-reach if low is None else low, reach if high is None else high))
