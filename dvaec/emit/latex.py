"""The derivation as LaTeX: in the review's own notation, and as documents that compile by themselves."""

from __future__ import annotations

from collections.abc import Iterable

import jinja2

from dvaec.derive.expression import Formula
from dvaec.derive.model import Derivation, DerivedConditional, Elbo, Term
from dvaec.derive.regroup import regroupings
from dvaec.derive.steps import Step, auxiliary_formula, derivation_steps
from dvaec.emit.formula import FormulaWriter, Notation
from dvaec.emit.latex_rows import rows
from dvaec.emit.tex import escape
from dvaec.emit.words import AUXILIARY, comparison_words, estimator_words, order_words, proof_words
from dvaec.spec.model import Spec


def _variable(name: str, below: str | None) -> str:
    bold = rf"\mathbf{{{escape(name)}}}"
    if below is None:
        return bold
    return f"{bold}_{below}" if len(below) == 1 else f"{bold}_{{{below}}}"


def _symbol(side: str, parameters: str) -> str:
    if not parameters:
        return side
    greek, _, of = parameters.partition("_")
    if not of:
        return rf"{side}_\{greek}"
    return (
        rf"{side}_{{\{greek}_{of}}}" if len(of) == 1 else rf"{side}_{{\{greek}_{{\mathrm{{{escape(of)}}}}}}}"
    )


def _last(left: int) -> str:
    return f"T-{left}" if left else "T"


LATEX = Notation(
    variable=_variable,
    symbol=_symbol,
    density="{symbol}({of})",
    conditional=r"{symbol}({of} \mid {given})",
    log=r"\log {body}",
    mean=r"\mathbb{{E}}_{{{measure}}}\left[ {body} \right]",
    divergence=r"D_{{\mathrm{{KL}}}}\left( {q} \,\|\, {p} \right)",
    sum_over=lambda first, left: rf"\sum_{{t={first}}}^{{{_last(left)}}}",
    product_over=lambda first, left: rf"\prod_{{t={first}}}^{{{_last(left)}}}",
    there=lambda lengths: rf"[{lengths}] \,",
    where_longer="{body}^{{[T > 1]}}",
    group=r"\left( {body} \right)",
    bound=r"\mathcal{{L}}(\theta, \phi; {given})",
    equation="{whole} = {factors}",
    plus=" + ",
    minus=" - ",
)


def formula_latex(spec: Spec, formula: Formula) -> str:
    """Return an expression in LaTeX, without delimiters."""
    return FormulaWriter(spec, LATEX).formula(formula)


def elbo_tex(spec: Spec, derivation: Derivation, elbo: Elbo) -> str:
    """Return a document with the evidence lower bound, every step to it, and its terms' estimators."""
    return _document("elbo.tex.jinja", spec, derivation, elbo)


def derivation_latex(spec: Spec, derivation: Derivation, elbo: Elbo) -> str:
    """Return a document with p, its exact posterior, q, their difference, and the evidence lower bound."""
    return _document("derivation.tex.jinja", spec, derivation, elbo)


def _document(template: str, spec: Spec, derivation: Derivation, elbo: Elbo) -> str:
    writer = FormulaWriter(spec, LATEX)
    steps = derivation_steps(spec, derivation.inference, elbo)
    added = auxiliary_formula(spec, derivation.inference, elbo)
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("dvaec.emit", "templates"),
        block_start_string="<%", block_end_string="%>", variable_start_string="<<", variable_end_string=">>",
        comment_start_string="<#", comment_end_string="#>", trim_blocks=True, lstrip_blocks=True,
        keep_trailing_newline=True, undefined=jinja2.StrictUndefined, autoescape=False,
    )  # fmt: skip
    return environment.get_template(template).render(
        name=escape(spec.name),
        about=escape(spec.about),
        cites=[escape(cite) for cite in spec.cites],
        bound=writer.bound(),
        joint=writer.joint(),
        exact=writer.exact(f.conditional for f in derivation.posterior.factors),
        inference=writer.inference(derivation.inference),
        factors=[_factor(writer, factor) for factor in derivation.posterior.factors],
        order=escape(order_words(spec)),
        comparisons=[
            (
                writer.target(c.target, c.frame),
                writer.parents(c.golden, c.frame),
                writer.parents(c.singles, c.frame),
                writer.parents(c.silver, c.frame),
                writer.parents(c.kept, c.frame),
                writer.parents(c.redundant, c.frame),
                " but at the ends" if c.unseen else "",
            )
            for c in derivation.comparisons
        ],
        choice=[escape(line) for line in comparison_words(spec, derivation)],
        steps=[_step(writer, step) for step in steps],
        terms=[_term(writer, term) for term in elbo.terms],
        others=[_step(writer, step) for step in regroupings(spec, derivation.inference, elbo)],
        auxiliary=escape(AUXILIARY),
        added=[] if added is None else _rows(writer.lines(added)),
        added_terms=[_term(writer, term) for term in elbo.auxiliary],
    )


def _step(writer: FormulaWriter, step: Step) -> tuple[str, tuple[str, ...]]:
    return escape(step.justification), _rows(writer.lines(step.expression))


def _rows(lines: Iterable[str]) -> tuple[str, ...]:
    return tuple(row for line in lines for row in rows(line))


def _term(writer: FormulaWriter, term: Term) -> tuple[str, str, str, str]:
    there = rf",\ {term.lengths}" if term.lengths else ""
    return (
        writer.target(term.target, term.frame) + there,
        escape(estimator_words(term)),
        escape(term.reason),
        escape(term.schedule_reason),
    )


def _factor(writer: FormulaWriter, factor: DerivedConditional) -> tuple[str, str]:
    return writer.posterior(factor.conditional), escape(proof_words(factor, writer.spec.zero))
