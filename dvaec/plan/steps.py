"""The steps of a schedule: one operation, one library call, a loop over time, single frames, passes."""

from __future__ import annotations

from dataclasses import dataclass

from dvaec.spec.model import Direction


@dataclass(frozen=True)
class Batched:
    """One operation over (batch, time)."""

    node: str
    reason: str


@dataclass(frozen=True)
class WholeSequence:
    """One recurrent state whose inputs are all there: one library call for the whole sequence."""

    node: str
    direction: Direction
    reason: str


@dataclass(frozen=True)
class Loop:
    """A loop over time that holds exactly the nodes of one cycle, in the order within a step.

    In step t a node computes the frame t + `ahead` (t - `ahead` in a backward loop). All are 0 unless some
    node is read at a later frame than its reader's, against the loop's direction. Where the order within a
    step is another at frame 1, that is `turned`.
    """

    nodes: tuple[str, ...]
    direction: Direction
    reason: str
    ahead: tuple[int, ...]  # one per node
    turned: tuple[str, ...] = ()

    def frame_of(self, node: str) -> int:
        """Return the frame that a node computes in step t, counted from t."""
        ahead = self.ahead[self.nodes.index(node)]
        return ahead if self.direction is Direction.FORWARD else -ahead

    def distance(self, reader: str, source: str, offset: int) -> int:
        """Return how many steps before it is read, `offset` frames from the reader's, a source is made."""
        behind = self.frame_of(source) - self.frame_of(reader) - offset
        return behind if self.direction is Direction.FORWARD else -behind


@dataclass(frozen=True)
class FirstFrame:
    """Frame 1 of some nodes, one after another, before what makes their other frames.

    In a stream it is made in the step that comes to frame 1 of what runs so many frames `ahead` of the loop,
    `behind` what that makes before it: nodes of the loop, and what is drawn once. Nodes of the loop that have
    come to frame 1 before are `late` by so many steps: what they made there gives way, and what they hand
    out waits for so long.
    """

    nodes: tuple[str, ...]
    reason: str
    ahead: int = 0
    behind: tuple[str, ...] = ()
    late: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True)
class Once:
    """What one step of a stream draws for the whole sequence, one after another.

    Nodes of every frame among them are made at frame 1. Where q(z_0) sees x_1 to x_3, it is the step that is
    given x_3: `after` says how many steps behind the first that is. What is read of `ahead`, nodes with their
    frames, the steps until then have made, and that step, in which the draws come `behind` some nodes of the
    loop. Of other draws, what it `waits` for must come before.
    """

    nodes: tuple[str, ...]
    reason: str
    after: int = 0
    ahead: tuple[tuple[str, int], ...] = ()
    behind: tuple[str, ...] = ()
    waits: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The last of the nodes, which nothing else makes."""
        return self.nodes[-1]

    def steps_behind(self, loop: Loop, node: str, frame: int) -> int:
        """How many steps before the draws a loop has made that frame of a node."""
        return self.after - max(loop.ahead) + loop.frame_of(node) - (frame - 1)


@dataclass(frozen=True)
class Passes:
    """Steps that are made several times: values that no one order of the frames makes.

    Lines of single frames, and lines that read single frames, wait for what a pass makes after them: they
    read it as the pass before made it, 0 in the first (`plan.passes` says why so many `times` are enough).
    `begun` are the nodes that are read before they are made.
    """

    steps: tuple[Batched | WholeSequence | Loop, ...]
    times: int
    begun: tuple[str, ...]
    reason: str

    @property
    def nodes(self) -> tuple[str, ...]:
        """All that a pass makes."""
        return tuple(name for step in self.steps for name in nodes_of(step))


Step = Batched | WholeSequence | Loop | FirstFrame | Passes


def nodes_of(step: Step) -> tuple[str, ...]:
    """Return what a step computes."""
    return (step.node,) if isinstance(step, Batched | WholeSequence) else step.nodes
