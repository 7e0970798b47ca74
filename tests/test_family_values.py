"""Values of every family: classes as whole numbers, whole sequences, padding and missing frames."""

from __future__ import annotations

import inspect
import math
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
import torch

from dvaec.runtime.script import script
from dvaec.spec.model import Family, Inference, InferenceKind, Role, Sweep, Variable
from dvaec.spec.names import RESERVED, RESERVED_FOR_MODELS
from dvaec.spec.offsets import NOW, of
from dvaec.testing.built import Built, build, sample_values
from tests.family_laws import CASES, LATENT, divergence, helpers
from tests.family_models import BATCH, FRAMES, centre, flat, observing, same
from tests.models import line, page


def labelled(kind: InferenceKind = InferenceKind.EXACT) -> Built:
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
        inference=Inference(kind),
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


def test_classes_one_frame_after_another() -> None:
    built = labelled(InferenceKind.FILTERING)
    values = sample_values(built, BATCH, FRAMES)
    wholes = values | {name: values[name].argmax(-1) for name in ("y", "c")}
    for module in (built.module, script(built.module)):
        results = []
        for given in (values, wholes):
            state = module.begin(BATCH, given["c"])
            for t in range(FRAMES):
                state, step = module.step(state, given["x"][:, t], given["y"][:, t], values["noise_z"][:, t])
                results.append(step)
        for one, other in zip(results[:FRAMES], results[FRAMES:], strict=True):
            for a, b in zip(flat(one), flat(other), strict=True):
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
