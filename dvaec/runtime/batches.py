"""Ragged batches: sequences padded with zeros at their end, beside their lengths."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dvaec.runtime.split import Array, Split

_POOL = 8  # batches that are sorted by length together
Gone = NDArray[np.bool_] | None


@dataclass(frozen=True)
class Batch:
    """Tensors in the order of the module's arguments: (batch, time, dim), or (batch, dim) if static.

    `lengths` is int64 (batch,); `members` are the sequences' places in the split; `frames` counts real
    frames. `masks` has, for an observed variable that the split lacks somewhere (the batch, if the data lie
    on disk), where it is there: bool (batch, time), or (batch,) if static.
    """

    tensors: tuple[Tensor, ...]
    lengths: Tensor
    members: tuple[int, ...]
    frames: int
    masks: Mapping[str, Tensor] = field(default_factory=dict)

    def arguments(self, names: Iterable[str]) -> dict[str, Tensor]:
        """Return what an entry point that reads the data takes, by name; `names` are those of the tensors."""
        given = dict(zip(names, self.tensors, strict=True)) | {"lengths": self.lengths}
        return given | {f"mask_{name}": mask for name, mask in self.masks.items()}


def collate(split: Split, members: Sequence[int], device: torch.device, dtype: torch.dtype) -> Batch:
    """Pad the chosen sequences to the longest of them with zeros; only their rows are read."""
    chosen = np.asarray(members, dtype=np.int64)
    lengths = split.lengths[chosen]
    picked = {name: _static(split, name, chosen) for name in split.static}
    picked |= {name: _framed(split, name, chosen) for name in split.framed}
    tensors = tuple(torch.from_numpy(picked[name][0]).to(device, dtype) for name in split.order)
    there = {name: picked[name][1] for name in split.order}
    masks = {name: torch.from_numpy(seen).to(device) for name, seen in there.items() if seen is not None}
    counts = torch.from_numpy(lengths).to(device)
    return Batch(tensors, counts, tuple(int(k) for k in chosen), int(lengths.sum()), masks)


def _static(split: Split, name: str, chosen: NDArray[np.int64]) -> tuple[Array, Gone]:
    """Return (batch, dim) values of sequences and where they are there, (batch,), if some may not be."""
    gone = split.missing[name][chosen] if name in split.missing else None
    return split.scaled(name, split.static[name][chosen], gone), None if gone is None else ~gone


def _framed(split: Split, name: str, chosen: NDArray[np.int64]) -> tuple[Array, Gone]:
    """Return padded (batch, time, dim) frames and where they are there, (batch, time), if some may not be."""
    found = [split.rows(name, int(k)) for k in chosen]
    longest = max(len(rows) for rows, _ in found)
    first = found[0][0]
    padded = np.zeros((len(chosen), longest, *first.shape[1:]), dtype=first.dtype)
    there = np.zeros((len(chosen), longest), dtype=np.bool_)
    for row, (rows, gone) in enumerate(found):
        padded[row, : len(rows)] = rows
        there[row, : len(rows)] = True if gone is None else ~gone
    lacking = name in split.missing or any(gone is not None and gone.any() for _, gone in found)
    return padded, there if lacking else None


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
