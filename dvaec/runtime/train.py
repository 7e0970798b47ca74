"""Training: Adam on the negative ELBO or a surrogate, gradient clipping, early stopping, exact resumption.

Lightning runs the loop (`dvaec.runtime.engine`); here is what a run is made of and how it is taken up again.
Validation always measures the ELBO, with the same draws every epoch, so epochs compare; the best weights
are kept, and training stops when `patience` epochs (counted from the end of the KL's warm-up) have brought
nothing better. A run depends on its options and data alone: not on the processes that share its batches (up
to rounding), not on having been broken off.
"""

from __future__ import annotations

import math
import signal
import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import lightning.pytorch as pl
import torch
from torch import nn

from dvaec.runtime import files, store
from dvaec.runtime.card import Card
from dvaec.runtime.data import Split
from dvaec.runtime.engine.data import SequenceData
from dvaec.runtime.engine.folder import RunFolder
from dvaec.runtime.engine.module import TrainingModule
from dvaec.runtime.engine.settings import Engine, is_first_process, lightning_trainer, quiet
from dvaec.runtime.faults import StoreFault, TrainFault
from dvaec.runtime.feedback import ScheduledSampling, feeds_back
from dvaec.runtime.history import Epoch
from dvaec.runtime.objective import Objective, departures, objective_of, objective_to_plain
from dvaec.runtime.preparation import Prepared


@dataclass(frozen=True)
class Options:
    """How to train. `epochs`, `patience` and `scripted` may change on resumption; the rest is the run's.

    clip: the largest norm of the whole gradient (0: no clipping). patience 0 never stops early. scripted: run
    the module through TorchScript, often faster; the numbers stay the same up to rounding. schedule:
    scheduled sampling (13.3.3), in which validation is in generation mode.
    """

    epochs: int = 80
    batch: int = 8
    learning_rate: float = 3e-3
    weight_decay: float = 0.0
    clip: float = 5.0
    patience: int = 20
    seed: int = 0
    scripted: bool = False
    objective: Objective = field(default_factory=lambda: Objective(warmup=40))
    schedule: ScheduledSampling | None = None

    @property
    def settled(self) -> int:
        """The epoch from whose end the objective stays as it is."""
        return max(self.objective.settled, self.schedule.settled if self.schedule else 0)


_FREE = ("epochs", "patience", "scripted")  # what a resumed run may choose anew


@dataclass(frozen=True)
class Outcome:
    """How training ended: the epochs done, the best of them and its validation ELBO in nats per frame."""

    epochs: int
    best_epoch: int
    best_elbo: float
    stopped_early: bool


def train(
    model: nn.Module,
    card: Card,
    training: Split,
    validation: Split,
    folder: Path,
    options: Options,
    *,
    engine: Engine | None = None,
    resume: bool = False,
    report: Callable[[Epoch], None] | None = None,
    step: Callable[[int, int], None] | None = None,
    prepared: Prepared | None = None,
) -> Outcome:
    """Train `model` in place and keep the run in `folder` (see `dvaec.runtime.store`).

    `report` is called after every epoch, once its files are written; `step` after every update with the
    number of updates done in the epoch and their total. `prepared` says how the splits were made, which the
    folder keeps. Raises TrainFault for a term or gradient that is not finite, StoreFault for a folder that
    already holds a run, or none to resume, or cannot be written.
    """
    engine = engine or Engine()
    _check(options)
    if options.schedule is not None and not feeds_back(model):
        raise TrainFault(f"p of {card.name} reads no observed frames: nothing can be fed back")
    module = TrainingModule(
        model, card, options.objective, learning_rate=options.learning_rate,
        weight_decay=options.weight_decay, seed=options.seed, scripted=options.scripted,
    )  # fmt: skip
    keeper = RunFolder(folder, options.patience, options.settled, _plain(options, engine), report, step)
    last = folder / store.LAST
    if resume:
        keeper.load_state_dict(_resumable(card, last, _plain(options, engine)))
        if is_first_process():
            files.sweep(folder)
    elif is_first_process():
        if last.exists():
            raise StoreFault(
                f"{folder}: already holds a run", "--resume continues it, -o names another folder"
            )
        files.sweep(folder)
        store.save_card(folder, card)
        if prepared is not None:
            prepared.keep(folder)
    if len(keeper.rows) < options.epochs and not keeper.exhausted:
        data = SequenceData(
            card, training, validation, batch=options.batch, seed=options.seed,
            samples=options.objective.samples, workers=engine.workers, schedule=options.schedule,
        )  # fmt: skip
        more = {"max_epochs": options.epochs, "gradient_clip_val": options.clip or None}
        trainer = lightning_trainer(engine, folder, [keeper], **more)
        try:
            _fit(trainer, module, data, last if resume else None)
        except TrainFault as fault:
            kept = f"; the weights kept are those of epoch {keeper.best.number}" if keeper.best else ""
            raise TrainFault(fault.message, f"{fault.hint or 'nothing more is known'}{kept}") from fault
    best = keeper.best
    if best is None:
        raise TrainFault(f"nothing to do: {options.epochs} epochs")
    return Outcome(len(keeper.rows), best.number, best.valid["elbo"], len(keeper.rows) < options.epochs)


def _fit(trainer: pl.Trainer, module: TrainingModule, data: SequenceData, last: Path | None) -> None:
    """Run the loop. An interrupt comes out as KeyboardInterrupt; a fault ends the processes it started."""
    handler = signal.getsignal(signal.SIGINT)
    try:
        with quiet():
            trainer.fit(module, datamodule=data, ckpt_path=last, weights_only=True)
    except BaseException as error:
        if trainer.interrupted and not isinstance(error, Exception):
            raise KeyboardInterrupt from None  # Lightning has caught it, tidied up and would leave
        launcher = trainer.strategy.launcher
        if launcher is not None and hasattr(launcher, "kill"):
            launcher.kill(signal.SIGTERM)
        if trainer.world_size > 1 and isinstance(error, RuntimeError) and _of_another(str(error)):
            rank = trainer.global_rank + 1
            raise TrainFault(
                f"process {rank} of {trainer.world_size} goes no further: another one of them has ended",
                "what that one has said is the reason; if it said nothing, it was killed: --resume continues",
            ) from error
        raise
    finally:
        if handler is not None:
            signal.signal(signal.SIGINT, handler)


def _of_another(message: str) -> bool:
    """Whether a collective operation failed because its other end is gone: gloo's words, and NCCL's."""
    return any(sign in message for sign in ("gloo", "NCCL", "Connection reset", "Connection closed"))


def _check(options: Options) -> None:
    """Raise TrainFault for numbers with which no update makes sense."""
    for name in ("learning_rate", "weight_decay"):
        value = getattr(options, name)
        if not 0 <= value < math.inf:
            raise TrainFault(f"the {name.replace('_', ' ')} is {value}: it must be finite and not negative")


def _plain(options: Options, engine: Engine) -> dict[str, Any]:
    """Options as plain values, those of the objective by its names, and the numbers of the run."""
    objective = objective_to_plain(options.objective)
    return {**asdict(options), "objective": objective, "precision": engine.precision}


def _resumable(card: Card, path: Path, given: dict[str, Any]) -> dict[str, Any]:
    """Return what `RunFolder` left in the last state; StoreFault or TrainFault if it does not continue."""
    if not path.is_file():
        raise StoreFault(f"{path.parent}: no run to resume: it holds no {path.name}")
    anew = f"--from {path.parent} begins another run with its best weights"
    try:
        with warnings.catch_warnings(action="ignore"):
            state = torch.load(path, map_location="cpu", weights_only=True)
    except UnpicklingError as error:  # torch's advice to run the code in it is bad advice
        raise StoreFault(f"{path}: holds no plain state, or code, which is not run", anew) from error
    except Exception as error:  # torch.load raises whatever the damaged bytes lead to
        raise StoreFault(f"{path}: damaged: {str(error).splitlines()[0]}", anew) from error
    model = state.get("dvaec") if isinstance(state, dict) else None
    kept = state.get("callbacks", {}).get(RunFolder.__qualname__) if isinstance(state, dict) else None
    if not model or not kept:
        raise StoreFault(f"{path}: holds no state of a run", anew)
    store.check_hash(str(path), model, card)
    # Runs of earlier versions do not say their precision.
    changed = _changed({"precision": given["precision"], **kept["options"]}, given, card)
    if changed:
        raise TrainFault(f"{path.parent}: the run was made with {changed}", "resume with the same options")
    return dict(kept)


def _changed(before: dict[str, Any], given: dict[str, Any], card: Card) -> str:
    """List the options of a run that differ from those given now, with the run's values."""
    names = [one.name for one in fields(Options) if one.name not in (*_FREE, "objective")]
    names.append("precision")
    said = [f"{name.replace('_', ' ')} {before[name]}" for name in names if before.get(name) != given[name]]
    was, now = objective_of(before["objective"]), objective_of(given["objective"])
    if was != now:
        told = [
            *departures(was, card.latents),
            *([f"{was.samples} samples"] if was.samples != now.samples else []),
        ]
        said.append(f"the objective {', '.join(told) or 'ELBO'}")
    return ", ".join(said)
