"""Orders and cycles of small graphs, given as name -> what it needs first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

Name = TypeVar("Name")


def topological(names: Iterable[Name], before: Mapping[Name, Iterable[Name]]) -> tuple[Name, ...]:
    """Order names so that `before[n]` precede n; ties keep the given order. Names on a cycle are left out."""
    waiting, done = list(names), list[Name]()
    needs = {n: [m for m in before.get(n, ()) if m in waiting and m != n] for n in waiting}
    while (ready := next((n for n in waiting if all(m in done for m in needs[n])), None)) is not None:
        waiting.remove(ready)
        done.append(ready)
    return tuple(done)


def reachable(start: str, after: Mapping[str, Iterable[str]]) -> tuple[str, ...]:
    """Return what a walk from `start` meets, in order; `start` itself only if it lies on a cycle."""
    met: dict[str, None] = {}
    stack = list(after.get(start, ()))
    while stack:
        name = stack.pop(0)
        if name not in met:
            met[name] = None
            stack.extend(after.get(name, ()))
    return tuple(met)


def cycles(names: Sequence[str], needs: Mapping[str, Iterable[str]]) -> list[tuple[str, ...]]:
    """Return one shortest cycle for each tangle of names, as (a, b, ..., a): a needs b needs ... a."""
    found: list[tuple[str, ...]] = []
    seen: set[str] = set()
    for name in names:
        if name in seen or name not in (around := reachable(name, needs)):
            continue
        path = _shortest_return(name, needs)
        found.append(path)
        seen.update(m for m in around if name in reachable(m, needs))
    return found


def _shortest_return(start: str, needs: Mapping[str, Iterable[str]]) -> tuple[str, ...]:
    """Return the shortest walk from `start` back to it; there must be one."""
    paths: list[tuple[str, ...]] = [(start,)]
    met: set[str] = set()
    while True:
        path = paths.pop(0)
        for name in needs.get(path[-1], ()):
            if name == start:
                return (*path, start)
            if name not in met:
                met.add(name)
                paths.append((*path, name))


def shifted(
    names: Sequence[str], gaps: Mapping[tuple[str, str], int]
) -> tuple[tuple[str, ...], tuple[int, ...]] | None:
    """Order names, each with its shift: the least ones with shift(reader) - shift(read) >= gap.

    `gaps` go by (read, reader); where the two sides are equal, what is read comes first. None if a cycle of
    gaps forbids it.
    """
    shifts = dict.fromkeys(names, 0)
    for _ in range(len(shifts) + 1):
        before = dict(shifts)
        for (read, reader), gap in gaps.items():
            shifts[reader] = max(shifts[reader], shifts[read] + gap)
        if shifts == before:
            break
    else:
        return None
    tight = {n: [m for m in names if gaps.get((m, n)) == shifts[n] - shifts[m]] for n in names}
    ordered = topological(names, tight)
    if len(ordered) < len(names) or any(n in tight[n] for n in names):
        return None
    return ordered, tuple(shifts[n] for n in ordered)
