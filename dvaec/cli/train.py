"""`dvaec train`: from a page and its data to a run folder. torch and Lightning are imported when it runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dvaec.cli.front import Overrides, OwnPython, Sharing, SpecFile, named, with_sharing
from dvaec.cli.groups import grouped
from dvaec.cli.lab import Data, Device, Threads, ZeroInputs, clear_errors
from dvaec.cli.lab_text import missing, surrogate
from dvaec.cli.train_words import progress, schedule_of
from dvaec.cli.training import SCHEDULED_HELP, Training
from dvaec.spec.notation import counted

if TYPE_CHECKING:
    from dvaec.runtime.card import Card


Out = Annotated[
    Path | None,
    typer.Option("-o", "--out", parser=named, metavar="RUN", help="The run folder; runs/<model> by default."),
]
Seed = Annotated[int, typer.Option(min=0, help="Of weights, noise and shuffling.")]
Scheduled = Annotated[
    str | None, typer.Option("--scheduled", metavar="RISE/EVERY[/START]", help=SCHEDULED_HELP)
]
From = Annotated[
    Path | None, typer.Option("--from", metavar="RUN", help="Begin with the weights of another run.")
]
Resume = Annotated[bool, typer.Option("--resume", help="Continue the run in the folder, exactly.")]
Devices = Annotated[
    int, typer.Option(min=1, help="Processes (GPUs) on each machine, that share every batch.")
]
Nodes = Annotated[
    int, typer.Option(min=1, help="Machines, each of which runs this command under torchrun or SLURM.")
]
Board = Annotated[
    bool, typer.Option("--tensorboard", help="Write TensorBoard's event files to RUN/tensorboard, too.")
]


@grouped
def train(
    spec: SpecFile,
    data: Data,
    overrides: Overrides = None,
    share: Sharing = None,
    out: Out = None,
    *,
    how: Training,
    seed: Seed = 0,
    scheduled: Scheduled = None,
    begin: From = None,
    threads: Threads = 1,
    device: Device = "cpu",
    devices: Devices = 1,
    nodes: Nodes = 1,
    tensorboard: Board = False,
    resume: Resume = False,
    zero_inputs: ZeroInputs = False,
    allow_python: OwnPython = False,
) -> None:
    """Compile a spec and train it.

    The best weights, the history and the last state go to the run folder.

    \b
    dvaec train specs/srnn.yaml --data pendulum-ring --epochs 5
    dvaec train specs/vrnn.yaml --data mine.npz --set x.dim=20 -o runs/mine
    dvaec train specs/vrnn.yaml --data mine.npz --beta 0.5 --free-bits 0.1
    """
    with clear_errors("the finished epochs are kept; --resume continues", with_set=True):
        from dvaec.compiler import compile_spec

        compiled = compile_spec(spec, with_sharing(overrides, share), allow_python)
        from dvaec.runtime.card import Card
        from dvaec.runtime.engine.settings import Engine
        from dvaec.runtime.preparation import training_splits

        card = Card(**compiled.card)
        options = how.options(card, seed, schedule_of(scheduled))
        engine = Engine(device, devices, nodes, how.precision.value, tensorboard)
        folder = out or Path("runs") / card.name.lower()
        resumed = folder if resume else None
        prepared = training_splits(data, card, how.preparation(), zero_inputs, resumed)
        _run(compiled, card, prepared, folder, options, engine, threads, resume, begin)


def _run(
    compiled: Any,
    card: Card,
    prepared: Any,
    folder: Path,
    options: Any,
    engine: Any,
    threads: int,
    resume: bool,
    begin: Path | None,
) -> None:
    """Build the model and fit it; the first process prints."""
    from dvaec.runtime.devices import build, prepare
    from dvaec.runtime.engine.settings import is_first_process
    from dvaec.runtime.preparation import check_units
    from dvaec.runtime.source import load_class
    from dvaec.runtime.store import WEIGHTS, load_weights
    from dvaec.runtime.train import train as fit

    prepare(engine.device, threads)
    parts = prepared.splits
    model = build(load_class(compiled.source, compiled.class_name), options.seed, prepare("cpu", threads))
    if begin is not None:
        load_weights(begin / WEIGHTS, model, card)
        check_units(begin, prepared.how)
    if not is_first_process():
        fit(model, card, parts["train"], parts["valid"], folder, options, engine=engine, resume=resume)
        return
    for line in (*surrogate(card, options.objective, options.schedule), *missing(card, parts.values())):
        typer.echo(line)
    with progress(card, options.epochs) as (report, step):
        outcome = fit(
            model, card, parts["train"], parts["valid"], folder, options,
            engine=engine, resume=resume, report=report, step=step, prepared=prepared,
        )  # fmt: skip
    early = "stopped early, " if outcome.stopped_early else ""
    typer.echo(
        f"{card.name}: {early}best of {counted(outcome.epochs, 'epoch')} is {outcome.best_epoch}: "
        f"validation -ELBO {-outcome.best_elbo:.3f} nats per frame\n{folder}"
    )
