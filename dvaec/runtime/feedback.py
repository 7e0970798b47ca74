"""Which observed frames p reads, and which of its own outputs in their place (4.4, 13.3.3).

Teacher forcing reads the data at every frame, generation mode none of them; scheduled sampling (Bengio et al.
2015) goes from the one to the other while a model is trained. The module's `elbo_fed` takes the frames that
are fed back as a mask (batch, time), which `dvaec.runtime.noise` draws; its `elbo` is teacher forcing.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import nn

from dvaec.runtime.faults import StoreFault
from dvaec.runtime.mode import Mode


@dataclass(frozen=True)
class ScheduledSampling:
    """The share of the frames that are fed back, rising by steps: with epochs e counted from 1,

    share(e) = 0 for e <= start,    min(1, rise (1 + floor((e - start - 1) / every))) behind it.

    As it stands, the review's schedule (13.3.3) for a model that is trained already: 20 % in the first 50
    epochs, 40 % in the next 50, all from the 201st on (500 epochs together). With `start` epochs of teacher
    forcing before, one run does both.
    """

    rise: float = 0.2
    every: int = 50
    start: int = 0

    def __post_init__(self) -> None:
        if not 0.0 < self.rise <= 1.0 or self.every < 1 or self.start < 0:
            raise ValueError("scheduled sampling needs 0 < rise <= 1, every >= 1 and start >= 0")

    def share(self, epoch: int) -> float:
        """Return the share of the frames that are fed back in an epoch, counted from 1."""
        if epoch <= self.start:
            return 0.0
        return min(1.0, self.rise * (1 + (epoch - self.start - 1) // self.every))

    @property
    def settled(self) -> int:
        """The epoch from whose end on all is fed back: what comes before it is another objective."""
        return self.start + self.every * (math.ceil(1.0 / self.rise - 1e-9) - 1)


def feeds_back(model: nn.Module | type[nn.Module]) -> bool:
    """Whether p of a module (or its class) reads observed frames, so that the modes differ.

    StoreFault if it is too old to know.
    """
    method = getattr(model, "elbo_fed", None)
    if isinstance(model, torch.jit.ScriptModule):
        return method is not None  # what a model cannot have is not scripted
    if method is None:
        name = (model if isinstance(model, type) else type(model)).__name__
        raise StoreFault(f"{name}: emitted by a dvaec without generation mode", "compile the page again")
    return "fed" in inspect.signature(method).parameters


def elbo_in(model: nn.Module, mode: Mode) -> Callable[..., Any]:
    """Return the entry point that gives the bound in a mode; where the modes do not differ, it is `elbo`."""
    generation = mode is Mode.GENERATION and feeds_back(model)
    return cast(Callable[..., Any], model.elbo_fed if generation else model.elbo)
