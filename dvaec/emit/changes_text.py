"""The differences between two models in words: marked lines for a terminal, plain values for programs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dvaec.derive.changes import Change, Model, Section
from dvaec.derive.model import Term
from dvaec.emit.derivation_json import Json, parent_json
from dvaec.emit.equations import conditional_text, term_text
from dvaec.emit.words import declaration_words, estimator_words, order_words
from dvaec.spec.canonical import canonical_hash
from dvaec.spec.developed_text import entry_text
from dvaec.spec.model import Conditional, Feature, Head, Inference, Parent, Role, Side, Spec, State, Variable
from dvaec.spec.notation import frame_word, parents, target

TITLES = {
    Section.PAGE: "The page",
    Section.VARIABLES: "Variables",
    Section.GENERATION: "Generative model",
    Section.ORDER: "Order of q's chain rule",
    Section.DECLARATION: "How q is declared",
    Section.INFERENCE: "Inference model",
    Section.POSTERIOR: "Exact posterior",
    Section.GOLDEN: "Golden links (in the exact posterior, not in q)",
    Section.SILVER: "Silver links (in q, not in the exact posterior)",
    Section.REDUNDANT: "Redundant links (tell nothing, given the rest of what q reads)",
    Section.ELBO: "Terms of the evidence lower bound",
    Section.AUXILIARY: "Auxiliary predictions",
    Section.STATES: "States",
    Section.FEATURES: "Features",
    Section.NETWORKS: "Networks",
}
ADDED, REMOVED, CHANGED = "+", "-", "~"
LINKS = (Section.GOLDEN, Section.SILVER, Section.REDUNDANT)


@dataclass(frozen=True)
class Line:
    """One line: its mark (+ in the second alone, - in the first alone, ~ in both; none for a title)."""

    mark: str
    text: str
    depth: int = 0


def change_lines(a: Model, b: Model, found: tuple[Change, ...]) -> Iterator[Line]:
    """Yield the differences in words, section by section."""
    section: Section | None = None
    for change in found:
        if change.section is not section:
            section = change.section
            yield Line("", TITLES[section])
        yield from _lines(a.spec, b.spec, change)


def _lines(a: Spec, b: Spec, change: Change) -> Iterator[Line]:
    label, before, after = _label(a, b, change), _text(a, change, False), _text(b, change, True)
    links = [*((REMOVED, a, p) for p in change.removed), *((ADDED, b, p) for p in change.added)]
    written = [(mark, f"{label} <- {parents((p,), spec.zero, change.key[1])}") for mark, spec, p in links]
    if change.section in LINKS:
        yield from (Line(mark, text, 1) for mark, text in written)
        return
    if before is None or after is None:
        mark, text = (ADDED, after) if before is None else (REMOVED, before)
        yield Line(mark, f"{text}{_left_out(change, before is None)}", 1)
        return
    if written:
        yield Line(CHANGED, after, 1)
        yield from (Line(mark, text, 2) for mark, text in written)
        return
    if before == after:
        yield Line(CHANGED, f"{after}   {_unlike(change)}", 1)
        return
    yield Line(REMOVED, before + _left_out(change, False), 1)
    yield Line(ADDED, after + _left_out(change, True), 1)


def _left_out(change: Change, second: bool) -> str:
    """Say of one side that its page leaves a node or network to the compiler."""
    return "" if change.given[second] else "   (developed by default)"


def _unlike(change: Change) -> str:
    """Say what differs where both sides are written alike."""
    if change.differing:
        return f"({', '.join(change.differing)})"
    words = ["given on the page" if given else "developed by default" for given in change.given]
    return f"({words[0]} -> {words[1]})" if words[0] != words[1] else "(given in part, and not the same part)"


def _label(a: Spec, b: Spec, change: Change) -> str:
    """Return what a change is of, as the page writes it: z_t, z_0, v."""
    name, frame = change.key
    spec = b if change.after is not None else a
    framed = all(v.framed for v in spec.variables if v.name == name)
    return target(Conditional(name, (), frame), framed)


def _text(spec: Spec, change: Change, second: bool) -> str | None:
    """Return one side of a change in words; None where it has nothing there."""
    value = change.after if second else change.before
    name, _ = change.key
    match value:
        case None:
            return None if change.section is not Section.PAGE else f"{name}: not given"
        case str():
            return f"{name}: {value}"
        case Variable():
            return f"{name}: {_variable(value)}"
        case Inference():
            return declaration_words(spec)
        case Term():
            text = term_text(spec, value).lstrip("+- ")
            return f"{value.kind.value}: {text}   ({estimator_words(value)})"
        case Conditional():
            side = Side.Q if change.section in (Section.INFERENCE, *LINKS) else Side.P
            return conditional_text(spec, side, value)
        case State() | Feature():
            return f"{name}_t: {entry_text(spec, value)}"
        case Head():
            return f"{_head_label(spec, value)}: {entry_text(spec, value)}"
        case _:
            return order_words(spec)


def _head_label(spec: Spec, head: Head) -> str:
    framed = spec.variable(head.target).framed
    return f"{head.side}({target(Conditional(head.target, (), head.frame), framed)})"


def _variable(variable: Variable) -> str:
    dim = f"{list(variable.axes)}" if variable.axes else str(variable.dim)
    said = [str(variable.role), f"dim {dim}"]
    said += [] if variable.role is Role.INPUT and variable.family == "gaussian" else [str(variable.family)]
    said += [f"{name} {value or 'learned'}" for name, value in variable.options]
    said += [] if variable.framed else ["one value a sequence"]
    return ", ".join([*said, *(["with a frame 0"] if variable.first == 0 else [])])


def changes_json(a: Model, b: Model, found: tuple[Change, ...], files: tuple[str, str]) -> dict[str, Json]:
    """Return the differences as plain values: texts as on a terminal, links as in the derivation's JSON."""
    sides = ("a", "b")
    models: dict[str, Json] = {
        side: {"file": file, "model": m.spec.name, "hash": canonical_hash(m.spec)}
        for side, file, m in zip(sides, files, (a, b), strict=True)
    }
    return {**models, "same": not found, "changes": [_change_json(a.spec, b.spec, c) for c in found]}


def _change_json(a: Spec, b: Spec, change: Change) -> Json:
    name, frame = change.key
    kind = "added" if change.before is None else "removed" if change.after is None else "changed"
    if change.section is Section.PAGE:
        kind = "changed"

    def links(spec: Spec, some: tuple[Parent, ...]) -> list[Json]:
        return [parent_json(one, spec.zero, frame) for one in some]

    return {
        "section": change.section.value,
        "name": name,
        "frame": None if frame is None else frame_word(frame),
        "change": kind,
        "before": None if change.before is None else _text(a, change, False),
        "after": None if change.after is None else _text(b, change, True),
        "removed": links(a, change.removed),
        "added": links(b, change.added),
        "differing": list(change.differing),
    }
