"""Recordings as power spectrograms: the settings of 13.2.1, the cache, and the way back to sound."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from dvaec.runtime.batches import collate
from dvaec.runtime.data import load_splits
from dvaec.runtime.faults import DataFault
from dvaec.runtime.sources.features import cached_features
from dvaec.runtime.sources.options import read_address
from dvaec.runtime.sources.recordings import Utterance, files, utterances
from dvaec.runtime.sources.spectra import Settings, power, prepared, resynthesised, sounding, stft
from dvaec.runtime.split import SPLITS
from tests.runtime_stand_in import CARD, write

soundfile = pytest.importorskip("soundfile")
SETTINGS = Settings(16000, 1024, 256)
CARD_513 = replace(CARD, observed={"x": 513}, families={"x": "gamma"}, inputs={})


def tone(seconds: float, rate: int = 16000, pitch: float = 440.0) -> NDArray[np.float32]:
    wave: NDArray[np.float32] = np.sin(2 * np.pi * pitch * np.arange(int(seconds * rate)) / rate).astype(
        np.float32
    )
    return wave / np.float32(2)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DVAEC_CACHE", str(tmp_path / "cache"))
    for name in SPLITS:
        (tmp_path / "wavs" / name / "deep").mkdir(parents=True)
        soundfile.write(tmp_path / "wavs" / name / "b.wav", tone(0.5), 16000)
        soundfile.write(
            tmp_path / "wavs" / name / "deep" / "a.flac", np.stack([tone(0.4), 0 * tone(0.4)], 1), 16000
        )
    return tmp_path / "wavs"


def test_the_power_spectrum_is_that_of_its_equation() -> None:
    wave = np.random.default_rng(0).normal(size=3000).astype(np.float32)
    window, hop = SETTINGS.window, SETTINGS.hop
    n = np.arange(window)
    found = power(wave, SETTINGS)
    assert found.shape == (1 + 3000 // hop, 513)
    padded = np.pad(wave.astype(np.float64), window // 2, mode="reflect")
    for t in (0, 3, 11):
        frame = padded[t * hop : t * hop + window] * np.sin(np.pi * (n + 0.5) / window)
        for f in (0, 1, 100, 512):
            expected = abs((frame * np.exp(-2j * np.pi * f * n / window)).sum()) ** 2
            assert found[t, f] == pytest.approx(expected, rel=1e-4, abs=1e-4)


def test_the_way_back_is_exact_with_the_phase_of_the_original() -> None:
    wave = np.random.default_rng(1).normal(size=5000).astype(np.float32)
    back = resynthesised(power(wave, SETTINGS), wave, SETTINGS)
    assert np.abs(back - wave).max() < 1e-4
    quiet = resynthesised(power(wave, SETTINGS) / np.float32(4), wave, SETTINGS)
    assert np.abs(quiet - wave / 2).max() < 1e-4


def test_silence_is_trimmed_30_decibels_below_the_loudest() -> None:
    random = np.random.default_rng(0)
    parts = [(4096, 10**-1.6), (8192, 1.0), (4096, 10**-1.4), (4096, 10**-1.8)]
    wave = np.concatenate([level * random.choice([-1.0, 1.0], size=n) for n, level in parts]).astype(
        np.float32
    )
    first, last = sounding(wave, 30.0)
    assert 4096 - 1536 <= first <= 4096  # a stretch of 2048 that reaches into the loud part is loud
    assert 16384 - 1024 <= last <= 16384 + 1024  # 28 dB below is sound, 36 dB below is silence
    kept = prepared(wave, SETTINGS)
    assert len(kept) == last - first
    assert np.abs(kept).max() == 1.0
    assert len(prepared(wave, replace(SETTINGS, trim=0.0))) == len(wave)
    assert not prepared(np.zeros(4000, dtype=np.float32), SETTINGS).any()


def test_a_folder_of_sounds_becomes_spectrograms_from_a_cache(folder: Path) -> None:
    split = load_splits(str(folder), CARD_513, ["train"])["train"]
    heard = list(utterances(read_address(str(folder)), "train"))
    assert [one.name for one in heard] == ["train/b.wav", "train/deep/a.flac"]
    assert split.lengths.tolist() == [1 + len(one.wave) // 256 for one in heard] == [32, 26]
    for k, one in enumerate(heard):
        assert one.settings == SETTINGS
        assert np.array_equal(split.rows("x", k)[0], power(one.wave, one.settings))
    peak = split.rows("x", 0)[0].sum(axis=0).argmax()
    assert peak == round(440 * 1024 / 16000)
    assert isinstance(split.framed["x"], np.memmap)
    batch = collate(split, [1, 0], torch.device("cpu"), torch.float32)
    assert batch.tensors[0].shape == (2, 32, 513)


def test_the_cache_is_used_and_follows_files_and_settings(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = read_address(str(folder))
    first = cached_features(address, "train")
    made = (first / "power.npy").stat().st_mtime_ns

    def never(*_arguments: object) -> None:
        raise AssertionError("computed again")

    with monkeypatch.context() as patch:
        patch.setattr("dvaec.runtime.sources.features.power", never)
        assert cached_features(address, "train") == first
    assert (first / "power.npy").stat().st_mtime_ns == made
    other = cached_features(read_address(f"{folder}:hop=512"), "train")
    assert other != first
    soundfile.write(folder / "train" / "b.wav", tone(0.6), 16000)
    changed = cached_features(address, "train")
    assert changed not in (first, other)
    assert np.load(changed / "lengths.npy").tolist() == [38, 26]
    assert not [one for one in first.parent.iterdir() if one.name.startswith(".making")]


def test_a_cache_that_cannot_be_written_says_how_to_name_another(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(DataFault, match="file/deep: the cache of spectrograms cannot be written: ") as found:
        load_splits(f"{folder}:cache={tmp_path}/file/deep", CARD_513, ["train"])
    assert "DVAEC_CACHE" in str(found.value.hint)


def test_files_are_shared_out_by_a_fixed_seed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DVAEC_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "all"
    folder.mkdir()
    for k in range(10):
        soundfile.write(folder / f"{k}.wav", tone(0.2 + 0.01 * k), 16000)
    address = read_address(f"{folder}:split=6+2+2")
    found = {name: [file.name for file in files(address, name)] for name in SPLITS}
    assert [len(names) for names in found.values()] == [6, 2, 2]
    assert sorted(name for names in found.values() for name in names) == [f"{k}.wav" for k in range(10)]
    assert found == {name: [file.name for file in files(address, name)] for name in SPLITS}
    assert load_splits(f"{folder}:split=6+2+2", CARD_513, ["test"])["test"].sequences == 2
    for text, said in (("8+2", "three whole numbers"), ("98+1+1", "10 files are too few")):
        with pytest.raises(DataFault, match=said):
            load_splits(f"{folder}:split={text}", CARD_513, ["test"])
    with pytest.raises(DataFault, match=r"no \.wav or \.flac in the folder train") as caught:
        load_splits(str(folder), CARD_513, ["train"])
    assert "split=8+1+1" in str(caught.value.hint)


def test_rates_must_agree_or_be_resampled(folder: Path) -> None:
    soundfile.write(folder / "train" / "c.wav", tone(0.5, 8000), 8000)
    with pytest.raises(DataFault, match=r"train/c.wav has 8000 samples a second, those before it 16000"):
        load_splits(str(folder), CARD_513, ["train"])
    pytest.importorskip("scipy")
    split = load_splits(f"{folder}:rate=16000", CARD_513, ["train"])["train"]
    spectra = split.rows("x", 1)[0].sum(axis=0)
    assert spectra.argmax() == round(440 * 1024 / 16000)
    assert split.lengths[1] == pytest.approx(32, abs=1)


def test_faults_of_recordings_name_the_file(folder: Path) -> None:
    with pytest.raises(DataFault, match="has dim 513, but the model's x has dim 88"):
        load_splits(str(folder), replace(CARD_513, observed={"x": 88}), ["train"])
    with pytest.raises(DataFault, match="recordings become one observed variable a frame, and Small has 2"):
        load_splits(str(folder), replace(CARD_513, observed={"x": 513, "y": 1}), ["train"])
    with pytest.raises(DataFault, match="the window must be even"):
        load_splits(f"{folder}:window=511", CARD_513, ["train"])
    with pytest.raises(DataFault, match="no option 'join' here"):
        load_splits(f"{folder}:join=speaker", CARD_513, ["train"])
    with pytest.raises(DataFault, match="no option 'windows' here") as caught:
        load_splits(f"{folder}:windows=512", CARD_513, ["train"])
    assert caught.value.hint == "did you mean 'window'?"
    soundfile.write(folder / "train" / "short.wav", tone(0.02), 16000)
    with pytest.raises(DataFault, match=r"train/short.wav has 320 samples with sound, and a window of 1024"):
        load_splits(str(folder), CARD_513, ["train"])
    (folder / "train" / "a.wav").write_text("hello")
    with pytest.raises(DataFault, match=r"a.wav: not a sound file"):
        load_splits(str(folder), CARD_513, ["train"])


def test_an_archive_of_recordings_joins_neighbours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DVAEC_CACHE", str(tmp_path / "cache"))
    pieces = [(tone(0.3, 8000, 200.0 * k) * 32767).astype(np.int16) for k in range(1, 6)]
    content = {
        "audio": np.concatenate(pieces),
        "lengths": np.array([len(p) for p in pieces]),
        "split": np.array([0, 0, 0, 1, 0], dtype=np.uint8),
        "speaker": np.array([4, 4, 7, 7, 7]),
        "sample_rate": np.array(8000),
    }
    source = write(tmp_path / "speech.npz", content)
    alone = list(utterances(read_address(source), "train"))
    assert [one.name for one in alone] == [f"recording {k}" for k in (1, 2, 3, 5)]
    joined = list(utterances(read_address(f"{source}:join=speaker"), "train"))
    assert [one.name for one in joined] == ["recordings 1 to 2", "recording 3", "recording 5"]
    assert len(joined[0].wave) == len(pieces[0]) + len(pieces[1])
    assert joined[0].settings == Settings(8000, 512, 128)
    card = replace(CARD_513, observed={"x": 257})
    split = load_splits(f"{source}:join=speaker", card, ["train"])["train"]
    assert split.lengths.tolist() == [1 + len(one.wave) // 128 for one in joined]
    with pytest.raises(DataFault, match="array 'speakers' is missing beside 'audio'"):
        load_splits(f"{source}:join=speakers", card, ["train"])


def si_sdr(estimate: NDArray[np.float32], reference: NDArray[np.float32]) -> float:
    target = float(estimate @ reference / (reference @ reference)) * reference
    return 10 * float(np.log10((target @ target) / ((estimate - target) @ (estimate - target))))


def floored(one: Utterance) -> NDArray[np.float64]:
    return np.log(np.maximum(power(one.wave, one.settings).astype(np.float64), 1e-10))


@pytest.mark.skipif("DVAEC_DATA" not in os.environ, reason="DVAEC_DATA names no folder of data sets")
def test_the_spoken_digits_open_as_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Utterances, settings and the way back give the reference numbers of the data's README."""
    monkeypatch.setenv("DVAEC_CACHE", str(tmp_path / "cache"))
    path = Path(os.environ["DVAEC_DATA"]) / "speech" / "fsdd_8khz_subset.npz"
    source = f"{path}:join=speaker+take,trim=0"
    card = replace(CARD_513, observed={"x": 257})
    splits = load_splits(source, card, SPLITS)
    assert [s.sequences for s in splits.values()] == [102, 18, 30]
    heard = list(utterances(read_address(source), "test"))
    assert np.mean([len(one.wave) / 8000 for one in heard]) == pytest.approx(4.3, abs=0.05)
    assert (
        si_sdr(
            resynthesised(power(heard[0].wave, heard[0].settings), heard[0].wave, heard[0].settings),
            heard[0].wave,
        )
        > 90
    )
    mean = np.concatenate([floored(one) for one in utterances(read_address(source), "train")]).mean(axis=0)
    scores = []
    for one in heard:
        flat = np.tile(np.exp(mean), (1 + len(one.wave) // one.settings.hop, 1)).astype(np.float32)
        scores.append(si_sdr(resynthesised(flat, one.wave, one.settings), one.wave))
    assert np.mean(scores) == pytest.approx(-4.26, abs=0.1)


@pytest.mark.skipif("DVAEC_DATA" not in os.environ, reason="DVAEC_DATA names no folder of data sets")
def test_real_wav_files_at_16_kilohertz(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DVAEC_CACHE", str(tmp_path / "cache"))
    folder = Path(os.environ["DVAEC_DATA"]) / "speech" / "vctk_p287_16khz"
    splits = load_splits(f"{folder}:split=4+1+1", CARD_513, SPLITS)
    assert [s.sequences for s in splits.values()] == [4, 1, 1]
    one = next(utterances(read_address(f"{folder}:split=4+1+1"), "test"))
    back = resynthesised(splits["test"].rows("x", 0)[0], one.wave, one.settings)
    assert si_sdr(back, one.wave) > 90
    assert torch.is_complex(stft(one.wave, one.settings))
