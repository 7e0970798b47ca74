"""The command line from outside: exit statuses, what is printed where, and that no traceback ever shows."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.program import ROOT, dvaec

SPECS = sorted((ROOT / "specs").glob("*.yaml"))


@pytest.fixture
def srnn() -> str:
    return str(ROOT / "specs" / "srnn.yaml")


def test_check_finds_no_fault_in_the_shipped_specs_and_is_silent_about_exact_ones() -> None:
    done = dvaec("check", *map(str, SPECS))
    assert (done.returncode, done.stdout) == (0, "")
    heads = [line for line in done.stderr.splitlines() if line.startswith(str(ROOT))]
    assert heads, "the review's VRNN is a filter"
    assert all(re.search(r": (warning|note)\[DV\d+\]: ", line) for line in heads)
    exact = [path for path in SPECS if "inference: exact" in path.read_text(encoding="utf-8")]
    assert not [line for line in heads for path in exact if line.startswith(f"{path}:") and "warning" in line]
    assert f"{ROOT / 'specs' / 'vrnn.yaml'}:16:5: warning[DV220]" in done.stderr
    assert "srnn.yaml" not in done.stderr


def test_check_shows_every_fault_of_every_file_sorted_and_without_colour(tmp_path: Path, srnn: str) -> None:
    text = Path(srnn).read_text()
    (tmp_path / "b.yaml").write_text(
        text.replace("x_t | z_t, x_<<t>", "x_t | z_t, w_t").replace("role: latent", "role: latnt")
    )
    (tmp_path / "a.yaml").write_text(text.replace("dim: 88", "dims: 88"))
    done = dvaec("check", "b.yaml", srnn, "a.yaml", cwd=tmp_path)
    assert done.returncode == 1
    heads = [line for line in done.stderr.splitlines() if ": error[DV" in line]
    assert [h.split(":")[0] for h in heads] == sorted(h.split(":")[0] for h in heads)
    assert {h.split(":")[0] for h in heads} == {"a.yaml", "b.yaml"}
    assert "did you mean 'dim'?" in done.stderr
    assert "^" in done.stderr
    assert "\x1b" not in done.stderr


def test_check_takes_the_page_as_it_stands_with_set(tmp_path: Path, srnn: str) -> None:
    (tmp_path / "a.yaml").write_text(Path(srnn).read_text().replace("dim: 88", "dim: 0"))
    assert dvaec("check", "a.yaml", cwd=tmp_path).returncode == 1
    assert dvaec("check", "a.yaml", "--set", "x.dim=5", cwd=tmp_path).returncode == 0
    done = dvaec("check", srnn, "a.yaml", "--set", "x.dim=0", cwd=tmp_path)
    assert (done.returncode, done.stderr.count("--set x.dim=0:1:7: error[DV022]")) == (1, 1)


def test_check_compares_the_developed_form_with_the_declared_one(tmp_path: Path, srnn: str) -> None:
    page = tmp_path / "less.yaml"
    page.write_text(Path(srnn).read_text().replace('p(x_t): {reads: "z_t, h_t"', "p(x_t): {reads: z_t"))
    done = dvaec("check", str(page))
    assert done.returncode == 1
    assert "error[DV210]" in done.stderr


GARBAGE = {
    "binary": bytes(range(256)) * 9,
    "nul": b"model: \x00",
    "unclosed": b"variables: [x",
    "empty": b"",
    "list": b"- 1\n- 2\n",
    "deep": b"[" * 5000,
    "alias": b"a: &a [1]\nb: *a\n",
    "tag": b"!!python/object:os.system {}\n",
    "utf16": "dvaec: 1".encode("utf-16"),
    "keys": b"dvaec: 1\nmodel: [1]\nvariables: 3\ngeneration: {z: 1}\n",
}


@pytest.mark.parametrize("name", sorted(GARBAGE))
@pytest.mark.parametrize("command", ["check", "derive", "draw"])
def test_garbage_is_a_fault_of_the_page(tmp_path: Path, name: str, command: str) -> None:
    page = tmp_path / f"{name}.yaml"
    page.write_bytes(GARBAGE[name])
    done = dvaec(command, page.name, cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    assert f"{page.name}:" in done.stderr
    assert "error[DV" in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("command", [("check",), ("derive",), ("draw",), ("compile",), ("explain",)])
@pytest.mark.parametrize("place", ["missing.yaml", "."])
def test_a_missing_file_and_a_folder_are_faults(tmp_path: Path, command: tuple[str, ...], place: str) -> None:
    words = [*command, place] + (["z_t <- x_t"] if command == ("explain",) else [])
    done = dvaec(*words, cwd=tmp_path)
    assert done.returncode == 1
    assert "error[DV001]" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("frobnicate",),
        ("draw",),
        ("check",),
        ("draw", "specs/srnn.yaml", "-o", "picture.gif"),
        ("draw", "specs/srnn.yaml", "--compact", "--developed"),
        ("draw", "specs/srnn.yaml", "--slices", "2", "--unrolled", "3"),
        ("draw", "specs/srnn.yaml", "--slices", "0"),
        ("compile", "specs/srnn.yaml", "--emit", "pln"),
        ("compile", "specs/srnn.yaml", "-o", ""),
        ("report", "specs/srnn.yaml", "-o", "page.txt"),
        ("train", "specs/srnn.yaml", "--data", "sines", "-o", ""),
        ("derive", "specs/srnn.yaml", "--format", "html"),
        ("derive", "specs/srnn.yaml", "--horizon", "0"),
        ("derive", "specs/srnn.yaml", "--horizon", "2", "--format", "latex"),
        ("new", "mine"),
    ],
)
def test_wrong_usage_has_status_2(words: tuple[str, ...]) -> None:
    done = dvaec(*words)
    assert done.returncode == 2
    assert "Error" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_fault_of_ours_has_status_3_and_a_traceback_only_on_request(tmp_path: Path, srnn: str) -> None:
    broken = (
        "import sys\nimport dvaec.spec.read as r\n"
        "def read_spec(*_):\n    raise KeyError('lost')\n"
        "import dvaec.compiler as c\nc.read_spec = read_spec\n"
        "from dvaec.cli.app import main\nmain()\n"
    )
    program = tmp_path / "broken.py"
    program.write_text(broken)
    for debug, there in (({}, False), ({"DVAEC_DEBUG": "1"}, True)):
        done = subprocess.run(
            [sys.executable, str(program), "check", srnn],
            env={**os.environ, "PYTHONPATH": str(ROOT), **debug},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 3
        assert "internal error: KeyError: 'lost'" in done.stderr
        assert "report" in done.stderr
        assert ("Traceback" in done.stderr) is there


def test_a_reader_that_leaves_early_is_no_fault(srnn: str) -> None:
    program = subprocess.Popen(
        [sys.executable, "-m", "dvaec", "derive", srnn],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert program.stdout is not None
    assert program.stderr is not None
    program.stdout.close()
    error = program.stderr.read().decode()
    program.stderr.close()
    program.wait(60)
    assert error == ""


def test_an_interrupt_has_status_130_and_no_traceback(tmp_path: Path) -> None:
    fifo = tmp_path / "page.yaml"
    os.mkfifo(fifo)
    program = subprocess.Popen(
        [sys.executable, "-m", "dvaec", "check", str(fifo)],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        preexec_fn=_heeds_interrupts,
    )  # fmt: skip
    with fifo.open("wb"):  # opens when the program has begun to read
        time.sleep(0.5)  # a signal between its open and its read is noticed behind the read only
        program.send_signal(signal.SIGINT)
        _out, error = program.communicate(timeout=60)
    assert program.returncode == 130
    assert b"Traceback" not in error


def _heeds_interrupts() -> None:
    """What a shell starts in the background ignores them, and so does all that it starts."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def test_derive_at_a_horizon_prints_concrete_sets() -> None:
    done = dvaec("derive", "specs/dkf.yaml", "--horizon", "3", "--format", "json")
    assert done.returncode == 0
    assert json.loads(done.stdout) == {
        "posterior": {
            "z_1": ["u_1", "u_2", "u_3", "x_1", "x_2", "x_3"],
            "z_2": ["u_2", "u_3", "x_2", "x_3", "z_1"],
            "z_3": ["u_3", "x_3", "z_2"],
        }
    }
    text = dvaec("derive", "specs/dkf.yaml", "--horizon", "3").stdout.splitlines()
    assert text[2] == "z_3 | u_3, x_3, z_2"
    far = dvaec("derive", "specs/dkf.yaml", "--horizon", "100000")
    assert far.returncode == 1
    assert "at most" in far.stderr


@pytest.mark.parametrize("form", ["text", "latex", "json"])
def test_derive_prints_each_format(form: str, srnn: str) -> None:
    done = dvaec("derive", srnn, "--format", form)
    assert done.returncode == 0
    assert done.stderr == ""
    assert {"text": "Exact posterior", "latex": r"\documentclass", "json": '"posterior"'}[form] in done.stdout
    if form == "json":
        assert json.loads(done.stdout)


def test_output_that_cannot_show_unicode_is_no_fault(srnn: str) -> None:
    done = dvaec("derive", srnn, PYTHONUTF8="0", PYTHONIOENCODING="ascii")
    assert done.returncode == 0
    assert "Exact posterior" in done.stdout


def test_explain_says_yes_and_no_and_where() -> None:
    yes = dvaec("explain", "specs/dkf.yaml", "z_t <- x_<t+1>")
    no = dvaec("explain", "specs/dkf.yaml", "z_t <- x_<t-1>")
    assert (yes.returncode, no.returncode) == (0, 0)
    assert yes.stdout.startswith("yes")
    assert no.stdout.startswith("no")
    assert "specs/dkf.yaml:" in yes.stdout
    wrong = dvaec("explain", "specs/dkf.yaml", "z_t <- w_t")
    assert wrong.returncode == 1
    assert "question:1:8: error[DV060]" in wrong.stderr


def test_draw_names_its_picture(tmp_path: Path, srnn: str) -> None:
    for flags, form in (((), "developed"), (("--compact",), "compact"), (("--inference",), "inference"),
                        (("--inference", "--compact"), "inference-compact")):  # fmt: skip
        done = dvaec("draw", srnn, *flags, cwd=tmp_path)
        assert (done.returncode, done.stdout, done.stderr) == (0, f"srnn-{form}.svg\n", "")
        assert (tmp_path / f"srnn-{form}.svg").read_text(encoding="utf-8").startswith("<?xml")
    lost = dvaec("draw", srnn, "-o", "nowhere/a.svg", cwd=tmp_path)
    assert lost.returncode == 1
    assert "nowhere/a.svg: No such file or directory" in lost.stderr


def test_compile_writes_all_products_and_nothing_else(tmp_path: Path, srnn: str) -> None:
    done = dvaec("compile", srnn, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    folder = tmp_path / "generated" / "srnn"
    printed = [tmp_path / line for line in done.stdout.splitlines()]
    assert sorted(printed) == sorted(folder.iterdir())
    names = {"model.py", "elbo.tex", "plan.txt", "compact.dot", "developed.dot", "inference.dot"}
    assert {p.name for p in folder.iterdir()} == names | {"inference-compact.dot", "srnn.pt"}
    assert [p.name for p in (tmp_path / "generated").iterdir()] == ["srnn"]
    # Torch itself writes the constants of an LSTM into an archive in an order that changes from run to run.
    before = {p.name: p.read_bytes() for p in folder.iterdir() if p.suffix != ".pt"}
    assert dvaec("compile", srnn, cwd=tmp_path).returncode == 0
    assert {p.name: p.read_bytes() for p in folder.iterdir() if p.suffix != ".pt"} == before


@pytest.mark.parametrize(
    ("stage", "line"),
    [
        ("spec", "  name: SRNN"),
        ("network", "    z_t | x_<<t>, z_<t-1>"),
        ("posterior", "      conditional: z_t | x_<1:T>, z_<t-1>"),
        ("inference", "z_t | x_<1:T>, z_<t-1>"),
        ("elbo", "      estimator: analytic"),
        ("development", "  name: SRNN"),
        ("plan", "elbo: the evidence lower bound"),
        ("module", "import torch"),
    ],
)
def test_emit_prints_each_stage(stage: str, line: str, srnn: str) -> None:
    done = dvaec("compile", srnn, "--emit", stage)
    assert done.returncode == 0
    assert line in done.stdout.splitlines()


def test_overrides_reach_the_page(srnn: str) -> None:
    done = dvaec("compile", srnn, "--set", "x.dim=513", "--emit", "spec")
    assert "      dim: 513" in done.stdout.splitlines()
    wrong = dvaec("derive", srnn, "--set", "x.dimm=513")
    assert wrong.returncode == 1
    assert "did you mean 'dim'?" in wrong.stderr


def test_new_copies_a_shipped_spec_once(tmp_path: Path) -> None:
    done = dvaec("new", "mine", "--from", "srnn", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "mine.yaml\n")
    assert "model: mine\n" in (tmp_path / "mine.yaml").read_text(encoding="utf-8")
    assert dvaec("check", "mine.yaml", cwd=tmp_path).returncode == 0
    again = dvaec("new", "mine", "--from", "srnn", cwd=tmp_path)
    assert again.returncode == 1
    assert "mine.yaml exists already" in again.stderr
    unknown = dvaec("new", "other", "--from", "srn", cwd=tmp_path)
    assert unknown.returncode == 1
    assert "did you mean 'srnn'?" in unknown.stderr
    listed = dvaec("new", "--list", cwd=tmp_path).stdout.splitlines()
    assert [line.split()[0] for line in listed] == [p.stem for p in SPECS]


def test_what_new_writes_passes_check_whatever_the_name(tmp_path: Path) -> None:
    assert dvaec("new", "my-model", "--from", "dkf", cwd=tmp_path).stdout == "my-model.yaml\n"
    assert "model: my_model\n" in (tmp_path / "my-model.yaml").read_text(encoding="utf-8")
    assert dvaec("check", "my-model.yaml", cwd=tmp_path).returncode == 0
    for name in ("elbo", "class", "no", "null"):
        refused = dvaec("new", name, "--from", "srnn", cwd=tmp_path)
        assert refused.returncode == 1
        assert refused.stderr.startswith(f"error: '{name}' is no name for a model: ")
    assert [path.name for path in tmp_path.iterdir()] == ["my-model.yaml"]


def test_version_and_help() -> None:
    assert dvaec("--version").stdout.startswith("dvaec 0.")
    text = dvaec("--help").stdout
    for command in (
        "check",
        "derive",
        "explain",
        "draw",
        "diff",
        "fmt",
        "compile",
        "new",
        "train",
        "evaluate",
    ):
        assert f"\n  {command} " in text
    assert "dvaec explain specs/dkf.yaml 'z_t <- x_<t+1>'" in dvaec("explain", "--help").stdout


@pytest.mark.parametrize(
    ("words", "never"),
    [
        (["check", *map(str, SPECS)], ["torch", "sympy", "pygraphviz", "jinja2", "numpy", "rich"]),
        (
            ["explain", "specs/dkf.yaml", "z_t <- x_<t+1>"],
            ["torch", "sympy", "pygraphviz", "jinja2", "numpy", "rich"],
        ),
        (["draw", "specs/vrnn.yaml", "-o", "{tmp}/a.svg"], ["torch", "sympy", "jinja2", "numpy", "rich"]),
        (["derive", "specs/vrnn.yaml"], ["torch", "pygraphviz", "numpy", "rich"]),
        (["fmt", "--check", "specs/vrnn.yaml"], ["torch", "sympy", "pygraphviz", "jinja2", "numpy", "rich"]),
        (
            ["diff", "specs/vrnn.yaml", "specs/vrnn.yaml"],
            ["torch", "sympy", "pygraphviz", "jinja2", "numpy", "rich"],
        ),
        (["new", "--list"], ["torch", "sympy", "pygraphviz", "jinja2", "numpy", "rich"]),
    ],
    ids=lambda value: value[0],
)
def test_each_command_loads_only_what_it_needs(words: list[str], never: list[str], tmp_path: Path) -> None:
    watcher = (
        "import atexit, sys\n"
        f"never = {never!r}\n"
        "atexit.register(lambda: sys.stderr.write(repr([n for n in never if n in sys.modules])))\n"
        "from dvaec.cli.app import main\nmain()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", watcher, *(w.format(tmp=tmp_path) for w in words)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0
    assert done.stderr.splitlines()[-1] == "[]"
