"""Design section 5 for emitted modules: the whole list over the shipped pages, and a second oracle over generated specs.

`tests.oracles.naive` evaluates a page frame by frame from its developed form alone; it knows no plan and no schedule,
and shares nothing with the oracle of `dvaec.testing`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from hypothesis import given

from dvaec.emit.weights import weights_of
from dvaec.spec.model import Role, Side, Spec
from dvaec.testing import properties
from dvaec.testing.built import Built, build, forget, sample_values
from tests.family_laws import latent_draw
from tests.oracles.naive import Naive
from tests.scores import BATCH, FRAMES, check_score, close
from tests.shipped import SHIPPED, shipped
from tests.strategies import specs


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def check_encode_is_naive(built: Built) -> None:
    """5: the latents are drawn along the chain rule, each from q's parameters at what was drawn before."""
    latents = built.names(Role.LATENT)
    if not latents:
        assert not hasattr(built.module, "encode")
        return
    values = sample_values(built, 1, FRAMES)
    result = built.call("encode", values)
    drawn = {k: v[0] for k, v in values.items()}
    for name in latents:
        drawn[name] = torch.full_like(drawn[name], torch.nan)
    for t in range(1, FRAMES + 1):
        for conditional in built.derivation.inference:
            target = conditional.target
            made = Naive(built.module, built.spec, FRAMES, drawn).head(Side.Q, target, t)
            noise = values[f"noise_{target}"][0, t - 1]
            drawn[target][t - 1] = latent_draw(built.spec.variable(target), made, noise)
    for name in latents:
        close(getattr(result, name)[0], drawn[name])


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_models_have_every_property(name: str) -> None:
    properties.check_all(shipped(name))


def check_weights_are_counted(built: Built) -> None:
    """What bounds a page's sizes before a module is made counts what the module has, node by node."""
    counted = {name: n for name, n in weights_of(built.plan.network).items() if n}
    for name, parameter in built.module.named_parameters():
        node = max((node for node in counted if name.startswith(f"{node}_")), key=len)
        counted[node] -= parameter.numel()
    assert not any(counted.values())


@pytest.mark.parametrize("name", SHIPPED)
def test_the_weights_of_shipped_models_are_counted(name: str) -> None:
    check_weights_are_counted(build(shipped(name)))


@given(specs())
def test_weights_are_counted(spec: Spec) -> None:
    check_weights_are_counted(build(spec))


@given(specs())
def test_generated_specs_score_what_their_networks_give_one_by_one(spec: Spec) -> None:
    built = build(spec)
    check_score(built, Naive, BATCH)
    check_encode_is_naive(built)
    forget(built)


def test_auxiliary_predictions_score_states_and_what_is_observed() -> None:
    """(8.4): log p(b_t | z_t) at the state that q has made, and log p(x_t | b_t), where x is not missing."""
    built = build(shipped("vrnn_goyal"))
    values = sample_values(built, 1, FRAMES)
    mask = torch.ones(1, FRAMES, dtype=torch.bool)
    mask[0, 2] = False
    values["x"][0, 2] = 0.0  # what a module makes of a missing frame
    result = built.call("elbo", values, mask_x=mask)
    z = built.call("encode", values, mask_x=mask).z[0]
    slow = Naive(built.module, built.spec, FRAMES, {k: v[0] for k, v in values.items()} | {"z": z})
    made: Any = built.module
    for t in range(1, FRAMES + 1):
        x, b = values["x"][0, t - 1], slow.read("b", t)
        logits = made.aux_x(made.aux_x_1(b))
        foretold = torch.distributions.Bernoulli(logits=logits).log_prob(x).sum()
        close(result.aux_x[0, t - 1], foretold if t != 3 else torch.zeros_like(foretold))
        mean, log_variance = made.aux_b(made.aux_b_1(z[t - 1]))
        close(
            result.aux_b[0, t - 1],
            torch.distributions.Normal(mean, (0.5 * log_variance).exp()).log_prob(b).sum(),
        )
