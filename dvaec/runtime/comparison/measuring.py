"""What is measured of a trained model on the test data, one thing after the other."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

from torch import nn

from dvaec.runtime.card import Card, observed_in
from dvaec.runtime.comparison.kept import Measure, Measured
from dvaec.runtime.evaluate import evaluate
from dvaec.runtime.importance import importance
from dvaec.runtime.measures.reconstruction import Scored, scores_of
from dvaec.runtime.mode import Mode
from dvaec.runtime.split import Split


@dataclass(frozen=True)
class Wanted:
    """What to measure: the bound with `draws` of the latents, log p(x) with `weights` of them (0: not).

    generation: autoregressive models in generation mode, too. scored: which scores of reconstructions.
    """

    draws: int = 10
    weights: int = 100
    generation: bool = False
    scored: Scored = field(default_factory=Scored)

    def measures(self, card: Card, mode: Mode) -> Iterator[Measure]:
        """Yield what is to be measured of a model in a mode."""
        yield Measure("bound", mode, self.draws)
        if self.weights and card.latents:
            yield Measure("importance", mode, self.weights)
        name = observed_in(card, self.scored.variable)
        if self.scored.audio:
            yield Measure("audio", mode, variable=name)
        if self.scored.motion is not None:
            yield Measure("motion", mode, variable=name, unit=self.scored.motion)


def measured(model: nn.Module, card: Card, test: Split, data: str, one: Measure) -> Measured:
    """Measure one thing."""
    if one.kind == "bound":
        bound = evaluate(model, card, test, samples=one.draws, mode=one.mode)
        return Measured(
            {name: found.mean for name, found in bound.frame.items()},
            {name: found.mean for name, found in bound.sequence.items()},
            {},
            {},
        )
    if one.kind == "importance":
        weighed = importance(model, card, test, samples=one.draws, mode=one.mode)
        return Measured({"importance": weighed.frame.mean}, {"importance": weighed.sequence.mean}, {}, {})
    wanted = Scored(one.kind == "audio", one.unit if one.kind == "motion" else None, one.variable)
    (found,) = scores_of(model, card, test, data, wanted, mode=one.mode)
    return Measured(
        {},
        {},
        {score.key: score.mean if math.isfinite(score.mean) else None for score in found.scores},
        {score.key: score.unit for score in found.scores},
        found.protocol,
    )
