"""Answers to questions about one arrow, as values that printers write out."""

from __future__ import annotations

from dataclasses import dataclass

from dvaec.derive.question import Question
from dvaec.derive.trails import Arrow, Block, Collider, Frames, Place
from dvaec.network.ends import Lost
from dvaec.spec.model import Parent


@dataclass(frozen=True)
class Finding:
    """The answer for a part of the window in question, shown on `example`, its frame nearest to t.

    A dependence has a `trail` with its `colliders`; an independence has `blocks` (none: nothing leads there).
    `shown` is False where the network that would show it is too large to be searched. `frames` is the length
    of the network where single frames are asked about, `at` the frame t of it where one is meant.
    """

    part: Parent | Frames
    depends: bool
    example: Place
    trail: tuple[Arrow, ...] = ()
    colliders: tuple[Collider, ...] = ()
    blocks: tuple[Block, ...] = ()
    shown: bool = True
    frames: int | None = None
    at: int | None = None


@dataclass(frozen=True)
class Explanation:
    """The answer to a question, part by part.

    `later` is the part that comes later in the chain-rule order, which the target's factor may not read.
    `used`, `golden` and `silver` are the parts that declared q reads, should read, and reads in vain; of a
    question about any t, `unseen` is what q's networks do not see of the variable near the ends.
    """

    question: Question
    answer: bool  # whether any part is in the posterior's factor
    findings: tuple[Finding, ...]
    later: Parent | Frames | None
    used: Parent | Frames | None
    golden: Parent | Frames | None
    silver: Parent | Frames | None
    framed: bool = True  # whether the target has frames
    unseen: tuple[Lost, ...] = ()
