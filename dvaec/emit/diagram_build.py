"""From a spec and its derivation to the diagrams' values: who reads what, and the rows from top to bottom."""

from __future__ import annotations

from dataclasses import dataclass, replace

from dvaec.derive.model import Derivation
from dvaec.emit.diagram import SLICES, Arrow, Diagram, Form, Kind, Place, Row, Tone, slices_of
from dvaec.emit.diagram_arrows import Link, arrows_of
from dvaec.emit.diagram_reads import Reader, column_of, predictions, readers_of
from dvaec.emit.diagram_silver import toned
from dvaec.emit.diagram_title import legend, title
from dvaec.emit.diagram_unroll import unrolled_arrows, without_idle_gold
from dvaec.spec.model import Role, Side, Spec
from dvaec.spec.notation import unicode_form
from dvaec.spec.offsets import NOW

_KINDS = {Role.LATENT: Kind.LATENT, Role.OBSERVED: Kind.OBSERVED, Role.INPUT: Kind.INPUT}


@dataclass(frozen=True)
class Extent:
    """What part of a sequence a picture shows: some slices round t, or, with `frames`, the whole of it."""

    slices: tuple[int, ...] = SLICES
    frames: int | None = None

    @classmethod
    def of(cls, slices: int | None, frames: int | None) -> Extent:
        """Return what the numbers ask for; three slices where there are none."""
        return cls(SLICES if slices is None else slices_of(slices), frames)


THREE = Extent()  # the slices t-1, t and t+1


def diagram(spec: Spec, derivation: Derivation, form: Form, extent: Extent = THREE) -> Diagram:
    """Build one picture. For forms that show states the spec must be developed: every head has its reads."""
    conditionals = derivation.inference if form.of_q else (*spec.generation, *spec.numbered)
    side = Side.Q if form.of_q else Side.P
    if form.shows_states:
        readers = readers_of(spec, side, conditionals)
    else:
        readers = tuple(Reader(c.target, c.parents, column=column_of(c)) for c in conditionals)
    links = [Link(p, reader.name, reader.column) for reader in readers for p in reader.reads]
    if form.of_q:
        links = toned(spec, derivation, readers, links)
    if form.shows_states:
        links += _auxiliary(spec, readers)
    own = [Place(r.name, r.column) for r in readers if r.column is not None]
    static = frozenset(v.name for v in spec.variables if not v.framed)
    if extent.frames is None:
        found = arrows_of(links, own, static, extent.slices)
    else:
        zeros = frozenset(v.name for v in spec.variables if v.framed and v.first == 0)
        found = unrolled_arrows(links, own, static, zeros, extent.frames)
        found = replace(found, arrows=without_idle_gold(spec, found.arrows, extent.frames))
    arrows = found.arrows
    rows = _rows(spec, side, readers, arrows)
    return Diagram(
        name=spec.name,
        form=form,
        title=title(spec, form, conditionals, extent.frames),
        rows=rows,
        arrows=arrows,
        legend=legend(spec, form, arrows, rows, found.partial),
        singles=found.singles,
        partial=found.partial,
        slices=extent.slices if extent.frames is None else tuple(range(1, extent.frames + 1)),
        unrolled=extent.frames is not None,
    )


def _auxiliary(spec: Spec, readers: tuple[Reader, ...]) -> list[Link]:
    """What a state of this picture is predicted from by an auxiliary network; both ways are two nodes."""
    ways = [(c, name) for c in spec.auxiliary for name in (c.target, f"{c.target}>", f"{c.target}<")]
    there = {r.name for r in readers}
    told = [(p, name) for c, name in ways if name in there for p in predictions(spec, c.target)]
    return [Link(p, name, None, Tone.AUXILIARY) for p, name in told]


def _rows(spec: Spec, side: Side, readers: tuple[Reader, ...], arrows: tuple[Arrow, ...]) -> tuple[Row, ...]:
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
    order = (*rows[Role.INPUT], *rows[Role.LATENT], *middle, *rows[Role.OBSERVED])
    framed = tuple(row for row in order if row.framed)
    static = tuple(row for row in order if not row.framed)
    below = [row for row in static if _hangs(row, framed, arrows)]
    return (*(row for row in static if row not in below), *framed, *below)


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
    by_name = {r.name: r for r in readers}
    inner = [r for r in readers if r.name not in roles]
    sources = {r.name: _kinds_read(r, by_name, roles) for r in inner}
    depth = {r.name: _depth(r, by_name, roles, ()) for r in inner}

    def band(reader: Reader) -> int:
        if not reader.instantaneous:
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


def _depth(reader: Reader, by_name: dict[str, Reader], roles: dict[str, Role], above: tuple[str, ...]) -> int:
    """The longest chain of deterministic nodes under this one, recurrences not counted."""
    inner = [p.name for p in reader.reads if p.name not in roles and p.name not in (*above, reader.name)]
    return max((1 + _depth(by_name[n], by_name, roles, (*above, reader.name)) for n in inner), default=0)
