"""Jobs on a Ray cluster: each is a task with its processors, wherever there is room.

The folders and the data lie where every node sees them by the same path, and dvaec is installed on each
node. A task whose node dies is started again, and goes on from the last epoch.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from dvaec.runtime.comparison.job import Job, Result, run_job
from dvaec.runtime.extras import needing
from dvaec.runtime.faults import LabFault
from dvaec.runtime.sets.catalogue import BUILT_IN
from dvaec.runtime.sources.options import read_address


def on_ray(jobs: Sequence[Job], address: str) -> Iterator[tuple[Result, ...]]:
    """Do jobs on the cluster at `address` (auto: the one that runs here); yield results as they come.

    LabFault where there is no such cluster.
    """
    with needing("cluster"):
        import ray
    try:
        ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR, ignore_reinit_error=True)
    except (ConnectionError, ValueError, RuntimeError) as error:
        hint = "ray start --head begins a cluster; auto finds the one that runs here"
        raise LabFault(f"--ray {address}: no such cluster: {error}", hint) from error
    waiting: list[Any] = []
    try:
        # max_retries: of tasks whose worker or node has died; faults of the user's are results.
        task = ray.remote(max_retries=4)(_on_a_node)
        for job in jobs:
            near = replace(job, folder=Path(job.folder).absolute(), data=_absolute(job.data))
            gpus = 0 if job.device == "cpu" else 1
            waiting.append(task.options(num_cpus=job.threads, num_gpus=gpus).remote(near))
        while waiting:
            (done,), waiting = ray.wait(waiting)
            yield ray.get(done)
    finally:
        for one in waiting:
            ray.cancel(one, force=True)
        ray.shutdown()


def _on_a_node(job: Job) -> tuple[Result, ...]:
    import ray

    place = ray.get_runtime_context().get_node_id()
    return tuple(replace(one, place=place) for one in run_job(job))


def _absolute(data: str) -> str:
    """A path that other folders understand too; what names no file here stays as it is."""
    address = read_address(data)
    if address.place in BUILT_IN or not address.path.exists():
        return data
    return f"{address.path.absolute()}{data.removeprefix(address.place)}"
