"""The arrows of a whole sequence: every frame from 1 to T, without an ellipsis.

A window is cut at the ends of the sequence, as p and q are: a frame that is not there is not read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from dvaec.derive.unseen import unseen_at
from dvaec.emit.diagram import AFTER, FINAL, FIRST, ZERO, Arrow, Place, Tone
from dvaec.emit.diagram_arrows import Arrows, Link
from dvaec.network.ends import ends
from dvaec.network.separation import judge
from dvaec.network.template import template_of
from dvaec.network.unrolled import Node, unroll
from dvaec.spec.model import LAST, Conditional, Parent, Spec


def unrolled_arrows(
    links: Iterable[Link], own: Iterable[Place], static: frozenset[str], zeros: frozenset[str], frames: int
) -> Arrows:
    """Return the arrows into the frames 1..`frames` and what stands at 0 and T+1.

    `own` as for the slices; `zeros` are the variables that have a frame 0.
    """
    view = _Whole(tuple(own), static, zeros, frames)
    arrows = tuple(dict.fromkeys(arrow for link in links for arrow in view.arrows(link)))
    return Arrows(arrows, tuple(place for place in view.own if place.frame in (ZERO, AFTER)))


@dataclass(frozen=True)
class _Whole:
    own: tuple[Place, ...]
    static: frozenset[str]
    zeros: frozenset[str]
    frames: int

    def arrows(self, link: Link) -> Iterator[Arrow]:
        for frame in self._targets(link):
            target = self._place(link.target, frame)
            for source in self._sources(link.parent, frame):
                if source != target:
                    yield Arrow(source, target, link.tone)

    def _targets(self, link: Link) -> Iterable[int | None]:
        if link.target in self.static:
            return (None,)
        if link.column is not None:
            there = {ZERO: 0, FIRST: 1, FINAL: self.frames, AFTER: self.frames + 1}[link.column]
            spoken = link.column == FINAL and self.frames == 1 and Place(link.target, FIRST) in self.own
            return () if spoken else (there,)  # where T = 1, the line of frame 1 speaks
        begun, ended = (Place(link.target, one) in self.own for one in (FIRST, FINAL))
        return range(2 if begun else 1, self.frames + (0 if ended else 1))

    def _sources(self, parent: Parent, frame: int | None) -> list[Place]:
        if parent.frame is not None:
            at = self.frames if parent.frame == LAST else parent.frame
            return [self._place(parent.name, at)] if at <= self.frames else []
        if parent.offsets is None:
            return [Place(parent.name, None)]
        before = parent.name in self.zeros or Place(parent.name, ZERO) in self.own
        after = Place(parent.name, AFTER) in self.own
        low, high = (0 if before else 1), self.frames + 1 if after else self.frames
        at = 1 if frame is None else frame
        return [self._place(parent.name, at + d) for d in parent.offsets.within(low - at, high - at)]

    def _place(self, name: str, frame: int | None) -> Place:
        return Place(name, {0: ZERO, self.frames + 1: AFTER}.get(-1 if frame is None else frame, frame))


def as_seen(
    spec: Spec, inference: Iterable[Conditional], arrows: tuple[Arrow, ...], frames: int
) -> tuple[Arrow, ...]:
    """Let what the networks of q do not see near the ends be golden: its windows hold it, q does without."""

    def place(name: str, frame: int | None) -> Place:
        return Place(name, ZERO if frame == 0 else frame)

    unseen = dict.fromkeys(
        Arrow(place(lost.name, at), place(target, lost.frame), Tone.GOLDEN)
        for (target, _), lost in unseen_at(ends(spec, frames), inference)
        for at in lost.missing or (None,)
    )
    ways = {(a.source, a.target) for a in unseen}
    seen = (a for a in arrows if (a.source, a.target) not in ways)
    return tuple(dict.fromkeys((*seen, *unseen)))


def without_idle_gold(spec: Spec, arrows: tuple[Arrow, ...], frames: int) -> tuple[Arrow, ...]:
    """Leave out the golden arrows that tell nothing: near the ends exact sets may be less than windows.

    And those of a frame that q reads by its number.
    """
    template = template_of(spec)
    network = unroll(template, frames)
    exact: Mapping[Place, frozenset[Node]] = {
        place: frozenset(judge(network, node, network.before(node)).minimal)
        for place in dict.fromkeys(a.target for a in arrows if a.tone is Tone.GOLDEN)
        for node in [_node(place)]
    }
    read = {(a.source, a.target) for a in arrows if a.tone is not Tone.GOLDEN}
    return tuple(
        a
        for a in arrows
        if a.tone is not Tone.GOLDEN
        or (_node(a.source) in exact[a.target] and (a.source, a.target) not in read)
    )


def _node(place: Place) -> Node:
    return Node(place.name, 0 if place.frame == ZERO else place.frame)
