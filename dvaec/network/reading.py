"""The minimal set read off from K, case by case: E's part of the families that meet K, as parents of t."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from dvaec.network.apart import name_of
from dvaec.network.cliques import Scene, Sets
from dvaec.network.scenes import Case
from dvaec.network.template import Template
from dvaec.spec.model import LAST, Parent
from dvaec.spec.offsets import NONE, Offsets, union

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

    `absolute` has, of each such frame, where it is met. `singles` are those of E's single frames that are in
    it.
    """

    case: Case
    relative: Mapping[str, Offsets | None]
    absolute: Mapping[tuple[str, int], Offsets]
    singles: frozenset[tuple[str, int]] = frozenset()


def boundary_of(
    template: Template, scene: Scene, case: Case, sets: Meeting, windows: Callable[[int], Offsets]
) -> Boundary:
    """Return the set that K meets; `windows` reads bits of the line.

    An absolute frame that can be at finitely many offsets only is written relative to t.
    """
    relative: dict[str, int] = {}
    said: dict[tuple[str, int], int] = {}

    def take(node: str, places: int, frame: int | None) -> None:
        name = name_of(node)
        if frame is None:
            relative[name] = relative.get(name, 0) | places
        elif places:
            said[name, frame] = said.get((name, frame), 0) | places

    for clique in scene.cliques:
        met = scene.meeting(clique, sets.component, sets.relevant)
        take(clique.child, met & sets.inside[clique.child], clique.said)
        for link in clique.links:
            take(link.name, scene.read(link, met) & sets.inside[link.name], link.said)
    absolute = {one: windows(places) for one, places in said.items()}
    for name, frame in [one for one, places in absolute.items() if places.finite]:
        relative[name] = relative.get(name, 0) | said[name, frame]
        del absolute[name, frame]
    singles = set()
    for (name, frame), at in sets.singles:
        met = relative.get(name, 0) & at
        met |= said[name, frame] if (name, frame) in absolute else 0
        if met & ~sets.given[name]:
            singles.add((name, frame))
    for (name, _), at in sets.singles:
        relative[name] = relative.get(name, 0) & ~(at & ~sets.given[name])
    read: dict[str, Offsets | None] = {}
    for name, places in relative.items():
        if name not in template.static:
            read[name] = windows(places)
        elif places:
            read[name] = None
    return Boundary(case, read, absolute, frozenset(singles))


def united(template: Template, found: Iterable[Boundary]) -> tuple[Parent, ...]:
    """Return what holds the sets of all cases, as declared, relative before absolute reads.

    Where an absolute frame is read, a case in which it is at one offset need not read that offset as well. An
    absolute frame is left out where the window of its name holds it wherever it is met.
    """
    cases = tuple(found)
    parents = []
    for name in template.names:
        if name in template.static:
            parents += [Parent(name, None)] if any(name in one.relative for one in cases) else []
            continue
        read = [frame for frame in FRAMES if any((name, frame) in one.absolute for one in cases)]
        offsets = union((one.relative.get(name) or NONE) - _said(one, read) for one in cases)
        parents += [Parent(name, offsets)] if offsets else []
        for frame in read:
            met = union(_met(one, name, frame) for one in cases)
            parents += [] if met <= offsets else [Parent(name, None, frame)]
    return tuple(parents)


def places_met(template: Template, found: Iterable[Boundary]) -> tuple[Parent, ...]:
    """Return the sets of all cases as windows alone, absolute frames not single in E where they are met."""
    sets: dict[str, Offsets | None] = {}
    for one in found:
        for name, there in one.relative.items():
            sets[name] = None if there is None else there | (sets.get(name) or NONE)
        for (name, frame), there in one.absolute.items():
            sets[name] = (sets.get(name) or NONE) | (NONE if (name, frame) in one.singles else there)
    return template.sort(sets)


def _said(one: Boundary, frames: Iterable[int]) -> Offsets:
    """Return where frames are that are at one offset."""
    return union(places for frame in frames if (places := one.case.places(frame)).finite)


def _met(one: Boundary, name: str, frame: int) -> Offsets:
    """Return where an absolute frame of a name is met."""
    return one.absolute.get((name, frame)) or (one.relative.get(name) or NONE) & _said(one, (frame,))
