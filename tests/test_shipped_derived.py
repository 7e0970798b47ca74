"""Every shipped page's derivation by numbers: its bound at every step, tight at the exact posterior and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest

from dvaec.derive.derivation import derive
from dvaec.derive.elbo import elbo_terms
from dvaec.derive.regroup import regroupings
from dvaec.derive.steps import derivation_steps
from dvaec.testing.oracles.formula_value import log_factors, mean_under_q, value
from dvaec.testing.oracles.linear_gaussian import families, projected_world, random_world
from tests.shipped import SHIPPED, shipped

LENGTHS = (1, 2, 4)
WITH_LATENTS = tuple(name for name in SHIPPED if shipped(name).latents)

by_name = pytest.mark.parametrize("name", WITH_LATENTS)


@by_name
@pytest.mark.parametrize("length", LENGTHS)
def test_every_form_of_the_bound_has_one_value(name: str, length: int) -> None:
    spec = shipped(name)
    inference = derive(spec).inference
    elbo = elbo_terms(spec, inference)
    here = random_world(spec, inference, length, seed=length)
    ratio = log_factors(here.p_factors, here) + log_factors(here.q_factors, here) * -1.0
    expected = mean_under_q(ratio, here)
    for step in (*derivation_steps(spec, inference, elbo), *regroupings(spec, inference, elbo)):
        found = value(step.expression, here)
        assert not found.g.any()
        assert found.c == pytest.approx(expected, rel=1e-7, abs=1e-7), step.name
    assert expected <= here.evidence + 1e-8


@by_name
@pytest.mark.parametrize("length", LENGTHS)
def test_the_bound_is_tight_at_the_exact_posterior(name: str, length: int) -> None:
    spec = shipped(name)
    exact = tuple(factor.conditional for factor in derive(spec).posterior.factors)
    here = projected_world(spec, exact, length, seed=length)
    ratio = log_factors(here.p_factors, here) + log_factors(here.q_factors, here) * -1.0
    np.testing.assert_allclose(ratio.H, 0.0, atol=1e-7)
    assert ratio.c == pytest.approx(here.evidence, rel=1e-7, abs=1e-7)


@by_name
def test_golden_links_cost_something_and_without_any_nothing_is_lost(name: str) -> None:
    """The closest q of the declared windows misses log p(x) just where the comparison names golden links."""
    spec, length = shipped(name), 4
    derivation = derive(spec)
    here = projected_world(spec, derivation.inference, length, seed=5)
    ratio = log_factors(here.p_factors, here) + log_factors(here.q_factors, here) * -1.0
    gap = here.evidence - mean_under_q(ratio, here)
    golden = any(one.golden for one in derivation.comparisons)
    assert gap > 1e-9 if golden else abs(gap) < 1e-6


@by_name
def test_every_link_of_the_exact_posterior_is_needed(name: str) -> None:
    """Without any one parent of one latent's exact factor, at all frames, the closest q has a gap."""
    spec, length = shipped(name), 4
    exact = tuple(factor.conditional for factor in derive(spec).posterior.factors)
    for k, conditional in enumerate(exact):
        for parent in conditional.parents:
            kept = tuple(one for one in conditional.parents if one != parent)
            less = (
                *exact[:k],
                type(conditional)(conditional.target, kept, conditional.frame),
                *exact[k + 1 :],
            )
            if families(spec, less, length) == families(spec, exact, length):
                continue
            here = projected_world(spec, less, length, seed=7)
            ratio = log_factors(here.p_factors, here) + log_factors(here.q_factors, here) * -1.0
            assert here.evidence - mean_under_q(ratio, here) > 1e-10, (conditional.target, parent.name)
