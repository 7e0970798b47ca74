"""The minimal set read off from K: E's part of the families that meet K, as parents of frame t."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from dvaec.network.cliques import Scene, Sets
from dvaec.network.template import Template
from dvaec.spec.model import LAST, Parent
from dvaec.spec.offsets import Offsets, window


@dataclass(frozen=True)
class Meeting:
    """R, K and E on a line."""

    relevant: Sets
    component: Sets
    inside: Sets


def minimal_parents(
    template: Template, scene: Scene, sets: Meeting, windows: Callable[[int], Offsets], start: int
) -> tuple[Parent, ...]:
    """Return the set in order: as declared, relative before absolute reads; `windows` reads bits of the line.

    An absolute frame that can be at finitely many offsets only is written relative to t >= `start`; one that
    the window of its name always holds is left out.
    """
    relative: dict[str, int] = {}
    absolute: set[tuple[str, int]] = set()

    def take(name: str, places: int, said: int | None) -> None:
        if said is None or windows(places).finite:
            relative[name] = relative.get(name, 0) | places
        else:
            absolute.add((name, said))

    for clique in scene.cliques:
        met = scene.meeting(clique, sets.component, sets.relevant)
        take(clique.child, met & sets.inside[clique.child], clique.said)
        for link in clique.links:
            take(link.name, scene.read(link, met) & sets.inside[link.name], link.said)
    found = []
    for name in template.names:
        if name in template.static:
            found += [Parent(name, None)] if relative.get(name) else []
            continue
        offsets = windows(relative.get(name, 0))
        found += [Parent(name, offsets)] if offsets else []
        for frame in (0, 1, LAST):
            where = window(0, None) if frame == LAST else window(None, frame - start)
            if (name, frame) in absolute and not where <= offsets:
                found.append(Parent(name, None, frame))
    return tuple(found)
