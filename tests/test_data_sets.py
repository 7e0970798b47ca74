"""The built-in sets obey their equations, and their exact likelihoods are right."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import multivariate_normal, norm
from typer.testing import CliRunner

from dvaec.cli.app import app
from dvaec.compiler import compile_spec
from dvaec.runtime.card import Card
from dvaec.runtime.data import load_splits
from dvaec.runtime.faults import DataFault
from dvaec.runtime.sets import growth, motions, sines
from dvaec.runtime.sets.catalogue import BUILT_IN, CATALOGUE, generate
from dvaec.runtime.sets.chorales import chorales, numbered, part_of, piano_roll
from dvaec.runtime.sets.linear import LinearGaussian
from dvaec.runtime.sources.options import read_address
from tests.runtime_stand_in import CARD
from tests.shipped import SPECS

Array = NDArray[Any]
SIMULATED = tuple(name for name in BUILT_IN if name != "chorales")


def made(text: str) -> dict[str, Array]:
    return generate(read_address(text))


def sequences(found: dict[str, Array], key: str) -> Iterator[Array]:
    return iter(np.split(found[f"train_{key}"].astype(np.float64), np.cumsum(found["train_lengths"])[:-1]))


@pytest.mark.parametrize("name", SIMULATED)
def test_a_set_fits_what_the_catalogue_says_of_it(name: str, tmp_path: Path) -> None:
    said = next(one.variables for one in CATALOGUE if one.name == name)
    family, dim = said.split(",")[0].split()[1:]
    card = replace(CARD, observed={"x": int(dim)}, families={"x": family})
    card = card if "u input 1" in said else replace(card, inputs={})
    source = f"{name}:sequences=8,frames=12,seed=3"
    splits = load_splits(source, card, ["train", "valid", "test"])
    assert [s.sequences for s in splits.values()] == [8, 2, 2]
    assert all(6 <= n <= 12 for s in splits.values() for n in s.lengths)
    assert np.array_equal(splits["test"].framed["x"], load_splits(source, card, ["test"])["test"].framed["x"])
    other = load_splits(f"{name}:sequences=8,frames=12", card, ["test"], seed=4)["test"]
    assert not np.array_equal(splits["test"].framed["x"][:6], other.framed["x"][:6])
    out = str(tmp_path / "set.npz")
    done = CliRunner().invoke(
        app, ["data", name, "--sequences", "8", "--frames", "12", "--seed", "3", "-o", out]
    )
    assert done.exit_code == 0, done.output
    written = load_splits(out, card, ["test"])["test"]
    assert np.array_equal(written.framed["x"], splits["test"].framed["x"])


def test_the_kalman_likelihood_is_that_of_the_dense_gaussian() -> None:
    model = LinearGaussian(P=np.array([[2.0, 0.3], [0.3, 0.5]]), m=np.array([1.0, -2.0]))
    x = model.simulate(np.random.default_rng(0), 1, 7)["x"][0].astype(np.float64)
    T, dim = x.shape
    mean, cover = np.zeros(2 * T), np.zeros((2 * T, 2 * T))
    own_mean, own = model.m, model.P
    for t in range(T):
        at = slice(2 * t, 2 * t + 2)
        mean[at], cover[at, at] = own_mean, own
        step = own
        for s in range(t + 1, T):
            step = model.A @ step
            later = slice(2 * s, 2 * s + 2)
            cover[later, at], cover[at, later] = step, step.T
        own_mean, own = model.A @ own_mean, model.A @ own @ model.A.T + model.Q
    C, R = np.kron(np.eye(T), model.C), np.kron(np.eye(T), model.R)
    expected = multivariate_normal(C @ mean, C @ cover @ C.T + R).logpdf(x.reshape(T * dim))
    assert model.log_likelihood(x) == pytest.approx(expected, rel=1e-10)


def test_the_linear_gaussian_set_has_the_moments_of_its_equations() -> None:
    model, found = LinearGaussian(), made("linear-gaussian:sequences=2000,frames=20")
    states, seen = [], []
    for z, x in zip(sequences(found, "z"), sequences(found, "x"), strict=True):
        states.append(z[1:] - z[:-1] @ model.A.T)
        seen.append(x - z @ model.C.T)
    assert np.cov(np.concatenate(states).T) == pytest.approx(model.Q, abs=0.005)
    assert np.cov(np.concatenate(seen).T) == pytest.approx(model.R, abs=0.005)


def test_growth_obeys_its_equations() -> None:
    found = made("growth:sequences=500,frames=40")
    kicks, errors = [], []
    for z, x, u in zip(*(sequences(found, name) for name in "zxu"), strict=True):
        kicks.append(z[1:] - z[:-1] / 2 - 25 * z[:-1] / (1 + z[:-1] ** 2) - 8 * u[1:])
        errors.append(x - z**2 / 20)
        assert u[:, 0] == pytest.approx(np.cos(1.2 * np.arange(len(u))), abs=1e-6)
    assert np.concatenate(kicks).var() == pytest.approx(10.0, rel=0.03)
    assert np.concatenate(errors).var() == pytest.approx(1.0, rel=0.03)


def test_the_quadrature_of_growth_agrees_with_a_particle_filter_and_itself() -> None:
    found = made("growth:sequences=1,frames=30,seed=5")
    x, u = found["train_x"], found["train_u"]
    exact = growth.log_likelihood(x, u)
    assert exact == pytest.approx(growth.log_likelihood(x, u, points=2401), abs=1e-6)
    random = np.random.default_rng(0)
    runs = []
    for _ in range(10):
        z = np.sqrt(10.0) * random.normal(size=20_000)
        total = 0.0
        for t in range(len(x)):
            if t:
                z = z / 2 + 25 * z / (1 + z**2) + 8 * u[t, 0] + np.sqrt(10.0) * random.normal(size=len(z))
            weights = norm.pdf(float(x[t, 0]), z**2 / 20, 1.0)
            total += float(np.log(weights.mean()))
            z = z[random.choice(len(z), size=len(z), p=weights / weights.sum())]
        runs.append(total)
    assert np.mean(runs) == pytest.approx(exact, abs=5 * np.std(runs) / np.sqrt(len(runs)) + 0.01)


def test_lorenz_follows_its_flow() -> None:
    found = made("lorenz:sequences=20,frames=40")
    errors = []
    for s, x in zip(sequences(found, "state"), sequences(found, "x"), strict=True):
        fine = s[:-1]
        for _ in range(200):  # a plain Euler scheme of much smaller steps
            a, b, c = fine.T
            flow = np.stack([10 * (b - a), a * (28 - c) - b, a * b - 8 / 3 * c], axis=1)
            fine = fine + motions.STEP / 200 * flow
        assert s[1:] == pytest.approx(fine, abs=0.2)
        errors.append(x - s / 10)
    assert np.concatenate(errors).std() == pytest.approx(motions.LORENZ_NOISE, rel=0.05)
    states = found["train_state"]
    assert states[:, 2].min() > 0
    assert states[:, 2].max() < 50


def test_the_ball_is_where_its_state_says_and_bounces() -> None:
    found = made("ball:sequences=30,frames=60")
    x, state = found["train_x"].reshape(-1, 32, 32), found["train_state"]
    assert set(np.unique(x)) == {0, 1}
    rows, columns = np.mgrid[0:32, 0:32] + 0.5
    mass = x.sum(axis=(1, 2))
    assert (x * columns).sum(axis=(1, 2)) / mass == pytest.approx(state[:, 0], abs=0.35)
    assert (x * rows).sum(axis=(1, 2)) / mass == pytest.approx(state[:, 1], abs=0.35)
    assert mass.mean() == pytest.approx(np.pi * motions.RADIUS**2, rel=0.02)
    assert state[:, :2].min() >= motions.RADIUS - 1e-4
    assert state[:, :2].max() <= 32 - motions.RADIUS + 1e-4
    bounces = 0
    for s in sequences(found, "state"):
        moved, speed = s[1:, :2] - s[:-1, :2], s[:-1, 2:]
        free = np.all(np.sign(s[1:, 2:]) == np.sign(speed), axis=1)
        assert moved[free] == pytest.approx(speed[free], abs=1e-4)
        assert np.abs(s[:, 2:]) == pytest.approx(np.abs(s[:1, 2:]).repeat(len(s), axis=0), abs=1e-5)
        bounces += int((~free).sum())
    assert bounces > 30


def test_sines_have_their_frequency_and_likelihood() -> None:
    found = made("sines:sequences=50,frames=40")
    f, a = found["train_f"][:, 0].astype(np.float64), found["train_a"].astype(np.float64)
    assert (len(f), a.shape) == (50, (50, 6))
    rest = []
    for k, x in enumerate(sequences(found, "x")):
        t = np.arange(len(x))
        waves = [wave(2 * np.pi * n * f[k] * t) for wave in (np.cos, np.sin) for n in (1, 2, 3)]
        rest.append(x[:, 0] - np.stack(waves, axis=1) @ a[k])
        B = np.stack(waves, axis=1) / np.tile([1.0, 2.0, 3.0], 2)
        dense = multivariate_normal(np.zeros(len(x)), B @ B.T + sines.NOISE**2 * np.eye(len(x))).logpdf(
            x[:, 0]
        )
        assert sines.log_density(x, float(f[k])) == pytest.approx(dense, rel=1e-6)
        if k < 3:
            exact = sines.log_likelihood(x)
            assert exact == pytest.approx(sines.log_likelihood(x, points=9000), abs=1e-3)
            assert exact < sines.log_density(x, float(f[k])) + 1
    assert np.concatenate(rest).std() == pytest.approx(sines.NOISE, rel=0.05)


def test_unknown_sets_and_options() -> None:
    for text, said in (
        ("lorentz", "no such built-in data set"),
        ("lorenz:steps=4", "no option 'steps' here"),
        ("lorenz:frames=1.5", "must be a whole number"),
        ("lorenz:frames=many", "must be a number of at least 0"),
        ("lorenz:frames=1", "at least 1 sequence of 2 frames"),
        ("ball:seed=1,seed=2", "seed is said twice"),
    ):
        with pytest.raises(DataFault) as caught:
            made(text)
        assert said in caught.value.message
    listed = CliRunner().invoke(app, ["data", "--list"])
    assert [line.split()[0] for line in listed.stdout.splitlines()] == list(BUILT_IN)
    nameless = CliRunner().invoke(app, ["data"])
    assert nameless.exit_code == 2  # wrong usage, as of any command
    assert "which set?" in nameless.stderr


def test_a_folder_of_a_sets_name_stands_behind_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    card = Card(**compile_spec(SPECS / "latent_lds.yaml", ("x.dim=3", "x.distribution=gaussian")).card)
    before = load_splits("lorenz:sequences=4,frames=4", card, ["train"])["train"]
    (tmp_path / "lorenz").mkdir()
    np.save("lorenz/train_x.npy", np.ones((2, 3)))
    np.save("lorenz/train_lengths.npy", np.array([2]))
    again = load_splits("lorenz:sequences=4,frames=4", card, ["train"])["train"]
    np.testing.assert_array_equal(again.framed["x"], before.framed["x"])
    assert load_splits("./lorenz", card, ["train"])["train"].frames == 2


def test_a_score_becomes_a_piano_roll() -> None:
    music21 = pytest.importorskip("music21")
    upper, lower = music21.stream.Part(), music21.stream.Part()
    upper.append(music21.note.Note("C4", quarterLength=1.5))
    upper.append(music21.note.Note("D4", quarterLength=0.5))
    upper.append(music21.chord.Chord(["E4", "G4"], quarterLength=1))
    lower.append(music21.note.Rest(quarterLength=2))
    lower.append(music21.note.Note("A0", quarterLength=1))
    score = music21.stream.Score([upper, lower])
    on = [[60], [60], [21, 64, 67]]
    assert [[int(k) + 21 for k in np.flatnonzero(row)] for row in piano_roll(score, 1.0)] == on
    halves = [[60], [60], [60], [62], [21, 64, 67], [21, 64, 67]]
    assert [[int(k) + 21 for k in np.flatnonzero(row)] for row in piano_roll(score, 0.5)] == halves


def test_chorales_come_with_a_stated_split(tmp_path: Path) -> None:
    pytest.importorskip("music21")
    numbers = numbered()
    assert len(set(numbers.values())) == len(numbers) == 350
    counts = {part: sum(part_of(n) == part for n in numbers) for part in ("train", "valid", "test")}
    assert counts == {"train": 285, "valid": 32, "test": 33}
    found = chorales(1.0, tmp_path, limit=2)
    assert {k: len(v) for k, v in found.items() if k.endswith("lengths")} == {
        "train_lengths": 2, "valid_lengths": 2, "test_lengths": 2
    }  # fmt: skip
    assert found["train_lengths"].tolist()[0] == 63
    assert found["train_x"].shape == (found["train_lengths"].sum(), 88)
    assert 3.5 < found["train_x"].sum(axis=1).mean() <= 4.0
    assert [int(k) + 21 for k in np.flatnonzero(found["train_x"][0])] == [43, 59, 62, 67]
    again = chorales(1.0, tmp_path, limit=2)
    assert all(np.array_equal(found[key], again[key]) for key in found)
    card = replace(CARD, observed={"x": 88}, families={"x": "bernoulli"}, inputs={})
    split = load_splits(f"chorales:limit=2,cache={tmp_path}", card, ["test"])["test"]
    assert np.array_equal(split.framed["x"], found["test_x"])
