"""The sweeps of q's chain rule that q's own conditionals or networks ask for."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from dvaec.spec.early import single_frames, single_lines
from dvaec.spec.ends_over_time import unrolled
from dvaec.spec.graph import topological
from dvaec.spec.model import LAST, Conditional, Direction, Parent, Sweep
from dvaec.spec.offsets import ALL, NOW, window
from dvaec.spec.over_time import Arrows, Tangle, arrows_of, components, direction

NOT_LATER = window(None, 0)
NOT_EARLIER = window(0, None)
_LONG = 3  # frames: as many as let T be neither frame 0 nor 1
_KEPT: tuple[tuple[int | None, ...], ...] = ((None, LAST), (None,), (None, 0, 1, LAST), (None, 0, 1))


def orders(
    latents: Sequence[str],
    static: Collection[str],
    q: Sequence[Conditional],
    p: Sequence[Conditional] = (),
) -> Iterator[tuple[Sweep, ...]]:
    """Yield orders of the latents, given in the default order: as much as can be in one sweep first.

    They differ where q's lines of single frames ask for what those of every frame do not.
    """
    yield sweeps(latents, static, q, p)
    asked = [arrows_of(_of_frames(q, kept), latents, drawn=True) for kept in _KEPT]
    for joined in (True, False):
        for ways in (ways for ways in asked if not _tangled(latents, ways)):
            yield _blocks(latents, static, (ways, ways, arrows_of(p, latents)), joined)


def sweeps(
    latents: Sequence[str],
    static: Collection[str],
    q: Sequence[Conditional],
    p: Sequence[Conditional] = (),
) -> tuple[Sweep, ...]:
    """Order the latents, given in the default order, so that q reads what is drawn already, as far as can be.

    Without demands of q's: the sequence-level ones, each by itself, then one sweep of all others, forward in
    time unless their priors in `p` run backward: then every prior reads what q has drawn before.
    """
    arrows = arrows_of(q, latents)
    if _tangled(latents, arrows):
        arrows = arrows_of(q, latents, drawn=True)  # single frames count where they have been drawn
    ways = arrows
    if _tangled(latents, arrows):
        for kept in _KEPT[:2]:  # the others have their own order
            ways = arrows_of(_of_frames(q, kept), latents, drawn=True)
            if not _tangled(latents, ways):
                break
        if not all(_one_block(part, static, ways) for part in components(latents, arrows)):
            arrows = ways  # frames that are read too early have blocks of their own
    return _blocks(latents, static, (arrows, ways, arrows_of(p, latents)))


def _blocks(
    latents: Sequence[str],
    static: Collection[str],
    asked: tuple[Arrows, Arrows, Arrows],
    joined: bool = True,
) -> tuple[Sweep, ...]:
    """Order the latents by what waits for what, `joined` in one sweep where they keep one direction.

    Asked are q's links, those that give the directions of time, and p's.
    """
    arrows, ways, prior = asked
    waiting = list(components(latents, arrows))
    blocks: list[tuple[str, ...]] = []
    while waiting:
        undrawn = {name for part in waiting for name in part}
        ready = [p for p in waiting if not any(c in p and a in undrawn and a not in p for c, a in arrows)]
        part = _next(ready, blocks, static, ways)
        waiting.remove(part)
        if joined and _joins(part, blocks, static, ways):
            blocks[-1] += part
        elif part[0] in static:
            blocks += [(name,) for name in part]
        else:
            blocks.append(part)
    return tuple(_sweep(block, latents, static, ways, prior) for block in blocks)


def _of_frames(q: Sequence[Conditional], kept: Collection[int | None]) -> Iterator[Conditional]:
    """Yield the lines of some frames; they read all of what the single frames that they name are of."""
    own = single_lines(q)
    for line in q:
        if line.frame in kept:
            yield replace(line, parents=tuple(_read_through(line, own, set(), True)))


def _read_through(
    line: Conditional, own: Mapping[tuple[str, int], Conditional], met: set[str], top: bool = False
) -> Iterator[Parent]:
    """Yield what a line reads; for single frames with lines of their own, all of what these are made of."""
    for parent in line.parents:
        frames = single_frames(line, parent)
        if frames is None or not all((parent.name, frame) in own for frame in frames):
            yield parent if top or parent.frame is not None else Parent(parent.name, parent.offsets and ALL)
            continue
        for frame in frames:
            if f"{parent.name}_{frame}" not in met:
                met.add(f"{parent.name}_{frame}")
                yield from _read_through(own[parent.name, frame], own, met)


def _one_block(part: tuple[str, ...], static: Collection[str], ways: Arrows) -> bool:
    """Whether latents can be drawn interleaved, frame by frame."""
    return len(part) == 1 or (not any(name in static for name in part) and _backward(part, ways) is not None)


def _tangled(latents: Sequence[str], arrows: Arrows) -> bool:
    return any(isinstance(direction(part, arrows), Tangle) for part in components(latents, arrows))


def with_first(
    sweep: Sweep, q: Sequence[Conditional], static: Collection[str], zero: Collection[str]
) -> Sweep:
    """Return a sweep with the order of frames 0 and 1 that q's lines there ask for, if it is another."""
    if sweep.latents[0] in static or all(c.frame is None or c.target not in sweep.latents for c in q):
        return sweep
    at = {f: [(n, f) for n in sweep.latents if f == 1 or n in zero] for f in (0, 1)}
    usual = [*at[1], *at[0]] if sweep.backward else [*at[0], *at[1]]
    order = topological(usual, unrolled(q, static, zero, 2, True))
    return replace(sweep, first=order) if len(order) == len(usual) and list(order) != usual else sweep


def with_last(
    sweep: Sweep, q: Sequence[Conditional], static: Collection[str], zero: Collection[str]
) -> Sweep:
    """Return a sweep with the order of frame T that q's lines there ask for, if it is another."""
    if sweep.latents[0] in static or all(c.frame != LAST or c.target not in sweep.latents for c in q):
        return sweep
    usual = [(name, _LONG) for name in sweep.latents]
    order = topological(usual, unrolled(q, static, zero, _LONG, True))
    names = tuple(name for name, _ in order)
    return replace(sweep, last=names) if len(order) == len(usual) and names != sweep.latents else sweep


def _next(
    ready: Sequence[tuple[str, ...]],
    blocks: Sequence[tuple[str, ...]],
    static: Collection[str],
    arrows: Arrows,
) -> tuple[str, ...]:
    """Sequence-level latents first, then whatever the running sweep can take in."""
    early = (p for p in ready if p[0] in static and all(block[0] in static for block in blocks))
    joining = (p for p in ready if _joins(p, blocks, static, arrows))
    return next(early, next(joining, ready[0]))


def _joins(
    part: tuple[str, ...], blocks: Sequence[tuple[str, ...]], static: Collection[str], arrows: Arrows
) -> bool:
    """Whether a part can be interleaved with the last block, frame by frame."""
    if not blocks or part[0] in static or blocks[-1][0] in static:
        return False
    return _backward((*blocks[-1], *part), arrows) is not None


def _backward(block: Sequence[str], arrows: Arrows) -> bool | None:
    """Whether a block runs backward; None if it keeps no direction frame by frame.

    Parts that depend on one another in a circle keep their own direction, however they reach within it.
    """
    parts = components(
        tuple(block), {key: o for key, o in arrows.items() if key[0] in block and key[1] in block}
    )
    ways = [direction(part, arrows) for part in parts]
    if any(isinstance(way, Tangle) for way in ways):
        return None
    home = {name: part for part in parts for name in part}
    between = [o for (c, p), o in arrows.items() if c in home and p in home and home[c] != home[p]]
    forward = Direction.BACKWARD not in ways and all(o <= NOT_LATER for o in between)
    if Direction.BACKWARD not in ways:  # nothing asks for the unusual direction
        return False if forward else None
    backward = Direction.FORWARD not in ways and all(o <= NOT_EARLIER for o in between)
    return True if backward else None


def _runs_backward(block: Sequence[str], prior: Arrows) -> bool:
    """Whether the priors of a block read later frames of it, and never earlier ones."""
    inner = {key: o for key, o in prior.items() if key[0] in block and key[1] in block}
    ways = [direction(part, inner) for part in components(tuple(block), inner)]
    if any(isinstance(way, Tangle) or way is Direction.FORWARD for way in ways):
        return False
    return all(o <= NOT_EARLIER for o in inner.values()) and any(o - NOW for o in inner.values())


def _sweep(
    block: tuple[str, ...], latents: Sequence[str], static: Collection[str], arrows: Arrows, prior: Arrows
) -> Sweep:
    if block[0] in static:
        return Sweep(block)
    names = [name for name in latents if name in block]
    before = {n: [p for (c, p), offsets in arrows.items() if c == n and 0 in offsets] for n in names}
    ordered = topological(names, before)
    ordered += tuple(name for name in names if name not in ordered)
    asked = any(o - NOW for (c, p), o in arrows.items() if c in block and p in block)
    return Sweep(ordered, bool(_backward(block, arrows)) if asked else _runs_backward(block, prior))
