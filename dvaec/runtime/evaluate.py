"""The ELBO of a data set in nats per frame, its parts apart, with the Monte Carlo error of its draws.

With ELBO_i the bound of sequence i of T_i frames,
    frame average    = sum_i ELBO_i / sum_i T_i,        sequence average = mean_i (ELBO_i / T_i),
and the same for each part. Each of S draws of the latents gives one such number; reported are their mean
and the standard error of that mean, their standard deviation / sqrt(S).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from dvaec.runtime.batches import Batch, collate, in_order
from dvaec.runtime.card import Card
from dvaec.runtime.data import Split
from dvaec.runtime.feedback import elbo_in
from dvaec.runtime.mode import Mode
from dvaec.runtime.posterior import noise


@dataclass(frozen=True)
class Estimate:
    """A mean over draws, in nats per frame, and its Monte Carlo standard error (nan for a single draw)."""

    mean: float
    error: float


@dataclass(frozen=True)
class Evaluation:
    """Averages of `elbo`, each `log_p_<observed>` and each `kl_<latent>`; elbo = sum of log_p - sum of kl.

    Auxiliary predictions stand beside them as `aux_<state>`, and are no part of the bound.
    """

    split: str
    samples: int
    sequences: int
    frames: int
    frame: Mapping[str, Estimate]
    sequence: Mapping[str, Estimate]
    mode: Mode = Mode.TEACHER_FORCING


def elbo_parts(
    model: nn.Module,
    card: Card,
    batch: Batch,
    given: Mapping[str, Tensor] | None = None,
    mode: Mode = Mode.TEACHER_FORCING,
) -> dict[str, Tensor]:
    """Call the module's bound in a mode and return its parts by name, each (batch, time) or (batch,).

    In the card's order; auxiliary predictions, which are no part of the bound, come last. `given` has the
    draws of the latents by the names of the module's arguments.
    """
    result = elbo_in(model, mode)(**batch.arguments(card.dims), **(given or {}))
    return {name: cast(Tensor, getattr(result, name)) for name in (*card.terms, *card.predictions)}


def evaluate(
    model: nn.Module,
    card: Card,
    split: Split,
    *,
    samples: int = 1,
    batch: int = 64,
    seed: int = 0,
    mode: Mode = Mode.TEACHER_FORCING,
    report: Callable[[int], None] | None = None,
) -> Evaluation:
    """Estimate the ELBO of a split with `samples` draws per sequence; leaves torch's random state as it was.

    A sequence's draws depend on `seed` and on its place in the split, not on `batch`. In generation mode p
    reads its own outputs, never the data (4.4). `report`, if given, is called with the number of draws done.
    """
    parameter = next(model.parameters())
    drawn: list[dict[str, NDArray[np.float64]]] = []
    with evaluating(model), seeded(seed, parameter.device):
        batches = [collate(split, rows, parameter.device, parameter.dtype) for rows in in_order(split, batch)]
        for number in range(samples):
            drawn.append(_draw(model, card, split.sequences, batches, (seed, number), mode))
            if report is not None:
                report(number + 1)
    frame, sequence = {}, {}
    for name in ("elbo", *card.terms, *card.predictions):
        sums = np.stack([one[name] for one in drawn])  # (samples, sequences)
        frame[name] = _estimate(sums.sum(axis=1) / split.frames)
        sequence[name] = _estimate((sums / split.lengths).mean(axis=1))
    return Evaluation(split.name, samples, split.sequences, split.frames, frame, sequence, mode)


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Switch to evaluation mode without gradients, and back to the mode there was."""
    training = model.training
    model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        model.train(training)


@contextmanager
def seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Draw from a random state of one's own, and give back the one there was."""
    devices = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        yield


def _draw(
    model: nn.Module, card: Card, sequences: int, batches: list[Batch], draw: tuple[int, int], mode: Mode
) -> dict[str, NDArray[np.float64]]:
    """Sum every part over each sequence's frames, for one draw (seed, number): name -> (sequences,)."""
    seed, number = draw
    sums = {name: np.zeros(sequences) for name in (*card.terms, *card.predictions)}
    for batch in batches:
        rows = list(batch.members)
        given = noise(model, card, batch, seed, number)
        for name, part in elbo_parts(model, card, batch, given, mode).items():
            total = part.double()
            sums[name][rows] = (total.sum(dim=1) if total.dim() == 2 else total).cpu().numpy()
    signs = {name: 1.0 if name.startswith("log_p_") else -1.0 for name in card.terms}
    sums["elbo"] = np.sum([signs[name] * sums[name] for name in card.terms], axis=0)
    return sums


def _estimate(draws: NDArray[np.float64]) -> Estimate:
    error = float(draws.std(ddof=1) / np.sqrt(len(draws))) if len(draws) > 1 else float("nan")
    return Estimate(float(draws.mean()), error)
