"""`dvaec evaluate`: the numbers of a trained model on data."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dvaec.cli.evaluate_text import importance_lines, latent_lines, protocol, score_lines
from dvaec.cli.front import OwnPython
from dvaec.cli.lab import Data, Device, Threads, ZeroInputs, clear_errors
from dvaec.cli.lab_text import missing, table, units
from dvaec.cli.trained import BatchSize, Part, Run, Seed, Trained, WhichPart, observed, split_of, trained
from dvaec.runtime.mode import Mode

if TYPE_CHECKING:
    from dvaec.runtime.measures.scores import Scores
    from dvaec.runtime.split import Split


class TableFormat(StrEnum):
    """How `evaluate` prints."""

    TEXT = "text"
    JSON = "json"


def evaluate(
    run: Run,
    data: Data,
    split: WhichPart = Part.TEST,
    samples: Annotated[int, typer.Option(min=1, help="Draws of the latents per sequence, of the ELBO.")] = 10,
    importance: Annotated[
        int,
        typer.Option(min=0, metavar="K", help="Draws of the importance-sampled log-likelihood; 0: leave it."),
    ] = 100,
    audio: Annotated[
        bool, typer.Option("--audio", help="SI-SDR, PESQ and ESTOI of resynthesised recordings.")
    ] = False,
    motion: Annotated[
        str | None,
        typer.Option(metavar="UNIT", help="MPJPE of joints in three dimensions, in the data's unit: mm."),
    ] = None,
    variable: Annotated[
        str | None, typer.Option(metavar="NAME", help="What --audio and --motion look at; x by default.")
    ] = None,
    mode: Annotated[
        Mode, typer.Option(help="generation: an autoregressive p reads its own outputs, not the data.")
    ] = Mode.TEACHER_FORCING,
    batch: BatchSize = 64,
    seed: Seed = 0,
    threads: Threads = 1,
    device: Device = "cpu",
    zero_inputs: ZeroInputs = False,
    form: Annotated[TableFormat, typer.Option("--format", help="text or json.")] = TableFormat.TEXT,
    allow_python: OwnPython = False,
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
        own = trained(run, device, threads, allow_python)
        _measurable(own, data, split, audio, motion, variable)
        part = split_of(own, data, split, zero_inputs)
        from dvaec.runtime.activity import activity
        from dvaec.runtime.evaluate import evaluate as measure
        from dvaec.runtime.feedback import feeds_back
        from dvaec.runtime.importance import importance as weigh
        from dvaec.runtime.normalise import nats

        for line in (*missing(own.card, [part]), *units(nats(part.scales, own.card))):
            typer.echo(line, err=True)
        bound = measure(own.model, own.card, part, samples=samples, batch=batch, seed=seed, mode=mode)
        # Weights are those of teacher forcing: `score` reads the data. Where p does not, modes are one.
        forced = mode is Mode.TEACHER_FORCING or not feeds_back(own.model)
        count = importance if own.card.latents and forced else 0
        weighed = weigh(own.model, own.card, part, samples=count, batch=batch, seed=seed) if count else None
        latents = activity(own.model, own.card, part, samples=samples, batch=batch, seed=seed)
        scores = _scores(own, part, data, audio, motion, variable, mode, (batch, seed))
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


def _measurable(
    own: Trained, data: str, split: Part, audio: bool, motion: str | None, variable: str | None
) -> None:
    """Refuse scores that the variable or the data cannot have, before anything is computed."""
    if not audio and motion is None:
        return
    name = observed(own, variable)
    if audio:
        from dvaec.runtime.power import check_sound

        check_sound(name, own.card.families[name], data, split.value)
    if motion is not None:
        from dvaec.runtime.measures.motion import check_joints

        check_joints(name, own.card.observed[name])


def _scores(
    own: Trained,
    part: Split,
    data: str,
    audio: bool,
    motion: str | None,
    variable: str | None,
    mode: Mode,
    draws: tuple[int, int],
) -> list[Scores]:
    """Measure what is asked for besides likelihoods, on one draw of the latents."""
    if not audio and motion is None:
        return []
    from dvaec.runtime.passes import in_units, original, reconstructed

    name = observed(own, variable)
    members = range(part.sequences)
    made = reconstructed(own.model, own.card, part, members, batch=draws[0], seed=draws[1], mode=mode)
    found = in_units(part.scales, own.card, made)
    scores = []
    if audio:
        from dvaec.runtime.measures.audio import again, audio_scores
        from dvaec.runtime.power import power_of, recordings

        power, spoken = power_of(found, name, own.card.families[name]), recordings(data, part.name)
        scores.append(audio_scores(again(power, found.lengths, spoken), spoken, mode))
    if motion is not None:
        from dvaec.runtime.measures.motion import mpjpe

        scores.append(mpjpe(found, original(part, members), name, motion, mode))
    return scores


def _counts(latent: Any) -> dict[str, int]:
    return {"active": latent.active, "collapsed": latent.collapsed}


def _plain(value: Any) -> Any:
    """The same with null for what is not known, such as the error of a single draw: JSON has no nan."""
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return None if isinstance(value, float) and math.isnan(value) else value
