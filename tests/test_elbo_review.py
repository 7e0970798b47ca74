"""The printed bounds are the review's own, (5.10), (7.22), (8.15) and (9.15), typed here from its pages."""

from __future__ import annotations

import re

import pytest

from dvaec.derive.derivation import derive
from dvaec.derive.elbo import elbo_terms
from dvaec.derive.model import Estimator, TermKind
from dvaec.derive.steps import derivation_steps
from dvaec.emit.derivation_json import derivation_json
from dvaec.emit.derivation_text import derivation_text
from dvaec.emit.latex import derivation_latex, elbo_tex, formula_latex
from dvaec.spec.model import Role, Spec, Variable
from dvaec.spec.offsets import NOW, of
from tests.models import BEFORE, DKF, FOUR, PREVIOUS, SRNN, STORN, UP_TO, VRNN, Z, line, own, page
from tests.models import X as X_VARIABLE

# Each line as the review prints it: E<measure>[...] and KL(q || p), in its order of the conditions.
REVIEW = {
    "DKF": (  # (5.10)
        "+ sum E<q(z_t | x_1:T, u_1:T)>[log p(x_t | z_t)]",
        "- sum E<q(z_t-1 | x_1:T, u_1:T)>[KL(q(z_t | z_t-1, x_t:T, u_t:T) || p(z_t | z_t-1, u_t))]",
    ),
    "STORN": (  # (7.22)
        "+ sum E<q(z_1:t | x_1:T)>[log p(x_t | x_1:t-1, z_1:t)]",
        "- sum KL(q(z_t | x_1:t) || p(z_t))",
    ),
    "VRNN": (  # (8.15)
        "+ sum E<q(z_1:t | x_1:T)>[log p(x_t | x_1:t-1, z_1:t)]",
        "- sum E<q(z_1:t-1 | x_1:T)>[KL(q(z_t | z_1:t-1, x_1:t) || p(z_t | x_1:t-1, z_1:t-1))]",
    ),
    "SRNN": (  # (9.15)
        "+ sum E<q(z_t | x_1:T)>[log p(x_t | x_1:t-1, z_t)]",
        "- sum E<q(z_t-1 | x_1:T)>[KL(q(z_t | z_t-1, x_1:T) || p(z_t | x_1:t-1, z_t-1))]",
    ),
}

SRNN_LATEX = (
    r"\sum_{t=1}^{T} \mathbb{E}_{q_\phi(\mathbf{z}_t \mid \mathbf{x}_{1:T})}\left["
    r"\log p_{\theta_x}(\mathbf{x}_t \mid \mathbf{x}_{1:t-1}, \mathbf{z}_t)\right]"
    r" - \sum_{t=1}^{T} \mathbb{E}_{q_\phi(\mathbf{z}_{t-1} \mid \mathbf{x}_{1:T})}\left[ D_{\mathrm{KL}}\left("
    r" q_\phi(\mathbf{z}_t \mid \mathbf{z}_{t-1}, \mathbf{x}_{1:T}) \,\|\,"
    r" p_{\theta_z}(\mathbf{z}_t \mid \mathbf{x}_{1:t-1}, \mathbf{z}_{t-1}) \right) \right]"
)

by_name = pytest.mark.parametrize("spec", FOUR, ids=lambda spec: spec.name)


def latex(spec: Spec) -> str:
    inference = derive(spec).inference
    return formula_latex(spec, derivation_steps(spec, inference, elbo_terms(spec, inference))[-1].expression)


def plain(text: str) -> str:
    """Undress LaTeX to the notation of REVIEW, without blanks."""
    for old, new in (
        (r"\sum_{t=1}^{T}", "sum"),
        (r"D_{\mathrm{KL}}", "KL"),
        (r"\,\|\,", "||"),
        (r"\mid", "|"),
        (r"\log", "log"),
        (r"\left", ""),
        (r"\right", ""),
        (r"q_\phi", "q"),
    ):
        text = text.replace(old, new)
    text = re.sub(r"p_\{\\theta_\w\}", "p", text)
    text = re.sub(r"\\mathbf\{(\w)\}", r"\1", text)
    text = re.sub(r"_\{([\w:+-]+)\}", r"_\1", text)
    text = re.sub(r"\\mathbb\{E\}_\{([^}]*)\}", r"E<\1>", text)
    return text.replace(" ", "")


@by_name
def test_the_printed_bound_is_the_reviews(spec: Spec) -> None:
    expected = "".join(REVIEW[spec.name]).replace(" ", "").removeprefix("+")
    assert plain(latex(spec)) == expected


def test_srnn_in_latex_to_the_letter() -> None:
    assert latex(SRNN).replace(" ", "") == SRNN_LATEX.replace(" ", "")


def test_a_standard_normal_prior_has_no_parameters_in_print() -> None:
    assert r"\|\, p(\mathbf{z}_t)" in latex(STORN)


def test_the_steps_begin_with_the_definition() -> None:
    inference = derive(DKF).inference
    steps = derivation_steps(DKF, inference, elbo_terms(DKF, inference))
    expected = "E<q(z_1:T|x_1:T,u_1:T)>[logp_\\theta(x_1:T,z_1:T|u_1:T)-logq(z_1:T|x_1:T,u_1:T)]"
    assert plain(formula_latex(DKF, steps[0].expression)) == expected
    assert [s.name for s in steps] == [
        "definition", "chain rule", "dependencies", "linearity", "marginals", "divergences",
    ]  # fmt: skip


def test_estimators_and_schedules_of_the_four_models() -> None:
    found = {}
    for spec in FOUR:
        terms = elbo_terms(spec, derive(spec).inference).terms
        found[spec.name] = [(t.estimator, t.sampled, t.sequential) for t in terms]
    drawn = [(Estimator.MONTE_CARLO, ("z",), True), (Estimator.ANALYTIC, ("z",), True)]
    free = [(Estimator.MONTE_CARLO, ("z",), False), (Estimator.ANALYTIC, (), False)]
    assert found == {"DKF": drawn, "STORN": free, "VRNN": drawn, "SRNN": drawn}


A = Variable("a", Role.LATENT, 2)
KALMAN = page(  # KVAE's structure (6.18): a stands between z and x, q draws a before z
    line("z", z=PREVIOUS),
    line("a", z=NOW),
    line("x", a=NOW),
    variables=(X_VARIABLE, Z, A),
    order=("a", "z"),
    inference=own(line("a", x=NOW), line("z", z=PREVIOUS, a=UP_TO)),
)


def test_a_prior_that_reads_what_q_draws_from_its_target_is_a_log_ratio() -> None:
    elbo = elbo_terms(KALMAN, derive(KALMAN).inference)
    reconstruction, a, z = elbo.terms
    assert reconstruction.sampled == ("a",)
    assert not reconstruction.sequential
    assert (a.target, a.estimator) == ("a", Estimator.LOG_RATIO)
    assert "a_t -> z_t" in a.reason
    assert (z.target, z.estimator) == ("z", Estimator.ANALYTIC)
    assert [(p.name, p.offsets) for p in z.expectation] == [("a", UP_TO), ("z", PREVIOUS)]
    assert (
        r"\log q_\phi(\mathbf{a}_t \mid \mathbf{x}_t) - \log p_{\theta_a}(\mathbf{a}_t \mid \mathbf{z}_t)"
        in latex(KALMAN)
    )


def test_the_same_latents_in_the_other_order_have_closed_forms() -> None:
    turned = page(
        line("z", z=PREVIOUS),
        line("a", z=NOW),
        line("x", a=NOW),
        variables=(X_VARIABLE, Z, A),
        order=("z", "a"),
        inference=own(line("z", z=PREVIOUS, x=UP_TO), line("a", x=NOW, z=NOW)),
    )
    elbo = elbo_terms(turned, derive(turned).inference)
    assert [t.estimator for t in elbo.terms if t.kind is TermKind.DIVERGENCE] == [Estimator.ANALYTIC] * 2


def test_descendants_are_counted_frame_by_frame() -> None:
    """a reads z one frame earlier under p and z reads a under q: a_t is no descendant of a_t's own prior."""
    spec = page(
        line("z", z=PREVIOUS),
        line("a", z=of(-1)),
        line("x", a=NOW, z=NOW),
        variables=(X_VARIABLE, Z, A),
        order=("a", "z"),
        inference=own(line("a", x=NOW), line("z", z=PREVIOUS, a=NOW, x=BEFORE)),
    )
    terms = elbo_terms(spec, derive(spec).inference).terms
    assert {t.target: t.estimator for t in terms if t.q} == dict.fromkeys("az", Estimator.ANALYTIC)


def test_a_cycle_over_two_latents_is_sequential() -> None:
    spec = page(
        line("z", z=PREVIOUS),
        line("a", a=PREVIOUS),
        line("x", a=NOW, z=NOW),
        variables=(X_VARIABLE, Z, A),
        order=("z", "a"),
        inference=own(line("z", a=PREVIOUS), line("a", z=NOW)),
    )
    reconstruction = elbo_terms(spec, derive(spec).inference).terms[0]
    assert reconstruction.sequential
    assert "cycle" in reconstruction.schedule_reason


def test_a_missing_conditional_is_named() -> None:
    with pytest.raises(ValueError, match="q has no conditional for z"):
        elbo_terms(VRNN, ())


@by_name
def test_the_documents_are_balanced_and_repeatable(spec: Spec) -> None:
    derivation = derive(spec)
    elbo = elbo_terms(spec, derivation.inference)
    for write in (elbo_tex, derivation_latex):
        text = write(spec, derivation, elbo)
        assert text == write(spec, derivation, elbo)
        assert text.count("{") == text.count("}")
        assert re.findall(r"\\begin\{(\w+\*?)\}", text).count("align*") == text.count(r"\end{align*}")
        assert text.startswith("%")
        assert text.endswith("\\end{document}\n")
        assert "<<" not in text
        final = derivation_steps(spec, derivation.inference, elbo)[-1].expression
        printed = re.sub(r"\s|&=|&\\quad|\\\\", "", text)
        assert re.sub(r"\s", "", formula_latex(spec, final)) in printed


def test_the_text_says_what_is_missing_from_q() -> None:
    derivation = derive(STORN)
    text = derivation_text(STORN, derivation, elbo_terms(STORN, derivation.inference))
    assert "golden (in the exact posterior, not in q): z₁:ₜ₋₁, xₜ₊₁:ᴛ" in text
    assert "− ∑ₜ KL( q(zₜ | x₁:ₜ) ‖ p(zₜ) )" in text
    assert "q has the exact posterior's structure" not in text


def test_the_values_for_other_programs() -> None:
    derivation = derive(VRNN)
    found = derivation_json(VRNN, derivation, elbo_terms(VRNN, derivation.inference))
    assert found["golden"] == {
        "z": [
            {
                "name": "x",
                "text": "x_<t+1:T>",
                "windows": [{"start": 1, "stop": None, "stride": 1}],
                "frame": None,
            }
        ]
    }
    assert found["silver"] == {"z": []}
    assert found["order"] == ["z"]
