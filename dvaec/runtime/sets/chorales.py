"""`chorales`: Bach's chorales as piano rolls; nothing is downloaded, music21 carries them.

x_t is bernoulli of dim 88, key j (MIDI 21 + j) on where it sounds at the beginning of frame t; a frame is a
quarter note (`grid=0.5` for eighths). Keys are as written, not transposed. The chorales are those of
Riemenschneider's numbers 1 to 371, each file once, by its lowest number. The split, stated so that others can
repeat it: number n is valid if n mod 10 = 8, test if n mod 10 = 9, train otherwise. These are not the files,
the time grid and the split of the JSB chorales on which the literature reports: numbers do not compare.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dvaec.runtime.faults import DataFault
from dvaec.runtime.files import replacing

KEYS = 88
_LOWEST = 21
_VERSION = 1  # of what a cached file means


def piano_roll(score: Any, grid: float) -> NDArray[np.uint8]:
    """Return the roll (frames, 88) of a music21 score; `grid` is a frame's length in quarter notes."""
    frames = int(np.ceil(float(score.highestTime) / grid - 1e-9))
    roll = np.zeros((frames, KEYS), dtype=np.uint8)
    for note in score.flatten().notes:
        first = float(note.offset) / grid
        last = (float(note.offset) + float(note.quarterLength)) / grid
        sounding = slice(int(np.ceil(first - 1e-9)), int(np.ceil(last - 1e-9)))
        for pitch in note.pitches:
            if 0 <= pitch.midi - _LOWEST < KEYS:
                roll[sounding, pitch.midi - _LOWEST] = 1
    return roll


def part_of(number: int) -> str:
    """Return the split of a chorale by its number."""
    return {8: "valid", 9: "test"}.get(number % 10, "train")


def numbered() -> dict[int, str]:
    """Return music21's file of every number, each file once, by its lowest number."""
    files = list(_library().corpus.chorales.Iterator(returnType="filename"))
    return {n: file for n, file in enumerate(files, start=1) if files.index(file) == n - 1}


def chorales(grid: float, cache: Path, limit: int = 0) -> dict[str, NDArray[Any]]:
    """Return `<split>_x` and `<split>_lengths`, kept in the folder `cache` once they are made.

    `limit` takes so many chorales of each split only (0: all). Parsing all of them takes minutes.
    """
    music21 = _library()
    path = cache / f"chorales-{_VERSION}-{music21.__version__}-{grid:g}-{limit}.npz"
    if not path.is_file():
        rolls: dict[str, list[NDArray[np.uint8]]] = {"train": [], "valid": [], "test": []}
        for number, file in numbered().items():
            part = rolls[part_of(number)]
            if not limit or len(part) < limit:
                part.append(piano_roll(music21.corpus.parse(file), grid))
        arrays = {f"{part}_bits": np.packbits(np.concatenate(found), axis=1) for part, found in rolls.items()}
        arrays |= {f"{part}_lengths": np.array([len(r) for r in found]) for part, found in rolls.items()}
        with replacing(path) as temporary, temporary.open("wb") as out:
            np.savez_compressed(out, allow_pickle=False, **arrays)
    with np.load(path, allow_pickle=False) as stored:
        return {name.replace("_bits", "_x"): _unpacked(name, stored[name]) for name in stored.files}


def _unpacked(name: str, array: NDArray[Any]) -> NDArray[Any]:
    return np.unpackbits(array, axis=1)[:, :KEYS] if name.endswith("_bits") else array


def _library() -> Any:
    try:
        import music21
    except ImportError as error:
        raise DataFault("chorales: music21 brings them", "pip install 'dvaec[music]'") from error
    return music21
