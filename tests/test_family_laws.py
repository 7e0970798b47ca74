"""Every family as it is emitted, against torch.distributions: densities, means, draws, divergences, gradients."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.distributions import Independent, StudentT

from dvaec.emit.families import family_text
from dvaec.runtime.script import script
from dvaec.spec.families import FORMS, parameters_of
from dvaec.spec.model import Family, Variable
from dvaec.testing.built import sample_values
from dvaec.testing.family_data import legal, noise_for
from tests.family_laws import CASES, Case, function, helpers, lower
from tests.family_models import BATCH, FRAMES, centre, flat, observing, same
from tests.shipped import ROOT

MANY = 20000


@pytest.mark.parametrize("name", CASES)
def test_densities_are_those_of_torch(name: str) -> None:
    built = observing(name)
    values = sample_values(built, BATCH, FRAMES)
    score = built.call("score", values)
    law = CASES[name].of(score, "p_x")
    same(score.log_p_x, law.log_prob(values["x"]))
    assert score.log_p_x.shape == (BATCH, FRAMES)
    bound = built.call("elbo", values)
    z = built.call("encode", values).z
    same(bound.log_p_x, built.call("score", values | {"z": z}).log_p_x)


@pytest.mark.parametrize("name", CASES)
def test_means_are_those_of_torch(name: str) -> None:
    built = observing(name)
    values = sample_values(built, BATCH, FRAMES)
    again = built.call("reconstruct", values)
    same(again.x, centre(CASES[name].of(again, "p_x")))
    plain = built.call("generate", values, batch=BATCH, frames=FRAMES, sample=False)
    same(plain.x, centre(CASES[name].of(plain, "p_x")))


@pytest.mark.parametrize("name", CASES)
def test_parameters_have_their_widths_and_fixed_ones_their_number(name: str) -> None:
    case, built = CASES[name], observing(name)
    score = built.call("score", sample_values(built, BATCH, FRAMES))
    trained = dict(built.module.named_parameters())
    for parameter in parameters_of(case.variable()):
        value = getattr(score, f"p_x_{parameter.name}")
        assert value.shape == (BATCH, FRAMES, parameter.width)
        if parameter.fixed is not None:
            same(value, torch.full_like(value, math.log(parameter.fixed)))
            assert not any(parameter.name in key for key in trained)


@pytest.mark.parametrize("name", CASES)
def test_scripted_as_eager_with_every_gradient(name: str) -> None:
    built = observing(name)
    values = sample_values(built, BATCH, FRAMES)
    scripted = script(built.module)
    for method, more in (("elbo", {}), ("score", {}), ("generate", {"batch": BATCH, "frames": FRAMES})):
        eager = built.call(method, values, **more)
        for a, b in zip(flat(eager), flat(built.call(method, values, scripted, **more)), strict=True):
            same(a, b)
    built.module.zero_grad()
    built.call("elbo", values).elbo.sum().backward()
    for parameter in built.module.parameters():
        assert parameter.grad is not None
        assert bool(parameter.grad.isfinite().all())
        assert bool(parameter.grad.abs().sum() > 0)


@pytest.mark.parametrize("name", CASES)
def test_frames_and_sequences_alike(name: str) -> None:
    """Every function of (batch, time, dim) gives on (batch, dim) what it gives on that frame."""
    variable = CASES[name].variable()
    x, made, noise = random_case(CASES[name], (5, 2), seed=2)
    text = family_text(variable)
    whole, one = function(text.density)(x, *made), function(text.density)(x[:, 1], *(p[:, 1] for p in made))
    same(whole[:, 1], one)
    same(draw(variable, made, noise)[:, 1], draw(variable, tuple(p[:, 1] for p in made), noise[:, 1]))


def random_case(case: Case, lead: tuple[int, ...], seed: int) -> tuple[Tensor, tuple[Tensor, ...], Tensor]:
    """Values, parameters and noise by chance."""
    generator = torch.Generator().manual_seed(seed)
    variable = case.variable()
    made = []
    for parameter in parameters_of(variable):
        value = 0.7 * torch.randn(*lead, parameter.width, generator=generator, dtype=torch.float64)
        made.append(value if parameter.fixed is None else torch.full_like(value, math.log(parameter.fixed)))
    return legal(variable, lead, generator), tuple(made), noise_for(variable, lead, generator)


def draw(variable: Variable, made: tuple[Tensor, ...], noise: Tensor, training: bool = False) -> Tensor:
    """A draw by the family's template."""
    names = {p.name: value for p, value in zip(parameters_of(variable), made, strict=True)}
    text = family_text(variable).draw.replace("self.training", repr(training))
    filled = text.format(noise="noise", **{name: name for name in names})
    drawn: Tensor = eval(filled, dict(vars(helpers())), {**names, "noise": noise})
    return drawn


@pytest.mark.parametrize("name", CASES)
def test_many_draws_are_distributed_as_torch_draws(name: str) -> None:
    """The means of bounded functions, within five standard errors of both samples together."""
    case = CASES[name]
    variable = case.variable()
    _, parameters, _ = random_case(case, (), seed=5)
    made = tuple(p.expand(MANY, -1) for p in parameters)
    noise = noise_for(variable, (MANY,), torch.Generator().manual_seed(6))
    torch.manual_seed(7)
    ours, theirs = draw(variable, made, noise), case.law(*parameters).sample((MANY,)).reshape(MANY, -1)
    assert ours.shape == (MANY, variable.dim)

    def features(x: Tensor) -> Tensor:
        pair = x + x.roll(1, -1)
        return torch.cat([torch.cos(x), torch.sin(x), torch.cos(3.0 * x), torch.cos(pair), torch.tanh(x)], -1)

    a, b = features(ours), features(theirs)
    error = torch.sqrt((a.var(0) + b.var(0)) / MANY)
    assert bool(((a.mean(0) - b.mean(0)).abs() <= 5.0 * error + 1e-12).all())


@pytest.mark.parametrize("name", ["gamma of shape 1", "gamma of shape 2.5", "gamma", "laplace"])
def test_draws_are_quantiles(name: str) -> None:
    case = CASES[name]
    _, made, noise = random_case(case, (200,), seed=8)
    law = case.law(*made)
    assert isinstance(law, Independent)
    same(law.base_dist.cdf(draw(case.variable(), made, noise)), noise, rtol=1e-7)


@given(st.floats(-8.0, 8.0), st.floats(0.0, 1.0, exclude_max=True))
@settings(deadline=None)
def test_the_gamma_quantile_for_any_shape(logshape: float, u: float) -> None:
    shape, level = (torch.tensor([a], dtype=torch.float64) for a in (math.exp(logshape), u))
    log = function("log_gamma_quantile")(shape, level)
    assert bool(log.isfinite().all())
    if u >= 1e-12 and log.item() > -600.0:
        torch.testing.assert_close(torch.special.gammainc(shape, torch.exp(log)), level, rtol=1e-6, atol=1e-9)
    elif u >= 1e-12:  # y is too small for a number; P(y) = y^a / Gamma(a + 1) there
        torch.testing.assert_close(
            torch.exp(shape * log - torch.lgamma(shape + 1.0)), level, rtol=1e-9, atol=1e-12
        )


@given(st.floats(-12.0, 12.0), st.floats(1e-9, 1.0, exclude_max=True))
@settings(deadline=None)
def test_poisson_draws_are_the_smallest_number_whose_probability_suffices(lograte: float, u: float) -> None:
    rate = math.exp(lograte)
    k = function("poisson_draw")(*(torch.tensor([a], dtype=torch.float64) for a in (lograte, u)))
    assert k.item() == math.floor(k.item()) >= 0
    if u > 1.0 - 1e-9:
        return  # beyond what the upper bound of the search must find
    law = torch.special.gammaincc
    upto = law(k + 1.0, torch.tensor([rate], dtype=torch.float64))
    assert upto.item() >= u
    if k.item() > 0:
        assert law(k, torch.tensor([rate], dtype=torch.float64)).item() < u


@pytest.mark.parametrize("name", CASES)
@given(data=st.data())
@settings(deadline=None)
def test_densities_at_any_parameters(name: str, data: st.DataObject) -> None:
    """Also at extreme ones: the value is torch's, and it and its gradients are finite."""
    case = CASES[name]
    variable = case.variable()
    made = []
    for parameter in parameters_of(variable):
        numbers = st.floats(-6.0, 6.0) if parameter.name not in ("mean", "logits") else st.floats(-30.0, 30.0)
        drawn = data.draw(st.lists(numbers, min_size=parameter.width, max_size=parameter.width))
        value = torch.tensor(drawn, dtype=torch.float64)
        value = value if parameter.fixed is None else torch.full_like(value, math.log(parameter.fixed))
        made.append(value.requires_grad_())
    seed = data.draw(st.integers(0, 100))
    x = legal(variable, (), torch.Generator().manual_seed(seed))
    value = function(family_text(variable).density)(x, *made)
    torch.testing.assert_close(value, case.law(*made).log_prob(x).reshape(()), rtol=1e-7, atol=1e-7)
    value.backward()
    assert all(p.grad is not None and bool(p.grad.isfinite().all()) for p in made)


EDGES = {
    "poisson": [0.0, 1e6],
    "gamma of shape 1": [0.0, 1e6],
    "gamma of shape 2.5": [0.0, 1e6],
    "gamma": [0.0, 1e6],
    "beta": [0.0, 1.0],
    "laplace": [0.0, -1e6, 1e6],
    "student": [0.0, -1e6, 1e6],
    "mixture": [0.0, -1e6, 1e6],
    "full gaussian": [0.0, 1e6],
    "complex gaussian": [0.0, 1e6],
    "categorical": [0.0],
}


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("name", EDGES)
def test_densities_at_the_edges_are_finite_with_their_gradients(name: str, dtype: torch.dtype) -> None:
    """0 stands on the padding and for what is missing, so that every family must bear it."""
    case = CASES[name]
    variable = case.variable()
    for number in EDGES[name]:
        for scale in (0.0, 5.0, -5.0):
            made = tuple(
                torch.full((p.width,), math.log(p.fixed) if p.fixed else scale, dtype=dtype).requires_grad_()
                for p in parameters_of(variable)
            )
            x = torch.full((variable.dim,), number, dtype=dtype)
            value = function(family_text(variable).density)(x, *made)
            value.backward()
            assert bool(value.isfinite())
            assert all(p.grad is not None and bool(p.grad.isfinite().all()) for p in made)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_heavy_tails_and_nearly_normal_ones_keep_their_digits(dtype: torch.dtype) -> None:
    """A residual whose square leaves the range of float32, and degrees whose gammas cancel there."""
    density = function(family_text(CASES["student"].variable()).density)
    near = 1e-9 if dtype is torch.float64 else 3e-5
    x = torch.tensor([0.0, 1e-3, 1.0, 1e4, 3e8, 1e20], dtype=torch.float64).unsqueeze(-1)
    for logdegrees in (-5.0, 0.0, 5.0, math.log(1e4), math.log(1e6)):
        for logscale in (-30.0, 0.0, 30.0):
            said = (torch.tensor([one], dtype=torch.float64) for one in (0.0, logscale, logdegrees))
            location, scale, degrees = said
            value, target = x.clone().requires_grad_(), x.to(dtype).requires_grad_()
            expected = StudentT(degrees.exp(), location, scale.exp()).log_prob(value).sum(-1)
            given = (one.to(dtype) for one in (location, scale, degrees))
            found = density(target, *given)
            torch.testing.assert_close(found, expected.to(dtype), rtol=near, atol=near)
            (slope,) = torch.autograd.grad(found.sum(), target)
            (right,) = torch.autograd.grad(expected.sum(), value)
            torch.testing.assert_close(slope, right.to(dtype), rtol=1e-5, atol=0.0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("name", CASES)
def test_draws_at_the_edges_of_the_noise_are_finite(name: str, dtype: torch.dtype) -> None:
    variable = CASES[name].variable()
    _, made, noise = random_case(CASES[name], (), seed=4)
    uniform = family_text(variable).noise == "uniform_noise"
    edges = (0.0, 1.0 - (2.0**-24 if dtype is torch.float32 else 2.0**-53)) if uniform else (-9.0, 0.0, 9.0)
    for edge in edges:
        drawn = draw(variable, tuple(p.to(dtype) for p in made), torch.full_like(noise, edge, dtype=dtype))
        assert drawn.dtype is dtype
        assert bool(drawn.isfinite().all())


def test_the_packed_factor_is_lower_triangular_with_a_positive_diagonal() -> None:
    for dim in (1, 2, 4):
        packed = torch.randn(2, 3, dim * (dim + 1) // 2, dtype=torch.float64)
        made = function("cholesky_factor")(packed, dim)
        same(made, lower(packed, dim))
        assert bool((made.diagonal(dim1=-2, dim2=-1) > 0).all())
    bounded = function("bounded_factor")(torch.full((3,), 1e9, dtype=torch.float64), 2)
    assert bounded.tolist() == [15.0, 15.0, 1e9]


def test_a_factor_of_many_small_numbers_has_an_inverse_of_ordinary_size() -> None:
    """With rows of numbers of one size the inverse would grow exponentially with the dimension."""
    dim = 512
    torch.manual_seed(0)
    packed = torch.cat([torch.zeros(dim), 0.6 * torch.rand(dim * (dim - 1) // 2) - 0.3])
    x = torch.randn(dim)
    value = function("full_gaussian_log_density")(x, torch.zeros(dim), packed)
    plain = -0.5 * float(x.square().sum()) - 0.5 * dim * math.log(2.0 * math.pi)
    assert abs(float(value) - plain) < 0.1 * dim
    assert float(function("full_gaussian_standard_kl")(torch.zeros(dim), packed)) < 0.1 * dim


@pytest.mark.parametrize("far", [-1e3, 1e3])
def test_a_full_covariance_of_any_diagonal_is_finite_in_single_precision(far: float) -> None:
    """With log-variances of +-60 the squares of ratios of deviations are beyond what single precision holds."""
    mean, other = torch.zeros(2, dtype=torch.float32), torch.ones(2, dtype=torch.float32)
    bounded = function("bounded_factor")
    one, two = (bounded(torch.tensor([way, way, 0.0]), 2) for way in (far, -far))
    assert bool(function("full_gaussian_kl")(mean, one, other, two).isfinite())
    assert bool(function("full_gaussian_standard_kl")(mean, one).isfinite())
    assert bool(function("full_gaussian_log_density")(other, mean, one).isfinite())


def test_the_complex_gaussian_is_that_of_the_review() -> None:
    """(10.2): N_c(x; 0, s) = exp(-|x|^2 / s) / (pi s) for one complex number x."""
    s, x = 0.7, complex(0.3, -1.1)
    value = function("complex_gaussian_log_density")(
        torch.tensor([x.real, x.imag], dtype=torch.float64), torch.tensor([math.log(s)], dtype=torch.float64)
    )
    assert math.isclose(value.item(), math.log(math.exp(-(abs(x) ** 2) / s) / (math.pi * s)), rel_tol=1e-12)


def test_the_beta_density_stays_off_its_ends() -> None:
    """1e-7 off 0 and 1, where the density may be infinite."""
    half = torch.tensor([math.log(0.5)], dtype=torch.float64)
    at_end, near = (
        function("beta_log_density")(torch.tensor([x], dtype=torch.float64), half, half) for x in (0.0, 1e-7)
    )
    same(at_end, near)


def test_the_documentation_has_every_family_with_its_parameters_and_numbers() -> None:
    text = (ROOT / "docs" / "families.md").read_text(encoding="utf-8")
    rows = {line.split("`")[1]: line for line in text.splitlines() if line.startswith("| `")}
    assert list(rows) == ["distribution", *(family.value for family in Family)]
    for case in CASES.values():
        row = rows[case.family.value]
        assert all(f"`{name}`" in row for name in case.parameters)
        assert ("| yes |" in row) == FORMS[case.family].latent
        assert all(f"`{option}`" in row for option in FORMS[case.family].options)
