"""One run of a comparison: train a model with one seed, measure its best weights on the test data.

Jobs are plain values, so that another process or machine can do them. What a job has found stands in its
folder (`dvaec.runtime.comparison.kept`); what is there is not done again, a run that was broken off goes on
where it was, and one that is trained is not trained again for the sake of another measurement.
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from torch import nn

from dvaec.runtime import store
from dvaec.runtime.card import Card
from dvaec.runtime.comparison.kept import Ended, Kept, Measured, joined, read_kept, same_data, same_training
from dvaec.runtime.comparison.measuring import Wanted, measured
from dvaec.runtime.devices import build, prepare
from dvaec.runtime.engine.settings import Engine
from dvaec.runtime.faults import LabFault
from dvaec.runtime.feedback import feeds_back
from dvaec.runtime.mode import Mode
from dvaec.runtime.preparation import Preparation, evaluation_split, training_splits
from dvaec.runtime.sets.catalogue import BUILT_IN
from dvaec.runtime.source import load_class
from dvaec.runtime.sources.options import read_address
from dvaec.runtime.split import Split
from dvaec.runtime.train import Options, train


@dataclass(frozen=True)
class Job:
    """A model (`source` is its module's text), its data, how to train it and what to measure."""

    label: str
    source: str
    class_name: str
    card: Card
    data: str
    folder: Path
    options: Options
    wanted: Wanted = field(default_factory=Wanted)
    how: Preparation = field(default_factory=Preparation)
    zero_inputs: bool = False
    device: str = "cpu"
    threads: int = 1
    precision: str = "32"

    @property
    def training(self) -> dict[str, Any]:
        """All that the trained weights depend on, as plain values."""
        said = {
            "model": self.card.hash,
            "data": self.data,
            "content": _content(self.data),
            "options": asdict(self.options),
            "zero_inputs": self.zero_inputs,
            "how": asdict(self.how),
            "precision": self.precision,
        }
        plain: dict[str, Any] = json.loads(json.dumps(said))
        return plain

    @property
    def modes(self) -> tuple[Mode, ...]:
        """The modes in which the model is measured."""
        own = self.wanted.generation and feeds_back(load_class(self.source, self.class_name))
        return (Mode.TEACHER_FORCING, Mode.GENERATION) if own else (Mode.TEACHER_FORCING,)


@dataclass(frozen=True)
class Result:
    """What a job has found in one mode, in nats per frame; `fault` says why there is nothing.

    `frame` and `sequence` have the means of `elbo` and its parts, averaged over frames and over sequences,
    and `importance` where it was asked for; `scores` those of reconstructions, by their keys, with `units`,
    and `protocol` how they were made. `seconds` were spent on the epochs.
    """

    label: str
    seed: int
    parameters: int = 0
    epochs: int = 0
    best_epoch: int = 0
    seconds: float = 0.0
    frame: Mapping[str, float] | None = None
    sequence: Mapping[str, float] | None = None
    fault: str | None = None
    place: str | None = None  # the node of a cluster that did it
    mode: Mode = Mode.TEACHER_FORCING
    scores: Mapping[str, float | None] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    protocol: tuple[str, ...] = ()


def run_job(job: Job) -> tuple[Result, ...]:
    """Do a job, or take it up, or return what was found before; a result for each mode.

    Faults of data and numbers are results.
    """
    try:
        kept, training = read_kept(job.folder), job.training
        ended = kept.ended if kept is not None and same_training(kept.training, training) else None
        # Another command may have gone on with the run.
        if kept is None or ended is None or ended.epochs != len(_seconds(job.folder)):
            kept, ended = _trained(job, kept, training)
        return _measured(job, kept, ended)
    except LabFault as fault:
        return (Result(job.label, job.options.seed, fault=fault.message),)


def _trained(job: Job, before: Kept | None, training: Mapping[str, Any]) -> tuple[Kept, Ended]:
    """Train, from the start or from the last epoch that is there."""
    if before is not None and not same_data(before.training, training):
        was = before.training["data"] + (" with --zero-inputs" if before.training["zero_inputs"] else "")
        raise LabFault(f"{job.folder}: the run was made with other data ({was})", "-o names another folder")
    begun = (job.folder / store.LAST).is_file()
    prepared = training_splits(job.data, job.card, job.how, job.zero_inputs, job.folder if begun else None)
    prepare(job.device, job.threads)
    model = build(load_class(job.source, job.class_name), job.options.seed)
    if not begun:
        Kept(training).write(job.folder)
    outcome = train(
        model, job.card, prepared.splits["train"], prepared.splits["valid"], job.folder, job.options,
        engine=Engine(job.device, precision=job.precision), resume=begun, prepared=prepared,
    )  # fmt: skip
    if outcome.epochs > job.options.epochs:
        raise LabFault(f"{job.folder}: the run has had {outcome.epochs} epochs", "-o names another folder")
    count = sum(one.numel() for one in model.parameters())
    ended = Ended(count, outcome.epochs, outcome.best_epoch, sum(_seconds(job.folder)))
    kept = Kept(training, ended)
    kept.write(job.folder)
    return kept, ended


def _measured(job: Job, kept: Kept, ended: Ended) -> tuple[Result, ...]:
    """Measure what is not known of the best weights, and put it all together."""
    results, loaded = [], None
    for mode in job.modes:
        found, fault = [], None
        try:
            for one in job.wanted.measures(job.card, mode):
                known = kept.find(one)
                if known is None:
                    loaded = loaded or _loaded(job)
                    known = measured(*loaded, job.data, one)
                    kept = kept.with_measured(one, known)
                    kept.write(job.folder)
                found.append(known)
        except LabFault as one_fault:
            fault = one_fault.message
        results.append(_result(job, ended, mode, joined(found) if fault is None else None, fault))
    return tuple(results)


def _loaded(job: Job) -> tuple[nn.Module, Card, Split]:
    """Read the best weights and the test data."""
    where = prepare(job.device, job.threads)
    model = build(load_class(job.source, job.class_name), job.options.seed)
    store.load_weights(job.folder / store.WEIGHTS, model, job.card)
    test = evaluation_split(job.data, job.card, "test", job.folder, zero_inputs=job.zero_inputs)
    return model.to(where).eval(), job.card, test


def _result(job: Job, ended: Ended, mode: Mode, found: Measured | None, fault: str | None) -> Result:
    plain = Result(job.label, job.options.seed, **asdict(ended), mode=mode, fault=fault)
    if found is None:
        return plain
    frame, sequence = dict(found.frame), dict(found.sequence)
    if job.wanted.weights and not job.card.latents:  # the bound is log p itself
        frame["importance"], sequence["importance"] = frame["elbo"], sequence["elbo"]
    return replace(
        plain,
        frame=frame,
        sequence=sequence,
        scores=found.scores,
        units=found.units,
        protocol=found.protocol,
    )


def _seconds(folder: Path) -> list[float]:
    """The time of every epoch, also of those before the run was broken off."""
    path = folder / store.HISTORY
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return [float(row["seconds"]) for row in csv.DictReader(file)]


def _content(data: str) -> str:
    """Tell the data of a file from others of its name; "" for what is built in."""
    address = read_address(data)
    if address.place in BUILT_IN:
        return ""
    path = address.path
    if path.is_file():
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    if path.is_dir():
        inside = sorted((str(p.relative_to(path)), p.stat().st_size) for p in path.rglob("*") if p.is_file())
        return hashlib.sha256(json.dumps(inside).encode()).hexdigest()
    return ""
