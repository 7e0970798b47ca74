"""docs/laboratory.md, Data: every example runs, in the order of the page; the list of sets is the catalogue's."""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from dvaec.cli.app import app
from dvaec.runtime.sets.catalogue import BUILT_IN
from tests.shipped import ROOT

PAGE = (ROOT / "docs" / "laboratory.md").read_text(encoding="utf-8")
DATA = re.split(r"^## ", PAGE.partition("## Data\n")[2], flags=re.MULTILINE)[0]
BLOCKS = re.findall(r"^```(python|sh)\n(.*?)^```$", DATA, flags=re.MULTILINE | re.DOTALL)


def test_every_example_of_data_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DVAEC_CACHE", str(tmp_path / "cache"))
    (tmp_path / "specs").symlink_to(ROOT / "specs")
    names: dict[str, Any] = {}
    commands = 0
    for kind, text in BLOCKS:
        if kind == "python":
            exec(compile(text, "laboratory.md", "exec"), names)
            continue
        for line in text.splitlines():
            if "$DVAEC_DATA" in line and "DVAEC_DATA" not in os.environ:
                continue
            program, *words = shlex.split(os.path.expandvars(line))
            assert program == "dvaec"
            done = CliRunner().invoke(app, words)
            assert done.exit_code == 0, f"{line}\n{done.output}"
            commands += 1
    assert commands >= 9
    assert len(names["bound"]) == 5
    assert names["data"].training.scales["x"].scale.shape == (3,)


def test_the_page_lists_the_built_in_sets() -> None:
    listed = re.findall(r"^\| `([a-z-]+)` \| x ", DATA, flags=re.MULTILINE)
    assert tuple(dict.fromkeys(name for name in listed if name in BUILT_IN)) == BUILT_IN
