"""`report`: all that is known about a model on one page of HTML, and many models with an overview."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dvaec.cli.front import Overrides, OwnPython, RefusalError, Sharing, compiled, named, with_sharing
from dvaec.diagnostics import Diagnostic, Fault, Severity, Sources

if TYPE_CHECKING:
    from dvaec.compiler import Compilation
    from dvaec.emit.report_values import Report

PAGE_SUFFIXES = (".html", ".htm")
_OF_OTHERS = (".txt", ".md", ".pdf", ".tex", ".svg", ".png", ".json", ".yaml", ".yml")


def report(
    specs: Annotated[
        list[Path], typer.Argument(metavar="SPEC...", help="Pages of YAML.", show_default=False)
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--out",
            parser=named,
            metavar="FILE|DIR",
            help="A .html file for one spec, <spec>.html by default; else a folder, site/ by default.",
        ),
    ] = None,
    overrides: Overrides = None,
    share: Sharing = None,
    allow_python: OwnPython = False,
) -> None:
    """Write all that is known about a model on one page of HTML.

    The page stands by itself (no network, no script): factorizations, the exact posterior with the argument
    for every link, golden and silver, the ELBO term by term, diagrams, the schedule, parameters, the module
    and the spec with links. Several specs, or a folder behind -o, give a page each and index.html with a
    table that compares them. Prints the path of the page or of the index.

    \b
    dvaec report specs/srnn.yaml -o srnn.html
    dvaec report specs/*.yaml -o site/
    """
    from dvaec.emit.render import RenderError

    single = len(specs) == 1 and (out is None or out.suffix.lower() in PAGE_SUFFIXES)
    if not single and out is not None and out.suffix.lower() in PAGE_SUFFIXES:
        raise typer.BadParameter(
            f"'{out}' is one page, but {len(specs)} specs are given: name a folder", param_hint="-o"
        )
    if out is not None and out.suffix.lower() in _OF_OTHERS and not out.is_dir():
        raise typer.BadParameter(
            f"'{out}': a page ends in .html, and the name of a folder does not end so", param_hint="-o"
        )
    changes = with_sharing(overrides, share)
    _distinct(specs)
    with _progress(len(specs)) as advance:
        known = _all_compiled(specs, changes, allow_python, advance)
        try:
            if single:
                path = out or Path(f"{specs[0].stem}.html")
                texts = _page(known[0], path, advance)
            else:
                path = (out or Path("site")) / "index.html"
                texts = _site(dict(zip((spec.stem for spec in specs), known, strict=True)), path, advance)
        except RenderError as error:
            raise RefusalError(str(error)) from error
        _write(texts)
    typer.echo(str(path))


def _page(known: Compilation, path: Path, advance: Callable[[str], None]) -> dict[Path, str]:
    from dvaec.emit.report import report_page

    advance(f"writing {known.spec.name}")
    return {path: report_page(report_of(known))}


def _site(known: dict[str, Compilation], index: Path, advance: Callable[[str], None]) -> dict[Path, str]:
    from dvaec.emit.report import report_page
    from dvaec.emit.report_site import Entry, site_index, site_pictures

    texts: dict[Path, str] = {}
    entries = []
    for stem, one in known.items():
        advance(f"writing {one.spec.name}")
        made = report_of(one)
        drawn = site_pictures(made, stem)
        texts |= {index.parent / name: text for name, text in drawn.items()}
        texts[index.parent / f"{stem}.html"] = report_page(made, index.name)
        entries.append(Entry(stem, made, tuple(drawn)))
    texts[index] = site_index(entries)
    return texts


def report_of(known: Compilation) -> Report:
    """Gather what a report is made of; the module is built once for the shapes of its parameters."""
    from dvaec import __version__
    from dvaec.emit.report_values import Report
    from dvaec.runtime.sizes import parameter_shapes
    from dvaec.runtime.source import load_class

    assert known.derivation is not None
    assert known.elbo is not None
    assert known.developed is not None
    assert known.plan is not None
    assert known.module is not None
    return Report(
        source=known.source,
        overrides=known.overrides,
        hash=known.hash,
        version=__version__,
        spec=known.spec,
        derivation=known.derivation,
        elbo=known.elbo,
        developed=known.developed,
        plan=known.plan,
        module=known.module,
        parameters=parameter_shapes(load_class(known.module, known.spec.name)()),
    )


def _distinct(specs: Iterable[Path]) -> None:
    """Refuse specs whose pages would have the same name."""
    seen: dict[str, Path] = {}
    for spec in specs:
        if spec.stem.lower() in (*seen, "index"):
            other = f"as {seen[spec.stem.lower()]} does" if spec.stem.lower() in seen else "as the overview"
            raise RefusalError(f"{spec} would be written to {spec.stem}.html, {other}", "rename one of them")
        seen[spec.stem.lower()] = spec


def _all_compiled(
    specs: Iterable[Path], changes: list[str], allow_python: bool, advance: Callable[[str], None]
) -> list[Compilation]:
    """Compile every page; Fault with the faults of all of them, so that nothing is written of a part."""
    known: list[Compilation] = []
    found: list[Diagnostic] = []
    texts: dict[str, str] = {}
    for spec in specs:
        advance(f"compiling {spec.stem}")
        try:
            known.append(compiled(spec, changes, "module", allow_python))
        except Fault as fault:
            found += fault.diagnostics
            texts |= fault.sources.texts
    if any(one.severity is Severity.ERROR for one in found):
        raise Fault(found, Sources(texts))
    return known


def _write(texts: dict[Path, str]) -> None:
    from dvaec.emit.render import write_whole

    for folder in dict.fromkeys(path.parent for path in texts):
        folder.mkdir(parents=True, exist_ok=True)
    for path, text in texts.items():
        write_whole(path, text.encode("utf-8"))


@contextmanager
def _progress(pages: int) -> Iterator[Callable[[str], None]]:
    """Yield what is called before each step: it moves a bar on standard error, on a terminal only."""
    from rich.console import Console
    from rich.progress import Progress

    hidden = not sys.stderr.isatty()
    with Progress(console=Console(stderr=True), transient=True, disable=hidden) as bar:
        task = bar.add_task("compiling", total=2 * pages)
        begun: list[str] = []

        def advance(what: str) -> None:
            bar.update(task, description=what, advance=1 if begun else 0)
            begun.append(what)

        yield advance
