"""What a page must satisfy beyond its form."""

from __future__ import annotations

from dvaec.spec.assemble import topological
from dvaec.spec.build import Parsed
from dvaec.spec.report import Report


def check(parsed: Parsed, report: Report) -> tuple[dict[str, bool], tuple[str, ...]]:
    """Report every fault of meaning; return each variable's level and the order of the latents."""
    latents = [
        line.target.name
        for line in parsed.generation
        if parsed.shape.variables[line.target.name].role == "latent"
    ]
    before = {
        line.target.name: [r.name for r in line.parents if r.offsets is not None and 0 in r.offsets]
        for line in parsed.generation
    }
    return {name: True for name in parsed.shape.variables}, topological(latents, before)
