"""What a model was asked for, as one .npz: flat arrays of all sequences, as a data set has them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dvaec.runtime.faults import DataFault, LabFault
from dvaec.runtime.files import replacing
from dvaec.runtime.passes import Sequences

PARENTS = "parents"


def write_arrays(path: Path, *found: Sequences, context: int | None = None) -> None:
    """Write fields by name, `lengths`, and `sequence`, the sequences' numbers from 1; whole or not at all.

    `context` is the number of frames that were given to a forecast. What stands beside the first of them, the
    data, has `data_lengths` where these are others.
    """
    if path.suffix != ".npz":
        raise LabFault(f"{path}: arrays are written as .npz")
    arrays: dict[str, NDArray[Any]] = {
        "sequence": np.asarray(found[0].members, dtype=np.int64) + 1,
        "lengths": found[0].lengths,
    }
    if context is not None:
        arrays["context"] = np.asarray(context, dtype=np.int64)
    for one in found:
        if not np.array_equal(one.lengths, found[0].lengths):
            arrays["data_lengths"] = one.lengths
        arrays |= one.framed
        arrays |= one.static
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)


def chosen(text: str | None, count: int, split: str) -> list[int]:
    """Read `1,4-8` as places from 0; all of them for None. LabFault for what is no number or not there."""
    if text is None:
        return list(range(count))
    found: list[int] = []
    for part in text.split(","):
        numbers = re.fullmatch(r"\s*(\d+)(?:-(\d+))?\s*", part)
        if numbers is None:
            raise LabFault(f"--sequences {text}: '{part}' is no number", "1,4-8")
        low, high = int(numbers[1]), int(numbers[2] or numbers[1])
        if not 1 <= low <= high <= count:
            raise LabFault(f"--sequences {text}: {split} has sequences 1 to {count}")
        found += [k for k in range(low - 1, high) if k not in found]
    return found


def parents_of(file: Path, joints: int) -> tuple[int, ...]:
    """Read each joint's parent (-1: the root) from `parents` of an .npz; DataFault if it misfits."""
    if not file.is_file():
        raise DataFault(f"{file}: no such file")
    try:
        with np.load(file, allow_pickle=False) as archive:
            if PARENTS not in archive:
                raise DataFault(f"{file}: holds no array '{PARENTS}'")
            found = archive[PARENTS]
    except (OSError, ValueError) as error:
        raise DataFault(f"{file}: not an .npz archive: {error}") from error
    if found.shape != (joints,) or found.dtype.kind not in "iu" or not (found < joints).all():
        raise DataFault(
            f"{file}: '{PARENTS}' must hold the parent of each of {joints} joints, -1 for the root"
        )
    return tuple(int(k) for k in found)


def has_parents(file: Path) -> bool:
    """Whether a file is an .npz that says how joints hang together."""
    if file.suffix != ".npz" or not file.is_file():
        return False
    try:
        with np.load(file, allow_pickle=False) as archive:
            return PARENTS in archive
    except (OSError, ValueError):
        return False


def frames_of(found: Sequences, names: Sequence[str]) -> int:
    """How many frames the first of some sequences has; LabFault where a name is no framed field."""
    for name in names:
        if name not in found.framed:
            raise LabFault(f"{name} has one value a sequence: there is no course over time to draw")
    return int(found.lengths[0])
