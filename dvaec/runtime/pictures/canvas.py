"""The sheet that every picture is drawn on: its style, its formats, and its way into a file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dvaec.runtime.extras import needing
from dvaec.runtime.faults import LabFault
from dvaec.runtime.files import replacing

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FORMATS = ("png", "svg", "pdf")

INK = "#24292f"
SOFT = "#8c959f"
FAINT = "#d0d7de"
BLUE = "#2166ac"
ORANGE = "#d9730d"
RED = "#c8102e"
SERIES = (BLUE, ORANGE, "#1a7f5a", "#8250a8", "#b8860b", "#0f8b9d", "#a8324a", "#5b6470")

_STYLE: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 8.5,
    "axes.titlesize": 9.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 5.0,
    "axes.labelsize": 8.5,
    "axes.labelcolor": INK,
    "axes.edgecolor": SOFT,
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "xtick.major.size": 3,
    "ytick.major.size": 3,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "lines.linewidth": 1.4,
    "image.interpolation": "nearest",
    "svg.hashsalt": "dvaec",  # the same picture, the same file
    "svg.fonttype": "path",
}
_METADATA: dict[str, dict[str, Any]] = {
    "png": {"Software": None},
    "svg": {"Date": None, "Creator": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}


def known_format(path: Path) -> str:
    """Return the format that a file's name ends in; LabFault for another, and where nothing here can draw."""
    found = path.suffix.lower().lstrip(".")
    if found not in FORMATS:
        raise LabFault(f"{path}: does not end in one of {', '.join('.' + one for one in FORMATS)}")
    with needing("pictures"):
        import matplotlib  # noqa: F401 (asked before anything is computed)
    return found


def picture(path: Path, size: tuple[float, float], draw: Callable[[Figure], None]) -> None:
    """Draw on a sheet of `size` inches and write it as the file's name says, whole or not at all."""
    form = known_format(path)
    with needing("pictures"):
        import matplotlib
        from matplotlib.figure import Figure
    with matplotlib.rc_context(_STYLE):
        sheet = Figure(figsize=size, dpi=160, layout="constrained", facecolor="white")
        draw(sheet)
        with replacing(path) as temporary:
            sheet.savefig(temporary, format=form, metadata=_METADATA[form])


def column(sheet: Figure, rows: int, shared: bool = True) -> list[Axes]:
    """Return axes below one another, over one axis of time."""
    made = sheet.subplots(rows, 1, squeeze=False, sharex=shared)
    return [axes[0] for axes in made]


def clock(frames: int, seconds: float | None) -> NDArray[np.float64]:
    """Where frames stand on the axis of time: at multiples of `seconds` from 0, or counted from 1."""
    counted = np.arange(frames, dtype=np.float64)
    return counted * seconds if seconds else counted + 1.0


def time_label(seconds: float | None) -> str:
    """What the axis of time is called."""
    return "time (s)" if seconds else "frame"


def whole_numbers(axes: Axes) -> None:
    """Put the marks of a counted axis at whole numbers, however few there are."""
    from matplotlib.ticker import MaxNLocator

    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))


def divide(axes: Axes, frame: int, seconds: float | None, labelled: bool = True) -> None:
    """Draw the line before the frame, from 0, where generation takes over (Figures 13.2 to 13.4)."""
    at = (frame - 0.5) * seconds if seconds else frame + 0.5
    axes.axvline(at, color=RED, linewidth=1.4)
    if labelled:
        axes.annotate(
            "generated \u2192", (at, 1.0), xycoords=("data", "axes fraction"), xytext=(4, 4),
            textcoords="offset points", color=RED, fontsize=8, va="bottom",
        )  # fmt: skip
