"""`dvaec train`: from a page and its data to a run folder. torch and Lightning are imported when it runs."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dvaec.cli.front import Overrides, OwnPython, Sharing, SpecFile, with_sharing
from dvaec.cli.lab import Data, Device, Threads, ZeroInputs, clear_errors
from dvaec.cli.lab_text import missing, surrogate
from dvaec.cli.train_words import WARM_UP, objective_for, progress, schedule_of
from dvaec.spec.notation import counted

if TYPE_CHECKING:
    from dvaec.runtime.card import Card


class Precision(StrEnum):
    """The numbers of `train`."""

    SINGLE = "32"
    DOUBLE = "64"
    MIXED = "bf16-mixed"


def _option(text: str, *names: str, **more: Any) -> Any:
    return typer.Option(*names, help=text, **more)


def _of_objective(text: str, *names: str, **more: Any) -> Any:
    return typer.Option(
        *names, help=text, show_default="as the page says", rich_help_panel="Objective", **more
    )


Out = Annotated[Path | None, _option("The run folder; runs/<model> by default.", "-o", "--out")]
Epochs = Annotated[int, _option("At most so many passes over the data.", min=1)]
Batch = Annotated[int, _option("Sequences per update, over all processes.", min=1)]
Rate = Annotated[float, _option("Adam's learning rate.", min=0.0)]
Decay = Annotated[float, _option("Adam's L2 penalty.", min=0.0)]
Seed = Annotated[int, _option("Of weights, noise and shuffling.", min=0)]
Clip = Annotated[float, _option("Largest norm of the gradient; 0: none.", min=0.0)]
Patience = Annotated[
    int, _option("Stop after so many epochs without a better validation ELBO; 0: never.", min=0)
]
Scheduled = Annotated[
    str | None,
    _option(
        "Feed p's outputs back: RISE more of the frames every EVERY epochs, after START of teacher forcing "
        "(0.2/50 is the review's). Validation is in generation mode.",
        "--scheduled",
        metavar="RISE/EVERY[/START]",
    ),
]
From = Annotated[Path | None, _option("Begin with the weights of another run.", "--from", metavar="RUN")]
Resume = Annotated[bool, _option("Continue the run in the folder, exactly.", "--resume")]
Scripted = Annotated[bool, _option("Run through TorchScript.", "--script/--no-script")]
Devices = Annotated[int, _option("Processes (GPUs) on each machine, that share every batch.", min=1)]
Nodes = Annotated[int, _option("Machines, each of which runs this command under torchrun or SLURM.", min=1)]
Numbers = Annotated[
    Precision, _option("32, 64, or bf16-mixed (products in bfloat16).", "--precision", metavar="BITS")
]
Board = Annotated[bool, _option("Write TensorBoard's event files to RUN/tensorboard, too.", "--tensorboard")]

Warmup = Annotated[
    int | None,
    _of_objective(f"Epochs over which the KL's weight rises to 1; {WARM_UP} if no one says.", min=0),
]
Cycles = Annotated[int | None, _of_objective("How often it does so, from 0 each time.", min=1)]
Rise = Annotated[float | None, _of_objective("The share of these epochs in which it rises.")]
Beta = Annotated[float | None, _of_objective("The KL's weight behind the warm-up.", min=0.0)]
FreeBits = Annotated[
    float | None, _of_objective("Nats of KL that cost nothing more, for each latent and frame.", min=0.0)
]
Weights = Annotated[
    list[str] | None,
    _of_objective("A factor for one latent's KL, on top of beta. Repeatable.", "--kl-weight", metavar="Z=W"),
]
Samples = Annotated[int | None, _of_objective("Draws of the latents per sequence and update.", min=1)]

_CROP_HELP = (
    "Train on pieces: 50 (frames), 50/2 (a piece every 2 frames), random:50 (a random piece of each sequence "
    "in every epoch). Evaluation is always on whole sequences."
)
_NORMALISE_HELP = "standard, centre or scale, fitted on train, kept with the run; x=scale for one variable."
Crop = Annotated[str, _option(_CROP_HELP, "--crop", metavar="FRAMES", show_default=False)]
Normalise = Annotated[list[str] | None, _option(_NORMALISE_HELP, "--normalise", metavar="KIND")]


def train(
    spec: SpecFile,
    data: Data,
    overrides: Overrides = None,
    share: Sharing = None,
    out: Out = None,
    epochs: Epochs = 80,
    batch: Batch = 8,
    lr: Rate = 3e-3,
    weight_decay: Decay = 0.0,
    seed: Seed = 0,
    clip: Clip = 5.0,
    patience: Patience = 20,
    warmup: Warmup = None,
    cycles: Cycles = None,
    rise: Rise = None,
    beta: Beta = None,
    free_bits: FreeBits = None,
    kl_weight: Weights = None,
    samples: Samples = None,
    scheduled: Scheduled = None,
    begin: From = None,
    threads: Threads = 1,
    device: Device = "cpu",
    devices: Devices = 1,
    nodes: Nodes = 1,
    precision: Numbers = Precision.SINGLE,
    tensorboard: Board = False,
    resume: Resume = False,
    scripted: Scripted = False,
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
    dvaec train specs/vrnn.yaml --data mine.npz --beta 0.5 --free-bits 0.1
    """
    with clear_errors("the finished epochs are kept; --resume continues"):
        from dvaec.compiler import compile_spec

        compiled = compile_spec(spec, with_sharing(overrides, share), allow_python)
        from dvaec.runtime.card import Card
        from dvaec.runtime.engine.settings import Engine
        from dvaec.runtime.preparation import preparation, training_splits
        from dvaec.runtime.train import Options

        said = {"warmup": warmup, "cycles": cycles, "rise": rise, "beta": beta, "free_bits": free_bits}
        card = Card(**compiled.card)
        objective = objective_for(card, {**said, "samples": samples}, kl_weight or ())
        options = Options(
            epochs, batch, lr, weight_decay, clip, patience, seed, scripted, objective, schedule_of(scheduled)
        )
        engine = Engine(device, devices, nodes, precision.value, tensorboard)
        folder = out or Path("runs") / card.name.lower()
        how, resumed = preparation(crop, normalise or ()), folder if resume else None
        prepared = training_splits(data, card, how, zero_inputs, resumed)
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
