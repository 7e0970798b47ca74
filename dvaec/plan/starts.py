"""Outside 1..T states start, and a feature is the map of what stands there: no feature is one of itself."""

from __future__ import annotations

from dvaec.plan.aligning import UnschedulableError
from dvaec.spec.model import Attention, Block, Parent, Spec, reads_of
from dvaec.spec.notation import listed


def check_starts(spec: Spec) -> None:
    """Refuse features that read one another in a cycle: outside 1..T such a map would be a map of itself.

    A state in the cycle settles it, since a state has a start.
    """
    reads = {feature.name: _at_start(feature.block) for feature in spec.features}
    waiting = tuple(reads)
    while waiting:
        cyclic = tuple(n for n in waiting if any(read.name in waiting for read in reads[n]))
        if cyclic == waiting:
            ring = _ring(waiting, reads)
            names = listed(f"{name}_t" for name in ring)
            message = (
                f"{names} are features that need each other, at whatever frames; what remembers is a state"
            )
            raise UnschedulableError(message, ring, "DV303")
        waiting = cyclic


def _at_start(block: Block) -> tuple[Parent, ...]:
    """What a feature outside 1..T is a map of; attention is 0 there."""
    return () if isinstance(block, Attention) else reads_of(block)


def _ring(names: tuple[str, ...], reads: dict[str, tuple[Parent, ...]]) -> tuple[str, ...]:
    """Follow what is read until a feature comes again; return the ring in the order of the page."""
    path = [names[0]]
    while path[-1] not in path[:-1]:
        path.append(next(read.name for read in reads[path[-1]] if read.name in names))
    ring = path[path.index(path[-1]) : -1]
    return tuple(name for name in names if name in ring)
