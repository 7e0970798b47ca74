"""Where to compute: processes, machines, numbers; and a Lightning trainer that says nothing by itself."""

from __future__ import annotations

import importlib.util
import logging
import os
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
from lightning.pytorch.loggers import Logger, TensorBoardLogger
from lightning.pytorch.utilities import rank_zero_only

from dvaec.runtime.engine.folder import WholeFiles
from dvaec.runtime.faults import LabFault

_LAUNCHED = ("MASTER_ADDR", "SLURM_JOB_ID")  # what torchrun and SLURM tell the processes that they start
PRECISIONS = {"32": "32-true", "64": "64-true", "bf16-mixed": "bf16-mixed"}


@dataclass(frozen=True)
class Engine:
    """`devices` processes on each of `nodes` machines (DDP where there are several), on cpu, cuda or cuda:1.

    precision: 32, 64, or bf16-mixed (weights of single precision, products of bfloat16). tensorboard: write
    its event files too. workers: processes that prepare batches.
    """

    device: str = "cpu"
    devices: int = 1
    nodes: int = 1
    precision: str = "32"
    tensorboard: bool = False
    workers: int = 0


def lightning_trainer(
    engine: Engine, folder: Path, callbacks: Sequence[pl.Callback], **more: Any
) -> pl.Trainer:
    """Return the trainer that `dvaec train` uses: no output of its own, one validation an epoch."""
    if engine.precision not in PRECISIONS:
        raise LabFault(
            f"--precision {engine.precision}: no such precision", f"one of {', '.join(PRECISIONS)}"
        )
    kind, _, index = engine.device.partition(":")
    several = engine.devices * engine.nodes > 1
    if index and several:
        raise LabFault(f"--device {engine.device} is one device", f"--device {kind} with --devices")
    devices: Any = [int(index)] if index else engine.devices
    if engine.nodes > 1 and not any(name in os.environ for name in _LAUNCHED):
        raise LabFault(
            f"--nodes {engine.nodes}: the machines do not know of each other",
            f"start the command with torchrun or srun on each of them (it sets {' or '.join(_LAUNCHED)})",
        )
    with quiet():
        return pl.Trainer(
            accelerator="cpu" if kind == "cpu" else "gpu",
            devices=1 if kind == "cpu" and index else devices,
            num_nodes=engine.nodes,
            strategy=_strategy(kind) if several else "auto",
            precision=PRECISIONS[engine.precision],  # type: ignore[arg-type]
            logger=_loggers(engine, folder) or False,
            callbacks=list(callbacks),
            plugins=[WholeFiles()],
            default_root_dir=folder,
            num_sanity_val_steps=0,
            log_every_n_steps=1_000_000_000,  # epochs are logged
            enable_progress_bar=False,
            enable_model_summary=False,
            use_distributed_sampler=False,
            inference_mode=False,
            **more,
        )


def is_first_process() -> bool:
    """Whether this process writes and prints: the only one, or that of rank 0."""
    return int(getattr(rank_zero_only, "rank", 0)) == 0


def _strategy(kind: str) -> Any:
    from lightning.pytorch.strategies import DDPStrategy

    return DDPStrategy(process_group_backend="gloo" if kind == "cpu" else "nccl")


def _loggers(engine: Engine, folder: Path) -> list[Logger]:
    if not engine.tensorboard:
        return []
    if importlib.util.find_spec("tensorboard") is None:
        raise LabFault("--tensorboard needs the package tensorboard", "pip install 'dvaec[logs]'")
    return [TensorBoardLogger(folder, name="tensorboard", version="", default_hp_metric=False)]


@contextmanager
def quiet() -> Iterator[None]:
    """Silence Lightning's remarks about the machine and about settings that are meant; errors pass."""
    loggers = [logging.getLogger(name) for name in ("lightning.pytorch", "lightning.fabric")]
    levels = [logger.level for logger in loggers]
    try:
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module=r"lightning\.")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
