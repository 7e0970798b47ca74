"""Ragged batches: sequences padded with zeros at their end, beside their lengths."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from dvaec.runtime.data import Split

_POOL = 8  # batches that are sorted by length together


@dataclass(frozen=True)
class Batch:
    """Tensors in the order of the module's arguments: (batch, time, dim), or (batch, dim) if static.

    `lengths` is int64 (batch,); `members` are the sequences' places in the split; `frames` counts real
    frames.
    """

    tensors: tuple[Tensor, ...]
    lengths: Tensor
    members: tuple[int, ...]
    frames: int


def collate(split: Split, members: Sequence[int], device: torch.device, dtype: torch.dtype) -> Batch:
    """Pad the chosen sequences to the longest of them with zeros."""
    chosen = np.asarray(members, dtype=np.int64)
    lengths = split.lengths[chosen]
    starts = (np.cumsum(split.lengths) - split.lengths)[chosen]
    longest = int(np.max(lengths))
    tensors = []
    for name in split.order:
        if name in split.static:
            tensors.append(torch.from_numpy(split.static[name][chosen]).to(device, dtype))
            continue
        flat = split.framed[name]
        padded = np.zeros((len(chosen), longest, flat.shape[1]), dtype=flat.dtype)
        for row, (start, length) in enumerate(zip(starts, lengths, strict=True)):
            padded[row, :length] = flat[start : start + length]
        tensors.append(torch.from_numpy(padded).to(device, dtype))
    counts = torch.from_numpy(lengths).to(device)
    return Batch(tuple(tensors), counts, tuple(int(k) for k in chosen), int(lengths.sum()))


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
