"""The families as they are emitted, against torch.distributions, in float64."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.distributions import Bernoulli, Distribution, Gamma, Normal, kl_divergence

from dvaec.runtime.script import script
from dvaec.runtime.source import load_class
from dvaec.spec.model import (
    Dense,
    Family,
    Head,
    Layer,
    Link,
    Output,
    Parent,
    Role,
    Side,
    Variable,
)
from dvaec.spec.model import SharedVariance as Shared
from dvaec.spec.offsets import NOW, of
from dvaec.testing.built import Built, build, sample_values
from tests.models import line, page

BATCH, FRAMES = 3, 4
LAYERS = (Layer(5, "tanh"),)
FIXED = 0.37


def variables(family: Family) -> tuple[Variable, Variable]:
    return Variable("x", Role.OBSERVED, 3, family), Variable("z", Role.LATENT, 2)


def model(family: Family = Family.GAUSSIAN, **head: Any) -> Built:
    """Build z_t | z_<t-1> and x_t | z_t; `head` is what p(x_t)'s network has besides its layers."""
    own = Head(Side.P, "x", Dense((Parent("z", of(0)),), LAYERS), **head)
    spec = page(line("z", z=of(-1)), line("x", z=NOW), variables=variables(family))
    return build(replace(spec, heads=(own,)))


def same(a: Tensor, b: Tensor) -> None:
    torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-12)


def normal(result: Any, conditional: str) -> Normal:
    mean, logvar = getattr(result, f"{conditional}_mean"), getattr(result, f"{conditional}_logvar")
    return Normal(mean, torch.exp(0.5 * logvar))


def exponential(result: Any) -> Gamma:
    """Shape 1 and scale exp(logscale); torch's second argument is the rate."""
    return Gamma(torch.ones_like(result.p_x_logscale), torch.exp(-result.p_x_logscale), validate_args=False)


def bernoulli(result: Any) -> Bernoulli:
    return Bernoulli(logits=result.p_x_logits)


LAWS: dict[Family, Callable[[Any], Distribution]] = {
    Family.GAUSSIAN: lambda result: normal(result, "p_x"),
    Family.BERNOULLI: bernoulli,
    Family.GAMMA: exponential,
}

GAUSSIANS: dict[str, dict[str, Any]] = {
    "together": {},
    "fixed": {"variance": FIXED},
    "shared": {"variance": Shared()},
    "branches": {"mean": Output(LAYERS), "variance": Output(LAYERS)},
    "softplus": {"variance": Output((), Link.SOFTPLUS)},
}


@pytest.mark.parametrize("form", GAUSSIANS)
def test_gaussian_density_and_divergence(form: str) -> None:
    built = model(**GAUSSIANS[form])
    values = sample_values(built, BATCH, FRAMES)
    score = built.call("score", values)
    p_x, p_z, q_z = (normal(score, name) for name in ("p_x", "p_z", "q_z"))
    same(score.log_p_x, p_x.log_prob(values["x"]).sum(-1))
    same(score.log_p_z, p_z.log_prob(values["z"]).sum(-1))
    same(score.log_q_z, q_z.log_prob(values["z"]).sum(-1))
    encoded = built.call("encode", values)
    at_draw = built.call("score", values | {"z": encoded.z})
    bound = built.call("elbo", values)
    same(bound.kl_z, kl_divergence(normal(at_draw, "q_z"), normal(at_draw, "p_z")).sum(-1))
    same(bound.log_p_x, at_draw.log_p_x)


@pytest.mark.parametrize("form", GAUSSIANS)
def test_gaussian_draws_and_means(form: str) -> None:
    built = model(**GAUSSIANS[form])
    values = sample_values(built, BATCH, FRAMES)
    drawn = built.call("generate", values, batch=BATCH, frames=FRAMES)
    p_x = normal(drawn, "p_x")
    same(drawn.x, p_x.loc + p_x.scale * values["noise_x"])
    encoded = built.call("encode", values)
    q_z = normal(encoded, "q_z")
    same(encoded.z, q_z.loc + q_z.scale * values["noise_z"])
    again = built.call("reconstruct", values)
    same(again.x, normal(again, "p_x").mean)
    plain = built.call("generate", values, batch=BATCH, frames=FRAMES, sample=False)
    same(plain.x, normal(plain, "p_x").mean)


def test_a_fixed_variance_is_that_number() -> None:
    built = model(variance=FIXED)
    score = built.call("score", sample_values(built, BATCH, FRAMES))
    same(
        score.p_x_logvar,
        torch.full((BATCH, FRAMES, built.spec.variable("x").dim), math.log(FIXED), dtype=torch.float64),
    )
    assert not any("p_x" in name and "logvar" in name for name, _ in built.module.named_parameters())


def test_a_shared_variance_is_one_parameter_a_dimension_and_the_same_at_every_frame() -> None:
    built = model(variance=Shared())
    score = built.call("score", sample_values(built, BATCH, FRAMES))
    own = dict(built.module.named_parameters())["p_x_logvar"]
    assert own.shape == (built.spec.variable("x").dim,)
    same(score.p_x_logvar, (30.0 * torch.tanh(own / 30.0)).expand(BATCH, FRAMES, -1))
    built.call("elbo", sample_values(built, BATCH, FRAMES)).elbo.sum().backward()
    assert own.grad is not None
    assert bool((own.grad != 0).all())


def test_softplus_gives_the_variance_itself() -> None:
    """Beside its floor: variance = softplus(a) + 1e-6, positive however negative a is."""
    built = model(variance=Output((), Link.SOFTPLUS))
    with torch.no_grad():
        for name, parameter in built.module.named_parameters():
            if name.startswith("p_x"):
                parameter.mul_(-1e6)
    score = built.call("score", sample_values(built, BATCH, FRAMES))
    variance = torch.exp(score.p_x_logvar)
    assert bool((variance >= 1e-6 * (1 - 1e-9)).all())
    assert bool(score.log_p_x.isfinite().all())


def test_bernoulli() -> None:
    built = model(Family.BERNOULLI)
    values = sample_values(built, BATCH, FRAMES)
    score = built.call("score", values)
    same(score.log_p_x, bernoulli(score).log_prob(values["x"]).sum(-1))
    again = built.call("reconstruct", values)
    same(again.x, bernoulli(again).mean)
    drawn = built.call("generate", values, batch=BATCH, frames=FRAMES)
    same(drawn.x, (values["noise_x"] < bernoulli(drawn).mean).double())
    plain = built.call("generate", values, batch=BATCH, frames=FRAMES, sample=False)
    same(plain.x, bernoulli(plain).mean)


@pytest.mark.parametrize("logit", [-1e4, -60.0, 60.0, 1e4])
def test_bernoulli_at_extreme_logits_is_finite_with_its_gradient(logit: float) -> None:
    density = emitted_function(Family.BERNOULLI, "bernoulli_log_density")
    x = torch.tensor([[[0.0, 1.0, 0.3]]], dtype=torch.float64)
    logits = torch.full_like(x, logit).requires_grad_()
    value = density(x, logits)
    value.sum().backward()
    same(value, torch.stack([-torch.nn.functional.softplus(logits) + x * logits]).sum((0, -1)))
    assert bool(value.isfinite().all())
    assert logits.grad is not None
    same(logits.grad, x - torch.sigmoid(logits))


def test_gamma_of_shape_one() -> None:
    built = model(Family.GAMMA)
    values = sample_values(built, BATCH, FRAMES)
    score = built.call("score", values)
    same(score.log_p_x, exponential(score).log_prob(values["x"]).sum(-1))
    again = built.call("reconstruct", values)
    same(again.x, exponential(again).mean)
    drawn = built.call("generate", values, batch=BATCH, frames=FRAMES)
    quantile = torch.distributions.Exponential(torch.exp(-drawn.p_x_logscale)).icdf(values["noise_x"])
    same(drawn.x, quantile)
    plain = built.call("generate", values, batch=BATCH, frames=FRAMES, sample=False)
    same(plain.x, exponential(plain).mean)


def test_gamma_at_silence_is_finite_with_its_gradient() -> None:
    """(13.2.1): x = 0 has density 1/scale, where the Itakura-Saito divergence is infinite."""
    built = model(Family.GAMMA)
    values = sample_values(built, BATCH, FRAMES)
    values["x"] = torch.zeros_like(values["x"])
    score = built.call("score", values)
    same(score.log_p_x, -score.p_x_logscale.sum(-1))
    built.call("elbo", values).elbo.sum().backward()
    assert all(p.grad is None or bool(p.grad.isfinite().all()) for p in built.module.parameters())


def test_gamma_is_the_itakura_saito_divergence_up_to_what_depends_on_x_alone() -> None:
    """(13.2.1): -log p = x/s + log s, and IS(x, s) = x/s - log(x/s) - 1, so their difference is 1 + log x."""
    density = emitted_function(Family.GAMMA, "gamma_log_density")
    x = torch.rand(2, 3, 4, dtype=torch.float64) + 0.1
    for scale in (0.2, 1.0, 7.0):
        ratio = x / scale
        divergence = (ratio - torch.log(ratio) - 1.0).sum(-1)
        value = density(x, torch.full_like(x, math.log(scale)))
        same(-value - divergence, (1.0 + torch.log(x)).sum(-1))


@pytest.mark.parametrize(("family", "parameter"), [(Family.GAUSSIAN, "logvar"), (Family.GAMMA, "logscale")])
def test_log_variances_and_log_scales_are_bounded_smoothly(family: Family, parameter: str) -> None:
    bounded = emitted_function(family, "bounded")
    a = torch.tensor([-1e9, -40.0, -1e-3, 0.0, 1e-3, 40.0, 1e9], dtype=torch.float64, requires_grad=True)
    value = bounded(a)
    assert bool((value.abs() <= 30.0).all())
    assert bool((value.diff() > 0).all())
    same(value[2:5], a[2:5])
    value.sum().backward()
    assert a.grad is not None
    same(a.grad[3], torch.ones((), dtype=torch.float64))
    built = model(family)
    with torch.no_grad():
        for own in built.module.parameters():
            own.mul_(1e6)
    score = built.call("score", sample_values(built, BATCH, FRAMES))
    assert bool((getattr(score, f"p_x_{parameter}").abs() <= 30.0).all())
    assert bool(score.log_p_x.isfinite().all())


@pytest.mark.parametrize("learned", [False, True])
def test_a_latent_without_parents_is_standard_or_a_learned_constant(learned: bool) -> None:
    heads = (Head(Side.P, "z", None, learned=True),) if learned else ()
    spec = page(line("z"), line("x", z=NOW), variables=variables(Family.BERNOULLI))
    built = build(replace(spec, heads=heads))
    parameters = dict(built.module.named_parameters())
    assert ("p_z_mean" in parameters) == learned
    values = sample_values(built, BATCH, FRAMES)
    score = built.call("score", values)
    zero = torch.zeros(built.spec.variable("z").dim, dtype=torch.float64)
    mean = parameters["p_z_mean"] if learned else zero
    logvar = 30.0 * torch.tanh(parameters["p_z_logvar"] / 30.0) if learned else zero
    prior = Normal(mean, torch.exp(0.5 * logvar))
    same(score.log_p_z, prior.log_prob(values["z"]).sum(-1))
    encoded = built.call("encode", values)
    bound = built.call("elbo", values)
    same(bound.kl_z, kl_divergence(normal(encoded, "q_z"), prior).sum(-1))
    drawn = built.call("generate", values, batch=BATCH, frames=FRAMES)
    same(drawn.z, prior.mean + prior.stddev * values["noise_z"])
    scripted = script(built.module)
    same(built.call("elbo", values, scripted).elbo, bound.elbo)


@pytest.mark.parametrize("family", [Family.GAUSSIAN, Family.BERNOULLI, Family.GAMMA])
def test_many_draws_have_the_moments_of_the_family(family: Family) -> None:
    """Within five standard errors, with noise that the module draws by itself."""
    built = model(family)
    torch.manual_seed(3)
    drawn = built.module.generate(20000, 1)
    p_x = LAWS[family](drawn)
    ratio = ((drawn.x - p_x.mean) / p_x.stddev).reshape(20000, -1)
    assert bool((ratio.mean(0).abs() < 5.0 / math.sqrt(20000)).all())
    fourth = {Family.GAUSSIAN: 3.0, Family.BERNOULLI: 12.0, Family.GAMMA: 9.0}[family]
    assert bool(((ratio.square().mean(0) - 1.0).abs() < 5.0 * math.sqrt(fourth / 20000)).all())


def emitted_function(family: Family, name: str) -> Callable[..., Tensor]:
    """Return one of the functions in an emitted module."""
    built = model(family)
    cls = load_class(built.text, built.spec.name)
    found: Callable[..., Tensor] = getattr(sys.modules[cls.__module__], name)
    return found
