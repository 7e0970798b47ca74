"""A diagram's SVG: subscripts as such, and dark on a dark page by the classes that the DOT text gives.

The picture brings its own ground, so that it can be read whatever page it stands on, and whichever of the two
the reader's system says it prefers.
"""

from __future__ import annotations

import re

from dvaec.emit.diagram import Kind, Mark, Tone
from dvaec.emit.diagram_palette import DARK
from dvaec.spec.notation import raised_text

_TEXT = re.compile(r">([^<>]*)</text>")
_LOW = re.compile("[₀-₉₊₋₌ₜᴛ](?:[₀-₉₊₋₌ₜᴛ:]*[₀-₉₊₋₌ₜᴛ])?")
_DOWN, _SMALLER = 0.28, 0.62  # by how much of their own height subscripts stand lower, and their size
ROOT = "dvaec"  # the class of the picture: no rule reaches beyond it
OPEN = "q"  # of the arrows of q, whose heads are open


def themed(svg: bytes) -> bytes:
    """Lower the subscripts of a diagram's SVG, and put the dark colours behind its opening tag.

    What is no diagram is left alone.
    """
    mark = f'class="graph {ROOT}"'.encode()
    if mark not in svg:
        return svg
    end = svg.index(b">", svg.index(b"<svg")) + 1
    drawn = _TEXT.sub(lambda found: f">{_lowered(found[1])}</text>", svg[end:].decode())
    return svg[:end] + b"\n" + _style().encode() + drawn.encode()


def _lowered(text: str) -> str:
    """Set Unicode's small letters as lowered common ones: not every font has all of them, nor a T.

    They are as wide as Graphviz took them to be.
    """
    out, at = "", 0
    for low in _LOW.finditer(text):
        out += _level(text[at : low.start()], at > 0)
        letters = raised_text(low[0]).replace("-", "\N{MINUS SIGN}")
        out += f'<tspan dy="{_DOWN}em" font-size="{_SMALLER:.0%}">{letters}</tspan>'
        at = low.end()
    return out + _level(text[at:], at > 0)


def _level(text: str, back: bool) -> str:
    """Return text on the line, to which it goes back behind a subscript."""
    return f'<tspan dy="{-_DOWN * _SMALLER:.4f}em">{text}</tspan>' if text and back else text


def _style() -> str:
    rules = "\n".join(f"  .{ROOT} {selector} {{ {body} }}" for selector, body in _rules())
    root = f"  .{ROOT} > polygon {{ fill: {DARK.paper}; stroke: none }}"
    return f"<style>@media (prefers-color-scheme: dark) {{\n{root}\n{rules}\n}}</style>"


def _rules() -> list[tuple[str, str]]:
    """Selectors under the root with their declarations; later ones win."""
    out = [("text", f"fill: {DARK.ink}"), (_lines("node"), f"stroke: {DARK.ink}")]
    # An outer ring is drawn over the node: it must stay unfilled.
    out += [(f'{_lines(kind.value)}:not([fill="none"])', f"fill: {DARK.fill(kind)}") for kind in Kind]
    out += [
        (_lines("band"), f"fill: {DARK.band}; stroke: {DARK.band}"),
        (_lines("single"), f"stroke: {DARK.frame}"),
    ]
    for tone in Tone:
        colour = DARK.tone(tone)
        out += [
            (f".{tone} path", f"stroke: {colour}"),
            (f".{tone} polygon", f"fill: {colour}; stroke: {colour}"),
        ]
        if tone in (Tone.ADDED, Tone.REMOVED):  # nodes, too
            out += [
                (_lines(f"{tone}-node"), f"stroke: {colour}"),
                (f".{tone}-node text", f"fill: {colour}"),
            ]
    out += [
        (f".{Tone.PLAIN}.{OPEN} path", f"stroke: {DARK.inference}"),
        (f".{Tone.PLAIN}.{OPEN} polygon", f"stroke: {DARK.inference}"),
        (f".{OPEN} polygon", f"fill: {DARK.paper}"),
    ]
    return out + [(_lines(mark.value), f"stroke: {DARK.mark(mark)}") for mark in Mark]


def _lines(name: str) -> str:
    return f".{name} :is(ellipse, polygon, polyline, path)"
