"""Libraries that only some commands need: an import that fails names the extra which brings them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from dvaec.runtime.faults import LabFault


@contextmanager
def needing(extra: str) -> Iterator[None]:
    """Import what an extra brings; LabFault, naming the extra, where the library is not there."""
    try:
        yield
    except ModuleNotFoundError as error:
        hint = f"pip install 'dvaec[{extra}]'"
        raise LabFault(f"this needs {error.name}, which is not installed", hint) from error
