"""A comparison at a glance: every seed a dot, the mean a line, one row a model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dvaec.runtime.comparison.job import Result
from dvaec.runtime.comparison.summary import grouped, numbers, titled
from dvaec.runtime.pictures.canvas import FAINT, SERIES, picture

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def dots(path: Path, results: Sequence[Result], labels: Sequence[str]) -> None:
    """Draw -ELBO of the test data, and -log p where it was estimated, in nats per frame."""
    kinds = [("elbo", "\u2212ELBO", "o"), ("importance", "\u2212log p, importance-sampled", "D")]
    told = [[numbers(one) for one in own] for _, _, own in grouped(results, labels)]
    titles = [titled(label, mode) for label, mode, _ in grouped(results, labels)]

    def draw(sheet: Figure) -> None:
        axes = sheet.subplots()
        for number, (key, title, marker) in enumerate(kinds):
            points = [(one[key], row) for row, own in enumerate(told) for one in own if key in one]
            if not points:
                continue
            shift = 0.12 if number else -0.12
            where, rows = [x for x, _ in points], [row + shift for _, row in points]
            axes.plot(where, rows, marker, color=SERIES[number], label=title, markersize=4.5, alpha=0.8)
            for row, own in enumerate(told):
                found = [one[key] for one in own if key in one]
                if len(found) > 1:
                    middle = sum(found) / len(found)
                    axes.plot([middle] * 2, [row + shift - 0.1, row + shift + 0.1], color=SERIES[number])
        axes.set_yticks(range(len(titles)), titles)
        axes.invert_yaxis()
        axes.set_xlabel("nats per frame (smaller is better)")
        axes.grid(axis="x", color=FAINT, linewidth=0.5)
        axes.set_axisbelow(True)
        axes.legend()

    picture(path, (6.4, 1.4 + 0.42 * len(titles)), draw)
