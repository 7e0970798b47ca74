"""Frames over time, panel below panel: what was seen, what a model makes of it, where it goes on alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dvaec.runtime.bones import Bones
from dvaec.runtime.faults import LabFault
from dvaec.runtime.pictures import bodies
from dvaec.runtime.pictures.canvas import (
    BLUE,
    FAINT,
    INK,
    SERIES,
    clock,
    column,
    divide,
    picture,
    time_label,
    whole_numbers,
)
from dvaec.runtime.pictures.kind import Kind

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = NDArray[Any]
_PIANO = 88  # notes from A0, MIDI 21
_FLOOR = 60.0  # dB below the loudest that a spectrogram shows


@dataclass(frozen=True)
class Panel:
    """A titled sequence (time, dim); `taken_over` is the frame, from 0, that generation begins with.

    `band` is a mean and a standard deviation about it, `behind` another sequence to show behind the values.
    """

    title: str
    values: Array
    taken_over: int | None = None
    band: tuple[Array, Array] | None = None
    behind: Array | None = None


@dataclass(frozen=True)
class Look:
    """What axes mean: seconds a frame, hertz a bin (None: they are counted); a skeleton's or image's form.

    `bones` has each joint's parent and the joints that stand still; `sides` an image's (height, width).
    """

    name: str
    seconds: float | None = None
    hertz: float | None = None
    bones: Bones = field(default_factory=Bones)
    sides: tuple[int, int] = (0, 0)


def show(path: Path, kind: Kind, panels: Sequence[Panel], look: Look) -> None:
    """Draw panels of one kind below one another."""
    if not panels or any(len(one.values) == 0 for one in panels):
        raise LabFault(f"{path}: there is no frame to draw")
    if kind is Kind.LINES:
        _lines(path, panels, look)
    elif kind in (Kind.SKELETON, Kind.IMAGE):
        bodies.show(path, kind, panels, look)
    else:
        _maps(path, kind, panels, look)


def _room(panel: Panel) -> float:
    """Points between a panel and its title: the word at the line where generation takes over lies there."""
    return 18.0 if panel.taken_over is not None else 5.0


def _maps(path: Path, kind: Kind, panels: Sequence[Panel], look: Look) -> None:
    """Images of dimension over time."""
    together = np.concatenate([panel.values for panel in panels]).astype(np.float64)
    low, high = _range(kind, together)

    def draw(sheet: Figure) -> None:
        rows = column(sheet, len(panels))
        for axes, panel in zip(rows, panels, strict=True):
            values = _decibels(panel.values, together) if kind is Kind.SPECTROGRAM else panel.values
            _map(axes, values, look, _COLOURS[kind], (low, high))
            axes.set_title(panel.title, pad=_room(panel))
            axes.set_ylabel(_height(kind, look))
            if kind is Kind.ROLL and together.shape[1] == _PIANO:
                _piano(axes, together)
            if panel.taken_over is not None:
                divide(axes, panel.taken_over, look.seconds)
        rows[-1].set_xlabel(time_label(look.seconds))
        if look.seconds is None:
            whole_numbers(rows[-1])
        if kind is not Kind.ROLL:
            label = "dB below the loudest" if kind is Kind.SPECTROGRAM else look.name
            bar = sheet.colorbar(rows[0].images[0], ax=rows, shrink=0.6, aspect=28, pad=0.01)
            bar.set_label(label)

    longest = max(len(panel.values) for panel in panels)
    picture(path, (min(11.0, max(6.5, 2.0 + longest / 22)), 0.6 + 2.0 * len(panels)), draw)


_COLOURS = {Kind.ROLL: "Blues", Kind.SPECTROGRAM: "magma", Kind.MAP: "RdBu_r"}


def _range(kind: Kind, together: Array) -> tuple[float, float]:
    """The values that the ends of the colours stand for."""
    if kind is Kind.ROLL:
        return 0.0, 1.0
    if kind is Kind.SPECTROGRAM:
        return -_FLOOR, 0.0
    known = together[np.isfinite(together)]
    most = float(np.quantile(np.abs(known), 0.99)) if len(known) else 1.0
    return -(most or 1.0), most or 1.0


def _decibels(values: Array, together: Array) -> Array:
    """10 log10 of a power over the loudest of all panels."""
    loudest = max(float(np.nanmax(together)), 1e-12)
    return np.asarray(10.0 * np.log10(np.maximum(values, 1e-12 * loudest) / loudest))


def _map(axes: Axes, values: Array, look: Look, colours: str, ends: tuple[float, float]) -> None:
    step, rise = look.seconds or 1.0, look.hertz or 1.0
    frames, dim = values.shape
    first = clock(frames, look.seconds)[0]
    axes.imshow(
        values.T, origin="lower", aspect="auto", cmap=colours, vmin=ends[0], vmax=ends[1],
        extent=(first - 0.5 * step, first + (frames - 0.5) * step, -0.5 * rise, (dim - 0.5) * rise),
    )  # fmt: skip
    axes.set_facecolor("#eeeeee")  # what is missing


def _height(kind: Kind, look: Look) -> str:
    if kind is Kind.SPECTROGRAM:
        return "frequency (Hz)" if look.hertz else "bin"
    return look.name if kind is Kind.ROLL else f"dimension of {look.name}"


def _piano(axes: Axes, together: Array) -> None:
    """Name the Cs, and leave out the octaves that nobody plays."""
    played = np.flatnonzero(np.nanmax(together, axis=0) > 0.25)
    low, high = (int(played[0]), int(played[-1])) if len(played) else (0, _PIANO - 1)
    axes.set_ylim(max(-0.5, low - 3.5), min(_PIANO - 0.5, high + 3.5))
    cs = [note for note in range(3, _PIANO, 12) if low - 3 <= note <= high + 3]
    axes.set_yticks(cs, [f"C{(note + 21) // 12 - 1}" for note in cs])
    axes.set_ylabel("note")
    for note in cs:
        axes.axhline(note - 0.5, color=FAINT, linewidth=0.6)


def _lines(path: Path, panels: Sequence[Panel], look: Look) -> None:
    """A row a dimension; the panels are drawn over each other where one lies behind another."""
    dims = panels[0].values.shape[1]

    def draw(sheet: Figure) -> None:
        made = sheet.subplots(dims, len(panels), squeeze=False, sharex="col", sharey="row")
        for across, panel in enumerate(panels):
            for row in range(dims):
                axes = made[row][across]
                _line(axes, panel, row, look.seconds)
                if panel.taken_over is not None:
                    divide(axes, panel.taken_over, look.seconds, labelled=row == 0)
                if across == 0:
                    axes.set_ylabel(look.name if dims == 1 else f"{look.name}[{row + 1}]")
            made[0][across].set_title(panel.title, pad=_room(panel))
            made[-1][across].set_xlabel(time_label(look.seconds))
            if look.seconds is None:
                whole_numbers(made[-1][across])
        if any(panel.behind is not None for panel in panels):
            sheet.legend(*made[0][-1].get_legend_handles_labels(), loc="outside lower right", ncols=3)

    picture(path, (max(6.5, 3.4 * len(panels)), 0.8 + (2.2 if dims < 3 else 1.2) * dims), draw)


def _line(axes: Axes, panel: Panel, row: int, seconds: float | None) -> None:
    time = clock(len(panel.values), seconds)
    own = panel.values[:, row]
    if panel.behind is not None:
        seen = panel.behind[:, row]
        place = clock(len(seen), seconds)
        axes.plot(place, seen, ".", color=INK, markersize=2.6, label="data", zorder=3)
    if panel.band is not None:
        mean, about = panel.band[0][:, row], 2.0 * panel.band[1][:, row]
        axes.fill_between(
            time, mean - about, mean + about, color=BLUE, alpha=0.18, linewidth=0, label="± 2 std of p"
        )
    axes.plot(time, own, color=SERIES[0], label="model" if panel.behind is not None else None)
    axes.margins(x=0.01)
