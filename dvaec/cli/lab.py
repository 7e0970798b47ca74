"""The command that trains. It imports torch inside: `check` never loads it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dvaec.cli.front import (
    FAULTY,
    INTERRUPTED,
    Overrides,
    OwnPython,
    Sharing,
    SpecFile,
    refused,
    show,
    with_sharing,
)
from dvaec.cli.lab_text import epoch_line, missing, surrogate
from dvaec.diagnostics import Fault
from dvaec.runtime.faults import LabFault

if TYPE_CHECKING:
    from collections.abc import Callable

    from dvaec.runtime.card import Card
    from dvaec.runtime.history import Epoch

_CROP_HELP = (
    "Train on pieces: 50 (frames), 50/2 (a piece every 2 frames), random:50 (a random piece of each sequence "
    "in every epoch). Evaluation is always on whole sequences."
)
_NORMALISE_HELP = "standard or scale, fitted on train and kept with the run; x=scale for one variable."
DATA_HELP = (
    "An .npz file, a folder of .npy, .wav or tables, a .csv or .parquet, or a built-in set "
    "(dvaec data --list); options follow a colon: runs.csv:sequence=run,x=a+b."
)
_THREADS_HELP = "Threads of torch on the CPU. More than one is slower on a busy machine, often by far."
_ZERO_HELP = "Let inputs that the data lack be zero."

Data = Annotated[str, typer.Option("--data", metavar="SOURCE", help=DATA_HELP)]
Device = Annotated[str, typer.Option("--device", help="cpu, cuda, cuda:1 ...")]
Threads = Annotated[int, typer.Option("--threads", min=1, help=_THREADS_HELP)]
ZeroInputs = Annotated[bool, typer.Option("--zero-inputs", help=_ZERO_HELP)]
Crop = Annotated[str, typer.Option("--crop", metavar="FRAMES", help=_CROP_HELP, show_default=False)]
Normalise = Annotated[list[str] | None, typer.Option("--normalise", metavar="KIND", help=_NORMALISE_HELP)]


def register(app: typer.Typer) -> None:
    """Add the commands of this file to the application."""
    app.command()(train)


def train(
    spec: SpecFile,
    data: Data,
    overrides: Overrides = None,
    share: Sharing = None,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="The run folder; runs/<model> by default.")
    ] = None,
    epochs: Annotated[int, typer.Option(min=1, help="At most so many passes over the data.")] = 80,
    batch: Annotated[int, typer.Option(min=1, help="Sequences per update.")] = 8,
    lr: Annotated[float, typer.Option(min=0.0, help="Adam's learning rate.")] = 3e-3,
    weight_decay: Annotated[float, typer.Option(min=0.0, help="Adam's L2 penalty.")] = 0.0,
    seed: Annotated[int, typer.Option(min=0, help="Of weights, noise and shuffling.")] = 0,
    clip: Annotated[float, typer.Option(min=0.0, help="Largest norm of the gradient; 0: none.")] = 5.0,
    warmup: Annotated[int, typer.Option(min=0, help="Epochs over which the KL's weight rises to 1.")] = 40,
    patience: Annotated[
        int, typer.Option(min=0, help="Stop after so many epochs without a better validation ELBO; 0: never.")
    ] = 20,
    threads: Threads = 1,
    device: Device = "cpu",
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue the run in the folder, exactly.")
    ] = False,
    scripted: Annotated[bool, typer.Option("--script/--no-script", help="Run through TorchScript.")] = False,
    zero_inputs: ZeroInputs = False,
    crop: Crop = "",
    normalise: Normalise = None,
    allow_python: OwnPython = False,
) -> None:
    """Compile a spec and train it.

    The best weights, the history and the last state go to the run folder.

    \b
    dvaec train specs/srnn.yaml --data pendulum-ring --epochs 5
    dvaec train specs/vrnn.yaml --data mine.npz --set x.dim=20 -o runs/mine
    """
    with clear_errors("the finished epochs are kept; --resume continues"):
        from dvaec.compiler import compile_spec

        compiled = compile_spec(spec, with_sharing(overrides, share), allow_python)
        from dvaec.runtime.card import Card
        from dvaec.runtime.devices import build, prepare
        from dvaec.runtime.preparation import preparation, training_splits
        from dvaec.runtime.source import load_class
        from dvaec.runtime.train import Options
        from dvaec.runtime.train import train as fit

        card = Card(**compiled.card)
        folder = out or Path("runs") / card.name.lower()
        prepared = training_splits(
            data, card, preparation(crop, normalise or ()), zero_inputs, folder if resume else None
        )
        parts = prepared.splits
        model = build(load_class(compiled.source, compiled.class_name), seed, prepare(device, threads))
        options = Options(epochs, batch, lr, weight_decay, clip, warmup, patience, seed, scripted)
        for line in (*surrogate(card), *missing(card, parts.values())):
            typer.echo(line)
        with _progress(card, epochs) as (report, step):
            outcome = fit(
                model, card, parts["train"], parts["valid"], folder, options,
                resume=resume, report=report, step=step, data=prepared,
            )  # fmt: skip
        early = "stopped early, " if outcome.stopped_early else ""
        typer.echo(
            f"{card.name}: {early}best of {outcome.epochs} epochs is {outcome.best_epoch}: "
            f"validation -ELBO {-outcome.best_elbo:.3f} nats per frame\n{folder}"
        )


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


@contextmanager
def _progress(
    card: Card, epochs: int
) -> Iterator[tuple[Callable[[Epoch], None], Callable[[int, int], None]]]:
    """Show a bar on a terminal, and a line an epoch elsewhere."""
    if not sys.stderr.isatty():
        yield (lambda row: typer.echo(epoch_line(card, row, epochs))), (lambda _done, _total: None)
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(f"{card.name}: epoch 1/{epochs}", total=epochs)
        finished = 0

        def report(row: Epoch) -> None:
            nonlocal finished
            finished = row.number
            bar.update(task, completed=finished, description=epoch_line(card, row, epochs))

        def step(done: int, total: int) -> None:
            bar.update(task, completed=finished + done / total)

        yield report, step
