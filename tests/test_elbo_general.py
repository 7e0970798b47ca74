"""The derived bound of any spec: every level, frame, order and direction, evaluated with free weights."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dvaec.derive.derivation import derive
from dvaec.derive.elbo import elbo_terms
from dvaec.derive.model import Estimator, Lengths, Term
from dvaec.derive.regroup import regroupings
from dvaec.derive.steps import derivation_steps
from dvaec.spec.model import LAST, Conditional, Spec
from dvaec.testing.oracles.formula_value import log_factors, mean_under_q, value
from dvaec.testing.oracles.linear_gaussian import families, parents_at, projected_world, random_world
from dvaec.testing.oracles.nodes import Dot as Node
from dvaec.testing.oracles.nodes import places
from dvaec.testing.strategies.conditionals import general_specs
from tests.inference_strategies import inferences

seeds = st.integers(0, 2**32 - 1)


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


@given(st.data(), general_specs(longest=2), seeds)
def test_the_exact_posterior_makes_the_bound_tight(data: st.DataObject, spec: Spec, seed: int) -> None:
    """With the exact posterior's windows some q makes log p - log q constant in z, at every frame."""
    inference = tuple(factor.conditional for factor in derive(spec).posterior.factors)
    length = data.draw(lengths(spec))
    here = projected_world(spec, inference, length, seed)
    ratio = log_factors(here.p_factors, here) + log_factors(here.q_factors, here) * -1.0
    scale = 1.0 + np.abs(log_factors(here.p_factors, here).H).max(initial=0.0)
    np.testing.assert_allclose(ratio.H, 0.0, atol=1e-8 * scale)
    np.testing.assert_allclose(ratio.g, 0.0, atol=1e-7 * scale)
    assert ratio.c == pytest.approx(here.evidence, rel=1e-7, abs=1e-7)
    bound = derivation_steps(spec, inference, elbo_terms(spec, inference))[-1].expression
    assert value(bound, here).c == pytest.approx(here.evidence, rel=1e-7, abs=1e-7)


@given(st.data(), general_specs(longest=2), seeds)
def test_each_link_of_the_exact_posterior_is_needed(data: st.DataObject, spec: Spec, seed: int) -> None:
    """Without one read that some frame of a short sequence needs, the closest q has a gap."""
    exact = tuple(factor.conditional for factor in derive(spec).posterior.factors)
    length = data.draw(lengths(spec))
    whole = projected_world(spec, exact, length, seed)
    needed = [
        (k, parent)
        for k, factor in enumerate(whole.q_factors)
        for j, parent in enumerate(factor.parents)
        if abs(factor.weights[j]) > 1e-6
    ]
    if not needed:
        return
    k, parent = data.draw(st.sampled_from(needed))
    cut = list(families(spec, exact, length))
    cut[k] = (cut[k][0], tuple(other for other in cut[k][1] if other != parent))
    here = projected_world(spec, exact, length, seed, tuple(cut))
    ratio = log_factors(here.p_factors, here) + log_factors(here.q_factors, here) * -1.0
    assert here.evidence - mean_under_q(ratio, here) > 1e-12


def leads_back(spec: Spec, inference: tuple[Conditional, ...], term: Term, length: int) -> bool:
    """Whether, in some frame of the term, q draws from the target what its prior reads: node by node."""
    if length not in {Lengths.ANY: {length}, Lengths.ONE: {1}, Lengths.LONGER: {length} - {1}}[term.lengths]:
        return False
    nodes = families(spec, inference, length)
    drawn: dict[Node, list[Node]] = {}
    for child, parents in nodes:
        for parent in parents:
            drawn.setdefault(parent, []).append(child)
    frames: Iterable[int] = places(spec, term.target, length)
    if term.frame is not None:
        frames = [length if term.frame == LAST else term.frame]
    elif term.framed:
        frames = [f for f in frames if term.first <= f <= length - term.left]
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
    """Looked for node by node, at every frame of some lengths.

    Windows say of a term without frame T what holds of frame T as well.
    """
    inference = data.draw(inferences(spec))

    for term in elbo_terms(spec, inference).terms:
        if term.q is None:
            continue
        found = any(leads_back(spec, inference, term, length) for length in (1, 2, 3, 5, 8))
        if found:
            assert term.estimator is Estimator.LOG_RATIO
        elif term.estimator is Estimator.LOG_RATIO and not term.left:
            assert leads_back(spec, inference, term, 30)
        else:
            assert term.estimator is Estimator.ANALYTIC or term.lengths is not Lengths.ONE
