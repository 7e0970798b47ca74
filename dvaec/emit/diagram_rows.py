"""The rows of a picture from top to bottom: inputs, latents, deterministic nodes, observed variables."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import permutations

from dvaec.emit.diagram import Arrow, Kind, Row
from dvaec.emit.diagram_reads import Reader
from dvaec.spec.model import Role, Side, Spec
from dvaec.spec.notation import unicode_form
from dvaec.spec.offsets import NOW

_KINDS = {Role.LATENT: Kind.LATENT, Role.OBSERVED: Kind.OBSERVED, Role.INPUT: Kind.INPUT}
_FEW = 6  # rows of which every order is tried


def rows_of(
    spec: Spec, side: Side, readers: tuple[Reader, ...], arrows: tuple[Arrow, ...]
) -> tuple[Row, ...]:
    """Inputs on top, then latents (generative order), deterministic nodes, and observed variables below.

    What has one value a sequence stands above or below all these, on the side of what it has arrows with.
    """
    used = {p.name for a in arrows for p in (a.source, a.target)}
    targets = [c.target for c in spec.generation]
    drawn = [v for v in spec.variables if v.name in used or v.role is not Role.INPUT]
    drawn.sort(key=lambda v: targets.index(v.name) if v.name in targets else -1)
    rows = {
        role: [
            Row(
                v.name,
                unicode_form(v.name, NOW if v.framed else None),
                _KINDS[role],
                v.framed,
                first=v.first,
            )
            for v in drawn
            if v.role is role
        ]
        for role in Role
    }
    middle = _deterministic_rows(spec, side, tuple(r for r in readers if r.column is None))
    above = [row for row in (*rows[Role.INPUT], *rows[Role.LATENT]) if row.framed]
    below = [row for row in rows[Role.OBSERVED] if row.framed]
    middle = _nearest(above, middle, below, readers)
    order = (*rows[Role.INPUT], *rows[Role.LATENT], *middle, *rows[Role.OBSERVED])
    framed = tuple(row for row in order if row.framed)
    static = tuple(row for row in order if not row.framed)
    hanging = [row for row in static if _hangs(row, framed, arrows)]
    return (*(row for row in static if row not in hanging), *framed, *hanging)


def _hangs(row: Row, framed: tuple[Row, ...], arrows: tuple[Arrow, ...]) -> bool:
    """Whether a whole sequence's node is nearer to its partners from below; in between, only if observed."""
    levels = {one.name: level for level, one in enumerate(framed)}
    ends = [(a.source.name, a.target.name) for a in arrows]
    near = [levels[n] for pair in ends if row.name in pair for n in pair if n in levels]
    depth = 2 * sum(near) - (len(framed) - 1) * len(near)
    return depth > 0 or (depth == 0 and row.kind is Kind.OBSERVED)


def _deterministic_rows(spec: Spec, side: Side, readers: tuple[Reader, ...]) -> list[Row]:
    """States between the features of latents (above) and the features of observed variables (below).

    Among the states of q the deepest (those that read others) stand nearest the latents; p's nearest what
    they feed.
    """
    roles = {v.name: v.role for v in spec.variables}
    inner = [r for r in readers if r.name not in roles]
    by_name = {r.name: r for r in inner}
    sources = {r.name: _kinds_read(r, by_name, roles) for r in inner}
    carries = {r.name for r in inner if _reads_state(r, by_name)}
    depth = {r.name: _depth(r, by_name, roles, ()) for r in inner}

    def band(reader: Reader) -> int:
        if not reader.instantaneous or reader.name in carries:
            return 1
        if sources[reader.name] == {Role.LATENT}:
            return 0
        return 2 if Role.LATENT not in sources[reader.name] else 1

    towards = -1 if side is Side.Q else 1
    rank = {r.name: (band(r), towards * depth[r.name]) for r in inner}
    ordered: list[Reader] = []
    rest = sorted(inner, key=lambda r: rank[r.name])
    while rest:
        equals = [r for r in rest if rank[r.name] == rank[rest[0].name]]
        # Among equals, what the nearest node above reads comes first.
        read = [name for above in reversed(ordered) for name in (p.name for p in above.reads)]
        ordered.append(min(equals, key=lambda r: read.index(r.name) if r.name in read else len(read)))
        rest.remove(ordered[-1])
    return [Row(r.name, r.label, Kind.DETERMINISTIC, aside=r.instantaneous and band(r) != 1) for r in ordered]


def _kinds_read(reader: Reader, by_name: dict[str, Reader], roles: dict[str, Role]) -> set[Role]:
    """The roles of the variables that a deterministic node reads, through others too."""
    seen = {reader.name}
    stack = [reader]
    out = set()
    while stack:
        for parent in stack.pop().reads:
            if parent.name in roles:
                out.add(roles[parent.name])
            elif parent.name not in seen and parent.name in by_name:
                seen.add(parent.name)
                stack.append(by_name[parent.name])
    return out


def _reads_state(reader: Reader, by_name: dict[str, Reader]) -> bool:
    """Whether a feature is one of states, itself or through others."""
    read = [by_name[p.name] for p in reader.reads if p.name in by_name]
    return reader.instantaneous and any(not one.instantaneous or _reads_state(one, by_name) for one in read)


def _nearest(above: list[Row], middle: list[Row], below: list[Row], readers: tuple[Reader, ...]) -> list[Row]:
    """Of all orders of the deterministic rows the one with the shortest arrows; of equals the given one.

    Where there are many rows, one is moved at a time, for as long as that helps.
    """
    links = dict.fromkeys((p.name, r.name) for r in readers if r.column is None for p in r.reads)

    def length(order: Iterable[Row]) -> int:
        level = {row.name: k for k, row in enumerate((*above, *order, *below))}
        return sum(abs(level[a] - level[b]) for a, b in links if a in level and b in level)

    if len(middle) <= _FEW:
        return list(min(permutations(middle), key=length))
    while True:
        moved = [
            [*rest[:k], row, *rest[k:]]
            for row in middle
            for rest in [[other for other in middle if other is not row]]
            for k in range(len(middle))
        ]
        best = min(moved, key=length)
        if length(best) >= length(middle):
            return middle
        middle = best


def _depth(reader: Reader, by_name: dict[str, Reader], roles: dict[str, Role], above: tuple[str, ...]) -> int:
    """The longest chain of deterministic nodes under this one, recurrences not counted."""
    inner = [p.name for p in reader.reads if p.name not in roles and p.name not in (*above, reader.name)]
    return max((1 + _depth(by_name[n], by_name, roles, (*above, reader.name)) for n in inner), default=0)
