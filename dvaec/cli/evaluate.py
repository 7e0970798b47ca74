"""`dvaec evaluate`: the numbers of a trained model on data."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dvaec.cli.bars import bar
from dvaec.cli.evaluate_text import importance_lines, latent_lines, protocol, score_lines
from dvaec.cli.groups import grouped
from dvaec.cli.lab import Data, clear_errors
from dvaec.cli.lab_text import missing, table, units
from dvaec.cli.scoring import Scoring
from dvaec.cli.trained import BatchSize, Machine, Part, Run, Seed, WhichPart, split_of, trained
from dvaec.runtime.mode import Mode

if TYPE_CHECKING:
    from dvaec.runtime.measures.scores import Scores


class TableFormat(StrEnum):
    """How `evaluate` prints."""

    TEXT = "text"
    JSON = "json"


@grouped
def evaluate(
    run: Run,
    data: Data,
    split: WhichPart = Part.TEST,
    samples: Annotated[int, typer.Option(min=1, help="Draws of the latents per sequence, of the ELBO.")] = 10,
    importance: Annotated[
        int,
        typer.Option(min=0, metavar="K", help="Draws of the importance-sampled log-likelihood; 0: leave it."),
    ] = 100,
    *,
    scoring: Scoring,
    mode: Annotated[
        Mode, typer.Option(help="generation: an autoregressive p reads its own outputs, not the data.")
    ] = Mode.TEACHER_FORCING,
    batch: BatchSize = 64,
    seed: Seed = 0,
    on: Machine,
    form: Annotated[TableFormat, typer.Option("--format", help="text or json.")] = TableFormat.TEXT,
) -> None:
    """Print a trained model's ELBO and its parts, log p(x) by importance sampling, and what its latents do.

    In nats per frame, averaged over frames and over sequences, each with its Monte Carlo error;
    reconstruction and KL apart; KL, activity and collapse of every dimension of the latents.

    \b
    dvaec evaluate runs/srnn --data mine.npz
    dvaec evaluate runs/srnn --data mine.npz --importance 1000
    dvaec evaluate runs/motion --data motion.npz --motion mm
    """
    with clear_errors():
        own = trained(run, on)
        part = split_of(own, data, split, on.zero_inputs)
        from dvaec.runtime.normalise import nats

        for line in (*missing(own.card, [part]), *units(nats(part.scales, own.card))):
            typer.echo(line, err=True)
        from dvaec.runtime.activity import activity
        from dvaec.runtime.evaluate import evaluate as measure
        from dvaec.runtime.feedback import feeds_back
        from dvaec.runtime.importance import importance as weigh
        from dvaec.runtime.measures.reconstruction import check_scored, scores_of

        check_scored(own.card, scoring.wanted, data, split.value)
        each: dict[str, Any] = {"batch": batch, "seed": seed, "mode": mode}
        with bar("ELBO", samples) as report:
            bound = measure(own.model, own.card, part, samples=samples, report=report, **each)
        forced = mode is Mode.TEACHER_FORCING or not feeds_back(own.model)
        weighed = None
        if importance and own.card.latents:
            with bar("log p(x)", importance * part.sequences) as report:
                weighed = weigh(own.model, own.card, part, samples=importance, report=report, **each)
        latents = activity(own.model, own.card, part, samples=samples, batch=batch, seed=seed)
        wanted = scoring.wanted
        scores = scores_of(own.model, own.card, part, data, wanted, **each)
        said = protocol(own.card, bound, weighed, latents, forced)
        if form is TableFormat.JSON:
            typer.echo(_json(bound, weighed, latents, scores, said))
            return
        lines = [table(own.card, bound), *importance_lines(own.card, weighed), *latent_lines(latents)]
        typer.echo("\n".join([*lines, *score_lines(scores), "", *said]))


def _json(bound: Any, weighed: Any, latents: Any, scores: list[Scores], said: list[str]) -> str:
    """Lay out everything as JSON; null where a number is not known."""
    plain = asdict(bound) | {
        "importance": None if weighed is None else asdict(weighed),
        "latents": [asdict(one) | _counts(one) for one in latents],
        "scores": [asdict(one) for one in scores],
        "protocol": said,
    }
    return json.dumps(_plain(plain), indent=2, ensure_ascii=False)


def _counts(latent: Any) -> dict[str, int]:
    return {"active": latent.active, "collapsed": latent.collapsed}


def _plain(value: Any) -> Any:
    """The same with null for what is not known, such as the error of a single draw: JSON has no nan."""
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return None if isinstance(value, float) and math.isnan(value) else value
