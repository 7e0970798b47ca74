"""dvaec from Python: a page of YAML as a class, a run folder as a trained model.

The compiler and torch are imported where they are needed, so that `import dvaec` costs nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn


def compile(
    spec: str | PathLike[str], overrides: Sequence[str] = (), allow_python: bool = False
) -> type[nn.Module]:
    """Compile the page at `spec` and return its class, ready to instantiate.

    `overrides` are as behind `--set` on the command line: ["x.dim=513"]. Raises `dvaec.Fault` with positions.
    `allow_python` lets the page name classes of its own, which are imported here.
    """
    from dvaec.compiler import compile_spec
    from dvaec.runtime.source import load_class

    compiled = compile_spec(Path(spec), overrides, allow_python)
    return load_class(compiled.source, compiled.class_name)


def load(run: str | PathLike[str], allow_python: bool = False) -> nn.Module:
    """Return the trained model of a run folder, in evaluation mode.

    The module is compiled again from the page that the run keeps; no code and no pickle is read from the
    folder. Raises `dvaec.runtime.faults.StoreFault` where the folder is no run or the page now means
    something else. `allow_python` lets the page name classes of its own, which are imported here.
    """
    from dvaec.compiler import compile_text
    from dvaec.runtime.card import Card
    from dvaec.runtime.source import load_class
    from dvaec.runtime.store import WEIGHTS, load_card, load_weights

    folder = Path(run)
    card = load_card(folder)
    compiled = compile_text(card.spec, str(folder / "card.json"), card.overrides, allow_python)
    model = load_class(compiled.source, compiled.class_name)()
    load_weights(folder / WEIGHTS, model, Card(**compiled.card))
    return model.eval()
