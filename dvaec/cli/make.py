"""The commands that write: `compile` all that belongs to a model, `new` a page to start from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dvaec.cli.front import Overrides, OwnPython, Sharing, SpecFile, compiled, named, with_sharing
from dvaec.cli.stages import STAGE_NAMES, STAGES
from dvaec.diagnostics import did_you_mean


def register(app: typer.Typer) -> None:
    """Add the commands of this file to the application."""
    app.command("compile")(compile_command)
    app.command()(new)


def compile_command(
    spec: SpecFile,
    overrides: Overrides = None,
    share: Sharing = None,
    out: Annotated[
        Path | None,
        typer.Option("-o", "--out", parser=named, metavar="DIR", help="generated/<spec> by default."),
    ] = None,
    emit: Annotated[
        str | None,
        typer.Option(
            "--emit", metavar="STAGE", help=f"Only print this stage's value: {', '.join(STAGE_NAMES)}."
        ),
    ] = None,
    explain_development: Annotated[
        bool,
        typer.Option(
            "--explain-development",
            help="Only print the complete developed form, as YAML that can stand on the page.",
        ),
    ] = False,
    allow_python: OwnPython = False,
) -> None:
    """Write the PyTorch module and all that belongs to it.

    The module, its ELBO, plan and diagrams, and the TorchScript archive, freshly initialised; prints their
    paths.

    \b
    dvaec compile specs/srnn.yaml
    dvaec compile specs/srnn.yaml --set x.dim=513 -o build/srnn
    dvaec compile specs/srnn.yaml --emit plan
    dvaec compile specs/srnn.yaml --explain-development
    """
    from dvaec.cli.products import write_all

    changes = with_sharing(overrides, share)
    if explain_development:
        from dvaec.spec.developed_text import developed_text

        developed = compiled(spec, changes, "development").developed
        assert developed is not None
        typer.echo(developed_text(developed))
        return
    if emit is not None:
        if emit not in STAGE_NAMES:
            guess = did_you_mean(emit, STAGE_NAMES) or f"the stages are {', '.join(STAGE_NAMES)}"
            raise typer.BadParameter(f"no stage '{emit}': {guess}", param_hint="--emit")
        until, text = STAGES[emit]
        typer.echo(text(compiled(spec, changes, until, allow_python)).rstrip("\n"))
        return
    folder = out or Path("generated") / spec.stem
    for path in write_all(compiled(spec, changes, "module", allow_python), folder, spec.stem):
        typer.echo(str(path))


def new(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="The new model's name.", show_default=False)
    ] = None,
    origin: Annotated[
        str | None, typer.Option("--from", metavar="MODEL", help="The shipped spec to start from.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", metavar="FILE", help="NAME.yaml by default.")
    ] = None,
    listed: Annotated[bool, typer.Option("--list", help="List what one can start from.")] = False,
) -> None:
    """Write a spec to start from; nothing is overwritten.

    \b
    dvaec new --list
    dvaec new mymodel --from srnn
    """
    from dvaec.cli import gallery

    if listed:
        typer.echo("\n".join(gallery.summaries()))
        return
    if name is None or origin is None:
        raise typer.BadParameter("say dvaec new NAME --from MODEL, or dvaec new --list")
    typer.echo(str(gallery.start(name, origin, out)))
