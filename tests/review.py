"""The review's side of docs/models.md, read from docs/review.yaml, and dvaec's derivations beside it."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from dvaec.compiler import Compilation, run
from dvaec.derive.explain import explain
from dvaec.derive.explain_text import explanation_text
from dvaec.derive.question import parse_question
from dvaec.derive.regroup import regroupings
from dvaec.derive.steps import derivation_steps
from dvaec.emit.formula import FormulaWriter
from dvaec.emit.latex import LATEX, formula_latex
from dvaec.spec.model import Conditional, Role
from dvaec.spec.read import read_spec
from tests.shipped import ROOT, SPECS

DATA = ROOT / "docs" / "review.yaml"
PARTS = ("exact", "q", "golden", "silver", "bound")

_TOKENS = re.compile(
    r"(?P<kl>KL\()|(?P<mean>E<)|(?P<open>>\[)|(?P<close>\])|(?P<bars>\|\|)|(?P<sum>sum\b)|(?P<log>log\b)"
    r"|(?P<side>[pq])\((?P<of>[a-z]+)(_(?P<at>[0-9tT:+-]+))?"
    r"|(?P<name>[a-z]+)(_(?P<frames>[0-9tT:+-]+))?|(?P<end>\))|(?P<bar>\|)|(?P<rest>.)"
)


@dataclass(frozen=True)
class Statement:
    """What the review states of one thing: conditionals, or the terms of a bound; `at` is its number.

    `means` are terms equal to `terms` as dvaec writes them; they are compared with the regrouped bound, as a whole,
    where the review has it `regrouped`. `differs` says why the derivation gives
    something else; None where it must give the same.
    """

    at: str
    lines: tuple[str, ...] = ()
    terms: tuple[str, ...] = ()
    means: tuple[str, ...] = ()
    differs: str | None = None
    regrouped: bool = False


@dataclass(frozen=True)
class Entry:
    """One page and what the review says of it; a part that it does not state is None."""

    page: str
    chapter: str
    exact: Statement | None
    q: Statement | None
    golden: Statement | None
    silver: Statement | None
    bound: Statement | None


@dataclass(frozen=True)
class Probe:
    """A page, with values set on it, whose derived posterior speaks for itself; a link on which more is said."""

    page: str
    overrides: tuple[str, ...]
    link: str | None


@dataclass(frozen=True)
class Finding:
    """A place where the review's words are not what its own graph implies; one that `adds` is where it is silent."""

    name: str
    at: str
    says: str
    why: str
    adds: bool
    probes: tuple[Probe, ...]


@cache
def _data() -> dict[str, Any]:
    loaded = yaml.safe_load(DATA.read_text(encoding="utf-8"))
    assert isinstance(loaded, dict)
    return loaded


def entries() -> tuple[Entry, ...]:
    """Return the models in the order of the table."""
    return tuple(_entry(one) for one in _data()["models"])


def _entry(one: dict[str, Any]) -> Entry:
    reasons = one.get("differs", {})
    assert set(one) <= {"page", "chapter", "differs", *PARTS}, one
    assert set(reasons) <= set(PARTS) & set(one), one["page"]
    made: dict[str, Statement | None] = dict.fromkeys(PARTS)
    for part in PARTS:
        if said := one.get(part):
            made[part] = Statement(
                said["at"],
                tuple(said.get("lines", ())),
                tuple(said.get("terms", ())),
                tuple(said.get("means", said.get("terms", ()))),
                reasons.get(part),
                said.get("regrouped", False),
            )
    return Entry(one["page"], one["chapter"], *(made[part] for part in PARTS))


def findings() -> tuple[Finding, ...]:
    """Return the places where the review's text and its graphs part."""
    return tuple(
        Finding(
            one["name"],
            one["at"],
            one["says"],
            one["why"],
            one.get("adds", False),
            tuple(Probe(p["page"], tuple(p.get("set", ())), p.get("explain")) for p in one.get("probes", ())),
        )
        for one in _data()["findings"]
    )


def path_of(page: str) -> Path:
    """Return a shipped page's file."""
    return SPECS / f"{page}.yaml"


@cache
def derived(page: str, overrides: tuple[str, ...] = ()) -> Compilation:
    """Derive a shipped page; one that values are set on loses its developed form and its own q."""
    if not overrides:
        return run(path_of(page), until="elbo")
    return run(path_of(page), [*bare(page), "inference=exact", *overrides], until="elbo")


def bare(page: str) -> tuple[str, ...]:
    """Return the overrides that take a page's developed form away."""
    text = path_of(page).read_text(encoding="utf-8")
    empty = {"states": "{}", "features": "{}", "networks": "{}", "auxiliary": "[]"}
    return tuple(f"{key}={nothing}" for key, nothing in empty.items() if re.search(rf"(?m)^{key}:", text))


def conditionals(page: str, lines: Sequence[str]) -> dict[tuple[str, int | None], Conditional]:
    """Return what conditionals in the page's notation mean, by target and frame."""
    if not lines:
        return {}
    named = {re.split(r"[\s_|]", line)[0] for line in lines}
    whole = read_spec(path_of(page))[0]
    silent = [v.name + "_t" * v.framed for v in whole.having(Role.LATENT) if v.name not in named]
    listed = ", ".join(f'"{line}"' for line in (*lines, *silent))
    spec = read_spec(path_of(page), [*bare(page), f"inference=[{listed}]"])[0]
    both = (*spec.inference.conditionals, *spec.inference.numbered)
    return {(one.target, one.frame): one for one in both if one.target in named}


def exact_factors(known: Compilation) -> dict[tuple[str, int | None], Conditional]:
    """Return the factors of the exact posterior, by target and frame."""
    assert known.derivation is not None
    made = [factor.conditional for factor in known.derivation.posterior.factors]
    return {(one.target, one.frame): one for one in made}


def q_factors(known: Compilation) -> dict[tuple[str, int | None], Conditional]:
    """Return the factors of q as declared, by target and frame."""
    assert known.derivation is not None
    return {(one.target, one.frame): one for one in known.derivation.inference}


def links(known: Compilation, part: str) -> dict[tuple[str, int | None], Conditional]:
    """Return the golden or the silver links as conditionals, by target and frame; those that have any."""
    assert known.derivation is not None
    found = {}
    for one in known.derivation.comparisons:
        if parents := one.golden if part == "golden" else one.silver:
            found[one.target, one.frame] = Conditional(one.target, parents, one.frame)
    return found


def bound_terms(known: Compilation) -> tuple[str, ...]:
    """Return the terms of the derived bound in LaTeX, each with its sign."""
    assert known.derivation is not None
    assert known.elbo is not None
    last = derivation_steps(known.spec, known.derivation.inference, known.elbo)[-1].expression
    lines = FormulaWriter(known.spec, LATEX).lines(last)
    return tuple(line.strip() if line.strip()[0] in "+-" else f"+ {line.strip()}" for line in lines)


def regrouped(known: Compilation) -> tuple[str, ...]:
    """Return the other forms of the derived bound in LaTeX."""
    assert known.derivation is not None
    assert known.elbo is not None
    found = regroupings(known.spec, known.derivation.inference, known.elbo)
    return tuple(formula_latex(known.spec, one.expression) for one in found)


def explained(known: Compilation, link: str) -> list[str]:
    """Return what `dvaec explain` says of one link, files named from the root of the repository."""
    assert known.derivation is not None
    answer = explain(known.spec, known.derivation, parse_question(link, known.spec))
    return explanation_text(answer, known.source).replace(f"{ROOT}{os.sep}", "").splitlines()


def latex(plain: str) -> str:
    """Return LaTeX, in the macros of dvaec's own formulas, for a term such as `- sum KL(q(z_t | x_t) || p(z_t))`."""
    out, open_parts = [], list[str]()
    conditioned = {m.start() for m in re.finditer(r"p\((?=[^()]*\|)", plain)}
    for token in _TOKENS.finditer(plain):
        kind = token.lastgroup
        if token["kl"]:
            open_parts.append(r" \right)")
            out.append(r"D_{\mathrm{KL}}\left( ")
        elif token["side"]:
            open_parts.append(")")
            parameters = rf"_{{\theta_{token['of']}}}" if token.start() in conditioned else ""
            symbol = r"q_\phi(" if token["side"] == "q" else f"p{parameters}("
            out.append(symbol + _bold(token["of"], token["at"]))
        elif token["name"]:
            out.append(_bold(token["name"], token["frames"]))
        elif token["end"]:
            out.append(open_parts.pop())
        else:
            fixed = {"mean": r"\mathbb{E}_{", "open": r"}\left[ ", "close": r" \right]", "bars": r"\,\|\,"}
            fixed |= {"sum": r"\sum_{t=1}^{T}", "log": r"\log", "bar": r"\mid"}
            out.append(fixed.get(str(kind), token[0]))
    return "".join(out)


def _bold(name: str, frames: str | None) -> str:
    below = "" if frames is None else f"_{frames}" if len(frames) == 1 else f"_{{{frames}}}"
    return rf"\mathbf{{{name}}}{below}"


def squeezed(formula: str) -> str:
    """Return a formula without blanks, for comparison."""
    return re.sub(r"\s", "", formula)
