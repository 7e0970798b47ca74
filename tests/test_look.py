"""The commands that look at a trained model: what they write, what they draw, what they refuse."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from typer.testing import CliRunner, Result

from dvaec.cli.app import app
from dvaec.cli.look import names_of
from dvaec.compiler import compile_spec, compile_text
from dvaec.runtime.card import Card
from dvaec.runtime.faults import LabFault
from dvaec.runtime.pictures.kind import Kind, kind_of, sides
from dvaec.runtime.source import load_class
from dvaec.runtime.store import HISTORY, WEIGHTS, save_card, save_weights
from tests.shipped import ROOT, SPECS

pytest.importorskip("matplotlib")
LENGTHS = [6, 9, 8]


def made(folder: Path, page: Path | str, overrides: tuple[str, ...] = ()) -> Path:
    """Write a run folder of a page with fresh weights."""
    compiled = (
        compile_text(page, "page.yaml", overrides) if isinstance(page, str) else compile_spec(page, overrides)
    )
    torch.manual_seed(0)
    card = Card(**compiled.card)
    save_card(folder, card)
    save_weights(folder / WEIGHTS, load_class(compiled.source, compiled.class_name)(), card)
    return folder


def data(path: Path, **variables: np.ndarray[Any, Any]) -> str:
    arrays = {f"test_{name}": values for name, values in variables.items()}
    np.savez(path, test_lengths=np.array(LENGTHS), **arrays)  # type: ignore[arg-type]
    return str(path)


def call(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(a) for a in arguments])


def done(*arguments: str | Path) -> list[str]:
    result = call(*arguments)
    assert result.exit_code == 0, result.output
    return result.stdout.splitlines()


def refused(*arguments: str | Path) -> str:
    result = call(*arguments)
    assert result.exit_code == 1, result.output
    assert "Traceback" not in result.output
    return result.stderr


def pixels(path: Path) -> np.ndarray[Any, Any]:
    from matplotlib.image import imread

    return np.asarray(imread(path))[..., :3]


def red(picture: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Which columns hold pixels of the line's colour."""
    found: np.ndarray[Any, Any] = (np.abs(picture - np.array([200, 16, 46]) / 255).max(-1) < 0.02).sum(0)
    return found


@pytest.fixture(scope="module")
def rolls(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp("rolls")
    x = (np.random.default_rng(0).random((sum(LENGTHS), 88)) < 0.05).astype(np.uint8)
    return made(folder / "srnn", SPECS / "srnn.yaml"), data(folder / "rolls.npz", x=x)


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp("lines")
    random = np.random.default_rng(0)
    x, u = random.normal(size=(sum(LENGTHS), 6)), random.normal(size=sum(LENGTHS))
    gaussian = ("x.dim=6", "x.distribution=gaussian")
    return made(folder / "dkf", SPECS / "dkf.yaml", gaussian), data(folder / "lines.npz", x=x, u=u)


def test_encode_writes_the_latents_and_draws_four_panels(rolls: tuple[Path, str], tmp_path: Path) -> None:
    run, source = rolls
    picture = tmp_path / "z.png"
    assert done("encode", run, "--data", source, "--sequences", "2-3", "--picture", picture) == [
        str(run / "encoded.npz"), str(picture),
    ]  # fmt: skip
    with np.load(run / "encoded.npz") as read:
        assert sorted(read.files) == ["kl_z", "lengths", "q_z_logvar", "q_z_mean", "sequence", "z"]
        assert read["sequence"].tolist() == [2, 3]
        assert read["z"].shape == (17, 16)
    assert pixels(picture).std() > 0.05
    again = tmp_path / "again.png"
    done("encode", run, "--data", source, "--sequences", "2-3", "--picture", again)
    assert again.read_bytes() == picture.read_bytes()


def test_reconstruct_puts_data_beside_it(rolls: tuple[Path, str], tmp_path: Path) -> None:
    run, source = rolls
    out, picture = tmp_path / "r.npz", tmp_path / "r.svg"
    done("reconstruct", run, "--data", source, "-o", out, "--picture", picture)
    with np.load(out) as read, np.load(source) as given:
        assert {"x", "p_x_logits", "data_x", "lengths", "sequence"} == set(read.files)
        np.testing.assert_array_equal(read["data_x"], given["test_x"])
        np.testing.assert_allclose(read["x"], 1 / (1 + np.exp(-read["p_x_logits"])), atol=1e-6)
    assert picture.read_text().startswith("<?xml")


def test_forecast_draws_the_line_where_generation_takes_over(rolls: tuple[Path, str], tmp_path: Path) -> None:
    run, source = rolls
    early, late = tmp_path / "early.png", tmp_path / "late.png"
    for context, picture in ((2, early), (6, late)):
        done(
            "forecast",
            run,
            "--data",
            source,
            "--context",
            str(context),
            "--sequences",
            "2",
            "--picture",
            picture,
        )
        with np.load(run / "forecast.npz") as read:
            assert int(read["context"]) == context
            np.testing.assert_array_equal(read["x"][:context], read["data_x"][:context])
            assert set(np.unique(read["x"])) <= {0.0, 1.0}
    first, second = (red(pixels(one)) for one in (early, late))
    assert first.max() > 200
    wide = first.argmax(), second.argmax()
    step = (wide[1] - wide[0]) / 4  # pixels a frame
    assert step * 9 < len(first)
    assert step > 0.07 * len(first)


def test_sample_needs_no_data_unless_the_model_reads_inputs(
    rolls: tuple[Path, str], lines: tuple[Path, str], tmp_path: Path
) -> None:
    run, _ = rolls
    done("sample", run, "--count", "5", "--frames", "7", "--picture", tmp_path / "s.pdf")
    with np.load(run / "sampled.npz") as read:
        assert read["x"].shape == (35, 88)
        assert read["lengths"].tolist() == [7] * 5
    assert (tmp_path / "s.pdf").read_bytes().startswith(b"%PDF")
    run, source = lines
    assert "--data gives them" in refused("sample", run)
    done("sample", run, "--data", source, "--sequences", "2", "--mean")
    with np.load(run / "sampled.npz") as read:
        assert read["lengths"].tolist() == [9]


def test_lines_skeletons_and_images(lines: tuple[Path, str], tmp_path: Path) -> None:
    run, source = lines
    seen = set()
    for kind in ("lines", "skeleton", "image", "map"):
        picture = tmp_path / f"{kind}.png"
        more = ("--shape", "2x3") if kind == "image" else ()
        done("forecast", run, "--data", source, "--context", "4", "--kind", kind, *more, "--picture", picture)
        seen.add(picture.read_bytes())
        assert red(pixels(picture)).max() > 3
    assert len(seen) == 4
    bones = tmp_path / "bones.npz"
    np.savez(bones, parents=np.array([-1, 0]))
    joined = tmp_path / "joined.png"
    done(
        "forecast",
        run,
        "--data",
        source,
        "--context",
        "4",
        "--kind",
        "skeleton",
        "--bones",
        bones,
        "--picture",
        joined,
    )
    assert joined.read_bytes() not in seen


def test_power_is_a_spectrogram_and_becomes_sound(tmp_path: Path) -> None:
    soundfile = pytest.importorskip("soundfile")
    random = np.random.default_rng(0)
    folder = tmp_path / "wavs" / "test"
    folder.mkdir(parents=True)
    for number in range(2):
        wave = np.sin(0.2 * np.arange(2000 + 300 * number)) + 0.1 * random.normal(size=2000 + 300 * number)
        soundfile.write(folder / f"{number}.wav", wave / 2, 8000)
    source = f"{tmp_path / 'wavs'}:window=64,trim=0,cache={tmp_path / 'cache'}"
    run = made(tmp_path / "run", SPECS / "srnn.yaml", ("x.dim=33", "x.distribution=gamma"))
    heard, picture = tmp_path / "heard", tmp_path / "power.png"
    done("reconstruct", run, "--data", source, "--wav", heard, "--picture", picture)
    assert [soundfile.info(one).frames for one in sorted(heard.iterdir())] == [2000, 2300]
    made_up = tmp_path / "made_up"
    done("forecast", run, "--data", source, "--context", "20", "--wav", made_up, "--sequences", "1")
    done("sample", run, "--data", source, "--frames", "30", "--count", "1", "--wav", tmp_path / "drawn")
    assert soundfile.info(tmp_path / "drawn" / "0001.wav").frames == 29 * 16
    kept = {path: path.stat().st_mtime_ns for path in run.iterdir()}
    assert "--data with the recordings has them" in refused("sample", run, "--wav", tmp_path / "no")
    frames = data(tmp_path / "power.npz", x=random.gamma(1.0, size=(sum(LENGTHS), 33)))
    at = ("--data", frames, "--wav", tmp_path / "no")
    assert "holds no recordings" in refused("reconstruct", run, *at)
    assert "--data with the recordings has them" in refused("forecast", run, *at, "--context", "2")
    assert {path: path.stat().st_mtime_ns for path in run.iterdir()} == kept  # no arrays of what was refused
    shown = json.loads(
        "\n".join(done("evaluate", run, "--data", source, "--audio", "--importance", "2", "--format", "json"))
    )
    [audio] = shown["scores"]
    assert [one["name"] for one in audio["scores"]] == ["SI-SDR", "PESQ", "PESQ", "ESTOI"]
    assert all(math.isfinite(one["mean"]) for one in audio["scores"][:1])
    assert any("phase of the original" in line for line in audio["protocol"])


def test_motion_is_scored_in_its_own_units(lines: tuple[Path, str]) -> None:
    run, source = lines
    text = done("evaluate", run, "--data", source, "--motion", "mm", "--importance", "3", "--samples", "1")
    assert any(line.startswith("  MPJPE, frame average, mm") for line in text)
    assert any("mean over frames and 2 joints" in line for line in text)


def test_wrong_kinds_of_data_are_refused(
    rolls: tuple[Path, str], lines: tuple[Path, str], tmp_path: Path
) -> None:
    run, source = rolls
    at = ("--data", source, "--picture", tmp_path / "no.png")
    assert "a spectrogram shows power: x is bernoulli" in refused(
        "reconstruct", run, *at, "--kind", "spectrogram"
    )
    assert "--kind roll" in refused("reconstruct", run, *at, "--kind", "skeleton")
    assert "88 pixels are no square" in refused("reconstruct", run, *at, "--kind", "image")
    (tmp_path / "out").mkdir()
    away = ("-o", tmp_path / "out" / "no.npz")
    sounds = refused("reconstruct", run, "--data", source, "--wav", tmp_path / "w", *away)
    assert "only a gamma variable" in sounds
    assert "hint: train anew, with --set x.distribution=gamma" in sounds
    assert "only a gamma variable" in refused(
        "evaluate", run, "--data", source, "--audio", "--importance", "0"
    )
    assert "no number of joints" in refused(
        "evaluate", run, "--data", source, "--motion", "mm", "--importance", "0"
    )
    assert "observes no 'y'" in refused("reconstruct", run, *at, "--variable", "y")
    assert "has no latent 'w'" in refused("encode", run, *at, "--latent", "w", *away)
    assert "has no latent 'w'" in refused("encode", run, "--data", source, "--latent", "w", *away)
    assert not list((tmp_path / "out").iterdir())
    assert "does not end in one of .png" in refused(
        "encode", run, "--data", source, "--picture", tmp_path / "no.txt"
    )
    assert "has sequences 1 to 3" in refused("encode", run, "--data", source, "--sequences", "4")
    run, source = lines
    bones = ("--kind", "skeleton", "--bones", tmp_path / "no.txt", "--picture", tmp_path / "no.png")
    assert "no.txt" in refused("reconstruct", run, "--data", source, *bones, *away)
    assert "no.txt" in refused("forecast", run, "--data", source, "--context", "1", *bones, *away)
    assert "reads no inputs: --sequences" in refused("sample", rolls[0], "--sequences", "1", *away)
    assert not list((tmp_path / "out").iterdir())
    wrong = refused("reconstruct", run, "--data", source, "--kind", "roll", "--picture", tmp_path / "no.png")
    assert wrong == (
        "error: --kind roll: a roll shows switches and classes: x is gaussian of dim 6\n   = hint: --kind lines\n"
    )
    assert not (tmp_path / "no.png").exists()
    other = refused("encode", run, "--data", rolls[1])
    assert "has dim 88, but the model's x has dim 6" in other
    assert "was trained on data of its own page" in other  # --set is of no use here


def test_what_a_model_lacks_is_said_in_its_own_words(tmp_path: Path) -> None:
    x = (np.random.default_rng(0).random((sum(LENGTHS), 88)) < 0.05).astype(np.uint8)
    source = data(tmp_path / "rolls.npz", x=x)
    run = made(tmp_path / "rvae", SPECS / "rvae_noncausal.yaml")
    said = refused("forecast", run, "--data", source, "--context", "2")
    assert said == (
        "error: RVAENoncausal has no forecast: generation is noncausal: what stands before a frame depends on "
        "what comes after it\n"
    )
    plain = made(tmp_path / "grnn", SPECS / "grnn.yaml")
    assert "it has no latent variable" in refused("encode", plain, "--data", source)
    text = done("evaluate", plain, "--data", source, "--zero-inputs")
    assert not any(line.startswith("-log p, K") for line in text)
    assert "holds no recordings" in refused(
        "evaluate", gamma(tmp_path), "--data", counts(tmp_path), "--audio"
    )


def gamma(folder: Path) -> Path:
    return made(folder / "gamma", SPECS / "vae.yaml", ("x.dim=9", "x.distribution=gamma"))


def counts(folder: Path) -> str:
    return data(folder / "counts.npz", x=np.ones((sum(LENGTHS), 9)))


def test_latents_of_classes_and_of_sequence_level(tmp_path: Path) -> None:
    x = (np.random.default_rng(0).random((sum(LENGTHS), 88)) < 0.05).astype(np.uint8)
    source = data(tmp_path / "rolls.npz", x=x)
    run = made(tmp_path / "slds", SPECS / "slds.yaml")
    done("encode", run, "--data", source, "--latent", "s", "--picture", tmp_path / "s.png")
    done("encode", run, "--data", source, "--latent", "z", "--picture", tmp_path / "z.png")
    assert (tmp_path / "s.png").read_bytes() != (tmp_path / "z.png").read_bytes()
    text = done("evaluate", run, "--data", source, "--importance", "4")
    assert any("classes in use" in line for line in text)
    run = made(tmp_path / "dsae", SPECS / "dsae_full.yaml")
    at = ("encode", run, "--data", source, "--picture", tmp_path / "v.png")
    done(*at)
    assert "v has one value a sequence" in refused(*at, "--latent", "v")


def history(folder: Path, epochs: int) -> Path:
    folder.mkdir(parents=True)
    rows = [
        f"{k},{min(1, k / 5)},{-9 - 9 / k},{-8 - 9 / k},{1.0},{-8 - 9 / k},{-7 - 9 / k},{1.0},0.1"
        for k in range(1, epochs)
    ]
    head = "epoch,beta,train_elbo,train_log_p_x,train_kl_z,valid_elbo,valid_log_p_x,valid_kl_z,seconds"
    (folder / HISTORY).write_text("\n".join([head, *rows]) + "\n")
    return folder


def test_curves_of_one_run_and_of_several(tmp_path: Path) -> None:
    one, other = history(tmp_path / "one", 30), history(tmp_path / "other", 20)
    assert done("curves", one) == [str(one / "curves.svg")]
    assert "<svg" in (one / "curves.svg").read_text()
    done("curves", one, other, "--picture", tmp_path / "both.png")
    assert pixels(tmp_path / "both.png").std() > 0.05
    apart, again = history(tmp_path / "a" / "0", 6), history(tmp_path / "b" / "0", 6)
    labels = names_of([apart, again])
    assert labels == [str(apart), str(again)]
    assert names_of([one, other]) == ["one", "other"]
    assert "holds no history.csv" in refused("curves", tmp_path)
    (one / HISTORY).write_text("epoch,valid_elbo\n1,bad\n")
    assert "a value is no number" in refused("curves", one)
    (one / HISTORY).write_text("")
    assert "holds no epochs" in refused("curves", one)


def test_a_missing_extra_is_named(
    rolls: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, source = rolls
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    said = refused("encode", run, "--data", source, "--picture", tmp_path / "z.png", "-o", tmp_path / "z.npz")
    assert "this needs matplotlib, which is not installed" in said
    assert "pip install 'dvaec[pictures]'" in said
    assert not (tmp_path / "z.npz").exists()  # said before anything is computed


def test_an_unwritable_place_is_one_line(rolls: tuple[Path, str], tmp_path: Path) -> None:
    run, source = rolls
    (tmp_path / "file").touch()
    for option, name in (("--picture", "z.png"), ("-o", "z.npz")):
        path = tmp_path / "file" / name
        said = refused("encode", run, "--data", source, option, path)
        assert f"error: {path}: cannot be written: " in said
        assert "no part of it is left" in said


def test_kinds_suit_their_families() -> None:
    assert kind_of("x", "bernoulli", 88) is Kind.ROLL
    assert kind_of("x", "gamma", 513) is Kind.SPECTROGRAM
    assert kind_of("x", "gamma", 1) is Kind.LINES
    assert kind_of("x", "gaussian", 2) is Kind.LINES
    assert kind_of("x", "gaussian", 96) is Kind.MAP
    assert kind_of("x", "gaussian", 96, Kind.SKELETON) is Kind.SKELETON
    with pytest.raises(LabFault, match="up to 48 dimensions"):
        kind_of("x", "gaussian", 49, Kind.LINES)
    assert sides(12, "3x4") == (3, 4)
    assert sides(16, None) == (4, 4)
    with pytest.raises(LabFault, match="HEIGHTxWIDTH of 12 pixels"):
        sides(12, "3x5")


def test_importing_the_commands_imports_no_torch() -> None:
    code = (
        "import sys, dvaec.cli.app; sys.exit(any(m in sys.modules for m in ('torch', 'numpy', 'matplotlib')))"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
