"""YAML text -> a frozen tree that remembers where everything stands. No object is ever constructed.

The tree is built from PyYAML's events, so depth is bounded before it costs anything, and anchors, aliases,
tags and merge keys are seen and refused. Plain scalars are resolved here as in YAML 1.2: `yes`, `no`, `on`
and `off`, which are booleans to some readers and text to others, are refused; `y` and `n` are text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import yaml

from dvaec.diagnostics import Span
from dvaec.spec.codes import Code
from dvaec.spec.report import Report
from dvaec.spec.yaml_words import syntax_words

DEEPEST = 16
Plain = None | bool | int | float | str

_INT = re.compile(r"[-+]?[0-9]{1,18}\Z")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]{1,3})?\Z")
_LEADING_ZERO = re.compile(r"[-+]?0[0-9]")  # 010 is eight to some readers and ten to others
_SPECIAL = re.compile(r"([-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN))\Z")
_BOOLEAN_WORD = re.compile(r"(yes|no|on|off)\Z", re.IGNORECASE)


@dataclass(frozen=True)
class Scalar:
    """A text or number; `columns` maps each character of the text to its column, if it stands on one line."""

    text: str
    plain: bool
    span: Span
    columns: tuple[int, ...] = ()
    in_flow: bool = False

    @property
    def runs_on(self) -> bool:
        """Whether it is text without quotes that goes on over the next line."""
        return self.plain and bool(self.text) and not self.columns

    def value(self) -> Plain:
        """Resolve as YAML 1.2's core schema does; quoted text stays text, and so do numbers such as 010."""
        if not self.plain or _LEADING_ZERO.match(self.text):
            return self.text
        if self.text in ("", "~", "null", "Null", "NULL"):
            return None
        if self.text in ("true", "True", "TRUE", "false", "False", "FALSE"):
            return self.text.lower() == "true"
        if _INT.match(self.text):
            return int(self.text)
        if _FLOAT.match(self.text):
            return float(self.text)
        if _SPECIAL.match(self.text):
            return float(self.text.lower().replace(".", ""))
        return self.text

    def part(self, start: int, stop: int) -> Span:
        """Return the place of the characters `start` to `stop` of the text (the whole if not on one line)."""
        if not self.columns:
            return self.span
        last = len(self.columns) - 1
        first_column = self.columns[min(start, last)] + (1 if start > last else 0)
        stop_column = self.columns[min(max(stop - 1, start), last)] + 1
        return Span(self.span.file, self.span.line, first_column, max(1, stop_column - first_column))


@dataclass(frozen=True)
class Items:
    """A list."""

    items: tuple[Node, ...]
    span: Span
    in_flow: bool = False


@dataclass(frozen=True)
class Entries:
    """A mapping; keys are text."""

    entries: tuple[tuple[Scalar, Node], ...]
    span: Span
    in_flow: bool = False

    def get(self, key: str) -> Node | None:
        """Return the value of the entry with that key."""
        return self._by_key[key][1] if key in self._by_key else None

    def key(self, key: str) -> Scalar | None:
        """Return the key itself, for its place."""
        return self._by_key[key][0] if key in self._by_key else None

    @cached_property
    def _by_key(self) -> dict[str, tuple[Scalar, Node]]:
        return {name.text: (name, node) for name, node in self.entries}


Node = Scalar | Items | Entries


def parse_tree(text: str, file: str, report: Report) -> Node | None:
    """Read one YAML document; note faults in `report`. None if there is nothing that can be looked at."""
    try:
        builder = _Builder(text, file, report)
        tree = builder.document()
        return None if builder.refused else tree
    except _StopError:
        return None
    except yaml.reader.ReaderError as error:
        before = text[: error.position]
        line, column = before.count("\n") + 1, error.position - (before.rfind("\n") + 1) + 1
        character = f"U+{error.character:04X}" if isinstance(error.character, int) else repr(error.character)
        message, place = f"the character {character} has no place in YAML", Span(file, line, column)
        report.add(Code.YAML_SYNTAX, message, place, "leave it out")
    except yaml.MarkedYAMLError as error:
        report.add(Code.YAML_SYNTAX, *syntax_words(error, text, file))
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        # The scanner turns escapes such as "\UFFFFFFFF" into characters without a check of its own.
        report.add(Code.YAML_SYNTAX, f"not valid YAML: {error}", Span(file, 1, 1))
    return None


class _StopError(Exception):
    """Reading cannot go on; the reason is in the report."""


class _Builder:
    """Builds the tree from the stream of events; `nested` knows the depth."""

    def __init__(self, text: str, file: str, report: Report) -> None:
        self.lines = re.split(r"\r\n|[\n\r\x85\u2028\u2029]", text)
        self.file = file
        self.report = report
        self.refused = False  # something was left out, so that what is around it cannot be judged
        self.events: Iterator[yaml.Event] = yaml.parse(text, Loader=yaml.SafeLoader)

    def document(self) -> Node | None:
        """Read the stream: exactly one document."""
        tree: Node | None = None
        documents = 0
        for event in self.events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents == 2:
                    message = "a second YAML document begins here; a spec is one page"
                    self.report.add(Code.YAML_SEVERAL_DOCUMENTS, message, self.span(event))
                    raise _StopError
                tree = self.node(next(self.events), 0, False)
        return tree

    def span(self, event: yaml.Event) -> Span:
        """Return the event's place, one line at most."""
        start, end = _marks(event)
        width = end.column - start.column if end.line == start.line else 1
        return Span(self.file, start.line + 1, start.column + 1, max(1, width))

    def node(self, event: yaml.Event, depth: int, in_flow: bool) -> Node:
        """Read the node that starts with `event`."""
        span = self.span(event)
        if isinstance(event, yaml.AliasEvent):
            self.report.add(
                Code.YAML_REFUSED, f"the alias *{event.anchor} is not used in specs", span, _IN_FULL
            )
            self.refused = True
            return Scalar("", False, span)
        if anchor := getattr(event, "anchor", None):
            self.report.add(Code.YAML_REFUSED, f"the anchor &{anchor} is not used in specs", span, _IN_FULL)
        if tag := getattr(event, "tag", None):
            message = f"the tag {tag} is not used in specs"
            self.report.add(Code.YAML_REFUSED, message, span, "a value's kind follows from where it stands")
        if isinstance(event, yaml.ScalarEvent):
            return self.scalar(event, span, in_flow)
        if depth >= DEEPEST:
            self.report.add(Code.YAML_TOO_DEEP, f"nested more than {DEEPEST} levels deep", span)
            raise _StopError
        flow = bool(getattr(event, "flow_style", False))
        if isinstance(event, yaml.SequenceStartEvent):
            items = []
            while not isinstance(inner := next(self.events), yaml.SequenceEndEvent):
                items.append(self.node(inner, depth + 1, flow))
            return Items(tuple(items), span, flow)
        return self.mapping(span, depth, flow)

    def mapping(self, span: Span, depth: int, flow: bool) -> Entries:
        """Read the entries up to the end of the mapping."""
        entries: dict[str, tuple[Scalar, Node]] = {}
        while not isinstance(inner := next(self.events), yaml.MappingEndEvent):
            key = self.node(inner, depth + 1, flow)
            value = self.node(next(self.events), depth + 1, flow)
            if not isinstance(key, Scalar):
                self.report.add(Code.YAML_KEY, "a key must be a plain word here", key.span, _braces_hint(key))
            elif key.plain and key.text == "<<":
                self.report.add(Code.YAML_REFUSED, "the merge key << is not used in specs", key.span)
                self.refused = True
            elif key.text in entries:
                first = entries[key.text][0].span.line
                message = f"the key '{key.text}' is given twice; it stands already in line {first}"
                self.report.add(Code.YAML_DUPLICATE_KEY, message, key.span)
            else:
                entries[key.text] = (key, value)
        return Entries(tuple(entries.values()), span, flow)

    def scalar(self, event: yaml.ScalarEvent, span: Span, in_flow: bool) -> Scalar:
        """Read a text with its columns; refuse the words that are booleans only to some readers."""
        plain = event.style is None
        if plain and _BOOLEAN_WORD.match(event.value):
            self.report.add(
                Code.YAML_BOOLEAN_WORD,
                f"'{event.value}' is a boolean to some readers of YAML and text to others",
                span,
                "write true or false for a truth value; put a name or text in quotes, or choose another name",
            )
        return Scalar(event.value, plain, span, self.columns(event), in_flow)

    def columns(self, event: yaml.ScalarEvent) -> tuple[int, ...]:
        """Map each character of the value to its column, or nothing if that is not one to one."""
        start, end = _marks(event)
        if start.line != end.line or event.style in ("|", ">"):
            return ()
        raw = self.lines[start.line][start.column : end.column]
        first = start.column + 1
        if event.style is None:
            return tuple(range(first, first + len(raw))) if raw == event.value else ()
        columns, k = [], 1
        while k < len(raw) - 1:
            columns.append(first + k)
            k += 2 if event.style == "'" and raw[k] == "'" else 1
        return tuple(columns) if len(columns) == len(event.value) else ()


_IN_FULL = "write what it stands for in full"


def _marks(event: yaml.Event) -> tuple[yaml.Mark, yaml.Mark]:
    start, end = event.start_mark, event.end_mark
    assert isinstance(start, yaml.Mark)
    assert isinstance(end, yaml.Mark)
    return start, end


def _braces_hint(key: Node) -> str | None:
    return "put text that holds braces in quotes" if isinstance(key, Entries) else None
