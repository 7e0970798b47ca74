"""`dvaec fmt`: pages in canonical layout, rewritten, named or shown."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from dvaec.cli.front import FAULTY, refused, show

STANDARD_INPUT = Path("-")
NAME = "standard input"


def fmt(
    specs: Annotated[
        list[Path],
        typer.Argument(metavar="SPEC...", help="Pages of YAML; - is standard input.", show_default=False),
    ],
    check: Annotated[
        bool,
        typer.Option("--check", help="Write nothing; name the files that would change; status 1 if any."),
    ] = False,
    diff: Annotated[
        bool, typer.Option("--diff", help="Write nothing; show what would change, as a unified diff.")
    ] = False,
) -> None:
    """Write pages in canonical layout; nothing that they mean changes, and no comment is lost.

    Blocks in the order in which a page is read, one entry a line, quotes only where needed, the comments of
    a block below one another. Prints the files that it changes. A page with a fault is left as it is: the
    fault is shown, the other pages are written, exit status 1. A page from standard input is printed.

    \b
    dvaec fmt mine.yaml
    dvaec fmt --check specs/*.yaml
    dvaec fmt --diff mine.yaml
    dvaec fmt - < mine.yaml
    """
    from dvaec.diagnostics import Diagnostic, Fault, Sources
    from dvaec.spec.layout import LayoutError, formatted
    from dvaec.spec.read import file_text

    if STANDARD_INPUT in specs:
        if len(specs) > 1:
            raise typer.BadParameter("- is standard input, and stands alone", param_hint="SPEC...")
        _piped(check, diff)
        return
    found: list[Diagnostic] = []
    texts: dict[str, str] = {}
    failed = False
    for path in specs:
        try:
            before = file_text(path)
            after = formatted(before, str(path))
        except Fault as fault:
            found += fault.diagnostics
            texts |= fault.sources.texts
            continue
        except LayoutError as error:
            failed = bool(refused(str(error), "it is left as it is; please report it"))
            continue
        if _same(path, after):
            continue
        if diff:
            _show(path, before, after)
        elif not check:
            _write(path, after)
        if check or not diff:
            typer.echo(str(path))
        failed = failed or check
    show(found, Sources(texts))
    if found or failed:
        raise typer.Exit(FAULTY)


def _piped(check: bool, diff: bool) -> None:
    """Print the page of standard input in canonical layout; with --check and --diff as for files.

    Nothing is printed of a page with a fault.
    """
    from dvaec.diagnostics import Fault
    from dvaec.spec.layout import LayoutError, formatted
    from dvaec.spec.read import decoded

    data = sys.stdin.buffer.read()
    try:
        before = decoded(data, NAME)
        after = formatted(before, NAME)
    except Fault as fault:
        show(fault.diagnostics, fault.sources)
        raise typer.Exit(FAULTY) from None
    except LayoutError as error:
        refused(str(error), "please report it")
        raise typer.Exit(FAULTY) from None
    same = data == after.encode("utf-8")
    if diff and not same:
        _show(Path(NAME), before, after)
    elif check and not same:
        typer.echo(NAME)
    elif not (check or diff):
        sys.stdout.buffer.write(after.encode("utf-8"))
        sys.stdout.flush()
    if check and not same:
        raise typer.Exit(FAULTY)


def _same(path: Path, text: str) -> bool:
    """Whether the file holds these bytes already: line ends and a byte order mark count."""
    return path.read_bytes() == text.encode("utf-8")


def _write(path: Path, text: str) -> None:
    """Put the text in the file's place, whole or not at all; a link stays one, and so do the permissions."""
    from dvaec.emit.render import write_whole

    place = path.resolve()
    mode = place.stat().st_mode
    write_whole(place, text.encode("utf-8"))
    place.chmod(mode & 0o7777)


def _show(path: Path, before: str, after: str) -> None:
    from difflib import unified_diff

    lines = unified_diff(before.splitlines(), after.splitlines(), str(path), f"{path} (fmt)", lineterm="")
    said = list(lines)
    typer.echo("\n".join(said) if said else f"{path}: line ends, a byte order mark or the last line alone")
