"""Sentences that every printout of a derivation shares."""

from __future__ import annotations

from collections.abc import Iterable

from dvaec.derive.model import DerivedConditional, Estimator, Term

ESTIMATORS = {
    Estimator.ANALYTIC: "analytic",
    Estimator.LOG_RATIO: "log-ratio of the draws",
    Estimator.MONTE_CARLO: "Monte Carlo",
}


def estimator_words(term: Term) -> str:
    """Name a term's estimator and how its draws are made, for example `analytic, of sequential draws`."""
    words = ESTIMATORS[term.estimator]
    if not term.sampled:
        return f"{words}, without draws, parallel over t"
    drawn = " and ".join(term.sampled)
    return f"{words}, over {'sequential' if term.sequential else 'parallel'} draws of {drawn}"


def proof_words(factor: DerivedConditional) -> str:
    """Say why the windows hold for every T, and where, clipped to 1..T, they are larger than needed."""
    proof = factor.proof
    from_there = f"t+{proof.first}" if proof.first else "t"
    every = "frame after frame" if proof.period == 1 else f"every {proof.period} frames"
    target = factor.conditional.target
    words = f"holds for every T: what links {target}_t to its evidence repeats from {from_there} on, {every}"
    loose = [_from_to([str(frame) for frame in run]) for run in _runs(factor.loose_first)]
    loose += [
        _from_to([f"T-{back}" if back else "T" for back in reversed(run)])
        for run in reversed(_runs(factor.loose_last))
    ]
    where = [f"at {', '.join(loose)}"] if loose else []
    where += ["in the middle"] if factor.loose_inside else []
    return f"{words}; clipped to 1..T, larger than needed {' and '.join(where)}" if where else words


def _runs(numbers: Iterable[int]) -> list[list[int]]:
    """Part increasing numbers into runs without gaps."""
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and runs[-1][-1] == number - 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return runs


def _from_to(frames: list[str]) -> str:
    return f"t = {frames[0]}" if len(frames) == 1 else f"t = {frames[0]} to {frames[-1]}"
