"""Recordings: a folder of .wav or .flac files, or an .npz with `audio` and `lengths`, utterance by utterance.

A folder has `train`, `valid` and `test` inside, or the option `split=8+1+1` shares its files out (shuffled by
a fixed seed). An archive has `audio` (all samples), `lengths`, `sample_rate` and `split` (0, 1, 2);
`join=a+b` makes one utterance of neighbours that agree in the arrays a and b.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import gcd
from pathlib import Path

import numpy as np

from dvaec.runtime.faults import DataFault
from dvaec.runtime.sources.archive import open_archive
from dvaec.runtime.sources.options import Address
from dvaec.runtime.sources.spectra import Settings, Wave, prepared
from dvaec.runtime.split import SPLITS, Array

AUDIO_OPTIONS = ("window", "hop", "trim", "rate", "cache")
_SUFFIXES = (".wav", ".flac")
_SECONDS = 0.064


@dataclass(frozen=True)
class Utterance:
    """A named recording, trimmed and divided by its largest magnitude, and how spectra are made of it."""

    name: str
    wave: Wave
    settings: Settings


def utterances(address: Address, split: str) -> Iterator[Utterance]:
    """Yield the utterances of a split in the order in which a data set made from them has its sequences."""
    found: Iterator[tuple[str, Wave, int]]
    if address.path.is_dir():
        found = (_heard(file, file.relative_to(address.path).as_posix()) for file in files(address, split))
    else:
        found = _archived(address, split)
    rate = address.count("rate", 0)
    first = 0
    for name, raw, own in found:
        wave = resampled(raw, own, rate) if rate else raw
        if not rate and first not in (0, own):
            raise DataFault(
                f"{address.place}: {name} has {own} samples a second, those before it {first}",
                f"{address.place}:rate={first} resamples",
            )
        first = first or own
        settings = _settings(address, rate or own)
        done = prepared(wave, settings)
        if len(done) <= settings.window // 2:
            raise DataFault(
                f"{address.place}: {name} has {len(done)} samples with sound, "
                f"and a window of {settings.window} needs {settings.window // 2 + 1}"
            )
        if not np.isfinite(done).all():
            raise DataFault(f"{address.place}: {name} holds samples that are not finite")
        yield Utterance(name, done, settings)


def files(address: Address, split: str) -> list[Path]:
    """Return the files of a split in order; DataFault if there are none."""
    folder, shares = address.path, address.words("split")
    if not shares:
        found = _sounds(folder / split)
        if not found:
            raise DataFault(
                f"{folder}: no .wav or .flac in the folder {split}",
                f"put them into {', '.join(SPLITS)}, or share them out: {folder}:split=8+1+1",
            )
        return found
    counts = [int(share) if share.isdigit() else 0 for share in shares]
    if len(counts) != len(SPLITS) or not all(counts):
        raise DataFault(f"{address.text}: split must be three whole numbers, such as split=8+1+1")
    found = _sounds(folder)
    order = np.random.default_rng(0).permutation(len(found))
    ends = np.rint(np.cumsum([0, *counts]) / sum(counts) * len(found)).astype(int)
    place = SPLITS.index(split)
    chosen = sorted(found[int(k)] for k in order[ends[place] : ends[place + 1]])
    if not chosen:
        raise DataFault(f"{folder}: {len(found)} files are too few for split={'+'.join(shares)}")
    return chosen


def holds_recordings(folder: Path) -> bool:
    """Whether there is a .wav or .flac file anywhere in a folder."""
    return any(file.suffix.lower() in _SUFFIXES for file in folder.rglob("*"))


def is_audio(arrays: Mapping[str, Array]) -> bool:
    """Whether an archive holds recordings."""
    return "audio" in arrays and "sample_rate" in arrays


def _sounds(folder: Path) -> list[Path]:
    return sorted(file for file in folder.rglob("*") if file.suffix.lower() in _SUFFIXES)


def _heard(file: Path, name: str) -> tuple[str, Wave, int]:
    """Read a sound file, its channels averaged."""
    try:
        import soundfile
    except ImportError as error:
        raise DataFault(f"{file}: reading sound needs soundfile", "pip install 'dvaec[audio]'") from error
    try:
        wave, rate = soundfile.read(file, dtype="float32", always_2d=True)
    except (soundfile.LibsndfileError, RuntimeError) as error:
        raise DataFault(f"{file}: not a sound file: {error}") from error
    if not len(wave):
        raise DataFault(f"{file}: holds no sample")
    return name, wave.mean(axis=1), int(rate)


def _archived(address: Address, split: str) -> Iterator[tuple[str, Wave, int]]:
    path = address.path
    with path.open("rb") as file:
        arrays = open_archive(path, file)
        lacking = [name for name in ("lengths", "split", *address.words("join")) if name not in arrays]
        if lacking:
            raise DataFault(
                f"{path}: array '{lacking[0]}' is missing beside 'audio'", f"it holds {', '.join(arrays)}"
            )
        audio, lengths, part = arrays["audio"], arrays["lengths"].astype(np.int64), arrays["split"]
        rate = int(arrays["sample_rate"])
        labels = [arrays[name] for name in address.words("join")]
    if (
        audio.ndim != 1
        or int(lengths.sum()) != len(audio)
        or any(len(a) != len(lengths) for a in (part, *labels))
    ):
        raise DataFault(f"{path}: 'audio' must be all samples, one after the other, as 'lengths' count them")
    scale = (
        np.float32(1.0 / -float(np.iinfo(audio.dtype).min)) if audio.dtype.kind == "i" else np.float32(1.0)
    )
    ends = np.cumsum(lengths)
    for group in _groups(labels, np.flatnonzero(part == SPLITS.index(split))):
        pieces = [audio[ends[k] - lengths[k] : ends[k]] for k in group]
        name = (
            f"recordings {group[0] + 1} to {group[-1] + 1}" if len(group) > 1 else f"recording {group[0] + 1}"
        )
        yield name, np.concatenate(pieces).astype(np.float32) * scale, rate


def _groups(labels: list[Array], chosen: Array) -> list[list[int]]:
    """Return runs of neighbours that agree in every label; each alone if there is none."""
    groups: list[list[int]] = []
    for k in (int(k) for k in chosen):
        before = groups[-1][-1] if groups else -1
        if labels and before == k - 1 and all(label[before] == label[k] for label in labels):
            groups[-1].append(k)
        else:
            groups.append([k])
    return groups


def resampled(wave: Wave, own: int, rate: int) -> Wave:
    """Return a signal at another rate, by polyphase filtering."""
    if own == rate:
        return wave
    try:
        from scipy.signal import resample_poly
    except ImportError as error:
        raise DataFault("resampling needs scipy", "pip install 'dvaec[audio]'") from error
    common = gcd(own, rate)
    return np.asarray(resample_poly(wave, rate // common, own // common), dtype=np.float32)


def _settings(address: Address, rate: int) -> Settings:
    """Return the options' settings; by default 64 ms, rounded up to a power of two, and a quarter of it."""
    window = address.count("window", 1 << int(np.ceil(np.log2(_SECONDS * rate))), 2)
    hop = address.count("hop", max(1, window // 4), 1)
    if window % 2 or hop > window // 2:
        raise DataFault(f"{address.text}: the window must be even, and the hop at most half of it")
    return Settings(rate, window, hop, address.number("trim", 30.0))
