"""The minimal set read off from K, case by case: E's part of the families that meet K, as parents of t."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from dvaec.network.apart import name_of
from dvaec.network.cliques import Scene, Sets
from dvaec.network.scenes import Case
from dvaec.network.template import Template, drawn_at
from dvaec.spec.model import LAST, Parent
from dvaec.spec.offsets import NONE, NOW, Offsets, union

FRAMES = (0, 1, LAST)


@dataclass(frozen=True)
class Meeting:
    """R, K and E on a line; of E what the windows hold, and the places of what is named by its number."""

    relevant: Sets
    component: Sets
    inside: Sets
    given: Sets
    singles: tuple[tuple[tuple[str, int], int], ...] = ()


@dataclass(frozen=True)
class Boundary:
    """The minimal set of one case: windows relative to t (None: of the sequence), and absolute frames.

    `singles` are those of E's single frames that are in it.
    """

    case: Case
    relative: Mapping[str, Offsets | None]
    absolute: frozenset[tuple[str, int]]
    singles: frozenset[tuple[str, int]] = frozenset()


def boundary_of(
    template: Template, scene: Scene, case: Case, sets: Meeting, windows: Callable[[int], Offsets]
) -> Boundary:
    """Return the set that K meets; `windows` reads bits of the line.

    An absolute frame that can be at finitely many offsets only is written relative to t.
    """
    relative: dict[str, int] = {}
    absolute: set[tuple[str, int]] = set()

    def take(node: str, places: int, said: int | None) -> None:
        name = name_of(node)
        if said is None or windows(places).finite:
            relative[name] = relative.get(name, 0) | places
        else:
            absolute.add((name, said))

    for clique in scene.cliques:
        met = scene.meeting(clique, sets.component, sets.relevant)
        take(clique.child, met & sets.inside[clique.child], clique.said)
        for link in clique.links:
            take(link.name, scene.read(link, met) & sets.inside[link.name], link.said)
    singles = set()
    for (name, frame), at in sets.singles:
        if relative.get(name, 0) & at & ~sets.given[name] or (name, frame) in absolute:
            singles.add((name, frame))
    for (name, _), at in sets.singles:
        relative[name] = relative.get(name, 0) & ~(at & ~sets.given[name])
    read: dict[str, Offsets | None] = {}
    for name, places in relative.items():
        if name not in template.static:
            read[name] = windows(places)
        elif places:
            read[name] = None
    return Boundary(case, read, frozenset(absolute), frozenset(singles))


def united(template: Template, target: str, found: Iterable[Boundary]) -> tuple[Parent, ...]:
    """Return what holds the sets of all cases, as declared, relative before absolute reads.

    Where an absolute frame is read, a case in which it is at one offset need not read that offset as well. An
    absolute frame that the window of its name always holds, where it has been drawn, is left out.
    """
    cases = tuple(found)
    absolute = frozenset[tuple[str, int]]().union(*(one.absolute for one in cases))
    parents = []
    for name in template.names:
        if name in template.static:
            parents += [Parent(name, None)] if any(name in one.relative for one in cases) else []
            continue
        read = [frame for frame in FRAMES if (name, frame) in absolute]
        offsets = NONE
        for one in cases:
            here = one.relative.get(name) or NONE
            for frame in read:
                place = one.case.places(frame)
                here -= place if place.finite else NONE
            offsets |= here
        parents += [Parent(name, offsets)] if offsets else []
        everywhere = {frame: union(one.case.places(frame) for one in cases) for frame in read}
        if not drawn_at(template, name, target):
            everywhere = {frame: places - NOW for frame, places in everywhere.items()}
        parents += [Parent(name, None, frame) for frame in read if not everywhere[frame] <= offsets]
    return tuple(parents)
