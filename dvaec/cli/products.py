"""The files that `compile` writes, each whole or not at all."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from dvaec.cli.stages import plan_of

if TYPE_CHECKING:
    from dvaec.compiler import Compilation


def write_all(known: Compilation, folder: Path, stem: str) -> list[Path]:
    """Write a compiled page's products to `folder` and return their paths.

    All are made in a temporary folder beside it first: what fails on the way changes nothing there.
    """
    from dvaec.runtime.script import save_fresh

    assert known.module is not None
    folder.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
    try:
        texts = texts_of(known)
        for name, text in texts.items():
            (made / name).write_text(text, encoding="utf-8", newline="\n")
        archive = f"{stem}.pt"
        save_fresh(known.module, known.spec.name, made / archive)
        folder.mkdir(exist_ok=True)
        paths = [folder / name for name in (*texts, archive)]
        for path in paths:
            (made / path.name).replace(path)
        return paths
    finally:
        shutil.rmtree(made, ignore_errors=True)


def texts_of(known: Compilation) -> dict[str, str]:
    """Return the products that are text, by file name; each ends with one newline."""
    from dvaec.emit.diagram_set import all_sources
    from dvaec.emit.latex import elbo_tex

    assert known.module is not None
    assert known.derivation is not None
    assert known.elbo is not None
    texts = {
        "model.py": known.module,
        "elbo.tex": elbo_tex(known.spec, known.derivation, known.elbo),
        "plan.txt": plan_of(known),
        **all_sources(known.spec, known.derivation),
    }
    return {name: text.rstrip("\n") + "\n" for name, text in texts.items()}
