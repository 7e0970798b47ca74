"""The concrete network of T frames: the template, unrolled.

A frame-level variable has the frames 1..T, or 0..T where it has a frame 0 of its own; what a window holds
beyond them does not exist. Numbered lines replace the template's at their frame.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from dvaec.network.template import Template, evidence, singles, spoken, where_t_is_1
from dvaec.spec.model import LAST, Conditional, Parent
from dvaec.spec.notation import counted
from dvaec.spec.offsets import Offsets

MOST_NODES = 200_000
MOST_ARROWS = 2_000_000


class TooLargeError(ValueError):
    """The unrolled network would be larger than what is searched node by node."""


@dataclass(frozen=True)
class Node:
    """A variable at a frame, 0..T; `frame` is None for a sequence-level variable."""

    name: str
    frame: int | None

    def __str__(self) -> str:
        return self.name if self.frame is None else f"{self.name}_{self.frame}"


@dataclass(frozen=True)
class Unrolled:
    """The nodes of T frames and their parents, in declaration order, then by frame."""

    template: Template
    frames: int
    parents: Mapping[Node, tuple[Node, ...]]

    @cached_property
    def children(self) -> Mapping[Node, tuple[Node, ...]]:
        """The children of every node, in the order of the nodes."""
        found: dict[Node, list[Node]] = {node: [] for node in self.parents}
        for child, parents in self.parents.items():
            for parent in parents:
                found[parent].append(child)
        return {node: tuple(children) for node, children in found.items()}

    def ancestors(self, nodes: frozenset[Node]) -> frozenset[Node]:
        """Return the nodes and all their ancestors."""
        found, waiting = set(nodes), list(nodes)
        while waiting:
            fresh = [p for p in self.parents[waiting.pop()] if p not in found]
            found.update(fresh)
            waiting.extend(fresh)
        return frozenset(found)

    def given(self, frame: int | None, windows: Mapping[str, Offsets | None]) -> frozenset[Node]:
        """Return the nodes in windows relative to `frame` that exist; of no frame the windows are whole."""
        return frozenset(
            node
            for name, offsets in windows.items()
            for node in read_by(self.template, Parent(name, offsets), frame, self.frames)
        )

    def before(self, target: Node, generic: bool = False) -> frozenset[Node]:
        """Return E of a latent: what is observed or given, and what comes before it in the chain rule.

        `generic` says that it is asked as one of any frame t, whichever it is.
        """
        frame = None if generic else spoken(self.template, target.name, target.frame, self.frames)
        windows, alone = (
            evidence(self.template, target.name, frame=frame),
            singles(self.template, target.name, frame),
        )
        if self.frames == 1 and self.template.alone:
            windows, alone = where_t_is_1(self.template, target.name, target.frame, windows)
        more = (n for p in alone for n in read_by(self.template, p, target.frame, self.frames))
        return (self.given(target.frame, windows) | frozenset(more)) - {target}

    def reads(self, conditional: Conditional, frame: int | None) -> tuple[Node, ...]:
        """Return the nodes that a conditional reads at `frame`."""
        return tuple(
            node for p in conditional.parents for node in read_by(self.template, p, frame, self.frames)
        )


def read_by(template: Template, parent: Parent, frame: int | None, frames: int) -> tuple[Node, ...]:
    """Return the nodes of a parent of what stands at `frame` (None: at sequence level) of 1..`frames`."""
    name, first = parent.name, template.first(parent.name)
    if parent.frame is not None:
        at = frames if parent.frame == LAST else parent.frame
        return (Node(name, at),) if first <= at <= frames else ()
    return clipped(name, parent.offsets, 1 if frame is None else frame, frames, first)


def clipped(name: str, offsets: Offsets | None, frame: int, frames: int, first: int = 1) -> tuple[Node, ...]:
    """Return the nodes of one window relative to `frame` within `first`..`frames`."""
    if offsets is None:
        return (Node(name, None),)
    return tuple(Node(name, frame + d) for d in offsets.within(first - frame, frames - frame))


def unroll(template: Template, frames: int) -> Unrolled:
    """Return the network of `frames` frames.

    Raises ValueError for less than one frame and TooLargeError for more than MOST_NODES or MOST_ARROWS.
    """
    if frames < 1:
        raise ValueError("a sequence has at least one frame")
    if frames * len(template.names) > MOST_NODES or arrows(template, frames) > MOST_ARROWS:
        most = f"{MOST_NODES:,} nodes or {MOST_ARROWS:,} arrows"
        raise TooLargeError(f"{counted(frames, 'frame')} make more than {most}; choose a smaller number")
    found: dict[Node, tuple[Node, ...]] = {}
    for name in template.names:
        places: Iterable[int | None] = (
            (None,) if name in template.static else range(template.first(name), frames + 1)
        )
        for frame in places:
            family = template.family(name, frame, frames)
            found[Node(name, frame)] = (
                ()
                if family is None
                else tuple(node for p in family.parents for node in read_by(template, p, frame, frames))
            )
    return Unrolled(template, frames, found)


def arrows(template: Template, frames: int) -> int:
    """Count the arrows of the unrolled network without making it, up to a little over MOST_ARROWS."""
    total = 0
    for family in template.families:
        for parent in family.parents:
            if parent.offsets is None or family.target in template.static:
                total += frames
            else:
                near = parent.offsets.within(1 - frames, frames - 1)
                total += sum(frames - abs(d) for d in near)
            if total > MOST_ARROWS:
                break
    return total
