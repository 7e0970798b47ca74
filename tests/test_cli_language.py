"""The commands on pages of the whole language: sequence level, single frames, sweeps, q by keywords."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.program import dvaec

HEAD = """dvaec: 1
model: M
variables:
  x: {role: observed, dim: 3}
  z: {role: latent, dim: 2}
"""
SEQUENCE = (
    HEAD
    + "  v: {role: latent, dim: 2}\ngeneration: [v, 'z_t | z_<<t>', 'x_t | z_t, v']\n"
    + "inference: ['v | x_<1:T>', 'z_t | v, x_<1:T>']\n"
)
ZERO = HEAD + "generation: [z_0, 'z_t | z_<t-1>', 'x_t | z_t']\ninference: exact\n"
CHAIN = HEAD + "generation: ['z_t | z_<t-1>', 'x_t | z_t']\n"


@pytest.fixture
def page(tmp_path: Path) -> Path:
    return tmp_path / "page.yaml"


def _derived(page: Path, text: str) -> str:
    page.write_text(text, encoding="utf-8")
    done = dvaec("derive", str(page))
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_check_warns_of_a_q_that_cannot_be_exact_and_leaves_with_status_0(page: Path) -> None:
    page.write_text(SEQUENCE, encoding="utf-8")
    done = dvaec("check", str(page))
    assert (done.returncode, done.stdout) == (0, "")
    assert ":8:28: warning[DV220]: q(z_t) cannot be the exact posterior" in done.stderr
    assert "z_<<t> (golden)" in done.stderr
    assert "q(v)" not in done.stderr


def test_check_warns_of_links_that_tell_q_nothing(page: Path) -> None:
    page.write_text(CHAIN + "inference: ['z_t | z_<t-1>, x_<1:T>']\n", encoding="utf-8")
    done = dvaec("check", str(page))
    assert done.returncode == 0
    assert "warning[DV221]: q(z_t) learns nothing from x_<<t>" in done.stderr
    assert "DV220" not in done.stderr


@pytest.mark.parametrize("inference", ["exact", "filtering", "{lookahead: 2}", "mean_field"])
def test_check_is_silent_about_a_q_by_keyword(page: Path, inference: str) -> None:
    page.write_text(CHAIN + f"inference: {inference}\n", encoding="utf-8")
    done = dvaec("check", str(page))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_fault_beside_a_warning_is_still_a_fault(page: Path, tmp_path: Path) -> None:
    page.write_text(SEQUENCE, encoding="utf-8")
    other = tmp_path / "wrong.yaml"
    other.write_text(ZERO.replace("latent", "latnt"), encoding="utf-8")
    done = dvaec("check", str(page), str(other))
    assert done.returncode == 1
    assert "warning[DV220]" in done.stderr
    assert "error[DV" in done.stderr


def test_a_model_of_independent_frames_is_noted(page: Path) -> None:
    page.write_text(HEAD + "generation: [z_t, 'x_t | z_t']\ninference: exact\n", encoding="utf-8")
    done = dvaec("check", str(page))
    assert done.returncode == 0
    assert "note[DV104]: nothing links the frames" in done.stderr


@pytest.mark.parametrize(
    ("inference", "words"),
    [
        ("filtering", "the page asks for filtering: what lies in the future is left out by choice"),
        (
            "{lookahead: 2}",
            "the page asks for a look-ahead of 2: what lies further in the future is left out",
        ),
        ("mean_field", "the page asks for mean field: the other latents are left out by choice"),
    ],
)
def test_derive_says_what_a_keyword_leaves_out(page: Path, inference: str, words: str) -> None:
    text = _derived(page, CHAIN + f"inference: {inference}\n")
    assert words in text
    assert "golden (in the exact posterior, not in q)" in text


def test_derive_prints_the_order_and_every_factor(page: Path) -> None:
    text = _derived(page, SEQUENCE)
    assert "by the chain rule along v; then z forward in time" in text
    assert "v: holds for every T: what links v to its evidence is z, at all frames" in text
    assert "v  q has the exact posterior's structure" in text
    assert "zₜ  golden (in the exact posterior, not in q): z₁:ₜ₋₁" in text
    assert "zₜ  silver (in q, not in the exact posterior): x₁:ₜ₋₁" in text
    backward = CHAIN.replace("generation", "order: [{backward: z}]\ngeneration") + "inference: exact\n"
    assert "by the chain rule along z backward in time" in _derived(page, backward)
    assert "redundant (tells nothing, given the rest of what q reads): x₁:ₜ₋₁" in _derived(
        page, CHAIN + "inference: ['z_t | z_<t-1>, x_<1:T>']\n"
    )


def test_derive_prints_frame_zero(page: Path) -> None:
    text = _derived(page, ZERO)
    assert "p(z₀:ᴛ | x₁:ᴛ) = p(z₀ | x₁:ᴛ) ∏ₜ p(zₜ | zₜ₋₁, xₜ:ᴛ)" in text
    assert "z₀  q has the exact posterior's structure" in text
    assert "z_0: " in text or "z₀: " in text


def test_a_keyword_beside_a_conditional_of_its_own(page: Path) -> None:
    mixed = (
        SEQUENCE.replace("'z_t | v, x_<1:T>'", "").replace("['v |", "[filtering, 'v |").replace(", ]", "]")
    )
    text = _derived(page, mixed)
    assert "Inference model (declared: filtering; v by a conditional of its own)" in text
    assert dvaec("check", str(page)).stderr == ""


def test_json_names_single_frames_and_sweeps(page: Path) -> None:
    page.write_text(ZERO.replace("exact", "['z_0 | x_1', 'z_t | z_<t-1>, x_<t:T>']"), encoding="utf-8")
    derived = json.loads(dvaec("derive", str(page), "--format", "json").stdout)
    assert derived["sweeps"] == [{"latents": ["z"], "backward": False}]
    assert [(c["target"], c["frame"]) for c in derived["inference"]] == [("z", 0), ("z", None)]
    assert derived["inference"][0]["parents"] == [{"name": "x", "text": "x_1", "windows": None, "frame": "1"}]
    assert [p["text"] for p in derived["golden"]["z_0"]] == ["x_<2:T>"]
    assert derived["golden"]["z"] == derived["redundant"]["z"] == []


def test_a_horizon_prints_sequence_level_and_frame_zero(page: Path) -> None:
    page.write_text(SEQUENCE, encoding="utf-8")
    lines = dvaec("derive", str(page), "--horizon", "2").stdout.splitlines()
    assert lines == ["v   | x_1, x_2", "z_1 | v, x_1, x_2", "z_2 | v, x_2, z_1"]
    page.write_text(ZERO, encoding="utf-8")
    sets = json.loads(dvaec("derive", str(page), "--horizon", "2", "--format", "json").stdout)["posterior"]
    assert sets == {"z_0": ["x_1", "x_2"], "z_1": ["x_1", "x_2", "z_0"], "z_2": ["x_2", "z_1"]}


def test_explain_answers_about_sequences_and_single_frames(page: Path) -> None:
    page.write_text(SEQUENCE, encoding="utf-8")
    assert dvaec("explain", str(page), "v <- x_<1:T>").stdout.startswith("yes")
    assert dvaec("explain", str(page), "z_t <- x_<t-1>").stdout.startswith("no")
    page.write_text(ZERO, encoding="utf-8")
    assert dvaec("explain", str(page), "z_0 <- x_1").stdout.startswith("yes")


@pytest.mark.parametrize("text", [SEQUENCE, ZERO], ids=["sequence", "zero"])
def test_every_picture_and_the_plan_of_a_page(page: Path, tmp_path: Path, text: str) -> None:
    page.write_text(text, encoding="utf-8")
    for flags in ((), ("--compact",), ("--inference",), ("--inference", "--developed"), ("--developed",)):
        done = dvaec("draw", str(page), *flags, cwd=tmp_path)
        assert (done.returncode, done.stderr) == (0, "")
        assert (tmp_path / done.stdout.strip()).read_text(encoding="utf-8").startswith("<?xml")
    plan = dvaec("compile", str(page), "--emit", "plan")
    assert plan.returncode == 0
    assert ("q(v | x_{1:T}) =" if "v:" in text else "q(z_0 | x_{1:T}) =") in plan.stdout


def test_latex_prints_the_order_and_redundant_links(page: Path) -> None:
    page.write_text(CHAIN + "inference: ['z_t | z_<t-1>, x_<1:T>']\n", encoding="utf-8")
    text = dvaec("derive", str(page), "--format", "latex").stdout
    assert "by the chain rule along z forward in time" in text
    assert "redundant (tells nothing" in text
