"""From a spec and its derivation to the diagrams' values: who reads what, and the rows from top to bottom."""

from __future__ import annotations

from dataclasses import dataclass, replace

from dvaec.derive.model import Derivation
from dvaec.emit.diagram import SLICES, Diagram, Form, Place, Tone, slices_of
from dvaec.emit.diagram_arrows import Link, arrows_of
from dvaec.emit.diagram_reads import Reader, column_of, predictions, readers_of
from dvaec.emit.diagram_rows import rows_of
from dvaec.emit.diagram_silver import toned
from dvaec.emit.diagram_title import legend, title
from dvaec.emit.diagram_unroll import as_seen, unrolled_arrows, without_idle_gold
from dvaec.spec.model import Side, Spec


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
        zeros = frozenset(spec.zero)
        found = unrolled_arrows(links, own, static, zeros, extent.frames)
        arrows = found.arrows
        if form.of_q:
            arrows = as_seen(spec, derivation.inference, arrows, extent.frames)
        found = replace(found, arrows=without_idle_gold(spec, arrows, extent.frames))
    arrows = found.arrows
    rows = rows_of(spec, side, readers, arrows)
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
    """What auxiliary networks predict in this picture, of a state that it shows or from one.

    A state that runs both ways is two nodes.
    """
    there, found = {r.name for r in readers}, []
    for target in (c.target for c in spec.auxiliary):
        reads = predictions(spec, target)
        names = [name for name in (target, f"{target}>", f"{target}<") if name in there]
        if target in (v.name for v in spec.variables):
            known = {v.name for v in spec.variables} | there
            names = [target] if all(p.name in known for p in reads) else []
        found += [Link(p, name, None, Tone.AUXILIARY) for name in names for p in reads]
    return found
