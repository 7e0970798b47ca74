"""A comparison at a glance: every seed a dot, the mean a line, one row a model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dvaec.runtime.comparison.job import Result
from dvaec.runtime.comparison.summary import numbers
from dvaec.runtime.pictures.canvas import FAINT, SERIES, picture

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def dots(path: Path, results: Sequence[Result], labels: Sequence[str]) -> None:
    """Draw -ELBO of the test data, and -log p where it was estimated, in nats per frame."""
    kinds = [("elbo", "\u2212ELBO", "o"), ("importance", "\u2212log p, importance-sampled", "D")]
    told = {label: [numbers(one) for one in results if one.label == label] for label in labels}

    def draw(sheet: Figure) -> None:
        axes = sheet.subplots()
        for number, (key, title, marker) in enumerate(kinds):
            points = [
                (one[key], row) for row, label in enumerate(labels) for one in told[label] if key in one
            ]
            if not points:
                continue
            shift = 0.12 if number else -0.12
            where, rows = [x for x, _ in points], [row + shift for _, row in points]
            axes.plot(where, rows, marker, color=SERIES[number], label=title, markersize=4.5, alpha=0.8)
            for row, label in enumerate(labels):
                found = [one[key] for one in told[label] if key in one]
                if len(found) > 1:
                    middle = sum(found) / len(found)
                    axes.plot([middle] * 2, [row + shift - 0.1, row + shift + 0.1], color=SERIES[number])
        axes.set_yticks(range(len(labels)), list(labels))
        axes.invert_yaxis()
        axes.set_xlabel("nats per frame (smaller is better)")
        axes.grid(axis="x", color=FAINT, linewidth=0.5)
        axes.set_axisbelow(True)
        axes.legend()

    picture(path, (6.4, 1.4 + 0.42 * len(labels)), draw)
