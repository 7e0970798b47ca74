"""One archive of all sequences: `lengths` and `split` (0 train, 1 valid, 2 test) a sequence, flat variables.

Options name the array of a variable, with a factor if need be (x=pos*0.1), and `drop=constant` leaves out the
dimensions of the observed variables that never change in the training split.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from dvaec.diagnostics import did_you_mean
from dvaec.runtime.card import Card
from dvaec.runtime.faults import DataFault
from dvaec.runtime.sources.options import Address
from dvaec.runtime.split import SPLITS, Array


def is_flat(arrays: Mapping[str, Array]) -> bool:
    """Whether an archive is of this kind."""
    return "lengths" in arrays and "split" in arrays and not any(f"{s}_lengths" in arrays for s in SPLITS)


def divided(
    address: Address, arrays: Mapping[str, Array], card: Card, names: Sequence[str]
) -> dict[str, Array]:
    """Return `<split>_<variable>` and `<split>_lengths` of the splits asked; DataFault if they do not fit."""
    address.only(("drop",), tuple(card.dims))
    drop = address.options.get("drop")
    if drop not in (None, "constant"):
        raise DataFault(f"{address.text}: drop={drop}: the one choice is drop=constant")
    lengths, part = arrays["lengths"], arrays["split"]
    if lengths.ndim != 1 or lengths.shape != part.shape or lengths.dtype.kind not in "iu":
        raise DataFault(
            f"{address.place}: 'lengths' and 'split' must be lists of integers of one size, "
            f"not {lengths.dtype} {lengths.shape} and {part.dtype} {part.shape}"
        )
    if not np.isin(part, range(len(SPLITS))).all():
        raise DataFault(f"{address.place}: array 'split' must hold 0 (train), 1 (valid) or 2 (test)")
    owner = np.repeat(part, lengths)
    found: dict[str, Array] = {
        f"{name}_lengths": lengths[part == SPLITS.index(name)].astype(np.int64) for name in names
    }
    for variable in card.dims:
        named = _picked(address, arrays, variable, card)
        if named is None:
            continue
        key, whole = named
        rows = part if variable in card.static else owner
        if len(whole) != len(rows):
            unit = "sequences" if variable in card.static else "frames"
            raise DataFault(
                f"{address.place}: array '{key}' has {len(whole)} {unit}, but the lengths give {len(rows)}"
            )
        flat = whole.reshape(len(whole), -1)
        if drop and variable in card.observed:
            flat = flat[:, _moving(flat[rows == 0])]
        found |= {f"{name}_{variable}": flat[rows == SPLITS.index(name)] for name in names}
    return found


def at_rest(address: Address, arrays: Mapping[str, Array], variable: str, card: Card) -> Array | None:
    """Return a frame of a variable with what `drop=constant` leaves out, nan elsewhere; None without it."""
    if not is_flat(arrays) or "drop" not in address.options or variable in card.static:
        return None
    named = _picked(address, arrays, variable, card)
    assert named is not None  # only inputs may lack
    flat = named[1].reshape(len(named[1]), -1)
    train = flat[np.repeat(arrays["split"], arrays["lengths"]) == 0]
    return np.where(_moving(train), np.nan, train[0].astype(np.float64))


def _moving(train: Array) -> Array:
    """Which dimensions ever change in the training split."""
    return np.asarray(np.ptp(train, axis=0) > 0)


def _picked(
    address: Address, arrays: Mapping[str, Array], variable: str, card: Card
) -> tuple[str, Array] | None:
    """Return the array that stands for a variable, scaled; None for an input that is not there."""
    key, star, factor = address.options.get(variable, variable).partition("*")
    if key not in arrays:
        if variable in card.inputs and variable not in address.options:
            return None
        known = [name for name in arrays if name not in ("lengths", "split")]
        raise DataFault(
            f"{address.place}: array '{key}' is missing, which {card.name} needs for '{variable}'",
            did_you_mean(key, known) or f"{variable}=NAME picks one of {', '.join(known)}",
        )
    array = arrays[key]
    if not star:
        return key, array
    try:
        return key, array.astype(np.float32) * np.float32(factor)
    except ValueError as error:
        raise DataFault(f"{address.text}: {variable}={key}*{factor}: the factor must be a number") from error
