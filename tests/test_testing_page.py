"""docs/testing.md: its lists are the lists that are checked, its example is a test file that runs and can fail."""

from __future__ import annotations

import importlib
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from dvaec.testing.derivation import DERIVED
from dvaec.testing.properties import PROPERTIES
from tests.language_page import blocks, code, tables
from tests.shipped import ROOT

LISTS = [table.rows for table in tables("testing") if table.columns[1:2] == ("the list says",)]


@pytest.mark.parametrize(("rows", "checked"), [*zip(LISTS, (DERIVED, PROPERTIES), strict=True)])
def test_the_lists_are_those_that_verify_checks(rows: tuple[tuple[str, ...], ...], checked: object) -> None:
    assert isinstance(checked, tuple)
    assert [(code(row[0]), row[1]) for row in rows] == [(one.name, one.says) for one in checked]
    assert all(row[2] for row in rows)


def test_what_is_offered_is_there() -> None:
    (offered,) = (table.rows for table in tables("testing") if table.columns == ("name", "what it is"))
    assert len(offered) > 5
    for name in (code(row[0]) for row in offered):
        room, _, attribute = name.rpartition(".")
        assert hasattr(importlib.import_module(room), attribute), name


def run(folder: Path) -> tuple[int, str]:
    """Run the example as a stranger would: a folder of its own, without this repository's settings."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(folder)]
    done = subprocess.run(
        [*command, str(folder)], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout


def test_the_example_passes(tmp_path: Path) -> None:
    ((test,), (page,)) = blocks("python", "testing"), blocks("yaml", "testing")
    (tmp_path / "test_mine.py").write_text(test, encoding="utf-8")
    (tmp_path / "mine.yaml").write_text(page, encoding="utf-8")
    status, said = run(tmp_path)
    assert status == 0, said
    assert re.search(rf"^{len(re.findall('def test_', test))} passed", said, re.MULTILINE)


def test_the_example_fails_where_its_function_is_wrong(tmp_path: Path) -> None:
    ((test,), (page,)) = blocks("python", "testing"), blocks("yaml", "testing")
    cut = test.index("def test_our_page"), test.index("def test_unheard_on_our_page")
    wrong = test[: cut[0]] + test[cut[1] : test.index("@short\n@given(specs())\ndef test_any_page")]
    wrong = wrong.replace("if name not in heard", "if name in heard")
    (tmp_path / "test_mine.py").write_text(wrong, encoding="utf-8")
    (tmp_path / "mine.yaml").write_text(page, encoding="utf-8")
    status, said = run(tmp_path)
    assert status == 1
    assert "2 failed" in said
