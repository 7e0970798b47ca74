"""The cache of spectrograms: made once for given recordings and settings, opened memory-mapped ever after.

An entry is a folder with `power.npy` (frames, dim) and `lengths.npy`. It lies in the folder of the option
`cache=`, or of DVAEC_CACHE, or in the user's cache, under a name made of the settings and of every file's
name, size and time; a changed recording makes another. Entries are written whole or not at all, and no more
than one recording is in memory.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from pathlib import Path

import numpy as np

from dvaec.runtime.faults import DataFault
from dvaec.runtime.sources.cache import cache_folder
from dvaec.runtime.sources.folder import ArrayWriter
from dvaec.runtime.sources.options import Address
from dvaec.runtime.sources.recordings import files, utterances
from dvaec.runtime.sources.spectra import power

_VERSION = 1  # of what an entry means


def cached_features(address: Address, split: str) -> Path:
    """Return the folder of a split's spectrograms, after making them if they are not there.

    DataFault if the cache cannot be written, and for recordings of which no spectrogram can be made.
    """
    entry = cache_folder(address) / _digest(address, split)
    if entry.is_dir():
        return entry
    try:
        _make(address, split, entry)
    except OSError as error:
        raise DataFault(
            f"{entry.parent}: the cache of spectrograms cannot be written: {error.strerror or error}",
            "cache=FOLDER among the options of --data, or DVAEC_CACHE, names another place",
        ) from error
    return entry


def _make(address: Address, split: str, entry: Path) -> None:
    entry.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(dir=entry.parent, prefix=".making-"))
    try:
        _write(address, split, made)
        made.rename(entry)
    except OSError:
        if not entry.is_dir():  # another process was quicker: its entry says the same
            raise
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _digest(address: Address, split: str) -> str:
    sources = files(address, split) if address.path.is_dir() else [address.path]
    stamps = [(str(file.resolve()), file.stat().st_size, file.stat().st_mtime_ns) for file in sources]
    options = sorted((name, value) for name, value in address.options.items() if name != "cache")
    return hashlib.sha256(json.dumps([_VERSION, split, options, stamps]).encode()).hexdigest()[:24]


def _write(address: Address, split: str, folder: Path) -> None:
    lengths: list[int] = []
    with ArrayWriter(folder / "power.npy") as writer:
        for one in utterances(address, split):
            spectra = power(one.wave, one.settings)
            writer.write(spectra)
            lengths.append(len(spectra))
    if not lengths:
        raise DataFault(f"{address.place}: no recording in the split {split}")
    np.save(folder / "lengths.npy", np.array(lengths, dtype=np.int64))
