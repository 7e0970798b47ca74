"""The draws behind a model's latents, one stream a sequence: they depend on no batch, padding or process.

The draws of a sequence come from a generator that is seeded by (seed, epoch, sequence, sample). So a
batch split over processes, a resumed run and an evaluation with other batches see the very noise of the plain
run. Epochs count from 1; epoch 0 is evaluation's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

EVALUATION = 0
_FED = 1  # keeps what is fed back apart from the draws of the latents


@dataclass(frozen=True)
class Noise:
    """One argument of the module's `elbo`: `law` is normal, N(0, 1), or uniform, U[0, 1).

    Its shape is (batch, time, width), or (batch, width) where it is not framed.
    """

    law: str
    width: int
    framed: bool


def draws(
    noises: Mapping[str, Noise], keys: Sequence[tuple[int, ...]], lengths: Tensor, dtype: torch.dtype
) -> dict[str, Tensor]:
    """Draw the arguments named in `noises` for the sequences of a batch, on the CPU; zeros on the padding.

    `keys` has one stream's name a sequence: (seed, epoch, sequence, sample).
    """
    sizes = [int(length) for length in lengths]
    longest = max(sizes)
    made = {
        name: np.zeros((len(keys), longest, one.width) if one.framed else (len(keys), one.width))
        for name, one in noises.items()
    }
    for row, (key, size) in enumerate(zip(keys, sizes, strict=True)):
        random = np.random.default_rng(key)
        for name, one in noises.items():
            shape = (size, one.width) if one.framed else (one.width,)
            # Uniform numbers of single precision: a double just below 1 would be rounded to 1, which is none.
            uniform = one.law == "uniform"
            drawn = random.random(shape, dtype=np.float32) if uniform else random.standard_normal(shape)
            if one.framed:
                made[name][row, :size] = drawn
            else:
                made[name][row] = drawn
    return {name: torch.from_numpy(array).to(dtype) for name, array in made.items()}


def fed_mask(share: float, keys: Sequence[tuple[int, ...]], lengths: Tensor) -> Tensor:
    """Choose the frames that are fed back, each with probability `share`: bool (batch, time).

    By the streams of `draws`, one a sequence. A larger share chooses the same frames and more.
    """
    made = np.zeros((len(keys), int(lengths.max())), dtype=np.bool_)
    for row, (key, size) in enumerate(zip(keys, lengths, strict=True)):
        made[row, : int(size)] = np.random.default_rng([*key, _FED]).random(int(size)) < share
    return torch.from_numpy(made)
