"""dvaec compare: one protocol, tables that agree with the runs, runs that were broken off, processes and clusters."""

from __future__ import annotations

import csv
import json
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import dvaec
from dvaec.runtime.comparison import tables
from dvaec.runtime.comparison.job import Result as Found
from dvaec.runtime.comparison.summary import rows_of
from dvaec.runtime.data import load_splits
from dvaec.runtime.evaluate import evaluate
from dvaec.runtime.store import load_card
from tests.comparisons import PAGE, SHORT, compare, dvaec_command, environment, material, runs
from tests.shipped import ROOT

CLUSTER = """
import sys, warnings
warnings.simplefilter("ignore")
from ray.cluster_utils import Cluster
from typer.testing import CliRunner
import dvaec.cli.app, dvaec.runtime.comparison.cluster as machine
cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
cluster.add_node(num_cpus=1)
cluster.wait_for_nodes()
places = []
on_ray = machine.on_ray
def watched(jobs, address):
    for one in on_ray(jobs, address):
        places.extend(result.place for result in one)
        yield one
machine.on_ray = watched
done = CliRunner().invoke(dvaec.cli.app.app, ["compare", *sys.argv[1:], "--ray", cluster.address])
print(done.output)
print("nodes", len(set(places)), None in places)
cluster.shutdown()
sys.exit(done.exit_code)
"""


def test_the_tables_are_the_means_and_spreads_of_the_runs(tmp_path: Path) -> None:
    words, out = material(tmp_path), tmp_path / "out"
    done = compare(*words, *SHORT, "--jobs", "1", "--pictures", "-o", out)
    assert done.exit_code == 0, done.output
    found = runs(out)
    assert [(row["model"], row["seed"]) for row in found] == [
        (m, s) for m in ("apart", "chain") for s in "01"
    ]
    with (out / "table.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["model"] for row in rows] == ["chain", "apart"]  # as on the command line
    for row in rows:
        mine = [one for one in found if one["model"] == row["model"]]
        for key in ("elbo", "reconstruction", "kl", "importance", "sequence"):
            values = [float(one[key]) for one in mine]
            assert float(row[f"{key}_mean"]) == pytest.approx(statistics.mean(values), rel=1e-6)
            assert float(row[f"{key}_sd"]) == pytest.approx(statistics.stdev(values), rel=1e-4)
    for one in found:
        assert float(one["elbo"]) == pytest.approx(float(one["reconstruction"]) + float(one["kl"]), rel=1e-6)
        run = out / one["model"] / one["seed"]
        card = load_card(run)
        measured = evaluate(dvaec.load(run), card, load_splits(words[-1], card, ["test"])["test"], samples=2)
        assert -measured.frame["elbo"].mean == pytest.approx(float(one["elbo"]), rel=1e-6)
    assert (out / "table.txt").read_text() in done.output + "\n"
    assert {"results.svg", "curves.svg", "table.md", "table.tex"} <= {path.name for path in out.iterdir()}


def test_without_latents_the_bound_is_log_p_and_surrogates_are_named(tmp_path: Path) -> None:
    words, out = material(tmp_path), tmp_path / "out"
    plain = PAGE.format("Plain", "").replace("  z: {role: latent, dim: 2}\n", "").replace("  - z_t\n", "")
    plain = plain.replace("x_t | z_t", "x_t | x_<t-1>").replace("reads: z_t", "reads: x_<t-1>")
    (tmp_path / "plain.yaml").write_text(plain.replace("inference: filtering\n", ""))
    with (tmp_path / "chain.yaml").open("a") as page:
        page.write("objective: {beta: 2}\n")
    done = compare(tmp_path / "plain.yaml", *words, *SHORT, "--jobs", "1", "--pictures", "-o", out)
    assert done.exit_code == 0, done.output
    mine = next(row for row in runs(out) if row["model"] == "plain")
    assert (mine["importance"], mine["kl"]) == (mine["elbo"], "0")
    assert "Trained on a surrogate of the ELBO, chain: beta 2.\n" in done.output
    assert (
        "Trained on a surrogate of the ELBO, apart: KL's weight from 0 to 1 over 40 epochs.\n" in done.output
    )
    assert (out / "curves.svg").is_file()


def test_what_is_there_is_not_done_again_and_what_was_done_otherwise_is(tmp_path: Path) -> None:
    out = tmp_path / "out"
    words = (*material(tmp_path), *SHORT, "--jobs", "1", "-o", str(out))
    assert compare(*words).exit_code == 0
    first = runs(out)
    weights = {path: path.stat().st_mtime_ns for path in out.rglob("weights.safetensors")}
    (out / "apart" / "1" / "result.json").unlink()
    assert compare(*words).exit_code == 0
    assert runs(out) == first
    assert {path: path.stat().st_mtime_ns for path in out.rglob("weights.safetensors")} == weights
    again = compare(*words, "--draws", "3")
    assert again.exit_code == 0
    assert [row["elbo"] for row in runs(out)] != [row["elbo"] for row in first]
    assert [row["best_epoch"] for row in runs(out)] == [row["best_epoch"] for row in first]
    refused = compare(*words, "--batch", "2")
    assert refused.exit_code == 1
    assert "the run was made with batch 4" in refused.stdout


def test_a_comparison_that_was_killed_goes_on_to_the_same_numbers(tmp_path: Path) -> None:
    words = (*material(tmp_path), *SHORT, "--epochs", "30")
    whole = compare(*words, "--jobs", "1", "-o", tmp_path / "whole")
    assert whole.exit_code == 0, whole.output
    command = [
        sys.executable,
        "-m",
        "dvaec",
        "compare",
        *map(str, words),
        "--jobs",
        "2",
        "-o",
        str(tmp_path / "broken"),
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment()) as begun:
        deadline = time.monotonic() + 240
        while not list((tmp_path / "broken").rglob("last.ckpt")) and time.monotonic() < deadline:
            time.sleep(0.05)
        begun.send_signal(signal.SIGKILL)
    unfinished = [path.parent for path in (tmp_path / "broken").rglob("last.ckpt")]
    assert unfinished
    assert not (tmp_path / "broken" / "table.txt").exists()
    time.sleep(1.0)  # its processes end with it
    states = {path: path.stat().st_mtime_ns for path in (tmp_path / "broken").rglob("last.ckpt")}
    time.sleep(1.0)
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "broken").rglob("last.ckpt")} == states
    done = subprocess.run(
        command, capture_output=True, text=True, env=environment(), timeout=400, check=False
    )
    assert done.returncode == 0, done.stderr
    assert runs(tmp_path / "broken") == runs(tmp_path / "whole")


def test_a_run_that_fails_is_named_and_the_others_are_tabulated(tmp_path: Path) -> None:
    words = material(tmp_path)
    page = (tmp_path / "apart.yaml").read_text()
    (tmp_path / "apart.yaml").write_text(page.replace("dim: 2}\n  z", "dim: 3}\n  z"))
    done = compare(*words, *SHORT, "--jobs", "1", "-o", tmp_path / "out")
    assert done.exit_code == 1
    assert "has dim 2, but the model's x has dim 3" in done.stdout
    assert [row["elbo"] != "" for row in runs(tmp_path / "out")] == [False, False, True, True]
    assert "apart, seed 0: " in (tmp_path / "out" / "table.md").read_text()


def test_two_pages_of_one_name_are_refused(tmp_path: Path) -> None:
    words = material(tmp_path)
    done = compare(words[0], *words)
    assert done.exit_code == 1
    assert "two specs are called 'chain'" in str(done.exception)


def found(label: str, seed: int, elbo: float, **more: Any) -> Found:
    frame = {"elbo": elbo, "log_p_x": elbo + 1.0, "kl_z": 1.0, "importance": elbo + 0.25}
    return Found(label, seed, 1234, 10, 7, 61.0, frame, {**frame, "elbo": elbo - 0.5}, **more)


RESULTS = [
    found("a_1", 0, -7.0),
    found("a_1", 1, -7.5),
    Found("b", 0, fault="kl_z is nan"),
    found("c", 0, -6.25),
]
ROWS = rows_of(RESULTS, ["a_1", "b", "c"])


def test_the_text_of_a_table() -> None:
    assert tables.text_table(ROWS, ["One note."]).splitlines() == [
        "model  seeds  parameters          -ELBO  reconstruction             KL         -log p  -ELBO by sequence  epochs  time",
        "a_1        2       1,234  7.250 ± 0.354   6.250 ± 0.354  1.000 ± 0.000  7.000 ± 0.354      7.750 ± 0.354      10  61 s",
        "b          0",
        "c          1       1,234          6.250           5.250          1.000          6.000              6.750      10  61 s",
        "b, seed 0: kl_z is nan",
        "",
        "One note.",
    ]


def test_markdown_and_latex_of_a_table() -> None:
    markdown = tables.markdown_table(ROWS, ["One note."]).splitlines()
    assert markdown[1] == f"| --- |{' ---: |' * 9}"
    assert markdown[2].startswith("| a_1 | 2 | 1,234 | 7.250 ± 0.354 | 6.250 ± 0.354 | 1.000 ± 0.000 |")
    assert len({line.count("|") for line in markdown[:5]}) == 1
    latex = tables.latex_table(ROWS, ["100% of one note."]).splitlines()
    assert latex[:3] == ["% b, seed 0: kl_z is nan", "% 100% of one note.", r"\begin{tabular}{lrrrrrrrrr}"]
    assert latex[4].startswith(r"model & seeds & parameters & $-$ELBO & reconstruction & KL & $-\log p$ &")
    assert latex[6].startswith(r"a\_1 & 2 & 1{,}234 & $7.250 \pm 0.354$ & ")
    assert len({line.count("&") for line in latex if "&" in line}) == 1


def test_a_cluster_of_two_nodes_gives_the_numbers_of_this_machine(tmp_path: Path) -> None:
    words = (*material(tmp_path), *SHORT)
    assert compare(*words, "--jobs", "1", "-o", tmp_path / "here").exit_code == 0
    done = subprocess.run(
        [sys.executable, "-c", CLUSTER, *map(str, words), "-o", str(tmp_path / "there")],
        capture_output=True, text=True, timeout=400, check=False, cwd=ROOT, env=environment(),
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "nodes 2 False" in done.stdout
    assert runs(tmp_path / "there") == runs(tmp_path / "here")


def test_without_ray_one_line_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    done = compare(*material(tmp_path), "--ray", "auto", "-o", tmp_path / "out")
    assert done.exit_code == 1
    assert (
        done.stderr
        == "error: this needs ray, which is not installed\n   = hint: pip install 'dvaec[cluster]'\n"
    )


def test_a_result_that_is_none_is_named(tmp_path: Path) -> None:
    words = (*material(tmp_path), *SHORT, "--jobs", "1", "-o", str(tmp_path / "out"))
    assert compare(*words).exit_code == 0
    (tmp_path / "out" / "chain" / "0" / "result.json").write_text(json.dumps({"result": 1}))
    done = compare(*words)
    assert done.exit_code == 1
    assert "result.json: no result of a comparison" in done.stdout


def test_objective_and_preparation_are_those_of_train_and_stand_in_the_protocol(tmp_path: Path) -> None:
    words, out = material(tmp_path), tmp_path / "out"
    said = ("--beta", "0.5", "--samples", "2", "--kl-weight", "z=3", "--warmup", "0")
    made = ("--crop", "random:4", "--normalise", "standard")
    done = compare(*words[1:], *SHORT, *said, *made, "--seeds", "1", "--jobs", "1", "-o", out)
    assert done.exit_code == 0, done.output
    table = (out / "table.txt").read_text()
    assert "Trained on a surrogate of the ELBO, apart: beta 0.5; KL of z times 3.\n" in table
    assert (
        "Trained with --crop random:4 --normalise standard.\nThe numbers are densities of the norm" in table
    )
    assert "Trained with 2 draws of the latents a sequence.\n" in table
    train = ("train", *words[1:], *said, *made, "--epochs", "3", "--batch", "4", "-o", str(out / "one"))
    assert dvaec_command(*train).exit_code == 0
    one, other = (json.loads((out / run / "card.json").read_text()) for run in ("one", "apart/0"))
    assert one["run"]["metrics"] == other["run"]["metrics"]


def test_what_cannot_draw_is_said_before_anything_is_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    done = compare(*material(tmp_path), "--pictures", "-o", tmp_path / "out")
    assert done.exit_code == 1
    assert "pip install 'dvaec[pictures]'" in done.output
    assert not (tmp_path / "out").exists()
