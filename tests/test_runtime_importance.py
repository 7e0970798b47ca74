"""The importance-sampled log-likelihood against the exact one, for every kind of latent."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch

from dvaec.runtime.batches import collate
from dvaec.runtime.evaluate import evaluate
from dvaec.runtime.importance import all_log_weights, importance, log_means
from dvaec.runtime.posterior import log_weights, noise
from tests.exact_evidence import compiled, evidence, fitted, split_of

LDS = """
variables:
  x: {role: observed, dim: 2}
  z: {role: latent, dim: 2}
  u: {role: input, dim: 1}
generation:
  - z_t | z_<t-1>, u_t
  - x_t | z_t
inference: exact
networks:
  p(z_t): {reads: "z_<t-1>, u_t", variance: shared}
  p(x_t): {reads: z_t, variance: shared}
"""
LEVELS = """
variables:
  x: {role: observed, dim: 2}
  y: {role: observed, dim: 1}
  v: {role: latent, dim: 1}
  z: {role: latent, dim: 1}
generation:
  - v
  - z_0 | v
  - z_t | z_<t-1>, v
  - x_t | z_t, v, x_<t-1>
  - y_t | z_t
inference: exact
networks:
  p(z_0): {reads: v, variance: shared}
  p(z_t): {reads: "z_<t-1>, v", variance: shared}
  p(x_t): {reads: "z_t, v, x_<t-1>", variance: shared}
  p(y_t): {reads: z_t, variance: shared}
"""
CLASSES = """
variables:
  x: {role: observed, dim: 1}
  s: {role: latent, dim: 2, distribution: categorical}
  z: {role: latent, dim: 1}
generation:
  - s_t | s_<t-1>
  - z_t | z_<t-1>, s_t
  - x_t | z_t
inference: exact
networks:
  p(s_t): {reads: s_<t-1>}
  p(z_t): {reads: "z_<t-1>, s_t", variance: {by: s_t}}
  p(x_t): {reads: z_t, variance: shared}
"""
SAMPLED = """
variables:
  x: {role: observed, dim: 1}
  z: {role: latent, dim: 1}
  a: {role: latent, dim: 1}
generation:
  - z_t | z_<t-1>
  - a_t | z_t
  - x_t | a_t
order: [a, z]
inference: exact
networks:
  p(z_t): {reads: z_<t-1>, variance: shared}
  p(a_t): {reads: z_t, variance: shared}
  p(x_t): {reads: a_t, variance: shared}
"""
PAGES = {"Lds": LDS, "Levels": LEVELS, "Classes": CLASSES, "Sampled": SAMPLED}
MISSING = {"Lds": {"x": [1, 3]}, "Levels": {"x": [0, 1, 2], "y": [4]}, "Classes": {"x": [2]}, "Sampled": {}}


@pytest.mark.parametrize("name", PAGES)
def test_it_is_the_exact_log_likelihood_up_to_its_own_error(name: str) -> None:
    """Ragged lengths, missing frames, inputs, z_0, a sequence level, classes, an order that is sampled."""
    model = compiled(name, PAGES[name])
    assert model.card.sampled == (("kl_a",) if name == "Sampled" else ())
    split = split_of(model.card, [3, 1, 2], missing=MISSING[name])
    fitted(model, split)
    exact = evidence(model, split)
    weights = all_log_weights(model.module, model.card, split, samples=3000, seed=1)
    values, errors, effective = log_means(weights)
    assert effective.min() > 100
    assert (errors < 0.1).all()
    assert (np.abs(values - exact) < 4 * errors).all(), (values - exact, errors)
    found = importance(model.module, model.card, split, samples=3000, seed=1)
    assert found.frame.mean == pytest.approx(values.sum() / 6)
    assert found.sequence.mean == pytest.approx((values / [3, 1, 2]).mean())
    assert found.frame.error == pytest.approx(math.sqrt((errors**2).sum()) / 6)
    assert abs(found.sequence.mean - (exact / [3, 1, 2]).mean()) < 4 * found.sequence.error
    bound = evaluate(model.module, model.card, split, samples=40, seed=2)
    for one, other in ((bound.frame, exact.sum() / 6), (bound.sequence, (exact / [3, 1, 2]).mean())):
        assert one["elbo"].mean < other + 4 * one["elbo"].error


def test_the_exact_answer_is_that_of_a_kalman_filter() -> None:
    """The helper of these tests against the prediction error decomposition."""
    model = compiled("Lds", LDS)
    split = split_of(model.card, [4])
    x, u = (torch.from_numpy(split.framed[name])[None] for name in "xu")

    def means(z: torch.Tensor, u: torch.Tensor) -> tuple[Any, Any, Any]:
        found = model.module.score(x=x[:, :2], u=u, z=z)
        return found.p_z_mean[0, 1].detach().numpy(), found.p_x_mean[0, 0].detach().numpy(), found

    zero, none = torch.zeros(1, 2, 2, dtype=torch.float64), torch.zeros(1, 2, 1, dtype=torch.float64)
    c, d, first = means(zero, none)
    A, C = np.zeros((2, 2)), np.zeros((2, 2))
    for k in range(2):
        unit = zero.clone()
        unit[0, 0, k] = 1.0
        A[:, k], C[:, k] = (m - n for m, n in zip(means(unit, none)[:2], (c, d), strict=True))
    B = means(zero, none + 1.0)[0] - c
    Q, R = (np.diag(np.exp(v[0, 1].detach().numpy())) for v in (first.p_z_logvar, first.p_x_logvar))
    mean, cov, total = np.zeros(2), np.zeros((2, 2)), 0.0
    for t in range(4):
        mean, cov = A @ mean + B * float(u[0, t]) + c, A @ cov @ A.T + Q
        S, gap = C @ cov @ C.T + R, x[0, t].numpy() - C @ mean - d
        total += -0.5 * (gap @ np.linalg.solve(S, gap) + np.linalg.slogdet(2 * np.pi * S)[1])
        gain = np.linalg.solve(S, C @ cov).T
        mean, cov = mean + gain @ gap, cov - gain @ C @ cov
    assert evidence(model, split)[0] == pytest.approx(total, rel=1e-9)


def test_one_draw_with_the_exact_posterior_is_enough() -> None:
    """Where q is the posterior every weight is p(x): the error is zero, and all draws count."""
    model = compiled("Conjugate", ONE_FRAME)
    with torch.no_grad():
        for parameter in model.module.parameters():
            parameter.zero_()
        model.module.p_x_mean_1.weight.fill_(1.0)
        model.module.q_z_1.weight[0, 0] = 0.5
        # the module bounds logarithms smoothly at 30
        model.module.q_z_1.bias[1] = 30.0 * math.atanh(math.log(0.5) / 30.0)
    split = split_of(model.card, [2, 1])
    found = importance(model.module, model.card, split, samples=5)
    x = split.framed["x"][:, 0]
    exact = -0.5 * x**2 / 2.0 - 0.5 * math.log(2 * math.pi * 2.0)
    assert found.frame.mean == pytest.approx(exact.mean(), rel=1e-12)
    assert found.frame.error == pytest.approx(0.0, abs=1e-12)
    assert found.least == pytest.approx(5.0)


ONE_FRAME = """
variables:
  x: {role: observed, dim: 1}
  z: {role: latent, dim: 1}
generation:
  - z_t
  - x_t | z_t
inference:
  - z_t | x_t
networks:
  p(x_t): {mean: {reads: z_t}, variance: 1.0}
  q(z_t): {reads: x_t}
"""


def test_weights_of_a_ragged_batch_are_those_of_its_sequences() -> None:
    model = compiled("Levels", LEVELS)
    split = split_of(model.card, [3, 1, 2], missing=MISSING["Levels"])
    whole = all_log_weights(model.module, model.card, split, samples=5, batch=3, seed=4)
    alone = all_log_weights(model.module, model.card, split, samples=5, batch=1, seed=4)
    np.testing.assert_allclose(whole, alone, rtol=1e-10)
    assert np.unique(whole).size == 15
    other = all_log_weights(model.module, model.card, split, samples=5, seed=5)
    assert not np.isclose(other, whole).any()
    cpu, dtype = torch.device("cpu"), torch.float64
    batch = collate(split, [2, 0], cpu, dtype)
    own = log_weights(model.module, model.card, batch, noise(model.module, model.card, batch, 4, 3))
    np.testing.assert_allclose(own.detach(), whole[[2, 0], 3], rtol=1e-10)


def test_models_without_latents_have_nothing_to_sample() -> None:
    page = "variables:\n  x: {role: observed, dim: 2}\ngeneration:\n  - x_t | x_<t-1>\n"
    model = compiled("Plain", page)
    split = split_of(model.card, [3, 2])
    found = importance(model.module, model.card, split, samples=3)
    bound = evaluate(model.module, model.card, split)
    assert found.frame.mean == pytest.approx(bound.frame["elbo"].mean, rel=1e-12)
    assert found.frame.error == pytest.approx(0.0, abs=1e-12)


def test_more_draws_than_fit_at_once_and_a_single_one(monkeypatch: pytest.MonkeyPatch) -> None:
    model = compiled("Lds", LDS)
    split = split_of(model.card, [2, 3])
    monkeypatch.setattr("dvaec.runtime.importance._ROOM", 40)
    done: list[int] = []
    before = torch.get_rng_state()
    found = importance(model.module, model.card, split, samples=7, batch=1, report=done.append)
    assert done[-1] == 2 * 7
    assert done == sorted(done)
    assert len(done) > 2
    assert torch.equal(before, torch.get_rng_state())
    assert 1.0 <= found.least <= found.effective <= 7.0
    assert math.isnan(importance(model.module, model.card, split, samples=1).frame.error)


def test_the_error_is_the_jackknifes_and_that_of_a_mean_where_all_draws_count() -> None:
    random = np.random.default_rng(0)
    few = random.normal(size=(3, 5)) * np.array([[0.1], [1.0], [30.0]])
    values, errors, effective = log_means(few)
    for row in range(3):
        apart = [log_means(np.delete(few[row], k)[None])[0][0] for k in range(5)]
        assert errors[row] == pytest.approx(
            math.sqrt(4 / 5 * np.sum((apart - np.mean(apart)) ** 2)), rel=1e-9
        )
    assert effective[2] == pytest.approx(1.0, abs=0.01)
    top, second = np.sort(few[2])[[-1, -2]]
    assert errors[2] == pytest.approx((top - second) * 4 / 5, rel=0.05)
    many = 0.1 * random.normal(size=(1, 4000))
    delta = np.exp(many).std(ddof=1) / np.exp(many).mean() / math.sqrt(4000)
    assert log_means(many)[1][0] == pytest.approx(delta, rel=1e-3)
    assert values[0] == pytest.approx(math.log(np.exp(few[0]).mean()))


def test_large_weights_do_not_overflow() -> None:
    values, errors, effective = log_means(np.array([[-5000.0, -5000.0 + math.log(3.0)]]))
    assert values[0] == pytest.approx(-5000.0 + math.log(2.0))
    assert errors[0] == pytest.approx(math.log(3.0) / 2.0)
    assert effective[0] == pytest.approx(16.0 / 10.0)
