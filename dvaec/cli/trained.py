"""What the commands on a trained model share: their options, and reading the run and the data."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dvaec.cli.front import OwnPython
from dvaec.cli.lab import Device, Threads, ZeroInputs

if TYPE_CHECKING:
    from dvaec.runtime.card import Card
    from dvaec.runtime.split import Split


class Part(StrEnum):
    """The parts of a data set."""

    TRAIN = "train"
    VALID = "valid"
    TEST = "test"


Run = Annotated[Path, typer.Argument(metavar="RUN", help="A run folder made by train.", show_default=False)]
WhichPart = Annotated[Part, typer.Option("--split", help="The part of the data.")]
Seed = Annotated[int, typer.Option(min=0, help="Of the draws.")]
BatchSize = Annotated[int, typer.Option("--batch", min=1, help="Sequences computed together.")]


@dataclass(frozen=True)
class Machine:
    """Where and how to compute, and what is let pass."""

    threads: Threads = 1
    device: Device = "cpu"
    zero_inputs: ZeroInputs = False
    allow_python: OwnPython = False


@dataclass(frozen=True)
class Trained:
    """A run's model, ready to be asked, with its card."""

    run: Path
    model: Any  # an nn.Module: this room does not name torch
    card: Card


def trained(run: Path, on: Machine) -> Trained:
    """Read a run folder; StoreFault if it is none or its weights do not fit."""
    from dvaec.runtime.store import load_card

    card = load_card(run)
    from dvaec.api import load
    from dvaec.runtime.devices import prepare

    where = prepare(on.device, on.threads)
    return Trained(run, load(run, on.allow_python).to(where).eval(), card)


def split_of(own: Trained, data: str, part: Part, zero_inputs: bool) -> Split:
    """Read one part of the data as the model knows data: whole sequences, the run's normalisation."""
    from dvaec.runtime.preparation import evaluation_split

    return evaluation_split(data, own.card, part.value, own.run, zero_inputs=zero_inputs)
