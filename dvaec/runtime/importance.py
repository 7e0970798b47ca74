r"""The importance-sampled log-likelihood (Burda et al. 2016), with its Monte Carlo error.

For a sequence x with draws z_1, ..., z_K from q(z | x),

    w_k = p(x, z_k) / q(z_k | x),     log p(x) ~ L_K = log (1/K sum_k w_k),     ELBO <= E[L_K] <= log p(x),

and E[L_K] grows with K. Its error is the jackknife's: with L_(k) the same without draw k,

    error^2 = (K - 1) / K sum_k (L_(k) - mean_j L_(j))^2,

the standard deviation of the w_k over their mean and sqrt(K) where many draws count, and the distance to the
second-best draw where one is all. How many count is the effective sample size (sum_k w_k)^2 / sum_k w_k^2,
from 1 to K: where it is small, L_K is far below log p(x) and its error says little.

In generation mode (4.4) p(x, z) is that of a model whose outputs x^_t, functions of z_{1:t}, stand where p
reads past data; the draws are the same. E[L_K] then lies between the bound in generation mode and log p(x)
of that model.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from dvaec.runtime.batches import Batch, collate, in_order
from dvaec.runtime.card import Card
from dvaec.runtime.data import Split
from dvaec.runtime.evaluate import Estimate, evaluating, seeded
from dvaec.runtime.mode import Mode
from dvaec.runtime.posterior import log_weights, noise

_ROOM = 2**21  # numbers of data that are computed together: copies of a batch beside each other


@dataclass(frozen=True)
class Importance:
    """L_K of a split in nats per frame, averaged over frames and over sequences as the ELBO is.

    `effective` is the mean of the sequences' effective sample sizes, `least` the smallest of them.
    """

    samples: int
    frame: Estimate
    sequence: Estimate
    effective: float
    least: float


def importance(
    model: nn.Module,
    card: Card,
    split: Split,
    *,
    samples: int = 100,
    batch: int = 64,
    seed: int = 0,
    mode: Mode = Mode.TEACHER_FORCING,
    report: Callable[[int], None] | None = None,
) -> Importance:
    """Estimate log p(x) of a split in a mode with K = `samples` draws; leaves torch's random state as it was.

    `report`, if given, is called with the number of weights done, of K for each sequence.
    """
    weights = all_log_weights(
        model, card, split, samples=samples, batch=batch, seed=seed, mode=mode, report=report
    )
    values, errors, effective = log_means(weights)
    by_sequence = values / split.lengths
    nan = float("nan")
    frame = Estimate(float(values.sum() / split.frames), float(np.sqrt((errors**2).sum()) / split.frames))
    spread = float(np.sqrt(((errors / split.lengths) ** 2).sum()) / split.sequences)
    sequence = Estimate(float(by_sequence.mean()), spread)
    if samples == 1:
        frame, sequence = replace(frame, error=nan), replace(sequence, error=nan)
    return Importance(samples, frame, sequence, float(effective.mean()), float(effective.min()))


def all_log_weights(
    model: nn.Module,
    card: Card,
    split: Split,
    *,
    samples: int,
    batch: int = 64,
    seed: int = 0,
    mode: Mode = Mode.TEACHER_FORCING,
    report: Callable[[int], None] | None = None,
) -> NDArray[np.float64]:
    """Return log w_k of every sequence and draw: (sequences, samples)."""
    parameter = next(model.parameters())
    weights = np.zeros((split.sequences, samples))
    done = 0
    with evaluating(model), seeded(seed, parameter.device):
        for rows in in_order(split, batch):
            whole = collate(split, rows, parameter.device, parameter.dtype)
            size = sum(tensor.numel() for tensor in whole.tensors)
            at_once = max(1, min(samples, _ROOM // max(size, 1)))
            for start in range(0, samples, at_once):
                count = min(at_once, samples - start)
                copies = _repeated(whole, count)
                numbers = list(range(start, start + count)) * len(rows)
                given = noise(model, card, copies, seed, numbers)
                found = log_weights(model, card, copies, given, mode)
                weights[rows, start : start + count] = found.reshape(len(rows), count).cpu().numpy()
                done += len(rows) * count
                if report is not None:
                    report(done)
    return weights


def log_means(
    weights: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return L_K, its error and the effective sample size of each row of log w (sequences, K)."""
    top = weights.max(axis=1, keepdims=True)
    relative = np.exp(weights - top)
    mean = relative.mean(axis=1)
    values = top[:, 0] + np.log(mean)
    effective = relative.sum(axis=1) ** 2 / (relative**2).sum(axis=1)
    return values, _jackknife(weights), effective


def _jackknife(weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the error of L_K of each row; 0 for a single draw."""
    rows, count = weights.shape
    if count == 1:
        return np.zeros(rows)
    order = np.sort(weights, axis=1)
    top, rest = order[:, -1:], order[:, :-1]
    second = rest[:, -1:]
    without_best = second + np.log(np.exp(rest - second).sum(axis=1, keepdims=True))
    total = np.logaddexp(top, without_best)
    # Without any other draw than the best: the best stays, so the difference of exponentials is well kept.
    others = total + np.log1p(-np.exp(rest - total))
    left_out = np.concatenate([others, without_best], axis=1)
    spread = ((left_out - left_out.mean(axis=1, keepdims=True)) ** 2).sum(axis=1)
    return np.asarray(np.sqrt((count - 1) / count * spread))


def _repeated(batch: Batch, count: int) -> Batch:
    """Put `count` copies of each sequence beside one another."""

    def copies(tensor: Tensor) -> Tensor:
        return torch.repeat_interleave(tensor, count, 0)

    return Batch(
        tuple(copies(tensor) for tensor in batch.tensors),
        copies(batch.lengths),
        tuple(member for member in batch.members for _ in range(count)),
        batch.frames * count,
        {name: copies(mask) for name, mask in batch.masks.items()},
    )
