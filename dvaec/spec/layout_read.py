"""A page's text -> its entries with the comments that belong to each, for a layout that loses none.

A comment behind something belongs to the entry that ends there, or whose value begins below; a comment on a
line of its own to the entry that follows, unless it stands deeper than that: then it closes the block above.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

import yaml

from dvaec.spec.layout_entries import PAGE, Entry, Group, Leaf, Remarks

_BREAK = "\n\r\x85\u2028\u2029"
_COMMENT = re.compile(f"#[^{_BREAK}]*")
_BLOCK_HEADER = re.compile(r"[|>][-+0-9]*[ \t]*(#.*)?\Z")


@dataclass(frozen=True)
class _Comment:
    text: str
    index: int
    line: int
    column: int
    own: bool


def read_layout(text: str) -> tuple[Group, Remarks]:
    """Read a page that is known to be valid; line ends are \\n."""
    reader = _Reader(text)
    root = reader.page()
    return root, _assigned(text, root, reader.behind)


def comments_in(text: str) -> list[str]:
    """Return the comments of a page."""
    reader = _Reader(text)
    reader.page()
    return [*(c.text for c in _comments(text)), *reader.behind.values()]


class _Reader:
    """Builds the entries; `behind` holds comments behind the sign of a block scalar, by entry."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.count = 0
        self.behind: dict[int, str] = {}

    def page(self) -> Group:
        """Read the page."""
        node = yaml.compose(self.text, Loader=yaml.SafeLoader)
        assert isinstance(node, yaml.CollectionNode)
        return self.group(node, False)

    def group(self, node: yaml.CollectionNode, in_flow: bool) -> Group:
        """Read a list or a mapping."""
        flow = in_flow or bool(node.flow_style)
        at = node.start_mark.column
        mapping = isinstance(node, yaml.MappingNode)
        pairs = node.value if mapping else [(None, item) for item in node.value]
        entries = tuple(self.entry(key, value, at, flow) for key, value in pairs)
        stop = node.end_mark.index if flow else max((e.stop for e in entries), default=node.end_mark.index)
        return Group(entries, mapping, flow, node.start_mark.index, stop)

    def entry(self, key: yaml.ScalarNode | None, value: yaml.Node, column: int, in_flow: bool) -> Entry:
        """Read one entry of a list or mapping whose entries begin in `column`."""
        number = self.count
        self.count += 1
        first = value if key is None else key
        inner: Leaf | Group
        if isinstance(value, yaml.ScalarNode):
            inner = self.leaf(value, number)
        else:
            assert isinstance(value, yaml.CollectionNode)
            inner = self.group(value, in_flow)
        stop = inner.stop if isinstance(inner, Group) else value.end_mark.index
        if isinstance(inner, Leaf) and inner.raw:
            stop = value.start_mark.index + len(self.text[value.start_mark.index : stop].rstrip())
        name = None if key is None else Leaf(key.value, key.style is None)
        line = first.start_mark.line
        lines = (line, line + self.text.count("\n", first.start_mark.index, stop))
        return Entry(number, name, inner, first.start_mark.index, stop, lines, column, in_flow)

    def leaf(self, node: yaml.ScalarNode, number: int) -> Leaf:
        """Read a text or number."""
        if node.style not in ("|", ">"):
            return Leaf(node.value, node.style is None)
        lines = self.text[node.start_mark.index : node.end_mark.index].rstrip().split("\n")
        header = _BLOCK_HEADER.match(lines[0])
        if header and header[1]:
            self.behind[number] = header[1].rstrip()
        sign = re.split(r"[ \t#]", lines[0], maxsplit=1)[0]
        body = [line.rstrip() if node.style == ">" else line for line in lines[1:]]
        margin = min((len(line) - len(line.lstrip(" ")) for line in body if line.strip()), default=0)
        return Leaf(node.value, False, (sign, *(line[margin:] for line in body)))


def _comments(text: str) -> list[_Comment]:
    """Return every comment: what begins with # between two tokens of YAML."""
    begins = [0, *(one.end() for one in re.finditer("\n", text))]
    found, last = [], 0
    spans = [(t.start_mark.index, t.end_mark.index) for t in yaml.scan(text, Loader=yaml.SafeLoader)]
    for start, stop in (*spans, (len(text), len(text))):
        for one in _COMMENT.finditer(text, last, max(last, start)):
            line = bisect_right(begins, one.start()) - 1
            own = not text[begins[line] : one.start()].strip()
            found.append(_Comment(one[0].rstrip(), one.start(), line, one.start() - begins[line], own))
        last = max(last, stop)
    return found


def _preorder(group: Group, above: tuple[Entry, ...] = ()) -> Iterator[tuple[Entry, tuple[Entry, ...]]]:
    for entry in group.entries:
        yield entry, above
        if isinstance(entry.value, Group):
            yield from _preorder(entry.value, (*above, entry))


def _assigned(text: str, root: Group, behind: dict[int, str]) -> Remarks:
    """Give every comment to an entry."""
    tails = dict(behind)
    every = list(_preorder(root))
    places = [entry.start for entry, _ in every]
    empty = {k for k, line in enumerate(text.split("\n")) if not line.strip()}
    held: dict[tuple[str, int], list[_Comment]] = {}
    for comment in _comments(text):
        at = bisect_left(places, comment.index)
        before = every[at - 1] if at else None
        after = every[at][0] if at < len(every) else None
        tail = None if comment.own or before is None else _ends_at(comment, *before)
        if tail is not None and tail.number not in tails:
            tails[tail.number] = comment.text
            continue
        held.setdefault(_place(comment, before, after), []).append(comment)
    starts = {e.number: e.lines[0] for e, _ in every}
    leads, feet, head = dict[int, tuple[str, ...]](), dict[int, tuple[str, ...]](), tuple[str, ...]()
    first = dict(starts)
    for (kind, number), some in held.items():
        if kind == "lead":
            leads[number] = _spaced(some, starts[number], empty)
            first[number] = some[0].line
        elif kind == "foot":
            feet[number] = (*([""] if some[0].line - 1 in empty else []), *_spaced(some, None, empty))
        else:
            head = _spaced(some, starts.get(0), empty)
    apart = frozenset(number for number, line in first.items() if line - 1 in empty)
    return Remarks(head, leads, tails, feet, apart)


def _ends_at(comment: _Comment, entry: Entry, above: tuple[Entry, ...]) -> Entry | None:
    """Return the entry that a comment stands behind: the outermost one that ends before it on its line."""
    for outer in reversed(above):
        ended = isinstance(outer.value, Group) and outer.value.flow and outer.stop <= comment.index
        if not ended:
            break
        entry = outer
    return entry if comment.line in entry.lines else None


def _place(
    comment: _Comment, before: tuple[Entry, tuple[Entry, ...]] | None, after: Entry | None
) -> tuple[str, int]:
    """Return where a comment on a line of its own belongs, and the number of the entry."""
    if before is None:
        return "head", PAGE
    entry, above = before
    path = (*above, entry)
    for outer in reversed(path):
        group = outer.value
        if isinstance(group, Group) and group.flow and group.start < comment.index < group.stop:
            inside = after is not None and after.start < group.stop
            return ("lead", after.number) if inside and after is not None else ("foot", outer.number)
    if after is not None and comment.column <= after.column:
        return "lead", after.number
    for outer in reversed(path):
        group = outer.value
        inner = group.entries if isinstance(group, Group) and not group.flow else ()
        if inner and inner[0].column <= comment.column and after not in inner:
            return "foot", outer.number
    return ("foot", PAGE) if after is None else ("lead", after.number)


def _spaced(comments: list[_Comment], follows: int | None, empty: set[int]) -> tuple[str, ...]:
    """Return the comments' texts, with an empty text where an empty line stands behind one."""
    out: list[str] = []
    lines = [*(c.line for c in comments[1:]), follows]
    for comment, following in zip(comments, lines, strict=True):
        out.append(comment.text)
        if following is not None and any(k in empty for k in range(comment.line + 1, following)):
            out.append("")
    return tuple(out)
