"""Pictures of whole sequences: exactly the unrolled network's arrows, and the developed form says the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from dvaec.derive.derivation import derive
from dvaec.derive.factors import by_key, serving
from dvaec.emit.diagram import AFTER, ZERO, Diagram, Form, Kind, Place, Tone, slices_of
from dvaec.emit.diagram_build import Extent, diagram
from dvaec.emit.diagram_curves import at
from dvaec.emit.diagram_dot import dot_source
from dvaec.emit.diagram_layout import layout
from dvaec.network.template import template_of
from dvaec.network.unrolled import Node, unroll
from dvaec.plan.develop import develop
from dvaec.spec.model import Spec
from dvaec.spec.read import read_spec
from tests.shipped import SHIPPED, shipped

REGRESSIONS = Path(__file__).parent / "regressions"
Arrows = set[tuple[Node, Node]]


def _picture(spec: Spec, form: Form, frames: int) -> Diagram:
    derivation = derive(spec)
    shown = develop(spec, derivation.inference) if form.shows_states else spec
    return diagram(shown, derivation, form, Extent.of(None, frames))


def _node(place: Place, frames: int) -> Node:
    return Node(place.name, {ZERO: 0, AFTER: frames + 1}.get(place.frame or 0, place.frame))


def _arrows(picture: Diagram, frames: int, *tones: Tone) -> Arrows:
    return {(_node(a.source, frames), _node(a.target, frames)) for a in picture.arrows if a.tone in tones}


def _through(picture: Diagram, frames: int, *tones: Tone) -> Arrows:
    """From variable to variable, directly or through deterministic nodes alone."""
    inner = {row.name for row in picture.rows if row.kind is Kind.DETERMINISTIC}
    read: dict[Node, list[Node]] = {}
    for source, target in _arrows(picture, frames, *(tones or (Tone.PLAIN, Tone.SILVER))):
        read.setdefault(target, []).append(source)
    found: Arrows = set()
    for target in [node for node in read if node.name not in inner]:
        seen, waiting = {target}, [target]
        while waiting:
            for source in read.get(waiting.pop(), ()):
                if source.name not in inner:
                    found.add((source, target))
                elif source not in seen:
                    seen.add(source)
                    waiting.append(source)
    return found


def _of_p(spec: Spec, frames: int) -> Arrows:
    parents = unroll(template_of(spec), frames).parents
    return {(source, target) for target, sources in parents.items() for source in sources}


def _of_q(spec: Spec, frames: int) -> Arrows:
    network, conditionals = unroll(template_of(spec), frames), by_key(derive(spec).inference)
    return {
        (source, target)
        for target in network.parents
        if target.name in spec.latents
        for source in network.reads(serving(conditionals, target.name, target.frame), target.frame)
    }


@pytest.mark.parametrize("frames", [1, 2, 5])
@pytest.mark.parametrize("name", SHIPPED)
def test_the_arrows_are_those_of_the_unrolled_network(name: str, frames: int) -> None:
    spec = shipped(name)
    assert _arrows(_picture(spec, Form.COMPACT, frames), frames, Tone.PLAIN) == _of_p(spec, frames)
    if spec.latents:
        picture = _picture(spec, Form.INFERENCE_COMPACT, frames)
        assert _arrows(picture, frames, Tone.PLAIN, Tone.SILVER) == _of_q(spec, frames)


@pytest.mark.parametrize("name", SHIPPED)
def test_the_developed_form_reads_what_the_compact_one_does(name: str) -> None:
    spec, frames = shipped(name), 4
    assert _through(_picture(spec, Form.DEVELOPED, frames), frames) == _of_p(spec, frames)
    if spec.latents:
        assert _through(_picture(spec, Form.INFERENCE, frames), frames) == _of_q(spec, frames)


@pytest.mark.parametrize("frames", [1, 2, 4, 5])
@pytest.mark.parametrize("path", sorted(REGRESSIONS.glob("less_seen*.yaml")), ids=lambda path: path.stem)
def test_what_networks_do_not_see_at_the_ends_is_not_read_in_either_form(path: Path, frames: int) -> None:
    spec = read_spec(path)[0]
    compact, developed = (_picture(spec, form, frames) for form in (Form.INFERENCE_COMPACT, Form.INFERENCE))
    seen = _arrows(compact, frames, Tone.PLAIN, Tone.SILVER)
    assert seen == _through(developed, frames)
    assert seen <= _of_q(spec, frames)
    assert not seen & _arrows(compact, frames, Tone.GOLDEN)


@pytest.mark.parametrize("name", [name for name in SHIPPED if shipped(name).latents])
def test_without_its_silver_links_the_developed_q_reads_the_plain_ones_of_the_compact_form(name: str) -> None:
    """Silver from a variable straight to a latent is drawn where the link that carries it carries more."""
    spec, frames = shipped(name), 5
    compact, developed = (_picture(spec, form, frames) for form in (Form.INFERENCE_COMPACT, Form.INFERENCE))
    plain, left = _arrows(compact, frames, Tone.PLAIN), _through(developed, frames, Tone.PLAIN)
    straight = {a for a in _arrows(developed, frames, Tone.SILVER) if {a[0].name, a[1].name} <= _names(spec)}
    assert plain <= left <= plain | straight


def _names(spec: Spec) -> set[str]:
    return {v.name for v in spec.variables}


def test_golden_arrows_are_those_of_the_exact_sets_of_that_many_frames() -> None:
    spec = shipped("vrnn")
    golden = _arrows(_picture(spec, Form.INFERENCE_COMPACT, 3), 3, Tone.GOLDEN)
    assert golden == {(Node("x", s), Node("z", t)) for t in (1, 2, 3) for s in (1, 2, 3) if s > t}
    lds = shipped("kvae")  # near the end a_t's exact set lacks what its window has
    named = {(str(s), str(t)) for s, t in _arrows(_picture(lds, Form.INFERENCE_COMPACT, 2), 2, Tone.GOLDEN)}
    assert ("a_1", "a_2") in named
    assert ("x_2", "a_1") in named


def test_every_frame_is_labelled_by_its_number_and_nothing_is_beyond() -> None:
    text = dot_source(_picture(shipped("dssm"), Form.INFERENCE, 3))
    assert all(f'label="z{n}"' in text for n in "₀₁₂₃")
    assert "⋯" not in text
    assert "ₜ₋₁" not in text.replace("zₜ₋₁, xₜ", "")  # in the title alone
    assert "inference model q in developed form, T = 3" in text


@pytest.mark.parametrize("name", SHIPPED)
def test_no_arrow_runs_through_a_node(name: str) -> None:
    for form in (Form.COMPACT, Form.DEVELOPED):
        drawn = layout(_picture(shipped(name), form, 4))
        for arrow, curve, tip in drawn.curves:
            others = [s for p, s in drawn.shapes.items() if p not in (arrow.source, arrow.target)]
            points = [*(at(curve, k / 40) for k in range(41)), tip]
            assert not [p for p in points for s in others if s.covers(p)], arrow


def test_slices_stand_round_t() -> None:
    assert [slices_of(n) for n in (1, 2, 3, 4)] == [(0,), (-1, 0), (-1, 0, 1), (-2, -1, 0, 1)]
    spec = shipped("vrnn")
    wide = diagram(spec, derive(spec), Form.COMPACT, Extent.of(5, None))
    into = {a.source for a in wide.arrows if a.target == Place("x", 2)}
    assert {Place("x", frame) for frame in (-2, -1, 0, 1)} <= into
    assert 'label="x₁:ₜ₋₃"' in dot_source(wide)
