"""The frames at an end as nodes apart, where frame 1 or T can be at many offsets of the endless line.

Where frame 1 is at any of many offsets f < 0, it lies on frames that are there for another T: what reads a_1
by its number would meet what an a_t there reads of frames before 1, which are not there. So let each name
have nodes of its own for frames 1..D, and 0: a@s at f + s - 1 for each f; and for the last D frames where T
can be at many offsets g > 0.

Map a T-frame network, with frame 1 at one f and T at one g, into this line: those frames to nodes apart, all
others to the nodes of their names. No frame is of both ends, and t of neither. A node apart has the family
that its frame has; it reads another of its end at their one distance, and what is farther in by those of its
window that lead there. A family farther in reads a@s by those of its window that lead from frame D + 1 or
later to s. Then each family of the T-frame network is mapped into one of the line: relevant nodes to relevant
ones, links to links, E to E, and what is outside E to what is outside. The minimal set is mapped into that of
the line, which hence is sound for every such t and T, and for any D.

It is smaller than with one node for all, since beyond frame 1 no node apart reads anything. What may be left:
a family that is that of frame s + k for one f, and a later one for another, finds both a@s and the a_t at
that place, if it reads k frames back. No finite window does where D is larger than the largest lag; D is less
where that makes too many nodes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from dvaec.network.bits import Line, Stencil, stencil
from dvaec.network.cliques import Clique, Link
from dvaec.network.scenes import Case
from dvaec.network.template import Template
from dvaec.spec.model import LAST, Parent
from dvaec.spec.offsets import NOW, Offsets, of, union

MOST_APART = 64  # nodes at either end
_MARK = "@"


@dataclass(frozen=True)
class Apart:
    """A node of `name` by itself, so many frames after frame 1, or after T (fewer than none), its `end`."""

    name: str
    end: int
    after: int

    @cached_property
    def own(self) -> str:
        """Its name on the line, which no name of a page can be."""
        return f"{self.name}{_MARK}{self.end}{_MARK}{self.after}"

    @property
    def frame(self) -> int | None:
        """Its number, 0, 1 or LAST, if it has one."""
        if self.end == LAST:
            return LAST if self.after == 0 else None
        return 1 + self.after if self.after <= 0 else None


def name_of(node: str) -> str:
    """Return the name that a page has for a node of the line."""
    return node.partition(_MARK)[0]


@dataclass(frozen=True)
class Margins:
    """The frames apart in one case: `deep` many at each of the `ends`."""

    template: Template
    case: Case
    deep: int
    ends: tuple[int, ...]

    @cached_property
    def nodes(self) -> tuple[Apart, ...]:
        """The nodes apart: frame 0 of the names that have it, and as many from either end as stand apart."""
        after = {1: range(self.deep), LAST: range(0, -self.deep, -1)}
        names = [name for name in self.template.names if name not in self.template.static]
        found = [Apart(name, 1, -1) for name in names if name in self.template.zero and 1 in self.ends]
        return (*found, *(Apart(name, end, k) for end in self.ends for name in names for k in after[end]))

    @cached_property
    def _of(self) -> dict[str, list[Apart]]:
        found: dict[str, list[Apart]] = {name: [] for name in self.template.names}
        for node in self.nodes:
            found[node.name].append(node)
        return found

    def places(self, node: Apart, line: Line) -> int:
        """Return where a node can be."""
        return line.window(self.case.places(node.end).shift(node.after), 0)

    def numbered(self, name: str, frame: int | None) -> Apart | None:
        """Return the node of a name at frame 0, 1 or T, if it stands apart."""
        return next((node for node in self._of[name] if frame is not None and node.frame == frame), None)

    def families(self, cliques: Iterable[Clique], line: Line) -> Iterator[Clique]:
        """Yield the families of the line, reading the nodes apart too, and those of these nodes."""
        for clique in cliques:
            if clique.said is None or _end(clique.said) not in self.ends:
                links = (found for link in clique.links for found in self._read(link, line))
                yield replace(clique, links=tuple(filter(_reads, links)))
        for node in self.nodes:
            family = self.template.family(node.name, node.frame)
            if family is not None:
                links = (found for parent in family.parents for found in self._read_by(node, parent, line))
                yield Clique(node.own, self.places(node, line), tuple(filter(_reads, links)), node.frame)

    def _read(self, link: Link, line: Line) -> Iterator[Link]:
        """Yield what one link reads of the nodes of its name, its child being none of these."""
        if link.said is not None:
            one = self.numbered(link.name, link.said)
            yield link if one is None else replace(link, name=one.own)
            return
        yield link
        for node in self._of[link.name]:
            if link.window is None:
                yield Link(node.own, fixed=link.fixed & self.places(node, line), said=node.frame)
            elif node.end == 1:
                yield Link(node.own, link.window.up_to(node.after - self.deep), said=node.frame)
            else:
                yield Link(node.own, link.window.since(node.after + self.deep), said=node.frame)

    def _read_by(self, child: Apart, parent: Parent, line: Line) -> Iterator[Link]:
        """Yield what a node apart reads: of its own end, of the other one, and of what is between."""
        name, frame, offsets = parent.name, parent.frame, parent.offsets
        if frame is not None and _end(frame) != child.end:
            one = self.numbered(name, frame)
            fixed = line.window(self.case.places(frame), 0)
            yield Link(name if one is None else one.own, fixed=fixed, said=frame)
            return
        if frame is not None:
            offsets = of((0 if frame == LAST else frame - 1) - child.after)
        if offsets is None:
            yield Link(name, fixed=1)
            return
        by = stencil(offsets)
        farther = _inward(by, child, self.deep)
        yield Link(name, farther)
        for node in self._of[name]:
            d = node.after - child.after
            if node.end != child.end:
                yield Link(node.own, farther, said=node.frame)
            elif d in offsets:
                yield Link(node.own, Stencil(((d, 1),), ()), said=node.frame)


def apart(template: Template, case: Case) -> Margins:
    """Return the nodes that stand apart in a case: as deep as there is room between the ends and t."""
    names = len(template.names) - len(template.static)
    deep = max(1, min(template.lag + 1, MOST_APART // max(1, names)))
    ends: tuple[int, ...] = ()
    while deep and not ends:
        ends = tuple(end for end in (1, LAST) if _stands_apart(case, end, deep))
        deep -= 0 if ends else 1
    return Margins(template, case, deep, ends)


def _stands_apart(case: Case, end: int, deep: int) -> bool:
    """Whether an end is at many offsets, with so many frames that are not of the other end, nor t."""
    other = LAST if end == 1 else 1
    many = bool(case.places(end)) and not case.places(end).finite
    return many and not _margin(case, end, deep) & (NOW | _margin(case, other, deep))


def _margin(case: Case, end: int, deep: int) -> Offsets:
    """Return where the frames of an end can be that stand apart, or its one frame."""
    places, way = case.places(end), 1 if end == 1 else -1
    return places if places.finite else union(places.shift(way * k) for k in range(deep))


def _end(frame: int) -> int:
    return LAST if frame == LAST else 1


def _reads(link: Link) -> bool:
    return bool(link.fixed if link.window is None else link.window.runs or link.window.rays)


def _inward(by: Stencil, child: Apart, deep: int) -> Stencil:
    """Return the part of a window that leads from a node apart to what is farther in."""
    return by.since(deep - child.after) if child.end == 1 else by.up_to(-deep - child.after)
