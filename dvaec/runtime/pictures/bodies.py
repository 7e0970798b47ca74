"""Frames that are pictures themselves: skeletons and images, a few of them side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dvaec.runtime.pictures.canvas import BLUE, FAINT, INK, RED, SOFT, picture
from dvaec.runtime.pictures.kind import Kind

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from dvaec.runtime.pictures.panels import Look, Panel

Array = NDArray[Any]
_SHOWN = 9  # frames of a sequence
_TURN = np.deg2rad(35.0)  # from which side a skeleton is seen


def show(path: Path, kind: Kind, panels: Sequence[Panel], look: Look) -> None:
    """Draw some frames of each panel, evenly spread over the longest, in rows."""
    rest = look.bones.rest if kind is Kind.SKELETON else None
    if rest is not None:
        panels = [_with_rest(panel, rest) for panel in panels]
    longest = max(len(panel.values) for panel in panels)
    shown = np.unique(np.rint(np.linspace(0, longest - 1, _SHOWN)).astype(int))
    limits = _limits(panels[0]) if kind is Kind.SKELETON else None

    def draw(sheet: Figure) -> None:
        sheet.set_layout_engine("constrained", h_pad=0.13, w_pad=0.03)
        made = sheet.subplots(len(panels), len(shown), squeeze=False)
        for row, panel in zip(made, panels, strict=True):
            for axes, frame in zip(row, shown, strict=True):
                _blank(axes)
                if frame >= len(panel.values):
                    continue
                is_made = panel.taken_over is not None and frame >= panel.taken_over
                if limits is not None:
                    colour = RED if is_made else BLUE if panel.behind is not None else INK
                    if panel.behind is not None and frame < len(panel.behind):
                        _skeleton(axes, panel.behind[frame], look.bones.parents, FAINT, 1.4)
                    _skeleton(axes, panel.values[frame], look.bones.parents, colour, 1.1)
                    axes.set_xlim(limits[0][0], limits[1][0])
                    axes.set_ylim(limits[0][1], limits[1][1])
                    axes.set_aspect("equal")
                else:
                    _image(axes, panel.values[frame], look.sides, is_made)
            # Wider than its frame, and not to hold the next one away: a title proper would.
            above = row[0].annotate(panel.title, (0, 1), (0, 6), "axes fraction", "offset points")
            above.set(fontsize=9.5, fontweight="bold", in_layout=False)
        for axes, frame in zip(made[-1], shown, strict=True):
            label = f"{frame * look.seconds:.2f} s" if look.seconds else f"frame {frame + 1}"
            axes.text(
                0.5, -0.04, label, transform=axes.transAxes, ha="center", va="top", fontsize=7, color=SOFT
            )

    high = 1.0 if limits is None else float(np.divide(*(limits[1] - limits[0])[::-1]))
    tall = 1.05 * min(max(high, 0.6), 2.5) + 0.25
    picture(path, (1.05 * len(shown), 0.25 + tall * len(panels)), draw)


def _with_rest(panel: Panel, rest: Array) -> Panel:
    """Put what never moves beside what a model knows: (time, dim) -> (time, 3 joints)."""

    def whole(values: Array) -> Array:
        frames = np.tile(rest, (len(values), 1))
        frames[:, np.isnan(rest)] = values
        return frames

    behind = None if panel.behind is None else whole(panel.behind)
    return replace(panel, values=whole(panel.values), behind=behind)


def _blank(axes: Axes) -> None:
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(False)


def _seen(frame: Array) -> Array:
    """Project joints (J, 3), the second axis up, onto the paper: (J, 2)."""
    joints = np.asarray(frame, dtype=np.float64).reshape(-1, 3)
    across = np.cos(_TURN) * joints[:, 0] + np.sin(_TURN) * joints[:, 2]
    return np.stack([across, joints[:, 1]], axis=1)


def _limits(panel: Panel) -> tuple[Array, Array]:
    """One window for all skeletons, that of the first panel: what runs away does not make the rest small."""
    points = np.concatenate([_seen(frame) for frame in panel.values])
    points = points[np.isfinite(points).all(axis=1)]
    low, high = points.min(axis=0), points.max(axis=0)
    margin = 0.08 * float((high - low).max()) + 1e-9
    return low - margin, high + margin


def _skeleton(axes: Axes, frame: Array, parents: tuple[int, ...], colour: str, width: float) -> None:
    points = _seen(frame)
    for joint, parent in enumerate(parents):
        if parent >= 0:
            axes.plot(*points[[parent, joint]].T, color=colour, linewidth=width, solid_capstyle="round")
    axes.plot(*points.T, ".", color=colour, markersize=2.0 if parents else 3.0)


def _image(axes: Axes, frame: Array, sides: tuple[int, int], is_made: bool) -> None:
    axes.imshow(np.asarray(frame, dtype=np.float64).reshape(sides), cmap="gray", aspect="equal")
    for spine in axes.spines.values():
        spine.set_visible(True)
        spine.set_color(RED if is_made else FAINT)
        spine.set_linewidth(2.2 if is_made else 0.7)
