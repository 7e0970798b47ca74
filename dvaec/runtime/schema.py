"""The arrays of a source against a model's card: names, shapes, kinds and values, split by split.

A source holds, per split s, `s_<variable>` of shape (frames, dim), all sequences one after the other;
`s_lengths`, the frames of each sequence; `s_bits`, the model's only observed variable packed by `np.packbits`
along its last axis; what has one value a sequence as `s_<variable>` of shape (sequences, dim). An array of
one axis counts as dim 1; axes of a frame ([20, 80]) may stand as they are. A model whose data all have one
value a sequence needs no lengths. A row of an observed variable that is NaN throughout is missing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from dvaec.diagnostics import did_you_mean
from dvaec.runtime.card import Card
from dvaec.runtime.checks import Cells, Rule
from dvaec.runtime.faults import DataFault
from dvaec.runtime.split import SPLITS, Array, Split

_LONGEST = 2**40  # frames: sums of lengths stay exact
_GLANCE = 1000  # rows that a hint may look at


@dataclass(frozen=True)
class Holding:
    """What a source holds: arrays by key. `on_disk`: rows are read and checked when a batch asks for them.

    `cells` says, for arrays of a table, which columns and rows they are; `whole`, that a row that is NaN in
    part is missing as a whole.
    """

    file: str
    arrays: Mapping[str, Array]
    on_disk: bool = False
    cells: Mapping[str, Cells] = field(default_factory=dict)
    whole: bool = False


def split_of(source: Holding, card: Card, name: str, zero_inputs: bool) -> Split:
    """Return one split as `card` needs it; DataFault, with file and place, if the arrays do not fit.

    `zero_inputs` lets an input that the source lacks be zero everywhere.
    """
    lengths = _lengths(source, card, f"{name}_lengths")
    framed: dict[str, Array] = {}
    static: dict[str, Array] = {}
    missing: dict[str, NDArray[np.bool_]] = {}
    rules: dict[str, Rule] = {}
    for variable in card.dims:
        key = f"{name}_{variable}"
        is_static = variable in card.static
        rows = len(lengths) if is_static else int(lengths.sum())
        array = _array(source, card, name, variable, rows, zero_inputs)
        family, is_input = card.families.get(variable), variable in card.inputs
        rule = Rule(
            source.file, key, family, card.dims[variable], lengths, is_static, is_input,
            source.cells.get(key), source.whole,
        )  # fmt: skip
        if source.on_disk and not is_static and isinstance(array, np.memmap):
            rules[variable] = rule
        else:
            array, gone = rule.read(array)
            if gone is not None and gone.all():
                raise DataFault(
                    f"{source.file}: {_named(source, key)} is nan everywhere: nothing is observed"
                )
            if gone is not None and gone.any():
                missing[variable] = gone
        (static if is_static else framed)[variable] = array
    return Split(name, tuple(card.dims), framed, static, lengths, missing, rules=rules)


def _named(source: Holding, key: str) -> str:
    columns = source.cells[key].columns if key in source.cells else ()
    if columns:
        several = "the array of columns " if len(columns) > 1 else "column "
        return several + ", ".join(f"'{column}'" for column in columns)
    return f"array '{key}'"


def _array(source: Holding, card: Card, name: str, variable: str, rows: int, zero_inputs: bool) -> Array:
    key, bits = f"{name}_{variable}", f"{name}_bits"
    is_static = variable in card.static
    if key in source.arrays:
        array = _matrix(source, key, variable, card)
        _check_rows(source, key, len(array), rows, "sequences" if is_static else "frames")
        return array
    if variable in card.observed and len(card.observed) == 1 and bits in source.arrays:
        return _unpacked(source, bits, variable, card, rows, is_static)
    if variable in card.inputs and zero_inputs:
        return np.zeros((rows, card.dims[variable]), dtype=np.float32)
    near = _nearest(key, source.arrays, card.dims)
    if variable in card.inputs and near.startswith("it holds"):
        near = f"{near}; --zero-inputs lets an absent input be zero"
    raise DataFault(
        f"{source.file}: array '{key}' is missing, which {card.name} needs for '{variable}'", near
    )


def _nearest(key: str, arrays: Mapping[str, Array], dims: Mapping[str, int]) -> str:
    """Suggest an array that the model has no other use for, or list what there is."""
    used = {f"{part}_{name}" for part in SPLITS for name in (*dims, "lengths", "bits")}
    near = did_you_mean(key, [name for name in arrays if name not in used])
    return near or f"it holds {', '.join(sorted(arrays)) or 'nothing'}"


def _lengths(source: Holding, card: Card, key: str) -> NDArray[np.int64]:
    arrays, file = source.arrays, source.file
    framed = [name for name in card.dims if name not in card.static]
    if not framed and key not in arrays:  # one value a sequence, and T frames where the page fixes them
        split = key.removesuffix("lengths")
        rows = next((len(arrays[split + one]) for one in (*card.dims, "bits") if split + one in arrays), 0)
        if rows:
            return np.full(rows, card.length or 1, dtype=np.int64)
    if key not in arrays:
        hint = _nearest(key, arrays, card.dims)
        raise DataFault(f"{file}: array '{key}' is missing (the frames of each sequence)", hint)
    found = arrays[key]
    if found.ndim != 1 or not np.issubdtype(found.dtype, np.integer):
        raise DataFault(
            f"{file}: array '{key}' must be a list of integers, not {found.dtype} of shape {found.shape}"
        )
    if not len(found):
        raise DataFault(f"{file}: array '{key}' is empty: there is no sequence")
    if found.min() < 1:
        worst = int(np.argmin(found))
        raise DataFault(
            f"{file}: array '{key}': sequence {worst + 1} has length {found[worst]}, and must have a frame"
        )
    if found.max() > _LONGEST:
        worst = int(np.argmax(found))
        raise DataFault(f"{file}: array '{key}': sequence {worst + 1} has length {found[worst]}")
    return np.array(found, dtype=np.int64)


def _matrix(source: Holding, key: str, variable: str, card: Card) -> Array:
    """Return an array as (rows, dim), or (rows, 1) of classes."""
    array, named = source.arrays[key], f"{source.file}: {_named(source, key)}"
    dim, family = card.dims[variable], card.families.get(variable)
    if array.dtype.kind not in "fiub":
        raise DataFault(f"{named} has type {array.dtype}, and must hold real numbers or booleans")
    array = array[:, None] if array.ndim == 1 else array
    array = array.reshape(len(array), -1) if array.ndim > 2 and array[0:1].size == dim else array
    axes = "(sequences, dim)" if variable in card.static else "(frames, dim)"
    if array.ndim != 2:
        width = int(np.prod(array.shape[1:]))
        hint = resized(card, variable, width, array.shape[1:]) if array.ndim > 2 else None
        raise DataFault(f"{named} has shape {array.shape}, and must have {axes}", hint)
    if array.shape[1] != dim and not (family == "categorical" and array.shape[1] == 1):
        hint = resized(card, variable, array.shape[1])
        if family == "bernoulli" and not np.isin(array[:_GLANCE], (0, 1)).all():
            hint += f" --set {variable}.distribution=gaussian"
        raise DataFault(f"{named} has dim {array.shape[1]}, but the model's {variable} has dim {dim}", hint)
    return array


def _unpacked(source: Holding, key: str, variable: str, card: Card, rows: int, is_static: bool) -> Array:
    bits, file, dim = source.arrays[key], source.file, card.dims[variable]
    unit = "sequence" if is_static else "frame"
    if bits.dtype != np.uint8 or bits.ndim != 2:
        raise DataFault(
            f"{file}: array '{key}' must be uint8 of two axes, as np.packbits(x, axis=1) gives it"
        )
    flat: Array = np.unpackbits(np.asarray(bits), axis=1)
    width = flat.shape[1]
    used = int(np.max(np.flatnonzero(flat.any(axis=0)), initial=-1)) + 1
    if not max(used, width - 7) <= dim <= width:
        raise DataFault(
            f"{file}: array '{key}' holds {max(used, width - 7)} to {width} bits a {unit}, "
            f"but the model's {variable} has dim {dim}",
            resized(card, variable, width),
        )
    _check_rows(source, key, len(flat), rows, f"{unit}s")
    return flat[:, :dim]


def resized(card: Card, variable: str, width: int, sizes: Sequence[int] = ()) -> str:
    """Say which --set gives a variable frames of `width` numbers; `sizes` are the data's own axes, if any.

    A page whose networks read axes wants as many as it has: the data's, a square where it has one, or its
    leading ones, where they divide the numbers.
    """
    own = card.axes.get(variable, ())
    if not own:
        return f"--set {variable}.dim={width}"
    side = math.isqrt(width // math.prod(own[:-2])) if own[-2:-1] == own[-1:] else 0
    for found in (tuple(sizes), (*own[:-2], side, side), (*own[:-1], width // math.prod(own[:-1]))):
        if len(found) == len(own) and math.prod(found) == width:
            return f"--set '{variable}.dim=[{', '.join(map(str, found))}]'"
    return f"--set '{variable}.dim=[...]' of {len(own)} axes whose product is {width}"


def _check_rows(source: Holding, key: str, found: int, rows: int, what: str) -> None:
    if found != rows:
        raise DataFault(
            f"{source.file}: {_named(source, key)} has {found} {what}, but the split's lengths give {rows}"
        )
