"""Short-time spectra: the definition written out, the way back, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from dvaec.runtime.faults import DataFault
from dvaec.runtime.spectra import Stft, scaled, without_phase

SMALL = Stft(8000, 16, 4)


def test_the_review_has_513_frequencies_of_64_ms() -> None:
    assert Stft().bins == 513
    assert (Stft().rate, Stft().window / Stft().rate, Stft().hop / Stft().window) == (16000, 0.064, 0.25)


def test_a_spectrum_is_its_definition() -> None:
    wave = np.random.default_rng(0).normal(size=37)
    found = SMALL.analyse(wave)
    assert found.shape == (SMALL.frames(37), 9) == (10, 9)
    for n in range(10):
        for f in range(9):
            total = 0j
            for k in range(16):
                place = 4 * n - 8 + k
                y = wave[abs(place) if place < 37 else 72 - place]
                total += np.sin(np.pi * (k + 0.5) / 16) * y * np.exp(-2j * np.pi * f * k / 16)
            assert found[n, f] == pytest.approx(total, abs=1e-12)
    np.testing.assert_allclose(SMALL.power(wave), np.abs(found) ** 2, rtol=1e-12)


@pytest.mark.parametrize("samples", [9, 10, 11, 16, 37, 1000])
@pytest.mark.parametrize("stft", [SMALL, Stft(8000, 16, 8), Stft(8000, 10, 3), Stft(8000, 2, 1)])
def test_synthesis_undoes_analysis(stft: Stft, samples: int) -> None:
    wave = np.random.default_rng(samples).normal(size=samples)
    back = stft.synthesise(stft.power(wave), stft.analyse(wave), samples)
    np.testing.assert_allclose(back, wave, atol=1e-9)


def test_only_the_angle_of_a_phase_counts() -> None:
    wave = np.random.default_rng(1).normal(size=64)
    spectrum, power = SMALL.analyse(wave), 2.0 * SMALL.power(wave)
    one = SMALL.synthesise(power, spectrum, 64)
    np.testing.assert_allclose(one, SMALL.synthesise(power, 7.0 * spectrum, 64), atol=1e-12)
    np.testing.assert_allclose(one, np.sqrt(2.0) * wave, atol=1e-9)


def test_a_wave_without_phase_has_nearly_the_power_it_should_have() -> None:
    stft = Stft(8000, 64, 16)
    wave = np.sin(0.3 * np.arange(640)) + 0.3 * np.sin(1.1 * np.arange(640))
    power = stft.power(wave)
    found = stft.power(without_phase(stft, power))

    def gap(other: np.ndarray) -> float:
        return float(np.linalg.norm(np.sqrt(other) - np.sqrt(power)) / np.linalg.norm(np.sqrt(power)))

    turn = np.random.default_rng(0).uniform(-np.pi, np.pi, power.shape)
    assert gap(found) < 0.2 < 0.5 < gap(stft.power(stft.synthesise(power, np.exp(1j * turn))))


def test_scaled_waves_reach_1_and_silence_stays() -> None:
    assert np.max(np.abs(scaled(np.array([0.1, -0.5])))) == 1.0
    assert not scaled(np.zeros(3)).any()


def test_impossible_settings_are_refused() -> None:
    with pytest.raises(DataFault, match="even"):
        Stft(8000, 15, 4)
    with pytest.raises(DataFault, match="half of the window"):
        Stft(8000, 16, 9)
    with pytest.raises(DataFault, match="8 samples: a window of 16 needs 9"):
        SMALL.analyse(np.zeros(8))
    with pytest.raises(DataFault, match="per second"):
        Stft(0, 16, 4)
    with pytest.raises(DataFault, match=r"\(frames, 9\)"):
        SMALL.synthesise(np.zeros((3, 8)), np.zeros((3, 8), dtype=np.complex128))
