"""The bad specs of tests/bad, and the right ones that a reader would remark upon: what dvaec says of them.

`python -m tests.bad_specs` rewrites every tests/bad/NAME.txt from what dvaec says now; read the difference before
committing it. NAME.set beside NAME.yaml holds overrides, one a line, as given to --set.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from dvaec.compiler import run
from dvaec.diagnostics import Diagnostic, Fault, Sources, ordered, render

FOLDER = Path(__file__).with_name("bad")


def names() -> list[str]:
    """Return the names of all bad specs."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def found_in(name: str) -> tuple[tuple[Diagnostic, ...], Sources]:
    """Return what dvaec finds in one bad spec up to its plan; files are named without their folder."""
    overrides = FOLDER / f"{name}.set"
    lines = overrides.read_text(encoding="utf-8").splitlines() if overrides.exists() else []
    with contextlib.chdir(FOLDER):
        try:
            known = run(Path(f"{name}.yaml"), lines, until="plan")
        except Fault as fault:
            return fault.diagnostics, fault.sources
    return ordered(known.notes), known.source.sources()


def text_of(name: str) -> str:
    """Return the rendering of what dvaec finds, or nothing."""
    found, sources = found_in(name)
    return f"{render(found, sources)}\n" if found else ""


def rewrite() -> None:
    """Write every expected text anew."""
    for name in names():
        (FOLDER / f"{name}.txt").write_bytes(
            text_of(name).encode("utf-8").replace(os.linesep.encode(), b"\n")
        )


if __name__ == "__main__":
    rewrite()
