"""docs/laboratory.md, Comparing: every example runs, on less data and for an epoch."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from dvaec.cli.app import app
from tests.shipped import ROOT
from tests.test_laboratory_looking import section

LESS = ("--epochs", "1", "--seeds", "1", "--importance", "2", "--draws", "1", "--jobs", "1")


def tones(folder: Path) -> str:
    soundfile = pytest.importorskip("soundfile")
    folder.mkdir()
    for k in range(5):
        wave = np.sin(2 * np.pi * (200 + 20 * k) * np.arange(6000) / 8000)
        soundfile.write(folder / f"tone{k}.wav", wave, 8000)
    return f"{folder}:split=3+1+1"


def test_every_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for library in ("matplotlib", "pesq", "pystoi", "torchmetrics"):
        pytest.importorskip(library)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DVAEC_CACHE", str(tmp_path / "cache"))
    digits = tones(tmp_path / "digits")
    (tmp_path / "specs").symlink_to(ROOT / "specs")
    pos = np.random.default_rng(0).integers(-900, 900, size=(60, 4, 3)).astype(np.int16)
    pos[:, 0] = 0
    np.savez("poses.npz", pos=pos, lengths=np.full(6, 10), split=np.array([0, 0, 0, 0, 1, 2]))
    text = "".join(re.findall(r"^```sh\n(.*?)^```$", section("Comparing"), flags=re.MULTILINE | re.DOTALL))
    found = {}
    for line in text.replace("pendulum-ring", "pendulum-ring:sequences=8,frames=6").splitlines():
        program, *words = shlex.split(line.replace("$DIGITS", digits))
        assert program == "dvaec"
        done = CliRunner().invoke(app, [*words, *LESS])
        assert done.exit_code == 0, f"{line}\n{done.output}"
        out = Path(words[words.index("-o") + 1] if "-o" in words else "runs/compare")
        head, *rows = (out / "table.txt").read_text().split("\n\n")[0].splitlines()
        found[out.name] = ([re.split(r"  +", row)[0] for row in rows], re.split(r"  +", head))
    assert found["compare"][0] == ["vrnn", "srnn", "dkf_undriven"]
    assert found["speech"][0] == ["srnn", "srnn, generation", "srnn-gm", "srnn-gm, generation"]
    assert "SI-SDR, dB" in found["speech"][1]
    assert found["poses"][0] == ["vrnn", "vrnn-small"]
    assert "MPJPE, mm" in found["poses"][1]
    assert (tmp_path / "runs" / "compare" / "curves.svg").is_file()


def test_data_that_are_not_there_are_said_first_and_nothing_is_written(tmp_path: Path) -> None:
    out = tmp_path / "runs"
    words = ["compare", str(ROOT / "specs" / "vrnn.yaml"), "--data", "nope.npz", "-o", str(out)]
    done = CliRunner().invoke(app, words)
    assert (done.exit_code, out.exists()) == (1, False)
    assert "error: nope.npz: no such file" in done.output


def test_where_every_run_fails_there_is_no_table(tmp_path: Path) -> None:
    out = tmp_path / "runs"
    np.savez(tmp_path / "other.npz", train_y=np.zeros((4, 5, 1)))
    words = [
        "compare",
        str(ROOT / "specs" / "vrnn.yaml"),
        "--data",
        str(tmp_path / "other.npz"),
        "--jobs",
        "1",
    ]
    done = CliRunner().invoke(app, [*words, "--seeds", "1", "-o", str(out)])
    assert done.exit_code == 1
    assert "vrnn, seed 0: " in done.output
    assert not list(out.glob("*.*"))
