"""The command evaluate, and what the commands that touch data share. torch is imported when they run."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from dvaec.cli.front import (
    FAULTY,
    INTERRUPTED,
    OwnPython,
    refused,
    show,
)
from dvaec.cli.lab_text import missing, table, units
from dvaec.diagnostics import Fault
from dvaec.runtime.faults import LabFault
from dvaec.runtime.mode import Mode

_DATA_HELP = (
    "An .npz file, a folder of .npy, .wav or tables, a .csv or .parquet, or a built-in set "
    "(dvaec data --list); options follow a colon: runs.csv:sequence=run,x=a+b."
)
_THREADS_HELP = "Threads of torch on the CPU. More than one is slower on a busy machine, often by far."
_ZERO_HELP = "Let inputs that the data lack be zero."

Data = Annotated[str, typer.Option("--data", metavar="SOURCE", help=_DATA_HELP)]
Device = Annotated[str, typer.Option("--device", help="cpu, cuda, cuda:1 ...")]
Threads = Annotated[int, typer.Option("--threads", min=1, help=_THREADS_HELP)]
ZeroInputs = Annotated[bool, typer.Option("--zero-inputs", help=_ZERO_HELP)]


class Part(StrEnum):
    """The parts of a data set."""

    TRAIN = "train"
    VALID = "valid"
    TEST = "test"


class TableFormat(StrEnum):
    """How `evaluate` prints."""

    TEXT = "text"
    JSON = "json"


def register(app: typer.Typer) -> None:
    """Add the commands of this file to the application."""
    app.command()(evaluate)


def evaluate(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run folder made by train.")],
    data: Data,
    split: Annotated[Part, typer.Option(help="The part of the data.")] = Part.TEST,
    samples: Annotated[int, typer.Option(min=1, help="Draws of the latents per sequence.")] = 10,
    batch: Annotated[int, typer.Option(min=1, help="Sequences computed together.")] = 64,
    seed: Annotated[int, typer.Option(min=0, help="Of the draws.")] = 0,
    mode: Annotated[
        Mode, typer.Option(help="generation: an autoregressive p reads its own outputs, not the data.")
    ] = Mode.TEACHER_FORCING,
    threads: Threads = 1,
    device: Device = "cpu",
    zero_inputs: ZeroInputs = False,
    form: Annotated[TableFormat, typer.Option("--format", help="text or json.")] = TableFormat.TEXT,
    allow_python: OwnPython = False,
) -> None:
    """Print a trained model's ELBO and its parts.

    In nats per frame, averaged over frames and over sequences; reconstruction and KL apart.

    \b
    dvaec evaluate runs/srnn --data mine.npz
    """
    with clear_errors():
        from dvaec.runtime.normalise import nats
        from dvaec.runtime.preparation import evaluation_split, stored_scales
        from dvaec.runtime.store import load_card

        card = load_card(run)
        part = evaluation_split(data, card, split.value, run, zero_inputs=zero_inputs)
        from dvaec.api import load
        from dvaec.runtime.devices import prepare
        from dvaec.runtime.evaluate import evaluate as measure

        where = prepare(device, threads)
        model = load(run, allow_python).to(where)
        result = measure(model, card, part, samples=samples, batch=batch, seed=seed, mode=mode)
        for line in (*missing(card, [part]), *units(nats(stored_scales(run), card))):
            typer.echo(line, err=True)
        as_json = form is TableFormat.JSON
        typer.echo(json.dumps(_plain(asdict(result)), indent=2) if as_json else table(card, result))


def _plain(value: Any) -> Any:
    """The same with null for the error of a single draw, which JSON cannot write as nan."""
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    return None if isinstance(value, float) and math.isnan(value) else value


@contextmanager
def clear_errors(when_interrupted: str | None = None) -> Iterator[None]:
    """Turn faults of specs, data and numbers into one clear message and exit status 1 (130 for Ctrl-C)."""
    try:
        yield
    except Fault as fault:
        show(fault.diagnostics, fault.sources)
        raise typer.Exit(FAULTY) from None
    except LabFault as fault:
        raise typer.Exit(refused(fault.message, fault.hint)) from None
    except KeyboardInterrupt:
        typer.echo(f"interrupted{f': {when_interrupted}' if when_interrupted else ''}", err=True)
        raise typer.Exit(INTERRUPTED) from None
