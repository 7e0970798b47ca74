"""The derivation as plain values for other programs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

from dvaec.derive.model import Derivation, DerivedConditional, Elbo, Term
from dvaec.spec.canonical import canonical_hash
from dvaec.spec.model import Conditional, Parent, Spec
from dvaec.spec.notation import page, windows

Json: TypeAlias = bool | int | str | list["Json"] | dict[str, "Json"] | None


def derivation_json(spec: Spec, derivation: Derivation, elbo: Elbo) -> dict[str, Json]:
    """Return everything derived; windows have `start` and `stop` relative to t, null for an open end."""
    return {
        "model": spec.name,
        "hash": canonical_hash(spec),
        "generation": [_conditional(c) for c in spec.generation],
        "order": list(derivation.posterior.order),
        "posterior": [_derived(factor) for factor in derivation.posterior.factors],
        "inference": [_conditional(c) for c in derivation.inference],
        "golden": {c.target: _parents(c.golden) for c in derivation.comparisons},
        "silver": {c.target: _parents(c.silver) for c in derivation.comparisons},
        "elbo": {"given": list(elbo.given), "terms": [_term(term) for term in elbo.terms]},
    }


def _conditional(conditional: Conditional) -> dict[str, Json]:
    return {"target": conditional.target, "parents": _parents(conditional.parents)}


def _derived(factor: DerivedConditional) -> dict[str, Json]:
    proof = factor.proof
    return {
        **_conditional(factor.conditional),
        "proof": {"lag": proof.lag, "first": proof.first, "period": proof.period},
        "loose": {
            "from_start": list(factor.loose_first),
            "back_from_end": list(factor.loose_last),
            "inside": factor.loose_inside,
        },
    }


def _term(term: Term) -> dict[str, Json]:
    return {
        "kind": term.kind.value,
        "target": term.target,
        "p": _conditional(term.p),
        "q": _conditional(term.q) if term.q is not None else None,
        "expectation": _parents(term.expectation),
        "sampled": list(term.sampled),
        "estimator": term.estimator.value,
        "sequential": term.sequential,
        "reason": term.reason,
        "schedule_reason": term.schedule_reason,
    }


def _parents(parents: Iterable[Parent]) -> list[Json]:
    return [_parent(parent) for parent in parents]


def _parent(parent: Parent) -> dict[str, Json]:
    frames: list[Json] | None = None
    if parent.offsets is not None:
        frames = [{"start": w.start, "stop": w.stop, "stride": w.stride} for w in windows(parent.offsets)]
    return {"name": parent.name, "text": page(parent.name, parent.offsets), "windows": frames}
