"""The developed data flow and its schedule, as frozen values.

A *node* is one tensor per frame: a variable's value, a feature, a recurrent state, the parameters of a
conditional. A *binding* says where each variable's value comes from. A *schedule* is the order in which
nodes are computed, whole sequence at once where the dependences allow it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from dvaec.plan.nodes import (
    DrawNode,
    FeatureNode,
    HeadNode,
    HoldNode,
    Network,
    Node,
    Port,
    Read,
    StateNode,
    ValueNode,
    framed,
    head_name,
    is_frame_zero,
    is_last,
    value_name,
)
from dvaec.plan.steps import Batched, FirstFrame, Loop, Once, Passes, Step, WholeSequence, nodes_of
from dvaec.spec.offsets import Offsets

__all__ = [
    "Batched",
    "Dependence",
    "DrawNode",
    "Entry",
    "FeatureNode",
    "FirstFrame",
    "HeadNode",
    "HoldNode",
    "Loop",
    "Network",
    "Node",
    "Once",
    "Origin",
    "Passes",
    "Plan",
    "Port",
    "Read",
    "StateNode",
    "Step",
    "Stream",
    "ValueNode",
    "WholeSequence",
    "framed",
    "head_name",
    "is_frame_zero",
    "is_last",
    "nodes_of",
    "value_name",
]


class Origin(StrEnum):
    """Where a variable's value comes from."""

    GIVEN = "given"
    Q = "drawn from q"
    P = "drawn from p"
    MIXED = "known in the context, drawn from p behind it"
    FED = "given, or p's own output where it is fed back"

    @property
    def partly_known(self) -> bool:
        """Whether a value is given at some frames and made by p at others."""
        return self in (Origin.MIXED, Origin.FED)


@dataclass(frozen=True)
class Dependence:
    """`reader` at t needs `source` at t + offset; None: a static value, or all of the source's frames.

    With a `window` it needs all frames of that, and `offset` is the one that is nearest.
    """

    reader: str
    source: str
    offset: int | None
    window: Offsets | None = None


@dataclass(frozen=True)
class Entry:
    """One entry point of the module: its binding, its steps in order, and what it hands out.

    `before` are steps that come first, on the given data alone, with what they hand out. `once` is what
    single steps of a stream draw for all of them.
    """

    name: str
    binding: tuple[tuple[str, Origin], ...]
    steps: tuple[Step, ...]
    outputs: tuple[str, ...]
    before: Entry | None = None
    once: tuple[Once, ...] = ()

    @property
    def all_steps(self) -> tuple[Step, ...]:
        """The steps with those that come before them."""
        return (*(self.before.steps if self.before is not None else ()), *self.steps)

    @property
    def computing(self) -> tuple[Batched | WholeSequence | Loop | FirstFrame, ...]:
        """The steps, those of passes one by one."""
        each = ((step.steps if isinstance(step, Passes) else (step,)) for step in self.steps)
        return tuple(one for some in each for one in some)

    @property
    def streamed(self) -> bool:
        """Whether this is one step of a stream."""
        return self.name in ("step", "finish", "imagine")

    @property
    def begun(self) -> tuple[str, ...]:
        """The nodes that are made at frame 1 before their other frames."""
        return tuple(name for step in self.steps if isinstance(step, FirstFrame) for name in step.nodes)

    @property
    def late(self) -> dict[str, int]:
        """By how many steps of a stream frame 1 of some nodes comes behind the step of its place."""
        return dict(one for step in self.steps if isinstance(step, FirstFrame) for one in step.late)

    def origin(self, variable: str) -> Origin:
        """Where that variable's value comes from in this entry point."""
        return dict(self.binding)[variable]


@dataclass(frozen=True)
class Stream:
    """Frame by frame: the entries `begin`, and `step` and `imagine`, each one loop that is left after a step.

    `carried` says for how many steps each node's value is kept. `delay` is by how many frames what `step`
    draws is behind the frame that it is given: as far as q looks ahead. Then there is `finish`: one step
    without a frame, behind the last one. Of the `gathered` nodes, which are attended to, all frames are kept.
    Of those `held`, frame 1 is made in an order of its own, and before the step in which it has its place.

    Where q looks ahead, or `imagine` cannot have what q's steps need (a label that p makes at the end), the
    stream is `one_way`: no `step` comes behind an `imagine`. That begins with all that is observed drawn, and
    `shifts` says, of what it keeps up, how many steps more than its own lie between then and where that was
    made last.
    """

    entries: tuple[Entry, ...]
    carried: tuple[tuple[str, int], ...]
    static: tuple[str, ...]  # values of the whole sequence: inputs, and what the first step draws
    delay: int
    gathered: tuple[str, ...] = ()
    shifts: tuple[tuple[str, int], ...] = ()
    one_way: bool = False
    held: tuple[str, ...] = ()

    @property
    def finishes(self) -> bool:
        """Whether frames are left to draw when the last one has been observed."""
        return any(entry.name == "finish" for entry in self.entries)

    def shift_in(self, entry: Entry, name: str) -> int | None:
        """How many more steps a carried node is behind in an entry; None where it is not kept up."""
        if entry.name == "imagine" and self.one_way:
            return dict(self.shifts).get(name)
        return 0


@dataclass(frozen=True)
class Plan:
    """The developed network and the schedule of every entry point."""

    network: Network
    entries: tuple[Entry, ...]
    frames: int | None = None  # T, where the page fixes it
    refused: tuple[tuple[str, str], ...] = ()  # entry points that the model cannot have, with the reason
    stream: Stream | None = None

    def entry(self, name: str) -> Entry:
        """Return the entry point of that name."""
        return next(e for e in self.entries if e.name == name)
