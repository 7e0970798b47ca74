"""Golden and silver against sets of frames: what q lacks at single frames of a sequence, and what it has beyond."""

from __future__ import annotations

import json
from collections.abc import Iterable

import pytest
from hypothesis import given

from dvaec.compiler import run_text
from dvaec.derive.compare import compare
from dvaec.derive.derivation import derive
from dvaec.derive.factors import by_key
from dvaec.emit.derivation_json import derivation_json
from dvaec.emit.derivation_text import derivation_text
from dvaec.emit.diagram import Form, Tone
from dvaec.emit.diagram_set import picture_of
from dvaec.spec import notation
from dvaec.spec.model import Parent, Spec
from dvaec.spec.read import read_text
from dvaec.testing.oracles.nodes import dots
from dvaec.testing.strategies import specs

FRAMES = 9
PAGE = """dvaec: 1
model: M
variables:
  x: {role: observed, dim: 2}
  z: {role: latent, dim: 2}
  v: {role: latent, dim: 2}
generation: [v, "z_t | z_<<t>, v", x_t | z_t]
inference:
  - v | x_1, x_T
  - z_t | z_<t-1>, z_1, x_T, x_<t:t+1>, v
"""


@given(specs())
def test_golden_and_silver_are_the_differences_at_every_frame_between_the_ends(spec: Spec) -> None:
    """No link is golden or silver that both have, single frames that q reads by their number included."""
    derivation = derive(spec)
    factors = by_key(derivation.inference)
    for one in derivation.comparisons if spec.swept and spec.frames is None else ():
        if one.frame is not None or not spec.variable(one.target).framed:
            continue
        exact, q = derivation.posterior.of(one.target), factors[one.target, None]
        finite = {
            p.name for p in one.golden if p.offsets is None or p.offsets.finite
        }  # q may see some at some t
        for t in range(3, FRAMES - 1):
            read, wanted = (set(dots(spec, some.parents, t, FRAMES)) for some in (q, exact))
            golden, but_for = (set(dots(spec, some, t, FRAMES)) for some in (one.golden, one.singles))
            silver = set(dots(spec, one.silver, t, FRAMES))
            lacking = {dot for dot in golden - but_for if dot[0] not in finite}
            assert lacking == {dot for dot in wanted - read if dot[0] not in finite}
            assert {dot for dot in wanted - read if dot[0] in finite} <= golden
            assert read - wanted <= silver <= read
            kept, some = (set(dots(spec, it, t, FRAMES)) for it in (one.kept, _some(one.silver)))
            assert silver - kept - some <= read - wanted


def _some(parents: Iterable[Parent]) -> list[Parent]:
    """Links that the other has at some t and not at others: single frames, and finite windows."""
    return [p for p in parents if p.offsets is None or p.offsets.finite]


def test_single_frames_that_q_reads_are_not_golden_and_not_silver_where_the_posterior_has_them() -> None:
    spec = read_text(PAGE, "page.yaml")[0]
    derivation = derive(spec)
    v, z = derivation.comparisons
    assert compare(spec, derivation.posterior, derivation.inference) == (v, z)
    assert (notation.parents(v.golden), notation.parents(v.singles)) == ("x_<1:T>", "x_1, x_T")
    assert notation.parents(z.golden) == "x_<t+2:T>, z_<1:t-2>"
    assert (notation.parents(z.singles), z.silver) == ("x_T, z_1", ())
    found = run_text(PAGE, "page.yaml", until="elbo")
    assert found.derivation is not None
    arrows = picture_of(spec, derivation, Form.INFERENCE_COMPACT).arrows
    tones = {tone: {(a.source, a.target) for a in arrows if a.tone is tone} for tone in Tone}
    assert not tones[Tone.GOLDEN] & tones[Tone.PLAIN]
    assert not tones[Tone.SILVER]


@pytest.mark.parametrize("last", ["x_T", "x_<t+2:T>"])
def test_the_derivation_says_which_single_frames_q_sees(last: str) -> None:
    text = run_text(PAGE.replace("x_T, x_<t:t+1>", f"{last}, x_<t:t+1>"), "page.yaml", until="elbo")
    assert text.derivation is not None
    (z,) = (one for one in text.derivation.comparisons if one.target == "z")
    assert {p.name for p in z.singles} == ({"z", "x"} if last == "x_T" else {"z"})


HEAD = """dvaec: 1
model: M
variables: {x: {role: observed, dim: 2}, z: {role: latent, dim: 2}LATENT}
"""


def printed(lines: str, shape: str = "text") -> str:
    latent = ", a: {role: latent, dim: 2}" if "| a_" in lines or "[z, a]" in lines else ""
    found = run_text(HEAD.replace("LATENT", latent) + lines, "page.yaml", until="elbo")
    assert found.derivation is not None
    assert found.elbo is not None
    if shape == "json":
        return json.dumps(derivation_json(found.spec, found.derivation, found.elbo))
    return derivation_text(found.spec, found.derivation, found.elbo)


def test_a_single_frame_within_silver_that_the_posterior_reads_is_named() -> None:
    text = printed("""generation: [z_t | z_<t-1>, "x_t | z_t, x_1", x_1 | z_1]
inference: ["z_t | z_<t-1>, x_<1:T>"]
""")
    assert "silver (in q, not in the exact posterior): x₁:ₜ₋₁" in text
    assert ", but for x₁, which that reads" in text


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        # z_25 reads z_24, z_21, ..., z_3, neither z_2 nor z_1: T modulo 3 decides whether z_2 needs it.
        (
            "generation: [z_t | z_<1:t-1:3>, x_t | z_t]\norder: [{backward: z}]\n",
            "for some T larger than needed at t = 1 to 2",
        ),
        # a_1 has no z before it, and is linked by x_5 to a_3, a_5, ... alone: t modulo 2 decides.
        (
            'generation: [z_t | z_<t-2>, a_t | z_<t-1>, "x_t | a_<t-2>, a_<t-4>"]\norder: [a, z]\n',
            "larger than needed at some t (a_1)",
        ),
    ],
)
def test_where_windows_are_larger_than_needed_is_said_of_every_residue(lines: str, words: str) -> None:
    assert words in printed(lines)


def test_windows_of_what_has_a_frame_0_begin_there_in_json_too() -> None:
    text = printed('generation: [z_0, z_t | z_<t-1>, a, "x_t | z_<t-1>, a"]\norder: [z, a]\n', "json")
    assert '"text": "z_<0:T>"' in text
    assert '"text": "z_<1:T>"' not in text


def test_an_open_window_of_the_posterior_that_holds_a_silver_frame_at_some_t_is_named() -> None:
    """x_T is in x_{t:T:2} where T - t is even: it is silver at the other frames alone."""
    text = printed("""generation: [z_t | z_<t-2>, x_t | z_t]
inference: ["z_t | z_<t-2>, x_<t:T:2>, x_T"]
""")
    assert "silver (in q, not in the exact posterior): xᴛ, but for xₜ:ᴛ:₂, which that reads" in text
    text = printed("""generation: [z_t, x_t | z_t]
inference: ["z_t | x_t, x_T"]
""")
    assert "silver (in q, not in the exact posterior): xᴛ\n" in text
