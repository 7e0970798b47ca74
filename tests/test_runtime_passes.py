"""Encoding, reconstructing, drawing and forecasting a split: every sequence as it would be alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from dvaec.runtime.arrays import chosen, has_parents, parents_of, write_arrays
from dvaec.runtime.bones import bones_of
from dvaec.runtime.evaluate import evaluate
from dvaec.runtime.faults import DataFault, LabFault
from dvaec.runtime.generation import course, cut, forecast, sampled
from dvaec.runtime.mode import Mode
from dvaec.runtime.passes import band, encoded, in_units, original, reconstructed, renamed, spread
from dvaec.runtime.split import Scale
from tests.exact_evidence import Model, compiled, split_of
from tests.runtime_stand_in import CARD

PAGE = """
variables:
  x: {role: observed, dim: 2}
  v: {role: latent, dim: 2}
  z: {role: latent, dim: 3}
  u: {role: input, dim: 1}
generation:
  - v
  - z_t | z_<t-1>, u_t
  - x_t | z_t, v, x_<t-1>
inference: exact
"""
FILTER = """
variables:
  x: {role: observed, dim: 1}
  z: {role: latent, dim: 1}
generation:
  - z_t | z_<t-1>
  - x_t | z_t
inference: filtering
networks:
  p(z_t): {mean: {reads: z_<t-1>}, variance: 0.000001}
  p(x_t): {mean: {reads: z_t}, variance: 0.000001}
"""


@pytest.fixture(scope="module")
def model() -> Model:
    return compiled("Both", PAGE)


def quiet(model: Model) -> Model:
    """Make q's draws nearly its means, so that no noise stands between two ways."""
    with torch.no_grad():
        for label, value in model.module.named_parameters():
            if label.startswith("q_") and label.endswith("bias"):
                value[value.shape[0] // 2 :] = -1000.0
    return model


def test_sequences_stand_in_the_order_asked_for_with_their_own_frames(model: Model) -> None:
    split = split_of(model.card, [3, 1, 4, 2])
    found = encoded(model.module, model.card, split, [2, 0], batch=1)
    assert found.members == (2, 0)
    assert found.lengths.tolist() == [4, 3]
    assert found.framed["z"].shape == found.framed["kl_z"].shape == (7, 3)
    assert found.static["v"].shape == found.static["kl_v"].shape == (2, 2)
    assert found.rows("z", 1).shape == (3, 3)
    one = encoded(model.module, model.card, split, [2], seed=0)
    # q(v) needs no draw of anything: it is the same however sequences are put together.
    together = encoded(model.module, model.card, split, [0, 1, 2, 3], batch=4)
    np.testing.assert_allclose(together.static["q_v_mean"][2], one.static["q_v_mean"][0], rtol=1e-10)
    np.testing.assert_allclose(found.static["q_v_mean"][0], one.static["q_v_mean"][0], rtol=1e-10)


def test_divergences_are_those_of_the_bound(model: Model) -> None:
    split = split_of(model.card, [3, 2])
    found = encoded(model.module, model.card, split, [0, 1])
    bound = evaluate(model.module, model.card, split)
    assert found.static["kl_v"].sum() / 5 == pytest.approx(bound.frame["kl_v"].mean, rel=1e-9)


def test_reconstruction_is_the_modules_own_and_generation_mode_feeds_back() -> None:
    model = quiet(compiled("Both", PAGE))
    split = split_of(model.card, [5, 2], missing={"x": [1]})
    forced = reconstructed(model.module, model.card, split, [0])
    x, u = (torch.from_numpy(split.framed[name][:5])[None] for name in "xu")
    here = torch.tensor([[True, False, True, True, True]])
    with torch.no_grad():
        alone = model.module.reconstruct(x=x, u=u, mask_x=here)
    np.testing.assert_allclose(forced.framed["x"], alone.x[0], atol=1e-5)
    fed = reconstructed(model.module, model.card, split, [0], mode=Mode.GENERATION)
    assert set(fed.framed) == {"x", "p_x_mean", "p_x_logvar"}
    np.testing.assert_allclose(fed.framed["x"][0], forced.framed["x"][0], atol=1e-5)
    assert np.abs(fed.framed["x"][2] - forced.framed["x"][2]).max() > 1e-3


def test_data_come_back_in_their_own_units_with_what_is_missing(model: Model) -> None:
    split = split_of(model.card, [2, 3], missing={"x": [3]})
    scaled = replace(split, scales={"x": Scale(np.array([1.0, 2.0]), np.array([3.0, 4.0]))})
    truth = original(scaled, [1])
    assert np.isnan(truth.framed["x"][1]).all()
    np.testing.assert_allclose(truth.framed["x"][[0, 2]], split.framed["x"][[2, 4]])
    made = reconstructed(model.module, model.card, scaled, [1])
    units = in_units(scaled.scales, model.card, made)
    np.testing.assert_allclose(units.framed["x"], made.framed["x"] * [3.0, 4.0] + [1.0, 2.0])
    np.testing.assert_allclose(units.framed["p_x_mean"], made.framed["p_x_mean"])
    about = spread(scaled.scales, made, "x", 0)
    assert about is not None
    np.testing.assert_allclose(about, np.exp(0.5 * made.framed["p_x_logvar"]) * [3.0, 4.0])
    drawn = replace(units, framed={**units.framed, "x": units.framed["x"] + 7.0})
    found = band(scaled.scales, drawn, "x", 0)  # about p's mean, wherever the draw lies
    assert found is not None
    np.testing.assert_allclose(found[0], made.framed["p_x_mean"] * [3.0, 4.0] + [1.0, 2.0])
    np.testing.assert_allclose(found[1], about)
    assert set(renamed(truth, "data_").framed) == {"data_x", "data_u"}


def test_drawing_takes_the_inputs_and_lengths_of_data(model: Model) -> None:
    with pytest.raises(LabFault, match="Both reads u, which must be given"):
        sampled(model.module, model.card, count=2, frames=3)
    from dvaec.runtime.batches import collate

    split = split_of(model.card, [3, 1])
    inputs = collate(split, [1, 0], torch.device("cpu"), torch.float64)
    found = sampled(model.module, model.card, count=9, frames=9, inputs=inputs)
    assert found.lengths.tolist() == [1, 3]
    assert found.framed["x"].shape == (4, 2)
    assert found.static["v"].shape == (2, 2)
    again = sampled(model.module, model.card, count=9, frames=9, inputs=inputs)
    np.testing.assert_array_equal(found.framed["x"], again.framed["x"])
    other = sampled(model.module, model.card, count=9, frames=9, inputs=inputs, seed=1)
    assert np.abs(other.framed["x"] - found.framed["x"]).max() > 1e-3


def test_a_forecast_keeps_its_context_and_follows_the_model() -> None:
    """z_t = a z_t-1 + b and x_t = c z_t + d without noise to speak of: the course is known."""
    model = quiet(compiled("Filter", FILTER))
    split = split_of(model.card, [6, 4, 6])
    found = forecast(model.module, model.card, split, [2, 1], context=3)
    assert found.lengths.tolist() == [6, 4]
    np.testing.assert_allclose(found.rows("x", 0)[:3], split.framed["x"][10:13])
    np.testing.assert_allclose(found.rows("x", 1)[:3], split.framed["x"][6:9])
    z, x = found.rows("z", 0)[:, 0], found.rows("x", 0)[:, 0]
    a, b = (p.item() for p in (model.module.p_z_mean_1.weight, model.module.p_z_mean_1.bias))
    c, d = (p.item() for p in (model.module.p_x_mean_1.weight, model.module.p_x_mean_1.bias))
    np.testing.assert_allclose(z[3:], a * z[2:-1] + b, atol=0.01)
    np.testing.assert_allclose(x[3:], c * z[3:] + d, atol=0.01)
    further = forecast(model.module, model.card, split, [1], context=3, steps=5)
    assert further.lengths.tolist() == [8]


def test_a_forecast_that_cannot_be_says_why(model: Model) -> None:
    split = split_of(model.card, [3, 5])
    with pytest.raises(LabFault, match="sequence 1 has 3 frames: nothing is left to forecast"):
        forecast(model.module, model.card, split, [1, 0], context=3)
    with pytest.raises(LabFault, match=r"sequence 2 has 5 frames of u, and 3 \+ 4 are asked for"):
        forecast(model.module, model.card, split, [1], context=3, steps=4)
    from tests.shipped import SPECS

    body = (SPECS / "rvae_noncausal.yaml").read_text().split("model: RVAENoncausal")[1]
    noncausal = compiled("RVAENoncausal", body)
    with pytest.raises(LabFault, match="RVAENoncausal has no forecast: generation is noncausal"):
        forecast(noncausal.module, noncausal.card, split, [0], context=1)


def test_models_without_latents_do_not_encode() -> None:
    plain = compiled("Plain", "variables:\n  x: {role: observed, dim: 2}\ngeneration:\n  - x_t | x_<t-1>\n")
    with pytest.raises(LabFault, match="Plain has no encode: it has no latent variable"):
        encoded(plain.module, plain.card, split_of(plain.card, [2]), [0])


def test_a_course_is_the_reconstruction_and_then_the_forecast() -> None:
    model = quiet(compiled("Filter", FILTER))
    split = split_of(model.card, [5, 3])
    found = forecast(model.module, model.card, split, [0], context=2)
    known = reconstructed(model.module, model.card, cut(split, 2), [0])
    assert known.lengths.tolist() == [2]
    whole = course(known, found)
    np.testing.assert_allclose(whole.framed["x"][:2], known.framed["x"])
    np.testing.assert_allclose(whole.framed["x"][2:], found.framed["x"][2:])


def test_arrays_are_written_by_name(tmp_path: Path, model: Model) -> None:
    split = split_of(model.card, [2, 3])
    found = encoded(model.module, model.card, split, [1])
    write_arrays(tmp_path / "deep" / "a.npz", found, renamed(original(split, [1]), "data_"), context=2)
    with np.load(tmp_path / "deep" / "a.npz") as read:
        assert read["sequence"].tolist() == [2]
        assert read["lengths"].tolist() == [3]
        assert int(read["context"]) == 2
        np.testing.assert_array_equal(read["z"], found.framed["z"])
        np.testing.assert_array_equal(read["data_x"], split.framed["x"][2:])
        assert "data_lengths" not in read
    write_arrays(tmp_path / "b.npz", found, renamed(original(split, [0]), "data_"))
    with np.load(tmp_path / "b.npz") as read:
        assert (read["lengths"].tolist(), read["data_lengths"].tolist()) == ([3], [2])
    with pytest.raises(LabFault, match="written as"):
        write_arrays(tmp_path / "a.csv", found)


def test_sequences_are_counted_from_1() -> None:
    assert chosen(None, 3, "test") == [0, 1, 2]
    assert chosen("3,1-2,2", 3, "test") == [2, 0, 1]
    for wrong, why in (
        ("0", "has sequences 1 to 3"),
        ("2-4", "1 to 3"),
        ("a", "'a' is no number"),
        ("1-", "'1-'"),
    ):
        with pytest.raises(LabFault, match=why):
            chosen(wrong, 3, "test")


def test_bones_are_read_and_checked(tmp_path: Path) -> None:
    def kept(**arrays: Any) -> Path:
        np.savez(tmp_path / "b.npz", **arrays)
        return tmp_path / "b.npz"

    file = kept(parents=np.array([-1, 0, 1]))
    assert has_parents(file)
    assert parents_of(file, 3) == (-1, 0, 1)
    for wrong in (np.array([-1, 0]), np.array([-1, 0, 3]), np.array([-1.0, 0.0, 1.0])):
        with pytest.raises(DataFault, match="must hold"):
            parents_of(kept(parents=wrong), 3)
    with pytest.raises(DataFault, match="holds no array 'parents'"):
        parents_of(kept(x=np.zeros(1)), 3)
    assert not has_parents(tmp_path / "b.npz")
    assert not has_parents(tmp_path / "none.npz")


def test_bones_of_data_stand_still_where_their_joints_never_move(tmp_path: Path) -> None:
    """A root and a hip that never move are left out of x, and belong to the skeleton all the same."""
    pos = np.random.default_rng(0).normal(size=(6, 4, 3))
    pos[:, 0], pos[:, 1] = 0.0, (1.0, 2.0, 3.0)
    file = tmp_path / "poses.npz"
    lengths, split = np.full(3, 2), np.array([0, 1, 2])
    np.savez(file, pos=pos, lengths=lengths, split=split, parents=np.array([-1, 0, 1, 2]))
    card = replace(CARD, observed={"x": 6}, inputs={})
    found = bones_of(None, f"{file}:x=pos*10,drop=constant", "x", card)
    assert found.parents == (-1, 0, 1, 2)
    np.testing.assert_array_equal(found.rest, [0, 0, 0, 10, 20, 30, *[np.nan] * 6])
    whole = bones_of(None, f"{file}:x=pos", "x", replace(card, observed={"x": 12}))
    assert (whole.parents, whole.rest) == ((-1, 0, 1, 2), None)
    assert bones_of(None, "pendulum:sequences=4", "x", card) == bones_of(None, None, "x", card)
    assert bones_of(file, None, "x", replace(card, observed={"x": 12})).parents == (-1, 0, 1, 2)
    with pytest.raises(DataFault, match=r"none\.npz: no such file"):
        bones_of(tmp_path / "none.npz", None, "x", card)
