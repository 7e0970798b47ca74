"""The picture of two models: what both have, what came, what went."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest

from dvaec.emit.diagram import PAST, Diagram, Form, Kind, Place, Tone
from dvaec.emit.diagram_changes import changes_diagram
from dvaec.emit.diagram_curves import at
from dvaec.emit.diagram_dot import dot_source
from dvaec.emit.diagram_layout import layout
from dvaec.emit.diagram_palette import LIGHT
from dvaec.emit.diagram_tikz import tikz_source
from dvaec.plan.comparing import comparable
from dvaec.spec.model import Spec
from dvaec.spec.read import read_text
from tests.program import dvaec
from tests.shipped import SHIPPED, shipped
from tests.test_changes import PAGE

BARE = PAGE[: PAGE.index("states:")]
PAIRS = [(one, other) for k, one in enumerate(SHIPPED) for other in SHIPPED[k + 1 :: 9]]


def drawn(a: str | Spec, b: str | Spec, inference: bool = False) -> Diagram:
    one, other = (read_text(x, "page")[0] if isinstance(x, str) else x for x in (a, b))
    return changes_diagram(*comparable(one, other), inference)


def of_tone(diagram: Diagram, tone: Tone) -> set[tuple[Place, Place]]:
    return {(a.source, a.target) for a in diagram.arrows if a.tone is tone}


def test_links_that_came_and_went_are_painted_and_the_others_plain() -> None:
    picture = drawn(BARE, BARE.replace("z_t | z_<t-1>, u_t", "z_t | z_<t-2>, u_t"))
    assert picture.form is Form.COMPACT
    z = {frame: Place("z", frame) for frame in (-1, 0, 1)} | {-2: Place("z", PAST)}
    assert of_tone(picture, Tone.REMOVED) == {(z[-1], z[0]), (z[0], z[1])}
    assert of_tone(picture, Tone.ADDED) == {(z[-2], z[0]), (z[-1], z[1])}
    plain = {(Place(a, f), Place(b, f)) for a, b in (("u", "z"), ("z", "x")) for f in (-1, 0, 1)}
    assert of_tone(picture, Tone.PLAIN) == plain | {(z[-2], z[-1])}
    assert [remark.text for remark in picture.legend[:2]] == [
        "added: in the second alone",
        "removed: in the first alone",
    ]
    assert picture.title == (
        "M, two versions compared",
        "generative model p in compact form",
        "−  p(x₁:ᴛ, z₁:ᴛ | u₁:ᴛ) = ∏ₜ p(zₜ | zₜ₋₁, uₜ) p(xₜ | zₜ)",
        "+  p(x₁:ᴛ, z₁:ᴛ | u₁:ᴛ) = ∏ₜ p(zₜ | zₜ₋₂, uₜ) p(xₜ | zₜ)",
    )


def test_the_inference_models_are_drawn_where_they_alone_differ_or_are_wanted() -> None:
    other = BARE.replace("exact", "filtering")
    picture = drawn(BARE, other)
    assert picture.form is Form.INFERENCE_COMPACT
    assert {(a.source.name, a.target.name) for a in picture.arrows if a.tone is Tone.REMOVED} == {
        ("x", "z"),
        ("u", "z"),
    }
    assert not of_tone(picture, Tone.ADDED) | of_tone(picture, Tone.GOLDEN) | of_tone(picture, Tone.SILVER)
    assert drawn(BARE, BARE).form is Form.COMPACT
    assert drawn(BARE, BARE, inference=True).form is Form.INFERENCE_COMPACT
    both = other.replace("x_t | z_t", "x_t | z_t, x_<t-1>")
    assert drawn(BARE, both).form is Form.COMPACT


def test_developed_forms_show_states_that_came_and_went() -> None:
    """SRNN's filtering q reads h_t and x_t where the smoothing one reads the backward state g_t."""
    one, other = comparable(shipped("srnn"), shipped("srnn_filtering"))
    picture = changes_diagram(one, other, developed=True)
    assert picture.form is Form.INFERENCE
    assert {r.name: r.tone for r in picture.rows} == {
        "z": Tone.PLAIN,
        "g": Tone.REMOVED,
        "h": Tone.PLAIN,
        "x": Tone.PLAIN,
    }
    assert {(a.source.name, a.target.name) for a in picture.arrows if a.tone is Tone.REMOVED} == {
        ("g", "g"),
        ("g", "z"),
        ("h", "g"),
        ("x", "g"),
    }
    assert {(a.source.name, a.target.name) for a in picture.arrows if a.tone is Tone.ADDED} == {
        ("h", "z"),
        ("x", "z"),
    }
    of_p = changes_diagram(*comparable(shipped("srnn"), shipped("vrnn")), developed=True)
    assert of_p.form is Form.DEVELOPED
    assert {r.name for r in of_p.rows if r.tone is Tone.ADDED} == {"fx", "fz"}


@pytest.mark.parametrize(("one", "other"), PAIRS[::5], ids=lambda name: name)
@pytest.mark.parametrize("inference", [False, True])
def test_any_two_developed_forms_are_drawn_without_golden_and_silver(
    one: str, other: str, inference: bool
) -> None:
    picture = changes_diagram(*comparable(shipped(one), shipped(other)), inference, developed=True)
    assert {a.tone for a in picture.arrows} <= {Tone.PLAIN, Tone.ADDED, Tone.REMOVED, Tone.AUXILIARY}
    assert len({row.name for row in picture.rows}) == len(picture.rows)
    assert tikz_source(picture).isascii()


def test_equal_models_have_a_plain_picture_that_says_so() -> None:
    picture = drawn(BARE, BARE.replace("z_<t-1>, u_t", "u_t, z_{t-1}"))
    assert {arrow.tone for arrow in picture.arrows} == {Tone.PLAIN}
    assert {row.tone for row in picture.rows} == {Tone.PLAIN}
    assert picture.legend[0].text == "the same links in both"
    assert len(picture.title) == 3


def test_a_variable_that_came_or_went_has_an_outline_of_its_tone() -> None:
    other = BARE.replace(", u_t", "").replace("  u: {role: input, dim: 1}\n", "")
    assert {r.name: r.tone for r in drawn(BARE, other).rows} == {
        "u": Tone.REMOVED,
        "z": Tone.PLAIN,
        "x": Tone.PLAIN,
    }
    assert drawn(other, BARE).row("u").tone is Tone.ADDED
    models = [read_text(text, "page")[0] for text in (other, BARE)]
    for tone, pair in ((Tone.ADDED, models), (Tone.REMOVED, models[::-1])):
        before, after = comparable(*pair)
        (node,) = (
            line for line in dot_source(changes_diagram(before, after)).splitlines() if 'label="uₜ"' in line
        )
        assert f'class="input {tone}-node" color="{LIGHT.tone(tone)}"' in node


def test_a_variable_of_another_level_or_role_stands_twice() -> None:
    """The input of every frame becomes a latent of the sequence."""
    other = (
        BARE.replace("u: {role: input", "u: {role: latent")
        .replace("u_t", "u")
        .replace("  - x_t", "  - u\n  - x_t")
    )
    picture = drawn(BARE, other)
    rows = {r.name: (r.kind, r.framed, r.tone, r.label) for r in picture.rows}
    assert rows["u"] == (Kind.LATENT, False, Tone.ADDED, "u")
    assert rows["u (before)"] == (Kind.INPUT, True, Tone.REMOVED, "uₜ")
    assert {a.source.name for a in picture.arrows if a.tone is Tone.REMOVED} == {"u (before)"}
    framed = [row.framed for row in picture.rows]
    assert framed == sorted(framed)


@pytest.mark.parametrize(("one", "other"), PAIRS, ids=lambda name: name)
def test_any_two_models_have_a_picture_of_exactly_both(one: str, other: str) -> None:
    a, b = shipped(one), shipped(other)
    forward, back = drawn(a, b), drawn(b, a)
    assert of_tone(forward, Tone.PLAIN) == of_tone(back, Tone.PLAIN)
    counts = [[len(of_tone(d, tone)) for tone in (Tone.ADDED, Tone.REMOVED)] for d in (forward, back)]
    assert counts[0] == counts[1][::-1]
    assert len({row.name for row in forward.rows}) == len(forward.rows)
    assert {p.name for a in forward.arrows for p in (a.source, a.target)} <= {r.name for r in forward.rows}
    framed = [row.framed for row in forward.rows]
    assert sum(x != y for x, y in pairwise(framed)) <= 2
    assert tikz_source(forward).isascii(), "every sign of the titles is turned into TeX"
    shapes = list(layout(forward).shapes.values())
    for k, shape in enumerate(shapes):
        for near in shapes[k + 1 :]:
            apart = abs(shape.centre[0] - near.centre[0]) + abs(shape.centre[1] - near.centre[1])
            assert apart > max(shape.radius, near.radius)


@pytest.mark.parametrize(("one", "other"), [("srnn", "vrnn"), ("ssm", "dkf"), ("kvae", "dsae_full")])
def test_no_arrow_runs_through_a_node(one: str, other: str) -> None:
    placed = layout(drawn(shipped(one), shipped(other)))
    for arrow, curve, _ in placed.curves:
        others = [s for p, s in placed.shapes.items() if p not in (arrow.source, arrow.target)]
        assert not [o for o in others if any(o.covers(at(curve, k / 40)) for k in range(41))]


@pytest.mark.parametrize("suffix", ["svg", "png", "pdf", "dot"])
def test_every_format_is_written_beside_the_text(tmp_path: Path, suffix: str) -> None:
    (tmp_path / "a.yaml").write_text(BARE, encoding="utf-8")
    (tmp_path / "b.yaml").write_text(BARE.replace("z_<t-1>", "z_<t-2>"), encoding="utf-8")
    done = dvaec("diff", "a.yaml", "b.yaml", "-o", f"c.{suffix}", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.endswith(f"\nc.{suffix}\n")
    assert (tmp_path / f"c.{suffix}").stat().st_size > 1000
    if suffix == "svg":
        text = (tmp_path / "c.svg").read_text(encoding="utf-8")
        assert ElementTree.fromstring(text) is not None
        text = text.lower()
        assert LIGHT.added.lower() in text
        assert LIGHT.removed.lower() in text
        assert "stroke-dasharray" in text
        assert LIGHT.golden.lower() not in text


def test_a_tex_file_holds_tikz_in_the_tones(tmp_path: Path) -> None:
    one, other, out = tmp_path / "a.yaml", tmp_path / "b.yaml", tmp_path / "changes.tex"
    one.write_text(BARE, encoding="utf-8")
    other.write_text(BARE.replace(", u_t", "").replace("  u: {role: input, dim: 1}\n", ""), encoding="utf-8")
    done = dvaec("diff", str(one), str(other), "-o", str(out))
    assert (done.returncode, done.stderr) == (1, "")
    drawn = out.read_text(encoding="utf-8")
    assert r"\begin{tikzpicture}" in drawn
    assert rf"\path[{Tone.REMOVED}] " in drawn
    assert f"{Kind.INPUT}, " in drawn
    assert f", {Tone.REMOVED}, text=removed" in drawn
