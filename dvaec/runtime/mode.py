"""The two ways to evaluate an autoregressive model (4.4.1)."""

from __future__ import annotations

from enum import StrEnum


class Mode(StrEnum):
    """What stands where p reads observed frames: the data, or p's own outputs."""

    TEACHER_FORCING = "teacher-forcing"
    GENERATION = "generation"
