"""Scores of speech and motion: by hand, and against reference values made by others with the same protocol."""

from __future__ import annotations

import math
import os
from pathlib import Path

import numpy as np
import pytest

from dvaec.runtime.faults import LabFault
from dvaec.runtime.measures.audio import again, audio_scores, compare, raw_pesq, sixteen_bits
from dvaec.runtime.measures.motion import mpjpe
from dvaec.runtime.mode import Mode
from dvaec.runtime.passes import Sequences
from dvaec.runtime.power import power_of, recordings
from dvaec.runtime.sound import without_phase, write_wav
from dvaec.runtime.sources.recordings import Utterance
from dvaec.runtime.sources.spectra import Settings, power

DATA = os.environ.get("DVAEC_DATA")
FORCED = Mode.TEACHER_FORCING


def framed(lengths: list[int], **fields: np.ndarray) -> Sequences:
    return Sequences(tuple(range(len(lengths))), np.array(lengths), fields, {})


def test_mpjpe_by_hand() -> None:
    truth = np.zeros((3, 6))
    found = truth.copy()
    found[0, :3] = (3.0, 4.0, 0.0)  # joint 1 of frame 1 is 5 away, joint 2 is right
    found[2] = (0.0, 0.0, 1.0, 0.0, 2.0, 0.0)  # 1 and 2 away
    scores = mpjpe(framed([2, 1], x=found), framed([2, 1], x=truth), "x", "mm", FORCED)
    by_frame, by_sequence = scores.scores
    assert by_frame.mean == pytest.approx((2.5 + 0.0 + 1.5) / 3)
    assert by_sequence.mean == pytest.approx((1.25 + 1.5) / 2)
    assert by_sequence.error == pytest.approx(0.125)
    assert (by_frame.unit, by_frame.count, by_sequence.count) == ("mm", 3, 2)
    assert "teacher forcing" in scores.protocol[1]
    assert (
        "generation mode"
        in mpjpe(framed([3], x=found), framed([3], x=truth), "x", "", Mode.GENERATION).protocol[1]
    )
    truth[1] = np.nan
    assert mpjpe(framed([2, 1], x=found), framed([2, 1], x=truth), "x", "mm", FORCED).scores[0].mean == 2.0


def test_frames_that_are_no_joints_are_refused() -> None:
    with pytest.raises(LabFault, match="x has dim 4, which is no number of joints"):
        mpjpe(framed([1], x=np.zeros((1, 4))), framed([1], x=np.zeros((1, 4))), "x", "", FORCED)


def test_raw_pesq_undoes_the_published_map() -> None:
    for raw in (-0.5, 1.0, 3.61, 4.5):
        lqo = 0.999 + 4.0 / (1.0 + math.exp(-1.4945 * raw + 4.6607))  # ITU-T P.862.1
        assert raw_pesq(lqo) == pytest.approx(raw, abs=1e-9)


def test_what_a_file_of_16_bits_keeps(tmp_path: Path) -> None:
    soundfile = pytest.importorskip("soundfile")
    wave = np.random.default_rng(0).uniform(-1, 1, 400)
    write_wav(tmp_path / "new" / "one.wav", wave, 8000)
    read, rate = soundfile.read(tmp_path / "new" / "one.wav")
    assert rate == 8000
    np.testing.assert_allclose(read, sixteen_bits(wave), atol=1.5 / 32768)
    write_wav(tmp_path / "loud.wav", 3.0 * wave, 8000)
    loud = soundfile.read(tmp_path / "loud.wav")[0]
    np.testing.assert_allclose(loud, wave / np.abs(wave).max(), atol=2 / 32768)


def test_power_is_what_the_family_says() -> None:
    values = np.random.default_rng(0).normal(size=(3, 4))
    np.testing.assert_allclose(power_of(framed([3], x=values**2), "x", "gamma"), values**2)
    np.testing.assert_allclose(
        power_of(framed([3], x=values), "x", "complex_gaussian"), values[:, :2] ** 2 + values[:, 2:] ** 2
    )
    variance = framed([3], x=0 * values, p_x_logvar=np.log(values[:, :2] ** 2))
    np.testing.assert_allclose(power_of(variance, "x", "complex_gaussian"), values[:, :2] ** 2)
    with pytest.raises(LabFault, match="x is bernoulli: only a gamma variable"):
        power_of(framed([3], x=values), "x", "bernoulli")


def spoken(seed: int, samples: int, settings: Settings) -> Utterance:
    wave = np.random.default_rng(seed).normal(size=samples).astype(np.float32)
    return Utterance(f"noise {seed}", wave / np.abs(wave).max(), settings)


def test_resynthesis_with_the_right_power_is_the_recording() -> None:
    settings = Settings(8000, 64, 16)
    own = [spoken(0, 500, settings), spoken(1, 333, settings)]
    spectra = [power(one.wave, settings) for one in own]
    lengths = np.array([len(one) for one in spectra])
    for found, one in zip(again(np.concatenate(spectra), lengths, own), own, strict=True):
        np.testing.assert_allclose(found, one.wave, atol=1e-4)
    with pytest.raises(LabFault, match="noise 0: its spectra have shape"):
        again(np.concatenate(spectra), lengths[::-1], own)


def test_a_wave_without_phase_has_nearly_the_power_it_should_have() -> None:
    settings = Settings(8000, 64, 16)
    time = np.arange(640)
    wave = (np.sin(0.3 * time) + 0.3 * np.sin(1.1 * time)).astype(np.float32)
    wanted = power(wave, settings)

    def gap(rounds: int) -> float:
        found = power(without_phase(wanted, settings, rounds), settings)
        return float(np.linalg.norm(np.sqrt(found) - np.sqrt(wanted)) / np.linalg.norm(np.sqrt(wanted)))

    assert gap(60) < 0.2 < 0.5 < gap(0)


def test_silence_and_clicks_are_left_out_and_said() -> None:
    settings = Settings(8000, 512, 128)
    noise = spoken(0, 16000, settings)
    silent = Utterance("silence", np.zeros(16000, dtype=np.float32), settings)
    short = spoken(1, 600, settings)
    own = [noise, silent, short]
    scores = audio_scores([one.wave for one in own], own, FORCED)
    assert [one.count for one in scores.scores] == [2, 1, 1, 1]
    assert "PESQ finds no speech in 2 of 3 utterances, which it leaves out" in scores.protocol
    assert "ESTOI finds no speech in 2 of 3 utterances, which it leaves out" in scores.protocol


def test_other_rates_are_resampled_for_pesq_and_said() -> None:
    noise = spoken(0, 44100, Settings(44100, 512, 128))
    heard = compare(sixteen_bits(noise.wave), sixteen_bits(noise.wave), 44100)
    assert heard.pesq == pytest.approx(4.5, abs=0.01)
    scores = audio_scores([noise.wave], [noise], FORCED)
    assert any("resampled from 44100 to 16000 Hz" in line for line in scores.protocol)


@pytest.mark.skipif(DATA is None, reason="the speech data lie in DVAEC_DATA")
def test_the_reference_values_of_the_speech_data() -> None:
    """The values in the data's README: the original itself, and 16 principal components of log power."""
    source = f"{DATA}/speech/fsdd_8khz_subset.npz:join=speaker+take,trim=0"
    train = np.concatenate([np.log(power(o.wave, o.settings) + 1e-12) for o in recordings(source, "train")])
    test = recordings(source, "test")
    assert len(test) == 30
    mean = train.mean(axis=0)
    axes = np.linalg.svd(np.cov((train - mean).T))[0][:, :16]
    own = test[::3]
    spectra = [power(one.wave, one.settings) for one in own]
    lengths = np.array([len(one) for one in spectra])
    same = audio_scores(again(np.concatenate(spectra), lengths, own), own, FORCED)
    sdr, raw, lqo, estoi = (one.mean for one in same.scores)
    assert sdr > 60
    assert raw == pytest.approx(4.5, abs=0.01)
    assert lqo == pytest.approx(4.549, abs=0.005)
    assert estoi == pytest.approx(1.0, abs=1e-3)
    logs = np.log(np.concatenate(spectra) + 1e-12) - mean
    scores = audio_scores(again(np.exp(logs @ axes @ axes.T + mean), lengths, own), own, FORCED)
    sdr, raw, _, estoi = (one.mean for one in scores.scores)
    assert sdr == pytest.approx(5.4, abs=1.0)  # a third of the utterances
    assert raw == pytest.approx(3.16, abs=0.2)
    assert estoi == pytest.approx(0.82, abs=0.04)
