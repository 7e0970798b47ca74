"""Diagrams: the arrows of the review's figures, the layout by time slices, DOT text that never changes."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dvaec.derive.derivation import derive
from dvaec.emit.diagram import EARLIER, LATER, PAST, Diagram, Form, Kind, Place, Tone
from dvaec.emit.diagram_build import diagram
from dvaec.emit.diagram_curves import Shape, at, bent, cut, part, pieces
from dvaec.emit.diagram_layout import layout
from dvaec.emit.diagram_palette import LIGHT
from dvaec.emit.diagram_set import all_sources, default_form, picture_source
from dvaec.plan.develop import develop
from dvaec.spec.model import Spec
from dvaec.spec.read import read_spec, read_text

SPECS = sorted((Path(__file__).parent.parent / "specs").glob("*.yaml"))
HEAD = """
dvaec: 1
model: M
variables:
  x: {role: observed, dim: 3}
  z: {role: latent, dim: 2}
"""


def _spec(name: str) -> Spec:
    return read_spec(next(p for p in SPECS if p.stem == name))[0]


def _page(text: str) -> Spec:
    return read_text(HEAD + text, "page.yaml")[0]


def _diagram(spec: Spec, form: Form) -> Diagram:
    derivation = derive(spec)
    shown = develop(spec, derivation.inference) if form.shows_states else spec
    return diagram(shown, derivation, form)


def _into(
    picture: Diagram, name: str, frame: int = 0, tone: Tone = Tone.PLAIN
) -> set[tuple[str, int | None]]:
    """Return the sources of the arrows that enter one node."""
    return {
        (a.source.name, a.source.frame)
        for a in picture.arrows
        if a.target == Place(name, frame) and a.tone is tone
    }


def test_an_open_window_is_drawn_from_every_earlier_slice_and_from_the_plate() -> None:
    open_window = _diagram(_page("generation: [z_t, 'x_t | z_t, x_<<t>']\ninference: exact"), Form.COMPACT)
    one_frame = _diagram(_page("generation: [z_t, 'x_t | z_t, x_<t-1>']\ninference: exact"), Form.COMPACT)
    assert _into(open_window, "x", 1) == {("z", 1), ("x", EARLIER), ("x", -1), ("x", 0)}
    assert _into(one_frame, "x", 1) == {("z", 1), ("x", 0)}
    # At the left edge both read what is beyond: a plate of all frames, and the ellipsis.
    assert _into(open_window, "x", -1) == {("z", -1), ("x", EARLIER)}
    assert _into(one_frame, "x", -1) == {("z", -1), ("x", PAST)}


def test_a_strided_window_skips_frames() -> None:
    picture = _diagram(_page("generation: [z_t, 'x_t | z_t, x_<t-4:t-2:2>']\ninference: exact"), Form.COMPACT)
    assert _into(picture, "x", 1) == {("z", 1), ("x", PAST), ("x", -1)}
    assert _into(picture, "x", 0) == {("z", 0), ("x", PAST)}


def test_figure_7_1_storn() -> None:
    picture = _diagram(_spec("storn"), Form.DEVELOPED)
    assert _into(picture, "h") == {("h", -1), ("fx", -1), ("fz", 0)}
    assert _into(picture, "x") == {("h", 0)}
    assert _into(picture, "z") == set()
    assert "g" not in {row.name for row in picture.rows}, "g is a state of q alone"


def test_figure_7_2_storn_golden_arrows() -> None:
    for form in (Form.INFERENCE, Form.INFERENCE_COMPACT):
        picture = _diagram(_spec("storn"), form)
        assert _into(picture, "z", 0, Tone.GOLDEN) == {("z", EARLIER), ("z", -1), ("x", 1), ("x", LATER)}
        assert _into(picture, "z", 0, Tone.SILVER) == set()
    assert _into(_diagram(_spec("storn"), Form.INFERENCE), "z") == {("g", 0)}


def test_figure_8_2_vrnn_golden_arrows() -> None:
    picture = _diagram(_spec("vrnn"), Form.INFERENCE)
    assert _into(picture, "z") == {("fx", 0), ("h", 0)}
    assert _into(picture, "z", 0, Tone.GOLDEN) == {("x", 1), ("x", LATER)}


def test_figure_9_2_srnn_has_a_state_against_time_and_no_coloured_arrow() -> None:
    picture = _diagram(_spec("srnn"), Form.INFERENCE)
    assert _into(picture, "g") == {("g", 1), ("h", 0), ("x", 0)}
    assert _into(picture, "h") == {("h", -1), ("x", -1)}
    assert {a.tone for a in picture.arrows} == {Tone.PLAIN}


SILVER_Q = "generation: ['z_t | z_<t-1>', 'x_t | z_t']\ninference: ['z_t | z_<t-1>, x_<t-2:t>']\n"


def test_silver_arrows_in_both_forms() -> None:
    compact = _diagram(_page(SILVER_Q), Form.INFERENCE_COMPACT)
    assert _into(compact, "z", 1, Tone.SILVER) == {("x", -1), ("x", 0)}
    assert _into(compact, "z", 1, Tone.PLAIN) == {("z", 0), ("x", 1)}
    assert _into(compact, "z", 0, Tone.GOLDEN) == {("x", 1), ("x", LATER)}
    developed = _diagram(_page(SILVER_Q), Form.INFERENCE)
    assert _into(developed, "z", 1, Tone.SILVER) == {("x", -1), ("x", 0)}


def test_a_state_that_carries_only_silver_is_read_into_by_a_silver_arrow() -> None:
    page = _page(
        "generation: ['z_t | z_<t-1>', 'x_t | z_t']\ninference: ['z_t | z_<t-1>, x_<1:T>']\n"
        "states: {d_t: {rnn: gru, units: 4, reads: x_<t-1>}, f_t: {rnn: gru, units: 4, runs: backward, reads: x_t}}\n"
        "networks: {q(z_t): {reads: 'z_<t-1>, d_t, f_t'}}"
    )
    picture = _diagram(page, Form.INFERENCE)
    assert _into(picture, "d", 0, Tone.SILVER) == {("d", -1), ("x", -1)}
    assert _into(picture, "z", 0, Tone.SILVER) == {("d", 0)}
    assert _into(picture, "f", 0, Tone.SILVER) == set()
    assert _into(picture, "f", 0, Tone.PLAIN) == {("f", 1), ("x", 0)}


def test_the_recurrence_is_silver_where_the_state_carries_the_present_too() -> None:
    page = _page(
        "generation: ['z_t | z_<t-1>', 'x_t | z_t']\ninference: ['z_t | z_<t-1>, x_<<=t>']\n"
        "states: {d_t: {rnn: gru, units: 4, reads: x_t}}\nnetworks: {q(z_t): {reads: 'z_<t-1>, d_t'}}"
    )
    picture = _diagram(page, Form.INFERENCE)
    assert _into(picture, "d") == {("x", 0)}
    assert _into(picture, "d", 0, Tone.SILVER) == {("d", -1)}
    assert _into(picture, "z", 0, Tone.SILVER) == set()


def test_silver_that_hides_in_one_link_with_plain_is_drawn_from_the_variable() -> None:
    page = _page(
        "generation: ['z_t | z_<t-1>', 'x_t | z_t']\ninference: ['z_t | z_<t-1>, x_<t-1:t>']\n"
        "features: {d_t: {reads: 'x_<t-1:t>', layers: [4 tanh]}}\nnetworks: {q(z_t): {reads: 'z_<t-1>, d_t'}}"
    )
    picture = _diagram(page, Form.INFERENCE)
    assert _into(picture, "d") == {("x", -1), ("x", 0)}
    assert _into(picture, "z", 0, Tone.SILVER) == {("x", -1)}


def test_figure_5_1_the_forward_state_is_silver_where_the_exact_posterior_reads_no_past() -> None:
    """The review: DKS is obtained by removing the forward RNN."""
    picture = _diagram(_spec("dkf_st_lr"), Form.INFERENCE)
    silver = {(a.source.name, a.target.name) for a in picture.arrows if a.tone is Tone.SILVER}
    assert silver == {("f", "f"), ("f", "s"), ("x", "f")}


def test_figure_11_2_dsae_full() -> None:
    picture = _diagram(_spec("dsae_full"), Form.INFERENCE)
    silver = {(a.source.name, a.target.name) for a in picture.arrows if a.tone is Tone.SILVER}
    forward = {("x", "gz>"), ("gz>", "gz>"), ("gz>", "r"), ("r", "r")}
    assert silver == forward, "v and x_{t:T} come through the backward state too"
    assert _into(picture, "z", 0, Tone.GOLDEN) == {("z", EARLIER), ("z", -1)}


def test_a_state_that_runs_both_ways_is_two_nodes() -> None:
    page = _page(
        "generation: ['z_t | z_<t-1>', 'x_t | z_t']\ninference: ['z_t | z_<t-1>, x_<1:T>']\n"
        "states: {s_t: {rnn: gru, units: 4, runs: both, reads: x_t}}\nnetworks: {q(z_t): {reads: 'z_<t-1>, s_t'}}"
    )
    picture = _diagram(page, Form.INFERENCE)
    assert _into(picture, "z") == {("z", -1), ("s<", 0)}
    assert _into(picture, "z", 0, Tone.SILVER) == {("s>", 0)}
    assert _into(picture, "s>", 0, Tone.SILVER) == {("s>", -1), ("x", 0)}
    assert _into(picture, "s<") == {("s<", 1), ("x", 0)}


def test_rows_stand_as_in_the_review() -> None:
    kinds = [(row.name, row.kind) for row in _diagram(_spec("dkf"), Form.INFERENCE).rows]
    assert kinds == [
        ("u", Kind.INPUT),
        ("z", Kind.LATENT),
        ("g", Kind.DETERMINISTIC),
        ("b", Kind.DETERMINISTIC),
        ("x", Kind.OBSERVED),
    ]
    assert [r.name for r in _diagram(_spec("vrnn"), Form.DEVELOPED).rows] == ["z", "fz", "h", "fx", "x"]


def test_a_sequence_level_input_is_one_node() -> None:
    page = read_text(
        HEAD
        + "  c: {role: input, dim: 2}\ngeneration: ['z_t | z_<t-1>, c', 'x_t | z_t']\ninference: exact\n",
        "page.yaml",
    )[0]
    picture = _diagram(page, Form.COMPACT)
    assert [p for p in picture.places if p.name == "c"] == [Place("c", None)]
    assert _into(picture, "z", 1) == {("z", 0), ("c", None)}


@pytest.mark.parametrize("path", SPECS, ids=lambda p: p.stem)
@pytest.mark.parametrize("form", list(Form))
def test_time_runs_to_the_right_and_slices_are_columns(path: Path, form: Form) -> None:
    picture = _diagram(read_spec(path)[0], form)
    drawn = layout(picture)
    for row in picture.rows:
        xs = [drawn.shapes[p].centre[0] for p in picture.places if p.name == row.name]
        assert xs == sorted(xs)
        assert len({drawn.shapes[p].centre[1] for p in picture.places if p.name == row.name}) == 1
    for (left, right), frame in zip(drawn.columns, (-1, 0, 1), strict=True):
        inside = [drawn.shapes[p].centre[0] for p in picture.places if p.frame == frame]
        assert all(left < x < right for x in inside)


@pytest.mark.parametrize("path", SPECS, ids=lambda p: p.stem)
@pytest.mark.parametrize("form", list(Form))
def test_no_arrow_runs_through_a_node_and_no_nodes_overlap(path: Path, form: Form) -> None:
    picture = _diagram(read_spec(path)[0], form)
    drawn = layout(picture)
    for arrow, curve, tip in drawn.curves:
        others = [s for p, s in drawn.shapes.items() if p not in (arrow.source, arrow.target)]
        points = [*(at(curve, k / 40) for k in range(41)), tip]
        hit = [(arrow, point) for point in points for other in others if other.covers(point)]
        assert not hit
    shapes = list(drawn.shapes.values())
    for k, one in enumerate(shapes):
        for other in shapes[k + 1 :]:
            apart = abs(one.centre[0] - other.centre[0]) + abs(one.centre[1] - other.centre[1])
            assert apart > max(one.radius, other.radius)


def test_dot_text_is_the_same_every_time_and_free_of_html_labels() -> None:
    for path in SPECS:
        spec = read_spec(path)[0]
        first, again = all_sources(spec, derive(spec)), all_sources(spec, derive(spec))
        assert first == again
        forms = ["compact.dot", "developed.dot", "inference.dot", "inference-compact.dot"]
        assert list(first) == (forms if spec.latents else forms[:2])
        assert all("label=<" not in text and "layout=nop2" in text for text in first.values())


def test_dot_text_names_nodes_as_the_page_does_and_shapes_them_by_kind() -> None:
    spec = _spec("vrnn")
    text = picture_source(spec, derive(spec), Form.INFERENCE)
    lines = text.splitlines()
    node = {
        name: next(row for row in lines if row.startswith(f"\t{name} [")) for name in ("z_t", "h_t", "x_t")
    }
    assert 'label="zₜ"' in node["z_t"]
    assert "shape=circle" in node["z_t"]
    assert "shape=diamond" in node["h_t"]
    assert "shape=circle" in node["x_t"]
    assert f'fillcolor="{LIGHT.paper}"' in node["z_t"]
    assert f'fillcolor="{LIGHT.observed}"' in node["x_t"]
    golden = [row for row in lines if row.startswith('\t"x_<t+1>" -> z_t [')]
    assert len(golden) == 1
    assert LIGHT.golden in golden[0]
    silver = picture_source(_page(SILVER_Q), derive(_page(SILVER_Q)), Form.INFERENCE_COMPACT)
    assert f'color="{LIGHT.silver}"' in silver
    assert "style=dashed" in silver


def test_the_title_is_the_factorization() -> None:
    assert _diagram(_spec("dkf"), Form.COMPACT).title == (
        "DKF, generative model p in compact form",
        "p(x₁:ᴛ, z₁:ᴛ | u₁:ᴛ) = ∏ₜ p(zₜ | zₜ₋₁, uₜ) p(xₜ | zₜ)",
    )
    assert _diagram(_spec("srnn"), Form.INFERENCE).title[1].startswith("q(z₁:ᴛ | x₁:ᴛ) = ∏ₜ q(zₜ | ")


def test_the_default_form_is_developed_where_the_page_is() -> None:
    assert default_form(_spec("srnn")) is Form.DEVELOPED
    assert default_form(_spec("srnn"), inference=True) is Form.INFERENCE
    assert default_form(_page(SILVER_Q)) is Form.COMPACT
    assert default_form(_page(SILVER_Q), inference=True) is Form.INFERENCE_COMPACT


coordinate = st.floats(-300, 300, allow_nan=False)


@settings(max_examples=60, deadline=None)
@given(st.tuples(coordinate, coordinate), st.tuples(coordinate, coordinate), st.floats(-0.4, 0.4))
def test_a_piece_of_a_curve_lies_on_it(
    start: tuple[float, float], end: tuple[float, float], bend: float
) -> None:
    curve = bent(start, end, bend)
    piece = part(curve, 0.2, 0.7)
    some = pieces(curve)
    assert some[0][0] == pytest.approx(curve[0], abs=1e-6)
    assert some[-1][3] == pytest.approx(curve[3], abs=1e-6)
    assert len(some) == 1 or at(some[1], 0.5) == pytest.approx(at(curve, 0.375), abs=1e-6)
    for t in (0.0, 0.3, 1.0):
        assert at(piece, t) == pytest.approx(at(curve, 0.2 + 0.5 * t), abs=1e-6)


def test_an_arrow_is_cut_at_the_outlines() -> None:
    circle, diamond = Shape((0, 0), 20, "circle"), Shape((200, 0), 25, "diamond")
    curve, tip = cut(bent((0, 0), (200, 0), 0.0), circle, diamond, 8)
    assert curve[0] == pytest.approx((21, 0), abs=1e-4)
    assert tip == pytest.approx((174, 0), abs=1e-4)
    assert curve[3] == pytest.approx((166, 0), abs=1e-4)


def test_a_long_name_has_a_wide_diamond_and_a_longer_one_is_set_smaller_in_all_its_slices() -> None:
    page = _page("generation: ['z_t | z_<t-1>', 'x_t | z_t, x_<<t>']\ninference: exact\n")
    rows = picture_source(page, derive(page), Form.DEVELOPED).splitlines()
    wide = [row for row in rows if 'label="xpast' in row]
    assert len(wide) == 3
    assert all("height=0.7500" in row and "width=1.3125" in row for row in wide)
    longer = _page(
        "generation: ['z_t | z_<t-1>', 'x_t | z_t, x_<<t>']\ninference: exact\n"
        "states: {whatwassaidbefore_t: {rnn: gru, units: 4, reads: x_<t-1>}}\n"
        "networks: {p(x_t): {reads: 'z_t, whatwassaidbefore_t'}}"
    )
    rows = picture_source(longer, derive(longer), Form.DEVELOPED).splitlines()
    sizes = {row.split("fontsize=")[1].split()[0] for row in rows if 'label="whatwas' in row}
    assert len(sizes) == 1
    assert 7.5 <= float(sizes.pop()) < 12
    assert not [row for row in rows if 'label="zₜ' in row and "fontsize=" in row]
