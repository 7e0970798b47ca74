"""Sequences that a trained model draws: from nothing, or behind a context."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from dvaec.runtime.batches import Batch, collate
from dvaec.runtime.card import Card
from dvaec.runtime.data import Split
from dvaec.runtime.evaluate import evaluating, seeded
from dvaec.runtime.faults import LabFault
from dvaec.runtime.passes import Fields, Sequences, has


def sampled(
    model: nn.Module,
    card: Card,
    *,
    count: int,
    frames: int,
    inputs: Batch | None = None,
    mean: bool = False,
    seed: int = 0,
) -> Sequences:
    """Draw sequences from p; with inputs as many and as long as these are, in their order.

    `mean` feeds back each conditional's mean instead of a draw.
    """
    has(model, "generate")
    given: dict[str, Any] = {} if card.length is not None else {"frames": frames}
    lengths = np.full(count, card.length or frames, dtype=np.int64)
    if card.inputs:
        if inputs is None:
            raise LabFault(f"{card.name} reads {', '.join(card.inputs)}, which must be given")
        count, lengths = len(inputs.members), inputs.lengths.cpu().numpy()
        named = dict(zip(card.dims, inputs.tensors, strict=True))
        given |= {name: named[name] for name in card.inputs} | {"lengths": inputs.lengths}
        if "frames" in given:
            given["frames"] = int(lengths.max())
    with evaluating(model), seeded(seed, next(model.parameters()).device):
        generate = cast(Callable[..., Any], model.generate)
        found: dict[str, Tensor] = generate(batch=count, sample=not mean, **given)._asdict()
    return _cut(tuple(range(count)), lengths, found)


def _cut(members: tuple[int, ...], lengths: NDArray[np.int64], found: Fields) -> Sequences:
    arrays = {name: value.detach().cpu().numpy() for name, value in found.items()}
    framed = {name: array for name, array in arrays.items() if array.ndim == 3}
    return Sequences(
        members,
        lengths,
        {n: np.concatenate([row[:k] for row, k in zip(a, lengths, strict=True)]) for n, a in framed.items()},
        {n: array for n, array in arrays.items() if array.ndim == 2},
    )


def forecast(
    model: nn.Module,
    card: Card,
    split: Split,
    members: Sequence[int],
    *,
    context: int,
    steps: int | None = None,
    mean: bool = False,
    seed: int = 0,
) -> Sequences:
    """Infer the latents of each sequence's first `context` frames and go on from p for `steps` frames.

    `steps` is up to each sequence's end by default. Sequences of one length go together, so that no padding
    stands behind a context. Where no data stand behind it the model may have no framed inputs.
    """
    has(model, "forecast")
    lengths = split.lengths[np.asarray(members, dtype=np.int64)]
    ends = lengths if steps is None else np.full(len(lengths), context + steps)
    _fits(card, split, members, context, ends)
    parts: list[Sequences] = []
    with evaluating(model), seeded(seed, next(model.parameters()).device):
        for end in sorted({int(k) for k in ends}):
            rows = [member for member, own in zip(members, ends, strict=True) if own == end]
            parts.append(_continued(model, card, split, rows, context, end, mean))
    return _joined(parts, members)


def _fits(card: Card, split: Split, members: Sequence[int], context: int, ends: NDArray[Any]) -> None:
    framed = [name for name in card.inputs if name not in card.static]
    for member, end in zip(members, ends, strict=True):
        length = int(split.lengths[member])
        if length < context or end <= context:
            raise LabFault(
                f"{split.name}: sequence {member + 1} has {length} frames: nothing is left to forecast "
                f"behind a context of {context}",
                "a smaller --context, --steps, or other --sequences",
            )
        if framed and end > length:
            raise LabFault(
                f"{split.name}: sequence {member + 1} has {length} frames of {', '.join(framed)}, and "
                f"{context} + {end - context} are asked for",
                "fewer --steps: what is given must be given for every frame",
            )


def _continued(
    model: nn.Module, card: Card, split: Split, rows: list[int], context: int, end: int, mean: bool
) -> Sequences:
    parameter = next(model.parameters())
    whole = collate(split, rows, parameter.device, parameter.dtype)
    named = dict(zip(card.dims, whole.tensors, strict=True))
    given: dict[str, Any] = {}
    for name, value in named.items():
        if value.dim() == 3:
            value = value[:, :context] if name in card.observed else value[:, :end]
        given[name] = value
    for name, mask in whole.masks.items():
        given[f"mask_{name}"] = mask[:, :context] if mask.dim() == 2 else mask
    found = cast(Callable[..., Any], model.forecast)(end - context, sample=not mean, **given)._asdict()
    return _cut(tuple(rows), np.full(len(rows), end, dtype=np.int64), found)


def _joined(parts: Sequence[Sequences], members: Sequence[int]) -> Sequences:
    """Put groups of sequences together, in the order of `members`."""
    where = {member: (part, row) for part in parts for row, member in enumerate(part.members)}
    chosen = [where[member] for member in members]
    first = parts[0]
    framed = {n: np.concatenate([part.rows(n, row) for part, row in chosen]) for n in first.framed}
    static = {n: np.stack([part.static[n][row] for part, row in chosen]) for n in first.static}
    lengths = np.array([int(part.lengths[row]) for part, row in chosen], dtype=np.int64)
    return Sequences(tuple(members), lengths, framed, static)


def cut(split: Split, context: int) -> Split:
    """Return the split of nothing but each sequence's first `context` frames."""
    return replace(split, starts=split.firsts, lengths=np.minimum(split.lengths, context))


def course(known: Sequences, found: Sequences) -> Sequences:
    """Return the first sequence as `known` has it up to its end, and as `found` has it behind.

    Of the fields that both have: a reconstruction of the context, and what was generated after it.
    """
    length = int(known.lengths[0])
    framed = {
        name: np.concatenate([known.rows(name, 0), found.rows(name, 0)[length:]])
        for name in known.framed
        if name in found.framed
    }
    return Sequences(known.members[:1], found.lengths[:1], framed, {})
