r"""Short-time Fourier power spectra of recordings, and back (13.2.1).

With a sine window w_n = sin(pi (n + 1/2) / W) of W samples and a hop of H, frame t has the spectrum

    X_{f,t} = sum_n w_n s_{n + tH - W/2} exp(-2 pi i f n / W),   f = 0 ... W/2,        x_{f,t} = |X_{f,t}|^2,

the signal reflected at its ends. Before that silence at both ends is cut off (where the frame's level is 30
dB below the loudest) and the signal is divided by its largest |s|. Defaults: W = 64 ms (1024 at 16 kHz, dim
513), H = W / 4. The inverse is the least-squares one, overlap-add with the same window.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

_LEVEL = 2048  # samples over which a level is measured, and the step between levels
_STEP = 512
_FLOOR = 1e-5

Wave = NDArray[np.float32]


@dataclass(frozen=True)
class Settings:
    """How spectra are made: samples of window and hop, `trim` in dB below the loudest (0: no trimming)."""

    rate: int
    window: int
    hop: int
    trim: float = 30.0


def prepared(wave: Wave, settings: Settings) -> Wave:
    """Return a recording without silence at its ends, divided by its largest magnitude; all zeros stay."""
    if settings.trim:
        first, last = sounding(wave, settings.trim)
        wave = wave[first:last]
    largest = float(np.max(np.abs(wave), initial=0.0))
    return wave / np.float32(largest) if largest else wave


def sounding(wave: Wave, decibels: float) -> tuple[int, int]:
    """Return where sound begins and ends: levels over 2048 samples, every 512, above -`decibels`.

    The level of a stretch is its root mean square, relative to the loudest stretch; stretches are centred on
    their place, with zeros beyond the ends.
    """
    energy = np.cumsum(np.pad(wave.astype(np.float64) ** 2, (_LEVEL // 2 + 1, _LEVEL // 2)))
    mean = (energy[_LEVEL:] - energy[:-_LEVEL])[::_STEP] / _LEVEL
    level = np.maximum(_FLOOR, np.sqrt(np.maximum(0.0, mean)))
    loud = np.flatnonzero(20 * np.log10(level / level.max()) > -decibels)
    return int(loud[0]) * _STEP, min(len(wave), (int(loud[-1]) + 1) * _STEP)


def stft(wave: Wave, settings: Settings) -> Tensor:
    """Return the complex spectrum (frames, window / 2 + 1) of a signal of more than window / 2 samples."""
    spectrum: Tensor = torch.stft(
        torch.from_numpy(np.ascontiguousarray(wave)), settings.window, settings.hop, settings.window,
        _sine(settings), center=True, pad_mode="reflect", return_complex=True,
    )  # fmt: skip
    return spectrum.mT


def istft(spectrum: Tensor, settings: Settings, samples: int) -> Wave:
    """Return the signal of `samples` samples whose spectrum (frames, window / 2 + 1) is nearest."""
    wave: Tensor = torch.istft(
        spectrum.mT, settings.window, settings.hop, settings.window, _sine(settings),
        center=True, length=samples,
    )  # fmt: skip
    found: Wave = wave.numpy()
    return found


def power(wave: Wave, settings: Settings) -> NDArray[np.float32]:
    """Return the power spectrum (frames, window / 2 + 1), frames = 1 + samples // hop."""
    found: NDArray[np.float32] = stft(wave, settings).abs().square().numpy()
    return found


def resynthesised(power_of: NDArray[np.float32], wave: Wave, settings: Settings) -> Wave:
    """Return the signal with given power spectra (frames, dim) and the phase of `wave`, as long as it."""
    phase = torch.angle(stft(wave, settings))
    magnitude = torch.from_numpy(np.sqrt(power_of))
    return istft(torch.polar(magnitude, phase), settings, len(wave))


def _sine(settings: Settings) -> Tensor:
    places = torch.arange(settings.window, dtype=torch.float64) + 0.5
    return torch.sin(places * (torch.pi / settings.window)).float()
