"""Training curves: the negative ELBO and its parts by epoch, from history.csv."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dvaec.runtime.faults import StoreFault
from dvaec.runtime.pictures.canvas import FAINT, SERIES, SOFT, picture, whole_numbers
from dvaec.runtime.store import HISTORY

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Columns = Mapping[str, NDArray[Any]]


def read_history(folder: Path) -> dict[str, NDArray[Any]]:
    """Return the columns of a run's history.csv; StoreFault if there is none, or nothing in it."""
    path = folder / HISTORY
    if not path.is_file():
        raise StoreFault(f"{folder}: holds no {HISTORY}", "dvaec train SPEC --data FILE -o RUN")
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    if not rows or "epoch" not in rows[0] or "valid_elbo" not in rows[0]:
        raise StoreFault(f"{path}: holds no epochs")
    try:
        return {name: np.array([float(row[name] or "nan") for row in rows]) for name in rows[0]}
    except (TypeError, ValueError) as error:
        raise StoreFault(f"{path}: a value is no number: {error}") from error


def curves(path: Path, runs: Sequence[tuple[str, Columns]]) -> None:
    """Draw -ELBO, reconstruction and KL of runs in nats per frame: training faint, validation strong."""
    several = len(runs) > 1

    def draw(sheet: Figure) -> None:
        bound, parts = sheet.subplots(1, 2)
        for number, (name, columns) in enumerate(runs):
            colour = SERIES[number % len(SERIES)]
            _pair(
                bound,
                columns,
                -columns["train_elbo"],
                -columns["valid_elbo"],
                colour,
                name if several else "",
            )
            _best(bound, columns, colour)
        bound.set_title("\u2212ELBO, nats per frame" + (" (pale: training)" if several else ""))
        if several:
            for number, (name, columns) in enumerate(runs):
                colour = SERIES[number % len(SERIES)]
                parts.plot(columns["epoch"], _sum(columns, "valid_kl_", 1.0), color=colour, label=name)
            parts.set_title("validation KL, nats per frame")
        else:
            _parts(parts, runs[0][1])
        for axes in (bound, parts):
            axes.set_xlabel("epoch")
            whole_numbers(axes)
            for line in axes.lines:
                if np.size(line.get_xdata()) == 1:
                    line.set_marker("o")  # a line of one point is not seen
            axes.grid(axis="y", color=FAINT, linewidth=0.5)
            axes.set_axisbelow(True)
            axes.legend(loc="best" if axes is parts and not several else "upper right")
        _limit(bound, [c for _, c in runs])

    picture(path, (8.6, 3.2), draw)


def _pair(axes: Axes, columns: Columns, train: Any, valid: Any, colour: str, name: str) -> None:
    axes.plot(
        columns["epoch"], train, color=colour, alpha=0.45, linewidth=1.1, label=None if name else "training"
    )
    axes.plot(columns["epoch"], valid, color=colour, label=name or "validation")


def _best(axes: Axes, columns: Columns, colour: str) -> None:
    """Mark the epoch whose weights are kept, and its value."""
    best = int(np.nanargmax(columns["valid_elbo"]))
    value = -float(columns["valid_elbo"][best])
    axes.plot(columns["epoch"][best], value, "o", color=colour, markersize=5, zorder=4)
    axes.annotate(
        f"{value:.3f}", (columns["epoch"][best], value), xytext=(0, -11), textcoords="offset points",
        ha="center", fontsize=8, color=colour,
    )  # fmt: skip


def _sum(columns: Columns, prefix: str, sign: float) -> NDArray[Any]:
    """Add up the columns of one kind; 0 where the model has none of them."""
    parts = [values for name, values in columns.items() if name.startswith(prefix)]
    return sign * np.sum(parts, axis=0) if parts else np.zeros(len(columns["epoch"]))


def _parts(axes: Axes, columns: Columns) -> None:
    """The validation's reconstruction and every KL, and the KL's weight while it rises."""
    axes.set_title("validation, part by part")
    number = 0
    for name, values in columns.items():
        kind = next((k for k in ("valid_log_p_", "valid_kl_") if name.startswith(k)), None)
        if kind is None:
            continue
        colour = SERIES[(number + 1) % len(SERIES)]
        label = (
            f"\u2212log p({name.removeprefix(kind)})"
            if kind == "valid_log_p_"
            else f"KL {name.removeprefix(kind)}"
        )
        axes.plot(columns["epoch"], -values if kind == "valid_log_p_" else values, color=colour, label=label)
        number += 1
    beta = columns["beta"]
    if (beta < 1.0).any():
        weight = axes.twinx()
        weight.plot(columns["epoch"], beta, color=SOFT, linewidth=1.0, linestyle=":")
        weight.set_ylim(0, 1.05)
        weight.set_ylabel("weight of the KL (dotted)", color=SOFT)
        weight.tick_params(axis="y", colors=SOFT)
        weight.spines["right"].set_visible(True)


def _limit(axes: Axes, runs: Sequence[Columns]) -> None:
    """Leave out the steep beginning: what is shown starts after a tenth of the epochs."""
    tops, lows = [], []
    for columns in runs:
        begin = len(columns["epoch"]) // 10
        both = np.concatenate([-columns["train_elbo"][begin:], -columns["valid_elbo"][begin:]])
        both = both[np.isfinite(both)]
        tops.append(float(both.max()))
        lows.append(float(both.min()))
    span = (max(tops) - min(lows)) or 1.0
    axes.set_ylim(min(lows) - 0.12 * span, max(tops) + 0.06 * span)
