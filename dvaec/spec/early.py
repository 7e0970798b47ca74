"""Single frames that q draws before the block of their latent: q(v | z_1) where z_t reads v.

Frames 0, 1 and T, by lines of their own: a bridge draws z_T, and then z_t | z_<t-1>, z_T. They make a block
of their own in the chain rule, a sweep without latents, whose `first` names them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from dvaec.spec.graph import topological
from dvaec.spec.model import LAST, Conditional, Parent, Sweep

Key = tuple[str, int]


def with_early_frames(
    order: Sequence[Sweep], q: Sequence[Conditional], *, alike: bool = True
) -> tuple[Sweep, ...]:
    """Return an order in which the frames that are read too early, and can be drawn then, come in time.

    A frame can if it has a line of its own, and reads but latents of the blocks before, and such frames.
    Where T is 1, the line of frame 1 speaks for frame T: if there is one, it has to come as early, where the
    order is to be `alike` there.
    """
    rank = {name: place for place, sweep in enumerate(order) for name in sweep.latents}
    early = _Early(tuple(order), rank, single_lines(q), {}, alike)
    early.gather([line for line in q if line.target in rank])
    can = early.drawable()
    found: list[Sweep] = []
    for place, sweep in enumerate(order):
        if here := [key for key in can if early.wanted[key] == place]:
            found.append(Sweep((), first=early.ordered(here, place)))
        first = tuple(key for key in sweep.first if key not in can)
        first = first if len(first) > 1 else ()
        found.append(replace(sweep, first=first, last=_without(sweep, [n for n, at in can if at == LAST])))
    return tuple(found)


def _without(sweep: Sweep, ahead: Sequence[str]) -> tuple[str, ...]:
    """Return a sweep's own order of frame T, if it is one without the latents drawn ahead there."""
    last = tuple(name for name in sweep.last if name not in ahead)
    usual = tuple(name for name in sweep.latents if name not in ahead)
    return () if last == usual else (*(name for name in sweep.last if name in ahead), *last)


def single_lines(q: Sequence[Conditional]) -> dict[Key, Conditional]:
    """Return the lines of frames 0, 1 and T."""
    return {(one.target, one.frame): one for one in q if one.frame is not None}


def single_frames(line: Conditional, parent: Parent) -> tuple[int, ...] | None:
    """Return the frames that are read, if they are but 0, 1 and T."""
    if parent.frame is not None:
        return (parent.frame,)
    if parent.offsets is None or line.frame not in (0, 1) or not parent.offsets.finite:
        return None
    frames = tuple(d + line.frame for d in parent.offsets.members if d + line.frame >= 0)
    return frames if max(frames, default=0) < 2 else None


def drawn_ahead(order: Sequence[Sweep]) -> dict[Key, int]:
    """Return the frames that are drawn before the block of their latent, and where in the order."""
    return {key: place for place, sweep in enumerate(order) if not sweep.latents for key in sweep.first}


def last_frames(sweep: Sweep, line: Conditional) -> tuple[int, ...]:
    """Return the single frames of its own sweep that a line can read only if they are drawn ahead."""
    if sweep.backward:
        return () if line.frame in (0, 1) else (0, 1)
    return () if line.frame == LAST else (LAST,)


@dataclass(frozen=True)
class _Early:
    """Which single frames are wanted before the block of their latent: before which block, at `rank`s."""

    order: tuple[Sweep, ...]
    rank: Mapping[str, int]
    own: Mapping[Key, Conditional]
    wanted: dict[Key, int]
    alike: bool = True

    def gather(self, drawn: Sequence[Conditional]) -> None:
        """Find what lines read too early, and what that reads."""
        waiting = [(key, self.rank[line.target]) for line in drawn for key in self._too_early(line)]
        for key, place in waiting:
            if place >= self.wanted.get(key, len(self.order)) or key not in self.own:
                continue
            self.wanted[key] = place
            waiting += [(one, place) for one in (*self.late(self.own[key], place), *self._alike(key, place))]

    def drawable(self) -> list[Key]:
        """Return those of the wanted frames that can be drawn where they are wanted."""
        can = [key for key in self.wanted if self._plain(self.own[key], self.wanted[key])]
        while True:
            needs = {k: (*self.late(self.own[k], at), *self._alike(k, at)) for k, at in self.wanted.items()}
            kept = [k for k in can if all(n in can and self.wanted[n] <= self.wanted[k] for n in needs[k])]
            if kept == can:
                return kept
            can = kept

    def ordered(self, keys: Sequence[Key], place: int) -> tuple[Key, ...]:
        """Return single frames, each behind what it reads, and z_T with nothing between it and z_1 behind it.

        Where T is 1, z_1 stands for z_T: what comes after the one comes after the other.
        """
        needs = {key: [k for k in self.late(self.own[key], place) if k in keys] for key in keys}
        toward = [(name, 1) for name, at in keys if at == LAST and (name, LAST) in needs.get((name, 1), ())]
        for name, at in keys:
            if at == LAST and (name, 1) in needs:
                needs[name, at] += needs[name, 1] if (name, 1) in toward else [(name, 1)]
                needs[name, at] = [key for key in needs[name, at] if key != (name, at)]
        return topological([*toward, *(key for key in keys if key not in toward)], needs)

    def late(self, line: Conditional, place: int) -> list[Key]:
        """Return the single frames that a line reads of the latents from a place on."""
        late = (p for p in line.parents if self.rank.get(p.name, -1) >= place)
        return [(p.name, frame) for p in late for frame in single_frames(line, p) or ()]

    def _too_early(self, line: Conditional) -> list[Key]:
        """Return what a line reads of later blocks, and of the end that its own block comes to last."""
        here = self.rank[line.target]
        far = last_frames(self.order[here], line)
        mates = (p for p in line.parents if self.rank.get(p.name) == here)
        found = [(p.name, frame) for p in mates for frame in far if p.frame == frame]
        return [*self.late(line, here + 1), *found]

    def _alike(self, key: Key, place: int) -> tuple[Key, ...]:
        """Return what stands in the place of frame T where T is 1, unless nothing comes before it there."""
        name, frame = key
        alone = not self.alike or (place == self.rank[name] and len(self.order[place].latents) == 1)
        return ((name, 1),) if frame == LAST and (name, 1) in self.own and not alone else ()

    def _plain(self, line: Conditional, place: int) -> bool:
        """Whether a line reads of latents that are drawn later, from a place on, single frames alone."""
        late = [p for p in line.parents if self.rank.get(p.name, -1) >= place]
        return all(single_frames(line, parent) is not None for parent in late)
