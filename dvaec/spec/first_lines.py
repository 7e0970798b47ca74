"""Latents of q that have no line of frame 1 (T), though at that frame other latents come before them.

Where the page gives their conditional of every frame, this serves frame 1 as one of its own: it reads what it
reads there of what is drawn by then, so that the chain rule has a factor of frame 1. So it is with frame T.
Where T is 1, the lines of frame 1 speak, in their order: then all that frame T has in another one has them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from dvaec.spec.early import drawn_ahead
from dvaec.spec.frames import united
from dvaec.spec.model import LAST, Conditional, Inference, InferenceKind, Parent, Sweep
from dvaec.spec.offsets import NOW, of

_NEAR_1 = of(-1, 0)  # frames 0 and 1, seen from 1


def turned(
    order: Sequence[Sweep], own: Collection[tuple[str, int | None]], frame: int = 1
) -> Iterator[tuple[Sweep, str]]:
    """Yield, with their sweeps, latents of another order at frame 1 (T) without a line there, in `own`."""
    for sweep in order:
        for name in (name for name in sweep.latents if (name, frame) not in own):
            if turns(sweep, name, frame) or (frame == 1 and turns_where_t_is_1(order, sweep, name, own)):
                yield sweep, name


def turns(sweep: Sweep, name: str, frame: int) -> bool:
    """Whether other latents of its sweep come before one at frame 1 (T) than at all frames."""
    usual, near = replace(sweep, first=(), last=()), _NEAR_1 if frame == 1 else NOW
    if usual == sweep:
        return False
    pairs = ((sweep.before(mate, name, frame), usual.before(mate, name, frame)) for mate in sweep.latents)
    return any(there & near != now & near for there, now in pairs)


def turns_where_t_is_1(
    order: Sequence[Sweep], sweep: Sweep, name: str, own: Collection[tuple[str, int | None]]
) -> bool:
    """Whether the line of frame T cannot serve where T is 1, because others have lines of frame 1.

    These speak there, in the order of frame 1; the line of frame T is drawn in that of frame T.
    """
    ahead = drawn_ahead(order)
    begun = any((mate, 1) in own or turns(sweep, mate, 1) for mate in sweep.last)
    if not begun or name not in sweep.last or (name, LAST) in ahead:
        return False
    mates = [mate for mate in sweep.last if (mate, 1) not in ahead]
    return any(NOW & sweep.before(m, name, 1) != NOW & sweep.before(m, name, LAST) for m in mates)


def with_first_lines(
    inference: Inference, order: Sequence[Sweep], names: Sequence[str], zero: Collection[str]
) -> Inference:
    """Return q with lines of frames 1 and T where a conditional of every frame has another order there."""
    if inference.kind is InferenceKind.NETWORKS:
        return inference
    added = tuple(
        replace(line, parents=united(line.parents, names, zero, line.frame))
        for line in added_lines((*inference.conditionals, *inference.numbered), order)
    )
    return replace(inference, numbered=(*inference.numbered, *added)) if added else inference


def added_lines(q: Sequence[Conditional], order: Sequence[Sweep]) -> Iterator[Conditional]:
    """Yield the lines of frames 1 and T that q's lines of every frame are, too, in an order."""
    lines = {line.target: line for line in q if line.frame is None}
    own = {(line.target, line.frame) for line in q if line.frame is not None}
    for frame in (1, LAST):
        for sweep, name in turned(order, own, frame):
            if name in lines:
                yield Conditional(name, tuple(_by_then(lines[name], sweep, frame)), frame)


def _by_then(line: Conditional, sweep: Sweep, frame: int) -> Iterator[Parent]:
    """Yield what a line of every frame reads there: by that number, what is drawn by then."""
    for parent in line.parents:
        mate = parent.frame == frame and parent.name in sweep.latents
        if not mate or 0 in sweep.before(parent.name, line.target, frame):
            yield parent
