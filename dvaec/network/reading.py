"""The minimal set read off from K: E's part of the families that meet K, as parents of frame t."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from dvaec.network.cliques import Clique, Scene
from dvaec.network.tails import between
from dvaec.network.template import Template
from dvaec.spec.model import LAST, Parent
from dvaec.spec.offsets import Offsets, window


@dataclass
class Reading:
    """Gathers families on the line -half..half, whose sets repeat with `period` beyond `edge`; t >= `start`."""

    template: Template
    scene: Scene
    half: int
    edge: int
    period: int
    start: int
    relative: dict[str, int] = field(default_factory=dict)
    absolute: set[tuple[str, int]] = field(default_factory=set)

    def add(self, clique: Clique, met: int, inside: Mapping[str, int]) -> None:
        """Take in one family, met at these places."""
        if not met:
            return
        self._take(clique.child, met & inside[clique.child], clique.said)
        for link in clique.links:
            self._take(link.name, self.scene.read(link, met) & inside[link.name], link.said)

    def _take(self, name: str, places: int, said: int | None) -> None:
        """An absolute frame is written relative to t where it can be at finitely many offsets only."""
        if not places:
            return
        if said is None or self._offsets(places).finite:
            self.relative[name] = self.relative.get(name, 0) | places
        else:
            self.absolute.add((name, said))

    def _offsets(self, places: int) -> Offsets:
        return between(places, self.half, self.edge, self.period)

    def parents(self) -> tuple[Parent, ...]:
        """Return the set in order: as declared, relative before absolute reads.

        An absolute frame that the window of its name always holds is left out.
        """
        found = []
        for name in self.template.names:
            if name in self.template.static:
                found += [Parent(name, None)] if name in self.relative else []
                continue
            offsets = self._offsets(self.relative.get(name, 0))
            found += [Parent(name, offsets)] if offsets else []
            for frame in (0, 1, LAST):
                where = window(0, None) if frame == LAST else window(None, frame - self.start)
                if (name, frame) in self.absolute and not where <= offsets:
                    found.append(Parent(name, None, frame))
        return tuple(found)
