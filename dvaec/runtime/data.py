"""Data sets: one .npz without pickle, checked against a model's card, held as flat ragged arrays.

Per split s (train, valid, test): `s_<variable>` of shape (frames, dim), all sequences one after the other;
`s_lengths`, the frames of each sequence; `s_bits`, the model's only observed variable packed by
`np.packbits` along its last axis; what has one value a sequence as `s_<variable>` of shape (sequences, dim).
An array of one axis counts as dim 1; axes of a frame ([20, 80]) may stand as they are. A model whose data all
have one value a sequence needs no lengths. A row of an observed variable that is NaN throughout is missing.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from dvaec.diagnostics import did_you_mean
from dvaec.runtime.card import Card
from dvaec.runtime.checks import check_values, missing_rows, one_hot
from dvaec.runtime.faults import DataFault
from dvaec.runtime.pendulum import BUILT_IN, built_in

Array = NDArray[Any]
SPLITS = ("train", "valid", "test")


@dataclass(frozen=True)
class Split:
    """One part of a data set: `framed` arrays (frames, dim), `static` ones (sequences, dim), lengths int64.

    `order` names the variables in the order of the module's arguments: observed, then inputs. `missing` has,
    for an observed variable that lacks some, which of its rows are not there: bool (frames,) or (sequences,).
    """

    name: str
    order: tuple[str, ...]
    framed: Mapping[str, Array]
    static: Mapping[str, Array]
    lengths: NDArray[np.int64]
    missing: Mapping[str, NDArray[np.bool_]] = field(default_factory=dict)

    @property
    def sequences(self) -> int:
        """How many sequences there are."""
        return len(self.lengths)

    @property
    def frames(self) -> int:
        """How many frames all sequences have together."""
        return int(self.lengths.sum())


def load_splits(
    source: str, card: Card, names: Sequence[str], *, zero_inputs: bool = False, seed: int = 0
) -> dict[str, Split]:
    """Read splits of a file (or of a built-in generator) as `card` needs them; DataFault if they do not fit.

    `zero_inputs` lets an input that the data lack be zero everywhere. `seed` speaks for built-in generators.
    """
    if source in BUILT_IN and not Path(source).exists():
        return _splits(source, built_in(source, seed=seed), card, names, zero_inputs)
    path = Path(source)
    if not path.is_file():
        hint = did_you_mean(source, BUILT_IN) or f"a .npz file, or one of {', '.join(BUILT_IN)}"
        what = "a folder, not a file" if path.is_dir() else "no such file"
        raise DataFault(f"{source}: {what}", hint)
    with path.open("rb") as file:
        return _splits(str(path), _Lazy(str(path), _opened(path, file)), card, names, zero_inputs)


def _opened(path: Path, file: BinaryIO) -> Any:
    """Open the archive; DataFault if it is none."""
    hint = "np.savez_compressed writes one"
    try:
        found = np.load(file, allow_pickle=False)
    except (ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        why = "" if "pickle" in str(error) else f": {error}"  # numpy's advice to unpickle is bad advice
        raise DataFault(f"{path}: not an .npz archive{why}", hint) from error
    if not isinstance(found, np.lib.npyio.NpzFile):
        raise DataFault(f"{path}: a single array, not an .npz archive", hint)
    return found


class _Lazy(Mapping[str, Array]):
    """The arrays of an open archive, read one by one when asked for."""

    def __init__(self, file: str, archive: Any) -> None:
        self._file = file
        self._archive = archive

    def __getitem__(self, name: str) -> Array:
        try:
            array: Array = self._archive[name]
        except (ValueError, zipfile.BadZipFile, zlib.error, EOFError, OSError) as error:
            if isinstance(error, ValueError) and "pickle" in str(error):
                raise DataFault(
                    f"{self._file}: array '{name}' is pickled (a list of objects) and is not read",
                    "store numbers only: np.concatenate the sequences and give their lengths",
                ) from error
            raise DataFault(f"{self._file}: array '{name}' is damaged: {error}") from error
        return array

    def __iter__(self) -> Any:
        return iter(self._archive.files)

    def __len__(self) -> int:
        return len(self._archive.files)


def _splits(
    file: str, arrays: Mapping[str, Array], card: Card, names: Sequence[str], zero_inputs: bool
) -> dict[str, Split]:
    return {name: _split(file, arrays, card, name, zero_inputs) for name in names}


def _split(file: str, arrays: Mapping[str, Array], card: Card, name: str, zero_inputs: bool) -> Split:
    lengths = _lengths(file, arrays, card, f"{name}_lengths")
    framed: dict[str, Array] = {}
    static: dict[str, Array] = {}
    missing: dict[str, NDArray[np.bool_]] = {}
    for variable, dim in card.dims.items():
        is_static = variable in card.static
        key = f"{name}_{variable}"
        family = card.families.get(variable)
        rows = len(lengths) if is_static else int(lengths.sum())
        bits = f"{name}_bits"
        if key in arrays:
            array = _matrix(file, key, arrays[key], variable, family, dim, rows, is_static)
        elif variable in card.observed and len(card.observed) == 1 and bits in arrays:
            array = _unpacked(file, bits, arrays[bits], variable, dim, rows, is_static)
        elif variable in card.inputs and zero_inputs:
            array = np.zeros((rows, dim), dtype=np.float32)
        else:
            raise _missing(file, arrays, card, key, variable)
        gone = missing_rows(file, key, array) if variable in card.observed else None
        check_values(file, key, array, family, dim, lengths, is_static, gone)
        if gone is not None and gone.any():
            missing[variable] = gone
            array = np.where(gone[:, None], np.zeros_like(array), array)
        (static if is_static else framed)[variable] = one_hot(array, family, dim)
    return Split(name, tuple(card.dims), framed, static, lengths, missing)


def _missing(file: str, arrays: Mapping[str, Array], card: Card, key: str, variable: str) -> DataFault:
    near = _nearest(key, arrays, card.dims)
    if variable in card.inputs and near.startswith("it holds"):
        near = f"{near}; --zero-inputs lets an absent input be zero"
    return DataFault(f"{file}: array '{key}' is missing, which {card.name} needs for '{variable}'", near)


def _nearest(key: str, arrays: Mapping[str, Array], dims: Mapping[str, int]) -> str:
    """Suggest an array that the model has no other use for, or list what there is."""
    used = {f"{part}_{name}" for part in SPLITS for name in (*dims, "lengths", "bits")}
    near = did_you_mean(key, [name for name in arrays if name not in used])
    return near or f"it holds {', '.join(sorted(arrays)) or 'nothing'}"


def _lengths(file: str, arrays: Mapping[str, Array], card: Card, key: str) -> NDArray[np.int64]:
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
    return found.astype(np.int64)


def _matrix(
    file: str, key: str, array: Array, variable: str, family: str | None, dim: int, rows: int, is_static: bool
) -> Array:
    if array.dtype.kind not in "fiub":
        raise DataFault(
            f"{file}: array '{key}' has type {array.dtype}, and must hold real numbers or booleans"
        )
    array = array[:, None] if array.ndim == 1 else array
    array = array.reshape(len(array), -1) if array.ndim > 2 and array[0:1].size == dim else array
    axes = "(sequences, dim)" if is_static else "(frames, dim)"
    if array.ndim != 2:
        raise DataFault(f"{file}: array '{key}' has shape {array.shape}, and must have {axes}")
    if array.shape[1] != dim and not (family == "categorical" and array.shape[1] == 1):
        hint = f"--set {variable}.dim={array.shape[1]}"
        if family == "bernoulli" and not np.isin(array, (0, 1)).all():
            hint += f" --set {variable}.distribution=gaussian"
        raise DataFault(
            f"{file}: array '{key}' has dim {array.shape[1]}, but the model's {variable} has dim {dim}", hint
        )
    _check_rows(file, key, len(array), rows, "sequences" if is_static else "frames")
    return array


def _unpacked(file: str, key: str, bits: Array, variable: str, dim: int, rows: int, is_static: bool) -> Array:
    unit = "sequence" if is_static else "frame"
    if bits.dtype != np.uint8 or bits.ndim != 2:
        raise DataFault(
            f"{file}: array '{key}' must be uint8 of two axes, as np.packbits(x, axis=1) gives it"
        )
    flat: Array = np.unpackbits(bits, axis=1)
    width = flat.shape[1]
    used = int(np.max(np.flatnonzero(flat.any(axis=0)), initial=-1)) + 1
    if not max(used, width - 7) <= dim <= width:
        raise DataFault(
            f"{file}: array '{key}' holds {max(used, width - 7)} to {width} bits a {unit}, "
            f"but the model's {variable} has dim {dim}",
            f"--set {variable}.dim={width}",
        )
    _check_rows(file, key, len(flat), rows, f"{unit}s")
    return flat[:, :dim]


def _check_rows(file: str, key: str, found: int, rows: int, what: str) -> None:
    if found != rows:
        raise DataFault(f"{file}: array '{key}' has {found} {what}, but the split's lengths give {rows}")
