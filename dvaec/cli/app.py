"""The commands. Each imports what it needs when it runs: `check` and `draw` load no torch or sympy."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from dvaec.cli import dream, look, make
from dvaec.cli.compare import compare
from dvaec.cli.data import data
from dvaec.cli.differ import diff
from dvaec.cli.draw import draw
from dvaec.cli.evaluate import evaluate
from dvaec.cli.front import (
    FAULTY,
    Overrides,
    SpecFile,
    compiled,
    guarded,
    show,
    width_of_output,
)
from dvaec.cli.report import report
from dvaec.cli.rewrite import fmt
from dvaec.cli.train import train
from dvaec.cli.verify import verify

app = typer.Typer(
    name="dvaec",
    help="The compiler for dynamical variational autoencoders.\n\n"
    "One page of YAML becomes a checked, derived, drawn and trained PyTorch model. "
    "To begin: dvaec new mymodel --from srnn, then dvaec check mymodel.yaml.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


class DerivationFormat(StrEnum):
    """How `derive` prints."""

    TEXT = "text"
    LATEX = "latex"
    JSON = "json"


def main() -> None:
    """Entry point of the `dvaec` program."""
    guarded(app)


def _version(wanted: bool) -> None:
    if wanted:
        from dvaec import __version__

        typer.echo(f"dvaec {__version__}")
        raise typer.Exit


@app.callback()
def _program(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and leave.")
    ] = False,
    debug: Annotated[
        bool,
        typer.Option("--debug", help="Show a traceback where the fault is dvaec's (also: DVAEC_DEBUG=1)."),
    ] = False,
) -> None:
    del version, debug  # the first acts by itself, the second is read where faults end


@app.command()
def check(
    specs: Annotated[
        list[Path], typer.Argument(metavar="SPEC...", help="Pages of YAML.", show_default=False)
    ],
    overrides: Overrides = None,
) -> None:
    """Say nothing if the specs are right; else show every fault.

    Warnings speak of what is legal and may yet surprise (a q that cannot be exact, a link that tells q
    nothing); they leave the exit status 0.

    \b
    dvaec check specs/*.yaml
    dvaec check specs/vrnn.yaml --set sizes=speech
    """
    from dvaec.diagnostics import Diagnostic, Fault, Severity, Sources

    found: list[Diagnostic] = []
    texts: dict[str, str] = {}
    for path in specs:
        try:
            known = compiled(path, overrides or ())
            found += known.notes
            texts |= known.source.texts
        except Fault as fault:
            found += fault.diagnostics
            texts |= fault.sources.texts
    show(found, Sources(texts))
    if any(one.severity is Severity.ERROR for one in found):
        raise typer.Exit(FAULTY)


@app.command()
def derive(
    spec: SpecFile,
    form: Annotated[
        DerivationFormat, typer.Option("--format", help="text, latex or json.")
    ] = DerivationFormat.TEXT,
    horizon: Annotated[
        int | None,
        typer.Option(
            min=1, metavar="N", help="The minimal conditioning set of every latent of N frames instead."
        ),
    ] = None,
    overrides: Overrides = None,
) -> None:
    """Print the exact posterior, q against it, and the ELBO.

    Golden is what the exact posterior has and q lacks, silver what q has and the exact posterior lacks. Each
    term of the ELBO comes with its estimator and the reason.

    \b
    dvaec derive specs/vrnn.yaml
    dvaec derive specs/srnn.yaml --format latex
    dvaec derive specs/dkf.yaml --horizon 3 --format json
    """
    known = compiled(spec, overrides or ())
    if horizon is not None:
        from dvaec.cli.horizon import at_horizon

        typer.echo(at_horizon(known.spec, horizon, form.value))
        return
    page, derivation, elbo = known.spec, known.derivation, known.elbo
    assert derivation is not None
    assert elbo is not None
    match form:
        case DerivationFormat.TEXT:
            from dvaec.emit.derivation_text import derivation_text

            text = derivation_text(page, derivation, elbo, width_of_output())
        case DerivationFormat.LATEX:
            from dvaec.emit.latex import derivation_latex

            text = derivation_latex(page, derivation, elbo)
        case DerivationFormat.JSON:
            import json

            from dvaec.emit.derivation_json import derivation_json

            text = json.dumps(derivation_json(page, derivation, elbo), indent=2, ensure_ascii=False)
    typer.echo(text.rstrip("\n"))


@app.command()
def explain(
    spec: SpecFile,
    question: Annotated[
        str, typer.Argument(metavar="QUESTION", help="A link: 'z_t <- x_<t+1>'.", show_default=False)
    ],
    overrides: Overrides = None,
) -> None:
    """Say whether, and why, a latent's posterior has a link.

    \b
    dvaec explain specs/dkf.yaml 'z_t <- x_<t+1>'
    dvaec explain specs/dkf.yaml 'z_t <- x_<t-1>'
    """
    from dvaec.derive.explain import explain as answer
    from dvaec.derive.explain_text import explanation_text
    from dvaec.derive.question import parse_question

    known = compiled(spec, overrides or ())
    assert known.derivation is not None
    asked = parse_question(question, known.spec)
    typer.echo(explanation_text(answer(known.spec, known.derivation, asked), known.source))


app.command()(draw)
make.register(app)
app.command()(report)
app.command()(verify)
app.command()(fmt)
app.command()(diff)
app.command()(evaluate)
look.register(app)
dream.register(app)
app.command()(data)
app.command()(train)
app.command()(compare)
