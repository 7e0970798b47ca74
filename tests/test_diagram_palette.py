"""Colours of diagrams: contrast on white and dark pages, in greyscale, and for the colour-blind."""

from __future__ import annotations

from itertools import combinations
from xml.etree import ElementTree

import pytest

from dvaec.derive.derivation import derive
from dvaec.emit import render
from dvaec.emit.diagram import Form, Kind, Mark, Tone
from dvaec.emit.diagram_palette import DARK, LIGHT, LINES, Palette
from dvaec.emit.diagram_set import picture_source
from dvaec.emit.diagram_svg import OPEN, themed
from tests.shipped import shipped

Colour = tuple[float, float, float]
Matrix = tuple[Colour, Colour, Colour]
SVG = "{http://www.w3.org/2000/svg}"
# Machado, Oliveira and Fernandes (2009), severity 1, on linear RGB.
EYES: dict[str, Matrix] = {
    "all cones": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protanopia": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "deuteranopia": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "tritanopia": (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
}


def _linear(colour: str) -> Colour:
    parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return red, green, blue


def _luminance(colour: str, eye: Matrix = EYES["all cones"]) -> float:
    seen = [min(1.0, max(0.0, sum(m * c for m, c in zip(row, _linear(colour), strict=True)))) for row in eye]
    return 0.2126 * seen[0] + 0.7152 * seen[1] + 0.0722 * seen[2]


def _contrast(one: str, other: str, eye: Matrix = EYES["all cones"]) -> float:
    low, high = sorted((_luminance(one, eye), _luminance(other, eye)))
    return (high + 0.05) / (low + 0.05)


def test_contrast_is_that_of_the_guidelines() -> None:
    assert _contrast("#000000", "#FFFFFF") == pytest.approx(21)
    assert _contrast("#777777", "#FFFFFF") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("eye", EYES.values(), ids=EYES)
@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_lines_and_labels_stand_out(palette: Palette, eye: Matrix) -> None:
    for ground in (palette.paper, palette.band):
        for colour in (*(palette.tone(t) for t in Tone), palette.inference, *(palette.mark(m) for m in Mark)):
            assert _contrast(colour, ground, eye) >= 3
    for fill in (*(palette.fill(kind) for kind in Kind), palette.band):
        assert _contrast(palette.ink, fill, eye) >= 4.5


@pytest.mark.parametrize("eye", EYES.values(), ids=EYES)
@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_golden_differs_from_plain_in_lightness_alone(palette: Palette, eye: Matrix) -> None:
    for plain in (palette.ink, palette.inference):
        assert _contrast(palette.golden, plain, eye) >= 1.8


def test_observed_nodes_differ_from_latent_ones_in_greyscale() -> None:
    for palette in (LIGHT, DARK):
        assert _contrast(palette.observed, palette.paper) >= 1.4


def test_tones_differ_without_their_colours() -> None:
    for one, other in combinations(Tone, 2):
        first, second = LINES[one], LINES[other]
        assert first.style != second.style or max(first.width, second.width) >= 1.3 * min(
            first.width, second.width
        )


def test_all_that_is_drawn_is_coloured_anew_on_a_dark_page() -> None:
    spec = shipped("dsae_full")
    svg = render.picture(picture_source(spec, derive(spec), Form.INFERENCE), "svg")
    style = svg[svg.index(b"<style>") : svg.index(b"</style>")].decode()
    assert "prefers-color-scheme: dark" in style
    tree = ElementTree.fromstring(svg)
    seen = set()
    for group in tree.iter(f"{SVG}g"):
        kind, *classes = (group.get("class") or "").split()
        shapes = [one for one in group if one.tag != f"{SVG}title" and one.tag != f"{SVG}text"]
        if kind in ("node", "edge") and shapes:
            assert classes[1:] == ([OPEN] if classes[0] in ("plain", "silver") else [])
            assert f".dvaec .{classes[0]} " in style
            seen.add(classes[0])
    assert seen >= {
        "latent",
        "observed",
        "deterministic",
        "beyond",
        "band",
        "single",
        "plain",
        "golden",
        "silver",
    }
    for colour in (DARK.paper, DARK.ink, DARK.golden, DARK.silver, DARK.band):
        assert colour in style


def test_heads_of_q_are_open_and_those_of_p_filled() -> None:
    """Seen in greyscale too: golden links are those of the exact posterior, which is p's."""
    spec = shipped("dsae_full")
    for form in Form:
        tree = ElementTree.fromstring(render.picture(picture_source(spec, derive(spec), form), "svg"))
        heads = {
            (one.get("class", "").split()[1], polygon.get("fill") == LIGHT.paper.lower())
            for one in tree.iter(f"{SVG}g")
            if one.get("class", "").startswith("edge")
            for polygon in one.iter(f"{SVG}polygon")
        }
        of_q = {("plain", True), ("silver", True), ("golden", False)}
        assert heads == (of_q if form.of_q else {("plain", False)})


def test_another_svg_is_left_alone() -> None:
    assert themed(b"<svg><g class='graph'/></svg>") == b"<svg><g class='graph'/></svg>"
