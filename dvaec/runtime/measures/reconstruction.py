"""Scores of what a model makes of data, at one draw of the latents; whether they can be had at all."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from dvaec.runtime.card import Card, observed_in
from dvaec.runtime.faults import LabFault
from dvaec.runtime.measures.audio import again, audio_scores, check_scorers
from dvaec.runtime.measures.motion import joints_in, mpjpe
from dvaec.runtime.measures.scores import Scores
from dvaec.runtime.mode import Mode
from dvaec.runtime.passes import in_units, original, reconstructed
from dvaec.runtime.pictures.kind import POWERS
from dvaec.runtime.power import check_recordings, no_power, power_of, recordings
from dvaec.runtime.split import Split


@dataclass(frozen=True)
class Scored:
    """Of `variable` (None: the first that has frames) the scores of speech, and of motion in a unit."""

    audio: bool = False
    motion: str | None = None
    variable: str | None = None


def check_scored(card: Card, wanted: Scored, data: str, split: str) -> None:
    """LabFault, before anything is computed, if a model of this card on these data has no such scores."""
    name = observed_in(card, wanted.variable)
    if (wanted.audio or wanted.motion is not None) and name in card.static_observed:
        raise LabFault(f"{name} has one value a sequence: it is neither sound nor motion")
    if wanted.audio:
        check_scorers()
        if card.families[name] not in POWERS:
            raise no_power(name, card.families[name])
        check_recordings(data, split)
    if wanted.motion is not None:
        joints_in(name, card.observed[name])


def scores_of(
    model: nn.Module,
    card: Card,
    part: Split,
    data: str,
    wanted: Scored,
    *,
    mode: Mode = Mode.TEACHER_FORCING,
    batch: int = 64,
    seed: int = 0,
) -> list[Scores]:
    """Reconstruct a split from one draw of the latents, in the data's units, and score that."""
    if not wanted.audio and wanted.motion is None:
        return []
    name = observed_in(card, wanted.variable)
    members = range(part.sequences)
    made = reconstructed(model, card, part, members, batch=batch, seed=seed, mode=mode)
    found = in_units(part.scales, card, made)
    scores = []
    if wanted.audio:
        power, spoken = power_of(found, name, card.families[name]), recordings(data, part.name)
        scores.append(audio_scores(again(power, found.lengths, spoken), spoken, mode))
    if wanted.motion is not None:
        scores.append(mpjpe(found, original(part, members), name, wanted.motion, mode))
    return scores
