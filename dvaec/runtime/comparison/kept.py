"""What stands in the folder of a job: how it was trained, how that ended, and every measurement by itself.

Training and measuring are apart: whoever asks for other measurements of a run that is trained gets these, and
whoever asks for fewer leaves the others where they are.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from dvaec.runtime.faults import LabFault
from dvaec.runtime.files import write_text
from dvaec.runtime.mode import Mode
from dvaec.runtime.sources.options import read_address

RESULT = "result.json"
_DATA = ("data", "zero_inputs")
_EARLIER = ("model", "data", "content", "options", "zero_inputs", "how")  # of a protocol in one piece


@dataclass(frozen=True)
class Measure:
    """One thing to measure on the test data: bound, importance (with so many draws), audio or motion.

    `variable` and `unit` are of the scores.
    """

    kind: str
    mode: Mode = Mode.TEACHER_FORCING
    draws: int = 0
    variable: str = ""
    unit: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "mode", Mode(self.mode))


@dataclass(frozen=True)
class Measured:
    """What was found: nats per frame, averaged over frames and over sequences; scores by their keys.

    `units` are those of the scores (None: a score that no sequence has), `protocol` says how they were made.
    """

    frame: Mapping[str, float]
    sequence: Mapping[str, float]
    scores: Mapping[str, float | None]
    units: Mapping[str, str]
    protocol: tuple[str, ...] = ()


@dataclass(frozen=True)
class Ended:
    """How training ended."""

    parameters: int
    epochs: int
    best_epoch: int
    seconds: float


@dataclass(frozen=True)
class Kept:
    """The content of result.json: `training` as plain values, `ended` once it has, what was measured."""

    training: Mapping[str, Any]
    ended: Ended | None = None
    measured: tuple[tuple[Measure, Measured], ...] = ()

    def find(self, measure: Measure) -> Measured | None:
        """Return what was found for a measure, if it was taken."""
        return next((found for one, found in self.measured if one == measure), None)

    def with_measured(self, measure: Measure, found: Measured) -> Kept:
        """Return the same with one thing more."""
        return replace(self, measured=(*self.measured, (measure, found)))

    def write(self, folder: Path) -> None:
        """Write result.json."""
        said = {
            "training": self.training,
            "ended": None if self.ended is None else asdict(self.ended),
            "measured": [{"measure": asdict(one), **asdict(found)} for one, found in self.measured],
        }
        write_text(folder / RESULT, json.dumps(said, indent=2, ensure_ascii=False) + "\n")


def read_kept(folder: Path) -> Kept | None:
    """Read result.json, also as earlier versions wrote it; None without one, LabFault if it is none."""
    path = folder / RESULT
    if not path.is_file():
        return None
    try:
        said = json.loads(path.read_bytes())
        if "protocol" in said:
            return _earlier(said["protocol"], said["result"])
        ended = None if said["ended"] is None else Ended(**said["ended"])
        return Kept(said["training"], ended, tuple(_entry(dict(one)) for one in said["measured"]))
    except (ValueError, KeyError, TypeError) as error:
        hint = "remove it to do the run again"
        raise LabFault(f"{path}: no result of a comparison: {error}", hint) from error


def same_training(before: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    """Whether a run was trained as is asked now: model, data, options, preparation, numbers.

    TorchScript changes no number, and where a file lies tells nothing of what is in it.
    """
    return same_data(before, now) and all(
        _plain(name, before.get(name, value)) == _plain(name, value)
        for name, value in now.items()
        if name not in (*_DATA, "content")
    )


def same_data(before: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    """Whether a run was trained on the data that are named now."""
    same = before["content"] == now["content"] and before["zero_inputs"] == now["zero_inputs"]
    if not now["content"]:
        return bool(same and before["data"] == now["data"])
    return bool(same and read_address(before["data"]).options == read_address(now["data"]).options)


def _plain(name: str, value: Any) -> Any:
    if name != "options":
        return value
    return {key: one for key, one in value.items() if key != "scripted"}


def _entry(said: dict[str, Any]) -> tuple[Measure, Measured]:
    measure = Measure(**said.pop("measure"))
    return measure, Measured(**{**said, "protocol": tuple(said["protocol"])})


def _earlier(protocol: Mapping[str, Any], result: Mapping[str, Any]) -> Kept:
    """Take apart a result that was written as one piece: teacher forcing, no scores, single precision."""
    training = {name: protocol[name] for name in _EARLIER} | {"precision": "32"}
    ended = Ended(result["parameters"], result["epochs"], result["best_epoch"], result["seconds"])
    frame, sequence = dict(result["frame"]), dict(result["sequence"])
    weighed = {"importance": frame.pop("importance", None)}, {"importance": sequence.pop("importance", None)}
    measured = [(Measure("bound", draws=protocol["draws"]), Measured(frame, sequence, {}, {}))]
    if weighed[0]["importance"] is not None:
        importance = Measure("importance", draws=protocol["weights"])
        measured.append((importance, Measured(*weighed, {}, {})))
    return Kept(training, ended, tuple(measured))


def joined(found: Sequence[Measured]) -> Measured:
    """Put several measurements of one run into one."""
    total = Measured({}, {}, {}, {})
    for one in found:
        total = Measured(
            {**total.frame, **one.frame},
            {**total.sequence, **one.sequence},
            {**total.scores, **one.scores},
            {**total.units, **one.units},
            (*total.protocol, *one.protocol),
        )
    return total
