"""Statements whose result nothing reads: left out of an entry point, so that what stands there is needed."""

from __future__ import annotations

import re
from collections.abc import Sequence

_NAMED = re.compile(r"\s*(\w+) = (?!\w+ = )")
_SEVERAL = re.compile(r"(\s*)(\w+(?:, \w+)+) = ([\w.]+(?:, [\w.]+)+)\Z")
_OPENS = re.compile(r"[(\[{]\s*(#.*)?$")
_WORD = re.compile(r"\w+")


def pruned(lines: Sequence[str], arguments: Sequence[str]) -> tuple[str, ...]:
    """Drop one-line assignments to names that occur nowhere else, until there are none.

    The names are an entry point's own, and what stands behind them has no effect of its own. A line that is
    the whole body of a condition stays, and so does what looks at an argument.
    """
    kept = list(lines)
    taken = frozenset(argument.partition(":")[0] for argument in arguments)
    while True:
        counts: dict[str, int] = {}
        for line in kept:
            for word in set(_WORD.findall(line)):
                counts[word] = counts.get(word, 0) + 1
        idle = [k for k, line in enumerate(kept) if _idle(kept, k, line, counts, taken)]
        fewer = [_needed(line, counts) for k, line in enumerate(kept) if k not in idle]
        if fewer == kept:
            return tuple(kept)
        kept = fewer


def _needed(line: str, counts: dict[str, int]) -> str:
    """Leave out of `a, b, c = d, e, f` the names that occur nowhere else, all but the last one."""
    if (found := _SEVERAL.match(line)) is None:
        return line
    pairs = list(zip(found[2].split(", "), found[3].split(", "), strict=True))
    needed = [pair for pair in pairs if counts[pair[0]] > 1] or pairs[:1]
    return f"{found[1]}{', '.join(name for name, _ in needed)} = {', '.join(value for _, value in needed)}"


def _idle(lines: list[str], k: int, line: str, counts: dict[str, int], taken: frozenset[str]) -> bool:
    found = _NAMED.match(line)
    if found is None or _OPENS.search(line) or counts[found.group(1)] > 1:
        return False
    if found.group(1) in taken:
        return False
    return not (k and lines[k - 1].rstrip().endswith(":"))
