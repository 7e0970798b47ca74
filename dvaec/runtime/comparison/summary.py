"""Results of jobs, put together: mean and spread over the seeds of each model, in nats per frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import mean, stdev

from dvaec.runtime.comparison.job import Result
from dvaec.runtime.mode import Mode

COLUMNS = {
    "elbo": "-ELBO",
    "reconstruction": "reconstruction",
    "kl": "KL",
    "importance": "-log p",
    "sequence": "-ELBO by sequence",
}
"""What is tabulated, by its key; all but the last are averages over frames, and smaller is better."""

SCORES = {"si_sdr": "SI-SDR", "pesq": "PESQ", "estoi": "ESTOI", "mpjpe": "MPJPE"}
"""The scores of Tables 13.1 to 13.3, which are tabulated where they were asked for."""

BESIDE = ("pesq_lqo", "mpjpe_sequence")
"""The same measured otherwise: in full, run by run, and not in the table."""


@dataclass(frozen=True)
class Spread:
    """The mean over seeds and their standard deviation, None for a single one."""

    mean: float
    deviation: float | None


@dataclass(frozen=True)
class Row:
    """One model in one mode: its values by the keys of `COLUMNS` and `SCORES`, the seeds, what failed.

    `units` are those of the scores.
    """

    label: str
    seeds: tuple[int, ...]
    parameters: int
    epochs: float
    seconds: float
    values: Mapping[str, Spread]
    faults: tuple[str, ...]
    mode: Mode = Mode.TEACHER_FORCING
    units: Mapping[str, str] | None = None

    @property
    def title(self) -> str:
        """What the row is called in a table."""
        return titled(self.label, self.mode)


def titled(label: str, mode: Mode) -> str:
    """Name a model in a mode: srnn, or srnn, generation."""
    return label if mode is Mode.TEACHER_FORCING else f"{label}, {mode.value}"


def grouped(results: Sequence[Result], labels: Sequence[str]) -> list[tuple[str, Mode, list[Result]]]:
    """Put together the results of each label and mode, in the order of the labels."""
    found = []
    for label in labels:
        for mode in Mode:
            own = [one for one in results if one.label == label and one.mode is mode]
            if own or mode is Mode.TEACHER_FORCING:
                found.append((label, mode, own))
    return found


def rows_of(results: Sequence[Result], labels: Sequence[str]) -> list[Row]:
    """Return a row for each label, in this order, and one behind it for generation mode if there is one."""
    return [_row(*own) for own in grouped(results, labels)]


def numbers(result: Result) -> dict[str, float]:
    """Return a run's values by the keys of `COLUMNS`, its scores by theirs; {} for one that failed."""
    if result.frame is None or result.sequence is None:
        return {}
    of = result.frame
    found = {
        "elbo": -of["elbo"],
        "reconstruction": -sum(value for name, value in of.items() if name.startswith("log_p_")),
        "kl": sum(value for name, value in of.items() if name.startswith("kl_")),
        "sequence": -result.sequence["elbo"],
    }
    if "importance" in of:
        found["importance"] = -of["importance"]
    return found | {key: value for key, value in result.scores.items() if value is not None}


def protocols(results: Sequence[Result]) -> list[str]:
    """Say how scores were made, a line each; a line that is not said of all names those of which it is."""
    scored = [one for one in results if one.protocol]
    told: dict[str, dict[str, None]] = {}
    for one in scored:
        for line in one.protocol:
            told.setdefault(line, {})[f"{titled(one.label, one.mode)}, seed {one.seed}"] = None
    modes = {one.mode for one in scored}
    by_mode = {line for mode in modes for line in _common([one for one in scored if one.mode is mode])}
    said = []
    for line, whose in told.items():
        of = "" if line in by_mode else f" ({'; '.join(whose)})"
        said.append(f"{line[0].upper()}{line[1:]}{of}.")
    return said


def _common(results: Sequence[Result]) -> list[str]:
    return [line for line in results[0].protocol if all(line in one.protocol for one in results)]


def _row(label: str, mode: Mode, results: list[Result]) -> Row:
    done = sorted((one for one in results if one.frame is not None), key=lambda one: one.seed)
    told = [numbers(one) for one in done]
    keys = [key for key in (*COLUMNS, *SCORES, *BESIDE) if told and all(key in one for one in told)]
    return Row(
        label,
        tuple(one.seed for one in done),
        done[0].parameters if done else 0,
        mean(one.epochs for one in done) if done else 0.0,
        mean(one.seconds for one in done) if done else 0.0,
        {key: _spread([one[key] for one in told]) for key in keys},
        tuple(f"seed {one.seed}: {one.fault}" for one in results if one.fault),
        mode,
        done[0].units if done else {},
    )


def _spread(values: list[float]) -> Spread:
    return Spread(mean(values), stdev(values) if len(values) > 1 else None)
