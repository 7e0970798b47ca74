"""What every command shares: reading a page, showing diagnostics, the exit status of whatever goes wrong."""

from __future__ import annotations

import io
import os
import shutil
import sys
import traceback
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from dvaec.diagnostics import Diagnostic, Fault, Severity, Sources, ordered, render
from dvaec.runtime.faults import LabFault

if TYPE_CHECKING:
    from dvaec.compiler import Compilation

SpecFile = Annotated[Path, typer.Argument(metavar="SPEC", help="The page of YAML.", show_default=False)]
Overrides = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="KEY=VALUE", help="Change the page for this run: --set x.dim=513. Repeatable."
    ),
]

Sharing = Annotated[
    bool | None,
    typer.Option(
        "--share/--separate",
        help="How the compiler develops what the page leaves out: conditionals whose windows agree share a "
        "state, or each has its own. As the page says by default.",
        show_default=False,
    ),
]

OwnPython = Annotated[
    bool,
    typer.Option(
        "--allow-python",
        help="Let the page name classes of its own (python: module:Class), which are imported and run.",
    ),
]


def named(path: str | Path) -> Path:
    """Read the path behind -o; an empty one, as a shell's unset variable gives, is not this folder."""
    if not str(path):
        raise typer.BadParameter("the path is empty")
    return Path(path)


FAULTY = 1
OURS = 3
INTERRUPTED = 130  # what a shell reports of a program that Ctrl-C ended
BROKEN_PIPE = 141  # what a shell reports of a program that SIGPIPE ended
_COLOURS = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.NOTE: "cyan"}


def width_of_output() -> int:
    """Return how wide printed lines may be: as the terminal, else 100 columns."""
    return max(60, shutil.get_terminal_size().columns) if sys.stdout.isatty() else 100


class RefusalError(Exception):
    """What is asked cannot be done, and no line of a spec is to blame; exit status 1."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        self.message = message
        self.hint = hint
        super().__init__(message)


def with_sharing(overrides: Sequence[str] | None, share: bool | None) -> list[str]:
    """Return the overrides with what --share or --separate says, which goes with the run like any of them."""
    said = [] if share is None else [f"develop={'shared' if share else 'separate'}"]
    return [*(overrides or ()), *said]


def compiled(
    path: Path, overrides: Sequence[str] = (), until: str = "plan", allow_python: bool = False
) -> Compilation:
    """Run the passes over one page, up to and with `until`; Fault with every diagnostic of a failed stage."""
    from dvaec.compiler import run

    return run(path, overrides, until, allow_python)


def show(diagnostics: Iterable[Diagnostic], sources: Sources) -> None:
    """Print diagnostics on standard error, in order of position; coloured on a terminal only."""
    coloured = sys.stderr.isatty() and "NO_COLOR" not in os.environ
    texts = []
    for diagnostic in ordered(diagnostics):
        text = render([diagnostic], sources)
        texts.append(_coloured(text, diagnostic) if coloured else text)
    if texts:
        typer.echo("\n\n".join(texts), err=True, color=coloured)


def _coloured(text: str, diagnostic: Diagnostic) -> str:
    colour = _COLOURS[diagnostic.severity]
    mark = f"{diagnostic.severity}[{diagnostic.code}]:"
    lines = text.split("\n")
    lines[0] = lines[0].replace(mark, typer.style(mark, fg=colour, bold=True), 1)
    for k, line in enumerate(lines[1:], start=1):
        if line.strip("| ") and not line.strip("|^ \t"):
            lines[k] = line.replace("^", typer.style("^", fg=colour, bold=True))
        elif line.startswith("   = hint:"):
            lines[k] = typer.style(line, fg="cyan")
    return "\n".join(lines)


def guarded(command: Callable[[], object]) -> NoReturn:
    """Run the whole program and leave with its status: 0 well, 1 faulty spec or data, 2 wrong usage, 3 ours.

    No exception gets out as a traceback, unless the fault is ours and --debug or DVAEC_DEBUG=1 asks for it.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that has no ₜ shows a question mark
    try:
        status = _status(command)
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read our output has gone; leave nothing to be flushed at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = BROKEN_PIPE
    raise SystemExit(status)


def _status(command: Callable[[], object]) -> int:
    try:
        command()
    except SystemExit as leaving:
        return leaving.code if isinstance(leaving.code, int) else (0 if leaving.code is None else FAULTY)
    except Fault as fault:
        show(fault.diagnostics, fault.sources)
        return FAULTY
    except (RefusalError, LabFault) as refusal:
        return refused(refusal.message, refusal.hint)
    except BrokenPipeError:
        raise
    except OSError as error:
        return refused(_os_error(error))
    except KeyboardInterrupt:
        typer.echo("interrupted", err=True)
        return INTERRUPTED
    except Exception as error:
        if is_full(error):
            first = (str(error).splitlines() or ["no memory is left"])[0]
            return refused(f"out of memory: {first}", "smaller sizes: --set h_t.units=64")
        return _ours(error)
    return 0


def is_full(error: Exception) -> bool:
    """Whether memory ran out, by Python's error or by torch's words on a GPU or on the CPU."""
    said = isinstance(error, RuntimeError) and any(
        words in str(error) for words in ("out of memory", "can't allocate memory")
    )
    return said or isinstance(error, MemoryError)


def refused(message: str, hint: str | None = None) -> int:
    """Print an error without a position; return its exit status."""
    typer.echo(f"error: {message}", err=True)
    if hint:
        typer.echo(f"   = hint: {hint}", err=True)
    return FAULTY


def _os_error(error: OSError) -> str:
    reason = error.strerror or str(error)
    return f"{error.filename}: {reason}" if error.filename else reason


def _ours(error: Exception) -> int:
    if os.environ.get("DVAEC_DEBUG", "") not in ("", "0") or "--debug" in sys.argv[1:]:
        traceback.print_exception(error, file=sys.stderr)
    text = " ".join(str(error).split())[:200]
    typer.echo(
        f"internal error: {type(error).__name__}: {text} (a fault of dvaec's, please report it; "
        "DVAEC_DEBUG=1 shows where)",
        err=True,
    )
    return OURS
