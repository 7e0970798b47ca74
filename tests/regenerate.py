"""All that is committed and made by dvaec itself, rewritten in one command: `python -m tests.regenerate`.

That is generated/NAME/ for every page of specs/ (what `dvaec compile` writes, without the TorchScript archive), the
JSON schema, docs/models.md, how often arrows of diagrams cross, and the expected texts of tests/bad. With --check nothing is written: the files that
differ are named, and the exit status is 1 if there are any. Read the difference before committing it.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from dvaec.cli.products import texts_of
from dvaec.compiler import run
from dvaec.spec.write_schema import schema_text
from tests import bad_specs, diagram_geometry, review_page
from tests.shipped import ROOT, SPECS

GENERATED = ROOT / "generated"
SCHEMA = ROOT / "dvaec" / "spec" / "schema.json"


def generated() -> dict[Path, bytes]:
    """Return the files of generated/, by path."""
    files: dict[Path, bytes] = {}
    for page in sorted(SPECS.glob("*.yaml")):
        for name, text in texts_of(run(page)).items():
            files[GENERATED / page.stem / name] = text.encode("utf-8")
    return files


def derived() -> dict[Path, bytes]:
    """Return every derived file of the repository, by path."""
    bad = {
        bad_specs.FOLDER / f"{name}.txt": bad_specs.text_of(name).replace(os.linesep, "\n").encode("utf-8")
        for name in bad_specs.names()
    }
    made = {SCHEMA: schema_text(), review_page.PAGE: review_page.review_page()}
    made[diagram_geometry.CROSSINGS] = diagram_geometry.crossings_text()
    return generated() | {path: text.encode("utf-8") for path, text in made.items()} | bad


def stale(files: dict[Path, bytes]) -> list[Path]:
    """Return what lies among the derived files and is none of them; archives, which are not committed, aside."""
    there = [
        p for p in GENERATED.rglob("*") if p.is_file() and "__pycache__" not in p.parts and p.suffix != ".pt"
    ]
    there += bad_specs.FOLDER.glob("*.txt")
    return sorted(p for p in there if p not in files)


def differing(files: dict[Path, bytes]) -> list[Path]:
    """Return the files that are missing or say something else."""
    return [path for path, content in files.items() if not path.is_file() or path.read_bytes() != content]


def main(words: list[str]) -> int:
    """Rewrite or, with --check, compare; return the exit status."""
    if words not in ([], ["--check"]):
        print("usage: python -m tests.regenerate [--check]", file=sys.stderr)
        return 2
    files = derived()
    old, new = stale(files), differing(files)
    for path in [*old, *new]:
        print(f"{'stale' if path in old else 'differs'}: {path.relative_to(ROOT)}")
    if words:
        return 1 if old or new else 0
    for path in old:
        path.unlink()
        if not any(path.parent.iterdir()):
            path.parent.rmdir()
    for path in new:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(files[path])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
