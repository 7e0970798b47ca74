"""`derive --horizon N`: the minimal conditioning sets of N frames, printed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import typer

from dvaec.cli.front import RefusalError

if TYPE_CHECKING:
    from dvaec.spec.model import Spec


def at_horizon(page: Spec, horizon: int, form: str) -> str:
    """Return the sets of every latent at every frame, as text or JSON."""
    from dvaec.derive.horizon import posterior_at
    from dvaec.network.unrolled import TooLargeError

    try:
        sets = posterior_at(page, horizon)
    except TooLargeError as error:
        raise RefusalError(str(error)) from error
    if form == "json":
        return json.dumps({"posterior": sets})
    if form == "latex":
        raise typer.BadParameter("with --horizon the format is text or json", param_hint="--format")
    if not sets:
        return "Nothing is latent: there are no sets."
    width = max(len(target) for target in sets)
    return "\n".join(f"{target:<{width}} | {', '.join(given)}".rstrip() for target, given in sets.items())
