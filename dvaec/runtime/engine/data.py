"""A data set as a LightningDataModule: batches that depend on the seed and the epoch alone.

A batch of the whole run holds `size` sequences. Each of W processes takes every W-th of them, padded by
itself; the frames of the whole batch go with it: losses divided by them add up to the loss of one process.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import lightning.pytorch as pl
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from dvaec.runtime.batches import collate, in_order, shuffled
from dvaec.runtime.card import Card
from dvaec.runtime.crops import at_epoch
from dvaec.runtime.data import Split
from dvaec.runtime.feedback import ScheduledSampling
from dvaec.runtime.noise import EVALUATION, draws, fed_mask

Part = tuple[int, tuple[int, ...], tuple[int, ...]]  # epoch, all sequences of a batch, those of this process


class SequenceBatch(NamedTuple):
    """One process's part of a batch: what `elbo` takes by name, and what the part counts for.

    `members` are the sequences' places in the split, `frames` counts those of the whole batch, once for every
    sample. `counts` is 0 for a process to which no sequence has fallen, and which computes one all the same.
    """

    arguments: dict[str, Tensor]
    members: Tensor
    frames: Tensor
    counts: Tensor


class SequenceData(pl.LightningDataModule):
    """Training and validation data for a `TrainingModule`.

    batch: sequences an update, over all processes. samples: how often each stands in its batch, with draws of
    its own. workers: processes that prepare batches (0: none, which is best for data in memory). schedule:
    scheduled sampling; batches then say which frames are fed back, all of them in validation.
    """

    def __init__(
        self,
        card: Card,
        training: Split,
        validation: Split,
        *,
        batch: int = 8,
        seed: int = 0,
        samples: int = 1,
        workers: int = 0,
        schedule: ScheduledSampling | None = None,
    ) -> None:
        super().__init__()
        self.card = card
        self.training, self.validation = training, validation
        self.batch, self.seed, self.samples, self.workers = batch, seed, samples, workers
        self.schedule = schedule
        self.allow_zero_length_dataloader_with_multiple_devices = False

    def train_dataloader(self) -> DataLoader[SequenceBatch]:
        """Batches of sequences of similar lengths, shuffled anew every epoch."""

        def batches() -> Iterator[tuple[int, list[int]]]:
            epoch = self._epoch()
            for rows in shuffled(at_epoch(self.training, self.seed, epoch), self.batch, self.seed, epoch):
                yield epoch, rows

        count = -(-self.training.sequences // self.batch)
        return self._loader(self.training, batches, count, self.samples)

    def val_dataloader(self) -> DataLoader[SequenceBatch]:
        """All sequences in one order, with the same draws every time."""
        batches = [(EVALUATION, rows) for rows in in_order(self.validation, max(64, self.batch))]
        return self._loader(self.validation, lambda: iter(batches), len(batches), 1)

    def _epoch(self) -> int:
        """The epoch under way, from 1."""
        return 1 + (0 if self.trainer is None else epochs_done(self.trainer))

    def _loader(
        self, split: Split, batches: Callable[[], Iterator[tuple[int, list[int]]]], count: int, samples: int
    ) -> DataLoader[SequenceBatch]:
        world, rank, dtype = 1, 0, torch.float32
        if self.trainer is not None:
            world, rank = self.trainer.world_size, self.trainer.global_rank
            dtype = next(self.trainer.lightning_module.parameters()).dtype
        return DataLoader(
            _Batches(split, self.card, self.seed, samples, dtype, self.schedule),
            batch_size=None,
            sampler=_Parts(batches, count, world, rank),
            collate_fn=_as_it_is,
            num_workers=self.workers,
            persistent_workers=self.workers > 0,
        )


def epochs_done(trainer: pl.Trainer) -> int:
    """How many epochs lie behind: also in an epoch's last hooks, and right after a resumption."""
    progress: Any = trainer.fit_loop.epoch_progress.current
    return int(progress.processed)


def _as_it_is(batch: Any) -> Any:
    return batch


class _Parts(Sampler[Part]):
    """This process's part of every batch."""

    def __init__(
        self, batches: Callable[[], Iterator[tuple[int, list[int]]]], count: int, world: int, rank: int
    ) -> None:
        self._batches, self._count, self._world, self._rank = batches, count, world, rank

    def __iter__(self) -> Iterator[Part]:
        for epoch, rows in self._batches():
            yield epoch, tuple(rows), tuple(rows[self._rank :: self._world])

    def __len__(self) -> int:
        return self._count


class _Batches(Dataset[SequenceBatch]):
    """Parts of batches, padded, with their draws."""

    def __init__(
        self,
        split: Split,
        card: Card,
        seed: int,
        samples: int,
        dtype: torch.dtype,
        schedule: ScheduledSampling | None,
    ) -> None:
        self._split, self._card, self._seed, self._schedule = split, card, seed, schedule
        self._samples, self._dtype = samples, dtype
        self._cut = (EVALUATION, split)

    def _at(self, epoch: int) -> Split:
        """The split of an epoch, cut once if it asks for random pieces."""
        if self._cut[0] != epoch:
            self._cut = (epoch, at_epoch(self._split, self._seed, epoch))
        return self._cut[1]

    def __getitem__(self, part: Part) -> SequenceBatch:
        epoch, everything, mine = part
        members = [row for row in mine or everything[:1] for _ in range(self._samples)]
        split = self._at(epoch)
        batch = collate(split, members, torch.device("cpu"), self._dtype)
        keys = [(self._seed, epoch, row, k % self._samples) for k, row in enumerate(members)]
        arguments = batch.arguments(split.order)
        arguments |= draws(self._card.noises, keys, batch.lengths, self._dtype)
        if self._schedule is not None:
            share = 1.0 if epoch == EVALUATION else self._schedule.share(epoch)
            arguments["fed"] = fed_mask(share, keys, batch.lengths)
        frames = self._samples * int(split.lengths[list(everything)].sum())
        return SequenceBatch(arguments, torch.tensor(members), torch.tensor(frames), torch.tensor(bool(mine)))
