"""An .npz without pickle: arrays by key, read one by one."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from dvaec.runtime.faults import DataFault
from dvaec.runtime.split import Array


def open_archive(path: Path, file: BinaryIO) -> Archive:
    """Open an .npz archive; DataFault if it is none."""
    hint = "np.savez_compressed writes one"
    try:
        found = np.load(file, allow_pickle=False)
    except (ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        why = "" if "pickle" in str(error) else f": {error}"  # numpy's advice to unpickle is bad advice
        raise DataFault(f"{path}: not an .npz archive{why}", hint) from error
    if not isinstance(found, np.lib.npyio.NpzFile):
        raise DataFault(f"{path}: a single array, not an .npz archive", hint)
    return Archive(str(path), found)


class Archive(Mapping[str, Array]):
    """The arrays of an open archive, read one by one when asked for."""

    def __init__(self, file: str, archive: Any) -> None:
        self._file = file
        self._archive = archive

    def __getitem__(self, name: str) -> Array:
        if name not in self._archive.files:
            raise KeyError(name)
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

    def __contains__(self, name: object) -> bool:
        return name in self._archive.files

    def __iter__(self) -> Iterator[str]:
        return iter(self._archive.files)

    def __len__(self) -> int:
        return len(self._archive.files)
