"""The schedule as a picture: frames to the right, steps downward, one number for each thing that is computed.

A batched operation and a whole-sequence call are one bar over all frames. A loop is a frame around one cell
for each of its nodes and frames, numbered in the order in which the cells are computed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from html import escape

from dvaec.emit.plan_text import ABOUT, binding_words, call_words, first_words, node_words, outer_maps
from dvaec.plan.model import Batched, Entry, FirstFrame, Loop, Once, Passes, Plan, WholeSequence, framed
from dvaec.spec.model import Direction

FRAMES = 5
CELL = 78
ROW = 30
BAR = 22
MIDDLE = BAR / 2 + 8  # where letters stand that are amid a bar
LONGEST_NAME = 26
LETTER = 7.6  # the width of one, about


_Step = Batched | WholeSequence | Loop | FirstFrame | Once


@dataclass(frozen=True)
class Reason:
    """What one step is: its number in the picture, its kind, what it computes, and why so."""

    number: int
    kind: str
    what: str
    why: str
    further: tuple[str, ...] = ()


@dataclass(frozen=True)
class Schedule:
    """One entry point: what it is for, where values come from, its picture and its reasons."""

    name: str
    about: str
    binding: str
    svg: str
    reasons: tuple[Reason, ...]


@dataclass(frozen=True)
class _Row:
    """One line of the picture: its name, and its shapes from the upper edge on."""

    name: str
    shapes: tuple[str, ...]
    height: int = ROW


def schedules(plan: Plan) -> tuple[Schedule, ...]:
    """Return every entry point that computes anything, the stream's behind the others."""
    streamed = plan.stream.entries if plan.stream is not None else ()
    return tuple(_schedule(plan, entry) for entry in (*plan.entries, *streamed) if entry.steps)


def _schedule(plan: Plan, entry: Entry) -> Schedule:
    streamed = plan.stream is not None and entry in plan.stream.entries
    rows: list[_Row] = []
    reasons: list[Reason] = []
    steps: list[tuple[_Step, str]] = [(one, "") for one in entry.once]
    for one in entry.all_steps:
        if isinstance(one, Passes):
            steps += [(each, f"; made {one.times} times: {one.reason}") for each in one.steps]
        else:
            steps.append((one, ""))
    for number, (step, again) in enumerate(steps, 1):
        rows += _rows(plan, number, step, streamed)
        reason = _reason(plan, number, step, streamed)
        reasons.append(replace(reason, why=reason.why + again))
    return Schedule(
        entry.name,
        ABOUT[entry.name],
        binding_words(entry) if entry.binding else "",
        _svg(rows, f"The schedule of {entry.name}", streamed),
        tuple(reasons),
    )


def _reason(plan: Plan, number: int, step: _Step, streamed: bool) -> Reason:
    if isinstance(step, Batched):
        return Reason(number, "batched", node_words(plan, step.node), step.reason)
    if isinstance(step, WholeSequence):
        what = f"{node_words(plan, step.node)}: {call_words(plan, step)}, {step.direction} in time"
        return Reason(number, "sequence", what, step.reason)
    if isinstance(step, FirstFrame | Once):
        return Reason(number, "one frame", first_words(plan, step).replace("->", "→"), step.reason)
    names = " → ".join(node_words(plan, name) for name in step.nodes)
    what = names if streamed else f"{names}: frame after frame, {step.direction} in time"
    outer = tuple(
        f"{node_words(plan, name)}: its linear map of {of} is computed before the loop for all frames"
        for name, of in ([] if streamed else outer_maps(plan, step))
    )
    return Reason(number, "one frame" if streamed else "loop", what, step.reason, outer)


def _rows(plan: Plan, number: int, step: _Step, streamed: bool) -> list[_Row]:
    if isinstance(step, Batched):
        name = node_words(plan, step.node)
        if not framed(plan.network.node(step.node)):
            words = "once a sequence"
            return [_Row(f"{number}  {name}", (_bar("batched", 1.6), _text(0.8 * CELL, words)))]
        return [_Row(f"{number}  {name}", (_bar("batched"), _middle("one operation over all frames")))]
    if isinstance(step, WholeSequence):
        shapes = (_bar("sequence"), *_arrows(step.direction), _middle(call_words(plan, step)))
        return [_Row(f"{number}  {node_words(plan, step.node)}", shapes)]
    if isinstance(step, FirstFrame | Once):
        return _frame_rows(plan, number, step)
    return _frame_rows(plan, number, step) if streamed else _loop_rows(plan, number, step)


def _loop_rows(plan: Plan, number: int, loop: Loop) -> list[_Row]:
    before = [
        _Row(
            f"{number}  {node_words(plan, name)}",
            (_bar("before"), _middle(f"linear map of {of}, beforehand")),
        )
        for name, of in outer_maps(plan, loop)
    ]
    places = computed(loop, FRAMES)
    rows = []
    for row, name in enumerate(loop.nodes):
        cells = []
        for frame in range(1, FRAMES + 1):
            left = (frame - 1) * CELL
            cells.append(_rect("loop", left + 6, CELL - 12))
            cells.append(_text(left + CELL / 2, str(places[name, frame])))
        mark = f"{number}  " if row == 0 else "    "
        rows.append(_Row(mark + node_words(plan, name), tuple(cells)))
    height = len(rows) * ROW
    first = rows[0]
    frame_box = f'<rect class="around" x="0" y="1" width="{FRAMES * CELL}" height="{height - 2}" rx="8"/>'
    rows[0] = _Row(first.name, (frame_box, *first.shapes))
    words = "the numbers: in which order"
    arrow = (*_arrows(loop.direction, 0, 8), _middle(words, 12))
    return [*before, *rows, _Row("", arrow, 20)]


def computed(loop: Loop, frames: int) -> dict[tuple[str, int], int]:
    """Number the cells (node, frame), frames 1..T, in the order in which a loop computes them, from 1."""
    near, far = min(loop.ahead), max(loop.ahead)
    steps = range(1 - far, frames - near + 1)
    if loop.direction is Direction.BACKWARD:
        steps = range(frames + far, near, -1)
    order = [
        (name, step + loop.frame_of(name))
        for step in steps
        for name in (loop.turned if step == 1 and loop.turned else loop.nodes)
    ]
    inside = [place for place in order if 1 <= place[1] <= frames]
    return {place: number for number, place in enumerate(inside, 1)}


def _frame_rows(plan: Plan, number: int, loop: Loop | FirstFrame | Once) -> list[_Row]:
    rows = []
    for row, name in enumerate(loop.nodes):
        mark = f"{number}  " if row == 0 else "    "
        shapes = (_rect("loop", 6, CELL - 12), _text(CELL / 2, str(row + 1)))
        rows.append(_Row(mark + node_words(plan, name), shapes))
    return rows


def _svg(rows: list[_Row], label: str, streamed: bool) -> str:
    """Set the rows below each other, what is computed to the right of the longest name."""
    names = [_shortened(row.name) for row in rows]
    left = round(max(map(len, names)) * LETTER) + 12
    top = 26
    heads = [
        _text((frame - 0.5) * CELL, "one frame" if streamed else _column(frame), 14, "head")
        for frame in range(1, 2 if streamed else FRAMES + 1)
    ]
    parts = [f'<g transform="translate({left} 0)">{"".join(heads)}</g>']
    for row, name in zip(rows, names, strict=True):
        shapes = f'<g transform="translate({left} {top})">{"".join(row.shapes)}</g>'
        parts.append(f'{shapes}<text class="name" x="4" y="{top + MIDDLE:g}">{escape(name)}</text>')
        top += row.height
    width = left + FRAMES * CELL + 8
    return (
        f'<svg class="schedule" role="img" aria-label="{escape(label)}" viewBox="0 0 {width} {top + 6}" '
        f'style="--natural:{width}px">{"".join(parts)}</svg>'
    )


def _shortened(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"


def _column(frame: int) -> str:
    return f"t = {frame}" if frame < FRAMES else f"t = T = {frame}"


def _bar(kind: str, cells: float = FRAMES) -> str:
    return _rect(kind, 4, cells * CELL - 8)


def _rect(kind: str, left: float, width: float) -> str:
    return f'<rect class="{kind}" x="{left:g}" y="4" width="{width:g}" height="{BAR}" rx="5"/>'


def _middle(text: str, down: float = MIDDLE) -> str:
    return _text(FRAMES * CELL / 2, text, down)


def _text(x: float, text: str, y: float = MIDDLE, kind: str = "said") -> str:
    return f'<text class="{kind}" x="{x:g}" y="{y:g}" text-anchor="middle">{escape(text)}</text>'


def _arrows(direction: Direction, inset: int = 12, down: float = BAR / 2 + 4) -> tuple[str, ...]:
    """Draw a line with a head on either side of the middle, pointing along time or against it."""
    left, right, half = inset + 8, FRAMES * CELL - inset - 8, FRAMES * CELL / 2
    runs = ((left, half - 92), (half + 92, right))
    shapes = []
    for start, stop in runs:
        at, way = (stop, -6) if direction is Direction.FORWARD else (start, 6)
        shapes.append(
            f'<path class="way" d="M{start:g} {down:g}H{stop:g}M{at + way:g} {down - 4:g}L{at:g} {down:g}'
            f'L{at + way:g} {down + 4:g}"/>'
        )
    return tuple(shapes)
