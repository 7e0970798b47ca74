"""Orders in which latents of one sweep run behind others: with q(z_t | z_<t-1>, a_<t+1>), z one frame."""

from __future__ import annotations

from collections.abc import Sequence

from dvaec.spec.graph import shifted
from dvaec.spec.model import Conditional, Sweep
from dvaec.spec.offsets import Offsets


def skewed(order: Sequence[Sweep], q: Sequence[Conditional]) -> tuple[Sweep, ...] | None:
    """Return sweeps whose latents run behind as far as the lines of all frames ask; None if they cannot."""
    found = []
    for sweep in order:
        gaps = _gaps(sweep, q)
        made = None if gaps is None else shifted(sweep.latents, gaps)
        if made is None:
            return None
        names, shifts = made
        found.append(Sweep(names, sweep.backward, shifts=shifts if any(shifts) else ()))
    return tuple(found)


def _gaps(sweep: Sweep, q: Sequence[Conditional]) -> dict[tuple[str, str], int] | None:
    """Return by how many frames, at least, a reader runs behind what it reads."""
    gaps: dict[tuple[str, str], int] = {}
    for line in (line for line in q if line.frame is None and line.target in sweep.latents):
        for parent in (p for p in line.parents if p.name in sweep.latents and p.offsets):
            assert parent.offsets is not None
            gap = latest(parent.offsets, sweep.backward)
            if gap is None:
                return None
            pair = (parent.name, line.target)
            gaps[pair] = max(gaps.get(pair, gap), gap)
    return gaps


def latest(offsets: Offsets, backward: bool) -> int | None:
    """Return how far ahead, in the direction of a sweep, a window reaches; None where it has no end."""
    if offsets.reaches_past if backward else offsets.reaches_future:
        return None
    inside = offsets.within(-offsets.reach, offsets.reach)
    return -min(inside) if backward else max(inside)
