"""Nothing that is drawn lies on another, as Graphviz itself measures it; crossings do not creep in unseen."""

from __future__ import annotations

import re
from itertools import combinations

import pytest

from dvaec.derive.derivation import derive
from dvaec.emit.diagram import Diagram, Form
from dvaec.emit.diagram_build import Extent
from dvaec.emit.diagram_changes import changes_diagram
from dvaec.emit.diagram_labels import SIZE
from dvaec.emit.diagram_set import picture_of
from dvaec.plan.comparing import comparable
from tests.diagram_geometry import CROSSINGS, Box, boxes, crossings, crossings_text, laid_out, pictures
from tests.shipped import shipped

COLUMN = 252.0  # points: a column of a paper with two
PAGE = 516.0  # its two columns
SMALL_PRINT = 5.0


@pytest.mark.parametrize("name", pictures())
def test_no_node_or_label_overlaps_another(name: str) -> None:
    _nothing_overlaps(pictures()[name])


PADDED = 5.0  # points; the page has 10.8 more on every side, and a font may be taller than another


def _nothing_overlaps(picture: Diagram) -> None:
    outlines, labels, page = boxes(picture)
    drawn = [box for box in outlines.values() if box.shape != "plaintext"]
    words = [labels[n] for n, box in outlines.items() if box.shape == "plaintext" and n in labels]
    for one, other in combinations((*drawn, *words), 2):
        assert not one.overlaps(other), (one, other)
    for box in (*drawn, *words):
        assert box.within(page, PADDED), box


@pytest.mark.parametrize("name", pictures())
def test_labels_stay_within_their_outlines(name: str) -> None:
    outlines, labels, _ = boxes(pictures()[name])
    for key, label in labels.items():
        if outlines[key].shape != "plaintext":
            assert _fits(label, outlines[key]), (label, outlines[key])


def _fits(label: Box, outline: Box) -> bool:
    """Whether the corners of a label, at the height of its small letters, lie in its node's outline."""
    wide, tall = (label.right - label.left) / 2, (label.top - label.bottom) / 2 * 0.5
    across, down = (outline.right - outline.left) / 2, (outline.top - outline.bottom) / 2
    if outline.shape == "diamond":
        return wide / across + tall / down < 1
    if outline.shape == "circle":
        return (wide / across) ** 2 + (tall / down) ** 2 < 1
    return wide < across and tall < down


@pytest.mark.parametrize("name", pictures())
def test_it_can_be_read_in_a_paper(name: str) -> None:
    """In one column, where the picture has neither single frames nor more than the three slices and plates."""
    picture = pictures()[name]
    _, labels, page = boxes(picture)
    wide = bool(picture.singles) or len(picture.rows) > 7
    scale = (PAGE if wide else COLUMN) / (page.right - page.left)
    heights = [(box.top - box.bottom) / 0.95 for box in labels.values()]
    assert min(1.0, scale) * min(heights) >= SMALL_PRINT
    assert min(1.0, scale) * SIZE >= 6.5


def test_crossings_are_those_of_the_golden_file() -> None:
    assert crossings_text() == CROSSINGS.read_text(encoding="utf-8"), "python -m tests.regenerate, and look"


def test_simple_pictures_have_no_crossing_and_crossings_are_counted() -> None:
    counted = dict(re.findall(r"^(.*): \d+, (\d+)$", CROSSINGS.read_text(encoding="utf-8"), re.MULTILINE))
    for name in ("ssm compact", "dkf compact", "kvae compact", "grnn developed", "storn developed"):
        assert counted[name] == "0"
    assert int(counted["vrnn inference-compact"]) == crossings(laid_out("vrnn inference-compact")) > 20


@pytest.mark.parametrize("extent", [Extent.of(5, None), Extent.of(None, 4)], ids=["five", "unrolled"])
@pytest.mark.parametrize("name", ["vrnn", "dsae_full", "dssm", "kvae_mixture", "draw", "slds"])
def test_nothing_overlaps_in_longer_pictures(name: str, extent: Extent) -> None:
    spec = shipped(name)
    for form in (Form.DEVELOPED, Form.INFERENCE):
        _nothing_overlaps(picture_of(spec, derive(spec), form, extent))


@pytest.mark.parametrize(
    ("one", "other"), [("srnn", "vrnn"), ("kvae", "dsae_full"), ("dkf", "slds"), ("dssm", "storn")]
)
def test_nothing_overlaps_where_two_models_are_compared(one: str, other: str) -> None:
    models = comparable(shipped(one), shipped(other))
    for inference in (False, True):
        for developed in (False, True):
            _nothing_overlaps(changes_diagram(*models, inference, developed))
