"""What evaluate prints below the table of the bound."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from dvaec.cli.lab_text import width_of_titles

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dvaec.runtime.activity import Latent
    from dvaec.runtime.card import Card
    from dvaec.runtime.evaluate import Evaluation
    from dvaec.runtime.importance import Importance
    from dvaec.runtime.measures.scores import Scores

_COLUMNS = 8
_FEW = 10  # draws that count, below which log p(x) is still far
_COLLAPSED = 0.01  # as dvaec.runtime.activity has it, whose module loads torch
_ACTIVE = 0.01


def importance_lines(card: Card, found: Importance | None) -> list[str]:
    """Lay out the importance-sampled log-likelihood in the columns of the bound's table."""
    if found is None:
        return []
    width = width_of_titles(card)
    cells = [f"{-one.mean:.4f}" + _error(one.error) for one in (found.frame, found.sequence)]
    title = f"-log p, K = {found.samples}"
    counted = f"  of {found.samples} draws, {found.effective:.1f} count in effect (least {found.least:.1f})"
    if found.effective < _FEW:
        counted += ": few, more would lower it"
    return [f"{title:<{width}}" + "".join(f"  {cell:>20}" for cell in cells), counted]


def _error(error: float) -> str:
    return "" if math.isnan(error) else f" ± {error:.4f}"


def latent_lines(latents: Sequence[Latent]) -> list[str]:
    """Lay out what every dimension of every latent does."""
    lines: list[str] = []
    for one in latents:
        lines += ["", _title(one), *_rows(one)]
    return lines


def _title(one: Latent) -> str:
    place = "frame" if one.framed else "sequence"
    said = []
    if one.activity:
        said.append(f"{one.active} of {len(one.activity)} dimensions active")
    if one.kl and one.family != "categorical":
        said.append(f"{one.collapsed} collapsed")
    if one.classes is not None:
        state = "collapsed" if one.collapsed else "not collapsed"
        said.append(f"{one.classes:.1f} classes in use, {state}")
    total = f", KL {sum(one.kl):.4f} nats per {place}" if one.kl else ""
    return f"{one.name} ({one.family}, over {one.places} {place}s){total}: {', '.join(said)}"


def _rows(one: Latent) -> list[str]:
    """Dimension by dimension, a few columns at a time."""
    table = [
        ("KL, nats", [f"{value:.4f}" for value in one.kl]),
        ("Var of q's mean", [f"{value:.4f}" for value in one.activity]),
        ("std of q", [f"{value:.4f}" for value in one.spread]),
        ("collapsed in", [f"{value:.0%}" for value in one.collapsed_in]),
    ]
    rows = [(title, cells) for title, cells in table if cells]
    count = max((len(cells) for _, cells in rows), default=0)
    if one.family == "categorical" or not count:
        return []
    lines = []
    for start in range(0, count, _COLUMNS):
        places = range(start, min(start + _COLUMNS, count))
        lines.append(f"  {'dimension':<18}" + "".join(f"{k + 1:>9}" for k in places))
        lines += [f"  {title:<18}" + "".join(f"{cells[k]:>9}" for k in places) for title, cells in rows]
    return lines


def score_lines(scores: Sequence[Scores]) -> list[str]:
    """Lay out scores that are no likelihoods."""
    lines: list[str] = []
    for kind in scores:
        lines += ["", kind.kind]
        for one in kind.scores:
            error = "" if math.isnan(one.error) else f" ± {one.error:.3f}"
            unit = f", {one.unit}" if one.unit else ""
            lines.append(f"  {one.name + unit:<32}{f'{one.mean:.3f}{error}':>22}")
        lines += [f"  {line}" for line in (*kind.protocol, kind.errors)]
    return lines


def protocol(
    card: Card, bound: Evaluation, weighed: Importance | None, latents: Sequence[Latent], forced: bool
) -> list[str]:
    """Say how the numbers were measured, a line each. forced: p has read the data, or reads none at all."""
    said = [
        "frame average: sum over sequences / number of frames; sequence average: mean of (sum / its frames)",
    ]
    if not card.latents:
        said.append("ELBO: log p(x) itself, there are no latents" if forced else "ELBO: no latents, no draws")
    elif bound.samples > 1:
        said.append(
            f"ELBO: mean of {bound.samples} draws of the latents from q, ± its Monte Carlo standard error"
        )
    if card.sampled:
        said.append(f"{', '.join(card.sampled)}: no closed form, log q - log p of what was drawn")
    if weighed is not None:
        said.append(
            f"-log p: -log mean_k p(x, z_k) / q(z_k | x), K = {weighed.samples} draws a sequence (Burda et "
            "al. 2016), ± by the jackknife; in the mean an upper bound of -log p(x)"
        )
    if not forced and card.latents:
        said.append("generation mode: p reads its own outputs, q the data; -log p is that of this p")
        said.append("latents: q and p as they are given the data (teacher forcing)")
    elif not forced:
        said.append("generation mode: p reads its own outputs")
    elif bound.mode == "generation":
        said.append("generation mode: p reads no observed frames, so that both modes are one")
    if any(one.activity for one in latents):
        said.append(f"active: Var over places of q's mean > {_ACTIVE} (Burda et al. 2016)")
    if any(one.kl for one in latents):
        said.append(
            f"collapsed: mean KL(q || p) of a dimension < {_COLLAPSED} nats (13.3.4); in: share of sequences"
        )
    return said
