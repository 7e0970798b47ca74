"""What the numbers of a data set must satisfy. Positions count from 1, as in the paper."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dvaec.runtime.faults import DataFault

Complaint = tuple[NDArray[np.bool_], str, str | None]  # where it is wrong, the rule, a hint


@dataclass(frozen=True)
class Cells:
    """Where an array of a table comes from: the names of its columns, and the row of the file of each row."""

    columns: tuple[str, ...]
    rows: NDArray[np.int64]


@dataclass(frozen=True)
class Rule:
    """What the rows of one variable must be; a fault names its cell, or its sequence, frame and dimension.

    `family` is None for an input that has none. `lengths` are those of the split's sequences. Where `whole`,
    a row of an observed variable that is NaN in part is missing as one that is NaN throughout.
    """

    file: str
    key: str
    family: str | None
    dim: int
    lengths: NDArray[np.int64]
    is_static: bool
    is_input: bool
    cells: Cells | None = None
    whole: bool = False

    def read(self, array: NDArray[Any], first: int = 0) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
        """Check rows `first` and on, and return them as the module takes them, with which are missing.

        Missing rows become zeros, classes one-hot vectors (rows, dim). DataFault with the first offending
        place: every value must be finite but in missing rows, and what `_complaints` asks of the family.
        """
        gone = None if self.is_input or array.dtype.kind != "f" else self._missing(array)
        self._check(array, gone, first)
        if gone is not None and gone.any():
            array = np.where(gone[:, None], np.zeros_like(array), array)
        return _one_hot(array, self.family, self.dim), gone

    def _missing(self, array: NDArray[Any]) -> NDArray[np.bool_]:
        empty = np.isnan(array)
        found: NDArray[np.bool_] = empty.any(axis=1) if self.whole else empty.all(axis=1)
        return found

    def _check(self, array: NDArray[Any], gone: NDArray[np.bool_] | None, first: int) -> None:
        complaints = _complaints(array, self.family, self.dim, self.key.partition("_")[2])
        if array.dtype.kind == "f":
            rule = "every value must be finite, in single precision too"
            with np.errstate(over="ignore"):
                complaints.insert(0, (~np.isfinite(array.astype(np.float32)), rule, None))
        for anywhere, rule, hint in complaints:
            wrong = anywhere if gone is None else anywhere & ~gone[:, None]
            if wrong.any():
                row, column = (int(k) for k in np.argwhere(wrong)[0])
                value = array[row, column]
                raise DataFault(
                    f"{self.file}: {self._place(value, row + first, column)}: {rule}",
                    _of_nan(self.is_input) if value != value else hint,
                )

    def _place(self, value: Any, row: int, column: int) -> str:
        if self.cells is not None:
            names = self.cells.columns
            return f"column '{names[column]}' is {value} at row {self.cells.rows[row]}"
        where = f"sequence {row + 1}"
        if not self.is_static:
            ends = np.cumsum(self.lengths)
            sequence = int(np.searchsorted(ends, row, side="right"))
            frame = row - int(ends[sequence] - self.lengths[sequence])
            where = f"sequence {sequence + 1}, frame {frame + 1}"
        return f"array '{self.key}' is {value} at {where}, dimension {column + 1}"


def _of_nan(is_input: bool) -> str:
    if is_input:
        return "an input is always given; only what is observed may be missing"
    return "what is missing is nan in all its dimensions; a variable of its own can be missing alone"


def _one_hot(array: NDArray[Any], family: str | None, dim: int) -> NDArray[Any]:
    """Return a categorical variable's classes (rows, 1) as one-hot vectors (rows, dim), all else as it is."""
    if family != "categorical" or array.shape[1] != 1:
        return array
    hot: NDArray[Any] = (array == np.arange(dim)).astype(np.uint8)
    return hot


def _complaints(array: NDArray[Any], family: str | None, dim: int, variable: str) -> list[Complaint]:
    """What a family asks: Bernoulli 0 or 1, a class or a one-hot vector, counts, positive or unit numbers."""
    real = f"--set {variable}.distribution=gaussian for real values"
    if family == "bernoulli" and array.dtype.kind != "b":
        wrong = (array != 0) & (array != 1)
        return [(wrong, "a bernoulli variable must be 0 or 1", f"{real}, gamma for power")]
    if family == "gamma":
        return [(array < 0, "a gamma variable must not be negative", real)]
    if family == "poisson":
        counts = "a poisson variable must be a whole number that is not negative"
        return [((array < 0) | (array != np.floor(array)), counts, real)]
    if family == "beta":
        return [((array <= 0) | (array >= 1), "a beta variable must be between 0 and 1", real)]
    if family == "categorical" and array.shape[1] == 1:
        classes = f"a class must be a whole number from 0 to {dim - 1}"
        return [((array < 0) | (array >= dim) | (array != np.floor(array)), classes, None)]
    if family == "categorical":
        digits = (array != 0) & (array != 1)
        rows = np.broadcast_to((array != 0).sum(1, keepdims=True) != 1, array.shape)
        rule = "a categorical variable must be one-hot, one 1 among zeros, or the number of its class"
        return [(digits | rows, rule, None)]
    return []
