"""Waves of power spectrograms that have no phase, and waves as files."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from dvaec.runtime.extras import needing
from dvaec.runtime.files import write_bytes
from dvaec.runtime.sources.spectra import Settings, Wave, istft, stft


def without_phase(power: NDArray[np.floating], settings: Settings, rounds: int = 60, seed: int = 0) -> Wave:
    """Return a wave for a power spectrogram (frames, bins) that a model has drawn, which has no phase.

    Griffin and Lim (1984): from a random phase on, the phase of the wave that the last phase gives.
    """
    magnitude = torch.from_numpy(np.sqrt(np.maximum(power, 0.0)).astype(np.float32))
    turn = np.random.default_rng(seed).uniform(-np.pi, np.pi, power.shape)
    phase = torch.from_numpy(turn.astype(np.float32))
    samples = max((len(power) - 1) * settings.hop, settings.window // 2 + 1)
    for _ in range(rounds):
        wave = istft(torch.polar(magnitude, phase), settings, samples)
        phase = torch.angle(stft(wave, settings))[: len(power)]
    return istft(torch.polar(magnitude, phase), settings, samples)


def write_wav(path: Path, wave: NDArray[np.floating], rate: int) -> None:
    """Write a wave within [-1, 1] in 16 bits; one that is louder is scaled down to 1."""
    with needing("audio"):
        import soundfile
    loudest = float(np.max(np.abs(wave), initial=0.0))
    made = io.BytesIO()  # on a full disk libsndfile's own writing raises what is no OSError
    soundfile.write(made, wave / max(loudest, 1.0), rate, subtype="PCM_16", format="WAV")
    write_bytes(path, made.getvalue())
