"""Questions about one arrow, and the words of the answers."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dvaec.derive.derivation import derive
from dvaec.derive.explain import explain
from dvaec.derive.explain_text import explanation_text
from dvaec.derive.question import Question, parse_question
from dvaec.diagnostics import Fault
from dvaec.spec.model import Parent, Spec
from dvaec.spec.offsets import of
from dvaec.spec.read import read_spec
from dvaec.spec.source import Source
from tests.models import DKF
from tests.strategies import specs

SPECS = Path(__file__).parent.parent / "specs"


def answered(model: str, question: str) -> list[str]:
    """Answer a question about a page of `specs/`."""
    spec, source = read_spec(SPECS / f"{model}.yaml")
    text = explanation_text(explain(spec, derive(spec), parse_question(question, spec)), source)
    return [line.replace(f"{SPECS}/", "") for line in text.splitlines()]


def test_a_dependence_shows_its_trail_and_the_page_s_lines() -> None:
    lines = answered("srnn", "z_t <- x_<t+1>")
    assert lines[0].startswith("yes: ")
    assert lines[1].strip() == "z_t → z_<t+1> → x_<t+1>"
    assert lines[2].split() == ["z_t", "→", "z_<t+1>", "srnn.yaml:12", "z_t", "|", "z_<t-1>,", "x_<<t>"]
    assert lines[3].split() == ["z_<t+1>", "→", "x_<t+1>", "srnn.yaml:13", "x_t", "|", "z_t,", "x_<<t>"]
    assert lines[4:] == ["q reads x_<t+1>."]


def test_an_open_collider_is_explained() -> None:
    lines = answered("dkf", "z_t <- u_<t+1>")
    assert lines[1].strip() == "z_t → z_<t+1> ← u_<t+1>"
    assert "x_<t+1> is given and follows from z_<t+1>" in lines[4]
    assert "x_t is given, which opens the collider" in answered("storn", "z_t <- z_<t-1>")[4]


def test_an_independence_names_what_blocks() -> None:
    lines = answered("dkf", "z_t <- x_<t-1>")
    assert lines[0].startswith("no: ")
    assert lines[2].strip() == "z_t ← z_<t-1>: z_<t-1> is given"
    assert len(lines) == 4


def test_a_run_of_blocking_frames_is_open() -> None:
    assert any("x_<1:t-2> is given" in line for line in answered("srnn", "z_t <- z_<t-2>"))


def test_a_window_is_answered_part_by_part() -> None:
    lines = answered("dkf", "z_t <- u_<1:T>")
    assert [line.partition(":")[0] for line in lines if not line.startswith(" ")] == [
        "yes",
        "no",
        "q reads u_<t",
    ]
    assert "u_<t:T> (shown for u_t)" in lines[0]


def test_a_long_trail_is_shortened() -> None:
    lines = answered("dkf", "z_t <- x_<t+300>")
    assert lines[1].strip().startswith("z_t → z_<t+1> → z_<t+2>")
    assert lines[1].endswith("... → z_<t+298> → z_<t+299> → z_<t+300> → x_<t+300>")
    assert len(lines) < 15


def test_what_is_too_large_to_be_shown_is_answered() -> None:
    lines = answered("vrnn", "z_t <- x_<t-1000>")
    assert lines[0] == "yes: given everything else that z_t may read, it depends on x_<t-1000>."
    assert "more frames than are searched" in lines[1]
    assert lines[2:] == ["q reads x_<t-1000>."]


def test_golden_and_later_parts_are_said() -> None:
    assert "q does not read x_<t+1:T>, which the exact posterior reads (golden)." in answered(
        "vrnn", "z_t <- x_<t:T>"
    )
    assert answered("vrnn", "z_t <- z_<t+1>")[0].startswith("no: z_<t+1> comes later in the chain-rule order")


@pytest.mark.parametrize(
    ("text", "code", "column", "hint"),
    [
        ("z_t x_t", "DV040", 1, "ask for example"),
        ("z_t <- y_t", "DV060", 8, "variables are x, z, u"),
        ("x_t <- z_t", "DV062", 1, "ask about z_t"),
        ("z_<t-1> <- x_t", "DV062", 1, "write z_t"),
        ("z_t <- x_<=t>", "DV041", 8, "did you mean x_<<=t>?"),
        ("z_t <- x", "DV052", 8, "write x_t"),
        ("z_t <- b_t", "DV061", 8, "variables are"),
        ("z_t <- x_3", "DV023", 8, "for example x_<t-1>"),
        ("", "DV040", 1, "ask for example"),
    ],
)
def test_faulty_questions_are_diagnosed(text: str, code: str, column: int, hint: str) -> None:
    with pytest.raises(Fault) as caught:
        parse_question(text, DKF)
    (diagnostic,) = caught.value.diagnostics
    assert (diagnostic.code, diagnostic.span.column) == (code, column)
    assert diagnostic.hint is not None
    assert hint in diagnostic.hint


def test_an_arrow_may_be_one_character() -> None:
    assert parse_question("z_t ← x_<t+1>", DKF) == parse_question("z_t <- x_<t+1>", DKF)


@given(specs(), st.integers(-4, 6), st.data())
def test_every_question_has_an_answer_that_agrees_with_the_posterior(
    spec: Spec, offset: int, data: st.DataObject
) -> None:
    derivation = derive(spec)
    target = data.draw(st.sampled_from(spec.latents))
    variable = data.draw(st.sampled_from(spec.variables))
    candidate = Parent(variable.name, of(offset) if variable.framed else None)
    explanation = explain(spec, derivation, Question(target, candidate))
    there = derivation.posterior.of(target).of(variable.name)
    expected = there is not None and (there.offsets is None or offset in there.offsets)
    assert explanation.answer == expected
    assert len(explanation.findings) + (explanation.later is not None) == 1
    for finding in explanation.findings:
        assert bool(finding.trail) == expected
    text = explanation_text(explanation, Source("page.yaml", {}, {"page.yaml": ""}))
    assert text.startswith("yes: " if expected else "no: ")
