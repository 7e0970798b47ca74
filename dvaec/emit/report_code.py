"""Listings with links: the emitted module by equation numbers, the page by the names on it."""

from __future__ import annotations

import ast
import io
import keyword
import re
import tokenize
from collections.abc import Iterable
from dataclasses import dataclass

from markupsafe import Markup, escape

from dvaec.emit.families import family_text
from dvaec.spec.model import Role, Spec
from dvaec.spec.source import READS, Path, Source

_TAG = re.compile(r"\((\d+)\)")
_LEADING = re.compile(r"\s*(?:#|\"\"\")\s*((?:\(\d+\)(?:,\s*)?)+)")
SPEAKING = ("variables", "generation", "inference", "states", "features", "networks")
"""The keys of a page under which the keys and lines begin with a name."""
_COMMENT = re.compile(r"(?:^|(?<=\s))#.*$")


@dataclass(frozen=True)
class Mention:
    """A line of the module that carries an equation's number, and the function that it is in."""

    equation: int
    function: str
    line: int


@dataclass(frozen=True)
class _Piece:
    """A stretch of one line, from column to column, and the element that it is put into."""

    start: int
    stop: int
    opening: Markup
    closing: Markup


def mentions(module: str) -> tuple[Mention, ...]:
    """Return the lines whose comments or docstrings are tagged with equation numbers, in order."""
    functions = [
        (node.lineno, node.end_lineno or node.lineno, node.name)
        for node in ast.walk(ast.parse(module))
        if isinstance(node, ast.FunctionDef)
    ]
    found = []
    for token in _tokens(module):
        if token.type not in (tokenize.COMMENT, tokenize.STRING):
            continue
        leading = _LEADING.match(token.string)
        line = token.start[0]
        where = next((name for first, last, name in functions if first <= line <= last), None)
        if leading and where is not None:
            found += [Mention(int(number), where, line) for number in _TAG.findall(leading[1])]
    return tuple(found)


def module_lines(module: str) -> tuple[Markup, ...]:
    """Return the module's lines, coloured; the equation numbers in comments lead to the equations."""
    lines = module.splitlines()
    pieces: dict[int, list[_Piece]] = {}
    for token in _tokens(module):
        kind = _kind(token)
        if kind is None:
            continue
        (first, start), (last, stop) = token.start, token.end
        for number in range(first, last + 1):
            left = start if number == first else 0
            right = stop if number == last else len(lines[number - 1])
            leading = _LEADING.match(token.string) if number == first and kind != "keyword" else None
            pieces.setdefault(number, []).extend(_with_tags(left, right, kind, leading))
    return tuple(_marked(line, pieces.get(number, ())) for number, line in enumerate(lines, 1))


def _with_tags(left: int, right: int, kind: str, leading: re.Match[str] | None) -> list[_Piece]:
    closing = Markup("</span>")
    opening = Markup('<span class="{}">').format(kind)
    if leading is None:
        return [_Piece(left, right, opening, closing)]
    out, at = [], left
    for tag in _TAG.finditer(leading.string, leading.start(1), leading.end(1)):
        out.append(_Piece(at, left + tag.start(), opening, closing))
        link = Markup('<a class="tag" href="#eq-{}">').format(tag[1])
        at = left + tag.end()
        out.append(_Piece(left + tag.start(), at, link, Markup("</a>")))
    return [*out, _Piece(at, right, opening, closing)]


def _tokens(module: str) -> Iterable[tokenize.TokenInfo]:
    return tokenize.generate_tokens(io.StringIO(module).readline)


def _kind(token: tokenize.TokenInfo) -> str | None:
    if token.type == tokenize.COMMENT:
        return "comment"
    if token.type == tokenize.STRING:
        return "string"
    return "keyword" if token.type == tokenize.NAME and keyword.iskeyword(token.string) else None


def page_lines(source: Source, spec: Spec) -> tuple[Markup, ...]:
    """Return the page's lines; every name leads to its definition, and a tooltip says what it is."""
    lines = source.texts[source.file].splitlines()
    told = _told(source, spec)
    pieces: dict[int, list[_Piece]] = {}
    for path, span in source.spans.items():
        name = _named(path)
        if name not in told or span.file != source.file or span.line > len(lines):
            continue
        start = span.column - 1 + _skipped(path)
        if not _stands(lines[span.line - 1], start, name):
            continue
        if _defines(path):
            opening = Markup('<span class="definition" id="name-{}" title="{}">').format(name, told[name])
            piece = _Piece(start, start + len(name), opening, Markup("</span>"))
        else:
            opening = Markup('<a class="name" href="#name-{}" title="{}">').format(name, told[name])
            piece = _Piece(start, start + len(name), opening, Markup("</a>"))
        pieces.setdefault(span.line, []).append(piece)
    return tuple(_page_line(line, pieces.get(number, [])) for number, line in enumerate(lines, 1))


def _page_line(line: str, pieces: list[_Piece]) -> Markup:
    """Grey out what is behind the last thing that the page's reader took for a name, if it is a comment."""
    behind = max((piece.stop for piece in pieces), default=0)
    comment = next((m for m in _COMMENT.finditer(line, behind) if _outside_quotes(line[: m.start()])), None)
    if comment is not None:
        opening = Markup('<span class="comment">')
        pieces = [*pieces, _Piece(comment.start(), len(line), opening, Markup("</span>"))]
    return _marked(line, pieces)


def _outside_quotes(text: str) -> bool:
    return text.count('"') % 2 == 0


def _named(path: Path) -> str:
    """Return the variable, state or feature that a place on the page speaks of; nothing for other places."""
    key, *rest = map(str, path)
    if READS in rest:
        return rest[rest.index(READS) + 1]
    if len(path) != 2 or key not in SPEAKING:
        return ""
    return rest[0][_skipped(path) :].partition("_")[0].rstrip(")")


def _skipped(path: Path) -> int:
    """Return how many characters stand before the name: the key of a network begins with `p(`."""
    return 2 if path[0] == "networks" and len(path) == 2 else 0


def _defines(path: Path) -> bool:
    return len(path) == 2 and path[0] in ("variables", "states", "features")


def _stands(line: str, start: int, name: str) -> bool:
    """Whether the name, and no longer one, stands in a line at a column."""
    after = line[start + len(name) : start + len(name) + 1]
    return line.startswith(name, start) and not after.isalnum()


def _told(source: Source, spec: Spec) -> dict[str, str]:
    """Say of each name that the page defines what it is and in which line."""
    told = {}
    for v in spec.variables:
        words = f"{v.role}, {v.dim} wide, {'per frame' if v.framed else 'per sequence'}"
        if v.role is not Role.INPUT:
            words += f", {family_text(v).words.partition(' with ')[0]}"
        told[v.name] = _at(source, ("variables", v.name), words)
    for state in spec.states:
        kind = "a sum over time" if state.cell == "sum" else str(state.cell).upper()
        told[state.name] = _at(source, ("states", f"{state.name}_t"), f"state: {kind}, runs {state.runs}")
    for feature in spec.features:
        told[feature.name] = _at(source, ("features", f"{feature.name}_t"), "feature: a map within a frame")
    return {name: words for name, words in told.items() if words}


def _at(source: Source, path: Path, words: str) -> str:
    """Add the line, or return nothing for what the page leaves out."""
    span = source.spans.get(path)
    return f"{words}; line {span.line}" if span is not None and span.file == source.file else ""


def _marked(line: str, pieces: Iterable[_Piece]) -> Markup:
    """Put stretches of a line into their elements; of two that overlap the first one counts."""
    out, at = [], 0
    for piece in sorted(pieces, key=lambda one: (one.start, -one.stop)):
        if piece.start < at or piece.stop <= piece.start:
            continue
        out += [escape(line[at : piece.start]), piece.opening, escape(line[piece.start : piece.stop])]
        out.append(piece.closing)
        at = piece.stop
    return Markup("").join([*out, escape(line[at:])])
