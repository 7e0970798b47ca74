"""Training on Lightning: a LightningModule, a LightningDataModule, a callback that keeps the run folder."""

from dvaec.runtime.engine.data import SequenceBatch, SequenceData
from dvaec.runtime.engine.folder import RunFolder, WholeFiles
from dvaec.runtime.engine.module import TrainingModule
from dvaec.runtime.engine.settings import Engine, lightning_trainer

__all__ = [
    "Engine",
    "RunFolder",
    "SequenceBatch",
    "SequenceData",
    "TrainingModule",
    "WholeFiles",
    "lightning_trainer",
]
