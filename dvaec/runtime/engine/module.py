"""An emitted model as a LightningModule: the loss of an update, the ELBO beside it, and what is not finite.

The loss of a batch is -J / frames (`dvaec.runtime.objective`), over the real frames of the whole batch.
Whatever is drawn in an update beyond the noise that the batch brings (dropout) depends on the seed, the
epoch, the update and the process alone, so that a resumed run repeats it.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from typing import Any, cast

import lightning.pytorch as pl
import numpy as np
import torch
from torch import Tensor, nn

from dvaec.runtime.card import Card
from dvaec.runtime.diagnosis import bad_gradient, bad_part
from dvaec.runtime.engine.data import SequenceBatch, epochs_done
from dvaec.runtime.faults import TrainFault
from dvaec.runtime.history import Epoch
from dvaec.runtime.objective import Objective, check_objective, departures
from dvaec.runtime.script import script


class TrainingModule(pl.LightningModule):
    """Adam on the negative ELBO of `model`, or on what `objective` makes of it.

    `model` has the contract of an emitted module, `card` is what the compiler says of it. Batches are
    `SequenceBatch`es, or mappings of what `elbo` takes by name (x (batch, time, dim), lengths (batch,), ...).
    Logged every epoch, in nats per frame: `train_elbo`, `valid_elbo` and their parts, `beta`, and
    `train_surrogate` where J is not the ELBO. Raises TrainFault for a term or gradient that is not finite.
    """

    def __init__(
        self,
        model: nn.Module,
        card: Card,
        objective: Objective | None = None,
        *,
        learning_rate: float = 3e-3,
        weight_decay: float = 0.0,
        seed: int = 0,
        scripted: bool = False,
    ) -> None:
        super().__init__()
        self.objective = objective or Objective()
        check_objective(self.objective, card.latents, card.name)
        self.model, self.card = model, card
        self.learning_rate, self.weight_decay = learning_rate, weight_decay
        self.seed, self.scripted = seed, scripted
        self.row: Epoch | None = None  # of the epoch that has ended
        # A tuple, so that it is no submodule with the same parameters again.
        self._stepper: tuple[nn.Module, ...] = (model,)
        self._names = (*card.terms, *card.predictions)
        self._sums = self._checks = np.zeros(0)
        self._beta, self._began = 1.0, 0.0
        self._valid: dict[str, float] = {}
        self._latest: SequenceBatch | None = None

    @property
    def surrogate(self) -> tuple[str, ...]:
        """In which respects training maximises something else than the ELBO."""
        added = (
            f"log p of the auxiliary {name.removeprefix('aux_')} (8.4)" for name in self.card.predictions
        )
        return (*departures(self.objective, self.card.latents), *added)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Adam, with the learning rate and the L2 penalty that were given."""
        return torch.optim.Adam(
            self.model.parameters(), lr=self.learning_rate, weight_decay=self.weight_decay
        )

    def on_fit_start(self) -> None:
        """Script the model, where that is asked for, on the device where it is by now."""
        if self.scripted:
            self._stepper = (script(self.model),)

    def on_train_epoch_start(self) -> None:
        """Begin the sums of an epoch: every part, the surrogate, the frames."""
        self._sums = np.zeros(len(self._names) + 2)
        self._began = time.perf_counter()

    def training_step(self, batch: SequenceBatch | Mapping[str, Tensor], batch_idx: int) -> Tensor:
        """Return the loss of this process's part of a batch."""
        given = self._given(batch)
        update = self.trainer.global_step + 1
        epoch, rank = self._epoch(), self.trainer.global_rank
        state = np.random.SeedSequence([self.seed, epoch, batch_idx, rank]).generate_state(1)[0]
        self._reseed(int(state))
        self._beta = self.objective.weight(update, int(self.trainer.num_training_batches))
        self._latest = given
        parts = self._parts(given)
        value = self.objective.value(parts, self.card.divergences, self._beta) * given.counts
        sums = (
            given.counts * torch.stack([*(p.detach().sum() for p in parts.values()), value.detach()])
        ).tolist()
        if not all(map(math.isfinite, sums)):
            where = f"epoch {epoch}, update {batch_idx + 1}"
            raise bad_part(self.model, given.arguments, given.members, parts, where)
        # Processes share the frames of the batch: the mean of their gradients is the gradient of the whole.
        self._sums += np.array([*sums, float(given.frames)])
        if self.trainer.world_size > 1:
            # DDP waits for every parameter, also for one that a model does not use.
            value = value + 0.0 * torch.stack([p.reshape(-1)[0] for p in self.model.parameters()]).sum()
        return -value * self.trainer.world_size / given.frames

    def configure_gradient_clipping(
        self,
        optimizer: torch.optim.Optimizer,
        gradient_clip_val: float | None = None,
        gradient_clip_algorithm: str | None = None,
    ) -> None:
        """Clip the norm of the whole gradient; TrainFault if that is not finite."""
        del optimizer, gradient_clip_algorithm
        weights = [one for one in self.model.parameters() if one.grad is not None]
        norm = nn.utils.get_total_norm([one.grad for one in weights if one.grad is not None])
        # Looked at before it is clipped: finite gradients with a norm that overflows are nan or 0 behind it.
        if not torch.isfinite(norm) and not str(self.trainer.precision).startswith("16"):
            assert self._latest is not None
            update = self.trainer.fit_loop.epoch_loop.batch_idx + 1
            where = f"epoch {self._epoch()}, update {update}"
            raise bad_gradient(self.model, self._parts(self._latest), self._latest.members, where)
        if gradient_clip_val:
            nn.utils.clip_grads_with_norm_(weights, gradient_clip_val, norm)

    def on_validation_epoch_start(self) -> None:
        """Begin the sums of a validation: every part, the frames. What is drawn is the same every time."""
        self._checks = np.zeros(len(self._names) + 1)
        self._reseed(self.seed)

    def validation_step(self, batch: SequenceBatch | Mapping[str, Tensor], batch_idx: int) -> None:
        """Add a batch to the ELBO of the validation data; TrainFault if it is not finite."""
        del batch_idx
        given = self._given(batch)
        parts = self._parts(given)
        sums = (torch.stack([part.double().sum() for part in parts.values()]) * given.counts).tolist()
        if not all(map(math.isfinite, sums)):
            where = f"the validation of epoch {self._epoch()}"
            raise bad_part(self.model, given.arguments, given.members, parts, where)
        self._checks += np.array([*sums, float(given.frames)])

    def on_validation_epoch_end(self) -> None:
        """Gather the sums of all processes and log them."""
        *sums, frames = self._gathered(self._checks)
        self._valid = valid = self._averages(sums, frames)
        self.log_dict({f"valid_{name}": value for name, value in valid.items()}, rank_zero_only=True)

    def on_train_epoch_end(self) -> None:
        """Gather the sums of all processes, log them, and leave the epoch's row."""
        *sums, surrogate, frames = self._gathered(self._sums)
        trained = self._averages(sums, frames)
        beside = surrogate / frames if self.surrogate else None
        seconds = time.perf_counter() - self._began
        self.row = Epoch(epochs_done(self.trainer), self._beta, trained, self._valid, seconds, beside)
        logged = {f"train_{name}": value for name, value in trained.items()} | {"beta": self._beta}
        self.log_dict(logged | ({} if beside is None else {"train_surrogate": beside}), rank_zero_only=True)

    def _reseed(self, seed: int) -> None:
        # torch.manual_seed keeps a stack trace a call where CUDA is not in use: a tenth of a small update.
        torch.default_generator.manual_seed(seed)
        if self.device.type == "cuda":
            torch.cuda.manual_seed(seed)

    def _epoch(self) -> int:
        return epochs_done(self.trainer) + 1

    def _given(self, batch: SequenceBatch | Mapping[str, Tensor]) -> SequenceBatch:
        if isinstance(batch, SequenceBatch):
            return batch
        if not isinstance(batch, Mapping):
            raise TrainFault(
                f"a batch is a {type(batch).__name__}, and must say what each tensor is",
                '{"x": (batch, time, dim), "lengths": (batch,)}, as elbo takes them by name',
            )
        first = batch[next(iter(self.card.dims))]
        lengths = batch.get("lengths")
        if lengths is None:
            lengths = torch.full([len(first)], first.size(1) if first.dim() > 2 else 1, device=first.device)
        members, one = torch.arange(len(first), device=first.device), torch.ones([], device=first.device)
        return SequenceBatch(dict(batch), members, lengths.sum() * self.trainer.world_size, one)

    def _parts(self, batch: SequenceBatch) -> dict[str, Tensor]:
        """Every part of the bound, (batch, time) or (batch,), then auxiliary ones; in full precision."""
        # Where some frames are fed back, `fed` says which (`dvaec.runtime.feedback`).
        fed, stepper = "fed" in batch.arguments, self._stepper[0]
        if stepper.training != self.training:  # a scripted model has a mode of its own: dropout or none
            stepper.train(self.training)
        elbo = cast(Callable[..., Any], stepper.elbo_fed if fed else stepper.elbo)
        result = elbo(**batch.arguments)
        parts = ((name, cast(Tensor, getattr(result, name))) for name in self._names)
        return {name: part if part.dtype == torch.float64 else part.float() for name, part in parts}

    def _gathered(self, sums: np.ndarray[Any, Any]) -> list[float]:
        """Add up the sums of all processes; the last of them, the frames, is the same in each."""
        if self.trainer.world_size == 1:
            return [float(one) for one in sums]
        total = torch.tensor(sums, device=self.device)
        gathered = self.trainer.strategy.reduce(total, reduce_op="sum")
        return [*(float(one) for one in gathered[:-1]), float(sums[-1])]

    def _averages(self, sums: list[float], frames: float) -> dict[str, float]:
        found = {name: total / frames for name, total in zip(self._names, sums, strict=False)}
        found["elbo"] = sum(found[n] if n.startswith("log_p_") else -found[n] for n in self.card.terms)
        return found
