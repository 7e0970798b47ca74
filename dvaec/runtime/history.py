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
    """One epoch: KL's weight `beta` at its end, the parts in nats a frame with the true `elbo`, its seconds.

    `surrogate` is what training maximised in its stead, None where that is the ELBO.
    Auxiliary predictions (`aux_`) stand beside the parts of `elbo`, and are none of them.
    `train` was gathered while the weights moved; `valid` belongs to the weights at the epoch's end.
    """

    number: int
    beta: float
    train: Mapping[str, float]
    valid: Mapping[str, float]
    seconds: float
    surrogate: float | None = None


def read_rows(rows: Sequence[Mapping[str, Any]]) -> list[Epoch]:
    """Build epochs from plain mappings, as last.pt holds them."""
    return [Epoch(**row) for row in rows]


def _place(name: str) -> int:
    """The bound, its log-densities, its divergences, and what is no part of it."""
    kinds = ("elbo", "log_p_", "kl_", "aux_")
    return next(place for place, kind in enumerate(kinds) if name.startswith(kind))


def write_history(path: Path, rows: Sequence[Epoch]) -> None:
    """Write all epochs so far as CSV: epoch, beta, train_*, valid_*, seconds, the surrogate if any."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    names = sorted(rows[0].train, key=_place) if rows else []
    head = ["epoch", "beta", *(f"train_{n}" for n in names), *(f"valid_{n}" for n in names), "seconds"]
    departs = any(row.surrogate is not None for row in rows)
    writer.writerow([*head, "train_surrogate"] if departs else head)
    for row in rows:
        values = [*(row.train[n] for n in names), *(row.valid[n] for n in names)]
        line = [row.number, f"{row.beta:.6g}", *(f"{v:.8g}" for v in values), f"{row.seconds:.3f}"]
        beside = [] if not departs else ["" if row.surrogate is None else f"{row.surrogate:.8g}"]
        writer.writerow([*line, *beside])
    write_text(path, out.getvalue())
