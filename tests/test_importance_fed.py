"""The importance-sampled log-likelihood in generation mode: of the model whose p reads its own outputs."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from dvaec.compiler import compile_spec
from dvaec.runtime.batches import collate
from dvaec.runtime.card import Card
from dvaec.runtime.divergences import divergence, log_ratio
from dvaec.runtime.evaluate import elbo_parts, evaluate
from dvaec.runtime.feedback import feeds_back
from dvaec.runtime.importance import all_log_weights, importance, log_means
from dvaec.runtime.mode import Mode
from dvaec.runtime.posterior import drawn, noise, parameters, scored, scored_fed
from dvaec.runtime.source import load_class
from tests.exact_evidence import Model, compiled, split_of
from tests.shipped import ROOT

LINEAR = """
variables:
  x: {role: observed, dim: 1}
  z: {role: latent, dim: 1}
generation:
  - z_t | x_<t-1>
  - x_t | z_t, x_<t-1>
inference:
  - z_t | x_<1:T>
networks:
  p(z_t): {reads: x_<t-1>, variance: 0.5}
  p(x_t): {reads: "z_t, x_<t-1>", variance: 0.25}
"""
SEVERAL = """
variables:
  x: {role: observed, dim: 2, distribution: bernoulli}
  y: {role: observed, dim: 3, distribution: categorical}
  v: {role: latent, dim: 2}
  s: {role: latent, dim: 2, distribution: categorical}
  z: {role: latent, dim: 2}
  u: {role: input, dim: 1}
generation:
  - v
  - z_0 | v
  - s_t | s_<t-1>, y_<t-1>
  - z_t | z_<t-1>, s_t, x_<1:t-1>, u_t
  - x_t | z_t, v, x_<t-1>
  - y_t | z_t, x_t
inference: exact
"""
SAMPLED = """
variables:
  x: {role: observed, dim: 1}
  z: {role: latent, dim: 1}
  a: {role: latent, dim: 1}
generation:
  - z_t | z_<t-1>, x_<t-1>
  - a_t | z_t
  - x_t | a_t, x_<t-1>
order: [a, z]
inference: exact
networks:
  p(a_t): {reads: z_t, variance: shared}
"""


def test_it_is_the_exact_log_likelihood_of_a_linear_model() -> None:
    """With x^_t = a z_t + b x^_{t-1} + c and z_t = d x^_{t-1} + e + sqrt(1/2) n_t, x = x^ + noise / 2 is Gaussian."""
    model = compiled("Linear", LINEAR, scale=0.5)
    lengths = [4, 1, 3]
    split = split_of(model.card, lengths)
    module = model.module
    (a, b), c = module.p_x_1.weight[0].tolist(), module.p_x_1.bias[0].item()
    d, e = module.p_z_1.weight[0, 0].item(), module.p_z_1.bias[0].item()
    exact, start = [], 0
    for length in lengths:
        # x^ = mean + linear @ n, row by row
        mean, linear = np.zeros(length), np.zeros((length, length))
        before, of = 0.0, np.zeros(length)
        for t in range(length):
            own = np.eye(length)[t] * 0.5**0.5
            before, of = a * (d * before + e) + b * before + c, a * (d * of + own) + b * of
            mean[t], linear[t] = before, of
        cov = linear @ linear.T + 0.25 * np.eye(length)
        gap = split.framed["x"][start : start + length, 0] - mean
        exact.append(-0.5 * (gap @ np.linalg.solve(cov, gap) + np.linalg.slogdet(2 * np.pi * cov)[1]))
        start += length
    weights = all_log_weights(module, model.card, split, samples=4000, seed=1, mode=Mode.GENERATION)
    values, errors, effective = log_means(weights)
    assert effective.min() > 50
    assert (np.abs(values - exact) < 4 * errors).all(), (values - exact, errors)
    assert (errors < 0.1).all()
    forced = importance(module, model.card, split, samples=4000, seed=1)
    fed = importance(module, model.card, split, samples=4000, seed=1, mode=Mode.GENERATION)
    assert fed.frame.mean == pytest.approx(values.sum() / 8)
    assert abs(forced.frame.mean - fed.frame.mean) > 4 * (forced.frame.error + fed.frame.error)
    bound = evaluate(module, model.card, split, samples=100, mode=Mode.GENERATION)
    assert bound.frame["elbo"].mean < sum(exact) / 8 + 4 * bound.frame["elbo"].error


def autoregressive() -> list[str]:
    found = sorted((ROOT / "generated").glob("*/model.py"))
    return [path.parent.name for path in found if "class ElboFed(" in path.read_text(encoding="utf-8")]


def shipped(name: str) -> Model:
    made = compile_spec(ROOT / "specs" / f"{name}.yaml")
    torch.manual_seed(0)
    return Model(Card(**made.card), load_class(made.source, made.class_name)().double().eval())


@pytest.mark.parametrize("name", ["several", "sampled", *autoregressive()])
def test_the_divergences_of_what_is_scored_are_those_of_the_bound(name: str) -> None:
    """p's densities of the latents are of the very conditionals whose divergence from q the bound has."""
    own = {"several": SEVERAL, "sampled": SAMPLED}
    model = compiled(name.title(), own[name]) if name in own else shipped(name)
    assert ("kl_a" in model.card.sampled) == (name == "sampled")
    assert feeds_back(model.module)
    split = split_of(model.card, [5, 3], missing={"x": [2]} if "x" in model.card.observed else None)
    batch = collate(split, [0, 1], torch.device("cpu"), torch.float64)
    given = noise(model.module, model.card, batch, 0)
    with torch.no_grad():
        latents = drawn(model.module, model.card, batch, given)
        q = scored(model.module, model.card, batch, latents)
        p = scored_fed(model.module, model.card, batch, given, latents)
        parts = elbo_parts(model.module, model.card, batch, given, Mode.GENERATION)
    for latent in model.card.latent_values:
        family, of_q = parameters(q, "q", latent)
        other = parameters(p, "p", latent)[1]
        if f"kl_{latent}" in model.card.sampled:
            found = log_ratio(family, latents[latent], of_q, other)
        else:
            found = divergence(family, of_q, other)
        assert found is not None
        wanted = parts[f"kl_{latent}"]
        total = found.sum(-1) * (wanted != 0)
        torch.testing.assert_close(total, wanted)
        assert float(wanted.abs().sum()) > 0
    for observed in model.card.observed:
        torch.testing.assert_close(p[f"log_p_{observed}"], parts[f"log_p_{observed}"])
