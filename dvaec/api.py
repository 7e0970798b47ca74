"""dvaec from Python: a page of YAML as a class, a run folder as a trained model.

The compiler and torch are imported where they are needed, so that `import dvaec` costs nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

    from dvaec.compiler import Compiled
    from dvaec.runtime.engine import SequenceData, TrainingModule
    from dvaec.runtime.objective import Objective
    from dvaec.runtime.sources.datasets import Sequences


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


def lightning_module(
    spec: str | PathLike[str],
    overrides: Sequence[str] = (),
    *,
    objective: Objective | None = None,
    learning_rate: float = 3e-3,
    weight_decay: float = 0.0,
    seed: int = 0,
    allow_python: bool = False,
) -> TrainingModule:
    """Compile the page at `spec` to a LightningModule with fresh weights, for a trainer of one's own.

    `objective` is the page's, if it has one, or else the ELBO. Raises `dvaec.Fault` with positions.
    """
    from dvaec.compiler import compile_spec

    compiled = compile_spec(Path(spec), overrides, allow_python)
    from dvaec.runtime.card import Card
    from dvaec.runtime.devices import build
    from dvaec.runtime.engine import TrainingModule
    from dvaec.runtime.objective import objective_of

    card = Card(**compiled.card)
    return TrainingModule(
        build(_class_of(compiled), seed),
        card,
        objective or objective_of(card.objective),
        learning_rate=learning_rate,
        weight_decay=weight_decay,
        seed=seed,
    )


def lightning_data(
    module: TrainingModule,
    data: str | Mapping[str, Sequences],
    *,
    batch: int = 8,
    zero_inputs: bool = False,
    workers: int = 0,
    crop: str = "",
    normalise: Sequence[str] = (),
) -> SequenceData:
    """Return a data set for a `lightning_module`: named as for `dvaec train --data`, or torch datasets.

    Datasets come by split, {"train": ..., "valid": ...}; each item is a sequence. `crop` and `normalise` are
    as on the command line. Raises `dvaec.runtime.faults.DataFault` where it does not fit the model.
    """
    from dvaec.runtime.engine import SequenceData
    from dvaec.runtime.preparation import preparation, training_splits

    parts = training_splits(data, module.card, preparation(crop, normalise), zero_inputs).splits
    return SequenceData(
        module.card,
        parts["train"],
        parts["valid"],
        batch=batch,
        seed=module.seed,
        samples=module.objective.samples,
        workers=workers,
    )


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
