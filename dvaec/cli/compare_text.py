"""What stands below the table of a comparison: the protocol, in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from dvaec.spec.notation import counted

if TYPE_CHECKING:
    from dvaec.runtime.comparison.job import Job, Result


def protocol(todo: Sequence[Job], results: Sequence[Result], seeds: int) -> list[str]:
    """What every run has had in common, and how scores were made."""
    from dvaec.runtime.comparison.summary import protocols

    job = todo[0]
    options, k = job.options, job.wanted.weights
    weighed = f", -log p with {k} importance samples (exact without latents)" if k else ""
    return [
        f"{job.data}: nats per frame of the test data, averaged over frames; mean and standard deviation "
        f"over {counted(seeds, 'seed')}, weights of the best validation epoch.",
        f"-ELBO with {job.wanted.draws} draws{weighed}. Adam {options.learning_rate:g}, {options.batch} "
        f"sequences an update, at most {counted(options.epochs, 'epoch')}, patience {options.patience}, "
        f"clipping at {options.clip:g}"
        f"{f', L2 penalty {options.weight_decay:g}' if options.weight_decay else ''}"
        f"{f', precision {job.precision}' if job.precision != '32' else ''}"
        f"{', through TorchScript' if options.scripted else ''}.",
        *_modes(results),
        *_prepared(job),
        *_surrogates(todo),
        *protocols(results),
        *_better(results),
    ]


def _modes(results: Sequence[Result]) -> list[str]:
    """Say what the rows of generation mode are, where there are any."""
    if not any(one.mode == "generation" for one in results):
        return []
    return [
        "generation: p reads its own outputs where it would read past data (4.4), q the data; rows without "
        "the word are teacher forcing."
    ]


def _better(results: Sequence[Result]) -> list[str]:
    keys = {key for one in results for key in one.scores}
    return ["SI-SDR, PESQ and ESTOI: larger is better; all else: smaller."] if "estoi" in keys else []


def _prepared(job: Job) -> list[str]:
    """Say how the data were prepared, what that does to the numbers, how many draws an update has had."""
    said = [f"Trained with {job.how.words}."] if job.how.words else []
    if any(not one.endswith("centre") for one in job.how.normalise):
        said.append(
            "The numbers are densities of the normalised data; they compare under the same --normalise."
        )
    draws = job.options.objective.samples
    return [*said, *([f"Trained with {draws} draws of the latents a sequence."] if draws > 1 else [])]


def _surrogates(todo: Sequence[Job]) -> list[str]:
    """Name the models whose objective is not the bound, those of one objective together."""
    from dvaec.cli.lab_text import scheduled
    from dvaec.runtime.objective import departures

    found: dict[str, dict[str, None]] = {}
    for job in todo:
        aux = [f"log p of the auxiliary {name.removeprefix('aux_')}" for name in job.card.predictions]
        fed = [scheduled(job.options.schedule)] if job.options.schedule is not None else []
        said = "; ".join((*departures(job.options.objective, job.card.latents), *aux, *fed))
        found.setdefault(said, {})[job.label] = None
    return [
        f"Trained on a surrogate of the ELBO, {', '.join(labels)}: {said}."
        for said, labels in found.items()
        if said
    ]
