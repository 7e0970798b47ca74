"""Pieces of sequences: fixed windows, or a random piece of each in every epoch. No array is copied."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from dvaec.runtime.faults import DataFault
from dvaec.runtime.split import Split

_OWN = 1  # keeps the random numbers of crops apart from those of shuffling


def windows(split: Split, frames: int, shift: int = 0) -> Split:
    """Cut each sequence into pieces of `frames` frames that begin every `shift` frames (`frames` if 0).

    Only whole pieces are taken, as in 13.2.1 and 13.2.2; a sequence shorter than a piece stays as it is. What
    has one value a sequence goes with each piece.
    """
    _check(split, frames)
    counts = np.maximum(1, (split.lengths - frames) // (shift or frames) + 1)
    owner = np.repeat(np.arange(split.sequences), counts)
    place = np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts)
    return _pieces(split, owner, split.firsts[owner] + place * (shift or frames), frames)


def randomly(split: Split, frames: int) -> Split:
    """Ask for a random piece of `frames` frames of each sequence, another in every epoch."""
    _check(split, frames)
    return replace(split, crop=frames)


def at_epoch(split: Split, seed: int, epoch: int) -> Split:
    """Return what an epoch trains on: the split, or a random piece of each sequence if it asks for that.

    Depends on `seed` and `epoch` alone; shorter sequences stay whole.
    """
    if not split.crop:
        return split
    random = np.random.default_rng([seed, epoch, _OWN])
    room = np.maximum(0, split.lengths - split.crop)
    firsts = split.firsts + random.integers(0, room + 1)
    return replace(_pieces(split, np.arange(split.sequences), firsts, split.crop), crop=0)


def _pieces(split: Split, owner: NDArray[np.int64], firsts: NDArray[np.int64], frames: int) -> Split:
    """Return a split of pieces: the sequence that each is of, the row where it begins, its length at most."""
    missing = {name: gone[owner] if name in split.static else gone for name, gone in split.missing.items()}
    static = {name: array[owner] for name, array in split.static.items()}
    lengths = np.minimum(split.lengths[owner], frames)
    return replace(split, lengths=lengths, starts=firsts, static=static, missing=missing)


def _check(split: Split, frames: int) -> None:
    if frames < 2:
        raise DataFault(f"pieces of {frames} frames: at least 2")
    if not split.framed:
        raise DataFault(f"{split.name}: the model's data have no frames to cut")
