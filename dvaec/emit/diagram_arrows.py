"""From links, as a reader has them, to the arrows of a picture.

A link z_{t+d} -> x_t with offsets D becomes, for each slice f, an arrow from every visible frame f + d, d in
D, and at either end, if D reaches past it, one from the plate (where D is open there) or the ellipsis. Where
single frames (0, 1, T, T+1) are drawn, they read by the same rule, and are read by themselves where no plate
names them (by a window with a stride: if it reads that frame at some t); a recurrence from or to such a frame
leads through the ellipsis, or the plate.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from dvaec.emit.diagram import AFTER, EARLIER, FINAL, FIRST, FUTURE, LATER, PAST, ZERO, Arrow, Place, Tone
from dvaec.emit.diagram_columns import EARLY, LATE, any_within, reads_column
from dvaec.spec.model import LAST, Parent
from dvaec.spec.offsets import ALL, Offsets, window

COLUMN_OF = {0: ZERO, 1: FIRST, LAST: FINAL}
"""By absolute frame: where it stands."""


@dataclass(frozen=True)
class Link:
    """All arrows of one template link: what `target` reads; with `column`, at that frame alone."""

    parent: Parent
    target: str
    column: int | None = None
    tone: Tone = Tone.PLAIN


@dataclass(frozen=True)
class Arrows:
    """The arrows of a picture, the single frames drawn, and the plates that some arrow reads in part only."""

    arrows: tuple[Arrow, ...]
    singles: tuple[Place, ...]
    partial: tuple[Place, ...] = ()


def arrows_of(
    links: Iterable[Link], own: Iterable[Place], static: frozenset[str], slices: tuple[int, ...]
) -> Arrows:
    """Return the arrows that enter the slices and the single frames.

    `own` are the places with reads of their own (numbered conditionals, starts): they read nothing else.
    """
    view = _View(tuple(links), tuple(own), static, slices)
    shown = view.shown()
    arrows = dict.fromkeys(arrow for link in view.links for arrow in view.arrows(link, shown))
    for link in view.links:
        arrows.update(dict.fromkeys(view.leading_on(link, shown, {a.source for a in arrows})))
    partial = dict.fromkeys(place for link in view.links for place in view.partly_read(link, shown))
    return Arrows(_without_read_gold(tuple(arrows)), shown, tuple(partial))


def _without_read_gold(arrows: tuple[Arrow, ...]) -> tuple[Arrow, ...]:
    """Leave out golden arrows from a frame that q does read, by its number; plates stand for several."""
    plates, single = (EARLIER, PAST, FUTURE, LATER), tuple(COLUMN_OF.values())
    links = [a for a in arrows if a.tone is not Tone.GOLDEN and a.source.frame not in plates]
    read = {(a.source, a.target) for a in links}
    read |= {  # and at the frames of a plate, where it is read at those beside them
        (a.source, Place(a.target.name, plate))
        for a in links
        if a.source.frame in single and a.target.frame not in single
        for plate in plates
    }
    return tuple(a for a in arrows if a.tone is not Tone.GOLDEN or (a.source, a.target) not in read)


@dataclass(frozen=True)
class _View:
    links: tuple[Link, ...]
    own: tuple[Place, ...]
    static: frozenset[str]
    slices: tuple[int, ...]

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
        for column in self._columns(link, shown):
            target = Place(link.target, column)
            for source in self._sources(link, column, shown):
                if source != target:
                    yield Arrow(source, target, link.tone)

    def _columns(self, link: Link, shown: tuple[Place, ...]) -> tuple[int | None, ...]:
        """Where the link's target stands."""
        if link.target in self.static:
            return (None,)
        if link.column is not None:
            return (link.column,)
        single = (c for c in (FIRST, FINAL) if (p := Place(link.target, c)) in shown and p not in self.own)
        return (*self.slices, *single)

    def _sources(self, link: Link, column: int | None, shown: tuple[Place, ...]) -> list[Place]:
        parent = link.parent
        if parent.frame is not None:
            return [Place(parent.name, COLUMN_OF[parent.frame])]
        if parent.offsets is None:
            return [Place(parent.name, None)]
        singles = [c for c in (*EARLY, *LATE) if Place(parent.name, c) in shown]
        every = (EARLIER, PAST, *self.slices, FUTURE, LATER, *singles)
        if (counted := _counted(link)) is not None:
            reader = FINAL if link.column == FINAL else FIRST
            read = [source for source in every if reads_column(self.slices, counted, reader, source)]
        elif column is None or link.column is not None:  # without a frame t: all frames are read
            read = [EARLIER, *self.slices, LATER, *singles]
        else:
            read = [source for source in every if reads_column(self.slices, parent.offsets, column, source)]
        for plate, ends in ((EARLIER, EARLY), (LATER, LATE)):
            if plate in read and self._names_all(parent.name, plate, shown):
                read = [source for source in read if source == column or source not in ends]
        return [Place(parent.name, source) for source in read]

    def _names_all(self, name: str, plate: int, shown: tuple[Place, ...]) -> bool:
        """Whether a plate names the single frames on its side too.

        Not if the variable reads itself, so that they lead on to the plate, nor if what stands at the single
        frame reads the plate, which then is what lies between.
        """
        column = FIRST if plate == EARLIER else FINAL
        for link in self.links:
            offsets = link.parent.offsets
            if link.parent.name != name or offsets is None or link.target in self.static:
                continue
            one = Place(link.target, column)
            there = one in shown and one not in self.own and link.column is None
            reads = link.column == column or (there and reads_column(self.slices, offsets, column, plate))
            if link.target == name or reads:
                return False
        return True

    def leading_on(self, link: Link, shown: tuple[Place, ...], read: set[Place]) -> Iterator[Arrow]:
        """The arrows from a single frame into an ellipsis, and from the slices towards a single frame."""
        offsets, source, target = link.parent.offsets, link.parent.name, link.target
        if offsets is None or link.column is not None or target in self.static:
            return
        recurs = source == target
        forward, backward = any_within(offsets, None, -1), any_within(offsets, 1, None)
        left, right = (EARLIER, PAST), (LATER, FUTURE)
        pairs = [
            (ZERO, left, self._leaves(link) and Place(target, FIRST) not in shown),
            (FIRST, left, recurs and forward),
            (self.slices[0], left, recurs and backward and Place(target, FIRST) in shown),
            (self.slices[-1], right, recurs and forward and Place(target, FINAL) in shown),
            (FINAL, right, recurs and backward),
            (AFTER, right, recurs and 1 in offsets and Place(target, FINAL) not in shown),
        ]
        for start, (plate, ellipsis), there in pairs:
            begins = Place(source, start)
            if there and (start in self.slices or begins in shown):
                # A recurrence of one step goes through the ellipsis, if there is one.
                ways = (ellipsis, plate) if offsets.finite else (plate, ellipsis)
                ends = [Place(target, way) for way in ways if Place(target, way) in read][:1]
                yield from (Arrow(begins, end, link.tone) for end in ends)

    def partly_read(self, link: Link, shown: tuple[Place, ...]) -> Iterator[Place]:
        """The plates of a link that one of its readers does not read all of."""
        offsets = link.parent.offsets
        counted, last = _counted(link), link.column == FINAL
        if counted is not None and (counted.reaches_past if last else counted.reaches_future):
            others = window(None, -1) if last else window(1, None)
            plates = () if others <= counted else (EARLIER, LATER)
            yield from (Place(link.parent.name, plate) for plate in plates)
        if offsets is None or link.column is not None or link.target in self.static or offsets == ALL:
            return
        low, high = self.slices[0] - 1, self.slices[-1] + 1
        for column in self._columns(link, shown):
            assert column is not None
            if column in self.slices:
                whole = {EARLIER: window(None, low - column), LATER: window(high - column, None)}
            else:
                side = window(1, None) if column == FIRST else window(None, -1)
                whole = {EARLIER: side, LATER: side}
            for plate, all_of_it in whole.items():
                if reads_column(self.slices, offsets, column, plate) and not all_of_it <= offsets:
                    yield Place(link.parent.name, plate)


def _counted(link: Link) -> Offsets | None:
    """A window of frame 0, 1 or T that is not of all frames, relative to frame 1, or to T."""
    offsets = link.parent.offsets
    if link.column not in (ZERO, FIRST, FINAL) or offsets is None or offsets == ALL:
        return None
    return offsets.shift(-1) if link.column == ZERO else offsets
