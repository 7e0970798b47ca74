"""Data sets by the text behind --data: a file, a folder, or the name of a built-in generator.

What a file or folder is decides who reads it: an .npz archive, a folder of .npy files (memory-mapped), a
table (.csv, .parquet), recordings (a folder of .wav or .flac, or an .npz with `audio`). All end as arrays by
key (`dvaec.runtime.schema`), checked against the model's card and held as flat ragged arrays.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from dvaec.diagnostics import did_you_mean
from dvaec.runtime.card import Card
from dvaec.runtime.faults import DataFault
from dvaec.runtime.schema import Holding, split_of
from dvaec.runtime.sets.catalogue import BUILT_IN, generate
from dvaec.runtime.sources.archive import open_archive
from dvaec.runtime.sources.flat import divided, is_flat
from dvaec.runtime.sources.folder import Folder
from dvaec.runtime.sources.options import Address, read_address
from dvaec.runtime.sources.recordings import AUDIO_OPTIONS, holds_recordings, is_audio
from dvaec.runtime.split import SPLITS, Array, Split

__all__ = ["SPLITS", "Split", "load_splits"]

_TABLES = (".csv", ".parquet")


def load_splits(
    source: str, card: Card, names: Sequence[str], *, zero_inputs: bool = False, seed: int = 0
) -> dict[str, Split]:
    """Read splits of a source as `card` needs them; DataFault if they do not fit.

    `zero_inputs` lets an input that the data lack be zero everywhere. `seed` speaks for built-in generators
    whose address names none.
    """
    address = read_address(source)
    if address.place in BUILT_IN:
        if "seed" not in address.options:
            address = replace(address, options={**address.options, "seed": str(seed)})
        return _splits(Holding(source, generate(address)), card, names, zero_inputs)
    path = address.path
    if path.is_dir():
        return _splits(_folder(address, card, names), card, names, zero_inputs)
    check_there(source)
    if path.suffix in _TABLES:
        from dvaec.runtime.sources.tables import read_table

        return _splits(read_table(address, card, names), card, names, zero_inputs)
    with path.open("rb") as file:
        arrays = open_archive(path, file)
        if is_audio(arrays):
            return _splits(_features(address, card, names), card, names, zero_inputs)
        if is_flat(arrays):
            arrays_by_split = divided(address, arrays, card, names)
            return _splits(Holding(str(path), arrays_by_split), card, names, zero_inputs)
        address.only(())
        return _splits(Holding(str(path), arrays), card, names, zero_inputs)


def check_there(source: str) -> None:
    """Raise DataFault unless a source is built in, a file or a folder."""
    address = read_address(source)
    if address.place in BUILT_IN or address.path.is_file() or address.path.is_dir():
        return
    hint = did_you_mean(address.place, BUILT_IN) or f"a file, a folder, or one of {', '.join(BUILT_IN)}"
    raise DataFault(f"{address.place}: no such file", hint)


def _folder(address: Address, card: Card, names: Sequence[str]) -> Holding:
    """Return what a folder holds: .npy files, tables by split, or recordings."""
    path = address.path
    found = Folder(path)
    if len(found):
        address.only(())
        return Holding(str(path), found, on_disk=True)
    if any((path / f"{name}{suffix}").is_file() for name in SPLITS for suffix in _TABLES):
        from dvaec.runtime.sources.tables import read_tables

        return read_tables(address, card, names)
    if holds_recordings(path):
        return _features(address, card, names)
    raise DataFault(
        f"{path}: a folder that holds no .npy, .wav or .flac file, and no table train.csv or train.parquet"
    )


def _features(address: Address, card: Card, names: Sequence[str]) -> Holding:
    """Return the spectrograms of recordings, from the cache, as the model's only observed variable."""
    from dvaec.runtime.sources.features import cached_features

    address.only((*AUDIO_OPTIONS, "split" if address.path.is_dir() else "join"))
    observed = [name for name in card.observed if name not in card.static]
    if len(observed) != 1:
        raise DataFault(
            f"{address.place}: recordings become one observed variable a frame, and {card.name} has "
            f"{len(observed)}: {', '.join(observed) or 'none'}"
        )
    arrays: dict[str, Array] = {}
    for name in names:
        stored = Folder(cached_features(address, name))
        arrays |= {f"{name}_{observed[0]}": stored["power"], f"{name}_lengths": stored["lengths"]}
    return Holding(address.place, arrays, on_disk=True)


def _splits(source: Holding, card: Card, names: Sequence[str], zero_inputs: bool) -> dict[str, Split]:
    return {name: split_of(source, card, name, zero_inputs) for name in names}
