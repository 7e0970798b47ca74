"""Scheduled sampling in `dvaec train`: what is fed back, what validation measures, resumption, other runs' weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner, Result

import dvaec
from dvaec.cli.app import app
from dvaec.runtime.data import load_splits
from dvaec.runtime.engine import SequenceData
from dvaec.runtime.evaluate import evaluate
from dvaec.runtime.feedback import ScheduledSampling
from dvaec.runtime.mode import Mode
from dvaec.runtime.pictures.curves import read_history
from dvaec.runtime.store import load_card

PAGE = """\
dvaec: 1
model: Fed
variables:
  x: {role: observed, dim: 2}
  z: {role: latent, dim: 2}
generation:
  - z_t
  - x_t | z_t, x_<t-1>
inference: filtering
networks:
  p(x_t): {reads: "z_t, x_<t-1>", layers: [4 tanh]}
"""


def train(folder: Path, run: str, *more: str, page: str = PAGE) -> Result:
    (folder / "fed.yaml").write_text(page)
    if not (folder / "d.npz").exists():
        random, lengths = np.random.default_rng(0), np.array([5, 3, 4, 2, 6, 4])
        made = {f"{split}_x": random.normal(size=(24, 2)) for split in ("train", "valid")}
        np.savez(folder / "d.npz", allow_pickle=False, **made, train_lengths=lengths, valid_lengths=lengths)
    words = ["train", folder / "fed.yaml", "--data", folder / "d.npz", "-o", folder / run, "--warmup", "0"]
    return CliRunner().invoke(app, [str(word) for word in (*words, *more)])


def test_validation_is_in_generation_mode_and_the_log_says_what_is_fed_back(tmp_path: Path) -> None:
    done = train(tmp_path, "run", "--epochs", "3", "--scheduled", "0.5/1/1")
    assert done.exit_code == 0, done.output
    said = (
        "p reads its own outputs in 50% more of the frames every epoch, after 1 of teacher forcing (13.3.3)"
    )
    assert said in done.stdout.splitlines()[0]
    card = load_card(tmp_path / "run")
    split = load_splits(str(tmp_path / "d.npz"), card, ["valid"])["valid"]
    bounds = {mode: evaluate(dvaec.load(tmp_path / "run"), card, split, mode=mode) for mode in Mode}
    best = read_history(tmp_path / "run")["valid_elbo"].max()
    assert bounds[Mode.GENERATION].frame["elbo"].mean == pytest.approx(best, rel=1e-5)
    assert bounds[Mode.TEACHER_FORCING].frame["elbo"].mean != pytest.approx(best, rel=1e-3)


def test_the_share_of_an_epoch_is_fed_back_whatever_the_batch(tmp_path: Path) -> None:
    train(tmp_path, "run", "--epochs", "1")
    module = dvaec.lightning_module(tmp_path / "fed.yaml")
    split = dvaec.lightning_data(module, str(tmp_path / "d.npz")).training
    masks = {}
    for size in (2, 6):
        schedule = ScheduledSampling(0.5, 50)
        data = SequenceData(module.card, split, split, batch=size, schedule=schedule)
        for batch in data.train_dataloader():
            for row, member in enumerate(batch.members.tolist()):
                length = int(batch.arguments["lengths"][row])
                masks[size, member] = batch.arguments["fed"][row, :length].tolist()
        assert all(bool(batch.arguments["fed"].sum() == batch.frames) for batch in data.val_dataloader())
    assert all(masks[2, member] == masks[6, member] for member in range(6))
    assert {one for member in range(6) for one in masks[2, member]} == {False, True}


def test_a_run_of_scheduled_sampling_resumes_to_the_same_curve(tmp_path: Path) -> None:
    assert train(tmp_path, "whole", "--epochs", "4", "--scheduled", "0.5/2").exit_code == 0
    assert train(tmp_path, "broken", "--epochs", "2", "--scheduled", "0.5/2").exit_code == 0
    refused = train(tmp_path, "broken", "--epochs", "4", "--resume")
    assert refused.exit_code == 1
    assert "the run was made with schedule" in refused.stderr
    assert train(tmp_path, "broken", "--epochs", "4", "--scheduled", "0.5/2", "--resume").exit_code == 0
    whole, broken = read_history(tmp_path / "whole"), read_history(tmp_path / "broken")
    assert whole["train_elbo"].tolist() == broken["train_elbo"].tolist()
    plain = train(tmp_path, "plain", "--epochs", "1")
    assert plain.exit_code == 0
    assert read_history(tmp_path / "plain")["train_elbo"][0] != whole["train_elbo"][0]


def test_a_run_begins_with_the_weights_of_another(tmp_path: Path) -> None:
    assert train(tmp_path, "first", "--epochs", "3").exit_code == 0
    done = train(tmp_path, "second", "--epochs", "1", "--lr", "0", "--from", str(tmp_path / "first"))
    assert done.exit_code == 0, done.output
    first, second = dvaec.load(tmp_path / "first").state_dict(), dvaec.load(tmp_path / "second").state_dict()
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_what_cannot_be_scheduled(tmp_path: Path) -> None:
    done = train(tmp_path, "a", "--scheduled", "often")
    assert done.exit_code == 1
    assert "--scheduled often: not RISE/EVERY" in str(done.exception)
    page = PAGE.replace("z_t, x_<t-1>", "z_t")
    done = train(tmp_path, "b", "--scheduled", "0.2/50", page=page)
    assert done.exit_code == 1
    assert "p of Fed reads no observed frames: nothing can be fed back" in done.stderr
