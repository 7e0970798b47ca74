"""The concrete network of T frames: the template, unrolled; parents outside 1..T do not exist."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from dvaec.network.template import Template
from dvaec.spec.model import Parent
from dvaec.spec.offsets import Offsets

MOST_NODES = 200_000
MOST_ARROWS = 2_000_000


class TooLargeError(ValueError):
    """The unrolled network would be larger than what is searched node by node."""


@dataclass(frozen=True)
class Node:
    """A variable at a frame, 1..T; `frame` is None for a sequence-level variable."""

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

    def given(self, frame: int, windows: Mapping[str, Offsets | None]) -> frozenset[Node]:
        """Return the nodes in windows relative to `frame`, clipped to 1..T."""
        return frozenset(
            node for name, offsets in windows.items() for node in clipped(name, offsets, frame, self.frames)
        )


def clipped(name: str, offsets: Offsets | None, frame: int, frames: int) -> tuple[Node, ...]:
    """Return the nodes of one window relative to `frame` within 1..`frames`."""
    if offsets is None:
        return (Node(name, None),)
    return tuple(Node(name, frame + d) for d in offsets.within(1 - frame, frames - frame))


def unroll(template: Template, frames: int) -> Unrolled:
    """Return the network of `frames` frames.

    Raises ValueError for less than one frame and TooLargeError for more than MOST_NODES or MOST_ARROWS.
    """
    if frames < 1:
        raise ValueError("a sequence has at least one frame")
    if frames * len(template.names) > MOST_NODES or arrows(template, frames) > MOST_ARROWS:
        most = f"{MOST_NODES:,} nodes or {MOST_ARROWS:,} arrows"
        raise TooLargeError(f"{frames} frames make more than {most}; choose a smaller number")
    found: dict[Node, tuple[Node, ...]] = {}
    for name in template.names:
        if name in template.static:
            found[Node(name, None)] = ()
            continue
        family = template.family(name)
        parents: tuple[Parent, ...] = family.parents if family is not None else ()
        for frame in range(1, frames + 1):
            found[Node(name, frame)] = tuple(
                node for p in parents for node in clipped(p.name, p.offsets, frame, frames)
            )
    return Unrolled(template, frames, found)


def arrows(template: Template, frames: int) -> int:
    """Count the arrows of the unrolled network without making it, up to a little over MOST_ARROWS."""
    total = 0
    for family in template.families:
        for parent in family.parents:
            if parent.offsets is None:
                total += frames
            else:
                near = parent.offsets.within(1 - frames, frames - 1)
                total += sum(frames - abs(d) for d in near)
            if total > MOST_ARROWS:
                break
    return total
