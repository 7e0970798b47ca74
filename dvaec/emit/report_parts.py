"""The mathematics of a report as values for its template: formulas, arguments, terms, equations, sizes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from markupsafe import Markup, escape

from dvaec.derive.explain import explain
from dvaec.derive.explain_text import Line, Verdict, arguments, use_words
from dvaec.derive.model import DerivedConditional, Estimator, Term, TermKey
from dvaec.derive.question import Question
from dvaec.derive.regroup import regroupings
from dvaec.derive.steps import Step, auxiliary_formula, derivation_steps
from dvaec.emit.equations import equations
from dvaec.emit.formula import FormulaWriter
from dvaec.emit.mathml import math
from dvaec.emit.report_code import Mention
from dvaec.emit.report_questions import candidates
from dvaec.emit.report_values import Report, count
from dvaec.emit.words import estimator_words, proof_words

_SUBSCRIPTED = re.compile(
    r"\b([A-Za-z][A-Za-z0-9_]*)_(\{[^{}]*\}|<(?:[<>]=?)?[^<>]*>|[tT]|\d+)(?![A-Za-z0-9_])"
)


def marked(element: str) -> Markup:
    """Say of an element that dvaec or Graphviz has written that it is HTML."""
    return Markup(element)


def shown(body: str) -> Markup:
    """Return a formula of the MathML writer as an element."""
    return Markup(math(body))


def typeset(text: str) -> Markup:
    """Return text with its subscripts lowered, as equations and pages write them: x_{1:t-1}, z_t, x_<<t>."""
    out, at = [Markup("")], 0
    for found in _SUBSCRIPTED.finditer(text):
        name, below = found[1], found[2][1:-1] if found[2][0] in "{<" else found[2]
        out += [_arrowed(text[at : found.start()]), Markup("<var>{}<sub>{}</sub></var>").format(name, below)]
        at = found.end()
    return Markup("").join([*out, _arrowed(text[at:])])


def _arrowed(text: str) -> Markup:
    return escape(text.replace(" <- ", " ← ").replace(" -> ", " → "))


@dataclass(frozen=True)
class ArgumentPart:
    """One answer about a part of a window: its verdict, a sentence, the proof with places on the page."""

    verdict: Verdict
    window: str
    head: str
    lines: tuple[tuple[str, int | None, str], ...]


@dataclass(frozen=True)
class Factor:
    """One factor of the exact posterior, why its windows hold for every T, and the argument of every link."""

    formula: Markup
    target: Markup
    proof: str
    arguments: tuple[ArgumentPart, ...]
    use: tuple[str, ...]


def factors(report: Report, writer: FormulaWriter) -> tuple[Factor, ...]:
    """Return every factor of the posterior with the argument for each variable that it might read."""
    return tuple(_factor(report, writer, factor) for factor in report.derivation.posterior.factors)


def _factor(report: Report, writer: FormulaWriter, factor: DerivedConditional) -> Factor:
    conditional = factor.conditional
    said: list[ArgumentPart] = []
    use: list[str] = []
    for candidate in candidates(report.spec, factor):
        question = Question(conditional.target, candidate, conditional.frame)
        explanation = explain(report.spec, report.derivation, question)
        for one in arguments(explanation, report.source):
            lines = tuple(_line(report, line) for line in one.lines)
            said.append(ArgumentPart(one.verdict, one.window, _said(one.head), lines))
        use += use_words(explanation)
    return Factor(
        shown(writer.posterior(conditional)),
        shown(writer.target(conditional.target, conditional.frame)),
        proof_words(factor, writer.spec.zero),
        tuple(sorted(said, key=lambda one: list(Verdict).index(one.verdict))),
        tuple(use),
    )


def _said(head: str) -> str:
    """Return an answer as a sentence, without its yes or no, which the verdict says."""
    rest = head.partition(": ")[2].rstrip(".")
    end = ":" if rest.endswith("through") else "."
    return f"G{rest[1:]}{end}" if rest.startswith("given") else f"{rest}{end}"


def _line(report: Report, line: Line) -> tuple[str, int | None, str]:
    """Return what is said, the line of the page it rests on, and what is written there."""
    if line.span is None:
        return line.text, None, ""
    here = line.span.file == report.source.file
    return line.text, line.span.line if here else None, line.written


@dataclass(frozen=True)
class StepPart:
    """One step of the derivation: why it is legal, and its expression, a line for each term."""

    why: str
    lines: tuple[Markup, ...]


def steps(report: Report, writer: FormulaWriter) -> tuple[tuple[StepPart, ...], tuple[StepPart, ...]]:
    """Return the steps to the bound, and the other forms that it has."""
    args = (report.spec, report.derivation.inference, report.elbo)
    return _parts(writer, derivation_steps(*args)), _parts(writer, regroupings(*args))


def _parts(writer: FormulaWriter, found: Iterable[Step]) -> tuple[StepPart, ...]:
    return tuple(
        StepPart(one.justification, tuple(shown(line) for line in writer.lines(one.expression)))
        for one in found
    )


@dataclass(frozen=True)
class TermPart:
    """One term of the bound with its estimator and the reasons."""

    sign: str
    formula: Markup
    kind: str
    target: Markup
    estimator: Estimator
    words: str
    reason: str
    schedule: str


def terms(report: Report, writer: FormulaWriter) -> tuple[TermPart, ...]:
    """Return the terms of the bound, and behind them what a surrogate objective adds."""
    args = (report.spec, report.derivation.inference, report.elbo)
    written = writer.terms(derivation_steps(*args)[-1].expression)
    added = auxiliary_formula(*args)
    if added is not None:
        written |= writer.terms(added)
    return tuple(_term(writer, term, written) for term in (*report.elbo.terms, *report.elbo.auxiliary))


def _term(writer: FormulaWriter, term: Term, written: dict[TermKey, str]) -> TermPart:
    return TermPart(
        "−" if term.q is not None else "+",
        shown(written[term.key]),
        term.kind.value,
        shown(writer.target(term.target, term.frame)),
        term.estimator,
        estimator_words(term),
        term.reason,
        term.schedule_reason,
    )


@dataclass(frozen=True)
class EquationPart:
    """One numbered equation of the developed form: its text, its layers and sizes, where it is computed."""

    number: int
    text: Markup
    modules: tuple[tuple[str, tuple[tuple[str, str, int], ...], int], ...]
    places: tuple[Mention, ...]

    @property
    def size(self) -> int:
        """The number of values that are trained for it."""
        return sum(size for _, _, size in self.modules)


def equation_parts(report: Report) -> tuple[EquationPart, ...]:
    """Return the equations with what the module has of each: layers, sizes, lines."""
    written = equations(report.developed, report.plan.network, report.derivation.inference)
    found = report.mentions
    owned = _owners(report, found)
    return tuple(
        EquationPart(
            number, typeset(text), _modules(report, owned.get(number, ())), _first_places(found, number)
        )
        for number, text in enumerate(written.values(), 1)
    )


def _owners(report: Report, found: Iterable[Mention]) -> dict[int, tuple[str, ...]]:
    """Return the module's parts by the number of the equation that heads them in `__init__`."""
    headings = {one.line: one.equation for one in found if one.function == "__init__"}
    owned: dict[int, tuple[str, ...]] = {}
    current = 0
    for number, line in enumerate(report.module.splitlines(), 1):
        current = headings.get(number, current)
        made = re.match(r" {8}self\.(\w+)(?:: [^=]+)? = ", line)
        if made and headings and number > min(headings):
            owned[current] = (*owned.get(current, ()), made[1])
    return owned


def _modules(
    report: Report, names: tuple[str, ...]
) -> tuple[tuple[str, tuple[tuple[str, str, int], ...], int], ...]:
    out = []
    for name in dict.fromkeys(names):
        mine = [(n, shape) for n, shape in report.parameters if n == name or n.startswith(f"{name}.")]
        rows = tuple(
            (n[len(name) + 1 :] or name, " × ".join(map(str, shape)) or "1", count(shape))
            for n, shape in mine
        )
        if rows:
            out.append((name, rows, sum(size for _, _, size in rows)))
    return tuple(out)


def _first_places(found: Iterable[Mention], number: int) -> tuple[Mention, ...]:
    """Return the first line of each function that computes an equation."""
    first: dict[str, Mention] = {}
    for one in found:
        if one.equation == number:
            first.setdefault(one.function, one)
    return tuple(first.values())
