"""A model's own entry points on a batch: draws of the latents from q, and the density of everything there."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

import torch
from torch import Tensor, nn

from dvaec.runtime.batches import Batch
from dvaec.runtime.card import Card
from dvaec.runtime.feedback import feeds_back
from dvaec.runtime.mode import Mode
from dvaec.runtime.noise import EVALUATION, draws

# By the parameters of a latent's conditionals (docs/families.md): which family they belong to.
FAMILIES = {
    ("mean", "logvar"): "gaussian",
    ("mean", "logscale"): "laplace",
    ("mean", "factor"): "full_gaussian",
    ("logits",): "categorical",
}


def call(model: nn.Module, method: str, card: Card, batch: Batch, **more: Any) -> Any:
    """Call an entry point that reads the data: `elbo`, `encode`, `score`, `reconstruct`."""
    return cast(Callable[..., Any], getattr(model, method))(**batch.arguments(card.dims), **more)


def noise(
    model: nn.Module, card: Card, batch: Batch, seed: int, numbers: Sequence[int] | int = 0
) -> dict[str, Tensor]:
    """The draws behind the latents of an evaluation: a sequence's depend on its place, `seed` and a number.

    On no batch, then, and they are those of `evaluate`. `numbers` has one for each row, or is the same.
    """
    each = [numbers] * len(batch.members) if isinstance(numbers, int) else numbers
    keys = [(seed, EVALUATION, member, number) for member, number in zip(batch.members, each, strict=True)]
    parameter = next(model.parameters())
    found = draws(card.noises, keys, batch.lengths.cpu(), parameter.dtype)
    return {name: one.to(parameter.device) for name, one in found.items()}


def drawn(model: nn.Module, card: Card, batch: Batch, given: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Draw every latent from q, `given` the noise: (batch, time, dim) or (batch, dim)."""
    if not card.latent_values:
        return {}
    encoded = call(model, "encode", card, batch, **given)
    return {name: cast(Tensor, getattr(encoded, name)) for name in card.latent_values}


def scored(model: nn.Module, card: Card, batch: Batch, latents: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Every conditional's parameters and log-density at given latents, by the names of `score`'s fields."""
    found = call(model, "score", card, batch, **latents)
    return {name: cast(Tensor, getattr(found, name)) for name in found._fields}


def scored_fed(
    model: nn.Module, card: Card, batch: Batch, given: Mapping[str, Tensor], latents: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """p's densities in generation mode, of the data and of the latents drawn with the noise `given`.

    p reads its own outputs x^, the means, which are functions of the latents (4.4): `elbo_fed` makes them and
    scores the data, and `score` at x^ in the place of the data has p(z_t | x^_{1:t-1}, z_{1:t-1}).
    """
    found = call(model, "elbo_fed", card, batch, **given)
    outputs = {n: cast(Tensor, getattr(found, n)) for n in card.observed if n not in card.static_observed}
    tensors = dict(zip(card.dims, batch.tensors, strict=True)) | outputs
    masks = {name: mask for name, mask in batch.masks.items() if name not in outputs}  # outputs lack nothing
    fed = scored(model, card, replace(batch, tensors=tuple(tensors.values()), masks=masks), latents)
    own = {f"log_p_{name}": cast(Tensor, getattr(found, f"log_p_{name}")) for name in card.observed}
    return {**fed, **own}


def log_weights(
    model: nn.Module,
    card: Card,
    batch: Batch,
    given: Mapping[str, Tensor],
    mode: Mode = Mode.TEACHER_FORCING,
) -> Tensor:
    """log p(x, z) - log q(z | x) of one draw of z from q, `given` the noise, in float64: (batch,).

    Every latent counts, those of frame 0 and of sequence level too; what is missing or padding counts not.
    In generation mode p reads its own outputs, q the data.
    """
    latents = drawn(model, card, batch, given)
    q = scored(model, card, batch, latents)
    fed = mode is Mode.GENERATION and feeds_back(model)
    p = scored_fed(model, card, batch, given, latents) if fed else q
    total = torch.zeros(len(batch.members), dtype=torch.float64, device=batch.lengths.device)
    for name in card.observed:
        total = total + _whole(p[f"log_p_{name}"])
    for name in card.latent_values:
        total = total + _whole(p[f"log_p_{name}"]) - _whole(q[f"log_q_{name}"])
    return total


def parameters(values: Mapping[str, Tensor], side: str, latent: str) -> tuple[str, dict[str, Tensor]]:
    """Return the family of a latent's conditional and its parameters by their short names."""
    for names, family in FAMILIES.items():
        if all(f"{side}_{latent}_{name}" in values for name in names):
            return family, {name: values[f"{side}_{latent}_{name}"] for name in names}
    raise ValueError(f"the module returns no parameters of {side}({latent}) that are known here")


def _whole(density: Tensor) -> Tensor:
    """Sum over frames, if there are any: (batch, time) or (batch,) -> (batch,)."""
    wide = density.double()
    return wide.sum(1) if wide.dim() == 2 else wide
