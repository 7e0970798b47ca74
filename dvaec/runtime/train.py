"""Training: Adam on the negative ELBO, KL warm-up, gradient clipping, early stopping, exact resumption.

The loss of a batch is -(sum log p - beta sum KL) / frames, over real frames only; a page's auxiliary
predictions (8.4) make it a surrogate: - sum aux / frames is added, and no `elbo` holds it. beta rises
linearly, update by update, from near 0 to 1 over the first `warmup` epochs. Validation always uses beta = 1
and the same noise every epoch, so epochs compare; the best weights are kept, and training stops when
`patience` epochs (counted from the end of the warm-up) have brought nothing better.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn

from dvaec.runtime import store
from dvaec.runtime.batches import collate, shuffled
from dvaec.runtime.card import Card
from dvaec.runtime.crops import at_epoch
from dvaec.runtime.data import Split
from dvaec.runtime.evaluate import elbo_parts, evaluate
from dvaec.runtime.faults import StoreFault, TrainFault
from dvaec.runtime.files import replacing
from dvaec.runtime.history import Epoch, read_rows, write_history
from dvaec.runtime.preparation import Prepared
from dvaec.runtime.script import script


@dataclass(frozen=True)
class Options:
    """How to train. `epochs`, `patience` and `scripted` may change on resumption; the rest is the run's.

    clip: the largest norm of the whole gradient (0: no clipping). warmup: epochs until beta = 1 (0: at once).
    patience 0 never stops early. scripted: run the module through TorchScript, often faster; the numbers
    stay the same up to rounding.
    """

    epochs: int = 80
    batch: int = 8
    learning_rate: float = 3e-3
    weight_decay: float = 0.0
    clip: float = 5.0
    warmup: int = 40
    patience: int = 20
    seed: int = 0
    scripted: bool = False


_FREE = ("epochs", "patience", "scripted")  # what a resumed run may choose anew
_KEPT = frozenset({"name", "hash", "options", "model", "optimizer", "rows", "random", "random_cuda"})


@dataclass(frozen=True)
class Outcome:
    """How training ended: the epochs done, the best of them and its validation ELBO in nats per frame."""

    epochs: int
    best_epoch: int
    best_elbo: float
    stopped_early: bool


@dataclass
class _Run:
    """What changes while training, and what last.pt holds."""

    model: nn.Module
    stepper: nn.Module  # the model, or its scripted form: the same parameters
    optimizer: torch.optim.Optimizer
    rows: list[Epoch] = field(default_factory=list)

    @property
    def best(self) -> Epoch | None:
        """The first epoch with the highest validation ELBO."""
        return max(self.rows, key=lambda row: row.valid["elbo"], default=None)


def train(
    model: nn.Module,
    card: Card,
    training: Split,
    validation: Split,
    folder: Path,
    options: Options,
    *,
    resume: bool = False,
    report: Callable[[Epoch], None] | None = None,
    step: Callable[[int, int], None] | None = None,
    data: Prepared | None = None,
) -> Outcome:
    """Train `model` in place and keep the run in `folder` (see `dvaec.runtime.store`).

    `report` is called after every epoch, once its files are written; `step` after every update with the
    number of updates done in the epoch and their total. `data` says how the splits were prepared, which the
    folder keeps. Raises TrainFault for a term or gradient that is
    not finite, StoreFault for a folder that already holds a run, or none to resume.
    """
    last = folder / store.LAST
    optimizer = torch.optim.Adam(
        model.parameters(), lr=options.learning_rate, weight_decay=options.weight_decay
    )
    run = _Run(model, script(model) if options.scripted else model, optimizer)
    if resume:
        _restore(run, card, last, options)
    elif last.exists():
        raise StoreFault(f"{folder}: already holds a run", "--resume continues it, -o names another folder")
    else:
        torch.manual_seed(options.seed)
        store.save_card(folder, card)
        if data is not None:
            data.keep(folder)
    while len(run.rows) < options.epochs and not _exhausted(run, options):
        row = _epoch(run, card, training, validation, options, step)
        run.rows.append(row)
        if run.best is row:
            store.save_weights(folder / store.WEIGHTS, model, card)
        write_history(folder / store.HISTORY, run.rows)
        _save(run, card, last, options)
        if report is not None:
            report(row)
    best = run.best
    if best is None:
        raise TrainFault(f"nothing to do: {options.epochs} epochs")
    return Outcome(len(run.rows), best.number, best.valid["elbo"], len(run.rows) < options.epochs)


def _exhausted(run: _Run, options: Options) -> bool:
    """Whether `patience` epochs after the best one (or after the warm-up) have brought nothing better."""
    if run.best is None or not options.patience:
        return False
    return len(run.rows) - max(run.best.number, options.warmup) >= options.patience


def _epoch(
    run: _Run,
    card: Card,
    training: Split,
    validation: Split,
    options: Options,
    step: Callable[[int, int], None] | None,
) -> Epoch:
    """Go once through the training split and validate."""
    number = len(run.rows) + 1
    began = time.perf_counter()
    totals = dict.fromkeys((*card.terms, *card.predictions), 0.0)
    training = at_epoch(training, options.seed, number)
    batches = shuffled(training, options.batch, options.seed, number)
    beta = 1.0
    run.model.train()
    run.stepper.train()
    for done, rows in enumerate(batches):
        updates = (number - 1) * len(batches) + done + 1
        beta = min(1.0, updates / (options.warmup * len(batches))) if options.warmup else 1.0
        for name, total in _update(
            run, card, training, rows, beta, options, f"epoch {number}, update {done + 1}"
        ):
            totals[name] += total
        if step is not None:
            step(done + 1, len(batches))
    trained = {name: total / training.frames for name, total in totals.items()}
    trained["elbo"] = sum(trained[n] if n.startswith("log_p_") else -trained[n] for n in card.terms)
    measured = evaluate(run.stepper, card, validation, seed=options.seed, batch=max(64, options.batch))
    valid = {name: estimate.mean for name, estimate in measured.frame.items()}
    for name, value in valid.items():
        if not math.isfinite(value):
            raise TrainFault(f"{name} of the validation data is {value} in epoch {number}", _HINT)
    return Epoch(number, beta, trained, valid, time.perf_counter() - began)


_HINT = "a smaller --lr or --clip often helps; the weights kept are those of the best epoch before"


def _update(
    run: _Run, card: Card, training: Split, rows: list[int], beta: float, options: Options, where: str
) -> list[tuple[str, float]]:
    """Take one step of Adam; returns each part summed over the batch's frames."""
    parameters = list(run.model.parameters())
    batch = collate(training, rows, parameters[0].device, parameters[0].dtype)
    parts = {name: part.sum() for name, part in elbo_parts(run.stepper, card, batch).items()}
    weights = {name: beta if name.startswith("kl_") else -1.0 for name in parts}
    loss = torch.stack([weights[name] * part for name, part in parts.items()]).sum() / batch.frames
    totals = [(name, part.item()) for name, part in parts.items()]
    for name, total in totals:
        if not math.isfinite(total):
            raise TrainFault(f"{name} is {total} in {where}", _HINT)
    run.optimizer.zero_grad(set_to_none=True)
    loss.backward()
    norm = nn.utils.clip_grad_norm_(parameters, options.clip or math.inf)
    if not torch.isfinite(norm):
        named = run.model.named_parameters()
        culprit = next(n for n, p in named if p.grad is not None and not p.grad.isfinite().all())
        raise TrainFault(f"the gradient of {culprit} is not finite in {where}", _HINT)
    run.optimizer.step()
    return totals


def _save(run: _Run, card: Card, path: Path, options: Options) -> None:
    """Write everything that the next epoch depends on."""
    cuda = next(run.model.parameters()).device.type == "cuda"
    state: dict[str, Any] = {
        "name": card.name,
        "hash": card.hash,
        "options": asdict(options),
        "model": run.model.state_dict(),
        "optimizer": run.optimizer.state_dict(),
        "rows": [asdict(row) for row in run.rows],
        "random": torch.get_rng_state(),
        "random_cuda": torch.cuda.get_rng_state() if cuda else None,
    }
    with replacing(path) as temporary:
        torch.save(state, temporary)


def _restore(run: _Run, card: Card, path: Path, options: Options) -> None:
    """Put back what `_save` wrote; StoreFault or TrainFault if it does not continue."""
    if not path.is_file():
        raise StoreFault(f"{path.parent}: no run to resume: it holds no {path.name}")
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch.load raises whatever the damaged bytes lead to
        raise StoreFault(f"{path}: cannot be read: {str(error).splitlines()[0]}") from error
    if not isinstance(state, dict) or not state.keys() >= _KEPT:
        raise StoreFault(f"{path}: cannot be read: it holds no state of a run")
    store.check_hash(str(path), state["name"], state["hash"], card)
    before = Options(**state["options"])
    given = asdict(options)
    changed = [name for name, value in asdict(before).items() if name not in _FREE and value != given[name]]
    if changed:
        was = ", ".join(f"{name.replace('_', ' ')} {asdict(before)[name]}" for name in changed)
        raise TrainFault(f"{path.parent}: the run was made with {was}", "resume with the same options")
    run.model.load_state_dict(state["model"])
    run.optimizer.load_state_dict(state["optimizer"])
    run.rows.extend(read_rows(state["rows"]))
    torch.set_rng_state(state["random"])
    if state["random_cuda"] is not None and next(run.model.parameters()).device.type == "cuda":
        torch.cuda.set_rng_state(state["random_cuda"])
