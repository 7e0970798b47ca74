"""What training maximises: its value, its schedule, where it is said, and that the ELBO stands beside it."""

from __future__ import annotations

import csv
import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

import dvaec
from dvaec.cli.app import app
from dvaec.compiler import run_text
from dvaec.runtime.batches import collate
from dvaec.runtime.faults import TrainFault
from dvaec.runtime.noise import draws
from dvaec.runtime.objective import Objective, check_objective, departures, objective_of
from dvaec.spec.layout import formatted

PAGE = """\
dvaec: 1
model: Two
variables:
  x: {role: observed, dim: 2}
  z: {role: latent, dim: 2}
  v: {role: latent, dim: 3}
generation:
  - v
  - z_t | z_<t-1>, v
  - x_t | z_t, v
inference:
  - v | x_<1:T>
  - z_t | z_<t-1>, v, x_t
"""
LATENTS = {"kl_z": "z", "kl_v": "v"}


def parts() -> dict[str, torch.Tensor]:
    """Two sequences of three frames, the second of two; frame 3 of it is padding."""
    log_p = torch.tensor([[-3.0, -2.0, -1.0], [-4.0, -5.0, 0.0]])
    kl = torch.tensor([[0.5, 0.25, 2.0], [1.0, 0.1, 0.0]])
    return {"log_p_x": log_p, "kl_z": kl, "kl_v": torch.tensor([3.0, 0.2])}


def test_without_a_word_it_is_the_elbo() -> None:
    given = parts()
    elbo = given["log_p_x"].sum() - given["kl_z"].sum() - given["kl_v"].sum()
    assert float(Objective().value(given, LATENTS, 1.0)) == pytest.approx(float(elbo))
    assert departures(Objective(), LATENTS) == ()
    assert departures(Objective(beta=3, warmup=4), ()) == ()  # nothing to weigh


def test_each_part_of_it_is_what_it_says() -> None:
    weighed = Objective(beta=2.0, factors={"v": 0.5})
    assert float(weighed.value(parts(), LATENTS, 0.25)) == pytest.approx(
        -15 - 0.25 * (2 * 3.85 + 2 * 0.5 * 3.2)
    )
    free = Objective(free_bits=0.5)
    # 0.25 and 0.1 of z and 0.2 of v are below; the padding has no latent, and is 0.
    assert float(free.value(parts(), LATENTS, 1.0)) == pytest.approx(
        -15 - (0.5 + 0.5 + 2 + 1 + 0.5) - (3 + 0.5)
    )
    assert departures(replace(weighed, free_bits=0.5, warmup=3, cycles=2, rise=0.5, samples=4), LATENTS) == (
        "KL's weight from 0 to 1 in 2 cycles of 3 epochs of which the first 0.5 rises",
        "beta 2",
        "KL of v times 0.5",
        "0.5 free nats per latent and frame",
    )


def test_free_bits_have_no_gradient_below_them() -> None:
    kl = torch.tensor([[0.3, 0.7]], requires_grad=True)
    value = Objective(free_bits=0.5).value({"kl_z": kl}, LATENTS, 1.0)
    (gradient,) = torch.autograd.grad(value, kl)
    assert gradient.tolist() == [[0.0, -1.0]]


def test_the_weight_rises_linearly_or_in_cycles() -> None:
    linear = Objective(warmup=2)
    assert [linear.weight(update, 2) for update in range(1, 7)] == [0.25, 0.5, 0.75, 1.0, 1.0, 1.0]
    cyclical = Objective(warmup=2, cycles=2, rise=0.5)
    assert [cyclical.weight(u, 2) for u in range(1, 11)] == [0.5, 1, 1, 1, 0.5, 1, 1, 1, 1, 1]
    assert cyclical.settled == 4
    assert Objective().weight(1, 10) == 1.0


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"factors": {"y": 1.0}}, "weighs 'y': no latent of M"),
        ({"beta": -1.0}, "beta is -1: it must be finite and not negative"),
        ({"beta": math.inf}, "beta is inf: it must be finite"),
        ({"free_bits": math.nan}, "free bits is nan: it must be finite"),
        ({"factors": {"z": math.nan}}, "factor of z is nan: it must be finite"),
        ({"factors": {"z": -1.0}}, "factor of z is -1: it must be finite and not negative"),
        ({"rise": 0.0}, "a share in"),
        ({"samples": 0}, "at least 1"),
    ],
)
def test_what_is_no_objective(said: dict[str, Any], message: str) -> None:
    with pytest.raises(TrainFault, match=message):
        check_objective(objective_of(said), {"z": 2}, "M")


def test_it_is_no_part_of_the_model() -> None:
    plain = run_text(PAGE, "a.yaml")
    said = run_text(PAGE + "objective: {beta: 4, free_bits: 0.5, factors: {v: 2}}\n", "a.yaml")
    assert said.spec.objective is not None
    assert (said.hash, said.layout, said.module) == (plain.hash, plain.layout, plain.module)


def test_its_place_on_the_page_is_before_the_sizes() -> None:
    page = "objective: {beta:   2}\n" + PAGE + "sizes:\n  small: {x.dim: 1}\n"
    assert formatted(page, "a.yaml").endswith("\nobjective: {beta: 2}\n\nsizes:\n  small: {x.dim: 1}\n")


def trained(folder: Path, name: str, *words: str, page: str = PAGE) -> tuple[list[dict[str, float]], str]:
    """Train an epoch on the command line; by default with weights that do not move."""
    random, data, lengths = np.random.default_rng(0), folder / "data.npz", np.array([5, 3, 4, 2])
    made = {f"{s}_x": random.normal(size=(14, 2)) for s in ("train", "valid")}
    np.savez(data, allow_pickle=False, **made, train_lengths=lengths, valid_lengths=lengths)
    (folder / f"{name}.yaml").write_text(page)
    call = [
        "train",
        str(folder / f"{name}.yaml"),
        "--data",
        str(data),
        "-o",
        str(folder / name),
        "--batch",
        "4",
    ]
    done = CliRunner().invoke(app, [*call, *(words or ("--lr", "0", "--epochs", "1"))])
    assert done.exit_code == 0, done.output
    with (folder / name / "history.csv").open() as file:
        rows = [{key: float(value) for key, value in line.items()} for line in csv.DictReader(file)]
    return rows, done.stdout


STILL = ("--lr", "0", "--epochs", "1", "--warmup", "0")


def test_the_elbo_stands_beside_a_surrogate_and_is_the_same(tmp_path: Path) -> None:
    (plain,), said = trained(tmp_path, "plain", *STILL)
    assert "surrogate" not in said
    assert "train_surrogate" not in plain
    (row,), said = trained(tmp_path, "beta", *STILL, "--beta", "4", "--kl-weight", "v=0.5")
    assert said.startswith(
        "Two: trained on a surrogate of the ELBO: beta 4; KL of v times 0.5. Each -ELBO below"
    )
    for key in ("train_elbo", "train_kl_z", "train_kl_v", "valid_elbo"):
        assert row[key] == plain[key]
    wanted = row["train_log_p_x"] - 4 * row["train_kl_z"] - 2 * row["train_kl_v"]
    assert row["train_surrogate"] == pytest.approx(wanted, rel=1e-5)
    assert f"train -ELBO {-row['train_elbo']:.3f} (surrogate {-row['train_surrogate']:.3f})" in said
    run = json.loads((tmp_path / "beta" / "card.json").read_text())["run"]
    assert run["surrogate"] == ["beta 4", "KL of v times 0.5"]
    assert run["metrics"]["valid_elbo"] == pytest.approx(row["valid_elbo"], rel=1e-6)


def test_the_page_says_it_and_the_command_line_changes_it(tmp_path: Path) -> None:
    page = PAGE + "objective: {beta: 4, free_bits: 0.25}\n"
    _, said = trained(tmp_path, "page", "--lr", "0", "--epochs", "1", page=page)
    assert said.startswith(
        "Two: trained on a surrogate of the ELBO: beta 4; 0.25 free nats per latent and frame."
    )
    _, said = trained(tmp_path, "both", "--lr", "0", "--epochs", "1", "--beta", "1", page=page)
    assert said.startswith("Two: trained on a surrogate of the ELBO: 0.25 free nats per latent and frame.")
    _, said = trained(tmp_path, "set", *STILL, "--set", "objective.beta=2", page=page)
    assert said.startswith("Two: trained on a surrogate of the ELBO: beta 2; 0.25 free nats")
    _, said = trained(tmp_path, "silent", "--lr", "0", "--epochs", "1")
    assert said.startswith("Two: trained on a surrogate of the ELBO: KL's weight from 0 to 1 over 40 epochs.")


def test_samples_are_draws_of_their_own_and_are_averaged(tmp_path: Path) -> None:
    one, three = (trained(tmp_path, f"s{n}", *STILL, "--samples", str(n))[0][0] for n in (1, 3))
    assert one["valid_elbo"] == three["valid_elbo"]
    module = dvaec.lightning_module(tmp_path / "s3.yaml")
    split = dvaec.lightning_data(module, str(tmp_path / "data.npz")).training
    batch = collate(split, range(4), torch.device("cpu"), torch.float32)
    means = []
    for sample in range(3):
        noise = draws(
            module.card.noises, [(0, 1, row, sample) for row in range(4)], batch.lengths, torch.float32
        )
        elbo = module.model.elbo(*batch.tensors, lengths=batch.lengths, **noise).elbo  # type: ignore[operator]
        means.append(float(elbo.detach().sum()) / 14)
    assert one["train_elbo"] == pytest.approx(means[0], rel=1e-5)
    assert three["train_elbo"] == pytest.approx(sum(means) / 3, rel=1e-5)


def test_a_resumed_run_keeps_its_objective(tmp_path: Path) -> None:
    trained(tmp_path, "run", *STILL, "--beta", "2")
    words = [
        "train",
        str(tmp_path / "run.yaml"),
        "--data",
        str(tmp_path / "data.npz"),
        "-o",
        str(tmp_path / "run"),
    ]
    done = CliRunner().invoke(app, [*words, "--resume", "--batch", "4", *STILL[:2], "--epochs", "2"])
    assert done.exit_code == 1
    assert "the run was made with the objective beta 2" in done.stderr


def test_a_weight_that_is_none_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "two.yaml").write_text(PAGE)
    done = CliRunner().invoke(
        app, ["train", str(tmp_path / "two.yaml"), "--data", "pendulum", "--kl-weight", "z"]
    )
    assert done.exit_code == 1
    assert "--kl-weight z: not LATENT=NUMBER" in str(done.exception)
