"""The pages that the project ships, read once for many tests."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from dvaec.spec.model import Spec
from dvaec.spec.read import read_spec

ROOT = Path(__file__).parent.parent
SPECS = ROOT / "specs"
SHIPPED = tuple(sorted(path.stem for path in SPECS.glob("*.yaml")))


@cache
def shipped(name: str) -> Spec:
    """Return what one page of `specs/` means."""
    return read_spec(SPECS / f"{name}.yaml")[0]
