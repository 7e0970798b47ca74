"""The built-in generator agrees with the equations that it documents."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dvaec.runtime.data import load_splits
from dvaec.runtime.faults import DataFault
from dvaec.runtime.pendulum import BUILT_IN, TRUTH, built_in, true_log_density, write_npz
from tests.runtime_stand_in import CARD


def test_the_hidden_angle_obeys_the_equation_of_motion() -> None:
    found = built_in("pendulum", sequences=300, frames=60, seed=3)
    kicks = []
    start = 0
    for length in found["train_lengths"]:
        theta = found["train_theta"][start : start + length, 0].astype(np.float64)
        u = found["train_u"][start : start + length, 0]
        start += length
        omega = np.diff(theta) / TRUTH.step  # omega_2 ... omega_T
        force = -TRUTH.stiffness * np.sin(theta[1:-1]) - TRUTH.damping * omega[:-1] + u[2:]
        kicks.append(omega[1:] - omega[:-1] - TRUTH.step * force)
    kick = np.concatenate(kicks) / np.sqrt(TRUTH.step)
    assert start == len(found["train_theta"])
    assert abs(kick.mean()) < 4 * TRUTH.push / np.sqrt(len(kick))
    assert kick.std() == pytest.approx(TRUTH.push, rel=0.03)


def test_the_torque_has_its_variance_and_smoothness() -> None:
    u = built_in("pendulum", sequences=2000, frames=20, seed=1)["train_u"][:, 0]
    lengths = built_in("pendulum", sequences=2000, frames=20, seed=1)["train_lengths"]
    inner = np.ones(len(u), dtype=bool)
    inner[np.cumsum(lengths) - 1] = False
    before, after = u[:-1][inner[:-1]], u[1:][inner[:-1]]
    assert u.std() == pytest.approx(TRUTH.torque, rel=0.06)
    assert np.corrcoef(before, after)[0, 1] == pytest.approx(TRUTH.smoothness, abs=0.01)


@pytest.mark.parametrize("name", BUILT_IN)
def test_the_true_density_is_minus_the_noise_entropy(name: str) -> None:
    found = built_in(name, sequences=200, frames=40)
    x, theta = found["train_x"].astype(np.float64), found["train_theta"]
    density = true_log_density(name, x, theta)
    if name != "pendulum-ring":
        expected = -x.shape[1] * (np.log(TRUTH.noise) + 0.5 * np.log(2 * np.pi * np.e))
    else:
        places = 2 * np.pi * np.arange(TRUTH.switches) / TRUTH.switches
        p = 1 / (1 + np.exp(-TRUTH.gain * (np.cos(theta - places) - TRUTH.level)))
        expected = float((p * np.log(p) + (1 - p) * np.log1p(-p)).sum(axis=1).mean())
    assert density.mean() == pytest.approx(expected, abs=5 * density.std() / np.sqrt(len(density)))


def test_seeds_and_splits_differ_and_repeat() -> None:
    first, again, other = built_in("pendulum"), built_in("pendulum"), built_in("pendulum", seed=1)
    assert all(np.array_equal(first[name], again[name]) for name in first)
    assert not np.array_equal(first["train_x"][:50], other["train_x"][:50])
    assert not np.array_equal(first["train_x"][:50], first["test_x"][:50])
    assert 25 <= first["train_lengths"].min() < first["train_lengths"].max() <= 50


def test_the_written_file_loads_as_the_bare_name_does(tmp_path: Path) -> None:
    write_npz("pendulum", tmp_path / "p.npz")
    parts = ["train", "valid", "test"]
    from_file, bare = load_splits(str(tmp_path / "p.npz"), CARD, parts), load_splits("pendulum", CARD, parts)
    for part in parts:
        assert np.array_equal(from_file[part].framed["x"], bare[part].framed["x"])
        assert np.array_equal(from_file[part].framed["u"], bare[part].framed["u"])


def test_a_model_of_other_size_or_family_is_refused_with_the_override() -> None:
    with pytest.raises(DataFault) as caught:
        load_splits("pendulum", replace(CARD, observed={"x": 88}), ["train"])
    assert caught.value.hint == "--set x.dim=2"
    with pytest.raises(DataFault) as caught:
        load_splits("pendulum", replace(CARD, observed={"x": 88}, families={"x": "bernoulli"}), ["train"])
    assert caught.value.hint == "--set x.dim=2 --set x.distribution=gaussian"
    with pytest.raises(DataFault) as caught:
        load_splits("pendulum", replace(CARD, families={"x": "bernoulli"}), ["train"])
    assert caught.value.hint == "--set x.distribution=gaussian for real values, gamma for power"
    with pytest.raises(DataFault, match="no such built-in"):
        built_in("spring")
