"""Frames 0 and 1 that q draws before the block of their latent: q(v | z_1) where z_t reads v.

They make a block of their own in the chain rule, a sweep without latents, whose `first` names them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from dvaec.spec.graph import topological
from dvaec.spec.model import Conditional, Parent, Sweep

Key = tuple[str, int]


def with_early_frames(order: Sequence[Sweep], q: Sequence[Conditional]) -> tuple[Sweep, ...]:
    """Return an order in which the frames that are read too early, and can be drawn then, come in time.

    A frame can if it has a line of its own, and reads but latents of the blocks before, and such frames.
    """
    rank = {name: place for place, sweep in enumerate(order) for name in sweep.latents}
    own = lines_near_1(q)
    wanted: dict[Key, int] = {}  # the block before which each is drawn
    drawn = [line for line in q if line.target in rank]
    waiting = [(key, rank[line.target]) for line in drawn for key in _late(line, rank)]
    for line in (line for line in drawn if line.frame is None and order[rank[line.target]].backward):
        mates = [p for p in line.parents if rank.get(p.name) == rank[line.target] and p.frame in (0, 1)]
        waiting += [((p.name, p.frame or 0), rank[line.target]) for p in mates]
    for key, place in waiting:
        if place >= wanted.get(key, len(order)) or key not in own:
            continue
        wanted[key] = place
        waiting += [(one, place) for one in _late(own[key], rank, place)]
    can = _drawable(wanted, own, rank)
    found: list[Sweep] = []
    for place, sweep in enumerate(order):
        early = [key for key in can if wanted[key] == place]
        needs = {key: [k for k in _late(own[key], rank, place) if k in early] for key in early}
        if early:
            found.append(Sweep((), first=topological(early, needs)))
        first = tuple(key for key in sweep.first if key not in can)
        found.append(replace(sweep, first=first if len(first) > 1 else ()))
    return tuple(found)


def lines_near_1(q: Sequence[Conditional]) -> dict[Key, Conditional]:
    """Return the lines of frames 0 and 1."""
    return {(one.target, one.frame): one for one in q if one.frame is not None and one.frame in (0, 1)}


def _drawable(
    wanted: Mapping[Key, int], own: Mapping[Key, Conditional], rank: Mapping[str, int]
) -> list[Key]:
    """Return those of the wanted frames that can be drawn where they are wanted."""
    can = [key for key in wanted if _plain(own[key], rank, wanted[key])]
    while True:
        needs = {key: _late(own[key], rank, wanted[key]) for key in can}
        kept = [k for k in can if all(one in can and wanted[one] <= wanted[k] for one in needs[k])]
        if kept == can:
            return kept
        can = kept


def _plain(line: Conditional, rank: Mapping[str, int], place: int) -> bool:
    """Whether a line reads of latents that are drawn later, from a place on, frames 0 and 1 alone."""
    late = [p for p in line.parents if rank.get(p.name, -1) >= place]
    return all(frames_near_1(line, parent) is not None for parent in late)


def _late(line: Conditional, rank: Mapping[str, int], place: int | None = None) -> list[Key]:
    """Return the frames 0 and 1 that a line reads of latents of later blocks, or of those from a place on."""
    from_ = rank[line.target] + 1 if place is None else place
    late = (p for p in line.parents if rank.get(p.name, -1) >= from_)
    return [(p.name, frame) for p in late for frame in frames_near_1(line, p) or ()]


def frames_near_1(line: Conditional, parent: Parent) -> tuple[int, ...] | None:
    """Return the frames that are read, if they are but 0 and 1."""
    if parent.frame in (0, 1):
        return (parent.frame,)
    if parent.offsets is None or line.frame not in (0, 1) or not parent.offsets.finite:
        return None
    frames = tuple(d + line.frame for d in parent.offsets.members if d + line.frame >= 0)
    return frames if max(frames, default=0) < 2 else None
