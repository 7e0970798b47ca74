"""Statements whose result nothing reads: left out of an entry point, so that what stands there is needed."""

from __future__ import annotations

import re
from collections.abc import Sequence

_NAMED = re.compile(r"\s*(\w+) = ")
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
        if not idle:
            return tuple(kept)
        kept = [line for k, line in enumerate(kept) if k not in idle]


def _idle(lines: list[str], k: int, line: str, counts: dict[str, int], taken: frozenset[str]) -> bool:
    found = _NAMED.match(line)
    if found is None or _OPENS.search(line) or counts[found.group(1)] > 1:
        return False
    if found.group(1) in taken:
        return False
    return not (k and lines[k - 1].rstrip().endswith(":"))
