"""A trained model over a split, as arrays: what it encodes and reconstructs.

Sequences stand one after the other in flat arrays (frames, dim), as in a data set, beside their lengths; what
has one value a sequence is (sequences, dim). The fields keep the names that the module gives them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from dvaec.runtime.batches import Batch, collate
from dvaec.runtime.card import Card
from dvaec.runtime.divergences import divergence, log_ratio
from dvaec.runtime.evaluate import evaluating, seeded
from dvaec.runtime.faults import LabFault
from dvaec.runtime.feedback import feeds_back
from dvaec.runtime.mode import Mode
from dvaec.runtime.normalise import Scales, undone
from dvaec.runtime.posterior import call, noise, parameters, scored
from dvaec.runtime.split import Split

Array = NDArray[Any]
Fields = Mapping[str, Tensor]


@dataclass(frozen=True)
class Sequences:
    """Fields of some sequences: `framed` (frames, dim) and `static` (sequences, dim), in one order.

    `members` are the sequences' places in the split, from 0; those of drawn sequences just count.
    """

    members: tuple[int, ...]
    lengths: NDArray[np.int64]
    framed: Mapping[str, Array]
    static: Mapping[str, Array]

    def rows(self, name: str, number: int) -> Array:
        """Return one sequence's frames of a field: (length, dim)."""
        start = int(self.lengths[:number].sum())
        found: Array = self.framed[name][start : start + int(self.lengths[number])]
        return found


def refused(model: nn.Module, method: str) -> str | None:
    """Return why a model lacks an entry point, as the module itself says it, or None."""
    found = getattr(model, method, None)
    if found is None:
        return f"{type(model).__name__} has no {method}: it has no latent variable"
    try:
        found()
    except NotImplementedError as error:
        return str(error)
    except (TypeError, RuntimeError):  # it wants arguments: it is there
        return None
    return None


def has(model: nn.Module, method: str) -> None:
    """LabFault, with the module's own reason, where a model lacks an entry point."""
    reason = refused(model, method)
    if reason is not None:
        raise LabFault(reason)


def encoded(
    model: nn.Module, card: Card, split: Split, members: Sequence[int], *, batch: int = 64, seed: int = 0
) -> Sequences:
    """Draw the latents of some sequences from q; q's parameters, and `kl_<latent>` by dimension beside them.

    A divergence that the bound samples is log q - log p of what was drawn; a full covariance has none.
    """
    has(model, "encode")

    def fields(given: Batch) -> Fields:
        return with_divergences(
            model,
            card,
            given,
            call(model, "encode", card, given, **noise(model, card, given, seed))._asdict(),
        )

    return over(model, split, members, batch, seed, fields)


def with_divergences(model: nn.Module, card: Card, given: Batch, found: Fields) -> Fields:
    """Put `kl_<latent>` beside what `encode` returned: (batch, time, dim) or (batch, dim)."""
    latents = {name: found[name] for name in card.latent_values}
    score = scored(model, card, given, latents)
    beside: dict[str, Tensor] = {}
    for name, value in latents.items():
        family, q = parameters(score, "q", name)
        p = parameters(score, "p", name)[1]
        is_sampled = f"kl_{name}" in card.sampled
        kl = log_ratio(family, value, q, p) if is_sampled else divergence(family, q, p)
        if kl is not None:
            beside[f"kl_{name}"] = kl
    return {**found, **beside}


def reconstructed(
    model: nn.Module,
    card: Card,
    split: Split,
    members: Sequence[int],
    *,
    batch: int = 64,
    seed: int = 0,
    mode: Mode = Mode.TEACHER_FORCING,
) -> Sequences:
    """Draw the latents from q, once, and return the means of p and its parameters.

    Past data are given (teacher forcing), or in generation mode p's own means (4.4).
    """
    fed = mode is Mode.GENERATION and feeds_back(model)

    def fields(given: Batch) -> Fields:
        method, own = "elbo_fed" if fed else "reconstruct", noise(model, card, given, seed)
        found: dict[str, Tensor] = call(model, method, card, given, **own)._asdict()
        parts = ("elbo", *card.terms, *card.predictions)
        return {name: value for name, value in found.items() if name not in parts}

    return over(model, split, members, batch, seed, fields)


def over(
    model: nn.Module,
    split: Split,
    members: Sequence[int],
    batch: int,
    seed: int,
    fields: Callable[[Batch], Fields],
) -> Sequences:
    """Call `fields` on batches of sequences of similar lengths; return its results in their own order."""
    parameter = next(model.parameters())
    lengths = split.lengths[np.asarray(members, dtype=np.int64)]
    order = np.argsort(lengths, kind="stable")
    pieces: dict[str, list[Array]] = {}
    framed: dict[str, bool] = {}
    with evaluating(model), seeded(seed, parameter.device):
        for start in range(0, len(order), batch):
            places = order[start : start + batch]
            given = collate(split, [members[int(k)] for k in places], parameter.device, parameter.dtype)
            for name, value in fields(given).items():
                framed[name] = value.dim() == 3
                own = pieces.setdefault(name, [np.zeros(0)] * len(members))
                for row, place in enumerate(places):
                    cut = value[row, : int(lengths[place])] if value.dim() == 3 else value[row]
                    own[int(place)] = cut.detach().cpu().numpy()
    return Sequences(
        tuple(int(k) for k in members),
        lengths,
        {n: np.concatenate(own) for n, own in pieces.items() if framed[n]},
        {n: np.stack(own) for n, own in pieces.items() if not framed[n]},
    )


def original(split: Split, members: Sequence[int]) -> Sequences:
    """Return the data of some sequences in their own units, in the same shape; what is missing is nan."""
    framed: dict[str, list[Array]] = {name: [] for name in split.framed}
    static: dict[str, list[Array]] = {name: [] for name in split.static}
    for member in members:
        for name, pieces in framed.items():
            values, gone = split.rows(name, member)
            pieces.append(_seen(undone(split.scales, name, values), gone))
        for name, pieces in static.items():
            missing = split.missing.get(name)
            gone = None if missing is None else missing[[member]]
            pieces.append(_seen(np.asarray(split.static[name][[member]]), gone))
    lengths = split.lengths[np.asarray(members, dtype=np.int64)]
    joined = [{n: np.concatenate(p) for n, p in one.items()} for one in (framed, static)]
    return Sequences(tuple(members), lengths, *joined)


def _seen(values: Array, gone: NDArray[np.bool_] | None) -> Array:
    wide = np.asarray(values, dtype=np.float64)
    return wide if gone is None else np.where(gone[:, None], np.nan, wide)


def in_units(scales: Scales, card: Card, found: Sequences) -> Sequences:
    """Return what stands for an observed variable in the data's own units; parameters stay as they are."""
    framed, static = (
        {n: undone(scales, n, v) if n in card.observed else v for n, v in one.items()}
        for one in (found.framed, found.static)
    )
    return replace(found, framed=framed, static=static)


def spread(scales: Scales, found: Sequences, name: str, number: int) -> Array | None:
    """Return p's standard deviation of a variable over one sequence, (length, dim), in its own units.

    None where its family has none that is told by dimension.
    """
    if name not in found.framed:
        return None
    width = found.framed[name].shape[1]
    for field, factor in ((f"p_{name}_logvar", 0.5), (f"p_{name}_logscale", 1.0)):
        if f"p_{name}_mean" in found.framed and field in found.framed:
            deviation = np.exp(factor * found.rows(field, number))
            if deviation.shape[1] == width:
                laplace = np.sqrt(2.0) if factor == 1.0 else 1.0
                return np.asarray(laplace * deviation * (scales[name].scale if name in scales else 1.0))
    return None


def band(scales: Scales, found: Sequences, name: str, number: int) -> tuple[Array, Array] | None:
    """Return p's mean and standard deviation over one sequence, (length, dim) each, in the variable's units.

    What is drawn from p lies about this mean and is not the middle of p itself. None where `spread` is.
    """
    deviation = spread(scales, found, name, number)
    if deviation is None:
        return None
    return undone(scales, name, found.rows(f"p_{name}_mean", number)), deviation


def renamed(found: Sequences, prefix: str) -> Sequences:
    """Put a prefix before every name."""
    framed = {f"{prefix}{name}": value for name, value in found.framed.items()}
    return replace(found, framed=framed, static={f"{prefix}{n}": v for n, v in found.static.items()})
