"""Other spellings of a page: its lines in another order, in brackets or below one another, with comments."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Any

import yaml
from hypothesis import strategies as st

REMARKS = ("a", "b: c", "z_t | x", "#")
SHUFFLED = ("variables", "generation", "auxiliary", "states", "features", "networks")
"""The blocks whose entries may stand in any order."""


@dataclass
class _Speller:
    """Writes a page entry by entry as chance decides; `comments` are those written so far."""

    chosen: Random
    shuffle: bool
    comments: list[str] = field(default_factory=list)

    def chance(self, out_of: int = 4) -> bool:
        return self.chosen.randrange(out_of) == 0

    def comment(self) -> str:
        self.comments.append(f"# {len(self.comments)}: {self.chosen.choice(REMARKS)}")
        return self.comments[-1]

    def tail(self) -> str:
        return f" {self.comment()}" if self.chance() else ""

    def between(self, pad: str) -> list[str]:
        lines = [""] if self.chance() else []
        lines += [pad + self.comment()] if self.chance() else []
        return lines + ([""] if self.chance(8) else [])

    def entries(self, value: Any, path: tuple[str, ...]) -> list[tuple[str, Any]]:
        """The entries of a list or mapping, those whose order means nothing shuffled."""
        if isinstance(value, list):
            items = [("-", item) for item in value]
            free = path == ("generation",)
        else:
            items = [(f"{_word(key)}:", item) for key, item in value.items()]
            free = path[:1] != ("sizes",) and (len(path) != 1 or path[0] in SHUFFLED)
        return self.chosen.sample(items, len(items)) if self.shuffle and free else items

    def block(self, value: Any, indent: int, path: tuple[str, ...] = ()) -> list[str]:
        """Write the entries below one another."""
        pad, lines = " " * indent, list[str]()
        for start, item in self.entries(value, path):
            lines += self.between(pad)
            inner = path if start == "-" else (*path, start[:-1].strip('"'))
            if isinstance(item, dict | list) and item and start != "-" and self.chance(2):
                lines.append(f"{pad}{start}{self.tail()}")
                lines += self.block(item, indent + self.chosen.randint(1, 3), inner)
            else:
                *first, last = f"{pad}{start} {self.flow(item, inner, indent + 1)}".split("\n")
                lines += [*first, f"{last}{self.tail()}"]
        return lines + ([pad + self.comment()] if indent and self.chance() else [])

    def flow(self, value: Any, path: tuple[str, ...], indent: int) -> str:
        """Write a value in brackets, over several lines where it pleases."""
        if not isinstance(value, dict | list):
            return _word(value)
        parts = []
        for start, item in self.entries(value, path):
            key = "" if start == "-" else start[:-1].strip('"')
            inner = self.flow(item, (*path, key) if key else path, indent)
            parts.append(inner if start == "-" else f"{start} {inner}")
        left, right = "{}" if isinstance(value, dict) else "[]"
        gaps = [f",{self.tail()}\n{' ' * indent}" if self.chance() else ", " for _ in parts[1:]]
        return left + "".join(p + g for p, g in zip(parts, [*gaps, ""], strict=False)) + right


def _word(value: object) -> str:
    """A key, text or number; text in quotes."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        text = repr(value)
        return text if "e" not in text else f"{value:.20f}"
    text = str(value)
    return text if text.isidentifier() else '"' + text + '"'


@st.composite
def spelled(draw: st.DrawFn, text: str, shuffle: bool) -> tuple[str, list[str]]:
    """Draw another spelling of a page, with the comments in it; `shuffle` its lines, or keep their order."""
    speller = _Speller(Random(draw(st.integers(0, 2**32 - 1))), shuffle)
    lines = speller.block(yaml.safe_load(text), 0)
    return "\n".join(lines) + "\n", speller.comments
