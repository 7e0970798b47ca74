"""dvaec compare: scores, generation mode, scheduled sampling; what is trained is not trained again to measure more."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dvaec
from dvaec.runtime.comparison import job
from dvaec.runtime.data import load_splits
from dvaec.runtime.evaluate import evaluate
from dvaec.runtime.importance import importance
from dvaec.runtime.measures.reconstruction import Scored, scores_of
from dvaec.runtime.mode import Mode
from dvaec.runtime.store import load_card
from tests.comparisons import SHORT, compare, material, runs

DRIVEN = """\
dvaec: 1
model: Driven
variables:
  x: {role: observed, dim: 3, distribution: gaussian}
  z: {role: latent, dim: 2}
generation:
  - z_t
  - x_t | z_t, x_<t-1>
inference: filtering
networks:
  p(x_t): {reads: "z_t, x_<t-1>", layers: [4 tanh]}
"""
FREE = DRIVEN.replace("Driven", "Free").replace(", x_<t-1>", "")

HEARD = FREE.replace("dim: 3, distribution: gaussian", "dim: 129, distribution: gamma")


def joints(folder: Path) -> tuple[str, ...]:
    """Write a page whose p reads past frames, one whose p does not, and frames of one joint."""
    (folder / "driven.yaml").write_text(DRIVEN)
    (folder / "free.yaml").write_text(FREE)
    random, lengths = np.random.default_rng(0), np.array([5, 3, 4, 2, 6, 4])
    made: dict[str, Any] = {f"{split}_x": random.normal(size=(24, 3)) for split in ("train", "valid", "test")}
    np.savez(
        folder / "d.npz",
        allow_pickle=False,
        **made,
        **{f"{s}_lengths": lengths for s in ("train", "valid", "test")},
    )
    return (str(folder / "driven.yaml"), str(folder / "free.yaml"), "--data", str(folder / "d.npz"))


def states(folder: Path) -> dict[Path, int]:
    names = ("last.ckpt", "weights.safetensors", "history.csv")
    return {path: path.stat().st_mtime_ns for name in names for path in folder.rglob(name)}


def in_one_piece(folder: Path) -> None:
    """Lay out result.json as earlier versions did: one protocol, one result."""
    path = folder / "result.json"
    said = json.loads(path.read_text())
    training = {key: value for key, value in said["training"].items() if key != "precision"}
    bound, weighed = said["measured"]
    result = {
        "label": folder.parent.name,
        "seed": int(folder.name),
        **said["ended"],
        "frame": bound["frame"] | weighed["frame"],
        "sequence": bound["sequence"] | weighed["sequence"],
        "fault": None,
        "place": None,
    }
    protocol = {**training, "draws": bound["measure"]["draws"], "weights": weighed["measure"]["draws"]}
    path.write_text(json.dumps({"protocol": protocol, "result": result}))


def test_what_is_trained_is_not_trained_again_to_measure_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    words = (*joints(tmp_path), *SHORT, "--jobs", "1", "-o", str(out))
    assert compare(*words).exit_code == 0
    first, before = runs(out), states(out)
    for run in sorted({path.parent for path in before}):
        in_one_piece(run)
    for name in ("train", "training_splits"):  # neither is called again
        monkeypatch.setattr(job, name, None)
    again = compare(*words)
    assert again.exit_code == 0, again.output
    assert runs(out) == first
    assert all("protocol" in json.loads(path.read_text()) for path in out.rglob("result.json"))  # untouched
    more = compare(*words, "--motion", "mm", "--mode", "generation", "--importance", "0", "--draws", "3")
    assert more.exit_code == 0, more.output
    assert states(out) == before
    found = {(row["model"], row["mode"], row["seed"]): row for row in runs(out)}
    assert list(found) == [
        (model, mode, seed)
        for model, modes in (("driven", list(Mode)), ("free", [Mode.TEACHER_FORCING]))
        for seed in "01"
        for mode in modes
    ]
    test = load_splits(str(tmp_path / "d.npz"), load_card(out / "free" / "0"), ["test"])["test"]
    for (label, mode, seed), row in found.items():
        run = out / label / seed
        card, model = load_card(run), dvaec.load(run)
        bound = evaluate(model, card, test, samples=3, mode=Mode(mode))
        assert float(row["elbo"]) == pytest.approx(-bound.frame["elbo"].mean, rel=1e-6)
        (motion,) = scores_of(model, card, test, "", Scored(motion="mm"), mode=Mode(mode))
        assert float(row["mpjpe"]) == pytest.approx(motion.scores[0].mean, rel=1e-6)
        assert float(row["mpjpe_sequence"]) == pytest.approx(motion.scores[1].mean, rel=1e-6)
        assert row["importance"] == ""
    assert compare(*words).exit_code == 0
    assert runs(out) == first  # what was measured before is still known


def test_the_table_has_the_scores_and_says_how_they_were_made(tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = compare(
        *joints(tmp_path), *SHORT, "--jobs", "1", "-o", out, "--motion", "cm", "--mode", "generation", "--pictures"
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    lines = (out / "table.txt").read_text().splitlines()
    assert "MPJPE, cm" in lines[0]
    assert [line.split("  ")[0] for line in lines[1:4]] == ["driven", "driven, generation", "free"]
    with (out / "table.csv").open() as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        own = [r for r in runs(out) if (r["model"], r["mode"]) == (row["model"], row["mode"])]
        values = [float(one["mpjpe"]) for one in own]
        assert float(row["mpjpe_mean"]) == pytest.approx(np.mean(values), rel=1e-6)
        assert float(row["mpjpe_sd"]) == pytest.approx(np.std(values, ddof=1), rel=1e-4)
    run = out / "driven" / "0"
    test = load_splits(str(tmp_path / "d.npz"), load_card(run), ["test"])["test"]
    weighed = importance(dvaec.load(run), load_card(run), test, samples=5, mode=Mode.GENERATION)
    mine = next(r for r in runs(out) if (r["model"], r["mode"], r["seed"]) == ("driven", "generation", "0"))
    assert float(mine["importance"]) == pytest.approx(-weighed.frame.mean, rel=1e-6)
    below = "\n".join(lines[5:])
    assert below.count("Mean over frames and 1 joints of the Euclidean distance") == 1
    assert "these fed back (generation mode, 4.4)." in below
    assert "past data given (teacher forcing)." in below
    assert "standard errors over sequences" not in below  # the spread is over seeds
    assert "| driven, generation |" in (out / "table.md").read_text()
    assert "driven, generation &" in (out / "table.tex").read_text()
    assert "driven, generation" in (out / "results.svg").read_text()


def test_recordings_are_scored(tmp_path: Path) -> None:
    soundfile = pytest.importorskip("soundfile")
    pytest.importorskip("pesq")
    (tmp_path / "heard.yaml").write_text(HEARD)
    time = np.arange(6000) / 8000
    for k in range(5):
        wave = np.sin(2 * np.pi * (200 + 20 * k) * time) * (1 + np.sin(2 * np.pi * 3 * time))
        soundfile.write(tmp_path / f"tone{k}.wav", wave / 2, 8000)
    data = f"{tmp_path}:split=3+1+1,window=256,cache={tmp_path / 'cache'}"
    words = (str(tmp_path / "heard.yaml"), "--data", data, *SHORT, "--seeds", "1", "--jobs", "1", "--audio")
    done = compare(*words, "-o", str(tmp_path / "out"))
    assert done.exit_code == 0, done.output
    (row,) = runs(tmp_path / "out")
    run = tmp_path / "out" / "heard" / "0"
    card = load_card(run)
    test = load_splits(data, card, ["test"])["test"]
    (scores,) = scores_of(dvaec.load(run), card, test, data, Scored(audio=True))
    for one in scores.scores:
        assert row[one.key] == "" if np.isnan(one.mean) else float(row[one.key]) == pytest.approx(one.mean)
    assert row["si_sdr"] != ""
    assert "SI-SDR, dB" in (tmp_path / "out" / "table.txt").read_text().splitlines()[0]
    assert "SI-SDR, PESQ and ESTOI: larger is better" in done.output


def test_what_cannot_be_scored_is_said_before_anything_is_trained(tmp_path: Path) -> None:
    words = (*material(tmp_path), *SHORT, "-o", str(tmp_path / "out"))
    for more, said in (
        (("--motion", "mm"), "chain: x has dim 2, which is no number of joints"),
        (("--audio",), "chain: x is gaussian: only a gamma variable"),
        (("--motion", "mm", "--variable", "y"), "chain: Chain observes no 'y'"),
    ):
        done = compare(*words, *more)
        assert done.exit_code == 1
        assert said in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_page_twice_with_and_without_scheduled_sampling(tmp_path: Path) -> None:
    page, free, *data = joints(tmp_path)
    out = tmp_path / "out"
    words = (
        page,
        f"{page}@gm",
        free,
        *data,
        *SHORT,
        "--seeds",
        "1",
        "--jobs",
        "1",
        "--mode",
        "generation",
        "-o",
        str(out),
    )
    done = compare(*words, "--scheduled", "gm:0.5/1", "--precision", "64", "--script")
    assert done.exit_code == 0, done.output
    assert [(row["model"], row["mode"]) for row in runs(out)] == [
        ("driven", "teacher-forcing"), ("driven", "generation"), ("free", "teacher-forcing"),
        ("gm", "teacher-forcing"), ("gm", "generation"),
    ]  # fmt: skip
    said = {
        label: json.loads((out / label / "0" / "card.json").read_text())["run"] for label in ("driven", "gm")
    }
    assert said["driven"]["options"]["schedule"] is None
    assert said["gm"]["options"]["schedule"] == {"rise": 0.5, "every": 1, "start": 0}
    assert {one["options"]["precision"] for one in said.values()} == {"64"}
    assert all(one["options"]["scripted"] for one in said.values())
    assert (
        "Trained on a surrogate of the ELBO, gm: KL's weight from 0 to 1 over 40 epochs; p reads its own"
        in done.output
    )
    assert "gm: driven.yaml." in done.output
    assert "precision 64, through TorchScript." in done.output
    refused = compare(*words, "--scheduled", "gm:0.5/1")
    assert "the run was made with precision 64" in refused.stdout
    everywhere = compare(*words[:-1], tmp_path / "all", "--scheduled", "0.5/1")
    assert everywhere.exit_code == 0, everywhere.output
    assert "Trained on a surrogate of the ELBO, driven, gm: KL's" in everywhere.output
    assert (
        "Trained on a surrogate of the ELBO, free: KL's weight from 0 to 1 over 40 epochs.\n"
        in everywhere.output
    )
    nothing = compare(*words, "--scheduled", "free:0.5/1")
    assert nothing.exit_code == 1
    assert "p of free reads no observed frames: nothing can be fed back" in nothing.stderr


def test_other_data_under_a_finished_run_are_refused(tmp_path: Path) -> None:
    words = (*material(tmp_path), *SHORT, "--seeds", "1", "--jobs", "1", "-o", str(tmp_path / "out"))
    assert compare(*words).exit_code == 0
    before = runs(tmp_path / "out")
    moved = tmp_path / "moved.npz"
    moved.write_bytes((tmp_path / "d.npz").read_bytes())
    again = compare(*[str(moved) if str(word).endswith("d.npz") else word for word in words])
    assert again.exit_code == 0, again.output  # the same data elsewhere
    assert runs(tmp_path / "out") == before
    made = dict(np.load(tmp_path / "d.npz"))
    np.savez(tmp_path / "d.npz", allow_pickle=False, **{**made, "train_x": made["train_x"] + 1})
    done = compare(*words)
    assert done.exit_code == 1
    assert "the run was made with other data" in done.stdout


def test_a_run_that_another_command_went_on_with_is_measured_anew(tmp_path: Path) -> None:
    out = tmp_path / "out"
    words = (*material(tmp_path), *SHORT, "--seeds", "1", "--jobs", "1", "-o", str(out))
    assert compare(*words).exit_code == 0
    assert compare(*words, "--epochs", "5").exit_code == 0
    assert {row["epochs"] for row in runs(out)} == {"5"}
    done = compare(*words)
    assert done.exit_code == 1
    assert "the run has had 5 epochs" in done.stdout
