"""Long formulas on lines of a given width: broken before operators and between factors, outer ones first."""

from __future__ import annotations

from collections.abc import Iterator

_HANG = 4  # spaces that a continuation stands further in
_OPENING, _CLOSING = "([{", ")]}"
_SIGNS = ("+ ", "− ")
_OPERATORS = (*_SIGNS, "= ", "‖ ", "| ", "∏", "∑")
_PROSE = 100  # what it costs to break where no formula should be, if it need not


def folded(line: str, width: int) -> list[str]:
    """Break a line at spaces so that each part fits in `width`, as far as its words allow.

    Where it is a sum, all its terms stand on lines of their own. Else, of the spaces in the second half of a
    part, the one in the fewest brackets is taken, and of these the last. What follows hangs four spaces
    further in.
    """
    if len(line) <= width:
        return [line]
    start = len(line) - len(line.lstrip())
    hang = " " * (start + _HANG)
    signs = [(depth, at) for depth, at in _spaces(line) if at > start and line.startswith(_SIGNS, at + 1)]
    if signs:
        outer = min(depth for depth, _ in signs)
        cuts = [at for depth, at in signs if depth == outer]
        terms = [line[a:b].strip() for a, b in zip([0, *cuts], [*cuts, len(line)], strict=True)]
        parts = folded(" " * start + terms[0], width)
        return parts + [part for term in terms[1:] for part in folded(hang + term, width)]
    parts = []
    while len(line) > width and (at := _best(line, width)):
        parts.append(line[:at])
        line = hang + line[at:].lstrip()
    return [*parts, line]


def _best(line: str, width: int) -> int:
    """Return the space at which a line is best broken; 0 if it has none."""
    start = len(line) - len(line.lstrip())
    spaces = [(cost, at) for cost, at in _spaces(line) if at > start]
    fitting = [(cost, at) for cost, at in spaces if at <= width]
    late = [(cost, at) for cost, at in fitting if at >= (start + width) // 2]
    return min(late or fitting or spaces[:1], key=lambda one: (one[0], -one[1]), default=(0, 0))[1]


def _spaces(line: str) -> Iterator[tuple[int, int]]:
    """Yield the inner spaces of a line: what it costs to break there, and where."""
    depth = 0
    for at, char in enumerate(line[:-1]):
        if char in _OPENING:
            depth += 1
        elif char in _CLOSING:
            depth -= 1
        elif char == " ":
            before, after = line[at - 1 : at], line[at + 1]
            factors = before in _CLOSING and (after.isalpha() or after == "[")
            signed = line.startswith(_OPERATORS, at + 1) and before not in "+−=‖|"
            yield depth + (0 if factors or signed or before == "," else _PROSE), at
