"""`draw --highlight`: what is painted is what `explain` says, no more and no less."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from dvaec.derive.answers import Explanation
from dvaec.derive.derivation import derive
from dvaec.derive.explain import explain
from dvaec.derive.question import parse_question
from dvaec.emit.diagram import ZERO, Diagram, Mark, Place, Tone
from dvaec.emit.diagram_dot import dot_source
from dvaec.emit.diagram_highlight import TooLongError, highlighted
from dvaec.spec.model import Role
from dvaec.spec.read import read_text
from tests.shipped import SHIPPED, shipped

ANSWERS = {Tone.ACTIVE, Tone.OPENS, Tone.BLOCKED}


def _drawn(name: str, question: str) -> tuple[Explanation, Diagram]:
    spec = shipped(name)
    derivation = derive(spec)
    answer = explain(spec, derivation, parse_question(question, spec))
    return answer, highlighted(spec, derivation, answer)


def _painted(picture: Diagram, tone: Tone) -> set[tuple[tuple[str, int | None], tuple[str, int | None]]]:
    return {
        ((a.source.name, a.source.frame), (a.target.name, a.target.frame))
        for a in picture.arrows
        if a.tone is tone
    }


def _marked(picture: Diagram, mark: Mark) -> set[Place]:
    return {place for place, found in picture.marks if found is mark}


def test_an_active_path_is_painted() -> None:
    _, picture = _drawn("dkf", "z_t <- x_<t+1>")
    assert _painted(picture, Tone.ACTIVE) == {(("z", 0), ("z", 1)), (("z", 1), ("x", 1))}
    assert _marked(picture, Mark.ASKED) == {Place("z", 0), Place("x", 1)}
    assert _marked(picture, Mark.BLOCKS) == set()
    assert picture.title[1:] == ("zₜ ← xₜ₊₁: yes",)


def test_what_blocks_is_painted() -> None:
    _, picture = _drawn("dkf", "z_t <- x_<t-1>")
    assert _painted(picture, Tone.BLOCKED) == {(("z", -1), ("z", 0))}
    assert _painted(picture, Tone.ACTIVE) == set()
    assert _marked(picture, Mark.BLOCKS) == {Place("z", -1)}
    assert "peripheries=2" in dot_source(picture)


def test_a_head_to_head_node_is_opened_from_below() -> None:
    page = "dvaec: 1\nmodel: M\nvariables:\n  x: {role: observed, dim: 2}\n  u: {role: input, dim: 1}\n  z: {role: latent, dim: 1}\n"
    spec = read_text(page + "generation: [z_t, 'x_t | z_t, u_t']\ninference: exact\n", "page.yaml")[0]
    derivation = derive(spec)
    answer = explain(spec, derivation, parse_question("z_t <- u_t", spec))
    picture = highlighted(spec, derivation, answer)
    assert _painted(picture, Tone.ACTIVE) == {(("z", 0), ("x", 0)), (("u", 0), ("x", 0))}


def test_the_picture_is_as_wide_as_the_trail() -> None:
    _, picture = _drawn("dkf", "z_t <- x_<t+4>")
    assert picture.slices == (-1, 0, 1, 2, 3, 4)
    with pytest.raises(TooLongError, match="spans 32 frames"):
        _drawn("dkf", "z_t <- x_<t+30>")


def test_single_frames_are_shown_in_the_whole_network() -> None:
    answer, picture = _drawn("dssm", "z_0 <- x_2")
    assert picture.unrolled
    assert len(picture.slices) == answer.findings[0].frames
    way = [("z", ZERO), ("z", 1), ("z", 2), ("x", 2)]
    assert _painted(picture, Tone.ACTIVE) == set(pairwise(way))


def test_an_independence_of_the_far_end_is_shown_at_t() -> None:
    _, picture = _drawn("dssm", "z_t <- z_0")
    assert not picture.unrolled
    assert _marked(picture, Mark.BLOCKS) == {Place("z", -1), Place("v", None)}
    assert _marked(picture, Mark.ASKED) == {Place("z", 0), Place("z", ZERO)}


def test_what_comes_later_in_the_order_is_said_in_the_title() -> None:
    _, picture = _drawn("dkf", "z_t <- z_<t+1>")
    assert picture.title[1:] == ("zₜ ← zₜ₊₁: no, it does not come earlier in q's order",)
    assert not {a.tone for a in picture.arrows} & ANSWERS


@pytest.mark.parametrize("name", [n for n in SHIPPED if shipped(n).latents])
def test_every_arrow_of_an_explanation_is_painted_for_every_pair(name: str) -> None:
    spec = shipped(name)
    for target in spec.latents:
        if not spec.variable(target).framed:
            continue
        for other in spec.variables:
            for frame in ("t-1", "t+1") if other.framed else ("",):
                asked = f"{other.name}_<{frame}>" if frame else other.name
                if other.role is Role.LATENT and asked == f"{target}_<t>":
                    continue
                answer, picture = _drawn(name, f"{target}_t <- {asked}")
                if any(f.frames is not None for f in answer.findings):
                    continue
                steps = {
                    ((s.tail.name, s.tail.offset), (s.head.name, s.head.offset))
                    for f in answer.findings
                    for s in (*f.trail, *(s for b in f.blocks for s in b.trail))
                }
                painted = {pair for tone in ANSWERS for pair in _painted(picture, tone)}
                opened = _painted(picture, Tone.OPENS)
                assert painted - opened <= steps <= painted
                assert bool(answer.findings) == bool(picture.marks)


def test_the_command_paints_or_refuses(tmp_path: Path) -> None:
    from typer.testing import CliRunner

    from dvaec.cli.app import app

    out = str(tmp_path / "why.dot")
    page = str(Path(__file__).parent.parent / "specs" / "srnn.yaml")
    run = CliRunner()
    done = run.invoke(app, ["draw", page, "--highlight", "z_t <- x_<t+1>", "-o", out])
    assert done.exit_code == 0
    assert "zₜ ← xₜ₊₁: yes" in Path(out).read_text(encoding="utf-8")
    for more in (["--inference"], ["--developed"], ["--unrolled", "3"]):
        assert run.invoke(app, ["draw", page, "--highlight", "z_t <- x_t", *more]).exit_code == 2
