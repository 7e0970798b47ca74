"""The command data: the built-in sets, to list and to write."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dvaec.cli.lab import clear_errors


def data(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="A built-in set.", show_default=False)
    ] = None,
    out: Annotated[Path | None, typer.Option("-o", "--out", help="The file; NAME.npz by default.")] = None,
    sequences: Annotated[
        int, typer.Option(min=1, help="For training; a quarter as many for valid and test.")
    ] = 200,
    frames: Annotated[int, typer.Option(min=2, help="Of the longest sequence; the shortest has half.")] = 50,
    seed: Annotated[int, typer.Option(min=0, help="Of the sequences.")] = 0,
    listed: Annotated[bool, typer.Option("--list", help="Say what there is, and leave.")] = False,
) -> None:
    """Write a built-in data set with known truth as an .npz file.

    \b
    dvaec data --list
    dvaec data lorenz --sequences 1000 -o lorenz.npz
    """
    if name is None and not listed:
        raise typer.BadParameter("which set? dvaec data --list says what there is", param_hint="NAME")
    with clear_errors():
        from dvaec.runtime.sets.catalogue import CATALOGUE, write_set
        from dvaec.runtime.sources.options import read_address

        if listed:
            name_width = max(len(one.name) for one in CATALOGUE)
            width = max(len(one.variables) for one in CATALOGUE)
            for one in CATALOGUE:
                typer.echo(f"{one.name:<{name_width}}  {one.variables:<{width}}  {one.truth}")
            return
        address = read_address(name or "")
        path = out or Path(f"{address.place}.npz")
        write_set(address, path, {"sequences": sequences, "frames": frames, "seed": seed})
        typer.echo(path)
