"""Progress of long work, on a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress


@contextmanager
def bar(what: str, total: int) -> Iterator[Callable[[int], None] | None]:
    """Show how much of some work is done, and for how long it will go on; None where nobody looks."""
    if not sys.stderr.isatty():
        yield None
        return
    with drawn(transient=True) as shown:
        task = shown.add_task(what, total=total)
        yield lambda done: shown.update(task, completed=done)


def drawn(*, transient: bool = False) -> Progress:
    """Return bars with what goes on, how far, and for how long still; a transient one leaves no trace."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    return Progress(*columns, console=Console(stderr=True), transient=transient)
