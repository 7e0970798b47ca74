"""Pictures of the whole language: sequence level, single frames, sweeps, noncausal p; arrows against an oracle."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given as hypothesis_given
from hypothesis import settings

from dvaec.derive.model import Comparison
from dvaec.emit.diagram import (
    AFTER,
    EARLIER,
    FINAL,
    FIRST,
    FUTURE,
    LATER,
    PAST,
    SLICES,
    ZERO,
    Diagram,
    Form,
    Place,
    Tone,
)
from dvaec.emit.diagram_build import Extent, diagram
from dvaec.emit.diagram_curves import at as point_at
from dvaec.emit.diagram_dot import dot_source
from dvaec.emit.diagram_layout import layout
from dvaec.spec.model import (
    LAST,
    Dense,
    Direction,
    Head,
    Output,
    Parent,
    Role,
    Side,
    Spec,
    Variable,
    reads_of,
    reads_of_head,
)
from dvaec.spec.offsets import ALL, of
from dvaec.testing.strategies.conditionals import general_specs
from tests import diagram_specs as specs
from tests.diagram_specs import EVERY, at, derived, given

Make = Callable[[], Spec]
CASES = [(make, form) for make in EVERY for form in Form]
NAMES = [f"{make.__name__}-{form.value}" for make, form in CASES]


def _drawn(spec: Spec, form: Form, *comparisons: Comparison) -> Diagram:
    return diagram(spec, derived(spec, *comparisons), form)


def _into(
    picture: Diagram, name: str, frame: int | None = 0, tone: Tone = Tone.PLAIN
) -> set[tuple[str, int | None]]:
    return {
        (a.source.name, a.source.frame)
        for a in picture.arrows
        if a.target == Place(name, frame) and a.tone is tone
    }


def test_a_sequence_level_latent_stands_once_outside_the_slices() -> None:
    picture = _drawn(specs.dsae(), Form.DEVELOPED)
    assert [p for p in picture.places if p.name == "v"] == [Place("v", None)]
    for frame in SLICES:
        assert _into(picture, "x", frame) == {("z", frame), ("v", None)}
    assert _into(picture, "v", None) == set()
    drawn = layout(picture)
    top, bottom = drawn.framed
    outline = drawn.shapes[Place("v", None)]
    assert not bottom <= outline.centre[1] <= top


def test_figure_11_many_to_one_encoders_are_read_at_the_ends_of_the_sequence() -> None:
    picture = _drawn(specs.dsae(), Form.INFERENCE)
    assert _into(picture, "v", None) == {("gf", FINAL), ("gb", FIRST)}
    assert _into(picture, "gf", FINAL) == {("gf", FUTURE), ("x", FINAL)}
    assert _into(picture, "gb", FIRST) == {("gb", PAST), ("x", FIRST)}
    assert _into(picture, "gf", FUTURE) == {("gf", 1)}, "the recurrence leads on to frame T"
    assert _into(picture, "gb", PAST) == {("gb", -1)}
    assert _into(picture, "gz>") == {("gz>", -1), ("x", 0), ("v", None)}
    assert _into(picture, "z") == {("r", 0)}
    names = [row.name for row in picture.rows if row.framed]
    assert names.index("gz>") < names.index("gf"), "what r reads stands under r"


def test_a_sequence_level_target_reads_every_frame() -> None:
    picture = _drawn(specs.dsae(), Form.INFERENCE_COMPACT)
    assert _into(picture, "v", None) == {("x", f) for f in (EARLIER, *SLICES, LATER)}
    assert _into(picture, "z") == {("v", None), *(("x", f) for f in (EARLIER, *SLICES, LATER))}


def test_frame_zero_stands_at_the_left_with_reads_of_its_own() -> None:
    picture = _drawn(specs.dssm(), Form.COMPACT)
    assert _into(picture, "z", ZERO) == set()
    assert Place("z", ZERO) in picture.places
    assert _into(picture, "z", PAST) == {("z", ZERO)}
    assert _into(picture, "z", -1) == {("z", PAST), ("c", None)}
    inference = _drawn(specs.dssm(), Form.INFERENCE)
    assert _into(inference, "z", ZERO) == {("b", FIRST), ("c", None)}
    assert _into(inference, "z", FIRST) == {("z", ZERO), ("b", FIRST), ("c", None)}
    drawn = layout(inference)
    xs = [drawn.shapes[Place("z", f)].centre[0] for f in (ZERO, FIRST, PAST, -1, 0, 1)]
    assert xs == sorted(xs)
    assert len(drawn.singles) == 2


def test_an_open_window_reads_frame_zero_from_every_slice() -> None:
    base = specs.dssm()
    open_past = replace(base, generation=(given("z", at("z", specs.PAST_OF_T)), base.generation[1]), heads=())
    picture = _drawn(open_past, Form.COMPACT)
    for frame in SLICES:
        assert {("z", ZERO), ("z", EARLIER)} <= _into(picture, "z", frame)


def test_a_numbered_first_frame_replaces_the_generic_conditional() -> None:
    picture = _drawn(specs.switching(), Form.COMPACT)
    assert _into(picture, "s", FIRST) == set()
    assert _into(picture, "z", FIRST) == {("s", FIRST)}
    assert _into(picture, "z", PAST) == {("z", FIRST)}
    assert _into(picture, "z", -1) == {("z", PAST), ("s", -1)}


def test_noncausal_generation_has_arrows_back_in_time() -> None:
    picture = _drawn(specs.rvae(), Form.COMPACT)
    assert _into(picture, "x") == {("z", f) for f in (EARLIER, *SLICES, LATER)}
    developed = _drawn(specs.rvae(), Form.DEVELOPED)
    assert _into(developed, "h<") == {("h<", 1), ("z", 0)}
    assert _into(developed, "x") == {("h>", 0), ("h<", 0)}


def test_a_backward_sweep_runs_right_to_left() -> None:
    for form in (Form.INFERENCE, Form.INFERENCE_COMPACT):
        picture = _drawn(specs.backward(), form)
        assert ("z", 1) in _into(picture, "z", 0)
        assert ("z", FUTURE) in _into(picture, "z", 1)
        assert ("z", -1) not in _into(picture, "z", 0)


def test_block_by_block_q_reads_all_of_an_earlier_block() -> None:
    picture = _drawn(specs.kvae(), Form.INFERENCE_COMPACT)
    assert _into(picture, "a") == {("x", 0)}
    every = (EARLIER, *SLICES, LATER)
    assert _into(picture, "z") == {("z", -1), *(("a", f) for f in every), *(("u", f) for f in every)}
    assert (
        " ".join(picture.title[1:])
        == "q(a₁:ᴛ, z₁:ᴛ | x₁:ᴛ, u₁:ᴛ) = ∏ₜ q(aₜ | xₜ) ∏ₜ q(zₜ | a₁:ᴛ, zₜ₋₁, u₁:ᴛ)"
    )


def test_a_static_observation_is_read_into_from_the_last_frame() -> None:
    picture = _drawn(specs.draw(), Form.DEVELOPED)
    assert _into(picture, "x", None) == {("c", FINAL)}
    assert _into(picture, "c", FINAL) == {("c", FUTURE), ("d", FINAL)}
    assert _into(picture, "d", FINAL) == {("d", FUTURE), ("z", FINAL)}
    assert picture.rows[-1].name == "x", "below what it is made from"
    inference = _drawn(specs.draw(), Form.INFERENCE)
    assert _into(inference, "e") == {("e", -1), ("x", None), ("c", -1), ("d", -1)}


def test_a_state_starts_at_what_it_reads() -> None:
    picture = _drawn(specs.vrae(), Form.DEVELOPED)
    assert _into(picture, "h", ZERO) == {("z", None)}
    assert _into(picture, "h", PAST) == {("h", ZERO)}
    assert _into(picture, "h", -1) == {("h", PAST), ("x", PAST)}
    base = specs.backward()
    state = replace(base.states[0], runs=Direction.BACKWARD, start_reads=(at("c", None),))
    c = specs.var("c", Role.INPUT, framed=False)
    turned = replace(base, states=(state,), variables=(*base.variables, c))
    back = _drawn(turned, Form.INFERENCE)
    assert _into(back, "f", AFTER) == {("c", None)}
    assert _into(back, "f", FUTURE) == {("f", AFTER)}


def test_titles_name_single_frames_and_sequences_before_the_products() -> None:
    assert _drawn(specs.dssm(), Form.COMPACT).title[1:] == (
        "p(x₁:ᴛ, z₀:ᴛ | c) = p(z₀) ∏ₜ p(zₜ | zₜ₋₁, c)",
        "p(xₜ | zₜ)",
    )
    assert _drawn(specs.draw(), Form.COMPACT).title[1] == "p(x, z₁:ᴛ) = p(x | z₁:ᴛ) ∏ₜ p(zₜ)"
    first = " ".join(_drawn(specs.switching(), Form.COMPACT).title[1:])
    assert "= p(s₁) p(z₁ | s₁) ∏ₜ₌₂..ᴛ p(sₜ | sₜ₋₁)" in first
    assert "∏ₜ p(xₜ | zₜ)" in first
    assert "q(z₀ | x₁:ᴛ, c) ∏ₜ" in " ".join(_drawn(specs.dssm(), Form.INFERENCE).title)


def test_the_legend_says_what_a_diamond_does() -> None:
    remarks = {r.mark: r.text for r in _drawn(specs.switching(), Form.INFERENCE).legend}
    assert remarks["wₜ"] == "attention"
    assert {r.mark for r in _drawn(specs.switching(), Form.COMPACT).legend} == {"⋯"}
    layers = {r.mark: r.text for r in _drawn(specs.dsae(), Form.INFERENCE).legend}
    assert layers["gzₜ"] == "2 recurrent layers, one above the other"
    assert "cₜ" in {r.mark for r in _drawn(specs.draw(), Form.DEVELOPED).legend}


def test_an_auxiliary_prediction_is_a_dotted_arrow_into_the_state() -> None:
    """Goyal's variant of VRNN (8.4): the backward state of q is predicted from z_t."""
    spec = replace(specs.backward(), auxiliary=(given("f", at("z")),))
    picture = _drawn(spec, Form.INFERENCE)
    assert _into(picture, "f", 0, Tone.AUXILIARY) == {("z", 0)}
    assert _into(picture, "f", 0) == {("f", -1), ("x", 0)}
    assert "style=dotted" in dot_source(picture)
    remarks = {r.mark for r in picture.legend}
    assert {Tone.AUXILIARY, Tone.PLAIN} <= remarks
    assert Tone.AUXILIARY not in {a.tone for a in _drawn(spec, Form.DEVELOPED).arrows}, "p does not make f"
    spec = replace(specs.backward(), auxiliary=(given("x", at("f")),))
    assert _into(_drawn(spec, Form.INFERENCE), "x", 0, Tone.AUXILIARY) == {("f", 0)}
    assert Tone.AUXILIARY not in {a.tone for a in _drawn(spec, Form.DEVELOPED).arrows}, "p does not make f"


def test_golden_and_silver_at_sequence_level_and_in_frame_zero() -> None:
    lacking = Comparison("v", golden=(Parent("z", ALL),), silver=())
    picture = _drawn(specs.dsae(), Form.INFERENCE, lacking)
    assert _into(picture, "v", None, Tone.GOLDEN) == {("z", f) for f in (EARLIER, *SLICES, LATER)}
    idle = Comparison("z", golden=(), silver=(Parent("c", None),), frame=0)
    compact = _drawn(specs.dssm(), Form.INFERENCE_COMPACT, idle)
    assert _into(compact, "z", ZERO, Tone.SILVER) == {("c", None)}
    assert _into(compact, "z", 0, Tone.SILVER) == set(), "of frame 0 alone"
    assert ("c", None) in _into(compact, "z", 0)


def test_a_state_read_at_the_last_frame_hides_silver_which_is_drawn_from_the_variable() -> None:
    silver = Comparison("v", golden=(), silver=(Parent("x", ALL),))
    picture = _drawn(specs.dsae(), Form.INFERENCE, silver)
    assert _into(picture, "v", None, Tone.SILVER) >= {("x", f) for f in (EARLIER, *SLICES, LATER)}
    assert {a.tone for a in picture.arrows if a.target.name in ("gf", "gb")} == {Tone.PLAIN}


@pytest.mark.parametrize(("make", "form"), CASES, ids=NAMES)
def test_slices_have_exactly_the_arrows_of_the_unrolled_reads(make: Make, form: Form) -> None:
    """Oracle: unroll the readers over many frames, put t in the middle, and name the frames' columns."""
    spec = make()
    for slices in (3, 1, 4):
        drawn = diagram(spec, derived(spec), form, Extent.of(slices, None))
        assert len(drawn.slices) == slices
        _agrees_with_unrolled_reads(spec, form, drawn)


@settings(max_examples=30, deadline=None)
@hypothesis_given(general_specs())
def test_slices_of_any_legal_p_have_exactly_the_arrows_of_the_unrolled_reads(spec: Spec) -> None:
    picture = _drawn(spec, Form.COMPACT)
    _agrees_with_unrolled_reads(spec, Form.COMPACT, picture)
    assert {p.name for p in picture.places} >= {c.target for c in spec.generation}


def _agrees_with_unrolled_reads(spec: Spec, form: Form, picture: Diagram) -> None:
    last = 60
    framed = {v.name for v in spec.variables if v.framed} | {s.name for s in spec.states}
    framed |= {f"{s.name}{way}" for s in spec.states for way in "<>"} | {f.name for f in spec.features}
    shown = {(p.name, p.frame) for p in picture.places}

    def plated(parent: Parent, reader: int | None, early: bool) -> bool:
        """Whether an open window's plate names its single frames too: of what does not read itself."""
        column, plate = (FIRST, EARLIER) if early else (FINAL, LATER)
        between = any(
            a.target.frame == column and a.source == Place(parent.name, plate) for a in picture.arrows
        )
        if parent.offsets is None or recurrent(parent.name) or between:
            return False
        return reader is None or (parent.offsets.reaches_past if early else parent.offsets.reaches_future)

    def recurrent(name: str) -> bool:
        """Whether a variable reads itself relative to t, not a frame of itself by its number."""
        single = (ZERO, FIRST, FINAL, AFTER)
        every = (
            a for a in picture.arrows if a.target.frame in picture.slices and a.source.frame not in single
        )
        return any(a.source.name == a.target.name == name for a in every)

    def column(parent: Parent, reader: int | None, frame: int, middle: int) -> int:
        single = {0: ZERO, 1: FIRST, last: FINAL, last + 1: AFTER}.get(frame)
        early = frame < last / 2
        if single is not None and (parent.name, single) in shown and not (plated(parent, reader, early)):
            return single
        assert parent.offsets is not None
        if frame - middle < picture.slices[0]:
            return EARLIER if reader is None or parent.offsets.reaches_past else PAST
        if frame - middle > picture.slices[-1]:
            return LATER if reader is None or parent.offsets.reaches_future else FUTURE
        return frame - middle

    wanted = set()
    for middle in range(24, 36):  # a window with a stride reads the first frame at some t only
        for reader, parents in _generic(spec, form).items():
            for frame in picture.slices if reader in framed else (None,):
                for parent in parents:
                    for source in _frames_read(spec, parent, None if frame is None else middle + frame, last):
                        place = None if source is None else column(parent, frame, source, middle)
                        wanted.add(((parent.name, place), (reader, frame)))
    found = {
        ((a.source.name, a.source.frame), (a.target.name, a.target.frame))
        for a in picture.arrows
        if a.target.frame in (*picture.slices, None)
    }
    assert found == wanted


def _frames_read(spec: Spec, parent: Parent, frame: int | None, last: int) -> list[int | None]:
    if parent.frame is not None:
        return [last if parent.frame == LAST else parent.frame]
    if parent.offsets is None:
        return [None]
    firsts = {v.name: v.first for v in spec.variables}
    first = firsts.get(parent.name, 1)
    if frame is None:
        return list(range(first, last + 1))
    return [frame + d for d in parent.offsets.within(first - frame, last - frame)]


def _generic(spec: Spec, form: Form) -> dict[str, tuple[Parent, ...]]:
    """Who reads what at every frame, from the page's values alone."""
    conditionals = spec.inference.conditionals if form.of_q else spec.generation
    if not form.shows_states:
        return {c.target: c.parents for c in conditionals}
    side = Side.Q if form.of_q else Side.P
    heads = {(h.target, h.frame): reads_of_head(h) for h in spec.heads if h.side is side}
    out = {c.target: heads[c.target, None] for c in conditionals}
    for state in spec.states:
        lags = {Direction.FORWARD: {"": -1}, Direction.BACKWARD: {"": 1}, Direction.BOTH: {">": -1, "<": 1}}
        for way, lag in lags[state.runs].items():
            out[state.name + way] = (Parent(state.name + way, of(lag * state.lag)), *state.reads)
    out |= {feature.name: reads_of(feature.block) for feature in spec.features}
    both = {s.name for s in spec.states if s.runs is Direction.BOTH}

    def split(parents: tuple[Parent, ...]) -> tuple[Parent, ...]:
        ways = [(p, ("<", ">") if p.name in both else ("",)) for p in parents]
        return tuple(replace(p, name=p.name + way) for p, names in ways for way in names)

    needed = dict.fromkeys(name for name, _ in heads)
    starts = {s.name: s.start_reads for s in spec.states}
    queue = [p for reads in heads.values() for p in split(reads)]
    while queue:
        name = queue.pop().name
        if name in out and name not in needed:
            needed[name] = None
            queue += split((*out[name], *starts.get(name.rstrip("<>"), ())))
    return {name: split(out[name]) for name in needed}


@pytest.mark.parametrize(("make", "form"), CASES, ids=NAMES)
def test_no_arrow_runs_through_a_node_and_columns_are_in_order(make: Make, form: Form) -> None:
    picture = _drawn(make(), form)
    drawn = layout(picture)
    for arrow, curve, tip in drawn.curves:
        others = [s for p, s in drawn.shapes.items() if p not in (arrow.source, arrow.target)]
        points = [*(point_at(curve, k / 40) for k in range(41)), tip]
        assert not [point for point in points for other in others if other.covers(point)], arrow
    for row in picture.rows:
        xs = [drawn.shapes[p].centre[0] for p in picture.places if p.name == row.name]
        assert xs == sorted(xs)
    top, bottom = drawn.framed
    for place, shape in drawn.shapes.items():
        inside = bottom < shape.centre[1] < top
        assert inside is (place.frame is not None)
    bands = sorted((*drawn.columns, *drawn.singles))
    assert all(left[1] < right[0] for left, right in pairwise(bands)), "bands overlap"


@pytest.mark.parametrize(("make", "form"), CASES, ids=NAMES)
def test_dot_names_every_node_once_and_never_changes(make: Make, form: Form) -> None:
    picture = _drawn(make(), form)
    text = dot_source(picture)
    assert text == dot_source(_drawn(make(), form))
    named = re.findall(r'^\t("[^"]+"|[A-Za-z_0-9]+) \[', text, re.MULTILINE)
    assert len(named) == len(set(named))
    arrows = re.findall(r'^\t(?:"[^"]+"|[A-Za-z_0-9]+) -> (?:"[^"]+"|[A-Za-z_0-9]+) \[', text, re.MULTILINE)
    assert len([a for a in arrows if "legend" not in a]) == len(picture.arrows)


def test_single_frames_are_labelled_by_their_numbers() -> None:
    text = dot_source(_drawn(specs.dsae(), Form.INFERENCE))
    assert 'label="gfᴛ"' in text
    assert 'label="gb₁"' in text
    assert 'style="dashed,rounded"' in text
    assert 'label="z₀"' in dot_source(_drawn(specs.dssm(), Form.COMPACT))
    assert 'label="h₀"' in dot_source(_drawn(specs.vrae(), Form.DEVELOPED))


def test_several_sequences_stand_side_by_side() -> None:
    base = specs.dsae()
    extra = tuple(Variable(n, Role.INPUT, 1, framed=False) for n in ("c", "d"))
    reads = (at("z", specs.PAST_OF_T), at("c", None), at("d", None))
    wide = replace(
        base,
        variables=(*base.variables, *extra),
        generation=(base.generation[0], given("z", *reads), base.generation[2]),
    )
    picture = _drawn(wide, Form.COMPACT)
    drawn = layout(picture)
    c, d = drawn.shapes[Place("c", None)], drawn.shapes[Place("d", None)]
    assert c.centre[1] == d.centre[1]
    assert abs(c.centre[0] - d.centre[0]) > 2 * max(c.radius, d.radius)


def test_a_head_whose_parameters_read_apart_is_drawn_with_all_that_it_reads() -> None:
    base = specs.backward()
    own = Dense((at("f"),), ())
    apart = Head(
        Side.Q, "z", None, mean=Output(block=Dense((at("z", of(1)),), ())), variance=Output(block=own)
    )
    picture = _drawn(replace(base, heads=(*base.heads[:2], apart)), Form.INFERENCE)
    assert _into(picture, "z") == {("z", 1), ("f", 0)}
