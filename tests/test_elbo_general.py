"""The derived bound of any spec: every level, frame, order and direction, evaluated with free weights."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dvaec.derive.elbo import elbo_terms
from dvaec.derive.model import Estimator, Term
from dvaec.derive.regroup import regroupings
from dvaec.derive.steps import derivation_steps
from dvaec.spec.model import Conditional, Spec
from tests.general_strategies import general_specs
from tests.inference_strategies import inferences
from tests.oracles.formula_value import log_factors, mean_under_q, value
from tests.oracles.linear_gaussian import (
    Node,
    World,
    families,
    frames_of,
    generative,
    parents_at,
    random_factors,
    world,
)

seeds = st.integers(0, 2**32 - 1)


def random_world(spec: Spec, inference: tuple[Conditional, ...], length: int, seed: int) -> World:
    rng = np.random.default_rng(seed)
    p = generative(spec, length, rng)
    return world(spec, length, p, random_factors(spec, inference, length, rng), rng)


def lengths(spec: Spec) -> st.SearchStrategy[int]:
    return st.just(min(spec.frames, 4)) if spec.frames else st.integers(1, 4)


@given(st.data(), general_specs(longest=2), seeds)
def test_every_step_has_the_same_value_for_any_q(data: st.DataObject, spec: Spec, seed: int) -> None:
    inference = data.draw(inferences(spec))
    length = data.draw(lengths(spec))
    here = random_world(spec, inference, length, seed)
    ratio = log_factors(here.p_factors, here) + log_factors(here.q_factors, here) * -1.0
    expected = mean_under_q(ratio, here)
    elbo = elbo_terms(spec, inference)
    for step in derivation_steps(spec, inference, elbo):
        found = value(step.expression, here)
        assert not found.g.any()
        assert not found.H.any()
        assert found.c == pytest.approx(expected, rel=1e-7, abs=1e-7), step.name
    assert expected <= here.evidence + 1e-8
    for other in regroupings(spec, inference, elbo):
        assert value(other.expression, here).c == pytest.approx(expected, rel=1e-7, abs=1e-7), other.name


def leads_back(spec: Spec, inference: tuple[Conditional, ...], term: Term, length: int) -> bool:
    """Whether, in some frame of the term, q draws from the target what its prior reads: node by node."""
    nodes = families(spec, inference, length)
    drawn: dict[Node, list[Node]] = {}
    for child, parents in nodes:
        for parent in parents:
            drawn.setdefault(parent, []).append(child)
    frames = frames_of(spec, term.target, length)
    if term.frame is not None:
        frames = [term.frame]
    elif term.framed:
        frames = [f for f in frames if f >= term.first]
    for frame in frames:
        met, queue = set(), [(term.target, frame)]
        while queue:
            fresh = [child for child in drawn.get(queue.pop(), ()) if child not in met]
            met.update(fresh)
            queue += fresh
        if met & set(parents_at(spec, term.p, frame, length)):
            return True
    return False


@given(st.data(), general_specs(longest=3))
def test_a_divergence_is_a_log_ratio_only_where_q_leads_back_to_the_prior(
    data: st.DataObject, spec: Spec
) -> None:
    """Looked for node by node, at every frame of some lengths."""
    inference = data.draw(inferences(spec))

    for term in elbo_terms(spec, inference).terms:
        if term.q is None:
            continue
        found = any(leads_back(spec, inference, term, length) for length in (1, 2, 3, 5, 8))
        if found:
            assert term.estimator is Estimator.LOG_RATIO
        elif term.estimator is Estimator.LOG_RATIO:
            assert leads_back(spec, inference, term, 30)
