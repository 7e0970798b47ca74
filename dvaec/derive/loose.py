"""Where windows that hold for every T are larger than the exact minimum: at the ends, or throughout.

The networks compared are so long that a frame t between one end and the middle does not tell where the other
end is: what links it to its evidence has repeated by then, as the proof of the windows shows. What repeats
with a period may depend on T modulo that period, so one T of each residue is compared.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from dvaec.derive.model import Looseness, Place, Spare
from dvaec.network.cliques import Sets
from dvaec.network.finite import Finite
from dvaec.network.template import Template, end
from dvaec.network.unrolled import Node
from dvaec.network.windows import Windows
from dvaec.spec.model import LAST, Conditional, Parent, Spec
from dvaec.spec.offsets import Offsets

LARGEST_COMPARED = 4_000_000  # frames compared, times the frames of the network, times what families read
FEWEST = 8  # frames, where there is no frame t


def looseness(
    spec: Spec,
    template: Template,
    conditional: Conditional,
    derived: tuple[Windows, Mapping[str, Offsets | None]],
    served: tuple[int, int] = (1, 0),
    absolute: tuple[Parent, ...] = (),
) -> Looseness:
    """Compare windows, clipped to the frames that there are, with the exact minimum of long networks.

    `derived` are the windows and E, which has the single frames `absolute`, too; compared are the frames
    that are `served`.
    """
    found, given = derived
    comparison = _Comparison(template, conditional, given, absolute)
    reads = sum(len(f.parents) + 1 for f in template.families)
    framed = conditional.frame is None and conditional.target not in template.static
    longer = lengths_compared(template, found, given)
    shortest = longer[0] if spec.frames is None else spec.frames
    residues = len(longer) if spec.frames is None and framed else 1
    if residues * shortest * shortest * reads > LARGEST_COMPARED:
        return Looseness(compared=False)
    if not framed:
        least = served[0] if conditional.frame == LAST else 1
        lengths = range(least, shortest + 1) if spec.frames is None else (shortest,)
        loose = tuple(
            frames for frames in lengths if any(comparison.spare(frames, conditional.frame).values())
        )
        late = [frames in loose for frames in lengths][-((longer[0] + 1) // 4) :]
        varies = any(late) and not all(late)  # T modulo something decides, for longer sequences too
        longest = loose[-1] if varies else shortest
        spare = comparison.spare(longest, conditional.frame)
        return Looseness(spare=_runs(template, spare, longest, None), lengths=loose, varies=varies)
    results = tuple(_ends(template, comparison, shortest + k, served) for k in range(residues))
    return replace(
        results[0],
        first=tuple(sorted({k for one in results for k in one.first})),
        last=tuple(sorted({k for one in results for k in one.last})),
        spare=tuple(dict.fromkeys(part for one in results for part in one.spare)),
        varies=any(one != results[0] for one in results),
    )


def lengths_compared(
    template: Template, found: Windows, given: Mapping[str, Offsets | None]
) -> tuple[int, ...]:
    """Return the T, one of each residue, at whose middle frame it does not tell where the ends are."""
    reach = max((end(o) for o in given.values() if o is not None), default=0)
    middle = max(found.first + found.period + 2 * (template.lag + reach) + 2, FEWEST)
    return tuple(range(2 * middle - 1, 2 * middle - 1 + found.period))


@dataclass(frozen=True)
class _Comparison:
    template: Template
    conditional: Conditional
    given: Mapping[str, Offsets | None]
    absolute: tuple[Parent, ...]

    def spare(self, frames: int, at: int | None) -> Sets:
        """Return what the windows hold at frame `at` of `frames` without need."""
        network = Finite(self.template, frames)
        at = frames if at == LAST else at
        exact = network.minimal(Node(self.conditional.target, at), self.given, self.absolute)
        allowed = network.places((*(Parent(n, o) for n, o in self.given.items()), *self.absolute), at)
        read = network.places(self.conditional.parents, at)
        return {name: read[name] & allowed[name] & ~exact[name] for name in self.template.names}


def _ends(template: Template, comparison: _Comparison, frames: int, served: tuple[int, int]) -> Looseness:
    """Compare frame by frame; the middle frame speaks for all between the ends."""
    spare = {t: comparison.spare(frames, t) for t in range(served[0], frames + 1 - served[1])}
    loose = [t for t, sets in spare.items() if any(sets.values())]
    middle = (frames + 1) // 2
    inside = _runs(template, spare.get(middle, {}), frames, middle)
    return Looseness(
        tuple(t for t in loose if t <= middle and (t < middle or inside)),
        tuple(frames - t for t in reversed(loose) if t >= middle and (t > middle or inside)),
        inside,
    )


def _runs(template: Template, sets: Sets, frames: int, t: int | None) -> tuple[Spare, ...]:
    """Write frames as runs, each end by the nearest of frame 1, t and T."""
    found = []
    for name, places in sets.items():
        if name in template.static:
            found += [Spare(name)] if places else []
            continue
        found += [Spare(name, _place(low, frames, t), _place(high, frames, t)) for low, high in _bits(places)]
    return tuple(found)


def _bits(places: int) -> Iterator[tuple[int, int]]:
    """Yield the first and last frame of each run."""
    low = 0
    while places >> low:
        low += (places >> low & -(places >> low)).bit_length() - 1
        high = low
        while places >> high + 1 & 1:
            high += 1
        yield low, high
        low = high + 1


def _place(frame: int, frames: int, t: int | None) -> Place:
    anchors = {"1": 1, "T": frames} if t is None else {"t": t, "1": 1, "T": frames}
    nearest = min(anchors, key=lambda anchor: abs(frame - anchors[anchor]))
    return Place(nearest, frame - anchors[nearest])
