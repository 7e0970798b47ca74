"""Frames 1 and T as nodes apart, where they can be at many offsets of the endless line.

Where frame 1 is at any of many offsets f < 0, a line of its own, a_1 | ..., stands at all of them, beside the
family of the a_t that are there for another T. Let there be at each f a second node, a@1, and let it be the
child of that line. Map a T-frame network with frame 1 at one f into this line: a_1 to a@1 at f, every other
node to its offset. Nothing of it but frames 0 comes before frame 1. So a family reads a_1 at no later frame
than its own, or at the next if its child has a frame 0; and a link of the line to a, by a window, gets one to
a@1 by that part of the window. Then each family of the T-frame network is mapped into one of the line:
relevant nodes to relevant ones, links to links, E to E, and what is outside E to what is outside. The minimal
set is mapped into that of the line, which hence is sound for every such t and T. It is smaller than with one
node: a family before frame 1, which is there for a farther one, does not meet a_1.

The same with T for 1, and what comes at its frame or later. Frames 1 and T, and t, must be different frames.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from dvaec.network.bits import Line, Stencil
from dvaec.network.cliques import Clique, Link
from dvaec.network.scenes import Case, own_lines
from dvaec.network.template import Template
from dvaec.spec.model import LAST
from dvaec.spec.offsets import NOW

_MARK = "@"


@dataclass(frozen=True)
class Apart:
    """The node of `name` at frame 1 or T, by itself."""

    name: str
    frame: int

    @property
    def own(self) -> str:
        """Its name on the line, which no name of a page can be."""
        return f"{self.name}{_MARK}{self.frame}"


def name_of(name: str) -> str:
    """Return the name that a page has for a node of the line."""
    return name.partition(_MARK)[0]


def apart(template: Template, case: Case) -> tuple[Apart, ...]:
    """Return the nodes that stand apart in a case: those with lines of a frame at many offsets."""
    found = []
    for frame, other in ((1, LAST), (LAST, 1)):
        places = case.places(frame)
        if places and not places.finite and not places & (NOW | case.places(other)):
            lines = (line.target for line in own_lines(template) if line.frame == frame)
            found += [Apart(name, frame) for name in lines]
    return tuple(found)


def with_apart(
    template: Template, cliques: Iterable[Clique], nodes: Iterable[Apart], line: Line, case: Case
) -> Iterator[Clique]:
    """Yield the families with the nodes apart: as children of their lines, and where families read them."""
    kept = {(one.name, one.frame): one for one in nodes}
    for clique in cliques:
        ahead = 1 if clique.child in template.zero else 0
        links = [found for link in clique.links for found in _links(link, ahead, kept, line, case)]
        one = kept.get((clique.child, clique.said or 0))
        yield replace(clique, child=clique.child if one is None else one.own, links=tuple(links))


def _links(
    link: Link, ahead: int, kept: Mapping[tuple[str, int], Apart], line: Line, case: Case
) -> Iterator[Link]:
    """Yield what one link reads of the nodes of its name: of frame 1 at most so many frames `ahead`."""
    if link.said is not None:
        one = kept.get((link.name, link.said))
        yield link if one is None else replace(link, name=one.own)
        return
    yield link
    for frame in (1, LAST):
        one = kept.get((link.name, frame))
        if one is None:
            continue
        if link.window is None:
            yield Link(one.own, fixed=link.fixed & line.window(case.places(frame), 0))
        elif frame == 1:
            yield Link(one.own, _up_to(ahead, link.window))
        else:
            yield Link(one.own, _up_to(0, link.window.reflected()).reflected())


def _up_to(last: int, by: Stencil) -> Stencil:
    """Return a window's members up to `last`."""
    runs = [(first, min(count, last + 1 - first)) for first, count in by.runs if first <= last]
    down = [(first, step) for first, step in by.rays if step < 0]
    rays = [(first if first <= last else last + (first - last) % step, step) for first, step in down]
    runs += [(d, 1) for first, step in by.rays if step > 0 for d in range(first, last + 1, step)]
    return Stencil(tuple(runs), tuple(rays))
