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

    from dvaec.compiler import Compiled


def compile(
    spec: str | PathLike[str], overrides: Sequence[str] = (), allow_python: bool = False
) -> type[nn.Module]:
    """Compile the page at `spec` and return its class, ready to instantiate; a notebook shows its instances.

    `overrides` are as behind `--set` on the command line: ["x.dim=513"]. Raises `dvaec.Fault` with positions.
    `allow_python` lets the page name classes of its own, which are imported here.
    """
    from dvaec.compiler import compile_spec

    return _class_of(compile_spec(Path(spec), overrides, allow_python))


def load(run: str | PathLike[str], allow_python: bool = False) -> nn.Module:
    """Return the trained model of a run folder, in evaluation mode; a notebook shows what it is.

    The module is compiled again from the page that the run keeps; no code and no pickle is read from the
    folder. Raises `dvaec.runtime.faults.StoreFault` where the folder is no run or the page now means
    something else. `allow_python` lets the page name classes of its own, which are imported here.
    """
    from dvaec.compiler import compile_text
    from dvaec.runtime.card import Card
    from dvaec.runtime.store import WEIGHTS, load_card, load_weights

    folder = Path(run)
    card = load_card(folder)
    compiled = compile_text(card.spec, str(folder / "card.json"), card.overrides, allow_python)
    model = _class_of(compiled)()
    load_weights(folder / WEIGHTS, model, Card(**compiled.card))
    return model.eval()


def _class_of(compiled: Compiled) -> type[nn.Module]:
    """Return the emitted class with what a notebook shows of its instances; that is made when it is shown.

    The text of the module imports torch alone, so the method is added here. TorchScript compiles the entry
    points only and never looks at it.
    """
    from dvaec.runtime.source import load_class

    found = load_class(compiled.source, compiled.class_name)
    known = compiled.known

    def bundle(self: nn.Module, include: object = None, exclude: object = None) -> dict[str, str]:
        from dvaec.emit.notebook import mimebundle

        del include, exclude  # a notebook picks what it wants from what it gets
        assert known.derivation is not None
        assert known.elbo is not None
        size = sum(one.numel() for one in self.parameters())
        return mimebundle(known.spec, known.derivation, known.elbo, size)

    found._repr_mimebundle_ = bundle  # type: ignore[attr-defined]
    return found
