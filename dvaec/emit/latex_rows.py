"""Long formulas in LaTeX as several rows, each broken in front of a sign within no inner bracket.

TeX breaks nothing between `\\left[` and `\\right]`, so that an outermost pair becomes one of a fixed size.
"""

from __future__ import annotations

import re

WIDTH = 165  # letters and signs on a row of a landscape page

_MEAN = re.compile(r"(\\mathbb\{E\}_\{.*?\})\\left\[ (.*) \\right\]$")
_COMMAND = re.compile(r"\\(?:mathbf|mathrm|mathbb|mathcal|left|right|,|theta|phi|Bigl|Bigr)|[{}_^\\ ]")
_OPENING, _CLOSING = "([{", ")]}"


def rows(line: str, width: int = WIDTH) -> tuple[str, ...]:
    """Return a formula's rows; the formula itself where it fits."""
    if visible(line) <= width:
        return (line,)
    found = _MEAN.match(line)
    if found is None or not _balanced(found[2]):
        return tuple(_filled(_pieces(line), width))
    parts = _pieces(found[2])
    parts[0] = rf"{found[1]}\Bigl[ {parts[0]}"
    parts[-1] += r" \Bigr]"
    return tuple(_filled(parts, width))


def visible(text: str) -> int:
    """Count roughly what is seen of a formula."""
    return len(_COMMAND.sub("", text))


def _balanced(body: str) -> bool:
    """Whether an outermost pair of brackets was split off, and not the first one and the last of two."""
    depth = 0
    for char in body:
        depth += (char in _OPENING) - (char in _CLOSING)
        if depth < 0:
            return False
    return depth == 0


def _pieces(text: str) -> list[str]:
    """Split in front of every sign that is within no bracket."""
    pieces, depth, begun = [], 0, 0
    for at, char in enumerate(text):
        depth += (char in _OPENING) - (char in _CLOSING)
        if depth == 0 and text[at : at + 3] in (" + ", " - "):
            pieces.append(text[begun:at])
            begun = at + 1
    return [*pieces, text[begun:]]


def _filled(pieces: list[str], width: int) -> list[str]:
    """Put as many pieces on each row as it has room for."""
    found: list[str] = []
    for piece in pieces:
        if found and visible(found[-1]) + visible(piece) <= width:
            found[-1] += f" {piece}"
        else:
            found.append(piece)
    return found
