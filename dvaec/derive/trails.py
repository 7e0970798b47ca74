"""Trails, colliders and blocks of an unrolled network as places of the page: relative to t, or absolute."""

from __future__ import annotations

from dataclasses import dataclass

from dvaec.network.separation import Judgement, Step, Trail
from dvaec.network.template import Template
from dvaec.network.unrolled import Node
from dvaec.spec.model import Parent
from dvaec.spec.notation import frame_word
from dvaec.spec.offsets import of, window


@dataclass(frozen=True)
class Frames:
    """Some frames of a variable in a sequence of `last` frames, the first of them `first`.

    `back` says that they are named from T.
    """

    name: str
    frames: tuple[int, ...]
    first: int
    last: int
    back: bool = False


@dataclass(frozen=True)
class Place:
    """A variable at a frame relative to t, or at an absolute one; neither at sequence level."""

    name: str
    offset: int | None
    frame: int | None = None


@dataclass(frozen=True)
class Arrow:
    """One arrow of the generative model from `tail` to `head`; the trail may go `against` it.

    `line` names the conditional that gives it: z, or z_0, z_1 and z_T for a numbered one.
    """

    tail: Place
    head: Place
    against: bool
    line: str

    @property
    def path(self) -> tuple[str, ...]:
        """Where the page gives this arrow."""
        return ("generation", self.line, self.tail.name)


@dataclass(frozen=True)
class Collider:
    """A head-to-head place on a trail, and the way down to the given place that opens it."""

    place: Place
    descent: tuple[Place, ...]


@dataclass(frozen=True)
class Block:
    """Where trails end: a given place (or window), or a head-to-head one that nothing given opens.

    `trail` leads to the nearest of the places.
    """

    at: Parent | Frames
    collider: bool
    trail: tuple[Arrow, ...]


@dataclass(frozen=True)
class Trails:
    """From nodes to places, relative to `frame`; None: absolute ones."""

    template: Template
    frame: int | None

    def place(self, node: Node) -> Place:
        """Return the place of a node; frame 1 is named by its number where the page reads it so."""
        if node.frame is None or self.frame is None or self._by_number(node):
            return Place(node.name, None, node.frame)
        return Place(node.name, node.frame - self.frame)

    def _by_number(self, node: Node) -> bool:
        if node.frame != 1 or self.frame == 1:
            return False
        families = (*self.template.families, *self.template.numbered)
        return any(p.frame == 1 and p.name == node.name for family in families for p in family.parents)

    def arrows(self, steps: tuple[Step, ...], frames: int) -> tuple[Arrow, ...]:
        """Return the arrows of a trail in a network of some frames."""
        return tuple(
            Arrow(self.place(s.tail), self.place(s.head), s.against, self._line(s.head, frames))
            for s in steps
        )

    def _line(self, child: Node, frames: int) -> str:
        family = self.template.family(child.name, child.frame, frames)
        frame = None if family is None else family.frame
        return child.name if frame is None else f"{child.name}_{frame_word(frame)}"

    def colliders(self, trail: Trail) -> tuple[Collider, ...]:
        """Return what opens the head-to-head places of a trail."""
        return tuple(
            Collider(self.place(o.collider), tuple(self.place(n) for n in o.descent)) for o in trail.opened
        )

    def blocks(self, judgement: Judgement, member: Node) -> tuple[Block, ...]:
        """Gather blockers of one variable and kind; the nearest, which is first, lends its trail."""
        gathered: dict[tuple[str, bool], tuple[list[Node], tuple[Arrow, ...]]] = {}
        for blocker in judgement.blockers(member):
            key = (blocker.node.name, blocker.collider)
            nodes, _ = gathered.setdefault(key, ([], self.arrows(blocker.steps, judgement.network.frames)))
            nodes.append(blocker.node)
        return tuple(
            Block(self._united(tuple(nodes), judgement.network.frames), collider, trail)
            for (_, collider), (nodes, trail) in gathered.items()
        )

    def _united(self, nodes: tuple[Node, ...], last: int) -> Parent | Frames:
        """Unite the frames of one variable.

        Relative to t, a run of at least two frames up to an end of the network goes on beyond it, since
        longer networks continue it.
        """
        name, frames = nodes[0].name, sorted(n.frame for n in nodes if n.frame is not None)
        if not frames:
            return Parent(name, None)
        if self.frame is None:
            return Frames(name, tuple(frames), self.template.first(name), last)
        if frames == [1] and self._by_number(nodes[0]):
            return Parent(name, None, 1)
        found = of(*(frame - self.frame for frame in frames))
        low, high = 1 - self.frame, last - self.frame
        if low in found and low + 1 in found:
            found = found | window(None, low)
        if high in found and high - 1 in found:
            found = found | window(high, None)
        return Parent(name, found)
