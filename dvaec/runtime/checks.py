"""What the numbers of a data set must satisfy. Positions count from 1, as in the paper."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dvaec.runtime.faults import DataFault


def check_values(
    file: str, key: str, array: NDArray[Any], family: str | None, lengths: NDArray[np.int64], is_static: bool
) -> None:
    """Raise DataFault, with the first offending place, unless `array` (rows, dim) suits `family`.

    Every value must be finite; a bernoulli variable is 0 or 1, a gamma one is not negative. `family` is
    None for an input.
    """
    complaints: list[tuple[NDArray[np.bool_], str, str | None]] = []
    if array.dtype.kind == "f":
        rule = "every value must be finite, in single precision too"
        with np.errstate(over="ignore"):
            complaints.append((~np.isfinite(array.astype(np.float32)), rule, None))
    if family == "bernoulli" and array.dtype.kind != "b":
        variable = key.partition("_")[2]
        real = f"--set {variable}.distribution=gaussian for real values"
        complaints.append(((array != 0) & (array != 1), "a bernoulli variable must be 0 or 1", real))
    if family == "gamma":
        complaints.append((array < 0, "a gamma variable must not be negative", None))
    for wrong, rule, hint in complaints:
        if wrong.any():
            row, column = (int(k) for k in np.argwhere(wrong)[0])
            place = _place(row, lengths, is_static)
            value = array[row, column]
            raise DataFault(
                f"{file}: array '{key}' is {value} at {place}, dimension {column + 1}: {rule}", hint
            )


def _place(row: int, lengths: NDArray[np.int64], is_static: bool) -> str:
    if is_static:
        return f"sequence {row + 1}"
    ends = np.cumsum(lengths)
    sequence = int(np.searchsorted(ends, row, side="right"))
    return f"sequence {sequence + 1}, frame {row - int(ends[sequence] - lengths[sequence]) + 1}"
