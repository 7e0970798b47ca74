"""What a run leaves behind: files that are whole or not there, written when an epoch has ended."""

from __future__ import annotations

import io
import platform
from collections.abc import Callable, Mapping
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import torch
from lightning.pytorch.callbacks import Checkpoint
from lightning.pytorch.plugins.io import TorchCheckpointIO

from dvaec.runtime import store
from dvaec.runtime.engine.module import TrainingModule
from dvaec.runtime.files import write_bytes
from dvaec.runtime.history import Epoch, read_rows, write_history


class WholeFiles(TorchCheckpointIO):
    """Lightning's checkpoints, written beside the old one and moved into its place."""

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: Any, storage_options: Any | None = None
    ) -> None:
        """Write a checkpoint; StoreFault if the disk refuses, and the old one stays."""
        del storage_options
        content = io.BytesIO()
        torch.save(checkpoint, content)
        write_bytes(Path(path), content.getvalue())


class RunFolder(Checkpoint):
    """Keeps the best weights, their card, the history and the last state; stops when nothing gets better.

    patience: epochs without a better validation ELBO, counted from the best one or from the end of the KL's
    warm-up (0: never stops). `report` is called after every epoch, once its files are written; `step` after
    every update with the number of updates done in the epoch and their total. `options` go with the state.
    """

    def __init__(
        self,
        folder: Path,
        patience: int = 0,
        options: Mapping[str, Any] | None = None,
        report: Callable[[Epoch], None] | None = None,
        step: Callable[[int, int], None] | None = None,
    ) -> None:
        self.folder, self.patience = folder, patience
        self.rows: list[Epoch] = []
        self._options = dict(options or {})
        self._report, self._step = report, step

    @property
    def best(self) -> Epoch | None:
        """The first epoch with the highest validation ELBO."""
        return max(self.rows, key=lambda row: row.valid["elbo"], default=None)

    def exhausted(self, settled: int) -> bool:
        """Whether `patience` epochs after the best one (or `settled`) have brought nothing better."""
        if self.best is None or not self.patience:
            return False
        return len(self.rows) - max(self.best.number, settled) >= self.patience

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint keeps of it."""
        return {"rows": [asdict(row) for row in self.rows], "options": self._options}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take up the epochs of a checkpoint."""
        self.rows = read_rows(state_dict["rows"])

    def on_save_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Say in a checkpoint which model it belongs to."""
        del trainer
        card = _training(pl_module).card
        checkpoint["dvaec"] = {"name": card.name, "hash": card.hash, "spec": card.spec}
        checkpoint["dvaec"]["overrides"] = list(card.overrides)

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Report an update."""
        del pl_module, outputs, batch
        if self._step is not None and trainer.is_global_zero:
            self._step(batch_idx + 1, int(trainer.num_training_batches))

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Write what the epoch has brought, the state last: what stands there is never ahead of the rest."""
        module = _training(pl_module)
        row = module.row
        assert row is not None  # Lightning calls what is a Checkpoint after the module
        self.rows.append(row)
        if trainer.is_global_zero:
            if self.best is row:
                store.save_weights(self.folder / store.WEIGHTS, module.model, module.card)
                store.save_card(self.folder, module.card, self._record(module, row))
            write_history(self.folder / store.HISTORY, self.rows)
        trainer.should_stop = trainer.should_stop or self.exhausted(module.objective.settled)
        trainer.save_checkpoint(self.folder / store.LAST)
        if self._report is not None and trainer.is_global_zero:
            self._report(row)

    def _record(self, module: TrainingModule, row: Epoch) -> dict[str, Any]:
        """How the weights came about."""
        return {
            "seed": module.seed,
            "options": self._options,
            "surrogate": list(module.surrogate),
            "epoch": row.number,
            "metrics": {f"valid_{name}": value for name, value in row.valid.items()},
            "versions": versions(),
        }


def versions() -> dict[str, str]:
    """The versions of what computes."""
    from dvaec import __version__

    return {
        "dvaec": __version__,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "lightning": metadata.version("lightning"),
    }


def _training(module: pl.LightningModule) -> TrainingModule:
    assert isinstance(module, TrainingModule)
    return module
