"""Files that are either whole or not there: write beside the target, then move into place."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dvaec.runtime.faults import StoreFault


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path in the folder of `path`; on success it becomes `path`, on any exception it goes.

    A reader sees the old file or the new one, never a part: os.replace is atomic within one file system.
    StoreFault if the folder or the disk refuses it.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
        os.close(handle)
        temporary = Path(name)
        try:
            yield temporary
            temporary.chmod(0o666 & ~_umask())
            with temporary.open("rb") as file:
                os.fsync(file.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        before = "the file that was there is as it was" if path.is_file() else "no part of it is left"
        raise StoreFault(f"{path}: cannot be written: {error.strerror or error}", before) from error


def sweep(folder: Path) -> None:
    """Remove what a killed process has left half written in a folder: temporary files of `replacing`."""
    for path in folder.glob(".*.tmp"):
        path.unlink(missing_ok=True)


def write_bytes(path: Path, content: bytes) -> None:
    """Write `content` to `path`, whole or not at all; StoreFault if the folder or the disk refuses it."""
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def write_text(path: Path, content: str) -> None:
    """Write `content` to `path` as UTF-8 with plain newlines, whole or not at all."""
    write_bytes(path, content.encode())


def _umask() -> int:
    # The only portable way to read the mask is to set it; mkstemp's 0600 is too private for results.
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
