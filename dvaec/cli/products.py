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
    folder.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
    try:
        texts = _texts(known)
        for name, text in texts.items():
            (made / name).write_text(text.rstrip("\n") + "\n", encoding="utf-8", newline="\n")
        archive = f"{stem}.pt"
        _script(known, made / archive)
        folder.mkdir(exist_ok=True)
        paths = [folder / name for name in (*texts, archive)]
        for path in paths:
            (made / path.name).replace(path)
        return paths
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _texts(known: Compilation) -> dict[str, str]:
    from dvaec.emit.diagram_set import all_sources
    from dvaec.emit.latex import elbo_tex

    assert known.module is not None
    assert known.derivation is not None
    assert known.elbo is not None
    return {
        "model.py": known.module,
        "elbo.tex": elbo_tex(known.spec, known.derivation, known.elbo),
        "plan.txt": plan_of(known),
        **all_sources(known.spec, known.derivation),
    }


def _script(known: Compilation, path: Path) -> None:
    """Write the module, freshly initialised with seed 0, as a TorchScript archive."""
    import torch

    from dvaec.runtime.script import save_script
    from dvaec.runtime.source import load_class

    assert known.module is not None
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        torch.manual_seed(0)
        save_script(load_class(known.module, known.spec.name)(), path)
    finally:
        torch.set_num_threads(threads)
