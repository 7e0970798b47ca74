"""A score of many sequences: its mean, the error of that mean, and how it was measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dvaec.runtime.mode import Mode

DRAWN = {
    Mode.TEACHER_FORCING: "one draw of the latents from q, the means of p, past data given (teacher forcing)",
    Mode.GENERATION: "one draw of the latents from q, the means of p, these fed back (generation mode, 4.4)",
}
"""How what is scored was made, by mode."""


@dataclass(frozen=True)
class Score:
    """The mean over `count` sequences, and its standard error over sequences (nan of a single one).

    `key` names it where there is no room for words.
    """

    key: str
    name: str
    unit: str
    mean: float
    error: float
    count: int


@dataclass(frozen=True)
class Scores:
    """Scores of one kind of data, with the protocol they were measured by, a line each; what errors are."""

    kind: str
    scores: tuple[Score, ...]
    protocol: tuple[str, ...]
    errors: str


def score(key: str, name: str, unit: str, values: Sequence[float]) -> Score:
    """Average over those sequences that have a value (the others are nan)."""
    own = np.asarray([value for value in values if np.isfinite(value)], dtype=np.float64)
    if not len(own):
        return Score(key, name, unit, float("nan"), float("nan"), 0)
    error = float(own.std(ddof=1) / np.sqrt(len(own))) if len(own) > 1 else float("nan")
    return Score(key, name, unit, float(own.mean()), error, len(own))
