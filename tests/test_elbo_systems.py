"""The printed bounds of harder systems are the review's own, (6.18), (10.32) and (11.24), typed from its pages."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from dvaec.derive.derivation import derive
from dvaec.derive.elbo import elbo_terms
from dvaec.derive.model import Estimator, TermKind
from dvaec.derive.regroup import regroupings
from dvaec.derive.steps import auxiliary_formula, derivation_steps
from dvaec.emit.derivation_json import derivation_json
from dvaec.emit.derivation_text import derivation_text
from dvaec.emit.equations import auxiliary_lines, elbo_lines
from dvaec.emit.latex import derivation_latex, formula_latex
from dvaec.spec.model import Causality, Conditional, Parent, Role, Spec, Sweep, Variable
from dvaec.spec.offsets import ALL, NOW, of, window
from dvaec.testing.oracles.formula_value import value
from dvaec.testing.oracles.linear_gaussian import declared_factors, generative, world
from tests.models import BEFORE, PREVIOUS, SRNN, UP_TO, U, X, Z, line, own, page
from tests.shipped import shipped
from tests.test_elbo_review import latex, plain

V = Variable("v", Role.LATENT, 2, framed=False)
A = Variable("a", Role.LATENT, 2)
ZERO = replace(Z, first=0)

RVAE = page(line("z"), line("x", z=UP_TO))
NONCAUSAL = replace(page(line("z"), line("x", z=ALL)), causality=Causality.NONCAUSAL)
DSAE = replace(
    page(
        line("v"),
        line("z", z=BEFORE),
        line("x", z=NOW, v=None),
        variables=(X, Z, V),
        inference=own(line("v", x=ALL), line("z", v=None, x=ALL)),
    ),
    order=(Sweep(("v",)), Sweep(("z",))),
)
KVAE = replace(
    page(
        line("z", z=PREVIOUS, u=NOW),
        line("a", z=NOW),
        line("x", a=NOW),
        variables=(X, Z, A, U),
        inference=own(line("a", x=NOW), line("z", z=PREVIOUS, a=ALL, u=ALL)),
    ),
    order=(Sweep(("a",)), Sweep(("z",))),
)
DSSM = replace(
    page(line("z", z=PREVIOUS), line("x", z=NOW), variables=(X, ZERO)), numbered=(Conditional("z", (), 0),)
)
LOOKING_BACK = replace(page(line("z", z=PREVIOUS), line("x", z=NOW)), order=(Sweep(("z",), backward=True),))
TURNED = replace(  # an anticausal prior under a q that is drawn backwards
    page(line("z", z=of(1)), line("x", z=NOW)),
    order=(Sweep(("z",), backward=True),),
    causality=Causality.ANTICAUSAL,
)

RVAE_BOUND = (  # (10.32)
    "sum E<q(z_1:t | x_1:T)>[log p(x_t | z_1:t)]"
    "- sum E<q(z_1:t-1 | x_1:T)>[KL(q(z_t | z_1:t-1, x_t:T) || p(z_t))]"
)
NONCAUSAL_BOUND = (  # (10.32) with the noncausal decoder and the inference model (10.24)-(10.29)
    "sum E<q(z_1:T | x_1:T)>[log p(x_t | z_1:T)]"
    "- sum E<q(z_1:t-1 | x_1:T)>[KL(q(z_t | z_1:t-1, x_1:T) || p(z_t))]"
)
DSAE_BOUND = (  # (11.24)
    "E<q(v | x_1:T)>[sum E<q(z_t | v, x_1:T)>[log p(x_t | z_t, v)]"
    "- sum E<q(z_1:t-1 | v, x_1:T)>[KL(q(z_t | v, x_1:T) || p(z_t | z_1:t-1))]]"
    "- KL(q(v | x_1:T) || p(v))"
)
KVAE_BOUND = (  # (6.18), its quotient written as a difference, with q(z | a, u) for the Kalman smoother
    "E<q(a_1:T | x_1:T)>[log p(x_1:T | a_1:T) - log q(a_1:T | x_1:T)"
    "- KL(q(z_1:T | a_1:T, u_1:T) || p(a_1:T | z_1:T) p(z_1:T | u_1:T))]"
)
DSSM_BOUND = (
    "sum E<q(z_t | x_1:T)>[log p(x_t | z_t)] - KL(q(z_0 | x_1:T) || p(z_0))"
    "- sum E<q(z_t-1 | x_1:T)>[KL(q(z_t | z_t-1, x_t:T) || p(z_t | z_t-1))]"
)


def packed(text: str) -> str:
    return text.replace(" ", "")


def regrouped(spec: Spec) -> dict[str, str]:
    inference = derive(spec).inference
    found = regroupings(spec, inference, elbo_terms(spec, inference))
    return {step.name: plain(formula_latex(spec, step.expression)) for step in found}


@pytest.mark.parametrize(
    ("spec", "expected"), [(RVAE, RVAE_BOUND), (NONCAUSAL, NONCAUSAL_BOUND), (DSSM, DSSM_BOUND)]
)
def test_the_printed_bound(spec: Spec, expected: str) -> None:
    assert plain(latex(spec)) == packed(expected)
    assert not regrouped(spec)


def test_dsae_regrouped_is_the_reviews() -> None:
    assert regrouped(DSAE) == {"nested": packed(DSAE_BOUND)}


def test_kvae_regrouped_is_the_reviews() -> None:
    assert regrouped(KVAE) == {"whole sequences": packed(KVAE_BOUND)}


@pytest.mark.parametrize("spec", [DSAE, KVAE], ids=["DSAE", "KVAE"])
@pytest.mark.parametrize("length", [1, 2, 4])
def test_the_regrouped_bounds_have_the_same_value(spec: Spec, length: int) -> None:
    inference = derive(spec).inference
    rng = np.random.default_rng(length)
    p = generative(spec, length, rng)
    here = world(spec, length, p, declared_factors(spec, inference, length, rng), rng)
    elbo = elbo_terms(spec, inference)
    expected = value(derivation_steps(spec, inference, elbo)[0].expression, here).c
    (other,) = regroupings(spec, inference, elbo)
    assert value(other.expression, here).c == pytest.approx(expected, rel=1e-9)


def kinds(spec: Spec) -> list[tuple[str, int | None, Estimator, bool]]:
    terms = elbo_terms(spec, derive(spec).inference).terms
    return [(t.target, t.frame, t.estimator, t.sequential) for t in terms if t.kind is TermKind.DIVERGENCE]


def test_estimators_follow_the_directions_of_p_and_q() -> None:
    """A divergence is analytic where q draws in the prior's direction, a log-ratio where it draws against it."""
    assert kinds(LOOKING_BACK) == [("z", None, Estimator.LOG_RATIO, True)]
    assert kinds(TURNED) == [("z", None, Estimator.ANALYTIC, True)]
    turned_alone = replace(TURNED, order=(Sweep(("z",)),))
    assert kinds(turned_alone) == [("z", None, Estimator.LOG_RATIO, True)]
    term = elbo_terms(LOOKING_BACK, derive(LOOKING_BACK).inference).terms[1]
    assert "z_t -> z_<t-1>" in term.reason
    assert term.schedule_reason.endswith("one frame after another, backwards")


def test_the_terms_of_a_sequence_level_latent_and_of_a_frame_zero() -> None:
    assert kinds(DSAE) == [("v", None, Estimator.ANALYTIC, False), ("z", None, Estimator.ANALYTIC, False)]
    assert kinds(DSSM) == [("z", 0, Estimator.ANALYTIC, False), ("z", None, Estimator.ANALYTIC, True)]
    zero = elbo_terms(DSSM, derive(DSSM).inference).terms[1]
    assert zero.sampled == ()
    whole = elbo_terms(DSAE, derive(DSAE).inference).terms
    assert [(t.framed, t.sampled) for t in whole] == [(True, ("v", "z")), (False, ()), (True, ("v", "z"))]


def test_a_sequence_level_latent_drawn_last_makes_what_reads_it_a_log_ratio() -> None:
    last = replace(
        DSAE,
        generation=(line("v"), line("z", z=BEFORE, v=None), line("x", z=NOW, v=None)),
        inference=own(line("z", x=ALL), line("v", z=ALL)),
        order=(Sweep(("z",)), Sweep(("v",))),
    )
    assert kinds(last) == [("z", None, Estimator.LOG_RATIO, False), ("v", None, Estimator.ANALYTIC, False)]


FIRST = replace(  # frame 1 has a conditional of its own in p alone
    page(line("z", z=PREVIOUS, u=NOW), line("x", z=NOW), variables=(X, Z, U)),
    numbered=(Conditional("z", (Parent("u", None, 1),), 1),),
)


def test_frame_one_stands_apart_where_either_side_has_a_conditional_for_it() -> None:
    assert plain(latex(FIRST)).replace("\\sum_{t=2}^{T}", "later") == packed(
        "sum E<q(z_t | x_1:T, u_1:T)>[log p(x_t | z_t)] - KL(q(z_1 | x_1:T, u_1:T) || p(z_1 | u_1))"
        "- later E<q(z_t-1 | x_1:T, u_1:T)>[KL(q(z_t | z_t-1, x_t:T, u_t:T) || p(z_t | z_t-1, u_t))]"
    )
    inference = derive(FIRST).inference
    assert elbo_lines(FIRST, elbo_terms(FIRST, inference)) == (
        "  sum_t E_q[log p(x_t | z_t)]",
        "- KL(q(z_1 | x_{1:T}, u_{1:T}) || p(z_1 | u_1))",
        "- sum_t>1 E_q[KL(q(z_t | z_{t-1}, x_{t:T}, u_{t:T}) || p(z_t | z_{t-1}, u_t))]",
    )


def test_an_auxiliary_term_is_printed_apart_from_the_bound() -> None:
    spec = replace(SRNN, auxiliary=(line("g", z=NOW),))
    derivation = derive(spec)
    elbo = elbo_terms(spec, derivation.inference)
    assert elbo.terms == elbo_terms(SRNN, derivation.inference).terms
    added = auxiliary_formula(spec, derivation.inference, elbo)
    assert plain(formula_latex(spec, added)) == packed(r"sum E<q(z_t | x_1:T)>[log p_{\xi_g}(g_t | z_t)]")
    assert auxiliary_lines(spec, elbo) == ("+ sum_t E_q[log p(g_t | z_t)]",)
    assert "no part of the bound" in derivation_text(spec, derivation, elbo)
    assert "no part of the bound" in derivation_latex(spec, derivation, elbo)
    found: Any = derivation_json(spec, derivation, elbo)["auxiliary"]
    assert [term["kind"] for term in found] == ["auxiliary"]


def test_predictions_from_states_are_averaged_over_the_draws_that_these_are_made_of() -> None:
    spec = shipped("vrnn_goyal")
    elbo = elbo_terms(spec, derive(spec).inference)
    assert auxiliary_lines(spec, elbo) == ("+ sum_t E_q[log p(b_t | z_t)]", "+ sum_t log p(x_t | b_t)")
    added = derivation_text(spec, derive(spec), elbo).partition("Added in training")[2].splitlines()
    assert added[1:3] == ["  + ∑ₜ log p(xₜ | bₜ)", "  + ∑ₜ 𝔼[q(zₜ | x₁:ᴛ)] [ log p(bₜ | zₜ) ]"]
    drawn = replace(spec, auxiliary=(line("x", h=NOW),))
    (term,) = elbo_terms(drawn, derive(drawn).inference).auxiliary
    assert term.estimator is Estimator.MONTE_CARLO, "h is made of z"
    assert term.expectation == (Parent("z", UP_TO),)


def test_without_latents_the_bound_is_the_log_likelihood() -> None:
    spec = page(line("x", x=BEFORE), variables=(X,), order=())
    assert plain(latex(spec)) == packed("sum log p(x_t | x_1:t-1)")


@pytest.mark.parametrize("spec", [RVAE, NONCAUSAL, DSAE, KVAE, DSSM, LOOKING_BACK, TURNED, FIRST])
def test_the_documents_hold_the_bound_and_are_balanced(spec: Spec) -> None:
    derivation = derive(spec)
    elbo = elbo_terms(spec, derivation.inference)
    text = derivation_latex(spec, derivation, elbo)
    assert text.count("{") == text.count("}")
    assert text.count(r"\begin{align*}") == text.count(r"\end{align*}")
    assert "<<" not in text
    assert derivation_text(spec, derivation, elbo).count("Evidence lower bound") == 1


def test_windows_of_a_variable_with_a_frame_zero_start_there() -> None:
    spec = replace(DSSM, generation=(line("z", z=BEFORE), line("x", z=window(-2, 0))))
    assert r"\mathbf{z}_{0:t-1}" in latex(spec)
