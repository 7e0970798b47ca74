"""Derived conditioning sets against the prime-field oracle, frame by frame."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from dvaec.derive.horizon import posterior_at
from dvaec.derive.model import DerivedConditional, Looseness
from dvaec.spec.model import LAST, Conditional, InferenceKind, Spec
from dvaec.testing.closeness import Gap, ViolationError
from dvaec.testing.derived import derived
from dvaec.testing.oracles.nodes import Dot, chain, dots, given_to
from dvaec.testing.oracles.prime_field import minimal_set, minimal_sets

LONG = 24
"""Frames at which windows must be exact inside, where what repeats in them repeats within so many frames."""
MOST_NODES = 200
MOST_NODES_EACH = 40  # where every node needs a network of its own


def posterior_is_minimal(spec: Spec, frames: int) -> Gap:
    """The closed form of every latent node equals the non-zero pattern of its row of the precision."""
    gap = Gap(0.0)
    found = posterior_at(spec, frames) if spec.latents else {}
    exact = minimal_sets(spec, frames)
    for dot in chain(spec, frames):
        wanted = {name_of(spec, one) for one in exact[dot]}
        _equal(gap, name_of(spec, dot), set(found[name_of(spec, dot)]), wanted, frames)
    return gap


def windows_are_the_posterior(spec: Spec, frames: int) -> Gap:
    """Clipped to 1..T, the windows hold the minimal set; where nothing is said to be loose, they are it.

    The smaller windows of the frames inside hold it there.
    """
    gap = Gap(0.0)
    if len(spec.variables) * frames > MOST_NODES:
        return gap
    exact = minimal_sets(spec, frames)
    for factor in derived(spec).posterior.factors:
        for dot in served(spec, factor.conditional, frames):
            allowed = given_to(spec, frames, dot)
            wanted = exact[dot]
            read = _reads(spec, factor.conditional, dot, frames) & allowed
            _contains(gap, spec, dot, read, wanted, frames)
            inside = factor.interior
            if inside is not None and inside.first <= dot[1] <= frames - inside.left:
                enough = _reads(spec, inside.conditional, dot, frames) & allowed
                _contains(gap, spec, dot, enough, wanted, frames)
            more = read - wanted
            if more and not _loose(spec, factor, dot[1], frames):
                raise ViolationError(f"{name_of(spec, dot)} does not need {_list(spec, more)} (T = {frames})")
    return gap


def windows_are_the_inference(spec: Spec, frames: int) -> Gap:
    """The same of q where a word says it: filtering, look-ahead and mean field, in the evidence left to q."""
    gap, inference = Gap(0.0), spec.inference
    words = (InferenceKind.FILTERING, InferenceKind.LOOKAHEAD, InferenceKind.MEAN_FIELD)
    if inference.kind not in words or len(spec.variables) * frames > MOST_NODES_EACH:
        return gap
    own = {(c.target, c.frame) for c in (*inference.conditionals, *inference.numbered)}
    latents = inference.kind is not InferenceKind.MEAN_FIELD
    for q in derived(spec).inference:
        if (q.target, q.frame) in own:
            continue
        for dot in served(spec, q, frames):
            delayed = latents and spec.variable(q.target).framed
            upto = dot[1] + inference.delay if delayed else None
            read = _reads(spec, q, dot, frames)
            wanted = minimal_set(spec, frames, dot, upto, latents)
            _contains(gap, spec, dot, read, wanted, frames)
            behind = read - given_to(spec, frames, dot, upto, latents)
            if behind - _absolute(spec, q, frames):
                raise ViolationError(
                    f"{name_of(spec, dot)} may not read {_list(spec, behind)} (T = {frames})"
                )
    return gap


def served(spec: Spec, conditional: Conditional, frames: int) -> Iterable[Dot]:
    """Yield the nodes that one factor serves."""
    name = conditional.target
    if not spec.variable(name).framed:
        yield name, 0
        return
    first, left = derived(spec).posterior.served_by(name)
    if conditional.frame is None:
        yield from ((name, frame) for frame in range(first, frames + 1 - left))
    elif conditional.frame != LAST:
        yield name, conditional.frame
    elif frames >= first:  # where T = 1, frame 1 has its own
        yield name, frames


def name_of(spec: Spec, dot: Dot) -> str:
    """Return a node as it is printed: z_3, or a bare name at sequence level."""
    return f"{dot[0]}_{dot[1]}" if spec.variable(dot[0]).framed else dot[0]


def _reads(spec: Spec, conditional: Conditional, dot: Dot, frames: int) -> set[Dot]:
    framed = spec.variable(conditional.target).framed
    return set(dots(spec, conditional.parents, dot[1] if framed else None, frames))


def _absolute(spec: Spec, conditional: Conditional, frames: int) -> set[Dot]:
    """Return the single frames that a conditional names: for some t of some T alone."""
    return set(dots(spec, (p for p in conditional.parents if p.frame is not None), None, frames))


def _loose(spec: Spec, factor: DerivedConditional, frame: int, frames: int) -> bool:
    """Whether the windows may be larger than the minimum at a frame: said to be, or never compared there.

    What is said of the ends holds where they are far from each other: twice the reach of the proof.
    """
    proof, loose = factor.proof, factor.loose
    reach = proof.first + proof.period + proof.lag + 2
    if not loose.compared or (spec.frames is None and frames < 2 * reach):
        return True
    if factor.conditional.frame is not None or not spec.variable(factor.conditional.target).framed:
        return loose.inside or frames in loose.lengths or (loose.varies and frames > max(loose.lengths))
    return (
        loose.at_some
        or frame in loose.first
        or frames - frame in loose.last
        or _between(loose, frame, frames)
    )


def _between(loose: Looseness, frame: int, frames: int) -> bool:
    """Whether a frame lies beyond those compared from either end, where the middle one speaks for all."""
    return loose.inside and frame > max(loose.first) and frames - frame > max(loose.last)


def _contains(
    gap: Gap, spec: Spec, dot: Dot, read: Collection[Dot], wanted: Collection[Dot], frames: int
) -> None:
    gap.compared += 1
    if missing := set(wanted) - set(read):
        raise ViolationError(f"{name_of(spec, dot)} needs {_list(spec, missing)} too (T = {frames})")


def _equal(gap: Gap, name: str, found: set[str], wanted: set[str], frames: int) -> None:
    gap.compared += 1
    if found != wanted:
        off = ", ".join(sorted(found ^ wanted)[:4])
        raise ViolationError(f"{name}: {off} in one of the two sets alone (T = {frames})")


def _list(spec: Spec, some: Iterable[Dot]) -> str:
    return ", ".join(sorted(name_of(spec, dot) for dot in some)[:4])
