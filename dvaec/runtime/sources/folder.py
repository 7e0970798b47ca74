"""A folder of .npy files, one an array, opened memory-mapped: sets that are larger than memory.

The files are `<split>_<variable>.npy`, `<split>_lengths.npy` and so on, as the arrays of an .npz are named.
Nothing but the header and the lengths is read until a batch asks for its rows.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

import numpy as np

from dvaec.runtime.faults import DataFault
from dvaec.runtime.split import Array


class Folder(Mapping[str, Array]):
    """The arrays of a folder by key, memory-mapped when asked for."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._keys = sorted(file.stem for file in path.glob("*.npy"))

    def __getitem__(self, name: str) -> Array:
        if name not in self._keys:
            raise KeyError(name)
        file = self._path / f"{name}.npy"
        try:
            array: Array = np.load(file, mmap_mode="r", allow_pickle=False)
        except (ValueError, EOFError, OSError) as error:
            why = (
                "pickled (a list of objects) and is not read"
                if "pickle" in str(error)
                else f"damaged: {error}"
            )
            raise DataFault(f"{file}: {why}", "np.save writes one; numbers only") from error
        return array

    def __contains__(self, name: object) -> bool:
        return name in self._keys

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)


class ArrayWriter:
    """Write an .npy file of unknown length row by row; the header is filled in at the end.

    Holds no more than the rows that it is given. Raises ValueError for rows of another shape or kind. The
    file is whole or not there: it is written beside its place and moved there at the end.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._beside = path.with_name(f".{path.name}.tmp")
        self._file: BinaryIO | None = None
        self._rows = 0
        self._kind: tuple[tuple[int, ...], np.dtype[np.generic]] | None = None

    def __enter__(self) -> ArrayWriter:
        self._file = self._beside.open("wb")
        return self

    def write(self, rows: Array) -> None:
        """Append rows (n, ...)."""
        assert self._file is not None
        if self._kind is None:
            self._kind = (rows.shape[1:], rows.dtype)
            self._file.write(_header(self._kind, 0))
        if self._kind != (rows.shape[1:], rows.dtype):
            raise ValueError(
                f"{self._path}: {rows.dtype} {rows.shape[1:]} after {self._kind[1]} {self._kind[0]}"
            )
        self._file.write(np.ascontiguousarray(rows).data)
        self._rows += len(rows)

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._file is not None
        try:
            with self._file as file:
                if kind is None and self._kind is not None:
                    file.seek(0)
                    file.write(_header(self._kind, self._rows))
            if kind is None:
                self._beside.replace(self._path)
        finally:
            self._beside.unlink(missing_ok=True)


def _header(kind: tuple[tuple[int, ...], np.dtype[np.generic]], rows: int) -> bytes:
    """Return a header of the same size whatever the number of rows."""
    shape, dtype = kind
    text = io.BytesIO()
    described = np.lib.format.dtype_to_descr(dtype)
    np.lib.format.write_array_header_1_0(
        text, {"descr": described, "fortran_order": False, "shape": (rows, *shape)}
    )
    return text.getvalue()
