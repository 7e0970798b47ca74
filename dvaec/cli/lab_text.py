"""What train and evaluate print."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dvaec.spec.notation import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dvaec.runtime.card import Card
    from dvaec.runtime.data import Split
    from dvaec.runtime.evaluate import Evaluation
    from dvaec.runtime.feedback import ScheduledSampling
    from dvaec.runtime.history import Epoch
    from dvaec.runtime.objective import Objective


def table(card: Card, result: Evaluation) -> str:
    """Lay out an evaluation as text; -ELBO = sum of -log p + sum of KL, line by line."""
    titles = _titles(card)
    width = width_of_titles(card)
    mode = ", generation mode" if result.mode == "generation" else ""
    lines = [
        f"{card.name}, {result.split}{mode}: {counted(result.sequences, 'sequence')}, "
        f"{counted(result.frames, 'frame')}, {result.samples} draw{'s' * (result.samples > 1)}",
        f"{'nats per frame':<{width}}{'frame average':>22}{'sequence average':>22}",
    ]
    for key, title in titles.items():
        sign = 1.0 if key.startswith("kl_") else -1.0
        cells = []
        for estimate in (result.frame[key], result.sequence[key]):
            error = f" ± {estimate.error:.4f}" if result.samples > 1 else ""
            cells.append(f"{sign * estimate.mean:.4f}{error}")
        lines.append(f"{title:<{width}}" + "".join(f"  {cell:>20}" for cell in cells))
    return "\n".join(lines)


def width_of_titles(card: Card) -> int:
    """How wide the first column of an evaluation is."""
    return max(22, *(len(title) + 2 for title in _titles(card).values()))


def _titles(card: Card) -> dict[str, str]:
    """What each number of an evaluation is called: the bound, its parts, and what training adds to it."""
    kinds = {"log_p_": "  reconstruction ", "kl_": "  KL ", "aux_": "beside: prediction "}
    found = {"elbo": "-ELBO"}
    for name in (*card.terms, *card.predictions):
        kind = next(kind for kind in kinds if name.startswith(kind))
        found[name] = kinds[kind] + name.removeprefix(kind)
    return found


def surrogate(card: Card, objective: Objective, schedule: ScheduledSampling | None = None) -> list[str]:
    """Say where training has another objective than the bound."""
    from dvaec.runtime.objective import departures

    found = list(departures(objective, card.latents))
    if card.predictions:
        states = ", ".join(name.removeprefix("aux_") for name in card.predictions)
        found.append(f"plus the log p of auxiliary predictions of {states} (8.4)")
    if schedule is not None:
        found.append(scheduled(schedule))
    if not found:
        return []
    return [
        f"{card.name}: trained on a surrogate of the ELBO: {'; '.join(found)}. "
        "Each -ELBO below is that of the bound alone"
    ]


def scheduled(schedule: ScheduledSampling) -> str:
    """Say how a schedule feeds outputs back."""
    every = "epoch" if schedule.every == 1 else f"{schedule.every} epochs"
    after = f", after {schedule.start} of teacher forcing" if schedule.start else ""
    return (
        f"p reads its own outputs in {schedule.rise:.0%} more of the frames every {every}{after} (13.3.3), "
        "in validation in all of them"
    )


def missing(card: Card, parts: Iterable[Split]) -> list[str]:
    """Say what is not observed in the data, split by split."""
    return [
        f"{part.name}_{name}: {int(gone.sum()):,} of "
        f"{counted(len(gone), 'sequence' if name in card.static else 'frame')} missing (nan) and masked"
        for part in parts
        for name, gone in part.missing.items()
    ]


def units(nats: Mapping[str, float]) -> list[str]:
    """Say what a normalised variable does to the numbers: they are densities of what the model sees."""
    return [
        f"{name} is normalised: for -log p in the data's own units add {value:.4f} nats a frame"
        for name, value in nats.items()
    ]


def epoch_line(card: Card, row: Epoch, epochs: int) -> str:
    """Lay out one epoch of training; what a surrogate has beside the bound comes last."""
    kl = sum(row.valid[name] for name in card.terms if name.startswith("kl_"))
    aux = f", aux log p {sum(row.valid[n] for n in card.predictions):.3f}" if card.predictions else ""
    other = row.surrogate is not None and abs(row.surrogate - row.train["elbo"]) >= 5e-4
    beside = f" (surrogate {-row.surrogate:.3f})" if other and row.surrogate is not None else ""
    return (
        f"{card.name}: epoch {row.number}/{epochs}  train -ELBO {-row.train['elbo']:.3f}{beside}  "
        f"valid -ELBO {-row.valid['elbo']:.3f} (KL {kl:.3f}){aux}"
    )
