"""The overview of many reports: a table that compares the models, and a gallery of their diagrams."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from dvaec.derive.model import Comparison, Estimator
from dvaec.derive.steps import derivation_steps
from dvaec.emit.diagram_set import default_form, picture_source
from dvaec.emit.formula import FormulaWriter
from dvaec.emit.mathml import mathml_writer
from dvaec.emit.render import picture
from dvaec.emit.report import comparison_parts, environment
from dvaec.emit.report_parts import shown
from dvaec.emit.report_values import Report
from dvaec.emit.words import declaration_words
from dvaec.spec.model import Conditional, Side
from dvaec.spec.notation import listed

SHORT = {
    Estimator.ANALYTIC: "analytic",
    Estimator.LOG_RATIO: "log-ratio",
    Estimator.MONTE_CARLO: "Monte Carlo",
}


@dataclass(frozen=True)
class Entry:
    """One model of the overview: the stem of its page's name, its report, and its pictures' paths."""

    stem: str
    report: Report
    pictures: tuple[str, ...]


def site_pictures(report: Report, stem: str) -> dict[str, str]:
    """Return the pictures of the gallery, p and q in the form that a reader wants, by path."""
    sides = (False, True) if report.spec.latents else (False,)
    forms = [default_form(report.spec, inference) for inference in sides]
    return {
        f"pictures/{stem}-{form.value}.svg": picture(
            picture_source(report.spec, report.derivation, form), "svg"
        ).decode("utf-8")
        for form in forms
    }


def site_index(entries: Iterable[Entry]) -> str:
    """Return the overview of the reports, whose pages lie beside it."""
    rows = [_row(entry) for entry in entries]
    return environment().get_template("report_index.html.jinja").render(rows=rows)


def _row(entry: Entry) -> dict[str, Any]:
    report = entry.report
    spec, derivation = report.spec, report.derivation
    writer = mathml_writer(spec)
    bound = derivation_steps(spec, derivation.inference, report.elbo)[-1].expression
    return {
        "page": f"{entry.stem}.html",
        "pictures": entry.pictures,
        "name": spec.name,
        "about": spec.about,
        "size": report.size,
        "p": _conditionals(writer, Side.P, (*spec.generation, *spec.numbered)),
        "posterior": [shown(writer.posterior(f.conditional)) for f in derivation.posterior.factors],
        "q": _conditionals(writer, Side.Q, derivation.inference),
        "declared": declaration_words(spec) if spec.latents else "nothing is latent",
        "bound": [shown(line) for line in writer.lines(bound)],
        "estimators": [
            (shown(writer.target(term.target, term.frame)), _estimator(report, number))
            for number, term in enumerate(report.elbo.terms)
        ],
        "golden": _links(writer, derivation.comparisons, "golden"),
        "silver": _links(writer, derivation.comparisons, "silver"),
        "surrogate": bool(report.elbo.auxiliary),
    }


def _conditionals(writer: FormulaWriter, side: Side, lines: Iterable[Conditional]) -> list[Markup]:
    return [shown(writer.conditional(side, line)) for line in lines]


def _estimator(report: Report, number: int) -> str:
    term = report.elbo.terms[number]
    there = f" ({term.lengths})" if term.lengths else ""
    if not term.sampled:
        return f"{SHORT[term.estimator]}, no draws{there}"
    drawn = listed(term.sampled)
    return (
        f"{SHORT[term.estimator]}, {'sequential' if term.sequential else 'parallel'} draws of {drawn}{there}"
    )


def _links(
    writer: FormulaWriter, comparisons: Iterable[Comparison], kind: str
) -> list[tuple[Markup | None, Markup | None]]:
    parts = [comparison_parts(writer, one) for one in comparisons]
    return [(one["target"], one[kind]) for one in parts if one[kind] is not None]
