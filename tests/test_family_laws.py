"""Every family as it is emitted, against torch.distributions: densities, means, draws, divergences, gradients."""

from __future__ import annotations

import inspect
import math
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.distributions import Distribution, Independent, StudentT

from dvaec.derive.elbo import CLOSED_FORMS
from dvaec.emit.families import FAMILIES, family_text, noise_width
from dvaec.runtime.script import script
from dvaec.spec.families import FORMS, parameters_of
from dvaec.spec.model import Dense, Family, Head, Layer, Parent, Role, Side, Sweep, Variable
from dvaec.spec.names import RESERVED, RESERVED_FOR_MODELS
from dvaec.spec.offsets import NOW, of
from tests.emitted import Built, build, sample_values
from tests.family_data import legal, noise_for
from tests.family_laws import CASES, LATENT, Case, circular, divergence, full, function, helpers, lower
from tests.models import line, page

BATCH, FRAMES = 3, 4
LAYERS = (Layer(5, "tanh"),)
MANY = 20000


@cache
def observing(case: str) -> Built:
    """Build z_t | z_<t-1> and x_t | z_t with x of that family."""
    own = Head(Side.P, "x", Dense((Parent("z", of(0)),), LAYERS))
    spec = page(
        line("z", z=of(-1)),
        line("x", z=NOW),
        variables=(CASES[case].variable(), Variable("z", Role.LATENT, 2)),
    )
    return build(replace(spec, heads=(own,)), small=False)


@cache
def latent(case: str, parentless: bool = False, learned: bool = False) -> Built:
    """Build z_t | z_<t-1>, or a z_t without parents, and x_t | z_t with z of that family."""
    z = CASES[case].variable("z", Role.LATENT)
    prior = line("z") if parentless else line("z", z=of(-1))
    spec = page(prior, line("x", z=NOW), variables=(Variable("x", Role.OBSERVED, 2), z))
    heads = (Head(Side.P, "z", None, learned=True),) if learned else ()
    return build(replace(spec, heads=heads), small=False)


def same(a: Tensor, b: Tensor, rtol: float = 1e-9) -> None:
    torch.testing.assert_close(a, b, rtol=rtol, atol=1e-11)


def flat(fields: Any) -> list[Tensor]:
    return [getattr(fields, name) for name in fields._fields]


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


def centre(law: Distribution) -> Tensor:
    """The mean; of Student's t, which may have none, the location."""
    if isinstance(law, Independent) and isinstance(law.base_dist, StudentT):
        return law.base_dist.loc
    return law.mean


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
    assert bounded.tolist() == [30.0, 30.0, 1e9]


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


# Latent variables


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


# Classes as whole numbers


def labelled() -> Built:
    """Build x_t | z_t, c and y_t | z_t with a static class c, classes y of every frame and z of a class."""
    spec = page(
        line("z", z=of(-1)),
        line("x", z=NOW, c=None),
        line("y", z=NOW),
        variables=(
            Variable("x", Role.OBSERVED, 2),
            Variable("y", Role.OBSERVED, 4, Family.CATEGORICAL),
            Variable("z", Role.LATENT, 3, Family.CATEGORICAL),
            Variable("c", Role.INPUT, 5, Family.CATEGORICAL, framed=False),
        ),
    )
    return build(spec, small=False)


def test_classes_may_be_whole_numbers_one_hot_or_not() -> None:
    built = labelled()
    values = sample_values(built, BATCH, FRAMES)
    indices = values | {name: values[name].argmax(-1) for name in ("y", "z", "c")}
    vectors = values | {name: values[name].long() for name in ("y", "z", "c")}
    assert indices["y"].shape == (BATCH, FRAMES)
    assert indices["c"].shape == (BATCH,)
    scripted = script(built.module)
    more: dict[str, Any]
    for method, more in (("elbo", {}), ("score", {}), ("generate", {"batch": BATCH, "frames": FRAMES})):
        expected = flat(built.call(method, values, **more))
        for other in (indices, vectors):
            for module in (built.module, scripted):
                for a, b in zip(expected, flat(built.call(method, other, module, **more)), strict=True):
                    same(a, b)


@pytest.mark.parametrize("wrong", [-1, 4, 100])
def test_a_class_that_does_not_exist_is_loud_on_a_sequence_and_silent_on_its_padding(wrong: int) -> None:
    built = labelled()
    values = sample_values(built, BATCH, FRAMES)
    lengths = torch.tensor([FRAMES, 2, FRAMES])
    good = values | {"y": values["y"].argmax(-1)}
    bad = good | {"y": good["y"].clone()}
    bad["y"][1, 2:] = wrong
    same(built.call("elbo", bad, lengths=lengths).elbo, built.call("elbo", good, lengths=lengths).elbo)
    bad["y"][1, 0] = wrong
    assert built.call("elbo", bad, lengths=lengths).elbo.isnan().tolist() == [False, True, False]


def test_names_of_functions_are_kept_from_models_and_variables() -> None:
    functions = {name for name, value in vars(helpers()).items() if inspect.isfunction(value)}
    assert functions <= RESERVED_FOR_MODELS
    assert {name for name in functions if "_" not in name} <= RESERVED  # a variable may bear no underscore


# Sequence-level variables


@cache
def static(case: str) -> Built:
    """Build w, z_t | z_<t-1>, x_t | z_t, y | w with one y and one w a sequence, of that family where w can be."""
    y = replace(CASES[case].variable("y"), framed=False)
    family = case if case in LATENT else "gaussian"
    w = replace(CASES[family].variable("w", Role.LATENT), framed=False)
    spec = page(
        line("w"),
        line("z", z=of(-1), w=None),
        line("x", z=NOW),
        line("y", w=None),
        variables=(Variable("x", Role.OBSERVED, 2), y, w, Variable("z", Role.LATENT, 2)),
        order=("w", "z"),
    )
    return build(replace(spec, order=(Sweep(("w",)), Sweep(("z",)))), small=False)


@pytest.mark.parametrize("name", CASES)
def test_values_of_a_whole_sequence(name: str) -> None:
    built, case = static(name), CASES[name]
    values = sample_values(built, BATCH, FRAMES)
    score = built.call("score", values)
    same(score.log_p_y, case.of(score, "p_y").log_prob(values["y"]))
    assert score.log_p_y.shape == (BATCH,)
    again = built.call("reconstruct", values)
    same(again.y, centre(case.of(again, "p_y")))
    drawn = built.call("generate", values, batch=BATCH, frames=FRAMES)
    assert drawn.y.shape == values["y"].shape
    assert bool(drawn.y.isfinite().all())
    hidden = CASES[name if name in LATENT else "gaussian"]
    at_draw = built.call("score", values | {"w": built.call("encode", values).w})
    bound = built.call("elbo", values)
    same(bound.kl_w, divergence(hidden.of(at_draw, "q_w"), hidden.of(at_draw, "p_w")))
    assert bound.kl_w.shape == (BATCH,)
    for a, b in zip(flat(bound), flat(built.call("elbo", values, script(built.module))), strict=True):
        same(a, b)


@pytest.mark.parametrize("name", CASES)
def test_padding_and_missing_frames_leave_no_trace(name: str) -> None:
    """Whatever stands there: NaN, and numbers that the family does not have."""
    built = observing(name)
    values = sample_values(built, BATCH, FRAMES)
    lengths, seen = torch.tensor([FRAMES, 2, 3]), torch.ones(BATCH, FRAMES, dtype=torch.bool)
    seen[0, 1] = False
    there = seen & (torch.arange(FRAMES) < lengths[:, None])
    results, gradients = [], []
    for filling in (values["x"], torch.full_like(values["x"], math.nan), torch.full_like(values["x"], -7.5)):
        x = torch.where(there[..., None], values["x"], filling)
        built.module.zero_grad()
        result = built.call("elbo", values | {"x": x}, lengths=lengths, mask_x=seen)
        result.elbo.sum().backward()
        results.append(result)
        gradients.append([p.grad.clone() for p in built.module.parameters() if p.grad is not None])
    assert not bool(results[0].log_p_x[~there].any())
    for other, gradient in zip(results[1:], gradients[1:], strict=True):
        for a, b in zip(flat(other), flat(results[0]), strict=True):
            same(a, b)
        for a, b in zip(gradient, gradients[0], strict=True):
            same(a, b)
