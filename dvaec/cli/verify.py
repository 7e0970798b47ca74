"""`dvaec verify`: the property list on a page of one's own, as a table that fills while it is checked."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dvaec.cli.front import FAULTY, Overrides, OwnPython, SpecFile, compiled

if TYPE_CHECKING:
    from dvaec.testing.verification import Outcome


def verify(
    spec: SpecFile,
    overrides: Overrides = None,
    full: Annotated[
        bool, typer.Option("--full", help="With the page's own widths; else all are cut to a few units.")
    ] = False,
    allow_python: OwnPython = False,
) -> None:
    """Check on this page all that must be true of every page.

    Derivations against independent oracles, the compiled module against one frame at a time: what is
    checked, how, how closely; for what fails, the smallest example. Exit status 1 if anything fails.

    \b
    dvaec verify mine.yaml
    """
    known = compiled(Path(spec), overrides or (), allow_python=allow_python)
    failed = _table(known.spec, not full)
    if failed:
        raise typer.Exit(FAULTY)


def _table(spec: object, small: bool) -> int:
    """Check and print line by line; return how many properties fail."""
    from rich.console import Console

    from dvaec.spec.model import Spec
    from dvaec.testing.verification import verify as outcomes

    assert isinstance(spec, Spec)
    console = Console(highlight=False)
    failed = held = 0
    running = outcomes(spec, small)
    while True:
        with console.status("checking"):
            outcome = next(running, None)
        if outcome is None:
            break
        failed += bool(outcome.failure)
        held += not outcome.failure and outcome.compared > 0
        _line(console, outcome)
    console.print(f"{held} properties hold, {failed} fail" if failed else f"all {held} properties hold")
    return failed


def _line(console: object, outcome: Outcome) -> None:
    from rich.console import Console
    from rich.markup import escape

    assert isinstance(console, Console)
    sizes = ", ".join(map(str, outcome.frames))
    said = f"[bold]{outcome.name}[/bold]: {escape(outcome.says)}"
    if outcome.failure:
        console.print(f"[red]fails[/red]  {said}", soft_wrap=True)
        console.print(f"       {escape(outcome.failure)}", soft_wrap=True)
    elif not outcome.compared:
        console.print(f"[dim]-      {outcome.name}: nothing of the kind in this model[/dim]")
    else:
        closeness = f"at most {outcome.error:.2g} {outcome.unit}" if outcome.error else "exact"
        console.print(f"[green]holds[/green]  {said}", soft_wrap=True)
        console.print(
            f"[dim]       {escape(outcome.how)}; T = {sizes}; "
            f"{outcome.compared:,} compared, {closeness}[/dim]",
            soft_wrap=True,
        )
