"""CSV and Parquet tables, a row a frame: a column for the sequence, one for the split, columns for variables.

Options: `sequence=` names the sequence's column (`sequence` by default), `split=` that of the split (`split`:
train, valid or test; a folder with train.csv, valid.csv and test.csv needs none), `time=` a column to sort
the frames by (as they stand by default), `x=a+b+c` the columns of a variable. By default x is the column x,
or x_1, x_2 ... What has one value a sequence must be the same in all of its rows. A cell of an observed
variable that is empty or NaN is missing, and its variable is masked in that frame; an input is always given.
Rows are counted from 1, below the header.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dvaec.diagnostics import did_you_mean
from dvaec.runtime.card import Card
from dvaec.runtime.checks import Cells
from dvaec.runtime.faults import DataFault
from dvaec.runtime.schema import Holding
from dvaec.runtime.sources.options import Address
from dvaec.runtime.split import SPLITS, Array

if TYPE_CHECKING:
    import polars

_EMPTY = ("", "na", "nan", "null", "none")
_OPTIONS = ("sequence", "split", "time")


def read_table(address: Address, card: Card, names: Sequence[str]) -> Holding:
    """Return the arrays of the splits asked of one file, with where each came from."""
    address.only(_OPTIONS, tuple(card.dims))
    frame = _opened(address.path)
    column = _column(address, frame, "split")
    parts = _cells(address, frame, column).astype(str)
    for row, part in enumerate(parts):
        if part not in SPLITS:
            raise DataFault(
                f"{address.place}: column '{column}' is {part} at row {row + 1}: must be {', '.join(SPLITS)}"
            )
    found = Holding(address.place, {}, whole=True)
    for name in names:
        found = _with_split(found, address, card, name, frame, np.flatnonzero(parts == name))
    return found


def read_tables(address: Address, card: Card, names: Sequence[str]) -> Holding:
    """Return the arrays of the splits asked of a folder that has a file for each."""
    address.only(_OPTIONS, tuple(card.dims))
    found = Holding(address.place, {}, whole=True)
    for name in names:
        files = [address.path / f"{name}{suffix}" for suffix in (".csv", ".parquet")]
        path = next((file for file in files if file.is_file()), None)
        if path is None:
            raise DataFault(f"{address.place}: no {files[0].name} and no {files[1].name}")
        frame = _opened(path)
        own = replace(address, place=str(path))
        found = replace(_with_split(found, own, card, name, frame, np.arange(frame.height)), file=str(path))
    return found


def _opened(path: Path) -> polars.DataFrame:
    """Read a whole table; types of CSV columns are inferred from all rows."""
    try:
        import polars
    except ImportError as error:
        raise DataFault(f"{path}: reading tables needs polars", "pip install 'dvaec[tables]'") from error
    try:
        if path.suffix == ".parquet":
            return polars.read_parquet(path)
        frame = polars.read_csv(path, infer_schema_length=None)
    except (polars.exceptions.PolarsError, OSError) as error:
        reason = str(error).splitlines()[0]
        hint = "save it as UTF-8" if "utf-8" in reason else None
        raise DataFault(f"{path}: not a table: {_overlong(path) or reason}", hint) from error
    for name in frame.columns:
        if twin := re.fullmatch(r"(.*)_duplicated_\d+", name):
            raise DataFault(f"{path}: two columns are called '{twin[1]}'", "give each its own name")
    return frame


def _overlong(path: Path) -> str | None:
    """Say which row of a .csv has more cells than there are columns, if that is what is wrong with it."""
    try:
        with path.open(newline="", encoding="utf-8") as file:
            lines = csv.reader(file)
            columns = len(next(lines, []))
            for row, cells in enumerate(lines, start=1):
                if len(cells) > columns:
                    return f"row {row} has {len(cells)} cells, and the header {columns}"
    except (csv.Error, ValueError):
        return None
    return None


def _with_split(
    before: Holding, address: Address, card: Card, name: str, frame: polars.DataFrame, rows: NDArray[Any]
) -> Holding:
    """Return a holding with one more split, made of some rows of a table."""
    if not len(rows):
        raise DataFault(f"{address.place}: no row of the split {name}")
    rows, lengths = _sequences(address, frame, rows)
    firsts = np.cumsum(lengths) - lengths
    arrays: dict[str, Array] = {f"{name}_lengths": lengths}
    cells: dict[str, Cells] = {}
    for variable in card.dims:
        columns = _columns(address, frame, variable, card)
        if not columns:
            continue
        own = Cells(columns, rows + 1)
        array = np.stack([_numbers(address, frame, column, rows) for column in columns], axis=1)
        if variable in card.static:
            _check_constant(address, array, lengths, own)
            array, own = array[firsts], Cells(columns, rows[firsts] + 1)
        arrays[f"{name}_{variable}"] = array
        cells[f"{name}_{variable}"] = own
    return replace(before, arrays={**before.arrays, **arrays}, cells={**before.cells, **cells})


def _sequences(
    address: Address, frame: polars.DataFrame, rows: NDArray[Any]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the rows, sequence by sequence in order of appearance, by time within, and the lengths."""
    column = _column(address, frame, "sequence")
    labels = _cells(address, frame, column)[rows]
    _, first, owner = np.unique(labels, return_index=True, return_inverse=True)
    rank = np.argsort(np.argsort(first))[owner.reshape(-1)]
    if "time" not in address.options:
        order = np.argsort(rank, kind="stable")
    else:
        named = _column(address, frame, "time")
        time = _numbers(address, frame, named, rows)
        for k in np.flatnonzero(np.isnan(time)):
            raise DataFault(f"{address.place}: column '{named}' is empty at row {rows[k] + 1}: when was it?")
        order = np.lexsort((time, rank))
        for before, after in pairwise(order):
            if rank[before] == rank[after] and time[before] == time[after]:
                raise DataFault(
                    f"{address.place}: column '{named}' is {time[after]:g} at row {rows[after] + 1} "
                    f"and at row {rows[before] + 1} of one sequence"
                )
    return rows[order].astype(np.int64), np.bincount(rank).astype(np.int64)


def _column(address: Address, frame: polars.DataFrame, role: str) -> str:
    """Return the column that an option names, which must be there."""
    name = address.options.get(role, role)
    if name not in frame.columns:
        raise _absent(address, frame, name, f"{role}=NAME picks the column of the {role}")
    return name


def _columns(address: Address, frame: polars.DataFrame, variable: str, card: Card) -> tuple[str, ...]:
    """Return the columns of a variable; none for an input that is not there."""
    if variable in address.options:
        named = address.words(variable)
        for name in named:
            if name not in frame.columns:
                raise _absent(address, frame, name, f"{variable}=A+B picks columns")
        return tuple(named)
    if variable in frame.columns:
        return (variable,)
    numbered = {int(n.removeprefix(f"{variable}_")): n for n in frame.columns if _is_part(n, variable)}
    if not numbered and variable not in card.inputs:
        raise _absent(address, frame, variable, f"{variable}=A+B picks columns")
    for k, number in enumerate(sorted(numbered), start=min(numbered, default=1)):
        if k != number:
            raise _absent(address, frame, f"{variable}_{k}", f"found {numbered[number]}")
    return tuple(numbered[number] for number in sorted(numbered))


def _is_part(column: str, variable: str) -> bool:
    return column.startswith(f"{variable}_") and column.removeprefix(f"{variable}_").isdecimal()


def _absent(address: Address, frame: polars.DataFrame, name: str, how: str) -> DataFault:
    near = did_you_mean(name, frame.columns) or f"it has {', '.join(frame.columns)};"
    return DataFault(f"{address.place}: column '{name}' is missing", f"{near} {how}")


def _cells(address: Address, frame: polars.DataFrame, column: str) -> NDArray[Any]:
    """Return the labels of a column as texts; DataFault for an empty one."""
    labels: list[Any] = frame[column].to_list()
    for row, label in enumerate(labels):
        if label is None:
            raise DataFault(f"{address.place}: column '{column}' is empty at row {row + 1}")
    return np.array([str(label) for label in labels])


def _numbers(
    address: Address, frame: polars.DataFrame, column: str, rows: NDArray[Any]
) -> NDArray[np.float64]:
    """Return a column's numbers (rows,), NaN where it is empty; DataFault with the row of what is none."""
    import polars

    series = frame[column]
    if series.dtype.is_numeric() or series.dtype == polars.Boolean:
        values: NDArray[np.float64] = series.cast(polars.Float64).to_numpy()
        return np.asarray(values[rows])
    found = np.full(len(rows), np.nan)
    for k, row in enumerate(rows):
        text = series[int(row)]
        try:
            found[k] = np.nan if text is None or str(text).strip().lower() in _EMPTY else float(str(text))
        except ValueError as error:
            raise DataFault(
                f"{address.place}: column '{column}' is '{text}' at row {row + 1}: must be a number, or empty"
            ) from error
    return found


def _check_constant(address: Address, array: Array, lengths: NDArray[np.int64], cells: Cells) -> None:
    """DataFault where a value that belongs to the sequence changes within it."""
    expected = np.repeat(array[np.cumsum(lengths) - lengths], lengths, axis=0)
    wrong = (array != expected) & ~(np.isnan(array) & np.isnan(expected))
    if wrong.any():
        row, column = (int(k) for k in np.argwhere(wrong)[0])
        raise DataFault(
            f"{address.place}: column '{cells.columns[column]}' is {array[row, column]:g} at row "
            f"{cells.rows[row]} and {expected[row, column]:g} before: one value a sequence"
        )
