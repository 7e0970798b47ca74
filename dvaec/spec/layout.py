"""The canonical layout of a page: what `dvaec fmt` writes.

Blocks in the order in which a page is read, one variable, conditional, state or network a line, words in
quotes only where they need them, the comments of one block below one another. What an author chose and what
means something stays: the order of entries within a block, states before features or behind them, single
empty lines within a block, every comment. What does not fit on a line is written one key a line.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from dvaec.diagnostics import Fault
from dvaec.spec.layout_entries import PAGE, Entry, Group, Leaf, Remarks
from dvaec.spec.layout_keys import REFERENCES, sorted_entries, sorted_sections
from dvaec.spec.layout_read import comments_in, read_layout
from dvaec.spec.layout_words import quoted, tidy_reference, word
from dvaec.spec.model import Spec
from dvaec.spec.read import read_text
from dvaec.spec.report import Report
from dvaec.spec.sizes import names_of_sets
from dvaec.spec.yaml_tree import Entries, parse_tree

WIDTH = 110  # of a line without its comment
STOPS = (37, 49, 61, 73, 93)  # the columns in which comments begin
WIDE_STOPS = (73, 93)
GAP = 3  # spaces before a comment, at least
BLOCKS = ("variables", "generation", "inference", "auxiliary", "states", "features", "networks", "sizes")
WIDE = ("states", "features", "networks", "sizes")
QUOTED = ("cites",)  # running text, all of it in quotes
GROUPS = (("dvaec", "model", "about", "cites", "T"), ("causality", "generation"), ("order", "inference"))
"""Sections without an empty line between them."""


@dataclass(frozen=True)
class _Line:
    """One line of the page; `body` is the number of the section whose comments stand below one another."""

    code: str
    tail: str = ""
    body: int | None = None
    wide: bool = False


class LayoutError(Exception):
    """A page that cannot be laid out without a change of its meaning or its comments."""


def formatted(text: str, file: str) -> str:
    """Return the page in canonical layout; Fault if the page is faulty.

    The result means the same (equal specs, under every set of sizes) and has the same comments; this is
    verified here, and LayoutError raised otherwise.
    """
    before = _meanings(text, file)
    plain = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    laid = _laid(plain)
    try:
        kept = _meanings(laid, file) == before and sorted(comments_in(laid)) == sorted(comments_in(plain))
    except Fault:
        kept = False
    if not kept:
        raise LayoutError(f"{file}: cannot be laid out without a change of its meaning or its comments")
    return laid


def _meanings(text: str, file: str) -> list[Spec]:
    """Return what the page means, and what it means under each of its sets of sizes."""
    tree = parse_tree(text, file, Report())
    sets = names_of_sets(tree) if isinstance(tree, Entries) else []
    chosen: list[list[str]] = [[], *([f"sizes={name.text}"] for name in sets)]
    return [read_text(text, file, overrides)[0] for overrides in chosen]


def _laid(text: str) -> str:
    root, remarks = read_layout(text)
    return "\n".join(_with_comments(list(_Writer(remarks).page(root)))) + "\n"


class _Writer:
    """Writes entries as lines; comments are put behind them afterwards."""

    def __init__(self, remarks: Remarks) -> None:
        self.remarks = remarks

    def page(self, root: Group) -> Iterator[_Line]:
        """Write the page: sections in their order, an empty line between groups of them."""
        yield from (_Line(text) for text in self.remarks.head)
        before: str | None = None
        for entry in sorted_sections(root.entries):
            assert entry.key is not None
            name = entry.key.text
            if before is not None and not any(before in group and name in group for group in GROUPS):
                yield _Line("")
            yield from (_Line(text) for text in self.remarks.lead.get(entry.number, ()))
            yield from self.section(entry, name)
            before = name
        closing = self.remarks.foot.get(PAGE, ())
        if closing and closing[0]:
            yield _Line("")
        yield from (_Line(text) for text in closing)

    def section(self, entry: Entry, name: str) -> Iterator[_Line]:
        """Write one top-level key and what is under it."""
        inner = entry.value.entries if isinstance(entry.value, Group) else ()
        block = name in BLOCKS and isinstance(entry.value, Group) and bool(inner)
        if name == "inference" and isinstance(entry.value, Group):
            block = not entry.value.mapping
        lines = list(self.entry(entry, 0, (name,), block))
        yield lines[0]
        for line in lines[1:]:
            yield replace(line, body=entry.number, wide=name in WIDE)

    def entry(self, entry: Entry, indent: int, path: tuple[str, ...], block: bool = False) -> Iterator[_Line]:
        """Write an entry: on one line, unless comments within it, its length or its section forbid that."""
        pad = " " * indent
        start = "-" if entry.key is None else f"{word(entry.key, False, key=True)}:"
        tail = self.remarks.tail.get(entry.number, "")
        if isinstance(entry.value, Leaf) and entry.value.raw:
            sign, *body = entry.value.raw
            yield _Line(f"{pad}{start} {sign}", tail)
            yield from (_Line(f"{pad}  {line}".rstrip()) for line in body)
            return
        code = f"{pad}{start} {self.flow(entry.value, path, in_flow=False)}"
        keeps = not isinstance(entry.value, Group) or not entry.value.entries
        if keeps or not (block or self.remarks.within(entry) or len(code) > WIDTH):
            yield _Line(code, tail)
            return
        yield _Line(f"{pad}{start}", tail)
        assert isinstance(entry.value, Group)
        yield from self.block(entry.value, indent + 2, path)
        yield from (_Line(f"{pad}  {text}".rstrip()) for text in self.remarks.foot.get(entry.number, ()))

    def block(self, group: Group, indent: int, path: tuple[str, ...]) -> Iterator[_Line]:
        """Write the entries of a list or mapping, one or more lines each."""
        pad = " " * indent
        for position, one in enumerate(sorted_entries(group, path)):
            if position and one.number in self.remarks.apart:
                yield _Line("")
            yield from (_Line(f"{pad}{text}".rstrip()) for text in self.remarks.lead.get(one.number, ()))
            yield from self.entry(one, indent, path if one.key is None else (*path, one.key.text))

    def flow(self, value: Leaf | Group, path: tuple[str, ...], in_flow: bool = True) -> str:
        """Write a value on one line."""
        if isinstance(value, Leaf):
            if path[0] in QUOTED and in_flow:
                return quoted(value.text)
            if path[-1] in REFERENCES or path[0] in REFERENCES:
                value = replace(value, text=tidy_reference(value.text))
            return word(value, in_flow)
        parts = []
        for one in sorted_entries(value, path):
            if one.key is None:
                parts.append(self.flow(one.value, path))
            else:
                inner = self.flow(one.value, (*path, one.key.text))
                parts.append(f"{word(one.key, True, key=True)}: {inner}")
        left, right = "{}" if value.mapping else "[]"
        return f"{left}{', '.join(parts)}{right}"


def _with_comments(lines: Sequence[_Line]) -> Iterator[str]:
    """Put the comments behind their lines, those of one section below one another where they can."""
    longest: dict[int, int] = {}
    for line in lines:
        if line.body is not None and line.tail and len(line.code) + GAP <= STOPS[-1]:
            longest[line.body] = max(longest.get(line.body, 0), len(line.code))
    for line in lines:
        if not line.tail:
            yield line.code
            continue
        needed = max(len(line.code), longest.get(line.body, 0) if line.body is not None else 0) + GAP
        if len(line.code) + GAP > STOPS[-1]:
            needed = len(line.code) + GAP
        stops = WIDE_STOPS if line.wide else STOPS
        column = next((stop for stop in stops if stop >= needed), needed)
        yield f"{line.code:<{column}}{line.tail}"
