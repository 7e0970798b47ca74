"""How to train, as the options of `train` and `compare` say it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dvaec.cli.train_words import WARM_UP, objective_for

if TYPE_CHECKING:
    from dvaec.runtime.card import Card
    from dvaec.runtime.feedback import ScheduledSampling
    from dvaec.runtime.objective import Objective
    from dvaec.runtime.preparation import Preparation
    from dvaec.runtime.train import Options


class Precision(StrEnum):
    """The numbers of a training run."""

    SINGLE = "32"
    DOUBLE = "64"
    MIXED = "bf16-mixed"


def _option(text: str, *names: str, **more: Any) -> Any:
    return typer.Option(*names, help=text, **more)


def _of_objective(text: str, *names: str, **more: Any) -> Any:
    return typer.Option(
        *names, help=text, show_default="as the page says", rich_help_panel="Objective", **more
    )


Epochs = Annotated[int, _option("At most so many passes over the data.", min=1)]
Batch = Annotated[int, _option("Sequences per update, over all processes.", min=1)]
Rate = Annotated[float, _option("Adam's learning rate.", min=0.0)]
Decay = Annotated[float, _option("Adam's L2 penalty.", min=0.0)]
Clip = Annotated[float, _option("Largest norm of the gradient; 0: none.", min=0.0)]
Patience = Annotated[
    int, _option("Stop after so many epochs without a better validation ELBO; 0: never.", min=0)
]
Scripted = Annotated[bool, _option("Run through TorchScript.", "--script/--no-script")]
Numbers = Annotated[
    Precision, _option("32, 64, or bf16-mixed (products in bfloat16).", "--precision", metavar="BITS")
]
SCHEDULED_HELP = (
    "Feed p's outputs back: RISE more of the frames every EVERY epochs, after START of teacher forcing "
    "(0.2/50 is the review's). Validation is in generation mode."
)

Warmup = Annotated[
    int | None,
    _of_objective(f"Epochs over which the KL's weight rises to 1; {WARM_UP} if no one says.", min=0),
]
Cycles = Annotated[int | None, _of_objective("How often it does so, from 0 each time.", min=1)]
Rise = Annotated[float | None, _of_objective("The share of these epochs in which it rises.")]
Beta = Annotated[float | None, _of_objective("The KL's weight behind the warm-up.", min=0.0)]
FreeBits = Annotated[
    float | None, _of_objective("Nats of KL that cost nothing more, for each latent and frame.", min=0.0)
]
Weights = Annotated[
    list[str] | None,
    _of_objective("A factor for one latent's KL, on top of beta. Repeatable.", "--kl-weight", metavar="Z=W"),
]
Samples = Annotated[int | None, _of_objective("Draws of the latents per sequence and update.", min=1)]

_CROP_HELP = (
    "Train on pieces: 50 (frames), 50/2 (a piece every 2 frames), random:50 (a random piece of each sequence "
    "in every epoch). Evaluation is always on whole sequences."
)
_NORMALISE_HELP = "standard, centre or scale, fitted on train, kept with the run; x=scale for one variable."
Crop = Annotated[str, _option(_CROP_HELP, "--crop", metavar="FRAMES", show_default=False)]
Normalise = Annotated[list[str] | None, _option(_NORMALISE_HELP, "--normalise", metavar="KIND")]


@dataclass(frozen=True)
class Training:
    """What is said of updates, objective, numbers and the preparation of data."""

    epochs: Epochs = 80
    batch: Batch = 8
    lr: Rate = 3e-3
    weight_decay: Decay = 0.0
    clip: Clip = 5.0
    patience: Patience = 20
    warmup: Warmup = None
    cycles: Cycles = None
    rise: Rise = None
    beta: Beta = None
    free_bits: FreeBits = None
    kl_weight: Weights = None
    samples: Samples = None
    precision: Numbers = Precision.SINGLE
    scripted: Scripted = False
    crop: Crop = ""
    normalise: Normalise = None

    def objective(self, card: Card) -> Objective:
        """The page's objective, changed by what is said."""
        names = ("warmup", "cycles", "rise", "beta", "free_bits", "samples")
        return objective_for(card, {name: getattr(self, name) for name in names}, self.kl_weight or ())

    def options(self, card: Card, seed: int, schedule: ScheduledSampling | None) -> Options:
        """How to train a model."""
        from dvaec.runtime.train import Options

        return Options(
            self.epochs, self.batch, self.lr, self.weight_decay, self.clip, self.patience, seed,
            self.scripted, self.objective(card), schedule,
        )  # fmt: skip

    def preparation(self) -> Preparation:
        """How data are cut and normalised."""
        from dvaec.runtime.preparation import preparation

        return preparation(self.crop, self.normalise or ())
