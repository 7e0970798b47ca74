"""Generation mode: what is fed back, by hand and on pages of every structure; the properties find faults in it."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from dvaec.compiler import run_text
from dvaec.runtime.source import load_class
from dvaec.testing import feedback
from dvaec.testing.built import Built, build, forget, sample_values
from dvaec.testing.closeness import ViolationError
from dvaec.testing.properties import check_all

HEAD = """dvaec: 1
model: M
variables:
"""


def page(text: str) -> Built:
    return build(run_text(HEAD + text, "page.yaml").spec)


AUTOREGRESSIVE = """
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


def test_the_bound_of_a_linear_model_by_hand() -> None:
    """x^_t = a z_t + b x'_{t-1} + c with x' the outputs where fed and the data elsewhere."""
    built = page(AUTOREGRESSIVE)
    values = sample_values(built, 1, 4)
    x, fed = values["x"][0, :, 0], torch.tensor([[True, False, True, True]])
    result = built.call("elbo_fed", values, fed=fed)
    encoded = built.call("encode", values)
    z, module = encoded.z[0, :, 0], built.module
    (a, b), c = module.p_x_1.weight[0], module.p_x_1.bias[0]
    d, e = module.p_z_1.weight[0, 0], module.p_z_1.bias[0]
    read, bound = torch.zeros([], dtype=torch.float64), torch.zeros([], dtype=torch.float64)
    for t in range(4):
        output = a * z[t] + b * read + c
        assert result.x[0, t, 0].item() == pytest.approx(output.item(), rel=1e-12)
        p = torch.distributions.Normal(output, 0.5)
        prior = torch.distributions.Normal(d * read + e, 0.5**0.5)
        q = torch.distributions.Normal(
            encoded.q_z_mean[0, t, 0], torch.exp(0.5 * encoded.q_z_logvar[0, t, 0])
        )
        bound = bound + p.log_prob(x[t]) - torch.distributions.kl_divergence(q, prior)
        read = output if fed[0, t] else x[t]
    assert result.elbo.item() == pytest.approx(bound.item(), rel=1e-12)
    one, other = (torch.autograd.grad(total, module.p_x_1.weight)[0] for total in (result.elbo, bound))
    torch.testing.assert_close(one, other)
    forget(built)


def test_nothing_of_the_data_before_reaches_an_output_but_through_z() -> None:
    """With given latents and all fed, p's parameters do not move with x; each is scored at its own x_t."""
    built = page(AUTOREGRESSIVE.replace("x_<1:T>", "z_<t-1>"))  # a q that does not read the data
    values = sample_values(built, 2, 5)
    moved = values | {"x": values["x"] + 1.0}
    one, other = (built.call("elbo_fed", given) for given in (values, moved))
    assert torch.equal(one.x, other.x)
    assert torch.equal(one.kl_z, other.kl_z)
    assert not torch.equal(one.log_p_x, other.log_p_x)
    forget(built)


TWO = """
  x: {role: observed, dim: 2}
  y: {role: observed, dim: 2, distribution: bernoulli}
  w: {role: observed, dim: 1}
  u: {role: input, dim: 1}
  z: {role: latent, dim: 2}
generation:
  - z_t | z_<t-1>, x_<t-2>, u_t
  - x_t | z_t, y_<<t>
  - y_t | x_t, z_t, u_t
  - w_t | y_t
inference: exact
"""
ATTENTION = """
  x: {role: observed, dim: 2}
  z: {role: latent, dim: 2}
generation:
  - z_t | z_<t-1>, x_<<t>
  - x_t | z_t, x_<t-5:t-1>
inference: filtering
networks:
  p(z_t): {reads: "z_<t-1>, a_t"}
  p(x_t): {reads: "z_t, c_t"}
features:
  a_t: {block: attention, of: x_<<t>, query: z_<t-1>, units: 4}
  c_t: {block: convolution, reads: x_<t-5:t-1>, channels: [3 tanh, 3 tanh], kernel: 3}
"""
ANTICAUSAL = """
  x: {role: observed, dim: 2}
  z: {role: latent, dim: 2}
causality: anticausal
generation:
  - z_t | x_<t+1>
  - x_t | z_t, x_<>t>
inference: exact
"""
ONCE = """
  x: {role: observed, dim: 2}
  y: {role: observed, dim: 3, distribution: categorical}
  v: {role: latent, dim: 2}
  z: {role: latent, dim: 2}
generation:
  - v
  - z_t | z_<t-1>, v
  - x_t | z_t, x_<t-1>, v
  - y | x_<1:T>
inference: exact
"""
LABEL = """
  x: {role: observed, dim: 2, distribution: categorical}
  c: {role: observed, dim: 2}
  z: {role: latent, dim: 2}
generation:
  - c
  - z_0
  - z_t | z_<t-1>, x_<t-1>, c
  - x_t | z_t, x_<t-3>, c
inference: {lookahead: 1}
"""
NO_LATENT = """
  x: {role: observed, dim: 2, distribution: poisson}
generation:
  - x_t | x_<<t>
"""


FIRST = """
  x: {role: observed, dim: 2}
  z: {role: latent, dim: 2}
generation:
  - z_t | z_<t-1>, x_1
  - z_1
  - x_t | z_t, x_1
  - x_1 | z_1
inference: exact
"""

IMAGES = """
  x: {role: observed, dim: [1, 4, 4], distribution: bernoulli}
  y: {role: observed, dim: [1, 2, 2]}
  u: {role: input, dim: [1, 2, 2]}
  z: {role: latent, dim: 2}
generation:
  - z_t | z_<t-1>, x_<t-1>, u_t
  - x_t | z_t
  - y_t | z_t
inference: filtering
"""

PAGES = {
    "two observed variables, one of them within the frame": (TWO, "x y"),
    "attention and a convolution": (ATTENTION, "x"),
    "backward in time": (ANTICAUSAL, "x"),
    "an observation of the whole sequence": (ONCE, "x"),
    "observed once, and a frame 0": (LABEL, "x"),
    "the first frame, held": (FIRST, "x"),
    "images, one of them an input": (IMAGES, "x"),
    "no latents": (NO_LATENT, "x"),
}


@pytest.mark.parametrize("name", PAGES)
def test_every_structure_has_every_property(name: str) -> None:
    text, fed = PAGES[name]
    compilation = run_text(HEAD + text, "page.yaml")
    assert compilation.plan is not None
    entry = compilation.plan.entry("elbo_fed")
    assert [n for n, origin in entry.binding if origin.name == "FED"] == fed.split()
    check_all(compilation.spec)


def test_a_model_that_reads_no_observed_frame_says_that_the_modes_are_one() -> None:
    built = page(
        AUTOREGRESSIVE.replace("x_t | z_t, x_<t-1>", "x_t | z_t")
        .replace("z_t | x_<t-1>", "z_t | z_<t-1>")
        .replace('"z_t, x_<t-1>"', "z_t")
        .replace("reads: x_<t-1>", "reads: z_<t-1>")
    )
    assert not built.has("elbo_fed")
    with pytest.raises(NotImplementedError, match="elbo is the same in both modes"):
        built.module.elbo_fed()
    forget(built)


def test_a_mask_of_another_shape_is_refused() -> None:
    built = page(AUTOREGRESSIVE)
    values = sample_values(built, 2, 3)
    with pytest.raises(ValueError, match=r"fed must have shape \[2, 3\], not \[2, 4\]"):
        built.call("elbo_fed", values, fed=torch.ones(2, 4, dtype=torch.bool))
    one, other = (built.call("elbo_fed", values, fed=fed) for fed in (None, torch.ones(2, 3)))
    assert torch.equal(one.elbo, other.elbo)
    forget(built)


FAULTS = {
    "q reads what is fed": ("self.encode(x=x,", "self.encode(x=own(x, ~unless_fed(fed, mask)),"),
    "the data are fed": ("x_t = torch.where(known_x_at[t], x_known_at[t], x_t)", "x_t = x_known_at[t]"),
    "the wrong frames are fed": ("known_x = unless_fed(fed, mask)", "known_x = ~unless_fed(fed, mask)"),
    "no gradient passes": ("x_known_at[t], x_t)", "x_known_at[t], x_t.detach())"),
    "outputs are scored": ("gaussian_log_density(x_known,", "gaussian_log_density(x,"),
    "draws are fed": ("if sample:", "if True:"),
}


def check(built: Built) -> None:
    feedback.nothing_fed_is_elbo(built, 3)
    feedback.fed_is_frame_by_frame(built, 3)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_found(fault: str) -> None:
    built = page(AUTOREGRESSIVE)
    right, wrong = FAULTS[fault]
    begin = built.text.index("def elbo_fed")
    end = built.text.index("@torch.jit.export", begin)
    method = built.text[begin:end]
    assert right in method
    text = built.text[:begin] + method.replace(right, wrong) + built.text[end:]
    module = load_class(text, "M")().double()
    module.load_state_dict(built.module.state_dict())
    check(built)
    with pytest.raises(ViolationError):
        check(replace(built, module=module.eval()))
    forget(built)
