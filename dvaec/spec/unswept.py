"""Lines of q that can be drawn, though in no order of sweeps.

Single frames may come between others of their latents: with q(a_1 | z_1) beside q(z_t | z_<t-1>, a_<t+2>),
all of a but a_1 comes before z, and a_1 behind z_1. Such a q is drawn all the same. The exact posterior,
which needs an order at every frame of every T, keeps one of sweeps.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, permutations, product

from dvaec.spec.early import drawn_ahead, single_frames
from dvaec.spec.ends_over_time import cycle_at_ends, lengths, speaking, unrolled
from dvaec.spec.model import LAST, Conditional, Parent, Sweep
from dvaec.spec.offsets import ALL, NONE, Offsets
from dvaec.spec.over_time import Place, components

Read = tuple[Conditional, Parent]
MOST_ORDERS = 200


@dataclass(frozen=True)
class ChainRule:
    """The order of the latents; and where q's lines keep none, the latents that wait for one another."""

    order: tuple[Sweep, ...]
    unswept: tuple[tuple[str, ...], ...] = ()


def read_too_early(
    order: Sequence[Sweep], q: Sequence[Conditional], static: Collection[str], zero: Collection[str]
) -> Iterator[Read]:
    """Yield what q's lines read before the order draws it, at some frame of some sequence.

    Where frame T is drawn ahead of the others, what a line reads of it has to be there where T is 1, too: no
    sweep leaves it out.
    """
    latents = [name for sweep in order for name in sweep.latents]
    q = [line for line in q if line.target in latents]
    own = {(line.target, line.frame) for line in q}
    if all(line.frame is None and all(p.frame is None for p in line.parents) for line in q) and not static:
        yield from _read_too_early_at_t(order, q)
        return
    found: dict[tuple[str, int | None, str], None] = {}
    for frames in lengths(q):
        at = {place: k for k, place in enumerate(_places(order, own, static, zero, frames))}
        apart = frames == 1 and any(at == LAST for _, at in drawn_ahead(order))
        graph = unrolled(q, static, zero, frames, not apart, latents)
        for (name, t), reads in ((place, some) for place, some in graph.items() if place in at):
            others = (one for one in reads if one in at and not (apart and one == (name, t)))
            for other in (other for other in others if at[other] >= at[name, t]):
                found[name, speaking(own, name, t, frames), other[0]] = None
    for line in q:
        for parent in line.parents:
            if (line.target, line.frame, parent.name) in found:
                yield line, parent


def _read_too_early_at_t(order: Sequence[Sweep], q: Sequence[Conditional]) -> Iterator[Read]:
    """The same of lines of all frames: whether their windows are what comes before t."""
    rank = {name: k for k, sweep in enumerate(order) for name in sweep.latents}
    for line in q:
        for parent in (p for p in line.parents if p.name in rank):
            here, there = rank[line.target], rank[parent.name]
            before = order[here].before(parent.name, line.target) if here == there else NONE
            if there > here or (here == there and not (parent.offsets or NONE) <= before):
                yield line, parent


def drawable(
    order: Sequence[Sweep], q: Sequence[Conditional], static: Collection[str], zero: Collection[str]
) -> tuple[Sweep, ...] | None:
    """Return an order in which q can be drawn, read what it may what is derived; None if none is found.

    The order decides what a latent without a line of all frames may read: all that comes before it. The one
    that is given is tried first, then sweeps of one latent each.
    """
    told = {line.target for line in q if line.frame is None}
    for candidate in _candidates(order, told, static):
        lines = [*q, *_derived(candidate, q, static, zero)]
        if cycle_at_ends(lines, static, zero, drawn=True) is None:
            return candidate
    return None


def _candidates(
    order: Sequence[Sweep], told: Collection[str], static: Collection[str]
) -> Iterator[tuple[Sweep, ...]]:
    """Yield orders: as given, with all that is derived first, and those of single latents up to a number."""
    yield tuple(order)
    names = [name for sweep in order for name in sweep.latents]
    if set(names) <= set(told):
        return  # nothing is derived, whatever the order
    parts = [
        Sweep(tuple(name for name in sweep.latents if (name in told) is since), sweep.backward)
        for since in (False, True)
        for sweep in order
    ]
    yield tuple(sweep for sweep in parts if sweep.latents)
    ways = [(False, True) if name not in told and name not in static else (False,) for name in names]
    single = [[Sweep((name,), way) for way in some] for name, some in zip(names, ways, strict=True)]
    yield from islice((one for some in permutations(single) for one in product(*some)), MOST_ORDERS)


def _derived(
    order: Sequence[Sweep], q: Sequence[Conditional], static: Collection[str], zero: Collection[str]
) -> Iterator[Conditional]:
    """Yield lines that read all that comes before, of what q has no line of."""
    own = {(line.target, line.frame) for line in q}
    for place, sweep in enumerate(order):
        earlier = [name for one in order[:place] for name in one.latents]
        before = tuple(Parent(name, None if name in static else ALL) for name in earlier)
        for name in sweep.latents:
            near = [] if name in static else [Parent(m, sweep.before(m, name)) for m in sweep.latents]
            if (name, None) not in own:
                yield Conditional(name, (*before, *near))
            if name in zero and (name, 0) not in own:
                mine = [Parent(m, ALL if sweep.backward else NONE) for m in sweep.latents]
                yield Conditional(name, (*before, *mine), 0)


def groups(q: Sequence[Conditional], order: Sequence[Sweep]) -> tuple[tuple[str, ...], ...]:
    """Return the latents, those together of which each waits for frames of the others; frames 0 apart."""
    latents = [name for sweep in order for name in sweep.latents]
    arrows: dict[tuple[str, str], Offsets] = {}
    for line in q:
        made = f"{line.target}_0" if line.frame == 0 else line.target
        for parent in (parent for parent in line.parents if parent.name in latents):
            frames = single_frames(line, parent)
            zero, others = frames is None or 0 in frames, frames is None or any(frames)
            read = [f"{parent.name}_0"] * zero + [parent.name] * others
            arrows |= {(made, name): ALL for name in read}
    parts = components((*latents, *(f"{name}_0" for name in latents)), arrows)
    found = (tuple(name for name in part if name in latents) for part in parts)
    return tuple(part for part in found if part)


def _places(
    order: Sequence[Sweep],
    own: Collection[tuple[str, int | None]],
    static: Collection[str],
    zero: Collection[str],
    frames: int,
) -> list[Place]:
    """Return the latents of some frames one by one, in their order."""
    if frames == 1 and (alone := next((sweep.alone for sweep in order if sweep.alone), ())):
        return list(alone)
    found: dict[Place, None] = {}
    for sweep in order:
        if not sweep.latents:
            for name, frame in sweep.first:
                begins = frame == LAST and frames == 1 and (name, 1) in own
                found |= {} if begins else {(name, frames if frame == LAST else frame): None}
        elif sweep.latents[0] in static:
            found[sweep.latents[0], 0] = None
        else:
            found |= dict.fromkeys(_of_sweep(sweep, own, zero, frames))
    return list(found)


def _of_sweep(
    sweep: Sweep, own: Collection[tuple[str, int | None]], zero: Collection[str], frames: int
) -> list[Place]:
    """Return the latents of a sweep one by one, as if none were drawn ahead of it."""
    if sweep.shifts:
        way = -1 if sweep.backward else 1
        steps = [
            (way * t + sweep.shift(name), k, (name, t))
            for k, name in enumerate(sweep.latents)
            for t in range(0 if name in zero else 1, frames + 1)
        ]
        return [place for *_, place in sorted(steps)]
    begun = frames == 1 and any((name, 1) in own for name in sweep.last)
    ended = sweep.last if sweep.last and not begun else sweep.latents
    at = {t: [(n, t) for n in (ended if t == frames else sweep.latents)] for t in range(1, frames + 1)}
    at[0] = [(name, 0) for name in sweep.latents if name in zero]
    near = list(sweep.first) or ([*at[1], *at[0]] if sweep.backward else [*at[0], *at[1]])
    others = range(frames, 1, -1) if sweep.backward else range(2, frames + 1)
    later = [place for t in others for place in at[t]]
    return [*later, *near] if sweep.backward else [*near, *later]
