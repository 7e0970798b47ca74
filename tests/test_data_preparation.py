"""Crops and normalisation: what they cut and map, what a run keeps of them, what evaluation does with it."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from dvaec.cli.app import app
from dvaec.runtime.batches import collate
from dvaec.runtime.crops import at_epoch, randomly, windows
from dvaec.runtime.data import load_splits
from dvaec.runtime.faults import DataFault, StoreFault
from dvaec.runtime.normalise import fit, kinds_of, nats, normalised, undone
from dvaec.runtime.preparation import (
    KEPT,
    check_units,
    evaluation_split,
    preparation,
    stored_scales,
    training_splits,
)
from dvaec.runtime.split import SPLITS, Split
from tests.runtime_stand_in import CARD, arrays, write
from tests.shipped import ROOT

CPU = torch.device("cpu")


def numbered(lengths: list[int], **more: Any) -> Split:
    """Return a split whose frames are numbered from 0."""
    x = np.arange(sum(lengths), dtype=np.float64)[:, None]
    return Split("train", ("x",), {"x": x}, {}, np.array(lengths), **more)


def frames(split: Split) -> list[list[float]]:
    return [split.rows("x", k)[0][:, 0].tolist() for k in range(split.sequences)]


def test_torch_datasets_come_by_split() -> None:
    with pytest.raises(DataFault, match="no torch dataset is called 'valid'"):
        training_splits({"train": [torch.zeros(3, 2)]}, CARD, preparation())


def test_weights_of_data_normalised_otherwise_begin_no_run(tmp_path: Path) -> None:
    how = preparation("", ["standard"])
    training_splits(write(tmp_path / "set.npz", arrays()), CARD, how).keep(tmp_path)
    check_units(tmp_path, how)
    check_units(tmp_path / "nowhere", preparation())
    with pytest.raises(StoreFault, match="its weights are those of data with --normalise standard"):
        check_units(tmp_path, preparation())
    training_splits(str(tmp_path / "set.npz"), CARD, preparation("random:3")).keep(tmp_path)
    check_units(tmp_path, preparation())
    with pytest.raises(StoreFault, match="with no --normalise"):
        check_units(tmp_path, how)


def test_windows_are_whole_pieces_and_short_sequences_stay() -> None:
    split = numbered([5, 2, 3])
    assert frames(windows(split, 2)) == [[0, 1], [2, 3], [5, 6], [7, 8]]
    assert frames(windows(split, 3, 1)) == [[0, 1, 2], [1, 2, 3], [2, 3, 4], [5, 6], [7, 8, 9]]
    assert frames(windows(split, 3, 2)) == [[0, 1, 2], [2, 3, 4], [5, 6], [7, 8, 9]]
    cut = windows(split, 3, 1)
    assert cut.frames == 14
    assert collate(cut, [2, 3], CPU, torch.float64).tensors[0][:, :, 0].tolist() == [[2, 3, 4], [5, 6, 0]]
    with pytest.raises(DataFault, match="pieces of 1 frames"):
        windows(split, 1)


def test_windows_keep_what_is_missing_and_what_is_of_the_sequence() -> None:
    gone = np.zeros(10, dtype=np.bool_)
    gone[4] = True
    split = replace(numbered([5, 2, 3], missing={"x": gone}), static={"c": np.array([[7.0], [8.0], [9.0]])})
    cut = windows(replace(split, order=("x", "c")), 2, 1)
    batch = collate(cut, range(cut.sequences), CPU, torch.float64)
    assert batch.tensors[1][:, 0].tolist() == [7, 7, 7, 7, 8, 9, 9]
    assert batch.masks["x"].tolist() == [[True, True]] * 3 + [[True, False]] + [[True, True]] * 3


def test_random_pieces_differ_by_epoch_and_repeat() -> None:
    split = randomly(numbered([50, 3]), 10)
    first, again, later = at_epoch(split, 0, 1), at_epoch(split, 0, 1), at_epoch(split, 0, 2)
    assert frames(first) == frames(again) != frames(later)
    assert first.lengths.tolist() == [10, 3]
    for seed in range(100):
        piece, whole = frames(at_epoch(split, seed, 1))
        assert piece == list(range(int(piece[0]), int(piece[0]) + 10))
        assert piece[-1] < 50
        assert whole == [50, 51, 52]
    starts = {frames(at_epoch(split, seed, 1))[0][0] for seed in range(1000)}
    assert starts == set(range(41))
    assert at_epoch(numbered([5]), 0, 1).starts is None


def test_normalisation_is_that_of_the_rows_that_are_there() -> None:
    random = np.random.default_rng(0)
    x = random.normal(size=(30, 3)) * [1.0, 100.0, 0.0] + [1e6, 2.0, 5.0]
    gone = np.zeros(30, dtype=np.bool_)
    gone[[0, 17]] = True
    x[gone] = 0.0
    split = Split("train", ("x",), {"x": x}, {}, np.array([10, 1, 19]), missing={"x": gone})
    scales = fit(split, {"x": "standard"})
    assert scales["x"].shift == pytest.approx(x[~gone].mean(axis=0))
    assert scales["x"].scale == pytest.approx([*x[~gone].std(axis=0)[:2], 1.0])
    batch = collate(normalised(split, scales), [0, 1, 2], CPU, torch.float64)
    there = batch.tensors[0][batch.masks["x"]].numpy()
    assert there.mean(axis=0) == pytest.approx(np.zeros(3), abs=1e-9)
    assert there.std(axis=0) == pytest.approx([1, 1, 0], abs=1e-9)
    assert not batch.tensors[0][~batch.masks["x"]].any()
    assert undone(scales, "x", there) == pytest.approx(x[~gone])
    assert undone(scales, "u", there) is there
    size = fit(split, {"x": "scale"})["x"]
    assert size.scale == pytest.approx([np.sqrt((x[~gone] ** 2).mean())] * 3)
    assert not size.shift.any()
    middle = fit(split, {"x": "centre"})
    assert middle["x"].shift == pytest.approx(scales["x"].shift)
    assert middle["x"].scale.tolist() == [1.0] * 3
    assert not nats(middle, CARD)
    assert nats(scales, CARD) == {"x": pytest.approx(np.log(scales["x"].scale).sum())}


def test_kinds_go_where_they_make_sense() -> None:
    card = replace(
        CARD, observed={"x": 2, "y": 3, "n": 1}, families={"x": "gaussian", "y": "gamma", "n": "bernoulli"}
    )
    assert kinds_of(["standard"], card) == {"x": "standard", "u": "standard"}
    assert kinds_of(["scale", "x=standard"], card) == {"x": "standard", "y": "scale", "u": "scale"}
    for words, said in (
        ("y=standard", "y is gamma, which cannot be standard"),
        ("y=centre", "y is gamma, which cannot be centre"),
        ("n=scale", "n is bernoulli, which cannot be scale"),
        ("w=scale", "Small has no variable 'w'"),
        ("unit", "--normalise unit: no such kind"),
    ):
        with pytest.raises(DataFault) as caught:
            kinds_of([words], card)
        assert said in caught.value.message
    switches = replace(CARD, observed={"x": 2}, inputs={}, families={"x": "bernoulli"})
    with pytest.raises(DataFault, match="no variable of Small can be: x is bernoulli"):
        kinds_of(["standard"], switches)


def test_what_crop_says() -> None:
    assert preparation("50") == replace(preparation(), crop=50)
    assert preparation("50/2", ["standard"]) == replace(preparation("50"), shift=2, normalise=("standard",))
    assert preparation("random:50") == replace(preparation("50"), random=True)
    for wrong in ("5 0", "random:50/2", "50/0", "0", "random:0", "-3", "fifty"):
        with pytest.raises(DataFault, match="no such crop"):
            preparation(wrong)


def test_a_run_keeps_its_normalisation_and_crops_train_and_valid(tmp_path: Path) -> None:
    source = write(tmp_path / "set.npz", arrays(sequences=40))
    prepared = training_splits(source, CARD, preparation("4/2", ["standard"]))
    prepared.keep(tmp_path / "run")
    whole = load_splits(source, CARD, SPLITS)
    for name, split in prepared.splits.items():
        assert split.lengths.max() == 4
        assert split.sequences == np.maximum(1, (whole[name].lengths - 4) // 2 + 1).sum()
    stored = stored_scales(tmp_path / "run")
    x = whole["train"].framed["x"]
    assert stored["x"].shift == pytest.approx(x.mean(axis=0))
    test = evaluation_split(source, CARD, "test", tmp_path / "run")
    assert test.lengths.tolist() == whole["test"].lengths.tolist()
    expected = (whole["test"].rows("x", 0)[0] - x.mean(axis=0)) / x.std(axis=0)
    assert test.rows("x", 0)[0] == pytest.approx(expected)
    again = training_splits(source, CARD, preparation("4/2", ["standard"]), resumed=tmp_path / "run")
    assert np.array_equal(again.scales["x"].scale, stored["x"].scale)
    with pytest.raises(StoreFault, match="were prepared with --crop 4/2"):
        training_splits(source, CARD, preparation("4", ["standard"]), resumed=tmp_path / "run")
    random = training_splits(source, CARD, preparation("random:4"))
    assert (random.splits["train"].crop, random.splits["valid"].crop) == (4, 0)
    assert stored_scales(tmp_path) == {}
    (tmp_path / "run" / KEPT).write_text('{"scales": {"x": {"shift": [0], "scale": [0]}}}')
    with pytest.raises(StoreFault, match="the normalisation of x is damaged"):
        stored_scales(tmp_path / "run")


def test_train_and_evaluate_with_pieces_and_normalisation(tmp_path: Path) -> None:
    """An affine change of the data changes nothing in what a normalised model learns."""
    content = arrays(sequences=20)
    moved = {k: v if k.endswith(("lengths", "u")) else 1000 * v - 77 for k, v in content.items()}
    printed = []
    for name, arrays_ in (("plain", content), ("moved", moved)):
        source = write(
            tmp_path / f"{name}.npz",
            {k: v.astype(np.float64) if "_x" in k else v for k, v in arrays_.items()},
        )
        run = tmp_path / name
        options = ["--data", source, "--set", "x.dim=2", "--set", "x.distribution=gaussian", "-o", str(run)]
        options += ["--crop", "random:4", "--normalise", "standard", "--epochs", "2", "--batch", "5"]
        done = CliRunner().invoke(app, ["train", str(ROOT / "specs" / "vrnn.yaml"), *options])
        assert done.exit_code == 0, done.output
        shown = CliRunner().invoke(app, ["evaluate", str(run), "--data", source, "--format", "json"])
        assert shown.exit_code == 0, shown.output
        assert "x is normalised: for -log p in the data's own units add" in shown.stderr
        printed.append(json.loads(shown.stdout)["frame"]["elbo"]["mean"])
    assert printed[0] == pytest.approx(printed[1], rel=1e-3)


@pytest.mark.skipif("DVAEC_DATA" not in os.environ, reason="DVAEC_DATA names no folder of data sets")
def test_windows_of_motion_capture_are_as_many_as_published() -> None:
    path = Path(os.environ["DVAEC_DATA"]) / "motion" / "cmu_mocap_30hz.npz"
    card = replace(CARD, observed={"x": 114}, inputs={})
    splits = load_splits(f"{path}:x=pos*0.1", card, SPLITS)
    counts = [int((windows(s, 50, 2).lengths == 50).sum()) for s in splits.values()]
    assert counts == [1906, 438, 869]
