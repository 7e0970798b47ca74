"""The schedule of scheduled sampling, its draws, and the two modes of `evaluate`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import torch
from typer.testing import CliRunner

from dvaec.cli.app import app
from dvaec.compiler import compile_spec
from dvaec.runtime.batches import collate, in_order
from dvaec.runtime.card import Card
from dvaec.runtime.data import Split, load_splits
from dvaec.runtime.evaluate import evaluate
from dvaec.runtime.faults import StoreFault
from dvaec.runtime.feedback import ScheduledSampling, feeds_back
from dvaec.runtime.mode import Mode
from dvaec.runtime.noise import EVALUATION, draws, fed_mask
from dvaec.runtime.pendulum import write_npz
from dvaec.runtime.script import script
from dvaec.runtime.source import load_class
from tests.runtime_stand_in import CARD, arrays, small, write
from tests.shipped import ROOT, SPECS

SMALL = ("x.dim=2", "x.distribution=gaussian", "z.dim=2", "h_t.units=4", "g_t.units=4")


def test_the_review_s_schedule() -> None:
    """13.3.3: 20 % in the first 50 epochs, 40 % in the next 50, and so on; all in the last 300 of 500."""
    schedule = ScheduledSampling()
    shares = [schedule.share(epoch) for epoch in range(1, 501)]
    expected = [0.2] * 50 + [0.4] * 50 + [0.6] * 50 + [0.8] * 50 + [1.0] * 300
    assert shares == pytest.approx(expected)
    assert shares[schedule.settled :] == [1.0] * 300
    assert shares[schedule.settled - 1] < 1.0


@pytest.mark.parametrize(
    "schedule", [ScheduledSampling(0.1, 7, 5), ScheduledSampling(0.3, 2), ScheduledSampling(1.0, 1)]
)
def test_a_schedule_of_one_s_own(schedule: ScheduledSampling) -> None:
    shares = [schedule.share(epoch) for epoch in range(1, 200)]
    assert shares[: schedule.start] == [0.0] * schedule.start
    assert shares == sorted(shares)
    assert [share == 1.0 for share in shares] == [epoch > schedule.settled for epoch in range(1, 200)]


@pytest.mark.parametrize("wrong", [{"rise": 0.0}, {"rise": 1.1}, {"every": 0}, {"start": -1}])
def test_a_schedule_that_never_arrives_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="scheduled sampling needs"):
        ScheduledSampling(**wrong)


def test_every_frame_of_every_sequence_is_drawn_for_itself() -> None:
    schedule = ScheduledSampling(0.25, 1)
    masks = torch.stack([fed(schedule, 1, 20, 10, seed) for seed in range(500)]).double()
    assert masks.mean(0) == pytest.approx(torch.full((20, 10), 0.25).numpy(), abs=0.08)
    apart = masks.reshape(500, -1).T.corrcoef().fill_diagonal_(0.0)
    assert float(apart.abs().max()) < 0.3  # of 200 (199) / 2 correlations of 500 draws
    assert not fed(ScheduledSampling(start=1), 1, 4, 3).any()
    assert fed(schedule, 4, 4, 3).all()


def fed(schedule: ScheduledSampling, epoch: int, batch: int, frames: int, seed: int = 0) -> torch.Tensor:
    """The frames that are fed at the share of an epoch, by streams that do not depend on it."""
    keys = [(seed, 1, row, 0) for row in range(batch)]
    return fed_mask(schedule.share(epoch), keys, torch.full((batch,), frames))


def test_the_draws_do_not_depend_on_the_share() -> None:
    """Two runs that differ in the epoch alone feed back nested sets of frames."""
    schedule = ScheduledSampling(0.25, 1)
    few, many = (fed(schedule, e, 8, 6, seed=1) for e in (1, 3))
    assert bool((many | ~few).all())
    assert int(many.sum()) > int(few.sum())


@pytest.fixture(scope="module")
def split(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Split]:
    path = tmp_path_factory.mktemp("data") / "pendulum.npz"
    write_npz("pendulum", path, sequences=12, frames=9, seed=0)
    return path, load_splits(str(path), card("srnn", *SMALL), ["test"])["test"]


def card(name: str, *overrides: str) -> Card:
    return Card(**compile_spec(SPECS / f"{name}.yaml", list(overrides), False).card)


def made(name: str, *overrides: str) -> torch.nn.Module:
    compiled = compile_spec(SPECS / f"{name}.yaml", list(overrides), False)
    torch.manual_seed(0)
    return load_class(compiled.source, compiled.class_name)().double()


def test_evaluation_in_generation_mode_is_elbo_fed(split: tuple[Path, Split]) -> None:
    model, data = made("srnn", *SMALL), split[1]
    result = evaluate(model, card("srnn", *SMALL), data, samples=1, seed=2, mode=Mode.GENERATION, batch=64)
    (rows,) = in_order(data, 64)
    batch = collate(data, rows, torch.device("cpu"), torch.float64)
    keys = [(2, EVALUATION, row, 0) for row in rows]
    noise = draws(card("srnn", *SMALL).noises, keys, batch.lengths, torch.float64)
    direct = model.elbo_fed(*batch.tensors, lengths=batch.lengths, **noise)  # type: ignore[operator]
    for name in ("elbo", "log_p_x", "kl_z"):
        wanted = getattr(direct, name).sum().item() / data.frames
        assert result.frame[name].mean == pytest.approx(wanted, rel=1e-10)
    forced = evaluate(model, card("srnn", *SMALL), data, seed=2)
    assert (result.mode, forced.mode) == (Mode.GENERATION, Mode.TEACHER_FORCING)
    assert forced.frame["log_p_x"].mean != pytest.approx(result.frame["log_p_x"].mean, rel=1e-6)


def test_where_p_reads_no_data_the_modes_are_one(split: tuple[Path, Split]) -> None:
    sizes = ("x.dim=2", "x.distribution=gaussian", "z.dim=2")
    model, page = made("dkf_undriven", *sizes), card("dkf_undriven", *sizes)
    assert not feeds_back(model)
    one, other = (evaluate(model, page, split[1], mode=mode).frame for mode in Mode)
    assert {k: v.mean for k, v in one.items()} == {k: v.mean for k, v in other.items()}


def test_scripted_modules_feed_back_as_eager_ones_do() -> None:
    assert feeds_back(script(made("srnn", *SMALL)))
    assert not feeds_back(script(made("dkf_undriven", "x.dim=2", "z.dim=2")))


def test_a_module_of_an_earlier_version_is_not_taken_for_one_without_feedback(tmp_path: Path) -> None:
    model = small()
    data = load_splits(write(tmp_path / "set.npz", arrays()), CARD, ["test"])["test"]
    with pytest.raises(StoreFault, match="without generation mode"):
        evaluate(model, CARD, data, mode=Mode.GENERATION)
    evaluate(model, CARD, data)


def test_the_command_says_the_mode(split: tuple[Path, Split], tmp_path: Path) -> None:
    runner, out = CliRunner(), str(tmp_path / "run")
    chosen = [word for one in SMALL for word in ("--set", one)]
    short = ["--epochs", "1", "--warmup", "0", "-o", out]
    train = ["train", str(SPECS / "srnn.yaml"), "--data", str(split[0]), *chosen, *short]
    assert runner.invoke(app, train).exit_code == 0
    numbers = []
    for mode in ("teacher-forcing", "generation"):
        shown = runner.invoke(app, ["evaluate", out, "--data", str(split[0]), "--mode", mode])
        assert shown.exit_code == 0, shown.output
        assert (", generation mode:" in shown.stdout) == (mode == "generation")
        assert ("; -log p is that of this p" in shown.stdout) == (mode == "generation")
        lines = shown.stdout.splitlines()
        numbers.append((lines[2], next(line for line in lines if line.startswith("-log p, K = 100 "))))
    assert all(one != other for one, other in zip(*numbers, strict=True))


def test_where_p_reads_no_data_the_command_says_that_the_modes_are_one(
    split: tuple[Path, Split], tmp_path: Path
) -> None:
    runner, out = CliRunner(), str(tmp_path / "run")
    sizes = [word for one in SMALL[:3] for word in ("--set", one)]
    short = [*sizes, "--epochs", "1", "-o", out]
    trained = runner.invoke(app, ["train", str(SPECS / "vae.yaml"), "--data", str(split[0]), *short])
    assert trained.exit_code == 0, trained.output
    shown = [
        runner.invoke(app, ["evaluate", out, "--data", str(split[0]), "--mode", mode]).stdout
        for mode in ("teacher-forcing", "generation")
    ]
    assert "both modes are one" in shown[1]
    numbers = [
        [line for line in one.splitlines() if line.startswith(("-ELBO", "-log p, K"))] for one in shown
    ]
    assert len(numbers[0]) == 2
    assert numbers[0] == numbers[1]


def test_the_examples_of_the_page_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    page = (ROOT / "docs" / "laboratory.md").read_text(encoding="utf-8")
    section = page.partition("## Teacher forcing")[2].partition("\n## ")[0]
    examples = re.findall(r"^```python\n(.*?)^```$", section, flags=re.MULTILINE | re.DOTALL)
    names: dict[str, Any] = {}
    for example in examples:
        exec(compile(example, "laboratory.md", "exec"), names)
    assert len(examples) == 2
    assert names["bound"].x.shape == (4, 30, 88)
    assert names["fed"].all()  # the last epoch of the example
