"""Where windows that hold for every T are larger than the exact minimum: at the ends, or throughout.

The networks compared are so long that a frame t between one end and the middle does not tell where the other
end is: what links it to its evidence has repeated by then, as the proof of the windows shows. What repeats
with a period may depend on T modulo that period, so one T of each residue is compared.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from dvaec.derive.minimum import Factor
from dvaec.derive.model import Looseness, Place, Spare
from dvaec.network.cliques import Sets
from dvaec.network.template import Template
from dvaec.spec.model import LAST, Spec

LARGEST_COMPARED = 4_000_000  # frames compared, times the frames of the network, times what families read


def looseness(spec: Spec, factor: Factor) -> Looseness:
    """Compare windows, clipped to the frames that there are, with the exact minimum of long networks."""
    template, frame, served = factor.template, factor.conditional.frame, factor.served
    reads = sum(len(f.parents) + 1 for f in template.families)
    shortest = factor.lengths[0] if spec.frames is None else spec.frames
    residues = len(factor.lengths) if spec.frames is None and factor.framed else 1
    if residues * shortest * shortest * reads > LARGEST_COMPARED:
        return Looseness(compared=False)
    if not factor.framed:
        least = served[0] if frame == LAST else 1
        lengths = range(least, shortest + 1) if spec.frames is None else (shortest,)
        loose = tuple(frames for frames in lengths if any(factor.spare(frames, frame).values()))
        late = [frames in loose for frames in lengths][-((factor.lengths[0] + 1) // 4) :]
        varies = any(late) and not all(late)  # T modulo something decides, for longer sequences too
        longest = loose[-1] if varies else shortest
        spare = factor.spare(longest, frame)
        return Looseness(spare=_runs(template, spare, longest, None), lengths=loose, varies=varies)
    results = tuple(_ends(factor, shortest + k) for k in range(residues))
    if any(one.inside for one in results) and not all(one.inside for one in results):
        some = tuple(dict.fromkeys(part for one in results for part in one.spare))
        return Looseness(spare=some, varies=True, at_some=True)
    return replace(
        results[0],
        first=tuple(sorted({k for one in results for k in one.first})),
        last=tuple(sorted({k for one in results for k in one.last})),
        spare=tuple(dict.fromkeys(part for one in results for part in one.spare)),
        varies=any(one != results[0] for one in results),
        more=(
            tuple(sorted({k for one in results for k in one.more[0]})),
            tuple(sorted({k for one in results for k in one.more[1]})),
        ),
    )


def _ends(factor: Factor, frames: int) -> Looseness:
    """Compare frame by frame; the middle frame speaks for all between the ends."""
    first, left = factor.served
    spare = {t: factor.spare(frames, t) for t in range(first, frames + 1 - left)}
    loose = [t for t, sets in spare.items() if any(sets.values())]
    middle = (frames + 1) // 2
    inside = _runs(factor.template, spare.get(middle, {}), frames, middle)
    more = [t for t in loose if inside and _besides(inside, spare[t], frames, t)]
    return Looseness(
        tuple(t for t in loose if t <= middle and (t < middle or inside)),
        tuple(frames - t for t in reversed(loose) if t >= middle and (t > middle or inside)),
        inside,
        more=(tuple(t for t in more if t < middle), tuple(frames - t for t in reversed(more) if t > middle)),
    )


def _besides(inside: tuple[Spare, ...], sets: Sets, frames: int, t: int) -> bool:
    """Whether frame t does not need more than the frames between the ends do not."""
    known = dict.fromkeys(sets, 0)
    for one in (one for one in inside if one.name in sets):
        if one.first is None or one.last is None:
            known[one.name] = -1
            continue
        low, high = (
            place.offset + {"1": 1, "T": frames, "t": t}[place.anchor] for place in (one.first, one.last)
        )
        known[one.name] |= sum(1 << frame for frame in range(max(low, 0), high + 1))
    return any(places & ~known[name] for name, places in sets.items())


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
