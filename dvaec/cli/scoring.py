"""The options of what is measured besides likelihoods, of `evaluate` and `compare`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from dvaec.runtime.measures.reconstruction import Scored

Audio = Annotated[bool, typer.Option("--audio", help="SI-SDR, PESQ and ESTOI of resynthesised recordings.")]
Motion = Annotated[
    str | None,
    typer.Option(metavar="UNIT", help="MPJPE of joints in three dimensions, in the data's unit: mm."),
]
Variable = Annotated[
    str | None, typer.Option(metavar="NAME", help="What --audio and --motion look at; x by default.")
]


@dataclass(frozen=True)
class Scoring:
    """Which scores of reconstructions, and of which variable."""

    audio: Audio = False
    motion: Motion = None
    variable: Variable = None

    @property
    def wanted(self) -> Scored:
        """The same in the words of the runtime."""
        from dvaec.runtime.measures.reconstruction import Scored

        return Scored(self.audio, self.motion, self.variable)
