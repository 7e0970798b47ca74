"""A report: one page of HTML, by itself, with all that is known about one model.

No script, no network: formulas are MathML, pictures stand in line, what folds is <details>. Whatever comes
from the page of YAML is text and is escaped; the page's own policy forbids scripts besides.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import jinja2
from markupsafe import Markup

from dvaec.derive.model import Comparison
from dvaec.emit.formula import FormulaWriter
from dvaec.emit.mathml import mathml_writer
from dvaec.emit.report_code import module_lines, page_lines
from dvaec.emit.report_parts import equation_parts, factors, marked, shown, steps, terms, typeset
from dvaec.emit.report_pictures import pictures
from dvaec.emit.report_schedule import schedules
from dvaec.emit.report_values import Report
from dvaec.emit.words import AUXILIARY, comparison_words, declaration_words, order_words


def report_page(report: Report, index: str = "") -> str:
    """Return the page; `index` is where a link back to the overview leads, if there is one.

    Raises RenderError where there is no Graphviz.
    """
    return environment().get_template("report.html.jinja").render(_context(report), index=index)


@cache
def environment() -> jinja2.Environment:
    """Return the templates' environment; all that is put in is escaped unless it is marked as HTML."""
    made = jinja2.Environment(
        loader=jinja2.PackageLoader("dvaec.emit", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters["thousands"] = _thousands
    made.filters["sentence"] = _sentence
    made.filters["typeset"] = typeset
    return made


def _thousands(number: int) -> str:
    return f"{number:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def _sentence(text: str) -> str:
    """Begin with a capital and leave the rest, names and numbers, as it is."""
    return text[:1].upper() + text[1:]


def _context(report: Report) -> dict[str, Any]:
    spec, derivation = report.spec, report.derivation
    writer = mathml_writer(spec)
    derived, others = steps(report, writer)
    found = terms(report, writer)
    drawn = [marked(one) for one in pictures(spec, derivation)]
    return {
        "name": spec.name,
        "about": spec.about,
        "cites": spec.cites,
        "hash": report.hash,
        "version": report.version,
        "overrides": report.overrides,
        "pictures": drawn,
        "joint": shown(writer.joint()),
        "latents": spec.latents,
        "order": order_words(spec) if spec.latents else "",
        "exact": shown(writer.exact(f.conditional for f in derivation.posterior.factors)),
        "factors": factors(report, writer),
        "declared": declaration_words(spec),
        "inference": shown(writer.inference(derivation.inference)),
        "comparisons": [comparison_parts(writer, one) for one in derivation.comparisons],
        "choices": comparison_words(spec, derivation),
        "bound": shown(writer.bound()),
        "steps": derived,
        "others": others,
        "terms": found[: len(report.elbo.terms)],
        "auxiliary": found[len(report.elbo.terms) :],
        "auxiliary_words": AUXILIARY,
        "schedules": [(one, marked(one.svg)) for one in schedules(report.plan)],
        "refused": report.plan.refused,
        "equations": equation_parts(report),
        "size": report.size,
        "module": module_lines(report.module),
        "page": page_lines(report.source, spec),
    }


def comparison_parts(writer: FormulaWriter, comparison: Comparison) -> dict[str, Markup | None]:
    """Return the target with its golden, silver and redundant links, None where there are none."""
    kinds = {
        "golden": comparison.golden,
        "singles": comparison.singles,
        "silver": comparison.silver,
        "kept": comparison.kept,
        "redundant": comparison.redundant,
    }
    shown_links = {
        kind: shown(writer.parents(links, comparison.frame)) if links else None
        for kind, links in kinds.items()
    }
    return {"target": shown(writer.target(comparison.target, comparison.frame)), **shown_links}
