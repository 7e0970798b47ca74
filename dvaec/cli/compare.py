"""`dvaec compare`: several pages, several seeds, one protocol, one table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dvaec.cli.front import FAULTY, Overrides, OwnPython, RefusalError, Sharing, with_sharing
from dvaec.cli.lab import Data, Device, Threads, ZeroInputs, clear_errors
from dvaec.cli.train import (
    Batch,
    Beta,
    Clip,
    Crop,
    Cycles,
    Decay,
    Epochs,
    FreeBits,
    Normalise,
    Patience,
    Rate,
    Rise,
    Samples,
    Warmup,
    Weights,
)
from dvaec.cli.train_words import objective_for
from dvaec.spec.notation import counted

if TYPE_CHECKING:
    from dvaec.runtime.comparison.job import Job, Result

Specs = Annotated[list[Path], typer.Argument(metavar="SPEC...", help="Pages of YAML.", show_default=False)]
Seeds = Annotated[int, typer.Option(min=1, help="Runs of each model: seeds 0, 1, ...")]
Out = Annotated[
    Path, typer.Option("-o", "--out", help="The folder of the runs, tables and pictures.", show_default=True)
]
Draws = Annotated[int, typer.Option(min=1, help="Draws of the latents per test sequence, of the ELBO.")]
Importance = Annotated[
    int, typer.Option(min=0, metavar="K", help="Draws of the importance-sampled log-likelihood; 0: leave it.")
]
Jobs = Annotated[int, typer.Option(min=0, help="Runs at a time; 0: as many as there are processors.")]
RayAt = Annotated[
    str | None,
    typer.Option(
        "--ray", metavar="ADDRESS", help="Run on the Ray cluster there; auto: the one of this machine."
    ),
]
Pictures = Annotated[bool, typer.Option("--pictures/--no-pictures", help="Draw curves and results, too.")]


def compare(
    specs: Specs,
    data: Data,
    overrides: Overrides = None,
    share: Sharing = None,
    seeds: Seeds = 3,
    out: Out = Path("runs/compare"),
    epochs: Epochs = 80,
    batch: Batch = 8,
    lr: Rate = 3e-3,
    weight_decay: Decay = 0.0,
    clip: Clip = 5.0,
    patience: Patience = 20,
    warmup: Warmup = None,
    cycles: Cycles = None,
    rise: Rise = None,
    beta: Beta = None,
    free_bits: FreeBits = None,
    kl_weight: Weights = None,
    samples: Samples = None,
    draws: Draws = 10,
    importance: Importance = 100,
    jobs: Jobs = 0,
    ray: RayAt = None,
    threads: Threads = 1,
    device: Device = "cpu",
    zero_inputs: ZeroInputs = False,
    crop: Crop = "",
    normalise: Normalise = None,
    pictures: Pictures = False,
    allow_python: OwnPython = False,
) -> None:
    """Train and evaluate specs under one protocol, and tabulate mean and spread over seeds.

    Writes OUT/table.txt, .md, .tex and .csv, OUT/runs.csv, and a run folder for each spec and seed. Called
    again it goes on where it was, also in the middle of a run, and does again what was done otherwise.

    \b
    dvaec compare specs/vrnn.yaml specs/srnn.yaml --data pendulum-ring --seeds 3
    dvaec compare specs/*rnn.yaml --data mine.npz --jobs 4 --pictures -o runs/table
    """
    with clear_errors("what was finished is kept; the same command continues"):
        labels = _labels(specs, out if pictures else None)
        from dvaec.runtime.preparation import preparation
        from dvaec.runtime.train import Options

        how = preparation(crop, normalise or ())
        said = {"warmup": warmup, "cycles": cycles, "rise": rise, "beta": beta, "free_bits": free_bits}
        todo: list[Job] = []
        for path, label in zip(specs, labels, strict=True):
            source, class_name, card = _compiled(path, with_sharing(overrides, share), allow_python)
            objective = objective_for(card, {**said, "samples": samples}, kl_weight or ())
            for seed in range(seeds):
                options = Options(epochs, batch, lr, weight_decay, clip, patience, seed, False, objective)
                todo.append(_job(
                    label, source, class_name, card, data, out / label / str(seed), options, device, threads,
                    draws, importance, zero_inputs, how,
                ))  # fmt: skip
        _tabulate(out, _done(todo, jobs, ray), labels, _protocol(todo, seeds), pictures)


def _tabulate(
    out: Path, results: Sequence[Result], labels: Sequence[str], protocol: Sequence[str], pictures: bool
) -> None:
    """Write and print what was found; typer.Exit if a run has failed."""
    typer.echo(f"\n{_written(out, results, labels, protocol)}\n{out}")
    if pictures:
        _pictures(out, results, labels)
    if any(one.fault for one in results):
        raise typer.Exit(FAULTY)


def _labels(specs: Sequence[Path], drawn: Path | None) -> list[str]:
    """Name the models by their files; RefusalError for two of one name, LabFault if nothing here can draw."""
    if drawn is not None:
        from dvaec.runtime.pictures.canvas import known_format

        known_format(drawn / "results.svg")
    labels = [path.stem for path in specs]
    twice = next((label for n, label in enumerate(labels) if label in labels[:n]), None)
    if twice is not None:
        raise RefusalError(
            f"two specs are called '{twice}'", "the name of its file names a model in the table"
        )
    return labels


def _compiled(path: Path, overrides: Sequence[str], allow_python: bool) -> tuple[str, str, Any]:
    from dvaec.compiler import compile_spec
    from dvaec.runtime.card import Card

    compiled = compile_spec(path, list(overrides), allow_python)
    return compiled.source, compiled.class_name, Card(**compiled.card)


def _job(*said: Any) -> Job:
    from dvaec.runtime.comparison.job import Job

    return Job(*said)


def _done(todo: Sequence[Job], jobs: int, ray: str | None) -> list[Result]:
    """Do all jobs and say how each has come out."""
    from dvaec.runtime.comparison.here import here, processors

    running: Iterator[Result]
    if ray is not None:
        from dvaec.runtime.comparison.cluster import on_ray

        running = on_ray(todo, ray)
    else:
        running = here(todo, min(len(todo), jobs or max(1, processors() // todo[0].threads)))
    results: list[Result] = []
    for one in running:
        results.append(one)
        value = (one.frame or {}).get("elbo", 0.0)
        said = one.fault or f"test -ELBO {-value:.3f}, best of {one.epochs} epochs is {one.best_epoch}"
        typer.echo(f"{one.label}, seed {one.seed}: {said} ({len(results)}/{len(todo)})")
    return results


def _protocol(todo: Sequence[Job], seeds: int) -> list[str]:
    """What every run has had in common, in words."""
    job = todo[0]
    options, k = job.options, job.weights
    weighed = f", -log p with {k} importance samples (exact without latents)" if k else ""
    return [
        f"{job.data}: nats per frame of the test data, averaged over frames; mean and standard deviation "
        f"over {counted(seeds, 'seed')}, weights of the best validation epoch.",
        f"-ELBO with {job.draws} draws{weighed}. Adam {options.learning_rate:g}, {options.batch} sequences "
        f"an update, at most {counted(options.epochs, 'epoch')}, patience {options.patience}, clipping at "
        f"{options.clip:g}{f', L2 penalty {options.weight_decay:g}' if options.weight_decay else ''}.",
        *_prepared(job),
        *_surrogates(todo),
    ]


def _prepared(job: Job) -> list[str]:
    """Say how the data were prepared, what that does to the numbers, how many draws an update has had."""
    said = [f"Trained with {job.how.words}."] if job.how.words else []
    if any(not one.endswith("centre") for one in job.how.normalise):
        said.append(
            "The numbers are densities of the normalised data; they compare under the same --normalise."
        )
    draws = job.options.objective.samples
    return [*said, *([f"Trained with {draws} draws of the latents a sequence."] if draws > 1 else [])]


def _surrogates(todo: Sequence[Job]) -> list[str]:
    """Name the models whose objective is not the bound, those of one objective together."""
    from dvaec.runtime.objective import departures

    found: dict[str, dict[str, None]] = {}
    for job in todo:
        aux = [f"log p of the auxiliary {name.removeprefix('aux_')}" for name in job.card.predictions]
        said = "; ".join((*departures(job.options.objective, job.card.latents), *aux))
        found.setdefault(said, {})[job.label] = None
    return [
        f"Trained on a surrogate of the ELBO, {', '.join(labels)}: {said}."
        for said, labels in found.items()
        if said
    ]


def _written(out: Path, results: Sequence[Result], labels: Sequence[str], protocol: Sequence[str]) -> str:
    """Write the tables; return the one to print."""
    from dvaec.runtime.comparison import tables
    from dvaec.runtime.comparison.summary import rows_of
    from dvaec.runtime.files import write_text

    rows = rows_of(results, labels)
    text = tables.text_table(rows, protocol)
    files = {
        "table.txt": text,
        "table.md": tables.markdown_table(rows, protocol),
        "table.tex": tables.latex_table(rows, protocol),
        "table.csv": tables.csv_table(rows).rstrip("\n"),
        "runs.csv": tables.csv_runs(results).rstrip("\n"),
    }
    for name, content in files.items():
        write_text(out / name, content + "\n")
    return text


def _pictures(out: Path, results: Sequence[Result], labels: Sequence[str]) -> None:
    """Draw every run's result, and the curves of the first seed of each model."""
    from dvaec.runtime.pictures.comparison import dots
    from dvaec.runtime.pictures.curves import curves, read_history

    dots(out / "results.svg", results, labels)
    done = [label for label in labels if any(one.label == label and one.frame for one in results)]
    first = {label: min(one.seed for one in results if one.label == label and one.frame) for label in done}
    curves(out / "curves.svg", [(label, read_history(out / label / str(first[label]))) for label in done])
