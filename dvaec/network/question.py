"""What is asked of the network of endlessly many frames: E and the target, in one case of the ends."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from dvaec.network.apart import Margins, apart
from dvaec.network.bits import Line
from dvaec.network.cliques import Scene, Sets
from dvaec.network.scenes import Case, line_scene
from dvaec.network.template import Template, drawn_at, end
from dvaec.spec.offsets import Offsets

Single = tuple[tuple[str, int], ...]  # names with 0, 1 or LAST


@dataclass(frozen=True)
class Question:
    """What is asked; `reach` bounds the finite parts of all windows.

    `single` are absolute frames in E. Where one can be at many offsets, and is no node apart, all of them
    count as evidence that makes ancestors relevant, and none as evidence that blocks: K is then no smaller
    than it should be.
    """

    template: Template
    target: str
    given: tuple[tuple[str, Offsets | None], ...]  # a mapping's items
    case: Case
    reach: int
    single: Single = ()

    @property
    def farthest(self) -> int:
        """Beyond it frames 0, 1 and T are at all offsets of a pattern, or at none."""
        return max(end(self.case.first), end(self.case.last)) + 1

    def scene(self, half: int) -> Scene:
        scene = line_scene(self.template, self.target, half, self.case)
        line = Line(-half, half)
        return replace(scene, cliques=tuple(self.apart.families(scene.cliques, line)))

    @cached_property
    def apart(self) -> Margins:
        """The nodes of the frames at the ends that stand beside those of their names."""
        return apart(self.template, self.case)

    def bits(self, windows: Mapping[str, Offsets | None], half: int) -> Sets:
        """Return windows as bits of the line -half..half."""
        line = Line(-half, half)
        found = dict.fromkeys(self.template.names, 0)
        for name, offsets in windows.items():
            found[name] = 1 if offsets is None else line.window(offsets, 0) if offsets else 0
        return found

    def evidence(self, half: int) -> tuple[Sets, Sets]:
        """Return E on the line -half..half, what cannot be there left out, and what is outside it."""
        line, template = Line(-half, half), self.template
        inside, outside = self.bits(dict(self.given), half), {}
        for name, bits in inside.items():
            there = 1 if name in template.static else self.case.there(line, template.first(name))
            inside[name], outside[name] = bits & there, there & ~bits
        for one in self.apart.nodes:
            places = self.apart.places(one, line)
            inside[one.own], outside[one.own] = inside[one.name] & places, outside[one.name] & places
        for name, frame, places, known in self.singles(half):
            own = self.apart.numbered(name, frame)
            node = name if own is None else own.own
            inside[node] |= places
            outside[node] &= ~(places if known or own is not None else 0)
        return inside, outside

    def singles(self, half: int) -> Iterator[tuple[str, int, int, bool]]:
        """Yield each single frame, its possible places, and whether there is but one."""
        line = Line(-half, half)
        for name, frame in self.single:
            places = line.window(self.case.places(frame), 0)
            if not drawn_at(self.template, name, self.target, frame):
                places &= ~(1 << half)
            yield name, frame, places, self.case.places(frame).finite
