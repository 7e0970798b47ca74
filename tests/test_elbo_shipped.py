"""The bounds of the shipped pages: equal to the definition by the oracle, tight at the exact posterior, the review's.

Discrete and other families stand here as Gaussians: only the structure is asked about.
"""

from __future__ import annotations

import numpy as np
import pytest

from dvaec.derive.derivation import derive
from dvaec.derive.elbo import elbo_terms
from dvaec.derive.regroup import regroupings
from dvaec.derive.steps import derivation_steps
from dvaec.spec.model import Spec
from dvaec.testing.oracles.formula_value import log_factors, mean_under_q, value
from dvaec.testing.oracles.linear_gaussian import World, projected_world, random_world
from tests.shipped import SHIPPED, shipped
from tests.test_elbo_review import REVIEW, latex, plain
from tests.test_elbo_systems import KVAE_BOUND, NONCAUSAL_BOUND, RVAE_BOUND, packed, regrouped

PRINTED = {name.lower(): "".join(lines).removeprefix("+ ") for name, lines in REVIEW.items()}
PRINTED |= {"rvae_causal": RVAE_BOUND, "rvae_noncausal": NONCAUSAL_BOUND}

REGROUPED = {
    "kvae": {"whole sequences": KVAE_BOUND},  # (6.18)
    "dsae_full": {  # (11.24), what stands behind a bar in the order of the page
        "nested": "E<q(v | x_1:T)>[sum E<q(z_t | v, x_1:T)>[log p(x_t | v, z_t)]"
        "- sum E<q(z_1:t-1 | v, x_1:T)>[KL(q(z_t | v, x_1:T) || p(z_t | z_1:t-1))]]"
        "- KL(q(v | x_1:T) || p(v))"
    },
}


def log_ratio(here: World) -> tuple[np.ndarray, np.ndarray, float]:
    found = log_factors(here.p_factors, here) + log_factors(here.q_factors, here) * -1.0
    return found.H, found.g, found.c


def lengths(spec: Spec) -> tuple[int, ...]:
    return (1, 3) if spec.frames is None else (min(spec.frames, 3),)


@pytest.mark.parametrize("name", SHIPPED)
def test_every_form_of_the_bound_has_the_same_value(name: str) -> None:
    spec = shipped(name)
    inference = derive(spec).inference
    elbo = elbo_terms(spec, inference)
    for length in lengths(spec):
        here = random_world(spec, inference, length, length)
        ratio = log_factors(here.p_factors, here) + log_factors(here.q_factors, here) * -1.0
        expected = mean_under_q(ratio, here)
        forms = (*derivation_steps(spec, inference, elbo), *regroupings(spec, inference, elbo))
        for step in forms:
            assert value(step.expression, here).c == pytest.approx(expected, rel=1e-8), step.name
        assert expected <= here.evidence + 1e-9


@pytest.mark.parametrize("name", SHIPPED)
def test_the_exact_posterior_makes_the_bound_tight(name: str) -> None:
    spec = shipped(name)
    inference = tuple(factor.conditional for factor in derive(spec).posterior.factors)
    for length in lengths(spec):
        here = projected_world(spec, inference, length, length)
        H, g, c = log_ratio(here)
        np.testing.assert_allclose(H, 0.0, atol=1e-8)
        np.testing.assert_allclose(g, 0.0, atol=1e-7)
        assert c == pytest.approx(here.evidence, rel=1e-8)


@pytest.mark.parametrize("name", PRINTED)
def test_the_printed_bound_is_the_reviews(name: str) -> None:
    assert plain(latex(shipped(name))) == packed(PRINTED[name])


@pytest.mark.parametrize("name", REGROUPED)
def test_the_regrouped_bound_is_the_reviews(name: str) -> None:
    assert regrouped(shipped(name)) == {form: packed(text) for form, text in REGROUPED[name].items()}
