"""One run of a comparison: train a model with one seed, evaluate its best weights on the test data.

Jobs are plain values, so that another process or machine can do them. What a job has found stands in its
folder beside the protocol under which it was found; a job whose result is there is not done again, one that
was broken off goes on where it was.
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from dvaec.runtime import store
from dvaec.runtime.card import Card
from dvaec.runtime.devices import build, prepare
from dvaec.runtime.engine.settings import Engine
from dvaec.runtime.evaluate import evaluate
from dvaec.runtime.faults import LabFault
from dvaec.runtime.files import write_text
from dvaec.runtime.importance import importance
from dvaec.runtime.preparation import Preparation, evaluation_split, training_splits
from dvaec.runtime.source import load_class
from dvaec.runtime.train import Options, train

RESULT = "result.json"


@dataclass(frozen=True)
class Job:
    """A model (`source` is its module's text), its data, and how to train and to evaluate it.

    draws: of the latents per sequence for the ELBO of the test data. weights: those of the importance-sampled
    log-likelihood (0: none).
    """

    label: str
    source: str
    class_name: str
    card: Card
    data: str
    folder: Path
    options: Options
    device: str = "cpu"
    threads: int = 1
    draws: int = 10
    weights: int = 100
    zero_inputs: bool = False
    how: Preparation = field(default_factory=Preparation)

    @property
    def protocol(self) -> dict[str, Any]:
        """All that the result depends on, as plain values."""
        said = {
            "model": self.card.hash,
            "data": self.data,
            "content": _content(self.data),
            "options": asdict(self.options),
            "draws": self.draws,
            "weights": self.weights,
            "zero_inputs": self.zero_inputs,
            "how": asdict(self.how),
        }
        plain: dict[str, Any] = json.loads(json.dumps(said))
        return plain


@dataclass(frozen=True)
class Result:
    """What a job has found, in nats per frame; `fault` says why there is nothing.

    `frame` and `sequence` have the means of `elbo` and its parts, averaged over frames and over sequences,
    and `importance` where it was asked for. `seconds` were spent on the epochs.
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


def run_job(job: Job) -> Result:
    """Do a job, or take it up, or return what was found before; faults of data and numbers are results."""
    try:
        return _found(job) or _run(job)
    except LabFault as fault:
        return Result(job.label, job.options.seed, fault=fault.message)


def _found(job: Job) -> Result | None:
    """Read the result of the same job under the same protocol."""
    path = job.folder / RESULT
    if not path.is_file():
        return None
    try:
        said = json.loads(path.read_bytes())
        return Result(**said["result"]) if said["protocol"] == job.protocol else None
    except (ValueError, KeyError, TypeError) as error:
        raise LabFault(
            f"{path}: no result of a comparison: {error}", "remove it to do the run again"
        ) from error


def _run(job: Job) -> Result:
    begun = (job.folder / store.LAST).is_file()
    prepared = training_splits(job.data, job.card, job.how, job.zero_inputs, job.folder if begun else None)
    where = prepare(job.device, job.threads)
    model = build(load_class(job.source, job.class_name), job.options.seed)
    outcome = train(
        model, job.card, prepared.splits["train"], prepared.splits["valid"], job.folder, job.options,
        engine=Engine(job.device), resume=begun, prepared=prepared,
    )  # fmt: skip
    store.load_weights(job.folder / store.WEIGHTS, model, job.card)
    test = evaluation_split(job.data, job.card, "test", job.folder, zero_inputs=job.zero_inputs)
    model = model.to(where).eval()
    bound = evaluate(model, job.card, test, samples=job.draws)
    frame = {name: one.mean for name, one in bound.frame.items()}
    sequence = {name: one.mean for name, one in bound.sequence.items()}
    if job.weights and job.card.latents:
        weighed = importance(model, job.card, test, samples=job.weights)
        frame["importance"], sequence["importance"] = weighed.frame.mean, weighed.sequence.mean
    result = Result(
        job.label, job.options.seed, sum(one.numel() for one in model.parameters()), outcome.epochs,
        outcome.best_epoch, _seconds(job.folder), frame, sequence,
    )  # fmt: skip
    content = {"protocol": job.protocol, "result": asdict(result)}
    write_text(job.folder / RESULT, json.dumps(content, indent=2, ensure_ascii=False) + "\n")
    return result


def _seconds(folder: Path) -> float:
    """The time of all epochs, also of those before the run was broken off."""
    with (folder / store.HISTORY).open(newline="", encoding="utf-8") as file:
        return sum(float(row["seconds"]) for row in csv.DictReader(file))


def _content(data: str) -> str:
    """Tell the data of a file from others of its name; "" for what is built in."""
    path = Path(data)
    if not path.exists():  # options may stand behind a colon
        path = Path(data.rpartition(":")[0] or data)
    if path.is_file():
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    if path.is_dir():
        inside = sorted((str(p.relative_to(path)), p.stat().st_size) for p in path.rglob("*") if p.is_file())
        return hashlib.sha256(json.dumps(inside).encode()).hexdigest()
    return ""
