"""Lines of frame T: which line speaks where, in networks, in lines and in modules."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from dvaec.derive.derivation import derive
from dvaec.derive.elbo import elbo_terms
from dvaec.derive.explain import explain
from dvaec.derive.question import parse_question
from dvaec.network.numbered import last_windows
from dvaec.network.template import Template, template_of
from dvaec.spec import notation
from dvaec.spec.model import LAST, Inference, InferenceKind, Parent, Spec
from dvaec.spec.offsets import ALL
from dvaec.spec.read import read_spec, read_text
from dvaec.testing.built import build, sample_values
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
