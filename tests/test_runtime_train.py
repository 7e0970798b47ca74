"""Training: what a run folder holds, exact resumption, early stopping, faults, and files that are whole or absent."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from dvaec.runtime import store
from dvaec.runtime.batches import collate
from dvaec.runtime.data import Split, load_splits
from dvaec.runtime.evaluate import evaluate
from dvaec.runtime.faults import StoreFault, TrainFault
from dvaec.runtime.files import replacing, write_text
from dvaec.runtime.history import Epoch
from dvaec.runtime.noise import draws
from dvaec.runtime.objective import Objective
from dvaec.runtime.train import Options, Outcome, train
from tests.runtime_stand_in import CARD, arrays, small, write

OPTIONS = Options(epochs=4, batch=4, learning_rate=0.01, objective=Objective(warmup=2), patience=0)


@pytest.fixture
def splits(tmp_path: Path) -> dict[str, Split]:
    return load_splits(write(tmp_path / "set.npz", arrays()), CARD, ["train", "valid", "test"])


def fit(
    splits: dict[str, Split], folder: Path, options: Options = OPTIONS, **more: Any
) -> tuple[nn.Module, Outcome, list[Epoch]]:
    model, rows = more.pop("model", None) or small(), list[Epoch]()
    outcome = train(
        model, CARD, splits["train"], splits["valid"], folder, options, report=rows.append, **more
    )
    return model, outcome, rows


def same(a: nn.Module, b: nn.Module) -> bool:
    first, second = a.state_dict(), b.state_dict()
    return all(torch.equal(first[name], second[name]) for name in first)


def test_a_run_learns_and_leaves_its_files(splits: dict[str, Split], tmp_path: Path) -> None:
    folder = tmp_path / "run"
    _, outcome, rows = fit(splits, folder, replace(OPTIONS, epochs=30))
    assert sorted(p.name for p in folder.iterdir()) == [
        "card.json", "history.csv", "last.ckpt", "weights.safetensors",
    ]  # fmt: skip
    assert rows[-1].valid["elbo"] > rows[0].valid["elbo"] + 1.0
    assert outcome.best_elbo == max(row.valid["elbo"] for row in rows)
    assert store.load_card(folder) == CARD
    with (folder / "history.csv").open() as file:
        table = list(csv.DictReader(file))
    assert [int(line["epoch"]) for line in table] == list(range(1, 31))
    assert list(table[0])[:5] == ["epoch", "beta", "train_elbo", "train_log_p_x", "train_kl_z"]
    for line in table:
        parts = float(line["valid_log_p_x"]) - float(line["valid_kl_z"])
        assert float(line["valid_elbo"]) == pytest.approx(parts, abs=1e-5)


def test_the_kl_weight_rises_to_one_over_the_warm_up(splits: dict[str, Split], tmp_path: Path) -> None:
    _, _, rows = fit(splits, tmp_path / "run")
    assert [row.beta for row in rows] == [0.5, 1.0, 1.0, 1.0]
    _, _, rows = fit(splits, tmp_path / "cold", replace(OPTIONS, objective=Objective(), epochs=1))
    assert rows[0].beta == 1.0


def test_resuming_after_two_epochs_equals_four_unbroken_ones(
    splits: dict[str, Split], tmp_path: Path
) -> None:
    whole, outcome, rows = fit(splits, tmp_path / "whole")
    fit(splits, tmp_path / "broken", replace(OPTIONS, epochs=2))
    torch.manual_seed(99)  # whatever the process did in between
    resumed, again, later = fit(splits, tmp_path / "broken", resume=True, model=small(seed=7))
    assert same(whole, resumed)
    assert again == outcome
    assert [replace(row, seconds=0.0) for row in later] == [replace(row, seconds=0.0) for row in rows[2:]]
    best = [(tmp_path / name / "weights.safetensors").read_bytes() for name in ("whole", "broken")]
    assert best[0] == best[1]


def test_a_run_depends_on_its_seed_alone(splits: dict[str, Split], tmp_path: Path) -> None:
    first, _, _ = fit(splits, tmp_path / "a")
    torch.manual_seed(5)
    second, _, _ = fit(splits, tmp_path / "b")
    other, _, _ = fit(splits, tmp_path / "c", replace(OPTIONS, seed=1))
    assert same(first, second)
    assert not same(first, other)


def test_a_scripted_run_follows_the_eager_one(splits: dict[str, Split], tmp_path: Path) -> None:
    _, eager, _ = fit(splits, tmp_path / "eager")
    model, scripted, _ = fit(splits, tmp_path / "scripted", replace(OPTIONS, scripted=True))
    assert scripted.best_elbo == pytest.approx(eager.best_elbo, rel=1e-4)
    kept = small(seed=3)
    store.load_weights(tmp_path / "scripted" / store.WEIGHTS, kept, CARD)
    assert scripted.best_epoch < 4 or same(model, kept)


def test_early_stopping_keeps_the_best_weights(splits: dict[str, Split], tmp_path: Path) -> None:
    folder = tmp_path / "run"
    options = replace(OPTIONS, epochs=200, learning_rate=0.3, objective=Objective(), patience=3, clip=0.0)
    model, outcome, rows = fit(splits, folder, options)
    assert outcome.stopped_early
    assert outcome.epochs == len(rows) == outcome.best_epoch + 3
    kept = small(seed=3)
    store.load_weights(folder / store.WEIGHTS, kept, CARD)
    assert not same(kept, model)
    measured = evaluate(kept, CARD, splits["valid"], seed=options.seed)
    assert measured.frame["elbo"].mean == pytest.approx(outcome.best_elbo, rel=1e-6)
    _, again, more = fit(splits, folder, options, resume=True)
    assert again == outcome
    assert not more


def test_patience_counts_from_the_end_of_the_warm_up(splits: dict[str, Split], tmp_path: Path) -> None:
    options = replace(OPTIONS, epochs=20, learning_rate=0.0, objective=Objective(warmup=6), patience=2)
    _, outcome, _ = fit(splits, tmp_path / "run", options)
    assert (outcome.best_epoch, outcome.epochs) == (1, 8)


def test_a_folder_with_a_run_is_neither_overwritten_nor_resumed_otherwise(
    splits: dict[str, Split], tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    with pytest.raises(StoreFault, match="no run to resume"):
        fit(splits, folder, resume=True)
    fit(splits, folder, replace(OPTIONS, epochs=1))
    with pytest.raises(StoreFault, match="already holds a run"):
        fit(splits, folder)
    with pytest.raises(TrainFault, match=r"was made with batch 4, learning rate 0\.01"):
        fit(splits, folder, replace(OPTIONS, batch=2, learning_rate=0.1), resume=True)
    with pytest.raises(StoreFault, match="belongs to another model"):
        train(
            small(),
            replace(CARD, hash="other"),
            splits["train"],
            splits["valid"],
            folder,
            OPTIONS,
            resume=True,
        )
    (folder / store.LAST).write_bytes(b"nonsense")
    with pytest.raises(
        StoreFault, match=r"last\.ckpt: holds no plain state, or code, which is not run"
    ) as found:
        fit(splits, folder, resume=True)
    assert "weights_only" not in str(found.value)
    whole = io.BytesIO()
    torch.save({"a": torch.zeros(1000)}, whole)
    (folder / store.LAST).write_bytes(whole.getvalue()[:2000])
    with pytest.raises(StoreFault, match=r"last\.ckpt: damaged: "):
        fit(splits, folder, resume=True)
    torch.save({"name": "other"}, folder / store.LAST)
    with pytest.raises(StoreFault, match="holds no state of a run"):
        fit(splits, folder, resume=True)


class _Broken(nn.Module):
    """The stand-in until `calls` updates are done; then `spoil` changes a part or a parameter."""

    def __init__(self, calls: int, spoil: Callable[[Any], Any]) -> None:
        super().__init__()
        self.inner = small()
        self.calls = calls
        self.spoil = spoil

    def elbo(self, *tensors: torch.Tensor, **given: torch.Tensor) -> Any:
        result = self.inner.elbo(*tensors, **given)  # type: ignore[operator]
        self.calls -= 1
        return result if self.calls >= 0 else self.spoil(result)


def test_a_term_that_is_not_finite_stops_the_run_and_is_named(
    splits: dict[str, Split], tmp_path: Path
) -> None:
    broken = _Broken(4, lambda parts: parts._replace(kl_z=parts.kl_z * float("nan")))
    with pytest.raises(TrainFault, match="kl_z is nan in epoch 2, update 1"):
        fit(splits, tmp_path / "run", model=broken)
    assert (tmp_path / "run" / store.WEIGHTS).is_file()


def test_a_gradient_that_is_not_finite_is_named(splits: dict[str, Split], tmp_path: Path) -> None:
    broken = _Broken(0, lambda parts: parts._replace(log_p_x=torch.sqrt(parts.log_p_x * 0.0)))
    with pytest.raises(TrainFault, match=r"the gradient of inner\.\S+ is not finite in epoch 1, update 1"):
        fit(splits, tmp_path / "run", model=broken)


def test_an_interrupted_write_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "sub" / "file.txt"
    write_text(path, "old")

    def interrupted() -> None:
        with replacing(path) as temporary:
            temporary.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert path.read_text() == "old"
    assert [p.name for p in path.parent.iterdir()] == ["file.txt"]


def test_a_run_interrupted_while_saving_resumes_to_the_same_end(
    splits: dict[str, Split], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, _, _ = fit(splits, tmp_path / "whole")
    saved, count = torch.save, [0]

    def fails_at_the_third(value: Any, path: Path) -> None:
        count[0] += 1
        saved(value, path)
        if count[0] == 3:
            raise OSError("disk full")

    monkeypatch.setattr(torch, "save", fails_at_the_third)
    with pytest.raises(OSError, match="disk full"):
        fit(splits, tmp_path / "broken")
    monkeypatch.undo()
    assert not [p.name for p in (tmp_path / "broken").iterdir() if p.name.endswith(".tmp")]
    resumed, outcome, rows = fit(splits, tmp_path / "broken", resume=True)
    assert [row.number for row in rows] == [3, 4]
    assert same(whole, resumed)
    assert outcome.epochs == 4


def test_the_loss_is_the_negative_elbo_per_real_frame(splits: dict[str, Split], tmp_path: Path) -> None:
    one = replace(OPTIONS, epochs=1, batch=100, objective=Objective(), learning_rate=0.5, clip=0.0)
    model, _, rows = fit(splits, tmp_path / "run", one)
    twin = small()
    optimizer = torch.optim.Adam(twin.parameters(), lr=0.5)
    members = list(np.argsort(splits["train"].lengths[_order(splits["train"])], kind="stable"))
    chosen = [int(k) for k in _order(splits["train"])[members]]
    batch = collate(splits["train"], chosen, torch.device("cpu"), torch.float32)
    keys = [(one.seed, 1, member, 0) for member in chosen]
    noise = draws(CARD.noises, keys, batch.lengths, torch.float32)
    elbo = twin.elbo(*batch.tensors, lengths=batch.lengths, **noise).elbo  # type: ignore[operator]
    (-elbo.sum() / batch.frames).backward()
    optimizer.step()
    assert rows[0].train["elbo"] == pytest.approx(float(elbo.detach().sum()) / batch.frames, rel=1e-5)
    for name, value in twin.state_dict().items():
        torch.testing.assert_close(value, model.state_dict()[name], rtol=1e-4, atol=1e-5)


def _order(split: Split) -> np.ndarray[Any, Any]:
    return np.random.default_rng([OPTIONS.seed, 1]).permutation(split.sequences)
