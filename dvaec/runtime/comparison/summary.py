"""Results of jobs, put together: mean and spread over the seeds of each model, in nats per frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import mean, stdev

from dvaec.runtime.comparison.job import Result

COLUMNS = {
    "elbo": "-ELBO",
    "reconstruction": "reconstruction",
    "kl": "KL",
    "importance": "-log p",
    "sequence": "-ELBO by sequence",
}
"""What is tabulated, by its key; all but the last are averages over frames, and smaller is better."""


@dataclass(frozen=True)
class Spread:
    """The mean over seeds and their standard deviation, None for a single one."""

    mean: float
    deviation: float | None


@dataclass(frozen=True)
class Row:
    """One model: its values by the keys of `COLUMNS`, the seeds of which they are, what failed."""

    label: str
    seeds: tuple[int, ...]
    parameters: int
    epochs: float
    seconds: float
    values: Mapping[str, Spread]
    faults: tuple[str, ...]


def rows_of(results: Sequence[Result], labels: Sequence[str]) -> list[Row]:
    """Return a row for each label, in this order."""
    return [_row(label, [one for one in results if one.label == label]) for label in labels]


def numbers(result: Result) -> dict[str, float]:
    """Return a run's values by the keys of `COLUMNS`; {} for one that failed."""
    if result.frame is None or result.sequence is None:
        return {}
    of = result.frame
    found = {
        "elbo": -of["elbo"],
        "reconstruction": -sum(value for name, value in of.items() if name.startswith("log_p_")),
        "kl": sum(value for name, value in of.items() if name.startswith("kl_")),
        "sequence": -result.sequence["elbo"],
    }
    return found | ({"importance": -of["importance"]} if "importance" in of else {})


def _row(label: str, results: list[Result]) -> Row:
    done = sorted((one for one in results if one.frame is not None), key=lambda one: one.seed)
    told = [numbers(one) for one in done]
    keys = [key for key in COLUMNS if told and all(key in one for one in told)]
    return Row(
        label,
        tuple(one.seed for one in done),
        done[0].parameters if done else 0,
        mean(one.epochs for one in done) if done else 0.0,
        mean(one.seconds for one in done) if done else 0.0,
        {key: _spread([one[key] for one in told]) for key in keys},
        tuple(f"seed {one.seed}: {one.fault}" for one in results if one.fault),
    )


def _spread(values: list[float]) -> Spread:
    return Spread(mean(values), stdev(values) if len(values) > 1 else None)
