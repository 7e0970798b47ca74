"""What is committed is what dvaec makes now: byte for byte, from any process."""

from __future__ import annotations

import os
import subprocess
import sys

from tests import regenerate
from tests.shipped import ROOT, SHIPPED


def test_everything_derived_is_committed_as_it_is_made_now() -> None:
    files = regenerate.derived()
    assert regenerate.differing(files) == []
    assert regenerate.stale(files) == []


def test_every_page_has_its_folder_and_no_folder_lacks_its_page() -> None:
    folders = sorted(p.name for p in (ROOT / "generated").iterdir() if p.is_dir() and p.name != "__pycache__")
    assert folders == list(SHIPPED)


def test_the_text_does_not_depend_on_the_order_of_hashes() -> None:
    """The process of the test above has another seed."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.regenerate", "--check"],
        cwd=ROOT,
        env=os.environ | {"PYTHONHASHSEED": seed_unlike_ours()},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def seed_unlike_ours() -> str:
    return "1" if os.environ.get("PYTHONHASHSEED") == "4242" else "4242"


def test_wrong_usage_is_answered() -> None:
    assert regenerate.main(["--chekc"]) == 2
