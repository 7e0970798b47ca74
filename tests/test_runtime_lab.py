"""The commands train, evaluate and data, with the stand-in in the compiler's place."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import typer
from torch import nn
from typer.testing import CliRunner, Result

from dvaec.cli.data import data
from dvaec.cli.evaluate import evaluate
from dvaec.cli.train import train
from dvaec.runtime.source import load_class
from dvaec.runtime.store import WEIGHTS, load_card, load_weights
from tests.runtime_stand_in import CARD, SOURCE, arrays, write


@pytest.fixture(autouse=True)
def compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    def compile_spec(path: Path, overrides: Sequence[str], allow_python: bool) -> Any:
        assert not allow_python
        assert path == Path("small.yaml")
        assert list(overrides) == ["x.dim=2"]
        return SimpleNamespace(source=SOURCE, class_name="Small", card=asdict(CARD))

    def load(run: Path, allow_python: bool) -> nn.Module:
        assert not allow_python
        model = load_class(SOURCE, "Small")()
        load_weights(run / WEIGHTS, model, load_card(run))
        return model

    monkeypatch.setitem(sys.modules, "dvaec.compiler", SimpleNamespace(compile_spec=compile_spec))
    monkeypatch.setitem(sys.modules, "dvaec.api", SimpleNamespace(load=load))


def call(*arguments: str | Path) -> Result:
    app = typer.Typer()
    app.command()(evaluate)
    app.command()(data)
    app.command()(train)
    return CliRunner().invoke(app, [str(a) for a in arguments])


def trained(tmp_path: Path, *more: str) -> tuple[Path, str, Result]:
    data = write(tmp_path / "set.npz", arrays())
    short = ("--epochs", "3", "--batch", "4", "--lr", "0.01", "--warmup", "1")
    run = tmp_path / "run"
    done = call("train", "small.yaml", "--set", "x.dim=2", "--data", data, "-o", run, *short, *more)
    return run, data, done


def test_train_then_evaluate(tmp_path: Path) -> None:
    run, data, done = trained(tmp_path)
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert lines[0].startswith(
        "Small: trained on a surrogate of the ELBO: KL's weight from 0 to 1 over an epoch."
    )
    assert lines[1].startswith("Small: epoch 1/3  train -ELBO ")
    assert lines[-2].startswith("Small: best of 3 epochs is 3: validation -ELBO ")
    assert lines[-1] == str(run)
    shown = call("evaluate", run, "--data", data, "--samples", "3")
    assert shown.exit_code == 0, shown.output
    table = shown.stdout.splitlines()
    assert table[0].startswith("Small, test: 12 sequences, ")
    end = table.index("")
    assert [line.split("  ")[0].strip() or line.split()[0] for line in table[1:end]] == [
        "nats per frame", "-ELBO", "reconstruction", "KL", "-log p, K = 100", "of",
    ]  # fmt: skip
    values = [float(line.split("±")[0].split()[-1]) for line in table[2:6]]
    assert values[0] == pytest.approx(values[1] + values[2], abs=2e-4)
    machine = json.loads(call("evaluate", run, "--data", data, "--samples", "3", "--format", "json").stdout)
    assert -machine["frame"]["elbo"]["mean"] == pytest.approx(values[0], abs=1e-4)
    assert -machine["importance"]["frame"]["mean"] == pytest.approx(values[3], abs=1e-4)
    assert values[3] < values[0]
    [latent] = machine["latents"]
    assert table[end + 1].startswith("z (gaussian, over ")
    assert f"{latent['active']} of 2 dimensions active, {latent['collapsed']} collapsed" in table[end + 1]
    assert machine["protocol"] == table[-5:]
    assert "Burda et al. 2016" in table[-3]


def test_one_draw_has_no_error_and_is_json_all_the_same(tmp_path: Path) -> None:
    run, data, _ = trained(tmp_path)
    shown = call("evaluate", run, "--data", data, "--samples", "1", "--format", "json").stdout

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    found = json.loads(shown, parse_constant=refuse)
    assert found["frame"]["elbo"]["error"] is None
    assert isinstance(found["frame"]["elbo"]["mean"], float)


def test_resume_on_the_command_line(tmp_path: Path) -> None:
    trained(tmp_path)
    refused = trained(tmp_path)[2]
    assert refused.exit_code == 1
    assert "already holds a run" in refused.stderr
    assert "--resume continues it" in refused.stderr
    resumed = trained(tmp_path, "--resume", "--epochs", "5")[2]
    assert resumed.exit_code == 0, resumed.output
    assert resumed.stdout.splitlines()[1].startswith("Small: epoch 4/5")


def test_a_run_is_not_resumed_on_other_data(tmp_path: Path) -> None:
    trained(tmp_path)
    content = arrays()
    kept = content["train_lengths"][:-1]
    for name in ("x", "u"):
        content[f"train_{name}"] = content[f"train_{name}"][: kept.sum()]
    content["train_lengths"] = kept
    write(tmp_path / "less.npz", content)
    refused = call(
        "train", "small.yaml", "--set", "x.dim=2", "--data", tmp_path / "less.npz", "-o", tmp_path / "run",
        "--epochs", "5", "--batch", "4", "--lr", "0.01", "--warmup", "1", "--resume",
    )  # fmt: skip
    assert refused.exit_code == 1
    assert f"run: train has {len(kept)} sequences of {kept.sum()} frames together, and had " in refused.stderr
    assert len((tmp_path / "run" / "history.csv").read_text().splitlines()) == 4


def test_what_does_not_fit_into_memory_is_one_line(tmp_path: Path) -> None:
    full = call(
        "train", "small.yaml", "--set", "x.dim=2", "--data", "lorenz:frames=9999999999999999", "-o", tmp_path
    )
    assert full.exit_code == 1
    assert full.stderr.startswith("error: out of memory: Unable to allocate ")
    assert "a smaller --batch" in full.stderr


def test_scores_that_cannot_be_are_refused_before_anything_is_computed(tmp_path: Path) -> None:
    run, data, _ = trained(tmp_path)
    for words, said in (
        (("--audio",), "x is gaussian: only a gamma variable"),
        (("--motion", "mm"), "x has dim 2, which is no number of joints in three dimensions"),
    ):
        refused = call("evaluate", run, "--data", data, *words)
        assert (refused.exit_code, refused.stdout) == (1, "")
        assert said in refused.stderr


def test_faults_are_one_clear_message_and_status_1(tmp_path: Path) -> None:
    missing = call("train", "small.yaml", "--set", "x.dim=2", "--data", "pendulun")
    assert (missing.exit_code, missing.stdout) == (1, "")
    assert missing.stderr == "error: pendulun: no such file\n   = hint: did you mean 'pendulum'?\n"
    nowhere = call("evaluate", tmp_path / "none", "--data", "pendulum")
    assert nowhere.exit_code == 1
    assert "not a run folder" in nowhere.stderr
    run, _, _ = trained(tmp_path)
    content = arrays()
    del content["test_lengths"]
    part = call("evaluate", run, "--data", write(tmp_path / "part.npz", content))
    assert part.exit_code == 1
    assert "array 'test_lengths' is missing" in part.stderr


def test_wrong_usage_is_status_2(tmp_path: Path) -> None:
    assert call("train", "small.yaml").exit_code == 2
    assert call("train", "small.yaml", "--data", "pendulum", "--epochs", "0").exit_code == 2
    run, data, _ = trained(tmp_path)
    assert call("evaluate", run, "--data", data, "--format", "xml").exit_code == 2
    assert call("evaluate", run, "--data", data, "--split", "tests").exit_code == 2


def test_an_interrupt_says_how_to_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_arguments: Any, **_options: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("dvaec.runtime.train.train", interrupted)
    _, _, done = trained(tmp_path)
    assert done.exit_code == 130
    assert done.stderr == "interrupted: the finished epochs are kept; --resume continues\n"


def test_data_writes_a_set_that_trains(tmp_path: Path) -> None:
    path = tmp_path / "p.npz"
    made = call("data", "pendulum", "-o", path, "--sequences", "8", "--frames", "6")
    assert (made.exit_code, made.stdout) == (0, f"{path}\n")
    done = call(
        "train", "small.yaml", "--set", "x.dim=2", "--data", path, "-o", tmp_path / "run", "--epochs", "1"
    )
    assert done.exit_code == 0, done.output
    misnamed = call("data", "pendulum", "-o", tmp_path / "p.csv")
    assert misnamed.exit_code == 1
    assert "p.csv: arrays are written as .npz" in misnamed.stderr
    assert not (tmp_path / "p.csv").exists()
    wrong = call("data", "spring")
    assert wrong.exit_code == 1
    assert "one of pendulum, pendulum-ring" in wrong.stderr


def test_importing_the_commands_imports_no_torch() -> None:
    code = "import sys, dvaec.cli.lab; sys.exit('torch' in sys.modules or 'numpy' in sys.modules)"
    root = Path(__file__).parent.parent
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0
