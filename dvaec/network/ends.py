"""What the developed form sees at the ends of a sequence, where states start and stop.

On an infinite line a backward state that reads x_<t-1> sees x_{t-1:T}. On frames 1..T it starts at frame T
with x_{T-1}: the last observation is lost to everyone, at every frame. Windows that agree in the interior
therefore have to be compared frame by frame as well, on a horizon that is long enough to hold both ends.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dvaec.network.unfold import nodes_of
from dvaec.spec.model import Parent, Spec, reads_of_head

LONGEST = 400  # frames; lags beyond it are compared on the infinite line alone


@dataclass(frozen=True)
class Lost:
    """At `frame` of 1..`frames` a reader does not see frames of `name` that its window holds.

    `missing` is empty for a sequence-level variable, which has no frames.
    """

    name: str
    frame: int
    frames: int
    missing: tuple[int, ...]


@dataclass(frozen=True)
class Ends:
    """What every node sees at each of finitely many frames: bit s - 1 of `seen[node, t][name]` is frame s.

    A sequence-level variable that is seen is bit 0.
    """

    frames: int
    variables: tuple[str, ...]
    seen: dict[tuple[str, int], dict[str, int]]
    outside: dict[str, frozenset[str]]  # what features see outside 1..T: sequence-level variables

    def lost(self, reads: tuple[Parent, ...], declared: tuple[Parent, ...]) -> Iterator[Lost]:
        """Yield, frame by frame, what `declared` holds and reading `reads` does not bring."""
        for frame in range(1, self.frames + 1):
            got = _reading(self, reads, frame)
            for parent in declared:
                if parent.offsets is None:
                    if parent.name not in got:
                        yield Lost(parent.name, frame, self.frames, ())
                    continue
                window = parent.offsets.within(1 - frame, self.frames - frame)
                bits = got.get(parent.name, 0)
                missing = tuple(frame + d for d in window if not bits >> (frame + d - 1) & 1)
                if missing:
                    yield Lost(parent.name, frame, self.frames, missing)


def ends(spec: Spec) -> Ends | None:
    """Return what states and features see at each frame; None if their lags are beyond the horizon."""
    nodes = list(nodes_of(spec))
    reach = sum(_farthest(reads) + max(map(abs, loops), default=0) for _, reads, loops in nodes)
    reach += max((_farthest(reads_of_head(head)) for head in spec.heads), default=0)
    frames = 2 * reach + 5
    if frames > LONGEST:
        return None
    variables = tuple(v.name for v in spec.variables if v.framed)
    nothing: dict[tuple[str, int], dict[str, int]] = {
        (name, t): {} for name, _, _ in nodes for t in range(1, frames + 1)
    }
    found = Ends(frames, variables, nothing, _outside(spec))
    changed = True
    while changed:  # sets only grow; sweeps in both directions let either recurrence settle at once
        changed = False
        for times in (range(1, frames + 1), range(frames, 0, -1)):
            for t in times:
                for name, reads, loops in nodes:
                    changed |= _grow(found, name, t, reads, loops)
    return found


def _grow(found: Ends, name: str, t: int, reads: tuple[Parent, ...], loops: tuple[int, ...]) -> bool:
    row = found.seen[name, t]
    got = _reading(found, reads, t)
    for loop in loops:
        for variable, bits in found.seen.get((name, t + loop), {}).items():
            got[variable] = got.get(variable, 0) | bits
    grown = {v: row.get(v, 0) | bits for v, bits in got.items() if bits & ~row.get(v, 0)}
    row.update(grown)
    return bool(grown)


def _reading(found: Ends, reads: tuple[Parent, ...], t: int) -> dict[str, int]:
    """What reading these names at frame t brings; outside 1..T there is nothing to see."""
    got: dict[str, int] = {}
    for parent in reads:
        if parent.offsets is None:
            got[parent.name] = 1
            continue
        if parent.offsets.finite and any(not 1 <= t + d <= found.frames for d in parent.offsets.members):
            got.update(dict.fromkeys(found.outside.get(parent.name, ()), 1))
        for d in parent.offsets.within(1 - t, found.frames - t):
            if parent.name in found.variables:
                got[parent.name] = got.get(parent.name, 0) | 1 << (t + d - 1)
            for variable, bits in found.seen.get((parent.name, t + d), {}).items():
                got[variable] = got.get(variable, 0) | bits
    return got


def _outside(spec: Spec) -> dict[str, frozenset[str]]:
    """A feature outside 1..T is the feature of zeros, and of the sequence-level variables that it reads."""
    maps = {name: reads for name, reads, loops in nodes_of(spec) if not loops}
    found: dict[str, frozenset[str]] = dict.fromkeys(maps, frozenset())
    for _ in maps:
        for name, reads in maps.items():
            found[name] |= {p.name for p in reads if p.offsets is None}
            found[name] = found[name].union(*(found.get(p.name, frozenset()) for p in reads))
    return found


def _farthest(reads: tuple[Parent, ...]) -> int:
    sets = [parent.offsets for parent in reads if parent.offsets is not None]
    return max((max(abs(offsets.low), abs(offsets.high)) for offsets in sets), default=0)
