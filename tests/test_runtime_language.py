"""Training and evaluation of pages of the whole language, on small random data."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

import dvaec
from dvaec.cli.app import app
from dvaec.cli.lab_text import table
from dvaec.compiler import compile_spec
from dvaec.runtime.batches import collate
from dvaec.runtime.card import Card, card_from_json, card_to_json
from dvaec.runtime.data import Split, load_splits
from dvaec.runtime.evaluate import evaluate
from dvaec.runtime.noise import EVALUATION, draws
from dvaec.runtime.objective import Objective
from dvaec.runtime.source import load_class
from dvaec.runtime.store import WEIGHTS, load_card, load_weights
from dvaec.runtime.train import Options, train
from dvaec.spec.model import Role
from dvaec.spec.read import read_spec
from dvaec.testing.family_data import legal
from tests.shipped import ROOT, SHIPPED, SPECS

SPLITS = ("train", "valid", "test")
LENGTHS = [1, 2, 3]  # in the order of evaluation, so that noise by hand is the same
SMALLER = {"fhvae": ("i.dim=7",)}
"""What takes long at its own size and has another: the sequences that FHVAE numbers."""

REGRESSIONS = ROOT / "tests" / "regressions"
STRANGE = sorted(REGRESSIONS.glob("*.yaml"))
Arrays = dict[str, np.ndarray[Any, Any]]


def arrays(page: Path, overrides: tuple[str, ...] = (), seed: int = 0) -> Arrays:
    """Draw a data set of three splits of short sequences, of values that each family may have."""
    spec = read_spec(page, overrides)[0]
    generator = torch.Generator().manual_seed(seed)
    lengths = np.array(LENGTHS) if spec.frames is None else np.full(len(LENGTHS), spec.frames)
    found: Arrays = {}
    for split in SPLITS:
        found[f"{split}_lengths"] = lengths
        for variable in (*spec.having(Role.OBSERVED), *spec.having(Role.INPUT)):
            rows = int(lengths.sum()) if variable.framed else len(lengths)
            found[f"{split}_{variable.name}"] = legal(variable, (rows,), generator).float().numpy()
    return found


def prepared(page: Path, folder: Path, content: Arrays, overrides: tuple[str, ...] = ()) -> Any:
    """Compile a page and read its data: the model, its card, the splits."""
    torch.set_num_threads(1)
    compiled = compile_spec(page, overrides)
    card = Card(**compiled.card)
    np.savez(folder / "data.npz", allow_pickle=False, **content)
    splits = load_splits(str(folder / "data.npz"), card, SPLITS)
    torch.manual_seed(0)
    return load_class(compiled.source, compiled.class_name)(), card, splits


def added_up(card: Card, numbers: Mapping[str, float]) -> float:
    return sum(numbers[name] * (1 if name.startswith("log_p_") else -1) for name in card.terms)


@pytest.mark.parametrize("page", [SPECS / f"{name}.yaml" for name in SHIPPED] + STRANGE, ids=lambda p: p.stem)
def test_every_page_trains_and_its_run_gives_the_same_numbers_again(page: Path, tmp_path: Path) -> None:
    overrides, run = SMALLER.get(page.stem, ()), tmp_path / "run"
    model, card, splits = prepared(page, tmp_path, arrays(page, overrides), overrides)
    assert card_from_json(card_to_json(card), "card") == card
    rows: list[Any] = []
    options = Options(epochs=2, batch=2, objective=Objective(), learning_rate=1e-4)
    outcome = train(model, card, splits["train"], splits["valid"], run, options, report=rows.append)
    assert outcome.epochs == 2
    for row in rows:
        assert row.train["elbo"] == pytest.approx(added_up(card, row.train), rel=1e-5)
        assert row.valid["elbo"] == pytest.approx(added_up(card, row.valid), rel=1e-5)
    again = dvaec.load(run)
    best = evaluate(again, load_card(run), splits["valid"], seed=options.seed)
    # The same draws and numbers, added up in another order.
    assert best.frame["elbo"].mean == pytest.approx(outcome.best_elbo, rel=1e-12)
    load_weights(run / WEIGHTS, model, card)  # the best ones, into the model that was trained
    kept = evaluate(model, card, splits["test"], samples=2)
    assert math.isfinite(kept.frame["elbo"].mean)
    assert evaluate(again, card, splits["test"], samples=2) == kept


def by_hand(model: Any, card: Card, split: Split, masks: Mapping[str, Any], epoch: int = EVALUATION) -> Any:
    """The bound of all sequences in one batch, the masks given as arguments; where they are not, 0.5 stands."""
    batch = collate(split, range(split.sequences), torch.device("cpu"), torch.float32)
    given = dict(zip(split.order, batch.tensors, strict=True))
    for name, mask in masks.items():
        given[name] = torch.where(mask.unsqueeze(-1), given[name], 0.5)
    named = {f"mask_{name}": mask for name, mask in masks.items()}
    keys = [(0, epoch, row, 0) for row in range(split.sequences)]
    noise = draws(card.noises, keys, batch.lengths, torch.float32)
    return model.elbo(*given.values(), lengths=batch.lengths, **named, **noise)


def with_holes(page: Path) -> tuple[Arrays, dict[str, torch.Tensor]]:
    """A data set of frames x and classes y of which some are nan, and the masks that say the same."""
    content = arrays(page)
    for split in SPLITS:
        content[f"{split}_x"][[1, 4]] = np.nan  # frame 1 of sequence 2, frame 2 of sequence 3
        content[f"{split}_y"] = content[f"{split}_y"].argmax(1).astype(np.float32)
        content[f"{split}_y"][1] = np.nan
    x = torch.tensor([[True, False, False], [False, True, False], [True, False, True]])
    return content, {"x": x, "y": torch.tensor([True, False, True])}


def test_nan_in_observed_data_is_a_mask(tmp_path: Path) -> None:
    page = REGRESSIONS / "label_at_the_end.yaml"
    content, masks = with_holes(page)
    model, card, splits = prepared(page, tmp_path, content)
    found = evaluate(model, card, splits["test"])
    with torch.no_grad():
        model.eval()
        wanted = by_hand(model, card, splits["test"], masks)
        unmasked = by_hand(model, card, splits["test"], {})
    for name in ("elbo", *card.terms):
        mean = float(getattr(wanted, name).sum()) / sum(LENGTHS)
        assert found.frame[name].mean == pytest.approx(mean, rel=1e-5), name
    for name, mask in masks.items():
        part, all_of_it = getattr(wanted, f"log_p_{name}"), getattr(unmasked, f"log_p_{name}")
        assert not part[~mask].any()
        assert all_of_it[1].ne(part[1]).any()


def test_nan_in_observed_data_is_a_mask_in_training_too(tmp_path: Path) -> None:
    page = REGRESSIONS / "label_at_the_end.yaml"
    content, masks = with_holes(page)
    model, card, splits = prepared(page, tmp_path, content)
    rows: list[Any] = []
    still = Options(epochs=1, batch=3, learning_rate=0.0, objective=Objective())
    with torch.random.fork_rng():
        train(model, card, splits["train"], splits["valid"], tmp_path / "run", still, report=rows.append)
    wanted = by_hand(model.train(), card, splits["train"], masks, epoch=1)
    for name in card.terms:
        mean = float(getattr(wanted, name).sum().detach()) / sum(LENGTHS)
        assert rows[0].train[name] == pytest.approx(mean, rel=1e-4), name


def call(*words: str | Path) -> Any:
    return CliRunner().invoke(app, [str(word) for word in words])


def test_the_log_says_what_is_missing_and_a_class_that_is_none_is_an_error(tmp_path: Path) -> None:
    page, data, run = REGRESSIONS / "label_at_the_end.yaml", tmp_path / "data.npz", tmp_path / "run"
    content, _ = with_holes(page)
    np.savez(data, allow_pickle=False, **content)
    done = call("train", page, "--data", data, "-o", run, "--epochs", "1")
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines()[1:3] == [
        "train_x: 2 of 6 frames missing (nan) and masked",
        "train_y: 1 of 3 sequences missing (nan) and masked",
    ]
    content["train_y"][2] = 4
    np.savez(data, allow_pickle=False, **content)
    refused = call("train", page, "--data", data, "-o", tmp_path / "other", "--epochs", "1")
    assert refused.exit_code == 1
    where = f"{data}: array 'train_y' is 4.0 at sequence 3, dimension 1"
    assert f"{where}: a class must be a whole number from 0 to 3" in refused.stderr


def test_auxiliary_predictions_are_named_and_stand_beside_the_bound(tmp_path: Path) -> None:
    page, data, run = SPECS / "vrnn_goyal.yaml", tmp_path / "data.npz", tmp_path / "run"
    np.savez(data, allow_pickle=False, **arrays(page))
    done = call("train", page, "--data", data, "-o", run, "--epochs", "2")
    assert done.exit_code == 0, done.output
    first, second, *_ = done.stdout.splitlines()
    assert (
        "trained on a surrogate of the ELBO: KL's weight from 0 to 1 over 40 epochs; plus the log p of auxiliary predictions of b, x (8.4)"
        in first
    )
    assert ", aux log p " in second
    card = load_card(run)
    assert card.predictions == ("aux_b", "aux_x")
    with (run / "history.csv").open() as file:
        for row in csv.DictReader(file):
            for split in ("train", "valid"):
                assert math.isfinite(float(row[f"{split}_aux_b"]))
                parts = {name: float(row[f"{split}_{name}"]) for name in card.terms}
                assert float(row[f"{split}_elbo"]) == pytest.approx(added_up(card, parts), rel=1e-5)
    shown = call("evaluate", run, "--data", data)
    assert shown.exit_code == 0, shown.output
    assert any(line.startswith("beside: prediction b ") for line in shown.stdout.splitlines())


def test_the_table_has_every_part_of_the_bound(tmp_path: Path) -> None:
    page = REGRESSIONS / "zero_in_windows_backward.yaml"
    model, card, splits = prepared(page, tmp_path, arrays(page))
    assert "kl_z_0" in card.terms
    lines = table(card, evaluate(model, card, splits["test"])).splitlines()[2:]
    names, numbers = [line[:22].strip() for line in lines], [float(line[22:].split()[0]) for line in lines]
    assert "KL z_0" in names
    assert len(names) == 1 + len(card.terms)
    assert numbers[0] == pytest.approx(sum(numbers[1:]), abs=1e-3)
