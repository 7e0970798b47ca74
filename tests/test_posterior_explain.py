"""Questions about one arrow, and the words of the answers."""

from __future__ import annotations

from collections.abc import Callable
from math import lcm
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dvaec.derive.derivation import derive
from dvaec.derive.explain import explain
from dvaec.derive.explain_text import explanation_text
from dvaec.derive.question import Question, parse_question
from dvaec.diagnostics import Fault
from dvaec.network.separation import judge
from dvaec.network.template import evidence, template_of
from dvaec.network.unrolled import Node, unroll
from dvaec.spec import notation
from dvaec.spec.model import LAST, Conditional, InferenceKind, Parent, Role, Spec
from dvaec.spec.offsets import ALL, of, window
from dvaec.spec.read import read_spec, read_text
from dvaec.spec.source import Source
from dvaec.testing.strategies.conditionals import general_specs
from tests.models import DKF
from tests.strategies import specs

SPECS = Path(__file__).parent.parent / "specs"
REGRESSIONS = Path(__file__).parent / "regressions"


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
    assert "no network that is searched has it" in lines[1]
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


WHOLE = """dvaec: 1
model: WHOLE
variables:
  x: {role: observed, dim: 1}
  y: {role: observed, dim: 1}
  z: {role: latent, dim: 1}
  v: {role: latent, dim: 1}
  w: {role: latent, dim: 1}
  u: {role: input, dim: 1}
generation:
  - v
  - w
  - z_0
  - z_1 | z_0, u_1
  - z_t | z_<t-1>, v
  - x_t | z_t
  - y | w
inference: exact
"""


def told(question: str) -> list[str]:
    """Answer a question about a page with a sequence-level latent and a frame 0."""
    spec, source = read_text(WHOLE, "whole.yaml")
    return explanation_text(explain(spec, derive(spec), parse_question(question, spec)), source).splitlines()


def test_a_sequence_level_latent_is_asked_about_all_frames() -> None:
    lines = told("v <- x_<1:T>")
    assert lines[0].startswith(
        "yes: given everything else that v may read, it depends on x_<1:T> (shown for x_"
    )
    assert lines[-1] == "q reads x_<1:T>."
    lines = told("w <- x_<1:T>")
    assert lines[0].startswith("no: given the posterior's parents of w, x_<1:T> tells nothing more about it")
    assert lines[1].strip() == "Nothing in the model leads from w to x_1."
    assert told("w <- y")[0].startswith("yes: ")


def test_a_numbered_frame_shows_the_line_of_its_own() -> None:
    lines = told("z_0 <- u_1")
    assert lines[1].strip() == "z_0 → z_1 ← u_1"
    assert "z_1 | z_0, u_1" in lines[2]
    assert told("z_0 <- x_5")[0] == "yes: given everything else that z_0 may read, it depends on x_5, through"


def test_single_frames_are_answered_in_runs() -> None:
    lines = told("z_4 <- x_<1:T>")
    assert "it depends on x_<4:T> (shown for x_4, T = " in lines[0]
    assert any(line.startswith("no: ") and "x_<1:3> tells nothing more" in line for line in lines)
    assert told("z_4 <- z_<0:T>")[0].startswith(
        "yes: given everything else that z_4 may read, it depends on z_3"
    )


def test_what_comes_later_in_the_order_is_said() -> None:
    assert told("v <- z_3") == [
        "no: z_3 comes later in the chain-rule order than v; its factor may not read z_3."
    ]
    assert told("z_2 <- z_2") == ["no: z_2 is the target itself; its factor may not read z_2."]
    assert told("v <- w")[0].startswith("no: w comes later in the chain-rule order than v")


@pytest.mark.parametrize(
    ("text", "code", "column", "hint"),
    [
        ("v <- x_<t-1>", "DV023", 6, "x_<1:T>"),
        ("z_0 <- x_<t:T>", "DV023", 8, "name a frame"),
        ("z_t <- x_3", "DV023", 8, "z_5 <- x_1"),
        ("x_0 <- z_1", "DV062", 1, "ask about z_t or v or w"),
        ("z_1 <- x_0", "DV045", 8, "its frames are 1"),
        ("v_t <- x_1", "DV052", 1, "write v"),
        ("v_1 <- x_1", "DV052", 1, "write v"),
    ],
)
def test_questions_about_frames_that_are_not_there(text: str, code: str, column: int, hint: str) -> None:
    spec, _ = read_text(WHOLE, "whole.yaml")
    with pytest.raises(Fault) as caught:
        parse_question(text, spec)
    (diagnostic,) = caught.value.diagnostics
    assert (diagnostic.code, diagnostic.span.column) == (code, column)
    assert diagnostic.hint is not None
    assert hint in diagnostic.hint


@given(general_specs(kinds=(InferenceKind.EXACT,)), st.data())
def test_questions_about_single_frames_agree_with_long_networks(spec: Spec, data: st.DataObject) -> None:
    target = data.draw(st.sampled_from(spec.latents))
    variable, other = spec.variable(target), data.draw(st.sampled_from(spec.variables))
    frame = data.draw(st.sampled_from((variable.first, 1, 2, 3, LAST))) if variable.framed else None
    number = data.draw(st.sampled_from((other.first, 1, 2, 4, LAST))) if other.framed else None
    derivation = derive(spec)
    explanation = explain(spec, derivation, Question(target, Parent(other.name, None, number), frame))
    template, answers = template_of(spec), []
    near = max(number or 0, frame or 0) + template.lag + 2  # T is far from the frames with numbers
    for frames in range(near, near + 15):
        network = unroll(template, frames)
        at = Node(target, frames if frame == LAST else frame)
        node = Node(other.name, frames if number == LAST else number)
        given = network.given(at.frame, evidence(template, target, frame=at.frame))
        answers.append(node in judge(network, at, given))
    assert explanation.answer == any(answers)
    text = explanation_text(explanation, Source("page.yaml", {}, {"page.yaml": ""}))
    assert text.startswith("yes: " if explanation.answer else "no: ")
    assert other.role is not Role.INPUT or explanation.later is None


@given(general_specs(kinds=(InferenceKind.EXACT,)), st.data())
def test_questions_about_all_frames_name_each_of_them_once(spec: Spec, data: st.DataObject) -> None:
    target = data.draw(st.sampled_from([v.name for v in spec.variables if v.name in spec.latents]))
    framed = [v for v in spec.variables if v.framed]
    if spec.variable(target).framed or not framed:
        return
    name = data.draw(st.sampled_from(framed)).name
    explanation = explain(spec, derive(spec), Question(target, Parent(name, ALL)))
    parts = [finding.part for finding in explanation.findings] + [explanation.later]
    frames = [frame for part in parts if part is not None for frame in getattr(part, "frames", ())]
    assert len(frames) == len(set(frames)) > 0


LINKED = sorted((*SPECS.glob("*.yaml"), *REGRESSIONS.glob("*.yaml")))


def printed(
    spec: Spec, conditional: Conditional, form: Callable[[Parent, int, int | None], str]
) -> list[str]:
    """Return the links of a conditional as questions, in one of the forms in which links are printed."""
    variable = spec.variable(conditional.target)
    target = notation.target(conditional, variable.framed)
    if form is notation.parent_unicode and variable.framed:
        frame = conditional.frame
        target = variable.name + notation.lowered("t" if frame is None else notation.frame_word(frame))
    return [
        f"{target} <- {form(p, spec.variable(p.name).first, conditional.frame)}" for p in conditional.parents
    ]


@pytest.mark.parametrize("page", LINKED, ids=lambda page: page.stem)
def test_every_link_that_is_printed_can_be_asked_about(page: Path) -> None:
    spec, source = read_spec(page)
    derivation = derive(spec)
    posterior = tuple(factor.conditional for factor in derivation.posterior.factors)
    for conditional in (*posterior, *derivation.inference):
        for form in (notation.parent, notation.parent_unicode):
            for question in printed(spec, conditional, form):
                explanation = explain(spec, derivation, parse_question(question, spec))
                assert explanation_text(explanation, source)
                assert explanation.answer or conditional not in posterior, question
                assert explanation.used is not None or conditional in posterior, question


ENDS = """dvaec: 1
model: ENDS
variables:
  x: {role: observed, dim: 1}
  y: {role: observed, dim: 1}
  z: {role: latent, dim: 1}
generation: [z_t | z_<t-1>, "y | z_1, z_<T>", x_t | z_t]
inference: [z_t | z_<t-1>]
"""


def test_a_window_may_hold_a_last_frame_that_nothing_needs() -> None:
    """A bridge draws z_T first: no window of x can end before x_T, which z_T keeps from every other z_t."""
    page = Path(__file__).with_name("regressions") / "frame_t_ahead_by_networks.yaml"
    spec, source = read_spec(page)
    for question, answer in (("z_t <- x_T", "no:"), ("z_t <- z_T", "yes:")):
        found = explain(spec, derive(spec), parse_question(question, spec))
        assert explanation_text(found, source).startswith(answer)


def test_the_last_frame_of_a_sequence_is_named_so_behind_no_frame_t() -> None:
    page = Path(__file__).with_name("regressions") / "frame_1_toward_frame_t.yaml"
    spec, source = read_spec(page)
    text = explanation_text(explain(spec, derive(spec), parse_question("z_1 <- z_<1:T>", spec)), source)
    assert text.startswith("yes: given everything else that z_1 may read, it depends on z_T (shown for z_")
    assert "no: z_<2:T-1> comes later" in text
    assert text.endswith("q reads z_T.")


def test_the_first_and_the_last_frame_can_be_asked_about_from_frame_t() -> None:
    spec, source = read_text(ENDS, "ends.yaml")
    derivation = derive(spec)

    def answer(question: str) -> list[str]:
        return explanation_text(explain(spec, derivation, parse_question(question, spec)), source).split("\n")

    lines = answer("z_t <- z_1")
    assert lines[:2] == [
        "yes: given everything else that z_t may read, it depends on z_1 (shown for t = 3, T = 6), through",
        "  z_3 → z_4 → z_5 → z_6 → y ← z_1",
    ]
    assert lines[-1] == "q does not read z_1, which the exact posterior reads (golden)."
    assert answer("z_t <- x_1")[0].startswith("no: given the posterior's parents of z_t, x_1 tells nothing")
    assert answer("z_t <- x_T")[0].startswith("yes: ")
    assert answer("z_t <- z_T")[0].startswith("no: z_T comes later in the chain-rule order than z_t")
    assert answer("zₜ ← xₜ:ᴛ")[0].startswith("yes: ")


@given(general_specs(kinds=(InferenceKind.EXACT,)), st.data())
def test_what_frame_t_depends_on_at_the_ends_agrees_with_long_networks(
    spec: Spec, data: st.DataObject
) -> None:
    framed = [v for v in spec.variables if v.framed]
    latents = [v.name for v in framed if v.name in spec.latents]
    if not latents:
        return
    target, other = data.draw(st.sampled_from(latents)), data.draw(st.sampled_from(framed))
    number = data.draw(st.sampled_from((other.first, 1, LAST)))
    derivation, template = derive(spec), template_of(spec)
    explanation = explain(spec, derivation, Question(target, Parent(other.name, None, number)))
    proofs = [factor.proof for factor in derivation.posterior.factors]
    far, rests = max(p.searched for p in proofs) + template.lag + 2, range(lcm(*(p.period for p in proofs)))
    found = []
    amid = [(far + k, 2 * far + k + j) for k in rests for j in rests]
    if spec.frames is not None:  # the page's own T
        at = spec.frames if number == LAST else number
        amid = [(t, spec.frames) for t in range(1, spec.frames + 1) if t != at]
    for t, frames in amid:
        network = unroll(template, frames)
        given = network.given(t, evidence(template, target))
        node = Node(other.name, frames if number == LAST else number)
        found.append(node in judge(network, Node(target, t), given))
    assert explanation.answer or not any(found)
    shown = [finding.shown and finding.depends for finding in explanation.findings]
    assert any(shown) == any(found)


def test_what_check_calls_golden_is_explained() -> None:
    page = Path(__file__).parent / "bad" / "remark_golden.yaml"
    spec, source = read_spec(page)
    derivation = derive(spec)
    (comparison,) = (c for c in derivation.comparisons if c.golden)
    asked = [parse_question(f"z_t <- {notation.parent(one)}", spec) for one in comparison.golden]
    told = [explanation_text(explain(spec, derivation, one), source) for one in asked]
    assert "\n".join(told).replace(f"{page.parent}/", "").split("\n") == [
        "yes: given everything else that z_t may read, it depends on x_<t+1:T> (shown for x_<t+1>), through",
        "  z_t → z_<t+1> → x_<t+1>",
        '    z_t → z_<t+1>      remark_golden.yaml:7  generation: [v, "z_t | z_<t-1>, v", "x_t | z_t"]',
        '    z_<t+1> → x_<t+1>  remark_golden.yaml:7  generation: [v, "z_t | z_<t-1>, v", "x_t | z_t"]',
        "q does not read x_<t+1:T>, which the exact posterior reads (golden).",
        "yes: given everything else that z_t may read, it depends on v, through",
        "  z_t ← v",
        '    v → z_t  remark_golden.yaml:7  generation: [v, "z_t | z_<t-1>, v", "x_t | z_t"]',
        "q does not read v, which the exact posterior reads (golden).",
    ]


LESS = """dvaec: 1
model: M
variables:
  x: {role: observed, dim: 3}
  z: {role: latent, dim: 2}
generation: ["z_t | z_<t-1>", "x_t | z_t"]
states:
  b_t: {rnn: gru, units: 4, runs: backward, reads: x_<t-1>}
networks:
  q(z_t): {reads: "z_<t-1>, b_t"}
"""


@pytest.mark.parametrize(
    ("question", "last"),
    [
        ("z_t <- x_<t:T>", "But of 11 frames, q(z_1) to q(z_11) do not see x_11."),
        ("z_t <- x_T", "q does not read x_T, which the exact posterior reads (golden)."),
        ("z_2 <- x_T", "q does not read x_T, which the exact posterior reads (golden)."),
        ("z_2 <- x_1", "q reads x_1, which the exact posterior does not read (silver)."),
    ],
)
def test_what_networks_do_not_see_at_the_ends_is_not_read(question: str, last: str) -> None:
    spec, source = read_text(LESS, "page.yaml")
    found = explain(spec, derive(spec), parse_question(question, spec))
    assert explanation_text(found, source).splitlines()[-1] == last


def test_a_question_is_about_one_variable() -> None:
    assert parse_question("z_t <- x_<1:t-3>, x_t", DKF).candidate.offsets == window(None, -3) | of(0)
    for text in ("z_t <- x_t, u_t", "z_t <- x_t, x_1"):
        with pytest.raises(Fault, match="a question is about one link"):
            parse_question(text, DKF)


def test_frame_1_that_a_line_reads_by_its_number_is_named_by_it() -> None:
    page = """dvaec: 1
model: M
variables: {x: {role: observed, dim: 2}, z: {role: latent, dim: 2}}
generation: [z_t | z_<t-1>, "x_t | z_t, x_1", x_1 | z_1]
"""
    spec, source = read_text(page, "p.yaml")
    text = explanation_text(explain(spec, derive(spec), parse_question("z_t <- x_<<t>", spec)), source)
    assert "z_t ← z_<t-1>" in text
    assert "z_t → x_t ← x_1: x_1 is given" in text
