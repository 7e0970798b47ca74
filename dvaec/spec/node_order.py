"""An order of q's sweeps node by node, in short sequences: what lines of single frames find there."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from dvaec.spec.early import Key, drawn_ahead
from dvaec.spec.ends_over_time import MOST_ARROWS, arrows_at, farthest, unrolled
from dvaec.spec.model import LAST, Conditional, Sweep


def serves(
    order: Sequence[Sweep], q: Sequence[Conditional], static: Collection[str], zero: Collection[str]
) -> bool:
    """Whether every line of a single frame reads what the order has before, where T is 2 and more.

    These sequences are as long as their ends are apart, unless that would be too many arrows.
    """
    own = {(line.target, line.frame) for line in q}
    most, budget = 6 + 2 * farthest(q), MOST_ARROWS
    for frames in range(2, most + 1):
        budget -= arrows_at(q, frames)
        if budget < 0:
            break
        place = {key: at for at, key in enumerate(_nodes(order, static, zero, frames))}
        reads = unrolled(q, static, zero, frames, drawn=True)
        for key, some in reads.items():
            single = key in own or (key[1] == frames and (key[0], LAST) in own)
            if single and any(place[one] >= place[key] for one in some):
                return False
    return True


def _nodes(
    order: Sequence[Sweep], static: Collection[str], zero: Collection[str], frames: int
) -> Iterator[Key]:
    """Yield what is drawn in sequences of some frames, 2 or more, in its order."""
    early = {(name, frames if at == LAST else at) for name, at in drawn_ahead(order)}
    for sweep in order:
        if not sweep.latents:
            yield from ((name, frames if at == LAST else at) for name, at in sweep.first)
        elif any(name in static for name in sweep.latents):
            yield from ((name, 0) for name in sweep.latents)
        else:
            yield from (key for key in _of_sweep(sweep, zero, frames) if key not in early)


def _of_sweep(sweep: Sweep, zero: Collection[str], frames: int) -> Iterator[Key]:
    """Yield all frames of a sweep, also those that are drawn ahead of it."""
    names = sweep.latents
    times = [1, 0] if sweep.backward else [0, 1]
    near = [(name, at) for at in times for name in names if at == 1 or name in zero]
    near = [*sweep.first, *(key for key in near if key not in sweep.first)]
    inside = [(name, at) for at in range(2, frames) for name in names]
    if sweep.backward:
        inside = [(name, at) for at in range(frames - 1, 1, -1) for name in names]
    last = [(name, frames) for name in sweep.last or names]
    yield from (*last, *inside, *near) if sweep.backward else (*near, *inside, *last)
