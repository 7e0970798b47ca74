"""`dvaec compare`: several pages, several seeds, one protocol, one table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dvaec.cli.compare_pages import Page, own_settings, pages_of
from dvaec.cli.compare_text import protocol
from dvaec.cli.front import FAULTY, OwnPython, Sharing, named, with_sharing
from dvaec.cli.groups import grouped
from dvaec.cli.lab import Data, Device, Threads, ZeroInputs, clear_errors
from dvaec.cli.scoring import Scoring
from dvaec.cli.train_words import schedule_of
from dvaec.cli.training import SCHEDULED_HELP, Training
from dvaec.runtime.mode import Mode

if TYPE_CHECKING:
    from dvaec.runtime.comparison.job import Job, Result
    from dvaec.runtime.comparison.measuring import Wanted

Specs = Annotated[
    list[Path],
    typer.Argument(
        metavar="SPEC[@NAME]...", help="Pages of YAML, under other names behind an @.", show_default=False
    ),
]
Changes = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="[NAME:]KEY=VALUE",
        help="Change the pages, or the one of that name: --set srnn:h_t.units=64. Repeatable.",
    ),
]
Scheduled = Annotated[
    list[str] | None,
    typer.Option(
        "--scheduled",
        metavar="[NAME:]RISE/EVERY[/START]",
        help=f"{SCHEDULED_HELP} Of all pages whose p reads observed frames, or of one. Repeatable.",
    ),
]
Seeds = Annotated[int, typer.Option(min=1, help="Runs of each model: seeds 0, 1, ...")]
Out = Annotated[
    Path,
    typer.Option(
        "-o",
        "--out",
        parser=named,
        metavar="FOLDER",
        help="The folder of the runs, tables and pictures.",
        show_default=True,
    ),
]
Draws = Annotated[int, typer.Option(min=1, help="Draws of the latents per test sequence, of the ELBO.")]
Importance = Annotated[
    int, typer.Option(min=0, metavar="K", help="Draws of the importance-sampled log-likelihood; 0: leave it.")
]
Modes = Annotated[
    Mode, typer.Option("--mode", help="generation: measure autoregressive models in generation mode, too.")
]
Jobs = Annotated[int, typer.Option(min=0, help="Runs at a time; 0: as many as there are processors.")]
RayAt = Annotated[
    str | None,
    typer.Option(
        "--ray", metavar="ADDRESS", help="Run on the Ray cluster there; auto: the one of this machine."
    ),
]
Pictures = Annotated[bool, typer.Option("--pictures/--no-pictures", help="Draw curves and results, too.")]


@grouped
def compare(
    specs: Specs,
    data: Data,
    overrides: Changes = None,
    share: Sharing = None,
    seeds: Seeds = 3,
    out: Out = Path("runs/compare"),
    *,
    training: Training,
    scheduled: Scheduled = None,
    draws: Draws = 10,
    importance: Importance = 100,
    mode: Modes = Mode.TEACHER_FORCING,
    scoring: Scoring,
    jobs: Jobs = 0,
    ray: RayAt = None,
    threads: Threads = 1,
    device: Device = "cpu",
    zero_inputs: ZeroInputs = False,
    pictures: Pictures = False,
    allow_python: OwnPython = False,
) -> None:
    """Train and evaluate specs under one protocol, and tabulate mean and spread over seeds.

    Writes OUT/table.txt, .md, .tex and .csv, OUT/runs.csv, and a run folder for each spec and seed. Called
    again it goes on where it was, also in the middle of a run; what is trained is not trained again when
    more is to be measured.

    \b
    dvaec compare specs/vrnn.yaml specs/srnn.yaml --data pendulum-ring --seeds 3
    dvaec compare specs/*rnn.yaml --data mine.npz --jobs 4 --pictures -o runs/table
    dvaec compare srnn.yaml srnn.yaml@gm --scheduled gm:0.2/50 --mode generation --data mine.npz
    """
    with clear_errors("what was finished is kept; the same command continues", with_set=True):
        pages = pages_of(specs, with_sharing(overrides, share), scheduled or ())
        if pictures:
            from dvaec.runtime.pictures.canvas import known_format

            known_format(out / "results.svg")
        from dvaec.runtime.comparison.measuring import Wanted
        from dvaec.runtime.data import check_there

        check_there(data)
        wanted = Wanted(draws, importance, mode is Mode.GENERATION, scoring.wanted)
        todo: list[Job] = []
        for page in pages:
            todo += _jobs(
                page, data, training, wanted, seeds, out, (zero_inputs, device, threads, allow_python)
            )
        results = _done(todo, jobs, ray)
        notes = [*protocol(todo, results, seeds), *own_settings(pages)]
        if not any(one.frame for one in results):
            raise typer.Exit(FAULTY)  # each has said why; there is nothing to tabulate
        _tabulate(out, results, [page.label for page in pages], notes, pictures)


def _jobs(
    page: Page,
    data: str,
    training: Training,
    wanted: Wanted,
    seeds: int,
    out: Path,
    where: tuple[bool, str, int, bool],
) -> list[Job]:
    """Compile a page; a job for each seed. LabFault for what cannot be trained or measured so."""
    from dvaec.compiler import compile_spec
    from dvaec.runtime.card import Card
    from dvaec.runtime.comparison.job import Job
    from dvaec.runtime.faults import LabFault
    from dvaec.runtime.feedback import feeds_back
    from dvaec.runtime.measures.reconstruction import check_scored
    from dvaec.runtime.source import load_class

    zero_inputs, device, threads, allow_python = where
    compiled = compile_spec(page.path, [*page.overrides, *page.own], allow_python)
    card, schedule = Card(**compiled.card), schedule_of(page.schedule)
    if schedule is not None and not feeds_back(load_class(compiled.source, compiled.class_name)):
        if page.alone:
            raise LabFault(f"p of {page.label} reads no observed frames: nothing can be fed back")
        schedule = None
    try:
        check_scored(card, wanted.scored, data, "test")
    except LabFault as fault:
        raise LabFault(f"{page.label}: {fault.message}", fault.hint) from None
    return [
        Job(
            page.label, compiled.source, compiled.class_name, card, data, out / page.label / str(seed),
            training.options(card, seed, schedule), wanted, training.preparation(), zero_inputs, device,
            threads, training.precision.value,
        )
        for seed in range(seeds)
    ]  # fmt: skip


def _done(todo: Sequence[Job], jobs: int, ray: str | None) -> list[Result]:
    """Do all jobs and say how each has come out."""
    from dvaec.runtime.comparison.here import here, processors

    running: Iterator[tuple[Result, ...]]
    if ray is not None:
        from dvaec.runtime.comparison.cluster import on_ray

        running = on_ray(todo, ray)
    else:
        running = here(todo, min(len(todo), jobs or max(1, processors() // todo[0].threads)))
    results: list[Result] = []
    for number, found in enumerate(running, start=1):
        results += found
        said = ", ".join(one.fault or _said(one) for one in found)
        typer.echo(f"{found[0].label}, seed {found[0].seed}: {said} ({number}/{len(todo)})")
    return results


def _said(one: Result) -> str:
    value = -(one.frame or {}).get("elbo", 0.0)
    if one.mode is Mode.GENERATION:
        return f"in generation mode {value:.3f}"
    return f"test -ELBO {value:.3f}, best of {one.epochs} epochs is {one.best_epoch}"


def _tabulate(
    out: Path, results: Sequence[Result], labels: Sequence[str], notes: Sequence[str], pictures: bool
) -> None:
    """Write and print what was found; typer.Exit if a run has failed."""
    typer.echo(f"\n{_written(out, results, labels, notes)}\n{out}")
    if pictures:
        _pictures(out, results, labels)
    if any(one.fault for one in results):
        raise typer.Exit(FAULTY)


def _written(out: Path, results: Sequence[Result], labels: Sequence[str], notes: Sequence[str]) -> str:
    """Write the tables; return the one to print."""
    from dvaec.runtime.comparison import tables
    from dvaec.runtime.comparison.summary import rows_of
    from dvaec.runtime.files import write_text

    rows = rows_of(results, labels)
    text = tables.text_table(rows, notes)
    files = {
        "table.txt": text,
        "table.md": tables.markdown_table(rows, notes),
        "table.tex": tables.latex_table(rows, notes),
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
