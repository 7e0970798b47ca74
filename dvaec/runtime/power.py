"""Power spectrograms among a model's fields, and the recordings that they were made of."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from dvaec.runtime.faults import DataFault, LabFault
from dvaec.runtime.passes import Array, Sequences
from dvaec.runtime.sets.catalogue import BUILT_IN
from dvaec.runtime.sources.archive import open_archive
from dvaec.runtime.sources.options import read_address
from dvaec.runtime.sources.recordings import Utterance, holds_recordings, is_audio, utterances
from dvaec.runtime.sources.spectra import Settings


def power_of(found: Sequences, name: str, family: str) -> Array:
    """Return the power spectrogram of a variable: (frames, bins); LabFault if it has none.

    Of a gamma its values (the mean is the variance of the spectrum, 13.2.1), of a complex Gaussian its
    variance under p (10.2), or |x|^2 of data.
    """
    if family == "gamma":
        return found.framed[name]
    if family == "complex_gaussian":
        if f"p_{name}_logvar" in found.framed:
            return np.asarray(np.exp(found.framed[f"p_{name}_logvar"]))
        real, imaginary = np.split(found.framed[name], 2, axis=1)
        return np.asarray(real**2 + imaginary**2)
    raise no_power(name, family)


def no_power(name: str, family: str) -> LabFault:
    """What is said of a variable of another family than those whose values are, or give, a power."""
    return LabFault(
        f"{name} is {family}: only a gamma variable (or a complex_gaussian one) is a power spectrogram",
        f"--set {name}.distribution=gamma",
    )


def recordings(data: str, split: str) -> list[Utterance]:
    """Return the recordings that a data set was made of, in its order; DataFault if it is made of none."""
    return list(_spoken(data, split))


def check_recordings(data: str, split: str) -> None:
    """DataFault if a data set is not made of recordings, without reading more than the first."""
    next(_spoken(data, split))


def settings_of(data: str, split: str) -> Settings | None:
    """Return how the spectra of a data set were made; None if it is not made of recordings."""
    try:
        return next(_spoken(data, split)).settings
    except (DataFault, StopIteration):
        return None


def _spoken(data: str, split: str) -> Iterator[Utterance]:
    address = read_address(data)
    path = address.path
    heard = holds_recordings(path) if path.is_dir() else _is_archive_of_sound(path)
    if address.place in BUILT_IN or not heard:
        raise DataFault(f"{data}: holds no recordings", "a folder of .wav files, or an .npz with audio")
    return utterances(address, split)


def _is_archive_of_sound(path: Path) -> bool:
    if path.suffix != ".npz" or not path.is_file():
        return False
    with path.open("rb") as file:
        return is_audio(open_archive(path, file))
