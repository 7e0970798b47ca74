"""What the words of `train` mean, and what it shows while it runs."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer

from dvaec.cli.bars import drawn
from dvaec.cli.front import RefusalError
from dvaec.cli.lab_text import epoch_line

if TYPE_CHECKING:
    from collections.abc import Callable

    from dvaec.runtime.card import Card
    from dvaec.runtime.feedback import ScheduledSampling
    from dvaec.runtime.history import Epoch
    from dvaec.runtime.objective import Objective

WARM_UP = 40  # epochs, where neither the page nor the command line says


def schedule_of(said: str | None) -> ScheduledSampling | None:
    """Read what --scheduled says."""
    from dvaec.runtime.feedback import ScheduledSampling

    if said is None:
        return None
    try:
        rise, every, *start = said.split("/")
        return ScheduledSampling(float(rise), int(every), *map(int, start))
    except (TypeError, ValueError):
        message = f"--scheduled {said}: not RISE/EVERY or RISE/EVERY/START"
        raise RefusalError(message, "0.2/50: a fifth more every 50 epochs") from None


def objective_for(card: Card, said: dict[str, Any], weights: Sequence[str]) -> Objective:
    """The page's objective, or a warm-up alone, changed by what the command line says."""
    from dvaec.runtime.objective import check_objective, objective_of

    found: dict[str, Any] = {**(card.objective or {"warmup": WARM_UP})}
    found |= {name: value for name, value in said.items() if value is not None}
    factors = dict(found.get("factors", {}))
    for one in weights:
        latent, _, value = one.partition("=")
        try:
            factors[latent] = float(value)
        except ValueError:
            raise RefusalError(f"--kl-weight {one}: not LATENT=NUMBER", "--kl-weight z=0.5") from None
    objective = objective_of({**found, "factors": factors})
    check_objective(objective, card.latents, card.name)
    return objective


@contextmanager
def progress(card: Card, epochs: int) -> Iterator[tuple[Callable[[Epoch], None], Callable[[int, int], None]]]:
    """Show a bar on a terminal, and a line an epoch elsewhere."""
    if not sys.stderr.isatty():
        yield (lambda row: typer.echo(epoch_line(card, row, epochs))), (lambda _done, _total: None)
        return
    with drawn() as bar:
        task = bar.add_task(f"{card.name}: epoch 1/{epochs}", total=epochs)
        finished = 0

        def report(row: Epoch) -> None:
            nonlocal finished
            finished = row.number
            bar.update(task, completed=finished, description=epoch_line(card, row, epochs))

        def step(done: int, total: int) -> None:
            bar.update(task, completed=finished + done / total)

        yield report, step
