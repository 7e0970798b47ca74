"""How single words of a page are written: quotes only where YAML or a reader needs them."""

from __future__ import annotations

import re

from dvaec.diagnostics import Span
from dvaec.spec.layout_entries import Leaf
from dvaec.spec.report import Report
from dvaec.spec.yaml_tree import Entries, Scalar, parse_tree

_NOWHERE = Span("", 1, 1)
_ESCAPES = {"\n": "\\n", "\t": "\\t", "\\": "\\\\", '"': '\\"'}


def word(leaf: Leaf, in_flow: bool, key: bool = False) -> str:
    """Return a text or number as it is written: as it was where it has no quotes and needs none."""
    raw = Scalar(leaf.text, leaf.plain, _NOWHERE).value()
    if not isinstance(raw, str):
        return leaf.text
    if _stands_plain(leaf.text, in_flow, key):
        return leaf.text
    return quoted(leaf.text)


def quoted(text: str) -> str:
    """Return a text in quotes: double ones, single ones round double ones."""
    if text.isprintable() and ('"' in text or "\\" in text):
        return "'" + text.replace("'", "''") + "'"
    return '"' + "".join(map(_escaped, text)) + '"'


def tidy_reference(text: str) -> str:
    """Return a conditional, a list of reads or a layer with one space where spaces stand."""
    text = re.sub(r"\s*\|\s*", " | ", text.strip())
    return re.sub(r"\s+", " ", re.sub(r"\s*,\s*", ", ", text))


def _escaped(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    return character if character.isprintable() else f"\\U{ord(character):08X}"


def _stands_plain(text: str, in_flow: bool, key: bool) -> bool:
    """Whether the text without quotes is read as the same text; in brackets a colon is quoted anyway."""
    if not text.isprintable() or text != text.strip() or (in_flow and ":" in text):
        return False
    report = Report()
    page = f"{text}: 0" if key else f"k: {text}"
    tree = parse_tree(f"{{{page}}}" if in_flow else page, "", report)
    if report.found or not isinstance(tree, Entries) or len(tree.entries) != 1:
        return False
    name, value = tree.entries[0]
    found = name if key else value
    return isinstance(found, Scalar) and found.plain and found.text == text and found.value() == text
