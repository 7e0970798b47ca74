r"""Waves and their short-time spectra, as the review's speech experiments have them (13.2.1).

With the sine window w_k = sin(pi (k + 1/2) / N), frames n = 0, 1, ... of N samples, `hop` apart, centred on
the samples n hop (the wave is reflected at its ends, its end samples not repeated):

    S_{n,f} = sum_k w_k y_{n hop - N/2 + k} exp(-2 pi i f k / N),        f = 0 .. N/2,

and x_{n,f} = |S_{n,f}|^2 is what a model sees. A wave comes back from sqrt(power) and a phase by overlap-add
with the same window, divided by the sum of w^2: `synthesise` undoes `analyse` up to rounding.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dvaec.runtime.faults import DataFault

Wave = NDArray[np.float64]


@dataclass(frozen=True)
class Stft:
    """Settings: samples per second, and the window and hop in samples. The review's by default (13.2.1).

    Its text says 25 % of overlap, its authors' code 75 % (a hop of a quarter of the window), as here.
    """

    rate: int = 16000
    window: int = 1024
    hop: int = 256

    def __post_init__(self) -> None:
        if self.rate < 1:
            raise DataFault(f"a rate of {self.rate} samples per second: at least 1")
        if self.window < 2 or self.window % 2:
            raise DataFault(f"a window of {self.window} samples: an even number is needed")
        if not 1 <= self.hop <= self.window // 2:
            raise DataFault(f"a hop of {self.hop} samples: from 1 to {self.window // 2}, half of the window")

    @property
    def bins(self) -> int:
        """How many frequencies a spectrum has: the dim of the observed variable."""
        return self.window // 2 + 1

    def frames(self, samples: int) -> int:
        """How many frames a wave of so many samples has."""
        return 1 + samples // self.hop

    def analyse(self, wave: NDArray[np.floating]) -> NDArray[np.complex128]:
        """Return the spectrum of a wave: (samples,) -> complex (frames, bins)."""
        half = self.window // 2
        if len(wave) <= half:
            raise DataFault(f"a wave of {len(wave)} samples: a window of {self.window} needs {half + 1}")
        padded = np.pad(np.asarray(wave, dtype=np.float64), half, mode="reflect")
        pieces = np.lib.stride_tricks.sliding_window_view(padded, self.window)[:: self.hop]
        spectrum: NDArray[np.complex128] = np.fft.rfft(pieces * self._shape(), axis=1)
        return spectrum

    def power(self, wave: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return |S|^2 of a wave: (samples,) -> (frames, bins)."""
        spectrum = self.analyse(wave)
        found: NDArray[np.float64] = spectrum.real**2 + spectrum.imag**2
        return found

    def synthesise(
        self, power: NDArray[np.floating], phase: NDArray[np.complex128], samples: int | None = None
    ) -> Wave:
        """Return the wave of a power spectrogram with the phase of a complex spectrum, both (frames, bins).

        `phase` may have any magnitude; where it is 0 its angle is 0. `samples` is the wave's length,
        (frames - 1) hop by default.
        """
        if power.shape != phase.shape or power.shape[1:] != (self.bins,):
            shapes = f"{power.shape} and {phase.shape}"
            raise DataFault(f"a power spectrogram and its phase must be (frames, {self.bins}), not {shapes}")
        spectrum = np.sqrt(np.maximum(power, 0.0)) * np.exp(1j * np.angle(phase))
        return self._overlapped(spectrum, samples)

    def _overlapped(self, spectrum: NDArray[np.complex128], samples: int | None) -> Wave:
        """Overlap and add: the wave whose spectrum is nearest in the sense of least squares."""
        shape, half = self._shape(), self.window // 2
        pieces = np.fft.irfft(spectrum, n=self.window, axis=1) * shape
        wanted = (len(pieces) - 1) * self.hop if samples is None else samples
        total = np.zeros(max((len(pieces) - 1) * self.hop + self.window, half + wanted))
        weight = np.zeros_like(total)
        for number, piece in enumerate(pieces):
            place = slice(number * self.hop, number * self.hop + self.window)
            total[place] += piece
            weight[place] += shape**2
        wave: Wave = (total / np.maximum(weight, 1e-12))[half : half + wanted]
        return wave

    def _shape(self) -> Wave:
        return np.asarray(np.sin(np.pi * (np.arange(self.window) + 0.5) / self.window))


def scaled(wave: NDArray[np.floating]) -> Wave:
    """Return the wave divided by its largest |y|, as the review's authors do; silence stays as it is."""
    peak = float(np.max(np.abs(wave), initial=0.0))
    return np.asarray(wave, dtype=np.float64) / (peak or 1.0)


def without_phase(stft: Stft, power: NDArray[np.floating], rounds: int = 60, seed: int = 0) -> Wave:
    """Return a wave for a power spectrogram that has no phase, as a generated one has none.

    Griffin and Lim (1984): from a random phase on, the phase of the wave that the last phase gives.
    """
    turn = np.random.default_rng(seed).uniform(-np.pi, np.pi, power.shape)
    phase: NDArray[np.complex128] = np.exp(1j * turn)
    for _ in range(rounds):
        phase = stft.analyse(stft.synthesise(power, phase))
    return stft.synthesise(power, phase)
