"""Pictures as files: the formats that there are, by the ends of their names."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from dvaec.cli.front import RefusalError

if TYPE_CHECKING:
    from dvaec.emit.diagram import Diagram


def known_format(out: Path | None) -> None:
    """Refuse a name that ends in no format of pictures."""
    from dvaec.emit.render import FORMATS

    if out is not None and out.suffix.lower().lstrip(".") not in FORMATS:
        ends = ", ".join(f".{f}" for f in FORMATS)
        raise typer.BadParameter(f"'{out}' does not end in one of {ends}", param_hint="-o")


def write(picture: Diagram, path: Path) -> None:
    """Write a picture as its file's name says."""
    from dvaec.emit.diagram_dot import dot_source
    from dvaec.emit.diagram_tikz import tikz_source
    from dvaec.emit.render import RenderError, write_picture

    source = tikz_source(picture) if path.suffix.lower() == ".tex" else dot_source(picture)
    try:
        write_picture(source, path)
    except RenderError as error:
        raise RefusalError(str(error)) from error
