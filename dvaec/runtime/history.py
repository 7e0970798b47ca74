"""The course of a training run: one row an epoch, as values and as history.csv."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dvaec.runtime.files import write_text


@dataclass(frozen=True)
class Epoch:
    """One epoch: `beta` at its end, the parts in nats per frame (with `elbo`, at beta = 1), its wall time.

    Auxiliary predictions (`aux_`) stand beside the parts of `elbo`, and are none of them.
    `train` was gathered while the weights moved; `valid` belongs to the weights at the epoch's end.
    """

    number: int
    beta: float
    train: Mapping[str, float]
    valid: Mapping[str, float]
    seconds: float


def read_rows(rows: Sequence[Mapping[str, Any]]) -> list[Epoch]:
    """Build epochs from plain mappings, as last.pt holds them."""
    return [Epoch(**row) for row in rows]


def _place(name: str) -> int:
    """The bound, its log-densities, its divergences, and what is no part of it."""
    kinds = ("elbo", "log_p_", "kl_", "aux_")
    return next(place for place, kind in enumerate(kinds) if name.startswith(kind))


def write_history(path: Path, rows: Sequence[Epoch]) -> None:
    """Write all epochs so far as CSV: epoch, beta, train_*, valid_*, seconds."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    names = sorted(rows[0].train, key=_place) if rows else []
    writer.writerow(
        ["epoch", "beta", *(f"train_{n}" for n in names), *(f"valid_{n}" for n in names), "seconds"]
    )
    for row in rows:
        values = [*(row.train[n] for n in names), *(row.valid[n] for n in names)]
        writer.writerow([row.number, f"{row.beta:.6g}", *(f"{v:.8g}" for v in values), f"{row.seconds:.3f}"])
    write_text(path, out.getvalue())
