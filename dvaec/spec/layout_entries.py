"""A page's entries, and the comments that belong to each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

PAGE = -1  # in place of an entry's number: the page itself


@dataclass(frozen=True)
class Leaf:
    """A text or number; `raw` holds the lines of a block scalar (| or >), the sign first."""

    text: str
    plain: bool
    raw: tuple[str, ...] = ()


@dataclass(frozen=True)
class Group:
    """A list or a mapping; `start` and `stop` are the places of its brackets, where it has any."""

    entries: tuple[Entry, ...]
    mapping: bool
    flow: bool
    start: int
    stop: int


@dataclass(frozen=True)
class Entry:
    """A key with its value, or an item of a list; `number` counts all entries of the page as they begin.

    `start` and `stop` are places in the text, `lines` the numbers of its first and last line.
    """

    number: int
    key: Leaf | None
    value: Leaf | Group
    start: int
    stop: int
    lines: tuple[int, int]
    column: int
    in_flow: bool


@dataclass(frozen=True)
class Remarks:
    """The comments by the number of their entry (`foot`: of the entry whose block they close).

    An empty text is an empty line between comments; `apart` are the entries with an empty line before them.
    `head` opens the page, `foot[-1]` closes it.
    """

    head: tuple[str, ...]
    lead: Mapping[int, tuple[str, ...]]
    tail: Mapping[int, str]
    foot: Mapping[int, tuple[str, ...]]
    apart: frozenset[int]

    def within(self, entry: Entry) -> bool:
        """Whether comments stand inside the value of an entry, which then keeps its lines."""
        inner = entry.value.entries if isinstance(entry.value, Group) else ()
        here = any(one.number in self.lead or one.number in self.tail for one in inner)
        return here or entry.number in self.foot or any(self.within(one) for one in inner)
