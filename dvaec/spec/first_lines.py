"""Latents of q that have no line of frame 1 (T), though at that frame other latents come before them.

Where the page gives their conditional of every frame, this serves frame 1 as one of its own: it reads what it
reads there of what is drawn by then, so that the chain rule has a factor of frame 1. So it is with frame T.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from dvaec.spec.frames import united
from dvaec.spec.model import LAST, Conditional, Inference, InferenceKind, Parent, Sweep
from dvaec.spec.offsets import NOW, of

_NEAR_1 = of(-1, 0)  # frames 0 and 1, seen from 1


def turned(
    order: Sequence[Sweep], own: Collection[tuple[str, int | None]], frame: int = 1
) -> Iterator[tuple[Sweep, str]]:
    """Yield, with their sweeps, latents of another order at frame 1 (T) without a line there, in `own`."""
    for sweep in (sweep for sweep in order if (sweep.first if frame == 1 else sweep.last)):
        usual, near = Sweep(sweep.latents, sweep.backward), _NEAR_1 if frame == 1 else NOW
        for name in sweep.latents:
            there = [sweep.before(mate, name, frame) & near for mate in sweep.latents]
            if (name, frame) not in own and there != [
                usual.before(mate, name, frame) & near for mate in sweep.latents
            ]:
                yield sweep, name


def with_first_lines(
    inference: Inference, order: Sequence[Sweep], names: Sequence[str], zero: Collection[str]
) -> Inference:
    """Return q with lines of frames 1 and T where a conditional of every frame has another order there."""
    if inference.kind is InferenceKind.NETWORKS:
        return inference
    lines = {line.target: line for line in inference.conditionals}
    own = {(line.target, line.frame) for line in inference.numbered}
    added = tuple(
        Conditional(name, united(_by_then(lines[name], sweep, frame), names, zero, frame), frame)
        for frame in (1, LAST)
        for sweep, name in turned(order, own, frame)
        if name in lines
    )
    return replace(inference, numbered=(*inference.numbered, *added)) if added else inference


def _by_then(line: Conditional, sweep: Sweep, frame: int) -> Iterator[Parent]:
    """Yield what a line of every frame reads there: by that number, what is drawn by then."""
    for parent in line.parents:
        mate = parent.frame == frame and parent.name in sweep.latents
        if not mate or 0 in sweep.before(parent.name, line.target, frame):
            yield parent
