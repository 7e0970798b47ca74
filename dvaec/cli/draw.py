"""The command `draw`: one picture of a page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dvaec.cli.front import Overrides, RefusalError, Sharing, SpecFile, compiled, with_sharing
from dvaec.cli.pictures import known_format, write

if TYPE_CHECKING:
    from dvaec.compiler import Compilation
    from dvaec.emit.diagram import Diagram
    from dvaec.emit.diagram_build import Extent


def draw(
    spec: SpecFile,
    compact: Annotated[bool, typer.Option("--compact", help="The variables and their conditionals.")] = False,
    developed: Annotated[bool, typer.Option("--developed", help="With states and features.")] = False,
    inference: Annotated[
        bool, typer.Option("--inference", help="q, with golden and silver arrows; either form.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--out",
            metavar="FILE",
            help="A .svg, .png, .pdf, .dot or .tex file (TikZ); <spec>-<form>.svg by default.",
        ),
    ] = None,
    slices: Annotated[
        int | None, typer.Option(min=1, max=9, metavar="N", help="That many frames round t; 3 by default.")
    ] = None,
    unrolled: Annotated[
        int | None, typer.Option(min=1, max=12, metavar="T", help="The whole network of T frames instead.")
    ] = None,
    highlight: Annotated[
        str | None,
        typer.Option(
            metavar="QUESTION",
            help="Paint the answer to 'z_t <- x_<t+1>': the active path, or what blocks every path.",
        ),
    ] = None,
    overrides: Overrides = None,
    share: Sharing = None,
) -> None:
    """Draw the model: some frames round t, or all frames of a short sequence.

    Prints the picture's path.

    Without --compact or --developed: developed if the page has states, else compact.

    \b
    dvaec draw specs/vrnn.yaml --developed
    dvaec draw specs/vrnn.yaml --inference -o vrnn.pdf
    dvaec draw specs/dkf.yaml --inference -o dkf.tex
    dvaec draw specs/vrnn.yaml --compact --unrolled 4
    dvaec draw specs/srnn.yaml --highlight 'z_t <- x_<t+1>' -o why.png
    """
    from dvaec.emit.diagram_build import Extent

    _refuse_both(compact, developed, inference, slices, unrolled, highlight)
    known_format(out)
    known, extent = compiled(spec, with_sharing(overrides, share)), Extent.of(slices, unrolled)
    if highlight is None:
        picture = _picture(known, compact, developed, inference, extent)
    else:
        picture = _highlighted(known, highlight, extent)
    path = out or Path(f"{spec.stem}-{'highlight' if highlight else picture.form.value}.svg")
    write(picture, path)
    typer.echo(str(path))


def _refuse_both(
    compact: bool,
    developed: bool,
    inference: bool,
    slices: int | None,
    unrolled: int | None,
    highlight: str | None,
) -> None:
    """Refuse options that exclude each other."""
    if highlight is not None and (developed or inference or unrolled is not None):
        message = "--highlight paints the compact generative model, with as many frames as the answer takes"
        raise typer.BadParameter(message)
    if compact and developed:
        raise typer.BadParameter("choose one of --compact and --developed; a picture shows one form")
    if slices is not None and unrolled is not None:
        raise typer.BadParameter("choose one of --slices and --unrolled; the latter draws every frame")


def _picture(known: Compilation, compact: bool, developed: bool, inference: bool, extent: Extent) -> Diagram:
    """Return the form that is asked for, or the default one."""
    from dvaec.emit.diagram import Form
    from dvaec.emit.diagram_set import default_form, picture_of

    page, derivation = known.spec, known.derivation
    assert derivation is not None
    if inference and not page.latents:
        raise RefusalError(f"{page.name} has no latent variable, hence no inference model to draw")
    form = default_form(page, inference)
    if compact:
        form = Form.INFERENCE_COMPACT if inference else Form.COMPACT
    if developed:
        form = Form.INFERENCE if inference else Form.DEVELOPED
    return picture_of(page, derivation, form, extent)


def _highlighted(known: Compilation, question: str, extent: Extent) -> Diagram:
    """Return the compact generative model with the reasons of an answer."""
    from dvaec.derive.explain import explain
    from dvaec.derive.question import parse_question
    from dvaec.emit.diagram_highlight import TooLongError, highlighted

    assert known.derivation is not None
    answer = explain(known.spec, known.derivation, parse_question(question, known.spec))
    try:
        return highlighted(known.spec, known.derivation, answer, extent)
    except TooLongError as error:
        raise RefusalError(f"the answer is too long to draw: {error}", "dvaec explain prints it") from error
