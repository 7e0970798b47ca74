"""Latent variables of every family: divergences in closed form, priors, gradients, relaxed draws."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from dvaec.derive.elbo import CLOSED_FORMS
from dvaec.emit.families import FAMILIES, family_text, names_of, noise_width
from dvaec.runtime.script import script
from dvaec.spec.families import FORMS, parameters_of
from dvaec.spec.model import Family, Role, Variable
from dvaec.spec.read import read_text
from dvaec.testing.built import build, sample_values
from tests.family_laws import CASES, LATENT, circular, divergence, full, function
from tests.family_models import BATCH, FRAMES, latent, same


@pytest.mark.parametrize("learned", [False, True])
@pytest.mark.parametrize("name", LATENT)
def test_divergences_are_those_of_torch(name: str, learned: bool) -> None:
    case = CASES[name]
    for parentless in (False, True):
        if learned and not parentless:
            continue
        built = latent(name, parentless, learned)
        values = sample_values(built, BATCH, FRAMES)
        encoded = built.call("encode", values)
        at_draw = built.call("score", values | {"z": encoded.z})
        expected = divergence(case.of(at_draw, "q_z"), case.of(at_draw, "p_z"))
        same(built.call("elbo", values).kl_z, expected)
        assert "log-ratio" not in [term.estimator.value for term in built.elbo.terms]


@pytest.mark.parametrize("name", LATENT)
def test_a_prior_without_parents_is_the_standard_one(name: str) -> None:
    built = latent(name, parentless=True)
    values = sample_values(built, BATCH, FRAMES)
    score = built.call("score", values)
    for parameter in CASES[name].parameters:
        assert not bool(getattr(score, f"p_z_{parameter}").any())
    drawn = built.call("generate", values, batch=BATCH, frames=FRAMES)
    assert bool(drawn.z.isfinite().all())
    assert FAMILIES[CASES[name].family].standard in built.text
    scripted = script(built.module)
    same(built.call("elbo", values, scripted).elbo, built.call("elbo", values).elbo)


@pytest.mark.parametrize("name", LATENT)
@given(seed=st.integers(0, 2**31), spread=st.floats(0.1, 4.0))
@settings(deadline=None)
def test_divergences_at_any_parameters(name: str, seed: int, spread: float) -> None:
    case = CASES[name]
    text = family_text(case.variable())
    generator = torch.Generator().manual_seed(seed)

    def made() -> tuple[Tensor, ...]:
        return tuple(
            spread * torch.randn(p.width, generator=generator, dtype=torch.float64)
            for p in parameters_of(case.variable())
        )

    q, p = made(), made()
    value = function(text.kl)(*q, *p)
    assert value.item() > -1e-12
    torch.testing.assert_close(
        value, divergence(case.law(*q), case.law(*p)).reshape(()), rtol=1e-7, atol=1e-9
    )
    assert abs(function(text.kl)(*q, *q).item()) < 1e-9
    standard = tuple(torch.zeros_like(a) for a in q)
    torch.testing.assert_close(
        function(text.standard_kl)(*q), function(text.kl)(*q, *standard), rtol=1e-9, atol=1e-9
    )


def test_closed_forms_that_are_derived_are_those_that_can_be_emitted() -> None:
    emitted = {(family, family) for family, text in FAMILIES.items() if text.kl}
    assert emitted == CLOSED_FORMS
    assert {family for family, form in FORMS.items() if form.latent} == {family for family, _ in emitted}
    assert set(FAMILIES) == set(FORMS) == set(Family)
    assert all(bool(text.standard_kl) == bool(text.standard) == bool(text.kl) for text in FAMILIES.values())


@pytest.mark.parametrize("name", LATENT)
def test_latent_draws_pass_a_gradient_to_q(name: str) -> None:
    """In training mode; the log-density of x alone, so that nothing comes through the divergence."""
    built = latent(name)
    built.module.train()
    values = sample_values(built, BATCH, FRAMES)
    built.module.zero_grad()
    built.call("elbo", values).log_p_x.sum().backward()
    own = [p for key, p in built.module.named_parameters() if key.startswith("q_z")]
    assert own
    assert all(p.grad is not None and bool(p.grad.abs().sum() > 0) for p in own)


def test_categorical_draws_are_relaxed_in_training_and_exact_in_evaluation() -> None:
    built = latent("categorical")
    values = sample_values(built, BATCH, FRAMES)
    built.module.train()
    scripted = script(built.module)
    soft, hard = built.call("encode", values), None
    same(soft.z.sum(-1), torch.ones(BATCH, FRAMES, dtype=torch.float64))
    assert bool((soft.z > 0).all())
    same(soft.z, built.call("encode", values, scripted).z)
    built.module.eval()
    scripted.eval()
    hard = built.call("encode", values)
    assert bool(((hard.z == 0) | (hard.z == 1)).all())
    same(hard.z.sum(-1), torch.ones(BATCH, FRAMES, dtype=torch.float64))
    same(hard.z, built.call("encode", values, scripted).z)
    built.module.train()


def test_the_derivation_says_that_relaxed_draws_make_a_surrogate() -> None:
    for name in LATENT:
        for term in latent(name).elbo.terms:
            assert ("draws of z are relaxed" in term.schedule_reason) == (name == "categorical")
            assert "closed form" in term.reason


@given(seed=st.integers(0, 1000), temperature=st.floats(0.01, 5.0))
@settings(deadline=None)
def test_relaxed_draws_point_at_the_exact_ones(seed: int, temperature: float) -> None:
    """argmax is the same at every temperature, and at low ones the relaxed draw is nearly one-hot."""
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(6, 4, generator=generator, dtype=torch.float64)
    noise = torch.rand(6, 4, generator=generator, dtype=torch.float64)
    exact = function("relaxed_draw")(logits, noise, temperature, False)
    relaxed = function("relaxed_draw")(logits, noise, temperature, True)
    assert bool((exact.argmax(-1) == relaxed.argmax(-1)).all())
    cold = function("relaxed_draw")(logits, noise, 1e-6, True)
    torch.testing.assert_close(cold, exact, rtol=1e-3, atol=1e-3)


def test_the_temperature_is_that_of_the_page() -> None:
    hot = Variable("z", Role.LATENT, 3, Family.CATEGORICAL, options=(("temperature", 0.7),))
    assert "0.7, self.training" in family_text(hot).draw
    assert "0.5, self.training" in family_text(replace(hot, options=())).draw


def test_noise_is_as_wide_as_a_draw_needs() -> None:
    widths = {name: noise_width(case.variable()) for name, case in CASES.items()}
    assert widths["student"] == widths["beta"] == 6
    assert widths["mixture"] == widths["complex gaussian"] == 4
    assert widths["poisson"] == 3


def test_the_oracles_speak_of_distinct_laws() -> None:
    """A full Gaussian with correlations is not the diagonal one, a circular one not a Gaussian of its variance."""
    packed = torch.tensor([0.0, 0.0, 0.9], dtype=torch.float64)
    x = torch.tensor([1.0, -1.0], dtype=torch.float64)
    zero = torch.zeros(2, dtype=torch.float64)
    correlated = full(zero, packed).log_prob(x)
    assert abs((correlated - CASES["gaussian"].law(zero, zero).log_prob(x)).item()) > 0.1
    assert abs((circular(zero[:1]).log_prob(x) - CASES["gaussian"].law(zero, zero).log_prob(x)).item()) > 0.1


@pytest.mark.parametrize(
    "lines",
    ["- z_1 | u_1\n  - z_t", "- z_1\n  - z_t", "- z_T | u_T\n  - z_t", "- z_T\n  - z_1 | u_1\n  - z_t"],
)
@pytest.mark.parametrize("family", ["gaussian", "laplace", "categorical", "full_gaussian"])
def test_without_parents_a_latent_is_fixed_beside_lines_of_its_frames_1_and_last(
    lines: str, family: str
) -> None:
    text = f"""dvaec: 1
model: M
causality: noncausal
variables: {{x: {{role: observed, dim: 2}}, u: {{role: input, dim: 2}},
  z: {{role: latent, dim: 2, distribution: {family}}}}}
generation:
  {lines}
  - x_t | z_t, u_t
"""
    built = build(read_text(text, "p.yaml")[0])
    assert not [name for name, _ in built.module.named_parameters() if re.match("p_z(_last)?_[a-z]+$", name)]
    with torch.no_grad():
        for parameter in built.module.parameters():
            parameter.normal_()
    score = built.call("score", sample_values(built, 2, 4))
    for name in names_of(built.spec.variable("z")):
        assert not getattr(score, f"p_z_{name}")[:, 1:3].any()
