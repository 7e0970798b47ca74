"""docs/models.md: for each shipped model the review's posterior, q and bound beside the derived ones.

The derived side is computed from specs/, the review's side stands in docs/review.yaml. `python -m tests.regenerate`
rewrites the page.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from dvaec.compiler import Compilation
from dvaec.emit.formula import FormulaWriter
from dvaec.emit.latex import LATEX
from dvaec.emit.loose_words import loose_frames
from dvaec.spec.model import Conditional, Side
from dvaec.spec.notation import parents, target
from tests.review import (
    Entry,
    Finding,
    Probe,
    Statement,
    bound_terms,
    conditionals,
    derived,
    entries,
    explained,
    findings,
    latex,
    links,
    q_factors,
    regrouped,
)
from tests.shipped import ROOT

PAGE = ROOT / "docs" / "models.md"

INTRODUCTION = """\
# The review's models, derived

For every model that ships in `specs/`: the exact posterior, the inference model and the evidence lower bound as Girin
et al., *Dynamical Variational Autoencoders: A Comprehensive Review* (2021), print them, beside what dvaec derives from
the page's conditionals. The review's side is transcribed by hand in [`review.yaml`](review.yaml); the derived side is
made by `python -m tests.regenerate`, and the tests compare the two: a part that says *differs* must differ, every other
must be equal. A dash says that the review states nothing, or words that leave it open (DSSM's "filtering inference
model").

Of the models that the review names only FVAE and GP-VAE (12.3) are missing: a tensor factorization of z and a Gaussian
process over its frames are no products of conditionals with windows. Two variants that it mentions in passing are one
line away: NASMC's with white latents (`z_t` in the place of `z_t | z_<<t>`), and q(z_t | x_1:t) without z_t-1 (5.2).

*Golden* are the links of the exact posterior that q lacks, *silver* those of q that the exact posterior does not have.
"""


def review_page() -> str:
    """Return docs/models.md."""
    overview = [
        "## Overview",
        "",
        "| page | chapter | exact posterior | q | bound | golden | silver |",
        "| --- | --- | --- | --- | --- | --- | --- |",
        *(_row(entry) for entry in entries()),
    ]
    parts = [INTRODUCTION, "\n".join(overview) + "\n", *_findings(), "## The models\n"]
    return "\n".join([*parts, *(_section(entry) for entry in entries())])


def _row(entry: Entry) -> str:
    cells = [_verdict(one) for one in (entry.exact, entry.q, entry.bound)]
    cells += [_brief(derived(entry.page), part) for part in ("golden", "silver")]
    return f"| [`{entry.page}`](#{entry.page}) | {entry.chapter} | {' | '.join(cells)} |"


def _verdict(said: Statement | None) -> str:
    if said is None:
        return "-"
    return f"{said.at}: {'differs' if said.differs else 'equal'}"


def _brief(known: Compilation, part: str) -> str:
    """Write links as a page writes reads, each latent's own."""
    found = links(known, part).values()
    several = len(known.spec.latents) > 1
    lists = []
    for one in found:
        name = target(one, known.spec.variable(one.target).framed)
        listed = parents(one.parents, [v.name for v in known.spec.variables if not v.first])
        lists.append(f"`{name}: {listed}`" if several else f"`{listed}`")
    return "<br>".join(lists) or "none"


def _section(entry: Entry) -> str:
    known = derived(entry.page)
    assert known.elbo is not None
    rows = _latent_rows(entry, known) if known.spec.latents else []
    rows.append(("bound", _said_bound(entry), _terms(bound_terms(known))))
    rows += [("regrouped", "", _formula(form)) for form in regrouped(known)]
    lines = [
        f"### {entry.page}",
        "",
        f"{known.spec.about} (chapter {entry.chapter}; [`specs/{entry.page}.yaml`](../specs/{entry.page}.yaml)).",
        "",
        "| | the review | derived |",
        "| --- | --- | --- |",
        *(f"| {what} | {said} | {found} |" for what, said, found in rows),
        "",
    ]
    for what, said in (("exact posterior", entry.exact), ("q", entry.q), ("bound", entry.bound)):
        if said is not None and said.differs is not None:
            lines += [f"**The {what} differs.** {said.differs}", ""]
    if known.elbo.auxiliary:
        lines += ["In training its auxiliary terms are added, which make the objective a surrogate.", ""]
    return "\n".join(lines)


def _latent_rows(entry: Entry, known: Compilation) -> list[tuple[str, str, str]]:
    writer = _writer(known)
    q = [_formula(writer.conditional(Side.Q, one)) for one in q_factors(known).values()]
    rows = [
        ("exact posterior", _said(entry, entry.exact, known, posterior=True), "<br>".join(_exact(known))),
        ("q", _said(entry, entry.q, known, posterior=False), "<br>".join(q)),
    ]
    for part, said in (("golden", entry.golden), ("silver", entry.silver)):
        stated = "-"
        if said is not None:
            stated = f"{_arrows(known, conditionals(entry.page, said.lines))}<br>{said.at}"
        rows.append((part, stated, _arrows(known, links(known, part))))
    return rows


def _exact(known: Compilation) -> list[str]:
    """Write the factors of the exact posterior, and where they are smaller than their windows."""
    assert known.derivation is not None
    writer = _writer(known)
    found = []
    for factor in known.derivation.posterior.factors:
        frames = loose_frames(factor.loose)
        smaller = f" (fewer at {frames})" if frames else ""
        found.append(_formula(writer.posterior(factor.conditional)) + smaller)
    return found


def _said(entry: Entry, said: Statement | None, known: Compilation, *, posterior: bool) -> str:
    if said is None:
        return "-"
    writer = _writer(known)
    stated = conditionals(entry.page, said.lines)
    ordered = [stated[key] for key in q_factors(known) if key in stated]
    texts = [writer.posterior(one) if posterior else writer.conditional(Side.Q, one) for one in ordered]
    return "<br>".join([*(_formula(text) for text in texts), said.at])


def _said_bound(entry: Entry) -> str:
    if entry.bound is None:
        return "-"
    terms = [latex(term) for term in entry.bound.terms]
    whole = _formula(" ".join(terms)) if entry.bound.regrouped else _terms(terms)
    return f"{whole}<br>{entry.bound.at}"


def _terms(terms: Iterable[str]) -> str:
    """Write the terms of a bound, one a line, without a sign before a first positive one."""
    signed = [term.strip() for term in terms]
    return "<br>".join(_formula(term.removeprefix("+ ") if not k else term) for k, term in enumerate(signed))


def _arrows(known: Compilation, found: Mapping[tuple[str, int | None], Conditional]) -> str:
    writer = _writer(known)
    return (
        "<br>".join(
            _formula(rf"{writer.target(one.target, one.frame)} \leftarrow {writer.parents(one.parents)}")
            for one in found.values()
        )
        or "none"
    )


def _writer(known: Compilation) -> FormulaWriter:
    return FormulaWriter(known.spec, LATEX)


def _formula(text: str) -> str:
    """Return mathematics for Markdown, in a table too: no bar may stand in it."""
    return "$`" + text.replace(r"\|", r"\Vert ").replace("|", r"\vert ").strip() + "`$"


def _findings() -> list[str]:
    return [
        _listed(
            "Where the text is not what its own graph implies",
            "Found by derivation. Below each stand the exact posteriors that dvaec derives; `tests/test_review_findings.py` has the proofs.",
            [one for one in findings() if not one.adds],
        ),
        _listed(
            "What the derivations add",
            "Where the review is silent, or speaks of the general case.",
            [one for one in findings() if one.adds],
        ),
    ]


def _listed(title: str, words: str, found: Iterable[Finding]) -> str:
    lines = [f"## {title}", "", words, ""]
    for number, finding in enumerate(found, 1):
        lines += [f'{number}. **{finding.at}.** "{finding.says}"', "", f"   {finding.why}", ""]
        for probe in finding.probes:
            lines += [f"   - {_probe(probe)}", *_explained(probe)]
        lines += [""] if lines[-1] else []
    return "\n".join(lines)


def _explained(probe: Probe) -> list[str]:
    """Write what is said of one link, as a block within the list."""
    if probe.link is None:
        return []
    answer = explained(derived(probe.page, probe.overrides), probe.link)
    said = [f"$ dvaec explain specs/{probe.page}.yaml '{probe.link}'", *answer]
    return ["", "     ```text", *(f"     {line}".rstrip() for line in said), "     ```", ""]


def _probe(probe: Probe) -> str:
    known = derived(probe.page, probe.overrides)
    words = f"`{probe.page}`"
    if probe.overrides:
        words += f", generation changed to {_formula(_writer(known).joint())}"
    silver = links(known, "silver")
    behind = f"; silver: {_arrows(known, silver).replace('<br>', ', ')}" if silver else ""
    return f"{words}: {', '.join(_exact(known))}{behind}"
