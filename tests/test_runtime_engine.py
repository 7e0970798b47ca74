"""Training on Lightning: processes that share batches, runs that were killed, disks that are full, numbers that are not."""

from __future__ import annotations

import csv
import json
import os
import re
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import lightning.pytorch as pl
import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

import dvaec
from dvaec.runtime import store
from dvaec.runtime.engine import SequenceData, TrainingModule
from dvaec.runtime.engine.settings import Engine, quiet
from dvaec.runtime.faults import LabFault, StoreFault, TrainFault
from dvaec.runtime.objective import Objective
from dvaec.runtime.sound import write_wav
from dvaec.runtime.train import Options, train
from tests.program import dvaec as program
from tests.runtime_stand_in import CARD, arrays, small, write
from tests.shipped import ROOT

PAGE = """\
dvaec: 1
model: Tiny
variables:
  x: {role: observed, dim: 2}
  z: {role: latent, dim: 2}
generation:
  - z_t | z_<t-1>
  - x_t | z_t
inference: filtering
networks:
  p(x_t): {reads: z_t, layers: [4 tanh]}
  q(z_t): {reads: "z_<t-1>, x_t", layers: [4 relu]}
"""

KILLED = """
import os, signal, sys
from pathlib import Path
from tests.test_runtime_engine import options, stand_in
epoch = [1]
def step(done, total):
    if len(sys.argv) > 2 and epoch[0] == 2 and done == 2:
        assert done < total
        os.kill(os.getpid(), signal.SIGKILL)
    epoch[0] += done == total
stand_in(Path(sys.argv[1]), options(), resume=False, step=step)
"""


def options(**more: Any) -> Options:
    usual: dict[str, Any] = {"epochs": 4, "batch": 4, "patience": 0, "objective": Objective(warmup=2)}
    return Options(**usual | more)


def stand_in(folder: Path, chosen: Options, **more: Any) -> Any:
    """Train the stand-in on 13 sequences; the last batch holds a single one."""
    from dvaec.runtime.data import load_splits

    folder.mkdir(parents=True, exist_ok=True)
    data = folder.parent / "set.npz"
    splits = load_splits(str(data) if data.exists() else write(data, arrays(13)), CARD, ["train", "valid"])
    return train(small(), CARD, splits["train"], splits["valid"], folder, chosen, **more)


def tiny(folder: Path, spoilt: float | None = None) -> tuple[Path, Path]:
    """Write a page of two Gaussians and data; `spoilt` stands in frame 3 of the second sequence."""
    page, data, random = folder / "tiny.yaml", folder / "data.npz", np.random.default_rng(0)
    page.write_text(PAGE)
    found: dict[str, Any] = {}
    for split in ("train", "valid", "test"):
        lengths = random.integers(4, 9, size=13)
        found[f"{split}_lengths"] = lengths
        found[f"{split}_x"] = random.normal(size=(int(lengths.sum()), 2))
    if spoilt is not None:
        found["train_x"][found["train_lengths"][0] + 2] = spoilt
    np.savez(data, allow_pickle=False, **found)
    return page, data


def history(folder: Path) -> list[dict[str, str]]:
    with (folder / "history.csv").open() as file:
        return [{k: v for k, v in line.items() if k != "seconds"} for line in csv.DictReader(file)]


def command(*words: str | Path, **more: Any) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [sys.executable, "-m", "dvaec", *map(str, words)],
        capture_output=True, text=True, check=False, env=environment, timeout=300, **more,
    )  # fmt: skip


def test_two_processes_give_the_curve_of_one_at_the_same_batch(tmp_path: Path) -> None:
    """13 sequences in batches of 4 and 2 samples: the last batch has one sequence, none for the second process."""
    page, data = tiny(tmp_path)
    words = ("train", page, "--data", data, "--epochs", "3", "--batch", "4", "--precision", "64")
    for devices in ("1", "2"):
        done = command(*words, "--samples", "2", "--devices", devices, "-o", tmp_path / devices, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert done.stdout.count("Tiny: epoch ") == 3
        assert done.stderr == ""
    one, two = history(tmp_path / "1"), history(tmp_path / "2")
    assert len(one) == len(two) == 3
    for row, other in zip(one, two, strict=True):
        for name, value in row.items():
            assert float(other[name]) == pytest.approx(float(value), rel=1e-7), name


def test_a_run_killed_in_the_middle_of_an_epoch_resumes_to_the_same_curve(tmp_path: Path) -> None:
    for name, more in (("whole", ()), ("broken", ("kill",))):
        (tmp_path / name).mkdir()
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            [sys.executable, "-c", KILLED, str(tmp_path / name / "run"), *more],
            check=False, env=environment, cwd=ROOT, timeout=300,
        )  # fmt: skip
        assert done.returncode == (-signal.SIGKILL if more else 0)
    assert len(history(tmp_path / "broken" / "run")) == 1
    stand_in(tmp_path / "broken" / "run", options(), resume=True)
    assert history(tmp_path / "broken" / "run") == history(tmp_path / "whole" / "run")
    for file in (store.WEIGHTS, store.CARD):
        assert (tmp_path / "broken" / "run" / file).read_bytes() == (
            tmp_path / "whole" / "run" / file
        ).read_bytes()


@contextmanager
def interruptible() -> Iterator[None]:
    """Let programs begun here heed SIGINT, also where these tests run in the background and ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def test_an_interrupt_leaves_what_resume_needs(tmp_path: Path) -> None:
    """SIGINT in the middle of training: one line, exit status 130, and a state that goes on."""
    page, data = tiny(tmp_path)
    words = ["train", str(page), "--data", str(data), "--patience", "0", "-o", str(tmp_path / "run")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    command_line = [sys.executable, "-m", "dvaec", *words, "--epochs", "100000"]
    with (
        interruptible(),
        subprocess.Popen(
            command_line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
        ) as begun,
    ):
        assert begun.stdout is not None
        while "epoch 2/" not in begun.stdout.readline():
            assert begun.poll() is None
        begun.send_signal(signal.SIGINT)
        _, said = begun.communicate(timeout=120)
    assert begun.returncode == 130
    assert said == "interrupted: the finished epochs are kept; --resume continues\n"
    done = len(history(tmp_path / "run"))
    more = program(*words, "--resume", "--epochs", str(done + 1))
    assert more.returncode == 0, more.stderr
    assert len(history(tmp_path / "run")) == done + 1


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """Let no file grow beyond `size` bytes: what a full disk does to a write."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)


def test_a_full_disk_is_one_line_and_damages_no_checkpoint(tmp_path: Path) -> None:
    run = tmp_path / "run"
    stand_in(run, options(epochs=2))
    before = {path.name: path.read_bytes() for path in run.iterdir()}
    room = max(len(content) for name, content in before.items() if name != store.LAST) + 100
    assert room < len(before[store.LAST])  # the weights still fit, the state does not
    with (
        largest_file(room),
        pytest.raises(StoreFault, match=r"last\.ckpt: cannot be written: File too large") as found,
    ):
        stand_in(run, options(), resume=True)
    assert found.value.hint == "the file that was there is as it was"
    assert {path.name for path in run.iterdir()} == set(before)
    assert (run / store.LAST).read_bytes() == before[store.LAST]
    stand_in(tmp_path / "whole", options())
    stand_in(run, options(), resume=True)
    assert history(run) == history(tmp_path / "whole")


def test_a_full_disk_is_one_line_for_sound_too(tmp_path: Path) -> None:
    pytest.importorskip("soundfile")
    with largest_file(100), pytest.raises(StoreFault, match=r"one\.wav: cannot be written: File too large"):
        write_wav(tmp_path / "one.wav", np.zeros(8000), 8000)
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    page, data = tiny(tmp_path)
    done = program("train", str(page), "--data", str(data), "--epochs", "1", "-o", str(data / "run"))
    assert done.returncode == 1
    assert done.stderr == (
        f"error: {data}/run/card.json: cannot be written: Not a directory\n   = hint: no part of it is left\n"
    )


def fit(page: Path, data: Path, folder: Path, **more: Any) -> Any:
    module = dvaec.lightning_module(page)
    batches = dvaec.lightning_data(module, str(data), batch=5)
    chosen = options(epochs=1, batch=5, objective=Objective(), **more)
    return train(module.model, module.card, batches.training, batches.validation, folder, chosen)


def test_what_is_not_finite_is_traced_to_term_frame_sequence_and_conditional(tmp_path: Path) -> None:
    """1e25 squared is no float; nor is 1e14 times that."""
    with pytest.raises(TrainFault) as found:
        fit(*tiny(tmp_path, 1e25), tmp_path / "a")
    assert "log_p_x is -inf in epoch 1, update " in found.value.message
    assert "first in frame 3 of sequence 2, by p(x_t), whose parameters are finite" in found.value.message
    assert "; the batch holds the sequences " in found.value.message
    assert "try a smaller --lr" in str(found.value.hint)
    module = dvaec.lightning_module(tmp_path / "tiny.yaml")
    data = dvaec.lightning_data(module, str(tmp_path / "data.npz"), batch=5)
    with torch.no_grad():
        module.model.get_parameter("q_z_1.weight").fill_(1e14)
    with pytest.raises(
        TrainFault, match=r"first in frame 3 of sequence 2, by q\(z_t\), whose q_z_mean is (inf|nan)"
    ):
        train(
            module.model,
            module.card,
            data.training,
            data.validation,
            tmp_path / "b",
            options(epochs=1, batch=5),
        )
    with torch.no_grad():
        module.model.get_parameter("q_z_1.weight")[0, 0] = float("nan")
    with pytest.raises(TrainFault, match=r"the weights q_z_1\.weight are not finite in epoch 1, update 1"):
        train(
            module.model,
            module.card,
            data.training,
            data.validation,
            tmp_path / "c",
            options(epochs=1, batch=5),
        )


@pytest.mark.parametrize("clip", [0.0, 5.0])
def test_finite_gradients_with_a_norm_that_overflows_end_the_run_by_name(tmp_path: Path, clip: float) -> None:
    """1e15 squared over a variance of 1e-4 is a finite loss; its gradient's norm is not, squared."""
    page, data = tiny(tmp_path, 1e15)
    with pytest.raises(TrainFault) as found:
        fit(page, data, tmp_path / "run", clip=clip)
    assert re.fullmatch(
        r"the gradient of \S+ is \S+, too large to go on, in epoch 1, update \d, by log_p_x in frame 3 "
        r"of sequence 2, p\(x_t\); the batch holds the sequences [\d, ]*2[\d, ]*",
        found.value.message,
    )
    assert "weights kept" not in str(found.value.hint)


def test_what_is_not_finite_in_validation_is_traced_too(tmp_path: Path) -> None:
    page, data = tiny(tmp_path)
    arrays = dict(np.load(data))
    arrays["valid_x"] = arrays["valid_x"].copy()
    arrays["valid_x"][1] = 1e25
    np.savez(data, **arrays)
    with pytest.raises(
        TrainFault, match=r"log_p_x is -inf in the validation of epoch 1, first in frame 2 of"
    ):
        fit(page, data, tmp_path / "run")


def test_what_a_killed_process_has_left_is_swept(tmp_path: Path) -> None:
    page, data = tiny(tmp_path)
    run = tmp_path / "run"
    run.mkdir()
    (run / ".last.ckpt.abc.tmp").write_bytes(b"half")
    fit(page, data, run)
    assert not list(run.glob(".*"))


def test_a_process_that_loses_another_one_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What gloo says where its other end has gone is no fault of dvaec's."""

    class Lost:
        world_size, global_rank, interrupted = 2, 0, False
        strategy = SimpleNamespace(launcher=None)

        def fit(self, *_: Any, **__: Any) -> None:
            raise RuntimeError("[gloo/transport/tcp/pair.cc:553] Connection closed by peer [127.0.0.1]:37516")

    monkeypatch.setattr("dvaec.runtime.train.lightning_trainer", lambda *_, **__: Lost())
    with pytest.raises(TrainFault, match="process 1 of 2 goes no further: another one of them has ended"):
        fit(*tiny(tmp_path), tmp_path / "run")


def test_the_card_says_how_the_weights_came_about(tmp_path: Path) -> None:
    outcome = stand_in(tmp_path / "run", options(seed=3))
    run = json.loads((tmp_path / "run" / "card.json").read_text())["run"]
    assert run["seed"] == 3
    assert run["epoch"] == outcome.best_epoch
    assert run["metrics"]["valid_elbo"] == outcome.best_elbo
    assert run["surrogate"] == ["KL's weight from 0 to 1 over 2 epochs"]
    assert set(run["versions"]) == {"dvaec", "python", "torch", "lightning"}
    assert run["options"]["objective"]["warmup"] == 2


def test_a_run_of_another_meaning_is_refused_with_the_difference(tmp_path: Path) -> None:
    page, data = tiny(tmp_path)
    run = tmp_path / "run"
    words = ("train", str(page), "--data", str(data), "-o", str(run))
    assert program(*words, "--epochs", "1").returncode == 0
    page.write_text(PAGE.replace("layers: [4 tanh]", "layers: [5 tanh]"))
    refused = program(*words, "--resume")
    assert refused.returncode == 1
    assert "last.ckpt: belongs to another model: Tiny with hash " in refused.stderr
    assert (
        "\n  -  p(x_t): {reads: z_t, layers: [4 tanh]}\n  +  p(x_t): {reads: z_t, layers: [5 tanh]}\n"
        in refused.stderr
    )
    other = dvaec.lightning_module(page)
    with pytest.raises(StoreFault, match=r"(?s)weights\.safetensors: belongs to another model.*\+  p\(x_t\)"):
        store.load_weights(run / store.WEIGHTS, other.model, other.card)


def test_a_trainer_of_ones_own_runs_the_modules(tmp_path: Path) -> None:
    """Lightning's trainer with its own checkpoints: resumed after an epoch, it ends where the unbroken run does."""
    page, data = tiny(tmp_path)

    def run(epochs: int, folder: Path, start: Path | None = None) -> TrainingModule:
        module = dvaec.lightning_module(page, seed=2)
        batches = dvaec.lightning_data(module, str(data), batch=4)
        with quiet():
            trainer = pl.Trainer(
                max_epochs=epochs, accelerator="cpu", default_root_dir=folder, logger=False,
                enable_progress_bar=False, enable_model_summary=False,
                callbacks=[pl.callbacks.ModelCheckpoint(folder, "kept"), pl.callbacks.EarlyStopping("valid_elbo", mode="max")],
            )  # fmt: skip
            trainer.fit(module, datamodule=batches, ckpt_path=start, weights_only=True)
        assert set(trainer.callback_metrics) >= {"valid_elbo", "valid_kl_z", "train_elbo", "beta"}
        return module

    whole = run(3, tmp_path / "whole")
    run(1, tmp_path / "broken")
    resumed = run(3, tmp_path / "again", tmp_path / "broken" / "kept.ckpt")
    assert whole.row is not None
    assert resumed.row is not None
    assert resumed.row.train == whole.row.train
    for name, value in whole.model.state_dict().items():
        assert torch.equal(value, resumed.model.state_dict()[name]), name


def test_batches_of_ones_own_are_what_elbo_takes(tmp_path: Path) -> None:
    page, _ = tiny(tmp_path)
    module = dvaec.lightning_module(page)
    data = [{"x": torch.randn(5, 2), "lengths": torch.tensor(length)} for length in (5, 3, 4, 5)]
    with quiet():
        trainer = pl.Trainer(
            max_epochs=1, accelerator="cpu", default_root_dir=tmp_path, logger=False, enable_progress_bar=False,
            enable_model_summary=False, enable_checkpointing=False,
        )  # fmt: skip
        trainer.fit(module, DataLoader(data, batch_size=2), DataLoader(data, batch_size=4))  # type: ignore[arg-type]
    assert module.row is not None
    assert module.row.number == 1
    assert module.row.train["elbo"] == pytest.approx(module.row.train["log_p_x"] - module.row.train["kl_z"])
    assert module.row.surrogate is None


def test_tensorboard_files_stand_beside_the_csv(tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    stand_in(tmp_path / "run", options(), engine=Engine(tensorboard=True))
    events = EventAccumulator(str(tmp_path / "run" / "tensorboard"))
    events.Reload()
    told = [event.value for event in events.Scalars("valid_elbo")]
    assert told == pytest.approx([float(row["valid_elbo"]) for row in history(tmp_path / "run")], rel=1e-5)


@pytest.mark.parametrize(("precision", "near"), [("64", 1e-4), ("bf16-mixed", 0.05)])
def test_other_precisions_learn_the_same(tmp_path: Path, precision: str, near: float) -> None:
    usual = stand_in(tmp_path / "usual", options())
    other = stand_in(tmp_path / "other", options(), engine=Engine(precision=precision))
    assert other.best_elbo == pytest.approx(usual.best_elbo, rel=near)
    assert other.best_elbo != usual.best_elbo


def test_processes_that_prepare_batches_change_nothing(tmp_path: Path) -> None:
    stand_in(tmp_path / "none", options(epochs=2))
    stand_in(tmp_path / "one", options(epochs=2), engine=Engine(workers=1))
    assert history(tmp_path / "none") == history(tmp_path / "one")


def test_settings_that_cannot_be(tmp_path: Path) -> None:
    with pytest.raises(LabFault, match="--precision 8: no such precision"):
        stand_in(tmp_path / "a", options(), engine=Engine(precision="8"))
    with pytest.raises(LabFault, match="--device cuda:1 is one device"):
        stand_in(tmp_path / "b", options(), engine=Engine(device="cuda:1", devices=2))
    with pytest.raises(TrainFault, match="the learning rate is inf"):
        stand_in(tmp_path / "c", options(learning_rate=float("inf")))


def test_several_machines_that_nothing_has_started_do_not_wait_for_each_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("MASTER_ADDR", "SLURM_JOB_ID"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(LabFault, match="--nodes 2: the machines do not know of each other"):
        stand_in(tmp_path / "a", options(), engine=Engine(nodes=2))


def test_a_module_takes_the_place_of_a_process(tmp_path: Path) -> None:
    """Every second sequence of each batch, frames of the whole batch: the halves' losses add up to the whole's."""
    page, data = tiny(tmp_path)
    module = dvaec.lightning_module(page)
    whole = dvaec.lightning_data(module, str(data), batch=4)
    assert isinstance(whole, SequenceData)
    batches = list(whole.train_dataloader())
    assert [len(batch.members) for batch in sorted(batches, key=lambda b: -len(b.members))] == [4, 4, 4, 1]
    assert sum(int(batch.frames) for batch in batches) == whole.training.frames


def test_a_scripted_model_is_validated_without_dropout(tmp_path: Path) -> None:
    """With a learning rate of 0 the weights stay as they are: scripted or not, validation must agree."""
    found = []
    for scripted in (False, True):
        page = tmp_path / "tiny.yaml"
        page.write_text(PAGE.replace("layers: [4 tanh]", "layers: [4 tanh dropout 0.5]"))
        module = dvaec.lightning_module(page, seed=0)
        data = dvaec.lightning_data(module, "pendulum", batch=50)
        chosen = options(epochs=1, batch=50, learning_rate=0.0, scripted=scripted)
        folder = tmp_path / str(scripted)
        found.append(
            train(module.model, module.card, data.training, data.validation, folder, chosen).best_elbo
        )
    assert found[0] == pytest.approx(found[1], rel=1e-6)
