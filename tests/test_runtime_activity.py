"""KL by dimension, active units and collapse, against torch's own divergences and models whose answer is known."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor, distributions

from dvaec.runtime.activity import activity
from dvaec.runtime.batches import collate
from dvaec.runtime.divergences import deviation, divergence, log_ratio
from dvaec.runtime.evaluate import evaluate
from dvaec.runtime.posterior import call
from tests.exact_evidence import compiled, split_of

PLAIN = """
variables:
  x: {role: observed, dim: 2}
  z: {role: latent, dim: 3}
generation:
  - z_t
  - x_t | z_t
inference:
  - z_t | x_t
networks:
  q(z_t): {reads: x_t}
"""
LEVELS = """
variables:
  x: {role: observed, dim: 2}
  v: {role: latent, dim: 2, distribution: laplace}
  s: {role: latent, dim: 3, distribution: categorical}
  z: {role: latent, dim: 2, distribution: full_gaussian}
generation:
  - v
  - z_0 | v
  - s_t | s_<t-1>
  - z_t | z_<t-1>, s_t
  - x_t | z_t, v
inference: exact
"""


def values(family: str, seed: int) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    names = {"gaussian": ("mean", "logvar"), "laplace": ("mean", "logscale"), "categorical": ("logits",)}
    return {n: torch.randn(4, 3, generator=generator, dtype=torch.float64) for n in names[family]}


def law(family: str, of: dict[str, Tensor]) -> distributions.Distribution:
    if family == "gaussian":
        return distributions.Normal(of["mean"], torch.exp(0.5 * of["logvar"]))
    if family == "laplace":
        return distributions.Laplace(of["mean"], torch.exp(of["logscale"]))
    return distributions.OneHotCategorical(logits=of["logits"])


@pytest.mark.parametrize("family", ["gaussian", "laplace", "categorical"])
def test_divergences_are_torchs(family: str) -> None:
    q, p = values(family, 0), values(family, 1)
    one, other = law(family, q), law(family, p)
    found, ratio = divergence(family, q, p), log_ratio(family, one.sample(), q, p)
    assert found is not None
    wanted = distributions.kl_divergence(one, other)
    torch.testing.assert_close(found.squeeze(-1) if family == "categorical" else found, wanted)
    z = one.sample()
    ratio = log_ratio(family, z, q, p)
    assert ratio is not None
    gap = one.log_prob(z) - other.log_prob(z)
    torch.testing.assert_close(ratio.squeeze(-1) if family == "categorical" else ratio, gap)
    if family != "categorical":
        torch.testing.assert_close(deviation(family, q), one.stddev)


def test_a_full_covariance_has_no_dimensions_of_its_own() -> None:
    assert divergence("full_gaussian", {}, {}) is None
    assert log_ratio("full_gaussian", torch.zeros(1), {}, {}) is None
    assert deviation("full_gaussian", {}) is None


def test_dimensions_add_up_to_the_bounds_own_divergence() -> None:
    """q(z_t | x_t) and a fixed prior: nothing depends on the draws, so both are the same number."""
    model = compiled("Plain", PLAIN)
    split = split_of(model.card, [3, 1, 5])
    [found] = activity(model.module, model.card, split, samples=2, batch=2)
    bound = evaluate(model.module, model.card, split)
    assert (found.name, found.family, found.framed, found.places) == ("z", "gaussian", True, 9)
    assert sum(found.kl) == pytest.approx(bound.frame["kl_z"].mean, rel=1e-10)
    batch = collate(split, [0, 1, 2], torch.device("cpu"), torch.float64)
    mean = call(model.module, "encode", model.card, batch).q_z_mean
    rows = torch.cat([mean[k, :length] for k, length in enumerate([3, 1, 5])])
    np.testing.assert_allclose(found.activity, rows.var(0, unbiased=False).detach(), rtol=1e-9)


def test_a_dead_dimension_is_told_from_a_living_one() -> None:
    model = compiled("Plain", PLAIN)
    with torch.no_grad():
        for label, value in model.module.named_parameters():
            if label.startswith("q_"):
                value.zero_()
        model.module.q_z_1.weight[0, 0] = 2.0  # the mean of z_1 follows x_1; z_2 and z_3 are the prior
        model.module.q_z_1.bias[4] = 1.0  # z_2 has another variance than its prior, always the same
    [found] = activity(model.module, model.card, split_of(model.card, [40, 20]))
    assert (found.active, found.collapsed) == (1, 1)
    assert found.kl[1] == pytest.approx(0.5 * (math.e - 2.0), abs=0.01)
    assert found.collapsed_in == (0.0, 0.0, 1.0)
    assert found.activity[1:] == (0.0, 0.0)
    assert found.spread[2] == 1.0


@pytest.mark.parametrize("samples", [1, 3])
def test_every_family_and_level_has_its_numbers(samples: int) -> None:
    model = compiled("Levels", LEVELS)
    split = split_of(model.card, [3, 1, 2])
    found = {one.name: one for one in activity(model.module, model.card, split, samples=samples, batch=2)}
    assert list(found) == list(model.card.latent_values)
    shapes = {name: (one.family, one.framed, one.places, len(one.kl)) for name, one in found.items()}
    assert shapes == {
        "v": ("laplace", False, 3, 2),
        "z_0": ("full_gaussian", False, 3, 0),
        "s": ("categorical", True, 6, 1),
        "z": ("full_gaussian", True, 6, 0),
    }
    assert len(found["z"].activity) == 2
    assert not found["s"].activity
    assert 1.0 <= (found["s"].classes or 0.0) <= 3.0
    bound = evaluate(model.module, model.card, split, samples=samples)
    assert sum(found["v"].kl) * 3 / 6 == pytest.approx(bound.frame["kl_v"].mean, rel=1e-9)
    assert found["s"].kl[0] == pytest.approx(bound.frame["kl_s"].mean, rel=1e-9)


def test_what_the_bound_samples_is_sampled_here_too() -> None:
    page = """
variables:
  x: {role: observed, dim: 1}
  z: {role: latent, dim: 1}
  a: {role: latent, dim: 2}
generation:
  - z_t | z_<t-1>
  - a_t | z_t
  - x_t | a_t
order: [a, z]
inference: exact
"""
    model = compiled("Sampled", page)
    split = split_of(model.card, [4, 2])
    found = {one.name: one for one in activity(model.module, model.card, split, samples=3)}
    bound = evaluate(model.module, model.card, split, samples=3)
    for name in ("a", "z"):
        assert sum(found[name].kl) == pytest.approx(bound.frame[f"kl_{name}"].mean, rel=1e-9)
