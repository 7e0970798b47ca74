"""What a developed network reads, by walking every tensor of T frames back to the variables."""

from __future__ import annotations

from collections.abc import Iterator

from dvaec.spec.model import LAST, Direction, Parent, Spec, State, reads_of
from dvaec.spec.offsets import Offsets

Tensor = tuple[str, str, int | None]  # kind, name, frame
Seen = set[tuple[str, int | None]]


class Walk:
    """The tensors of one spec with T frames: `of(reads, t)` lists what reading these names at t comes to."""

    def __init__(self, spec: Spec, frames: int) -> None:
        self.spec, self.frames = spec, frames
        self.first = {v.name: v.first for v in spec.variables if v.framed}
        self.static = {v.name for v in spec.variables if not v.framed}
        self.states = {s.name: s for s in spec.states}
        self.blocks = {f.name: f.block for f in spec.features}

    def of(self, reads: tuple[Parent, ...], t: int) -> Seen:
        """Walk breadth first."""
        found: Seen = set()
        waiting = [tensor for read in reads for tensor in self._read(read, t)]
        met = set(waiting)
        while waiting:
            tensor = waiting.pop()
            if tensor[0] == "variable":
                found.add(tensor[1:])
                continue
            for source in self._sources(tensor):
                if source not in met:
                    met.add(source)
                    waiting.append(source)
        return found

    def _sources(self, tensor: Tensor) -> Iterator[Tensor]:
        kind, name, t = tensor
        assert t is not None
        if kind == "feature":
            for read in reads_of(self.blocks[name]):
                yield from self._read(read, t) if 1 <= t <= self.frames else self._beyond(read, t)
            return
        state, step = self.states[name], self.states[name].lag * (-1 if kind == "forward" else 1)
        if not 1 <= t <= self.frames:
            for read in state.start_reads:
                yield from self._read(read, t)
            return
        yield (kind, name, t + step)
        for read in state.reads:
            yield from self._read(read, t)

    def _read(self, read: Parent, t: int) -> Iterator[Tensor]:
        if read.name in self.static:
            yield ("variable", read.name, None)
        elif read.frame is not None:
            yield from self._tensors(read.name, self.frames if read.frame == LAST else read.frame)
        else:
            assert read.offsets is not None
            for frame in self._frames(read.offsets, t):
                if read.offsets.finite or frame >= self.first.get(read.name, 1):
                    yield from self._tensors(read.name, frame)

    def _frames(self, offsets: Offsets, t: int) -> tuple[int, ...]:
        if offsets.finite:
            return tuple(t + d for d in offsets.members)
        return tuple(s for s in range(self.frames + 1) if s - t in offsets)

    def _beyond(self, read: Parent, t: int) -> Iterator[Tensor]:
        """What a feature outside 1..T is made of: zeros, starts, and at frame 0 what is of frame 0 itself."""
        if read.offsets is None:
            yield from self._read(read, t)
        elif read.offsets.finite:
            for d in read.offsets.members:
                here = 0 if (t, d) == (0, 0) else -1
                yield from self._tensors(read.name, here)

    def _tensors(self, name: str, frame: int) -> Iterator[Tensor]:
        if name in self.first:
            if self.first[name] <= frame <= self.frames:
                yield ("variable", name, frame)
        elif name in self.blocks:
            yield ("feature", name, frame)
        else:
            for way in _ways(self.states[name]):
                yield (way, name, frame)


def _ways(state: State) -> tuple[str, ...]:
    both = state.runs is Direction.BOTH
    return ("forward", "backward") if both else (str(state.runs),)
