"""The minimal conditioning sets of T frames, exactly, at every frame: what holds at the ends."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from dvaec.network.bits import Line
from dvaec.network.cliques import Sets
from dvaec.network.scenes import exists, frames_scene
from dvaec.network.template import Template
from dvaec.network.unrolled import Node
from dvaec.spec.model import LAST, Parent
from dvaec.spec.offsets import Offsets


@dataclass(frozen=True)
class Finite:
    """The network of `frames` frames; frame s is bit s, a sequence-level variable bit 0."""

    template: Template
    frames: int

    def minimal(
        self, node: Node, given: Mapping[str, Offsets | None], absolute: Iterable[Parent] = ()
    ) -> Sets:
        """Return the minimal conditioning set of a latent, given E as windows (`template.evidence`).

        E holds the single frames `absolute`, too.
        """
        scene = frames_scene(self.template, self.frames, node.name, node.frame)
        windows = (Parent(name, offsets) for name, offsets in given.items())
        inside = self.places((*windows, *absolute), node.frame)
        inside[node.name] &= ~scene.place
        outside = {name: self._exists(name) & ~places for name, places in inside.items()}
        relevant = scene.relevant(inside)
        return scene.boundary(relevant, scene.component(relevant, outside), inside)

    def places(self, parents: Iterable[Parent], frame: int | None) -> Sets:
        """Return what a conditional at `frame` reads, as far as it exists."""
        line = Line(0, self.frames)
        found = dict.fromkeys(self.template.names, 0)
        for parent in parents:
            if parent.frame is not None:
                here = 1 << (self.frames if parent.frame == LAST else parent.frame)
            elif parent.offsets is None:
                here = 1
            else:
                here = line.window(parent.offsets, 1 if frame is None else frame) if parent.offsets else 0
            found[parent.name] |= here & self._exists(parent.name)
        return found

    def _exists(self, name: str) -> int:
        return exists(self.template, name, Line(0, self.frames).full)

    def nodes(self, sets: Sets) -> tuple[Node, ...]:
        """Return the nodes of a set, sorted by variable, then by frame."""
        found = []
        for name in sorted(sets):
            if name in self.template.static:
                found += [Node(name, None)] if sets[name] else []
            else:
                found += [Node(name, frame) for frame in range(self.frames + 1) if sets[name] >> frame & 1]
        return tuple(found)
