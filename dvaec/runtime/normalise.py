r"""Normalisation, fitted on the training split and kept with the run: y = (x - shift) / scale, by dimension.

    standard:  shift the mean, scale the standard deviation, of each dimension
    centre:    shift the mean of each dimension, scale 1: the density is that of the data
    scale:     shift 0, scale the standard deviation around 0 of all dimensions together, one number

Missing frames do not count; a dimension that never changes keeps the scale 1. Gaussian, Laplace, Student-t
and mixture variables and inputs take any; Gamma variables `scale` (they stay positive); the others none,
for their values mean what they are. A density of y is one of x times prod_d scale_d a frame:

    log p(x_t) = log p(y_t) - sum_d log scale_d                                     (`nats`)
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from dvaec.diagnostics import did_you_mean
from dvaec.runtime.card import Card
from dvaec.runtime.faults import DataFault, StoreFault
from dvaec.runtime.split import Array, Scale, Split

KINDS = ("standard", "centre", "scale")
_POSITIVE = ("gamma",)
_FIXED = ("bernoulli", "categorical", "poisson", "beta")
Scales = Mapping[str, Scale]


def kinds_of(words: Sequence[str], card: Card) -> dict[str, str]:
    """Read what --normalise says: a kind for whatever takes it (`standard`), or for one variable (`x=scale`).

    DataFault for a kind or variable that is none, for a variable named whose family takes no such kind, and
    where no variable does.
    """
    found: dict[str, str] = {}
    for word in words:
        name, equals, kind = word.rpartition("=")
        if kind not in KINDS:
            raise DataFault(f"--normalise {word}: no such kind", f"{', '.join(KINDS)}, or x={KINDS[0]}")
        if not equals:
            taking = {variable: kind for variable in card.dims if _takes(card, variable, kind)}
            if not taking:
                families = ", ".join(f"{variable} is {card.families[variable]}" for variable in card.dims)
                raise DataFault(f"--normalise {word}: no variable of {card.name} can be: {families}")
            found |= taking
        elif name not in card.dims:
            near = did_you_mean(name, list(card.dims)) or f"it has {', '.join(card.dims)}"
            raise DataFault(f"--normalise {word}: {card.name} has no variable '{name}'", near)
        elif not _takes(card, name, kind):
            family = card.families[name]
            allowed = f"{name}=scale" if family in _POSITIVE else f"{family} values mean what they are"
            raise DataFault(f"--normalise {word}: {name} is {family}, which cannot be {kind}", allowed)
        else:
            found[name] = kind
    return found


def _takes(card: Card, name: str, kind: str) -> bool:
    family = card.families.get(name, "")
    return family not in _FIXED and not (family in _POSITIVE and kind != "scale")


def fit(split: Split, kinds: Mapping[str, str]) -> dict[str, Scale]:
    """Fit scales on a split, sequence by sequence; data on disk are read once, and not held."""
    return {name: _fitted(split, name, kind) for name, kind in kinds.items()}


def normalised(split: Split, scales: Scales) -> Split:
    """Return the split whose rows are normalised as they are read."""
    return replace(split, scales=dict(scales))


def undone(scales: Scales, name: str, values: Array) -> Array:
    """Return values of a variable, (..., dim), in the data's own units: what samples are written in."""
    return scales[name].undo(values) if name in scales else values


def nats(scales: Scales, card: Card) -> dict[str, float]:
    """Return sum_d log scale_d of each observed variable whose density is another, in nats a frame."""
    scaled = {name: one for name, one in scales.items() if name in card.observed and (one.scale != 1).any()}
    return {name: float(np.log(one.scale).sum()) for name, one in scaled.items()}


def scales_to_json(scales: Scales) -> dict[str, dict[str, list[float]]]:
    """Return scales as plain values."""
    return {n: {"shift": one.shift.tolist(), "scale": one.scale.tolist()} for n, one in scales.items()}


def scales_from_json(found: object, where: str) -> dict[str, Scale]:
    """Read what `scales_to_json` gave; StoreFault, naming `where`, for anything else."""
    try:
        scales = {
            name: Scale(np.array(one["shift"], dtype=np.float64), np.array(one["scale"], dtype=np.float64))
            for name, one in dict(found).items()  # type: ignore[call-overload]
        }
    except (TypeError, KeyError, ValueError) as error:
        raise StoreFault(f"{where}: holds no normalisation: {error}") from error
    for name, one in scales.items():
        if one.shift.ndim != 1 or one.shift.shape != one.scale.shape or not (one.scale > 0).all():
            raise StoreFault(f"{where}: the normalisation of {name} is damaged: {json.dumps(str(one))[:80]}")
    return scales


def _fitted(split: Split, name: str, kind: str) -> Scale:
    """Combine the moments of the sequences (Chan, Golub and LeVeque 1983)."""
    count, mean, spread = 0, np.zeros(1), np.zeros(1)
    for values in _present(split, name):
        if not len(values):
            continue
        own = values.mean(axis=0)
        total = count + len(values)
        apart = own - mean
        mean = mean + apart * (len(values) / total)
        spread = spread + ((values - own) ** 2).sum(axis=0) + apart**2 * (count * len(values) / total)
        count = total
    if not count:
        raise DataFault(f"{split.name}_{name}: nothing is observed to normalise by")
    if kind == "centre":
        return Scale(mean, np.ones_like(mean))
    variance = spread / count
    if kind == "standard":
        still = np.sqrt(variance) <= 1e-6 * np.maximum(1e-6, np.abs(mean))
        return Scale(mean, np.where(still, 1.0, np.sqrt(variance)))
    size = float(np.sqrt((variance + mean**2).mean()))
    return Scale(np.zeros_like(mean), np.full_like(mean, size or 1.0))


def _present(split: Split, name: str) -> Iterator[NDArray[np.float64]]:
    """Yield the rows of a variable that are there, before normalisation, sequence by sequence if framed."""
    if name in split.static:
        gone = split.missing.get(name)
        values = split.static[name] if gone is None else split.static[name][~gone]
        yield values.astype(np.float64)
        return
    plain = replace(split, scales={})
    for k in range(split.sequences):
        rows, gone = plain.rows(name, k)
        yield (rows if gone is None else rows[~gone]).astype(np.float64)
