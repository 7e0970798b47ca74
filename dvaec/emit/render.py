"""DOT source to a picture file: by the `dot` program where there is one, else by pygraphviz's Graphviz."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from dvaec.emit.diagram_svg import themed

FORMATS = ("svg", "png", "pdf", "dot", "tex")
_RESOLUTION = "144"  # dots per inch of a PNG; the other formats have no grain


class RenderError(Exception):
    """The picture could not be made; the message says why and what to do."""


def write_picture(source: str, path: Path) -> None:
    """Write DOT text as the file's suffix says (svg, png, pdf or dot; TikZ text as tex), whole or not at all.

    Raises RenderError for another suffix, where no Graphviz can be had, and where Graphviz fails; OSError
    where the file cannot be written.
    """
    form = path.suffix.lower().lstrip(".")
    if form not in FORMATS:
        known = ", ".join(f".{f}" for f in FORMATS)
        raise RenderError(f"'{path.name}' does not end in one of {known}")
    write_whole(path, source.encode() if form in ("dot", "tex") else picture(source, form))


def picture(source: str, form: str) -> bytes:
    """Return the bytes of an svg, png or pdf."""
    program = shutil.which("dot")
    data = _by_program(program, source, form) if program else _by_wheel(source, form)
    return themed(data) if form == "svg" else data


def write_whole(path: Path, data: bytes) -> None:
    """Write a file under a temporary name beside it, then move it into place."""
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:  # name the file that was asked for, not the temporary one
        raise type(error)(error.errno, error.strerror, str(path)) from None
    try:
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        mask = os.umask(0)
        os.umask(mask)
        Path(name).chmod(0o666 & ~mask)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _by_program(program: str, source: str, form: str) -> bytes:
    done = subprocess.run(
        [program, f"-T{form}", *_arguments(form)], input=source.encode(), capture_output=True, check=False
    )
    if done.returncode != 0 or not done.stdout:
        raise RenderError(f"{program} failed: {done.stderr.decode(errors='replace').strip() or 'no output'}")
    return done.stdout


def _by_wheel(source: str, form: str) -> bytes:
    try:
        import pygraphviz
    except ImportError as error:
        raise RenderError(
            f"no Graphviz here to draw .{form} with: install Graphviz (its 'dot' program) or 'pip install "
            "pygraphviz', or ask for a .dot file"
        ) from error
    with _quiet_native_stderr() as said:
        try:
            # The source carries its own layout, positions and all, so that any engine's name only draws.
            data = pygraphviz.AGraph(string=source).draw(
                format=form, prog="dot", args=" ".join(_arguments(form))
            )
        except (ValueError, OSError) as error:
            raise RenderError(f"Graphviz failed: {error} {said()}".strip()) from error
    if not data:
        raise RenderError(f"Graphviz drew nothing: {said()}".strip())
    return bytes(data)


def _arguments(form: str) -> tuple[str, ...]:
    return (f"-Gdpi={_RESOLUTION}",) if form == "png" else ()


@contextmanager
def _quiet_native_stderr() -> Iterator[Callable[[], str]]:
    """Keep what C libraries write to standard error (fontconfig's remarks) for the message of a failure."""
    saved = os.dup(2)
    with tempfile.TemporaryFile() as file:
        os.dup2(file.fileno(), 2)

        def said() -> str:
            file.seek(0)
            return file.read().decode(errors="replace").strip()

        try:
            yield said
        finally:
            os.dup2(saved, 2)
            os.close(saved)
