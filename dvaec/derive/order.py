"""Orders of a chain rule: blocks of variables, each finished before the next begins.

Within a block the variables are interleaved step by step, forward or backward in time; a variable of shift
h stands at frame s - h in step s. q's blocks are its sweeps. For p an order is found in which every factor
comes after all that it reads.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from dvaec.derive.factors import Factors, placed
from dvaec.network.template import evidence, singles, template_of
from dvaec.spec.graph import reachable, shifted, topological
from dvaec.spec.model import LAST, Conditional, Parent, Spec, Sweep
from dvaec.spec.offsets import ALL, NONE, NOW, Offsets, of, window
from dvaec.spec.skewed import latest


@dataclass(frozen=True)
class Block:
    """Variables in their order within a step, each with its shift; one alone at sequence level."""

    names: tuple[str, ...]
    shifts: tuple[int, ...]
    backward: bool = False
    sweep: Sweep | None = None  # q's, which may have an order of its own at frames 0 and 1


def inference_blocks(spec: Spec) -> tuple[Block, ...]:
    """Return q's order as blocks."""
    found = []
    for sweep in spec.order:
        sign = -1 if sweep.backward else 1
        shifts = tuple(sign * sweep.shift(name) for name in sweep.latents)
        found.append(Block(sweep.latents, shifts, sweep.backward, sweep))
    return tuple(found)


def generative_blocks(spec: Spec, factors: Factors) -> tuple[Block, ...] | None:
    """Return an order in which each of p's `factors` comes after what it reads; None if there is none.

    As few blocks as can be, without shifts where they are not needed: for a causal model of frame-level
    variables one forward block in generative order, as in (4.4).
    """
    blocks: list[Block] = []
    for group in components(spec, factors):
        whole = not spec.variable(group[0]).framed
        alone = Block(group, (0,), False) if whole else _solved(group, factors, spec)
        if alone is None:
            return None
        last = blocks[-1] if blocks else None
        joined = None
        if last is not None and not whole and spec.variable(last.names[0]).framed:
            joined = _solved((*last.names, *group), factors, spec)
        if joined is not None and not any(joined.shifts):
            blocks[-1] = joined
        else:
            blocks.append(alone)
    return tuple(blocks) if _legal(spec, blocks, factors) else None


def earlier(spec: Spec, blocks: Sequence[Block], target: str, frame: int | None = None) -> tuple[Parent, ...]:
    """Return all that comes before a target at t, or before one of sequence level.

    `frame` is its frame, where that is one of its own.
    """
    found: list[Parent] = []
    if any(block.sweep is not None and not block.names for block in blocks):
        return _earlier_in_q(spec, target, frame)
    for block in blocks:
        if target in block.names:
            found += _before_in(block, target, frame) if spec.variable(target).framed else []
            break
        found += [Parent(name, ALL if spec.variable(name).framed else None) for name in block.names]
    return tuple(found)


def _earlier_in_q(spec: Spec, target: str, frame: int | None) -> tuple[Parent, ...]:
    """Return what comes before a target in q's order, where that has frames ahead of their sweep."""
    template = template_of(spec)
    given = evidence(template, target, frame=frame)
    latent = [Parent(name, o) for name, o in given.items() if name in spec.latents and o != NONE]
    return (*latent, *singles(template, target, frame), *_begun(spec, target, frame, given))


def _begun(
    spec: Spec, target: str, frame: int | None, given: Mapping[str, Offsets | None]
) -> Iterator[Parent]:
    """Yield the frames drawn ahead that a sweep begins with, which no window holds there."""
    sweep = next(sweep for sweep in spec.order if target in sweep.latents)
    for name, at in spec.early if frame is None else ():
        mate = name in sweep.latents and name != target and sweep.backward == (at == LAST)
        if mate and 0 not in (given[name] or NONE):
            yield Parent(name, None, at)


def placed_in_order(spec: Spec, conditional: Conditional, frame: int | None) -> tuple[Parent, ...]:
    """Return what a conditional of q reads where it serves one frame: only what q's order has before it.

    All frames of a latent of its own sweep are those that are drawn earlier: z_{1:T} for z_0 of a backward
    sweep.
    """
    if not spec.swept:
        return placed(spec, _without_itself(spec, conditional, frame), frame)
    read = placed(spec, conditional, frame)
    if frame is None:
        return read
    drawn = earlier(spec, inference_blocks(spec), conditional.target, frame)
    before = {p.name: p.offsets for p in drawn if p.frame is None}
    kept = []
    for parent in read:
        allowed = before.get(parent.name)
        if parent.offsets is None or allowed is None:
            kept.append(parent)
        elif offsets := parent.offsets & allowed:
            kept.append(Parent(parent.name, offsets))
    return tuple(kept)


def _without_itself(spec: Spec, conditional: Conditional, frame: int | None) -> Conditional:
    """Leave out what a conditional of a q that is not swept does not read at a frame that it serves.

    That is itself, and by that number what waits for it.
    """
    if frame is None:
        return conditional
    itself, kept = conditional.target, []
    for parent in conditional.parents:
        if frame == 0 and parent.name == itself and parent.offsets is not None:
            kept.append(replace(parent, offsets=parent.offsets - NOW))
        elif parent.frame != frame or not spec.reads_nothing_there(parent, conditional):
            kept.append(parent)
    return replace(conditional, parents=tuple(kept))


def _before_in(block: Block, target: str, frame: int | None) -> list[Parent]:
    if block.sweep is not None:
        return [Parent(name, block.sweep.before(name, target, frame)) for name in block.names]
    place = block.names.index(target)
    found = []
    for k, (name, shift) in enumerate(zip(block.names, block.shifts, strict=True)):
        gap = block.shifts[place] - shift
        past = window(gap + 1, None) if block.backward else window(None, gap - 1)
        found.append(Parent(name, past | (of(gap) if k < place else NONE)))
    return found


def components(spec: Spec, factors: Factors) -> list[tuple[str, ...]]:
    """Return p's variables in groups, each after those that it reads: those that read one another share one.

    The joint density is the product over the groups of p(group | what it reads), at all frames.
    """
    static = [c.target for c in spec.generation if not spec.variable(c.target).framed]
    names = [*static, *(c.target for c in spec.generation if c.target not in static)]
    needs: dict[str, list[str]] = {name: [] for name in names}
    for (name, _), conditional in factors.items():
        needs[name] += [p.name for p in conditional.parents if p.name in names and p.name != name]
    leader: dict[str, str] = {}
    for name in names:
        around = reachable(name, needs)
        mates = (m for m in names if m == name or (m in around and name in reachable(m, needs)))
        leader[name] = next(mates)
    heads = [name for name in names if leader[name] == name]
    between = {h: [leader[m] for n in names if leader[n] == h for m in needs[n]] for h in heads}
    return [tuple(n for n in names if leader[n] == h) for h in topological(heads, between)]


def _solved(group: tuple[str, ...], factors: Factors, spec: Spec) -> Block | None:
    """Return a forward or a backward block of these names, if one can hold them."""
    for backward in (False, True):
        gaps = _gaps(group, factors, spec, backward)
        if gaps is None:
            continue
        found = shifted(group, gaps)
        if found is not None:
            sign = -1 if backward else 1
            return Block(found[0], tuple(sign * shift for shift in found[1]), backward)
    return None


def _gaps(
    group: tuple[str, ...], factors: Factors, spec: Spec, backward: bool
) -> dict[tuple[str, str], int] | None:
    """Return by how many frames, at most, a reader trails what it reads, for each pair (read, reader)."""
    gaps: dict[tuple[str, str], int] = {}
    for (name, frame), conditional in factors.items():
        for parent in placed(spec, conditional, frame) if name in group else ():
            if parent.name not in group:
                continue
            farthest = None if parent.offsets is None else latest(parent.offsets, backward)
            if farthest is None:
                return None
            pair = (parent.name, name)
            gaps[pair] = max(gaps.get(pair, farthest), farthest)
    return gaps


def _legal(spec: Spec, blocks: Sequence[Block], factors: Factors) -> bool:
    """Whether every factor reads only what comes before it."""
    made = {name for block in blocks for name in block.names}
    for (name, frame), conditional in factors.items():
        before = earlier(spec, blocks, name)
        there = {p.name: p.offsets for p in before}
        for parent in placed(spec, conditional, frame):
            if parent.name not in made:
                continue
            allowed = there.get(parent.name, NONE)
            if allowed is None or allowed == ALL:
                continue
            if parent.offsets is None or not parent.offsets <= allowed:
                return False
    return True
