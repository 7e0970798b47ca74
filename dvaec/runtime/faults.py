"""What can go wrong between a compiled model and its data: one clear line and a hint."""

from __future__ import annotations


class LabFault(Exception):  # noqa: N818 (a fault is the user's to mend, like diagnostics.Fault)
    """A fault of the user's data, run folder or numbers, with an optional hint on how to mend it."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        self.message = message
        self.hint = hint
        super().__init__(message if hint is None else f"{message} (hint: {hint})")


class DataFault(LabFault):
    """The data file does not hold what the model needs; names the file, the array and what is wrong."""


class TrainFault(LabFault):
    """Training cannot go on (or not be resumed): a term that is not finite, other options than the run's."""


class StoreFault(LabFault):
    """A run folder, card or weights file is missing, damaged, or belongs to another model."""


class OwnFault(LabFault):
    """A class of the user's own, which a page names, cannot be imported, made, called or scripted."""
