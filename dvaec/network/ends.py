"""What the developed form sees at the ends of a sequence, where states start and stop.

On an infinite line a backward state that reads x_<t-1> sees x_{t-1:T}. On frames 1..T it starts at frame T
with x_{T-1}: the last observation is lost to everyone, at every frame. Windows that agree in the interior
therefore have to be compared frame by frame as well, on a horizon that is long enough to hold both ends.

Outside 1..T a variable is 0 (but z_0, where z has a frame 0), a state is its start, and a feature is the
map of these: at frame 0 of the frame-0 values that it reads at its own frame.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from dvaec.network.unfold import Deterministic, nodes_of
from dvaec.spec.graph import reachable
from dvaec.spec.model import LAST, Attention, Conditional, Parent, Side, Spec, reads_of, reads_of_head
from dvaec.spec.offsets import Offsets

OUTSIDE = -1  # stands for the frames before 0 and after T

Sight = dict[str, int]  # variable -> its frames as bits; bit 0 is frame 0, or a sequence-level value


@dataclass(frozen=True)
class Lost:
    """At `frame` of 1..`frames` a reader does not see frames of `name` that its window holds.

    `frame` is None for a sequence-level reader, `missing` is empty for a sequence-level variable.
    """

    name: str
    frame: int | None
    frames: int
    missing: tuple[int, ...]


@dataclass(frozen=True)
class Ends:
    """What every node sees at each of finitely many frames: bit s of `seen[node, t][name]` is frame s.

    `t` is also 0 and OUTSIDE. `first` holds the first frame, 0 or 1, of each frame-level variable,
    `zero` the features of variables with a frame 0: an open window that reads these begins there, too.
    """

    spec: Spec
    frames: int
    first: Mapping[str, int]
    zero: frozenset[str]
    seen: Mapping[tuple[str, int], Sight]

    def lost(
        self, side: Side, reads: tuple[Parent, ...], declared: Conditional, served: tuple[int, int] = (1, 0)
    ) -> Iterator[Lost]:
        """Yield, frame by frame, what a conditional holds and reading `reads` does not bring.

        Those of frame t are asked about from the first frame that is `served` on, and the last ones left out.
        """
        for frame in self._frames(side, declared, served):
            got = self._got(reads, frame)
            for parent in declared.parents:
                bits = got.get(parent.name, 0)
                if parent.name not in self.first:
                    if not bits:
                        yield Lost(parent.name, frame, self.frames, ())
                    continue
                wanted = self._wanted(parent, 1 if frame is None else frame)
                own = frame if declared.frame is not None and parent.name == declared.target else None  # z_0
                missing = tuple(s for s in wanted if not bits >> s & 1 and s != own)
                if missing:
                    yield Lost(parent.name, frame, self.frames, missing)

    def sees_itself(self, reads: tuple[Parent, ...], declared: Conditional) -> bool:
        """Whether a conditional of one frame, whose windows leave that frame out, sees it all the same."""
        if declared.frame is None:
            return False
        frame = self.frames if declared.frame == LAST else declared.frame
        return bool(self._got(reads, frame).get(declared.target, 0) >> frame & 1)

    def _got(self, reads: tuple[Parent, ...], frame: int | None) -> Sight:
        """What reading these names brings a conditional at its frame; windows of frame 0 count from there."""
        if frame == 0:
            some = (None if p.offsets is None else p.offsets.shift(-1) for p in reads)
            reads = tuple(replace(p, offsets=there) for p, there in zip(reads, some, strict=True))
        return _reading(self, reads, frame or 1)

    def _frames(self, side: Side, declared: Conditional, served: tuple[int, int]) -> tuple[int | None, ...]:
        """The frames of a conditional; the generic one leaves those out that have one of their own."""
        if declared.target not in self.first:
            return (None,)
        if declared.frame in (0, 1):
            return (declared.frame,)
        lines = self.spec.numbered if side is Side.P else self.spec.inference.numbered
        own = {line.frame for line in lines if line.target == declared.target}
        own |= {head.frame for head in self.spec.heads if (head.side, head.target) == (side, declared.target)}
        first, left = (2 if 1 in own else served[0]), (1 if LAST in own else served[1])
        if declared.frame == LAST:  # where T = 1, the line of frame 1 speaks
            return (self.frames,) if self.frames >= first else ()
        return tuple(range(first, self.frames + 1 - left))

    def _wanted(self, parent: Parent, t: int) -> tuple[int, ...]:
        if parent.offsets is None:
            return (self.frames if parent.frame == LAST else parent.frame or 0,)
        return tuple(t + d for d in parent.offsets.within(self.first[parent.name] - t, self.frames - t))


def both_ends(spec: Spec) -> int:
    """Return how many frames hold both ends apart: longer sequences show nothing new."""
    heads = [reads_of_head(head) for head in spec.heads]
    return 2 * (_depth(list(nodes_of(spec))) + max(map(_farthest, heads), default=0)) + 5


def ends(spec: Spec, frames: int | None = None) -> Ends:
    """Return what states and features see at each of 1..`frames`; without a number, of `both_ends`."""
    nodes = list(nodes_of(spec))
    frames = both_ends(spec) if frames is None else frames
    first = {v.name: v.first for v in spec.variables if v.framed}
    times = (OUTSIDE, *range(frames + 1))
    found = Ends(
        spec, frames, first, _with_frame_0(spec), {(node.name, t): {} for node in nodes for t in times}
    )
    changed = True
    while changed:  # sets only grow; sweeps in both directions let either recurrence settle at once
        changed = False
        for way in (times, reversed(times)):
            for t in way:
                for node in nodes:
                    changed |= _grow(found, node, t)
    return found


def _with_frame_0(spec: Spec) -> frozenset[str]:
    """Return the features that show something of frame 0: they read it at their own frame."""
    shown = set(spec.zero)
    maps = [f for f in spec.features if not isinstance(f.block, Attention)]
    for _ in maps:
        for f in maps:
            reads = (p for p in reads_of(f.block) if p.offsets is not None and 0 in p.offsets)
            shown |= {f.name} if any(p.name in shown for p in reads) else set()
    return frozenset(f.name for f in maps if f.name in shown)


def _depth(nodes: list[Deterministic]) -> int:
    """Return how far a chain of reads and recurrences can reach, each node counted once."""
    needs = {node.name: [p.name for p in node.reads] for node in nodes}
    own = {node.name: _farthest(node.reads) + max(map(abs, node.loops), default=0) for node in nodes}
    names = list(own)
    around = {name: {name, *reachable(name, needs)} & set(names) for name in names}
    rings = {name: frozenset(m for m in around[name] if name in around[m]) for name in names}
    deep: dict[frozenset[str], int] = {}
    for name in sorted(names, key=lambda n: len(around[n])):  # what a ring reads reaches less than it does
        ring = rings[name]
        below = (deep[rings[m]] for m in around[name] if m not in ring)
        deep[ring] = sum(own[m] for m in ring) + max(below, default=0)
    return max(deep.values(), default=0)


def _grow(found: Ends, node: Deterministic, t: int) -> bool:
    row = found.seen[node.name, t]
    if node.loops and not 1 <= t <= found.frames:
        got = _reading(found, node.start, t)
    else:
        got = _reading(found, node.reads, t)
        for loop in node.loops:
            _add(got, _sight(found, node.name, t + loop))
    grown = {v: row.get(v, 0) | bits for v, bits in got.items() if bits & ~row.get(v, 0)}
    row.update(grown)
    return bool(grown)


def _reading(found: Ends, reads: tuple[Parent, ...], t: int) -> Sight:
    """What reading these names at frame t brings."""
    got: Sight = {}
    for parent in reads:
        if parent.frame is not None:
            _add(got, _sight(found, parent.name, found.frames if parent.frame == LAST else parent.frame))
        elif parent.offsets is None:
            _add(got, {parent.name: 1})
        elif parent.name in found.first and parent.offsets.finite and 1 <= t <= found.frames:
            _add(got, {parent.name: _clipped(found, parent.name, parent.offsets, t)})
        else:
            for frame in _read_frames(found, parent.name, parent.offsets, t):
                _add(got, _sight(found, parent.name, frame))
    return got


def _clipped(found: Ends, name: str, offsets: Offsets, t: int) -> int:
    """The frames of a variable in a finite window at t, as bits."""
    bits, low = sum(1 << k for k, there in enumerate(offsets.inside) if there), t + offsets.low
    bits = bits << low if low >= 0 else bits >> -low
    return bits & ((1 << found.frames + 1) - (1 << found.first[name]))


def _read_frames(found: Ends, name: str, offsets: Offsets, t: int) -> Iterator[int]:
    """The frames that a window reads at t; an open one reads no frame that is not there."""
    if not 1 <= t <= found.frames:
        members = offsets.members if offsets.finite else ()
        yield from (0 if t == d == 0 else OUTSIDE for d in members)
    elif offsets.finite:
        yield from (t + d for d in offsets.members)
    else:
        low = found.first.get(name, 0 if name in found.zero else 1)
        yield from (t + d for d in offsets.within(low - t, found.frames - t))


def _sight(found: Ends, name: str, frame: int) -> Sight:
    """What one frame of one thing shows; `frame` may lie outside 1..T."""
    if name in found.first:
        return {name: 1 << frame} if found.first[name] <= frame <= found.frames else {}
    return found.seen[name, frame if 0 <= frame <= found.frames else OUTSIDE]


def _add(got: Sight, more: Sight) -> None:
    for variable, bits in more.items():
        got[variable] = got.get(variable, 0) | bits


def _farthest(reads: tuple[Parent, ...]) -> int:
    sets = [parent.offsets for parent in reads if parent.offsets is not None]
    return max((max(abs(offsets.low), abs(offsets.high)) for offsets in sets), default=0)
