"""What the commands that touch data share: their options, and faults as clear errors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from dvaec.cli.front import FAULTY, INTERRUPTED, is_full, refused, show
from dvaec.diagnostics import Fault
from dvaec.runtime.faults import LabFault

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


@contextmanager
def clear_errors(when_interrupted: str | None = None, *, with_set: bool = False) -> Iterator[None]:
    """Turn faults of specs, data and numbers into one clear message and exit status 1 (130 for Ctrl-C).

    with_set: the command has --set; elsewhere a hint that names it is one for `train`.
    """
    try:
        yield
    except Fault as fault:
        show(fault.diagnostics, fault.sources)
        raise typer.Exit(FAULTY) from None
    except LabFault as fault:
        foreign = (fault.hint or "").startswith("--set") and not with_set
        hint = f"train anew, with {fault.hint}" if foreign else fault.hint
        raise typer.Exit(refused(fault.message, hint)) from None
    except (MemoryError, RuntimeError) as error:
        if not is_full(error):
            raise
        said = str(error).splitlines()[0] if str(error) else ""
        hint = "a smaller --batch, pieces (--crop), or data in a folder of .npy, which are not held in memory"
        raise typer.Exit(refused(f"out of memory: {said}", hint)) from None
    except KeyboardInterrupt:
        typer.echo(f"interrupted{f': {when_interrupted}' if when_interrupted else ''}", err=True)
        raise typer.Exit(INTERRUPTED) from None
