"""The derivation as plain values for other programs."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import asdict
from typing import TypeAlias

from dvaec.derive.model import Comparison, Derivation, DerivedConditional, Elbo, Interior, Term
from dvaec.emit.loose_words import spare_word
from dvaec.spec.canonical import canonical_hash
from dvaec.spec.model import Conditional, Parent, Spec, Sweep
from dvaec.spec.notation import frame_word, windows
from dvaec.spec.notation import parent as text_of

Json: TypeAlias = bool | int | str | list["Json"] | dict[str, "Json"] | None


def derivation_json(spec: Spec, derivation: Derivation, elbo: Elbo) -> dict[str, Json]:
    """Return everything derived; windows have `start` and `stop` relative to t, null for an open end."""
    zero = spec.zero
    return {
        "model": spec.name,
        "hash": canonical_hash(spec),
        "generation": [_conditional(c, zero) for c in (*spec.generation, *spec.numbered)],
        "order": list(derivation.posterior.order),
        "sweeps": [_sweep(sweep) for sweep in spec.order],
        "posterior": [_derived(factor, zero) for factor in derivation.posterior.factors],
        "inference": [_conditional(c, zero) for c in derivation.inference],
        "golden": {_label(c): _parents(c.golden, c.frame, zero) for c in derivation.comparisons},
        "golden_but_for": {_label(c): _parents(c.singles, c.frame, zero) for c in derivation.comparisons},
        "silver": {_label(c): _parents(c.silver, c.frame, zero) for c in derivation.comparisons},
        "silver_but_for": {_label(c): _parents(c.kept, c.frame, zero) for c in derivation.comparisons},
        "redundant": {_label(c): _parents(c.redundant, c.frame, zero) for c in derivation.comparisons},
        "unseen": {_label(c): [asdict(one) for one in c.unseen] for c in derivation.comparisons},
        "elbo": {"given": list(elbo.given), "terms": [_term(term, zero) for term in elbo.terms]},
        "auxiliary": [_term(term, zero) for term in elbo.auxiliary],
    }


def _label(comparison: Comparison) -> str:
    """Return z for the conditional of every frame, z_0 for that of one."""
    frame = comparison.frame
    return comparison.target if frame is None else f"{comparison.target}_{frame_word(frame)}"


def _sweep(sweep: Sweep) -> dict[str, Json]:
    """One block of q's order; `first` only where single frames have an order of their own."""
    found: dict[str, Json] = {"latents": list(sweep.latents), "backward": sweep.backward}
    if sweep.first:
        found["first"] = [f"{name}_{frame_word(frame)}" for name, frame in sweep.first]
    if sweep.last:
        found["last"] = list(sweep.last)
    if sweep.shifts:
        found["frames_behind"] = list(sweep.shifts)
    if sweep.alone:
        found["alone"] = [f"{name}_{frame_word(frame)}" for name, frame in sweep.alone]
    return found


def _conditional(conditional: Conditional, zero: Collection[str]) -> dict[str, Json]:
    parents = _parents(conditional.parents, conditional.frame, zero)
    return {"target": conditional.target, "frame": conditional.frame, "parents": parents}


def _derived(factor: DerivedConditional, zero: Collection[str]) -> dict[str, Json]:
    proof, inside = factor.proof, factor.interior
    return {
        **_conditional(factor.conditional, zero),
        "proof": {"lag": proof.lag, "first": proof.first, "period": proof.period},
        "loose": {
            "from_start": list(factor.loose.first),
            "back_from_end": list(factor.loose.last),
            "inside": factor.loose.inside,
            "more": [list(frames) for frames in factor.loose.more],
            "spare": [spare_word(one) for one in factor.loose.spare],
            "lengths": list(factor.loose.lengths),
            "varies": factor.loose.varies,
            "at_some": factor.loose.at_some,
            "compared": factor.loose.compared,
        },
        **({} if inside is None else {"interior": _interior(inside, zero)}),
    }


def _interior(inside: Interior, zero: Collection[str]) -> dict[str, Json]:
    """What is enough at frames t = first..T-left."""
    reads = _parents(inside.conditional.parents, None, zero)
    return {"first": inside.first, "back_from_end": inside.left, "parents": reads}


def _term(term: Term, zero: Collection[str]) -> dict[str, Json]:
    return {
        "kind": term.kind.value,
        "target": term.target,
        "framed": term.framed,
        "frame": term.frame,
        "first": term.first,
        "left": term.left,
        **({"there": term.lengths.value} if term.lengths else {}),
        "p": _conditional(term.p, zero),
        "q": _conditional(term.q, zero) if term.q is not None else None,
        "expectation": _parents(term.expectation, term.frame, zero),
        "sampled": list(term.sampled),
        "estimator": term.estimator.value,
        "sequential": term.sequential,
        "reason": term.reason,
        "schedule_reason": term.schedule_reason,
    }


def _parents(parents: Iterable[Parent], frame: int | None, zero: Collection[str]) -> list[Json]:
    return [parent_json(parent, zero, frame) for parent in parents]


def parent_json(parent: Parent, zero: Collection[str], reader: int | None = None) -> dict[str, Json]:
    """Return one link: windows have `start` and `stop` relative to t, null for an open end.

    Those of a numbered `reader` are relative to its frame. Windows of what has a frame 0, in `zero`, begin
    there.
    """
    frames: list[Json] | None = None
    if parent.offsets is not None:
        frames = [{"start": w.start, "stop": w.stop, "stride": w.stride} for w in windows(parent.offsets)]
    frame = None if parent.frame is None else frame_word(parent.frame)
    return {
        "name": parent.name,
        "text": text_of(parent, 0 if parent.name in zero else 1, reader),
        "windows": frames,
        "frame": frame,
    }
