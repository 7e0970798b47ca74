"""Lines of frame T: which line speaks where, in networks, in lines and in modules."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from dvaec.derive.derivation import derive
from dvaec.derive.elbo import elbo_terms
from dvaec.derive.explain import explain
from dvaec.derive.explain_text import explanation_text
from dvaec.derive.expression import Expectation
from dvaec.derive.model import Lengths
from dvaec.derive.question import parse_question
from dvaec.derive.steps import derivation_steps
from dvaec.emit.derivation_text import derivation_text
from dvaec.emit.equations import elbo_lines
from dvaec.emit.latex import formula_latex
from dvaec.emit.mathml import formula_mathml
from dvaec.network.numbered import last_windows
from dvaec.network.template import Template, template_of
from dvaec.spec import notation
from dvaec.spec.model import LAST, Inference, InferenceKind, Parent, Spec
from dvaec.spec.offsets import ALL, NOW, Offsets, of, window
from dvaec.spec.read import read_spec, read_text
from dvaec.testing.bounds import steps_are_the_bound
from dvaec.testing.built import build, sample_values
from dvaec.testing.oracles.nodes import dots
from dvaec.testing.oracles.prime_field import minimal_sets

REGRESSIONS = Path(__file__).parent / "regressions"
LENGTHS = torch.tensor([5, 3, 1])
PAGE = """
dvaec: 1
model: Last
variables:
  x: {role: observed, dim: 3}
  z: {role: latent, dim: 2}
  u: {role: input, dim: 2}
"""


def page(name: str) -> Spec:
    return read_spec(REGRESSIONS / f"{name}.yaml")[0]


def lines(spec: Spec) -> list[str]:
    """Return q's lines, in chain-rule order."""
    return [notation.line(q) for q in derive(spec).inference]


def test_the_line_of_frame_1_speaks_where_t_is_1() -> None:
    both, last = template_of(page("first_and_last_frames")), template_of(page("last_frame_of_the_generated"))

    def speaking(template: Template, t: int, frames: int) -> int | None:
        family = template.family("z", t, frames)
        assert family is not None
        return family.frame

    assert [speaking(both, t, 3) for t in range(4)] == [0, 1, None, LAST]
    assert [speaking(both, t, 1) for t in (0, 1)] == [0, 1]
    assert [speaking(last, 1, 1), speaking(last, 1, 2), speaking(last, 2, 2)] == [LAST, None, LAST]
    assert both.family("z") == both.families[0]


def test_sums_without_both_ends_are_written_as_such() -> None:
    spec = page("first_and_last_frames")
    lines = elbo_lines(spec, elbo_terms(spec, derive(spec).inference))
    assert any("sum_1<t<T " in one for one in lines)
    assert any("sum_t<T " in one for one in lines)


def _moved(name: str, head: str, method: str) -> torch.Tensor:
    """Return where z's parameters under q or p stop being numbers once the weights of `head` are none."""
    built = build(page(name))
    values = sample_values(built, 3, 5)
    with torch.no_grad():
        for key, weight in built.module.named_parameters():
            if key.startswith(head):
                weight.fill_(torch.nan)
    result = built.call(method, values, lengths=LENGTHS)
    parameters: torch.Tensor = getattr(result, f"{head.removesuffix('_last').removesuffix('_first')}_mean")
    return parameters.isnan().any(-1)


@pytest.mark.parametrize(
    ("name", "head", "alone"),
    [
        ("last_frame_of_the_generated", "q_z_last", True),  # at once
        ("last_frame_of_the_generated", "p_z_last", True),
        ("last_frame_in_a_loop", "q_z_last", True),
        ("first_and_last_frames", "q_a_last", True),
        ("first_and_last_frames", "q_z_last", False),
        ("first_and_last_frames", "p_z_last", False),
    ],
)
def test_the_network_of_frame_t_serves_each_sequences_own_last_frame(
    name: str, head: str, alone: bool
) -> None:
    """Given all values, it moves nothing else; nor frame 1 where T is 1, if that has a line of its own."""
    wanted = torch.zeros(3, 5, dtype=torch.bool)
    wanted[0, 4] = wanted[1, 2] = True
    wanted[2, 0] = alone
    assert torch.equal(_moved(name, head, "score"), wanted)


def test_frame_1_is_made_by_its_own_network_where_t_is_1() -> None:
    wanted = torch.zeros(3, 5, dtype=torch.bool)
    wanted[:, 0] = True
    assert torch.equal(_moved("first_and_last_frames", "q_z_first", "score"), wanted)


def test_a_prior_that_begins_at_frame_t_gives_q_a_line_there() -> None:
    generation = "causality: anticausal\ngeneration: ['z_T | u_T', 'z_t | z_<t+1>', 'x_t | z_t']\n"
    spec = read_text(PAGE + generation, "p")[0]
    assert lines(spec) == ["z_T | x_<1:T>, u_T", "z_t | x_<<=t>, z_<t+1>"]
    for word in ("filtering", "mean_field"):
        assert any(q.frame == LAST for q in derive(_saying(spec, word)).inference), word


def _saying(spec: Spec, word: str) -> Spec:
    return replace(spec, inference=Inference(InferenceKind(word)))


def test_the_sums_end_before_frame_t() -> None:
    spec = page("first_and_last_frames")
    terms = elbo_terms(spec, derive(spec).inference).terms
    found = {(t.target, t.frame): (t.first, t.left) for t in terms}
    assert found["z", None] == (2, 1)
    assert found["z", LAST] == (2, 1)  # there where T > 1 alone
    assert found["a", None] == found["a", LAST] == (1, 1)
    assert found["x", None] == (1, 1)


def test_a_term_of_frame_t_beside_one_of_frame_1_is_there_where_t_is_more_than_1() -> None:
    spec = page("last_frame_beside_a_first")
    derivation = derive(spec)
    elbo = elbo_terms(spec, derivation.inference)
    step = derivation_steps(spec, derivation.inference, elbo)[-1].expression
    assert steps_are_the_bound(spec, 1).compared
    text = derivation_text(spec, derivation, elbo)
    assert "− [T > 1] 𝔼[q(zᴛ₋₁, z₁ | x₁:ᴛ)] [ KL( q(zᴛ | z₁, xᴛ) ‖ p(zᴛ | zᴛ₋₁) ) ]" in text
    assert "q(zᴛ | z₁, xᴛ)^[T > 1]" in text
    assert r"[T > 1] \, \mathbb{E}" in formula_latex(spec, step)
    assert "<mo>&gt;</mo><mn>1</mn>" in formula_mathml(spec, step)
    assert any(line.startswith("- [T > 1] E_q[KL(q(z_T | ") for line in elbo_lines(spec, elbo))


def test_where_t_is_1_the_bound_has_a_term_with_the_lines_that_speak_there() -> None:
    spec = page("last_frame_by_its_number_alone")
    inference = derive(spec).inference
    elbo = elbo_terms(spec, inference)
    assert {one.key for one in elbo.terms if one.target == "z"} == {
        ("z", 1, Lengths.ONE),
        ("z", 1, Lengths.LONGER),
        ("z", None, Lengths.ANY),
        ("z", LAST, Lengths.LONGER),
    }
    text = derivation_text(spec, derive(spec), elbo)
    assert "− [T = 1] 𝔼[q(s₁ | x₁:ᴛ)] [ KL( q(zᴛ | s₁:ᴛ) ‖ p(z₁) ) ]" in text
    step = derivation_steps(spec, inference, elbo)[-1].expression
    assert r"[T = 1] \, \mathbb{E}" in formula_latex(spec, step)
    assert "<mi>T</mi><mo>=</mo><mn>1</mn>" in formula_mathml(spec, step)
    assert "- [T = 1] E_q[KL(q(z_T | s_{1:T}) || p(z_1))]" in elbo_lines(spec, elbo)
    assert steps_are_the_bound(spec, 1).compared


def test_what_frame_t_needs_of_a_sequence_of_one_frame_is_in_its_line() -> None:
    """w | z_1 tells of z_T where T is 1 alone, and there it must be read: z_1 has no line of its own."""
    text = PAGE.replace("  u:", "  w: {role: observed, dim: 2}\n  u:")
    text += "generation: ['z_t | u_t', 'x_t | z_t', 'w | z_1']\norder: [{backward: z}]\n"
    spec = read_text(text, "p")[0]
    template = template_of(spec)
    given = {"x": ALL, "w": None, "u": ALL}
    found = last_windows(template, "z", given).parents
    assert found == (Parent("x", None, LAST), Parent("w", None), Parent("u", None, LAST))
    assert minimal_sets(spec, 1)["z", 1] == {("x", 1), ("w", 0), ("u", 1)}
    assert minimal_sets(spec, 2)["z", 2] == {("x", 2), ("u", 2)}
    later = last_windows(template, "z", given, alone=False).parents
    assert later == (Parent("x", None, LAST), Parent("u", None, LAST))


def test_questions_about_frame_t_know_its_line() -> None:
    spec = page("last_frame_of_the_generated")
    derivation = derive(spec)
    for text, answer in (("z_T <- u_T", True), ("z_t <- u_T", False), ("z_T <- x_1", True)):
        found = explain(spec, derivation, parse_question(text, spec))
        assert found.answer is answer, text
        assert (found.used is not None) is answer, text
        assert found.golden is None, text


def read_here(text: str) -> Spec:
    return read_text(PAGE.replace("  u:", "  v: {role: latent, dim: 2}\n  u:") + text, "p")[0]


def test_terms_name_frame_t_and_those_before_it_from_there() -> None:
    """p(z_T) reads z_<T-1>, not the z_1 of a sequence of two frames; v comes ahead once, in no cycle."""
    spec = read_here(
        "generation: ['v', 'z_t | z_<t-1>, v', 'x_t | z_t, u_t']\n"
        "inference: ['z_T | x_<1:T>', 'v | z_T', 'z_t | z_<t-1>, z_T, v, x_t']\n"
    )
    found = {(t.target, t.frame): t for t in elbo_terms(spec, derive(spec).inference).terms}
    assert "p(z_T) reads v, which q draws from z_T (z_T -> v)" in found["z", LAST].reason
    assert "v -> z" not in found["z", LAST].schedule_reason
    alone = read_text(PAGE + ONE + "inference: ['z_T | x_<1:T>', 'z_t | z_<t-1>, z_T, x_t']\n", "p")[0]
    last = next(t for t in elbo_terms(alone, derive(alone).inference).terms if t.frame == LAST)
    assert "p(z_T) reads z_<T-1>, which q draws from z_T (z_T -> z_<T-1>)" in last.reason


ONE = "generation: ['z_t | z_<t-1>', 'x_t | z_t, u_t']\n"


def test_a_prior_that_reads_frame_t_is_said_to() -> None:
    text = "causality: noncausal\ngeneration: ['z_T', 'z_t | z_<t-1>, z_T', 'x_t | z_t, u_t']\n"
    spec = read_text(PAGE + text, "p")[0]
    reasons = [t.reason for t in elbo_terms(spec, derive(spec).inference).terms]
    assert any("p(z_t) reads z_T, which q draws from z_t (z_t -> z_T)" in reason for reason in reasons)


def test_a_mean_names_no_frame_twice() -> None:
    """p(z_T | z_0, a_T), where q's z_T reads z_<0:T-1> and a_<1:T>: a log-ratio is of z_T, too."""
    text = PAGE.replace("  u:", "  a: {role: latent, dim: 2}\n  u:") + "causality: noncausal\n"
    text += (
        "generation: ['a_t | a_<t-1>', z_0, 'z_T | z_0, a_T', 'z_t | z_<t-1>, z_T, a_t', 'x_t | z_t, u_1']\n"
    )
    spec = read_text(text, "p")[0]
    derivation = derive(spec)
    elbo = elbo_terms(spec, derivation.inference)
    means = derivation_steps(spec, derivation.inference, elbo)[-1].expression.atoms(Expectation)
    named = {str(one.ranges) for mean in means for one in mean.measure.of if "t" not in str(one.ranges)}
    assert named == {"((0, T, 1),)", "((1, T, 1),)"}, named


def answered(text: str, question: str) -> str:
    spec, source = read_text(PAGE + text, "p")
    return explanation_text(explain(spec, derive(spec), parse_question(question, spec)), source)


def test_frames_far_from_t_are_named_by_their_number() -> None:
    """q(z_T | z_1, x_<1:T>) does without x_1, which the line of frame 1 speaks of where T is 1."""
    q = "inference: ['z_1 | x_<1:T>', 'z_T | z_1, x_<1:T>', 'z_t | z_<t-1>, z_T, x_t']\n"
    told = answered(ONE + q, "z_T <- x_<1:T>")
    assert "it depends on x_<2:T> (" in told
    assert "q reads x_1, which the exact posterior does not read (silver)." in told
    assert answered(ONE + q, "z_T <- x_1").startswith("no: ")


def test_frame_1_is_frame_t_where_t_is_1_and_said_so() -> None:
    text = "causality: noncausal\ngeneration: ['z_T', 'z_t | z_<t-1>, z_T', 'x_t | z_t, u_t']\n"
    first, *_, last = answered(text, "z_T <- x_1").splitlines()
    assert (
        first == "yes: given everything else that z_T may read, it depends on x_1 (shown for T = 1), through"
    )
    assert last == "q reads x_1."


COUNTED = PAGE.replace("  z:", "  a: {role: latent, dim: 2}\n  z:") + "causality: noncausal\n"


def counted(read: str) -> str:
    return f'{COUNTED}generation: [a_0, a_t | a_<t-1>, "z_T | {read}", z_t | u_t, "x_t | z_t, a_t"]\n'


@pytest.mark.parametrize(
    ("read", "parents"),
    [
        ("u_<T-1>", (Parent("u", of(-1)),)),
        ("u_<T-2:T>", (Parent("u", of(-2, -1, 0)),)),
        ("u_<T-1>, u_T", (Parent("u", of(-1, 0)),)),
        ("u_<1:T-3>", (Parent("u", window(None, -3)),)),
        ("u_<1:T-1:2>", (Parent("u", window(None, -1, 2)),)),
        ("u_<1:T:2>", (Parent("u", window(None, 0, 2)),)),
        ("u_<T-5:T-1:3>", (Parent("u", of(-5, -2)),)),
        ("u_<T-0>", (Parent("u", None, LAST),)),
        ("u_<T:T>", (Parent("u", None, LAST),)),
        ("u_<1:T-1>, u_T", (Parent("u", ALL),)),
        ("u_<1:T>, u_1", (Parent("u", ALL),)),
        ("u_<T-2>, u_1", (Parent("u", of(-2)), Parent("u", None, 1))),
        ("a_<0:T-2>", (Parent("a", window(None, -2)),)),
        ("a_0, a_<T-1>", (Parent("a", of(-1)), Parent("a", None, 0))),
        ("z_<1:T-1>", (Parent("z", window(None, -1)),)),
    ],
)
def test_windows_of_frame_t_count_back_and_have_one_form(read: str, parents: tuple[Parent, ...]) -> None:
    spec = read_text(counted(read), "p")[0]
    (last,) = (c for c in spec.numbered if c.frame == LAST)
    assert last.parents == parents
    again = ", ".join(notation.parent(p, 0 if p.name == "a" else 1, LAST) for p in last.parents)
    assert read_text(counted(again), "p")[0] == spec


@pytest.mark.parametrize(
    ("offsets", "page", "mathematics", "small"),
    [
        (of(-1), "x_<T-1>", "x_{T-1}", "xᴛ₋₁"),
        (NOW, "x_T", "x_T", "xᴛ"),
        (window(None, -2), "x_<1:T-2>", "x_{1:T-2}", "x₁:ᴛ₋₂"),
        (window(None, -1, 2), "x_<1:T-1:2>", "x_{1:T-1:2}", "x₁:ᴛ₋₁:₂"),
        (of(-3, -2, 0), "x_<T-3:T-2>, x_T", "x_{T-3:T-2}, x_T", "xᴛ₋₃:ᴛ₋₂, xᴛ"),
        (ALL, "x_<1:T>", "x_{1:T}", "x₁:ᴛ"),
    ],
)
def test_windows_of_frame_t_are_printed_from_there(
    offsets: Offsets, page: str, mathematics: str, small: str
) -> None:
    assert notation.page("x", offsets, frame=LAST) == page
    assert notation.braces("x", offsets, frame=LAST) == mathematics
    assert notation.unicode_form("x", offsets, frame=LAST) == small


def test_a_forward_q_parts_frame_t_and_its_line_can_be_pasted() -> None:
    spec = page("counted_from_last_derived")
    derived = lines(spec)
    assert derived[-1] == "z_T | x_<1:T-2:3>, x_T, z_<T-1>, u_<T-1>"
    text = (REGRESSIONS / "counted_from_last_derived.yaml").read_text(encoding="utf-8")
    shown = [notation.line(q, zeros=spec.zero) for q in derive(spec).inference]
    again = read_text(text + f"inference: {shown!r}\n", "p")[0]
    assert derive(again).inference == derive(spec).inference


@pytest.mark.parametrize("name", ["counted_from_last", "counted_from_last_derived"])
def test_what_frame_t_needs_is_exact_at_every_length(name: str) -> None:
    """The windows are the least sets of the oracle, which knows the network's nodes alone."""
    spec = page(name)
    found = [f.conditional for f in derive(spec).posterior.factors if f.conditional.frame == LAST]
    assert found
    for one in found:
        for frames in (4, 5, 6, 7):
            wanted = minimal_sets(spec, frames)[one.target, frames]
            assert set(dots(spec, one.parents, frames, frames)) == wanted, (one.target, frames)


@pytest.mark.parametrize(
    ("text", "answer", "part"),
    [
        ("z_T <- z_<T-1>", True, of(-1)),
        ("z_T <- zᴛ₋₁", True, of(-1)),
        ("z_T <- x_<T-1>", False, of(-1)),
        ("z_T <- x_<T-2:T>", True, of(-2, -1, 0)),
        ("z_T <- x_<T-1>, x_T", True, of(-1, 0)),
        ("z_T <- z_<1:T-1>", True, window(None, -1)),
        ("z_T <- x_<1:T>", True, ALL),
    ],
)
def test_questions_about_frame_t_count_back(text: str, answer: bool, part: Offsets) -> None:
    spec = page("counted_from_last_by_networks")
    question = parse_question(text, spec)
    assert question.candidate.offsets == part
    assert explain(spec, derive(spec), question).answer is answer


def test_what_lacks_or_tells_nothing_at_frame_t_is_named_from_there() -> None:
    (last,) = (c for c in derive(page("counted_from_last")).comparisons if (c.target, c.frame) == ("z", LAST))
    assert notation.parents(last.golden, ("a",), LAST) == "a_T, u_<T-2>"
    assert notation.parents(last.redundant, ("a",), LAST) == "x_<T-1>, u_<1:T-3:2>"
