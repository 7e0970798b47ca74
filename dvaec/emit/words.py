"""Sentences that every printout of a derivation shares."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dvaec.derive.inexact import examples, nodes_in_words
from dvaec.derive.model import Comparison, Derivation, DerivedConditional, Estimator, Term
from dvaec.derive.unseen import unseen_words, why_unseen
from dvaec.emit.loose_words import interior_words, loose_words
from dvaec.spec.model import LAST, InferenceKind, Spec
from dvaec.spec.notation import counted, listed, target

ESTIMATORS = {
    Estimator.ANALYTIC: "analytic",
    Estimator.LOG_RATIO: "log-ratio of the draws",
    Estimator.MONTE_CARLO: "Monte Carlo",
}

AUXILIARY = "Added in training, no part of the bound: the objective is a surrogate (8.4)"


def estimator_words(term: Term) -> str:
    """Name a term's estimator and how its draws are made, for example `analytic, of sequential draws`."""
    words = ESTIMATORS[term.estimator]
    if not term.sampled:
        one = not term.framed or term.frame is not None
        return f"{words}, without draws{'' if one else ', parallel over t'}"
    drawn = listed(term.sampled)
    return f"{words}, over {'sequential' if term.sequential else 'parallel'} draws of {drawn}"


def rest_words(term: Term) -> str:
    """Say which frames a term is of where others have their own, or of which T: `1 < t < T`, `T > 1`."""
    if term.frame is None:
        inside = ("1 < " if term.first > 1 else "") + "t" + (" < T" if term.left else "")
        return {"t": "", "1 < t": "t > 1"}.get(inside, inside)
    return term.lengths.value


_DECLARED = {
    InferenceKind.EXACT: "declared: exact",
    InferenceKind.FILTERING: "declared: filtering",
    InferenceKind.LOOKAHEAD: "declared: a look-ahead of {delay}",
    InferenceKind.MEAN_FIELD: "declared: mean field",
    InferenceKind.CONDITIONALS: "declared by its conditionals",
    InferenceKind.NETWORKS: "declared by what its networks read",
}
_BY_CHOICE = {
    InferenceKind.FILTERING: "filtering: what lies in the future is left out by choice",
    InferenceKind.LOOKAHEAD: "a look-ahead of {delay}: what lies further in the future is left out by choice",
    InferenceKind.MEAN_FIELD: "mean field: the other latents are left out by choice",
}


def declaration_words(spec: Spec) -> str:
    """Say how the page declares q, for example `declared: filtering; v by a conditional of its own`."""
    words = _DECLARED[spec.inference.kind].format(delay=spec.inference.delay)
    own = (*spec.inference.conditionals, *spec.inference.numbered)
    if not own or spec.inference.kind is InferenceKind.CONDITIONALS:
        return words
    names = listed(target(c, spec.variable(c.target).framed) for c in own)
    return (
        f"{words}; {names} by {'a conditional of its own' if len(own) == 1 else 'conditionals of their own'}"
    )


def order_words(spec: Spec) -> str:
    """Say along which order the chain rule goes: sweep after sweep, each with its direction of time."""
    said = []
    for sweep in spec.order:
        if not sweep.latents:
            said.append(listed(f"{name}_{'T' if frame == LAST else frame}" for name, frame in sweep.first))
            continue
        names = listed(sweep.latents)
        if not spec.variable(sweep.latents[0]).framed:
            said.append(names)
            continue
        together = "frame by frame, " if len(sweep.latents) > 1 else ""
        own = [f"{name}_{frame}" for name, frame in sweep.first]
        near = f", {'at last' if sweep.backward else 'at first'} {', '.join(own)}" if own else ""
        ends = ", ".join(f"{name}_T" for name in sweep.last)
        near += f", {'at first' if sweep.backward else 'at last'} {ends}" if ends else ""
        behind = [(name, sweep.shift(name)) for name in sweep.latents if sweep.shift(name)]
        near += "".join(f", {name} {counted(shift, 'frame')} behind" for name, shift in behind)
        said.append(f"{names} {together}{'backward' if sweep.backward else 'forward'} in time{near}")
    words = f"by the chain rule along {'; then '.join(said)}"
    if spec.alone:
        alone = (f"{name}_{at}" if spec.variable(name).framed else name for name, at in spec.alone)
        words += f"; where T = 1: {', '.join(alone)}"
    return words


def comparison_words(spec: Spec, derivation: Derivation) -> list[str]:
    """Say what is golden by choice, and at which frames q sees less than the windows that are compared."""
    comparisons = derivation.comparisons
    less = (c for c in comparisons if c.unseen)
    ends = [f"{unseen_words(c.target, c.unseen)}, since {why_unseen(spec, c.unseen)}" for c in less]
    return [*_unswept_words(spec, derivation), *_choice_words(spec, comparisons), *ends]


def _unswept_words(spec: Spec, derivation: Derivation) -> Iterator[str]:
    """Compare a q that keeps no order of sweeps with the exact posterior: one frame of each conditional."""
    if spec.swept:
        return
    yield "single frames of q have an order of their own; along one in which a short sequence is drawn"
    for one in examples(spec, derivation.inference).values():
        kinds = (("golden", one.golden), ("silver", one.silver))
        said = [f"{kind}: {nodes_in_words(some)}" for kind, some in kinds if some]
        yield f"q({one.reader}) of {counted(one.frames, 'frame')}, {'; '.join(said) or 'as the posterior'}"


def _choice_words(spec: Spec, comparisons: Iterable[Comparison]) -> list[str]:
    """Say that what a keyword leaves out is golden by choice; nothing where nothing is."""
    own = {(c.target, c.frame) for c in (*spec.inference.conditionals, *spec.inference.numbered)}
    serving = own | {(name, at) for name, frame in own if frame is None for at in (1, LAST)}
    lacking = any(c.golden and (c.target, c.frame) not in serving for c in comparisons)
    words = _BY_CHOICE.get(spec.inference.kind)
    if words is None or not lacking:
        return []
    return [f"the page asks for {words.format(delay=spec.inference.delay)}"]


def proof_words(factor: DerivedConditional, zeros: Iterable[str] = ()) -> str:
    """Say why the windows hold for every T, and where, clipped to 1..T, they are larger than needed.

    Names in `zeros` have a frame 0.
    """
    proof = factor.proof
    if not proof.searched:
        return _whole_words(factor) + loose_words(factor)
    frame = factor.conditional.frame
    from_there = f"t+{proof.first}" if proof.first else "t"
    if frame is not None:
        from_last = f"T-{proof.first}" if proof.first else "T"
        from_there = f"frame {from_last if frame == LAST else frame + proof.first}"
    every = "frame after frame" if proof.period == 1 else f"every {proof.period} frames"
    label = target(factor.conditional)
    words = f"holds for every T: what links {label} to its evidence repeats from {from_there} on, {every}"
    return words + loose_words(factor) + interior_words(factor, zeros)


def _whole_words(factor: DerivedConditional) -> str:
    """The same for a sequence-level variable."""
    label = factor.conditional.target
    through = [p.name for p in factor.proof.component if p.offsets is not None]
    if not through:
        return f"holds for every T: {label} is linked to its evidence directly"
    frames = listed(dict.fromkeys(through))
    return f"holds for every T: what links {label} to its evidence is {frames}, at all frames"
