"""A latent over time, as in Figure 13.5: mean and log-variance of q, the sample, the KL, by dimension."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dvaec.runtime.faults import LabFault
from dvaec.runtime.pictures.canvas import BLUE, FAINT, SOFT, clock, picture, time_label

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = NDArray[Any]
_COLLAPSED = 0.01  # nats a frame, as where dimensions are counted
_LEAST = 0.1  # nats that the scale of a KL reaches at least
_MOST = 64  # dimensions that can be told apart
_TITLES = {
    "mean": "(a) mean of q",
    "logvar": "(b) log-variance of q",
    "logscale": "(b) log-scale of q",
    "sample": "(c) sample from q",
    "kl": "(d) KL(q || p), nats",
}


def four_panels(path: Path, name: str, values: Mapping[str, Array], seconds: float | None = None) -> None:
    """Draw one sequence's `values` of a latent, each (time, dim), a trace a dimension; (d) is in nats.

    Keys: sample, and of q's parameters and `kl` those that the family has. What has collapsed is grey: its
    mean KL over these frames is below 0.01 nats.
    """
    shown = [key for key in _TITLES if key in values]
    frames, dim = values["sample"].shape
    if dim > _MOST:
        raise LabFault(f"{name} has {dim} dimensions, and {_MOST} can be told apart in a picture")
    grey = np.zeros(dim, dtype=np.bool_)
    if "kl" in values and values["kl"].shape[1] == dim:
        grey = values["kl"].mean(axis=0) < _COLLAPSED
    classes = "logits" in values

    def draw(sheet: Figure) -> None:
        if classes:
            _classes(sheet, name, values, seconds)
            return
        made = sheet.subplots(2, 2, sharex=True).flat
        for axes, key in zip(made, shown, strict=False):
            _traces(axes, values[key], grey, seconds, key == "kl")
            axes.set_title(_TITLES[key])
        for axes in list(made)[len(shown) :]:
            axes.set_visible(False)
        sheet.supxlabel(time_label(seconds), fontsize=8.5)
        sheet.supylabel(f"dimension of {name}" + (", collapsed in grey" if grey.any() else ""), fontsize=8.5)

    wide = min(11.0, max(7.5, 3.0 + frames / 20))
    picture(path, (wide, 4.0 if classes else max(4.2, 1.2 + 0.36 * dim)), draw)


def _traces(axes: Axes, values: Array, grey: Array, seconds: float | None, upward: bool) -> None:
    """Traces above one another on one scale, dimension 1 on top; each has its zero line."""
    frames, dim = values.shape
    time = clock(frames, seconds)
    # A KL that is nothing everywhere is not blown up to look like something.
    most = max(float(np.quantile(np.abs(values), 0.995)), _LEAST if upward else 1e-9)
    scale = (0.9 if upward else 0.55) / most
    for k in range(dim):
        base = dim - 1 - k
        if k % 2 == 0:
            axes.axhspan(base - 0.5, base + 0.5, color="#f3f5f8", linewidth=0, zorder=0)
        axes.axhline(base, color=FAINT, linewidth=0.6, zorder=1)
        line = base + scale * values[:, k]
        axes.plot(time, line, color=SOFT if grey[k] else BLUE, linewidth=0.9, zorder=2)
    step = 1 if dim <= 20 else 4
    places = range(0, dim, step)
    axes.set_yticks([dim - 1 - k for k in places], [str(k + 1) for k in places])
    axes.set_ylim(-0.8, dim - 0.1)
    axes.margins(x=0.01)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    _ruler(axes, most, scale)


def _ruler(axes: Axes, most: float, scale: float) -> None:
    """A bar at the right edge that says how high a trace's unit is."""
    unit = float(f"{most:.1g}")
    beside = axes.get_yaxis_transform()
    axes.plot([1.012, 1.012], [0.0, scale * unit], transform=beside, color=SOFT, linewidth=1.6, clip_on=False)
    axes.text(1.022, scale * unit / 2, f"{unit:g}", transform=beside, fontsize=7, color=SOFT, va="center")


def _classes(sheet: Figure, name: str, values: Mapping[str, Array], seconds: float | None) -> None:
    """The probability of every class under q, what was drawn, and the KL."""
    logits = np.asarray(values["logits"], dtype=np.float64)
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    odds /= odds.sum(axis=1, keepdims=True)
    above, below = sheet.subplots(2, 1, sharex=True, height_ratios=(2, 1))
    step = seconds or 1.0
    frames, count = odds.shape
    time = clock(frames, seconds)
    extent = (time[0] - 0.5 * step, time[-1] + 0.5 * step, 0.5, count + 0.5)
    above.imshow(odds.T, origin="lower", aspect="auto", cmap="Blues", vmin=0, vmax=1, extent=extent)
    above.plot(time, values["sample"].argmax(axis=1) + 1, ".", color="#d9730d", markersize=3)
    above.set_title(f"q({name}) by class, and the class drawn")
    above.set_ylabel("class")
    above.set_yticks(range(1, count + 1))
    below.plot(time, values["kl"].sum(axis=1), color=BLUE)
    below.set_title(_TITLES["kl"].removeprefix("(d) "))
    below.set_ylim(bottom=0)
    below.set_xlabel(time_label(seconds))
