"""From simulated sequences of one length to the three splits of a ragged data set."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dvaec.runtime.faults import DataFault

Array = NDArray[Any]
Simulate = Callable[[np.random.Generator, int, int], Mapping[str, Array]]
"""(random, sequences, frames) -> arrays (sequences, frames, dim), or (sequences, dim) if static."""


def splits_of(name: str, simulate: Simulate, sequences: int, frames: int, seed: int) -> dict[str, Array]:
    """Simulate `sequences` for training and a quarter of that for valid and test each.

    Lengths are uniform in [frames / 2, frames]; the processes are causal, so cutting a sequence off changes
    nothing in what is left. Returns `<split>_<variable>` and `<split>_lengths`.
    """
    if sequences < 1 or frames < 2:
        raise DataFault(f"{name}: needs at least 1 sequence of 2 frames, not {sequences} of {frames}")
    found: dict[str, Array] = {}
    for number, part in enumerate(("train", "valid", "test")):
        random = np.random.default_rng([seed, number])
        count = sequences if part == "train" else max(1, sequences // 4)
        lengths = random.integers(max(1, frames // 2), frames + 1, size=count)
        kept = np.arange(frames)[None, :] < lengths[:, None]
        for key, array in simulate(random, count, frames).items():
            found[f"{part}_{key}"] = array[kept] if array.ndim == 3 else array
        found[f"{part}_lengths"] = lengths.astype(np.int64)
    return found
