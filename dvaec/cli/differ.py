"""`dvaec diff`: what changed in meaning between two specs."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dvaec.cli.front import RefusalError, compiled, refused, show
from dvaec.cli.pictures import known_format, write

if TYPE_CHECKING:
    from dvaec.derive.changes import Change, Model
    from dvaec.emit.diagram import Diagram
    from dvaec.spec.model import Spec

DIFFERENT = 1
TROUBLE = 2  # as diff(1) has it: 1 says that the two differ
_COLOURS = {"+": "green", "-": "red", "~": "yellow"}


def diff(
    a: Annotated[Path, typer.Argument(metavar="A", help="The first page.", show_default=False)],
    b: Annotated[Path, typer.Argument(metavar="B", help="The second page.", show_default=False)],
    as_json: Annotated[bool, typer.Option("--json", help="Print the differences as JSON.")] = False,
    out: Annotated[
        Path | None,
        typer.Option("-o", "--out", metavar="FILE", help="Draw them too: .svg, .png, .pdf, .dot or .tex."),
    ] = None,
    inference: Annotated[
        bool,
        typer.Option("--inference", help="Draw the inference models; p unless q alone changed."),
    ] = False,
    developed: Annotated[
        bool, typer.Option("--developed", help="Draw them with states and features; else in compact form.")
    ] = False,
) -> None:
    """Say what changed in meaning between two specs, or two versions of one.

    Variables, links of every conditional, q and its order, the exact posterior, golden and silver links, the
    terms of the bound and their estimators, states, features and networks (where a page leaves them out: the
    default development). `+` is in B alone, `-` in A alone, `~` in both and not the same. The order of lines,
    comments, the spelling of windows, `about` and `cites` mean nothing.

    Exit status as of diff(1): 0 no difference, 1 differences, 2 trouble (a faulty page, wrong usage).

    \b
    dvaec diff specs/srnn.yaml specs/srnn_filtering.yaml
    dvaec diff specs/dkf.yaml mine.yaml -o changes.svg
    dvaec diff specs/srnn.yaml specs/vrnn.yaml --developed -o changes.pdf
    dvaec diff specs/vrnn.yaml mine.yaml --json
    """
    from dvaec.derive.changes import changes
    from dvaec.plan.comparing import comparable

    known_format(out)
    one, other = comparable(*_specs(a, b))
    found = changes(one, other)
    if as_json:
        import json

        from dvaec.emit.changes_text import changes_json

        value = changes_json(one, other, found, (str(a), str(b)))
        typer.echo(json.dumps(value, indent=2, ensure_ascii=False))
    else:
        _print(one, other, found)
    if out is not None:
        from dvaec.emit.diagram_changes import changes_diagram

        _draw(changes_diagram(one, other, inference, developed), out)
        if not as_json:
            typer.echo(str(out))
    if found:
        raise typer.Exit(DIFFERENT)


def _specs(*paths: Path) -> list[Spec]:
    """Read and check the pages; the faults of all of them are shown at once."""
    from dvaec.diagnostics import Diagnostic, Fault, Sources

    found: list[Diagnostic] = []
    texts: dict[str, str] = {}
    specs = []
    for path in paths:
        try:
            specs.append(compiled(path).spec)
        except Fault as fault:
            found += fault.diagnostics
            texts |= fault.sources.texts
    if found:
        show(found, Sources(texts))
        raise typer.Exit(TROUBLE)
    return specs


def _print(a: Model, b: Model, found: tuple[Change, ...]) -> None:
    from dvaec.emit.changes_text import change_lines

    if not found:
        typer.echo("no difference")
        return
    coloured = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    for line in change_lines(a, b, found):
        text = "  " * line.depth + (f"{line.mark} " if line.mark else "") + line.text
        if coloured:
            text = typer.style(text, fg=_COLOURS.get(line.mark), bold=not line.mark)
        typer.echo(text, color=coloured)


def _draw(picture: Diagram, out: Path) -> None:
    try:
        write(picture, out)
    except RefusalError as error:
        refused(error.message)
        raise typer.Exit(TROUBLE) from None
    except OSError as error:
        refused(f"{error.filename or out}: {error.strerror}")
        raise typer.Exit(TROUBLE) from None
