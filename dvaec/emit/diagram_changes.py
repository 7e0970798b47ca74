"""Two models as one picture: what both have in black, what came and what went each in a colour of its own.

The union of the two diagrams of one form. A variable of one model alone, or of another role or level in the
other, has a row of its own for either model.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from dvaec.derive.changes import Model, Section, changes
from dvaec.emit.diagram import Arrow, Diagram, Form, Kind, Place, Remark, Row, Tone
from dvaec.emit.diagram_build import diagram
from dvaec.emit.diagram_title import beyond, folded

_BEFORE = " (before)"  # behind the name of a row that the second model has otherwise


def changes_diagram(a: Model, b: Model, inference: bool = False, developed: bool = False) -> Diagram:
    """Build the picture of both models, arrows and rows with their tones; with states if `developed`."""
    form = _form(a, b, inference, developed)
    before, after = (_drawn(model, form) for model in (a, b))
    before = _renamed(before, after)
    old, new = dict.fromkeys(before.arrows), dict.fromkeys(after.arrows)
    arrows = [arrow if arrow in old else replace(arrow, tone=Tone.ADDED) for arrow in new]
    arrows += [replace(arrow, tone=Tone.REMOVED) for arrow in old if arrow not in new]
    rows = _rows(before.rows, after.rows)
    return Diagram(
        name=a.spec.name if a.spec.name == b.spec.name else f"{a.spec.name} to {b.spec.name}",
        form=form,
        title=_title(before.title, after.title),
        rows=rows,
        arrows=tuple(arrows),
        legend=_legend(a.spec.name, b.spec.name, arrows, rows),
        singles=tuple(dict.fromkeys([*after.singles, *before.singles])),
    )


def _form(a: Model, b: Model, inference: bool, developed: bool) -> Form:
    latents = a.spec.latents or b.spec.latents
    if latents and (inference or _q_alone(a, b)):
        return Form.INFERENCE if developed else Form.INFERENCE_COMPACT
    return Form.DEVELOPED if developed else Form.COMPACT


def _q_alone(a: Model, b: Model) -> bool:
    """Whether q's links differ and p's do not."""
    sections = {change.section for change in changes(a, b)}
    return Section.INFERENCE in sections and not sections & {Section.GENERATION, Section.VARIABLES}


def _drawn(model: Model, form: Form) -> Diagram:
    """Draw a model without what is said of the exact posterior: that is another comparison."""
    spec = model.developed if form.shows_states else model.spec
    return diagram(spec, replace(model.derivation, comparisons=()), form)


def _renamed(before: Diagram, after: Diagram) -> Diagram:
    """Give the first model's row another name where the second has it with another role or level."""
    there = {row.name: _kind(row) for row in after.rows}
    other = {row.name for row in before.rows if there.get(row.name, _kind(row)) != _kind(row)}

    def name(name: str) -> str:
        return name + _BEFORE if name in other else name

    def place(one: Place) -> Place:
        return replace(one, name=name(one.name))

    return replace(
        before,
        rows=tuple(replace(row, name=name(row.name)) for row in before.rows),
        arrows=tuple(Arrow(place(a.source), place(a.target), a.tone) for a in before.arrows),
        singles=tuple(place(one) for one in before.singles),
    )


def _kind(row: Row) -> tuple[Kind, bool, int, str]:
    return row.kind, row.framed, row.first, row.label


def _rows(before: Iterable[Row], after: Iterable[Row]) -> tuple[Row, ...]:
    """Merge the rows: those of the second model in their order, those that went where they stood.

    Whole sequences stay above or below all that has frames.
    """
    old, new = list(before), list(after)
    there = {row.name for row in old}
    merged = [row if row.name in there else replace(row, tone=Tone.ADDED) for row in new]
    kept = {row.name for row in new}
    for position, row in enumerate(old):
        if row.name in kept:
            continue
        gone = replace(row, tone=Tone.REMOVED)
        above = next((r.name for r in reversed(old[:position]) if r.framed == row.framed), None)
        names = [r.name for r in merged]
        merged.insert(names.index(above) + 1 if above in names else 0, gone)
    framed = [k for k, row in enumerate(merged) if row.framed]
    if not framed:
        return tuple(merged)
    middle = [row for row in merged if row.framed]
    top = [row for k, row in enumerate(merged) if not row.framed and k < framed[-1]]
    return (*top, *middle, *(row for k, row in enumerate(merged) if not row.framed and k > framed[-1]))


def _title(before: tuple[str, ...], after: tuple[str, ...]) -> tuple[str, ...]:
    """Say which two models, and either factorization; once where they agree."""
    (first, *old), (second, *new) = before, after
    name, _, what = first.partition(", ")
    other = second.partition(", ")[0]
    heading = f"{name}, two versions compared" if name == other else f"{name} and {other} compared"
    if old == new:
        return heading, what, *new
    return heading, what, f"−  {old[0]}", *old[1:], f"+  {new[0]}", *new[1:]


def _legend(a: str, b: str, arrows: Iterable[Arrow], rows: Iterable[Row]) -> tuple[Remark, ...]:
    """Say what the colours mean, of arrows and of outlines alike."""
    every = list(arrows)
    tones = {arrow.tone for arrow in every} | {row.tone for row in rows}
    first, second = ("the first", "the second") if a == b else (a, b)
    out = []
    if Tone.ADDED in tones:
        out.append(Remark(Tone.ADDED, f"added: in {second} alone"))
    if Tone.REMOVED in tones:
        out.append(Remark(Tone.REMOVED, f"removed: in {first} alone"))
    if not out:
        out.append(Remark(Tone.PLAIN, "the same links in both"))
    return folded((*out, *beyond(every)))
