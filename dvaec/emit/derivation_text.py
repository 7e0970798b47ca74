"""The derivation as Unicode text for a terminal."""

from __future__ import annotations

import textwrap

from dvaec.derive.model import Comparison, Derivation, Elbo, Term
from dvaec.derive.regroup import regroupings
from dvaec.derive.steps import auxiliary_formula, derivation_steps
from dvaec.emit.folding import folded
from dvaec.emit.formula import FormulaWriter, Notation
from dvaec.emit.words import (
    AUXILIARY,
    comparison_words,
    declaration_words,
    estimator_words,
    order_words,
    proof_words,
    rest_words,
)
from dvaec.spec.model import Spec
from dvaec.spec.notation import lowered

WIDTH = 100


def _variable(name: str, below: str | None) -> str:
    return name if below is None else name + lowered(below)


def _sign(sign: str, first: int, left: int) -> str:
    if (first, left) == (1, 0):
        return f"{sign}ₜ"
    return f"{sign}{lowered(f't={first}..T')}" + (lowered(f"-{left}") if left else "")


def _symbol(side: str, parameters: str) -> str:
    del parameters
    return side


UNICODE = Notation(
    variable=_variable,
    symbol=_symbol,
    density="{symbol}({of})",
    conditional="{symbol}({of} | {given})",
    log="log {body}",
    mean="𝔼[{measure}] [ {body} ]",
    divergence="KL( {q} ‖ {p} )",
    sum_over=lambda first, left: _sign("∑", first, left),
    product_over=lambda first, left: _sign("∏", first, left),
    there=lambda lengths: f"[{lengths}]",
    where_longer="{body}^[T > 1]",
    group="( {body} )",
    bound="ℒ(θ, φ; {given})",
    equation="{whole} = {factors}",
    plus=" + ",
    minus=" − ",
)


def derivation_text(spec: Spec, derivation: Derivation, elbo: Elbo, width: int = WIDTH) -> str:
    """Return p, its exact posterior, q, golden and silver arrows, and the bound with its reasons.

    Lines are at most `width` wide, as far as their words allow.
    """
    writer = FormulaWriter(spec, UNICODE)
    heading = f"{spec.name}: {spec.about}" if spec.about else spec.name
    compared = [line for c in derivation.comparisons for line in _compare(writer, c)]
    latent = [
        ("Exact posterior", [order_words(spec), *_posterior(writer, derivation)]),
        (f"Inference model ({declaration_words(spec)})", [writer.inference(derivation.inference)]),
        ("q against the exact posterior", [*compared, *comparison_words(spec, derivation)]),
    ]
    sections = [
        (heading, ["; ".join(spec.cites)] if spec.cites else []),
        ("Generative model", [writer.joint()]),
        *(
            latent
            if spec.latents
            else [("Nothing is latent: there is no posterior, and the bound is tight", [])]
        ),
        ("Evidence lower bound", _bound(spec, writer, derivation, elbo)),
        ("Its terms", [line for term in elbo.terms for line in _term(writer, term)]),
    ]
    added = auxiliary_formula(spec, derivation.inference, elbo)
    if added is not None:
        reasons = [line for term in elbo.auxiliary for line in _term(writer, term)]
        first, *others = writer.lines(added)
        sections.append((AUXILIARY, [f"+ {first}", *(line.strip() for line in others), *reasons]))
    return "\n\n".join(_section(title, lines, width) for title, lines in sections) + "\n"


class _Reason(str):
    """A line of running text under what it gives the reason for."""

    __slots__ = ()


def _section(title: str, lines: list[str], width: int) -> str:
    parts = _wrapped(title, width, 0, 4)
    for line in lines:
        parts += _wrapped(line, width, 6, 6) if isinstance(line, _Reason) else folded(f"  {line}", width)
    return "\n".join(parts)


def _wrapped(text: str, width: int, first: int, then: int) -> list[str]:
    return textwrap.wrap(
        text, width, initial_indent=" " * first, subsequent_indent=" " * then, break_on_hyphens=False
    )


def _posterior(writer: FormulaWriter, derivation: Derivation) -> list[str]:
    factors = derivation.posterior.factors
    lines = [writer.exact(factor.conditional for factor in factors)]
    for factor in factors:
        target = writer.target(factor.conditional.target, factor.conditional.frame)
        lines.append(_Reason(f"{target}: {proof_words(factor, writer.spec.zero)}"))
    return lines


def _compare(writer: FormulaWriter, comparison: Comparison) -> list[str]:
    target = writer.target(comparison.target, comparison.frame)
    kinds = (comparison.golden, comparison.silver, comparison.redundant)
    golden, silver, idle = (writer.parents(links, comparison.frame) for links in kinds)
    lines: list[str] = []
    if comparison.golden:
        seen = f", of which q sees {writer.parents(comparison.singles, comparison.frame)}"
        seen = seen if comparison.singles else ""
        lines.append(f"{target}  golden (in the exact posterior, not in q): {golden}{seen}")
    if comparison.silver:
        read = f", but for {writer.parents(comparison.kept, comparison.frame)}, which that reads"
        read = read if comparison.kept else ""
        lines.append(f"{target}  silver (in q, not in the exact posterior): {silver}{read}")
    if comparison.redundant:
        lines.append(f"{target}  redundant (tells nothing, given the rest of what q reads): {idle}")
    far = " but at the ends" if comparison.unseen else ""
    return lines or [f"{target}  q has the exact posterior's structure{far}"]


def _bound(spec: Spec, writer: FormulaWriter, derivation: Derivation, elbo: Elbo) -> list[str]:
    steps = derivation_steps(spec, derivation.inference, elbo)
    lines = [writer.bound(), f"  = {writer.formula(steps[0].expression)}"]
    for position, line in enumerate(writer.lines(steps[-1].expression)):
        lines.append(f"  = {line}" if position == 0 else f"   {line}")
    lines += ["by", *(_Reason(step.justification) for step in steps[1:])]
    for other in regroupings(spec, derivation.inference, elbo):
        lines.append(f"or, regrouped: {other.justification}")
        for position, line in enumerate(writer.lines(other.expression)):
            lines.append(f"  = {line}" if position == 0 else f"   {line}")
    return lines


def _term(writer: FormulaWriter, term: Term) -> list[str]:
    rest = f", {words}" if (words := rest_words(term)) else ""
    name = writer.target(term.target, term.frame)
    heading = f"{term.kind.value} of {name}{rest}: {estimator_words(term)}"
    return [heading, _Reason(term.reason), _Reason(term.schedule_reason)]
