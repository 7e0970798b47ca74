r"""What the latents do: the KL of every dimension, active units, and dimensions that have collapsed (13.3.4).

For dimension j of a latent, averaged over the places n = 1 .. N of a split (real frames; sequences for a
latent of sequence level) and over S draws of what q reads,

    KL_j      = mean_n KL(q(z_{n,j} | ...) || p(z_{n,j} | ...)),
    A_j       = Var_n (mean over draws of E_q[z_{n,j} | ...]):   active iff A_j > 0.01 (Burda et al. 2016),
    collapsed iff KL_j < 0.01 nats: q has become the prior (13.3.4).

Where the bound has no closed form, KL_j is the mean of log q - log p of the drawn z_{n,j}. The activity of a
latent under an autoregressive prior can be large with a KL of 0, as its prior's mean moves too; that is why
both are told. A latent of classes has one KL, and the number of classes in use, exp of the entropy of the
mean of q; a full covariance couples the dimensions, and has activities alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from dvaec.runtime.batches import Batch, collate, in_order
from dvaec.runtime.card import Card
from dvaec.runtime.data import Split
from dvaec.runtime.divergences import deviation, divergence, log_ratio
from dvaec.runtime.evaluate import evaluating, seeded
from dvaec.runtime.posterior import drawn, noise, parameters, scored

ACTIVE = 0.01  # Var of q's mean, Burda et al. 2016
COLLAPSED = 0.01  # nats a place


@dataclass(frozen=True)
class Latent:
    """One latent's numbers, dimension by dimension; empty where its family has none of them.

    `places` counts the frames (or sequences) that were averaged over. `kl` is KL_j, of classes the one KL.
    `activity` is A_j, `spread` the mean standard deviation of q. `collapsed_in` is the share of sequences
    whose own KL_j is below the threshold. `classes` is the number of classes in use.
    """

    name: str
    family: str
    framed: bool
    places: int
    kl: tuple[float, ...]
    activity: tuple[float, ...]
    spread: tuple[float, ...]
    collapsed_in: tuple[float, ...]
    classes: float | None = None

    @property
    def active(self) -> int:
        """How many dimensions are active."""
        return sum(one > ACTIVE for one in self.activity)

    @property
    def collapsed(self) -> int:
        """How many dimensions (or the latent of classes) have collapsed."""
        return sum(one < COLLAPSED for one in self.kl)


@dataclass(frozen=True)
class Places:
    """What one draw gives of one latent at every place of a batch: (places, dim) each, or nothing."""

    kl: Tensor | None
    mean: Tensor | None
    spread: Tensor | None
    classes: Tensor | None
    rows: Tensor  # which of the batch's sequences a place belongs to


def activity(
    model: nn.Module, card: Card, split: Split, *, samples: int = 1, batch: int = 64, seed: int = 0
) -> tuple[Latent, ...]:
    """Measure every latent over a split with `samples` draws; leaves torch's random state as it was."""
    parameter = next(model.parameters())
    gathered: dict[str, _Gathered] = {}
    with evaluating(model), seeded(seed, parameter.device):
        for rows in in_order(split, batch):
            given = collate(split, rows, parameter.device, parameter.dtype)
            draws = (noise(model, card, given, seed, number) for number in range(samples))
            found = [places_of(model, card, given, one) for one in draws]
            for name in card.latent_values:
                family = found[0][name][0]
                own = gathered.setdefault(name, _Gathered(family, found[0][name][1], split.sequences))
                own.add([draw[name][2] for draw in found], rows)
    return tuple(one.summary(name) for name, one in gathered.items())


def places_of(
    model: nn.Module, card: Card, batch: Batch, given: Mapping[str, Tensor]
) -> dict[str, tuple[str, bool, Places]]:
    """Draw once; return each latent's family, whether it has frames, and its numbers at every place."""
    latents = drawn(model, card, batch, given)
    score = scored(model, card, batch, latents)
    return {
        name: _places(score, name, value, f"kl_{name}" in card.sampled, batch)
        for name, value in latents.items()
    }


def _places(
    score: dict[str, Tensor], name: str, value: Tensor, is_sampled: bool, batch: Batch
) -> tuple[str, bool, Places]:
    family, q = parameters(score, "q", name)
    _, p = parameters(score, "p", name)
    kl = log_ratio(family, value, q, p) if is_sampled else divergence(family, q, p)
    count = batch.lengths.size(0)
    rows = torch.arange(count, device=value.device)
    if value.dim() == 3:
        frames = torch.arange(value.size(1), device=value.device)
        own = frames.unsqueeze(0) < batch.lengths.unsqueeze(1)
        rows = rows.unsqueeze(1).expand(count, value.size(1))[own]
    else:
        own = torch.ones(count, dtype=torch.bool, device=value.device)

    def there(tensor: Tensor | None) -> Tensor | None:
        return None if tensor is None else tensor.broadcast_to(*own.shape, tensor.size(-1))[own].double()

    classes = torch.softmax(q["logits"], -1) if family == "categorical" else None
    return (
        family,
        value.dim() == 3,
        Places(there(kl), there(q.get("mean")), there(deviation(family, q)), there(classes), rows),
    )


class _Gathered:
    """The sums of one latent over the batches of a split."""

    def __init__(self, family: str, framed: bool, sequences: int) -> None:
        self._family, self._framed, self._sequences = family, framed, sequences
        self._parts: dict[str, list[NDArray[Any]]] = {}

    def add(self, draws: list[Places], members: list[int]) -> None:
        """Take in the draws of one batch, averaged: the places are the same in each."""
        rows = np.asarray(members)[draws[0].rows.cpu().numpy()]
        self._parts.setdefault("rows", []).append(rows)
        for name in ("kl", "mean", "spread", "classes"):
            if getattr(draws[0], name) is not None:
                mean = torch.stack([getattr(draw, name) for draw in draws]).mean(0)
                self._parts.setdefault(name, []).append(mean.cpu().numpy())

    def summary(self, name: str) -> Latent:
        """Average over all places."""
        all_parts = {key: np.concatenate(values) for key, values in self._parts.items()}
        rows = all_parts["rows"]
        kl, means, spread = all_parts.get("kl"), all_parts.get("mean"), all_parts.get("spread")
        shares: tuple[float, ...] = ()
        if kl is not None:
            totals = np.zeros((self._sequences, kl.shape[1]))
            np.add.at(totals, rows, kl)
            counts = np.bincount(rows, minlength=self._sequences)
            shares = _plain((totals / counts[:, None] < COLLAPSED).mean(axis=0))
        classes = None
        if "classes" in all_parts:
            usage = all_parts["classes"].mean(axis=0)
            classes = float(np.exp(-(usage * np.log(np.maximum(usage, 1e-300))).sum()))
        return Latent(
            name,
            self._family,
            self._framed,
            len(rows),
            _plain(kl.mean(axis=0)) if kl is not None else (),
            _plain(means.var(axis=0)) if means is not None else (),
            _plain(spread.mean(axis=0)) if spread is not None else (),
            shares,
            classes,
        )


def _plain(values: NDArray[Any]) -> tuple[float, ...]:
    return tuple(float(one) for one in values)
