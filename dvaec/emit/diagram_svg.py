"""A diagram's SVG on a dark page: the classes that the DOT text gives to what is drawn, coloured anew.

The picture brings its own ground, so that it can be read whatever page it stands on, and whichever of the two
the reader's system says it prefers.
"""

from __future__ import annotations

from dvaec.emit.diagram import Kind, Mark, Tone
from dvaec.emit.diagram_palette import DARK

ROOT = "dvaec"  # the class of the picture: no rule reaches beyond it
OPEN = "q"  # of the arrows of q, whose heads are open


def themed(svg: bytes) -> bytes:
    """Put the dark colours behind the opening tag of a diagram's SVG; what is no diagram is left alone."""
    mark = f'class="graph {ROOT}"'.encode()
    if mark not in svg:
        return svg
    end = svg.index(b">", svg.index(b"<svg")) + 1
    return svg[:end] + b"\n" + _style().encode() + svg[end:]


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
