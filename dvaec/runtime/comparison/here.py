"""Jobs in processes of this machine."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import wait

from dvaec.runtime.comparison.job import Job, Result, run_job
from dvaec.runtime.faults import TrainFault


def processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def here(jobs: Sequence[Job], processes: int) -> Iterator[tuple[Result, ...]]:
    """Do jobs in so many processes, in this very one if that is 1; yield results as they come.

    Whoever leaves early ends the processes: their folders hold what was finished. TrainFault if one dies.
    """
    if processes == 1:
        yield from map(run_job, jobs)
        return
    context = multiprocessing.get_context("spawn")  # a forked torch may hang
    pool = ProcessPoolExecutor(min(processes, len(jobs)), mp_context=context, initializer=_deaf)
    try:
        for done in as_completed([pool.submit(run_job, job) for job in jobs]):
            yield done.result()
    except BrokenProcessPool as error:
        message = "a process of the comparison has died, of too little memory perhaps"
        raise TrainFault(message, "the same command continues; --jobs 1 needs least memory") from error
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        for child in multiprocessing.active_children():
            child.terminate()


def _deaf() -> None:
    """Leave Ctrl-C to the process that waits for the results, and end with it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_follow, daemon=True).start()


def _follow() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        # All files are whole at any moment. Who runs the same command again must not meet us in a folder.
        os.kill(os.getpid(), signal.SIGKILL)
