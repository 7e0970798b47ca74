"""The labels and titles of diagrams in TeX: from Unicode's small letters back to subscripts."""

from __future__ import annotations

import re

from dvaec.emit.tex import escape
from dvaec.spec.notation import raised_text

_SMALL = "₀₁₂₃₄₅₆₇₈₉₊₋₌ₜᴛ"
_ARROWS = {"\u20d7": r"\overrightarrow", "\u20d6": r"\overleftarrow"}
_SIGNS = {
    "⋯": r"\cdots",
    "⊆": r"\subseteq ",
    "∏": r"\prod",
    "←": r"\leftarrow",
    "|": r"\mid",
    "=": "=",
    "−": "-",
}
_PIECE = re.compile(
    f"(?P<product>∏)(?:(?P<from>[{_SMALL}]+)\\.\\.ᴛ|(?P<of>[{_SMALL}]*))"
    "|(?P<density>[pq])(?=\\()"
    f"|(?P<name>[A-Za-z](?P<over>[\u20d6\u20d7])?[A-Za-z0-9]*)(?P<sub>(?:[{_SMALL}](?:[{_SMALL}:]*[{_SMALL}])?)?)"
    "|(?P<sign>[⋯⊆←|=−])"
)


def math(label: str) -> str:
    """Return a node's label as mathematics, without dollars: zₜ₋₁ is `\\mathbf{z}_{t-1}`."""
    return _PIECE.sub(_symbol, label)


def text(line: str, names: frozenset[str]) -> str:
    """Return a line of running text with its mathematics in dollars; bare `names` are mathematics too."""
    out, at = [], 0
    for found in _PIECE.finditer(line):
        name = found["name"]
        if name is not None and not found["sub"] and name not in names:
            continue
        if not names and found["sub"] in (None, "") and found["sign"] not in ("⋯", "⊆", "−"):
            continue
        out += [escape(line[at : found.start()]), f"${_symbol(found)}$"]
        at = found.end()
    return "".join([*out, escape(line[at:])])


def _symbol(found: re.Match[str]) -> str:
    if found["product"]:
        if found["from"]:
            return rf"\prod_{{{raised_text(found['from'])}}}^{{T}}"
        return rf"\prod_{{{raised_text(found['of'])}}}" if found["of"] else r"\prod"
    if found["density"]:
        return found["density"]
    if found["sign"]:
        return _SIGNS[found["sign"]]
    name, over = found["name"], found["over"]
    if over:
        first, rest = name[0], name[2:]
        bold = rf"{_ARROWS[over]}{{\mathbf{{{first}}}}}" + (rf"\mathbf{{{rest}}}" if rest else "")
    else:
        bold = rf"\mathbf{{{name}}}"
    return f"{bold}_{{{raised_text(found['sub'])}}}" if found["sub"] else bold
