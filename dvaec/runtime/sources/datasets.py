"""Torch datasets as splits, and any sequences as a folder of arrays: data from Python.

An item is a sequence: a mapping by variable, or a tuple in the order of the module's arguments (observed,
then inputs), or a single tensor where there is one variable. A variable of a frame is (length, dim), or
(length,); one of the sequence is (dim,). NaN throughout an observed row is missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from torch.utils.data import Dataset

from dvaec.runtime.card import Card
from dvaec.runtime.faults import DataFault
from dvaec.runtime.schema import Holding, split_of
from dvaec.runtime.sources.folder import ArrayWriter
from dvaec.runtime.split import Array, Split

Sequences: TypeAlias = "Dataset[Any] | Iterable[Any]"


def split_from(dataset: Sequences, card: Card, name: str = "train", *, zero_inputs: bool = False) -> Split:
    """Read a torch Dataset (map-style or iterable), or any list of sequences, into a split.

    All of it is held in memory; `write_folder` writes what is larger. DataFault names the item that does not
    fit.
    """
    arrays: dict[str, list[Array]] = {}
    lengths = []
    for item in _items(dataset, card):
        for variable, array in item.items():
            arrays.setdefault(f"{name}_{variable}", []).append(array)
        lengths.append(_length(item, card))
    if not lengths:
        raise DataFault(f"{type(dataset).__name__}: the dataset is empty")
    joined = {key: np.concatenate(found) for key, found in arrays.items()}
    joined[f"{name}_lengths"] = np.array(lengths, dtype=np.int64)
    return split_of(Holding(type(dataset).__name__, joined), card, name, zero_inputs)


def write_folder(folder: Path, card: Card, splits: Mapping[str, Sequences]) -> None:
    """Write datasets, by split, as a folder of .npy files for --data, holding one sequence at a time."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, dataset in splits.items():
        lengths = []
        with ExitStack() as stack:
            writers: dict[str, ArrayWriter] = {}
            for number, item in enumerate(_items(dataset, card), start=1):
                for variable, array in item.items():
                    if variable not in writers:
                        path = folder / f"{name}_{variable}.npy"
                        writers[variable] = stack.enter_context(ArrayWriter(path))
                    try:
                        writers[variable].write(array)
                    except ValueError as error:
                        raise DataFault(f"item {number} of {name}: {error}") from error
                lengths.append(_length(item, card))
        np.save(folder / f"{name}_lengths.npy", np.array(lengths, dtype=np.int64))


def _items(dataset: Sequences, card: Card) -> Iterator[dict[str, Array]]:
    """Yield each sequence as arrays by variable, (length, dim) or (1, dim), of equal kinds and lengths."""
    expected: dict[str, tuple[tuple[int, ...], np.dtype[Any]]] = {}
    for number, item in enumerate(_walked(dataset), start=1):
        found = {name: np.asarray(value) for name, value in _named(item, card, number).items()}
        for name, array in found.items():
            found[name] = _shaped(array, name in card.static, f"item {number}: '{name}'")
            kind = (found[name].shape[1:], found[name].dtype)
            if number == 1:
                expected[name] = kind
            if expected.get(name, kind) != kind:
                before = f"{expected[name][1]} {expected[name][0]}"
                raise DataFault(f"item {number}: '{name}' is {kind[1]} {kind[0]}, those before {before}")
        if found.keys() != expected.keys():
            raise DataFault(f"item {number} has {', '.join(found)}, others {', '.join(expected)}")
        framed = {name: len(array) for name, array in found.items() if name not in card.static}
        if len(dict.fromkeys(framed.values())) > 1:
            counts = ", ".join(f"{count} of '{name}'" for name, count in framed.items())
            raise DataFault(f"item {number} has {counts}: frames must be as many")
        yield found


def _walked(dataset: Any) -> Iterator[Any]:
    """Yield the items of a map-style dataset by index, of all else by iteration."""
    if hasattr(dataset, "__getitem__") and hasattr(dataset, "__len__"):
        return (dataset[k] for k in range(len(dataset)))
    return iter(dataset)


def _named(item: Any, card: Card, number: int) -> Mapping[str, Any]:
    names = list(card.dims)
    if isinstance(item, Mapping):
        unknown = [name for name in item if name not in names]
        if unknown:
            raise DataFault(f"item {number} has '{unknown[0]}'", f"{card.name} has {', '.join(names)}")
        return item
    values = item if isinstance(item, tuple | list) else (item,)
    if len(values) > len(names):
        raise DataFault(f"item {number} has {len(values)} parts", f"{card.name} has {', '.join(names)}")
    return dict(zip(names, values, strict=False))


def _shaped(array: Array, is_static: bool, where: str) -> Array:
    if array.ndim == 0 or array.dtype.kind not in "fiub":
        raise DataFault(f"{where} is {array.dtype} of shape {array.shape}: must be numbers with an axis")
    if is_static:
        return array[None]
    return array[:, None] if array.ndim == 1 else array


def _length(item: Mapping[str, Array], card: Card) -> int:
    framed = [len(array) for name, array in item.items() if name not in card.static]
    return framed[0] if framed else card.length or 1
