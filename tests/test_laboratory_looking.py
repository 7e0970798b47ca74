"""docs/laboratory.md, Evaluating and Looking: every example runs, in the order of the page."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dvaec.cli.app import app
from dvaec.runtime.pictures.kind import Kind
from tests.shipped import ROOT

PAGE = (ROOT / "docs" / "laboratory.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    return re.split(r"^## ", PAGE.partition(f"## {title}\n")[2], flags=re.MULTILINE)[0]


BOTH = section("Evaluating") + section("Looking")


def test_every_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("matplotlib")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "specs").symlink_to(ROOT / "specs")
    commands = []
    for block in re.findall(r"^```sh\n(.*?)^```$", BOTH, flags=re.MULTILINE | re.DOTALL):
        for line in block.splitlines():
            program, *words = shlex.split(line)
            assert program == "dvaec"
            done = CliRunner().invoke(app, words)
            assert done.exit_code == 0, f"{line}\n{done.output}"
            commands.append(words[0])
    assert set(commands) == {"train", "evaluate", "encode", "reconstruct", "forecast", "sample", "curves"}
    for name in ("z.png", "x.svg", "forecast.pdf", "runs/pendulum/curves.svg", "runs/pendulum/sampled.npz"):
        assert (tmp_path / name).stat().st_size > 1000


def test_the_page_lists_the_kinds_of_pictures() -> None:
    assert re.findall(r"^\| `([a-z]+)` \| ", section("Looking"), flags=re.MULTILINE) == [
        str(kind) for kind in Kind
    ]


def test_its_pictures_are_there_and_small() -> None:
    names = re.findall(r'<img src="([^"]+)"', BOTH)
    assert names
    for name in names:
        assert 10_000 < (ROOT / "docs" / name).stat().st_size < 100_000
