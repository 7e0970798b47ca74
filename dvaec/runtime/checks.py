"""What the numbers of a data set must satisfy. Positions count from 1, as in the paper."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dvaec.runtime.faults import DataFault

Complaint = tuple[NDArray[np.bool_], str, str | None]  # where it is wrong, the rule, a hint


def check_values(
    file: str,
    key: str,
    array: NDArray[Any],
    family: str | None,
    dim: int,
    lengths: NDArray[np.int64],
    is_static: bool,
    missing: NDArray[np.bool_] | None,
) -> None:
    """Raise DataFault, with the first offending place, unless `array` (rows, dim) suits `family`.

    Every value must be finite, but in rows that are `missing`; what else is asked is in `_complaints`.
    `family` is None for an input that has none,
    `missing` for an input, which is always there.
    """
    complaints = _complaints(array, family, dim, key.partition("_")[2])
    if array.dtype.kind == "f":
        rule = "every value must be finite, in single precision too"
        with np.errstate(over="ignore"):
            complaints.insert(0, (~np.isfinite(array.astype(np.float32)), rule, None))
    for anywhere, rule, hint in complaints:
        wrong = anywhere if missing is None else anywhere & ~missing[:, None]
        if wrong.any():
            row, column = (int(k) for k in np.argwhere(wrong)[0])
            place = _place(row, lengths, is_static)
            value = array[row, column]
            raise DataFault(
                f"{file}: array '{key}' is {value} at {place}, dimension {column + 1}: {rule}",
                _of_nan(missing is None) if value != value else hint,
            )


def missing_rows(file: str, key: str, array: NDArray[Any]) -> NDArray[np.bool_]:
    """Return which rows of an observed variable are missing: NaN throughout; DataFault if all are."""
    if array.dtype.kind != "f":
        return np.zeros(len(array), dtype=np.bool_)
    found: NDArray[np.bool_] = np.isnan(array).all(axis=1)
    if found.all():
        raise DataFault(f"{file}: array '{key}' is nan everywhere: nothing is observed")
    return found


def _of_nan(is_input: bool) -> str:
    if is_input:
        return "an input is always given; only what is observed may be missing"
    return "what is missing is nan in all its dimensions; a variable of its own can be missing alone"


def one_hot(array: NDArray[Any], family: str | None, dim: int) -> NDArray[Any]:
    """Return a categorical variable's classes (rows, 1) as one-hot vectors (rows, dim), all else as it is."""
    if family != "categorical" or array.shape[1] != 1:
        return array
    hot: NDArray[Any] = (array == np.arange(dim)).astype(np.uint8)
    return hot


def _complaints(array: NDArray[Any], family: str | None, dim: int, variable: str) -> list[Complaint]:
    """What a family asks: Bernoulli 0 or 1, a class or a one-hot vector, counts, positive or unit numbers."""
    if family == "bernoulli" and array.dtype.kind != "b":
        real = f"--set {variable}.distribution=gaussian for real values"
        return [((array != 0) & (array != 1), "a bernoulli variable must be 0 or 1", real)]
    if family == "gamma":
        return [(array < 0, "a gamma variable must not be negative", None)]
    if family == "poisson":
        counts = "a poisson variable must be a whole number that is not negative"
        return [((array < 0) | (array != np.floor(array)), counts, None)]
    if family == "beta":
        return [((array <= 0) | (array >= 1), "a beta variable must be between 0 and 1", None)]
    if family == "categorical" and array.shape[1] == 1:
        classes = f"a class must be a whole number from 0 to {dim - 1}"
        return [((array < 0) | (array >= dim) | (array != np.floor(array)), classes, None)]
    if family == "categorical":
        digits = (array != 0) & (array != 1)
        rows = np.broadcast_to((array != 0).sum(1, keepdims=True) != 1, array.shape)
        rule = "a categorical variable must be one-hot, one 1 among zeros, or the number of its class"
        return [(digits | rows, rule, None)]
    return []


def _place(row: int, lengths: NDArray[np.int64], is_static: bool) -> str:
    if is_static:
        return f"sequence {row + 1}"
    ends = np.cumsum(lengths)
    sequence = int(np.searchsorted(ends, row, side="right"))
    return f"sequence {sequence + 1}, frame {row - int(ends[sequence] - lengths[sequence]) + 1}"
