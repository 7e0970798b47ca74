"""Ragged batches: sequences padded with zeros at their end, beside their lengths."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dvaec.runtime.data import Split

_POOL = 8  # batches that are sorted by length together


@dataclass(frozen=True)
class Batch:
    """Tensors in the order of the module's arguments: (batch, time, dim), or (batch, dim) if static.

    `lengths` is int64 (batch,); `members` are the sequences' places in the split; `frames` counts real
    frames. `masks` has, for an observed variable that the split lacks somewhere, where it is there: bool
    (batch, time), or (batch,) if static.
    """

    tensors: tuple[Tensor, ...]
    lengths: Tensor
    members: tuple[int, ...]
    frames: int
    masks: Mapping[str, Tensor] = field(default_factory=dict)


def collate(split: Split, members: Sequence[int], device: torch.device, dtype: torch.dtype) -> Batch:
    """Pad the chosen sequences to the longest of them with zeros."""
    chosen = np.asarray(members, dtype=np.int64)
    lengths = split.lengths[chosen]
    starts = (np.cumsum(split.lengths) - split.lengths)[chosen]
    longest = int(np.max(lengths))

    def picked(name: str, array: NDArray[Any]) -> Tensor:
        if name in split.static:
            return torch.from_numpy(array[chosen])
        padded = np.zeros((len(chosen), longest, *array.shape[1:]), dtype=array.dtype)
        for row, (start, length) in enumerate(zip(starts, lengths, strict=True)):
            padded[row, :length] = array[start : start + length]
        return torch.from_numpy(padded)

    arrays = {**split.framed, **split.static}
    tensors = tuple(picked(name, arrays[name]).to(device, dtype) for name in split.order)
    masks = {name: picked(name, ~gone).to(device) for name, gone in split.missing.items()}
    counts = torch.from_numpy(lengths).to(device)
    return Batch(tensors, counts, tuple(int(k) for k in chosen), int(lengths.sum()), masks)


def shuffled(split: Split, size: int, seed: int, epoch: int) -> list[list[int]]:
    """Return the epoch's batches of sequences: random, yet of similar lengths within a batch.

    Sequences are shuffled, pools of a few batches are sorted by length, and the batches are shuffled again.
    The result depends on `seed` and `epoch` alone, so a resumed run sees what an unbroken one would.
    """
    random = np.random.default_rng([seed, epoch])
    order = random.permutation(split.sequences)
    batches: list[list[int]] = []
    for start in range(0, len(order), size * _POOL):
        pool = order[start : start + size * _POOL]
        pool = pool[np.argsort(split.lengths[pool], kind="stable")]
        batches += [[int(k) for k in pool[at : at + size]] for at in range(0, len(pool), size)]
    return [batches[int(k)] for k in random.permutation(len(batches))]


def in_order(split: Split, size: int) -> list[list[int]]:
    """Return batches sorted by length, the same every time: for evaluation."""
    order = np.argsort(split.lengths, kind="stable")
    return [[int(k) for k in order[at : at + size]] for at in range(0, len(order), size)]
