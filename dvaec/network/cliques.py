"""The closed form of the minimal conditioning set on sets of frames: families as cliques, grown to the end.

With E what the target is given: R, the ancestors of E and of the target; K, the moral component of the target
in R outside E; the minimal set is E's part of the families of R that meet K. R and K are least fixpoints of
monotone steps on one set of frames per name, so any order of steps ends at the same sets. A sequence-level
name has a single place, bit 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from dvaec.network.bits import Space, Stencil

Sets = dict[str, int]


@dataclass(frozen=True)
class Link:
    """What a family reads of one name: a window relative to the child (`window`), or the places `fixed`.

    `meets` are the places at which it is found to read, where these are more than those that it adds.
    `said` is the absolute frame by which the reading is reported, if it is one.
    """

    name: str
    window: Stencil | None = None
    fixed: int = 0
    meets: int = 0
    said: int | None = None

    @cached_property
    def back(self) -> Stencil:
        """From the parent's frames to the child's."""
        assert self.window is not None
        return self.window.reflected()


@dataclass(frozen=True)
class Clique:
    """A family at the child's places `at`; `said` is the child's absolute frame, if it is a numbered one."""

    child: str
    at: int
    links: tuple[Link, ...]
    said: int | None = None


@dataclass(frozen=True)
class Scene:
    """The families of a network in a space, and the target's place in it."""

    space: Space
    cliques: tuple[Clique, ...]
    target: str
    place: int

    def relevant(self, given: Mapping[str, int]) -> Sets:
        """Return R: what is given, the target, and all their ancestors."""
        return self.ancestors({**given, self.target: given[self.target] | self.place})

    def ancestors(self, start: Mapping[str, int]) -> Sets:
        """Return what is in `start` and all its ancestors."""
        found = dict(start)
        done: list[int] = [0] * len(self.cliques)
        changed = True
        while changed:
            changed = False
            for k, clique in reversed(tuple(enumerate(self.cliques))):
                for step in _steps(clique):
                    through = self._step(clique.at, step)
                    found[clique.child] = self.space.fill(found[clique.child], step, through)
                here = found[clique.child] & clique.at
                if here != done[k]:
                    done[k] = here
                    changed = True
                    for link in clique.links:
                        found[link.name] |= self.read(link, here)
        return found

    def component(self, relevant: Mapping[str, int], outside: Mapping[str, int]) -> Sets:
        """Return K: what is linked to the target outside E by families of R."""
        start = dict.fromkeys(outside, 0)
        return self.linked({**start, self.target: self.place}, relevant, outside)

    def linked(
        self, start: Mapping[str, int], relevant: Mapping[str, int], outside: Mapping[str, int]
    ) -> Sets:
        """Return what is linked to `start` outside E by families of R."""
        found = dict(start)
        done: list[int] = [0] * len(self.cliques)
        order = tuple(enumerate(self.cliques))
        changed = True
        while changed:
            changed = False
            for k, clique in order:
                child = clique.child
                here = relevant[child] & clique.at
                for step in _steps(clique):
                    up = outside[child] & self._step(here, step)
                    found[child] = self.space.fill(found[child], step, up)
                    found[child] = self.space.fill(found[child], -step, outside[child] & here)
                met = self.meeting(clique, found, relevant)
                if met != done[k]:
                    done[k] = met
                    changed = True
                    found[child] |= met & outside[child]
                    for link in clique.links:
                        found[link.name] |= self.read(link, met) & outside[link.name]
            order = order[::-1]
        return found

    def boundary(
        self, relevant: Mapping[str, int], component: Mapping[str, int], inside: Mapping[str, int]
    ) -> Sets:
        """Return E's part of the families that meet K: the minimal set."""
        found = dict.fromkeys(inside, 0)
        for clique in self.cliques:
            if met := self.meeting(clique, component, relevant):
                found[clique.child] |= met & inside[clique.child]
                for link in clique.links:
                    found[link.name] |= self.read(link, met) & inside[link.name]
        return found

    def meeting(self, clique: Clique, sets: Mapping[str, int], relevant: Mapping[str, int]) -> int:
        """Return the places at which a relevant family meets the sets."""
        met = sets[clique.child]
        for link in clique.links:
            there = sets[link.name]
            if link.window is not None:
                met |= self.space.spread(there, link.back)
            elif there & (link.fixed | link.meets):
                met |= clique.at
        return met & clique.at & relevant[clique.child]

    def read(self, link: Link, children: int) -> int:
        """Return the places that the children at these places read."""
        if not children:
            return 0
        return link.fixed if link.window is None else self.space.spread(children, link.window)

    def _step(self, bits: int, step: int) -> int:
        return self.space.spread(bits, Stencil(((step, 1),), ()))


def _steps(clique: Clique) -> tuple[int, ...]:
    """Return near frames at which a family reads its own child: chains are followed in long strides."""
    return tuple(
        first if first > 0 else first + count - 1
        for link in clique.links
        if link.name == clique.child and link.window is not None
        for first, count in link.window.runs
    )
