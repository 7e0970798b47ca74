"""An explanation in words, with the lines of the page that give each arrow."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from dvaec.derive.explain import Explanation, Finding
from dvaec.derive.trails import Arrow, Block, Collider, Frames, Place
from dvaec.derive.unseen import unseen_words
from dvaec.diagnostics import Span
from dvaec.spec import notation
from dvaec.spec.model import LAST, Parent
from dvaec.spec.offsets import of, window
from dvaec.spec.source import Source

UNSHOWN = "  The reason is not shown: no network that is searched has it."
LONGEST_TRAIL = 8
_Item = TypeVar("_Item")


class Verdict(StrEnum):
    """What becomes of a part of a window: the exact posterior reads it, need not read it, or may not."""

    KEPT = "kept"
    DROPPED = "dropped"
    LATER = "later"


@dataclass(frozen=True)
class Line:
    """One line of an argument; of an arrow, the place on the page that gives it and what is written there."""

    text: str
    span: Span | None = None
    written: str = ""

    def __str__(self) -> str:
        if self.span is None:
            return self.text
        return f"{self.text}  {self.span.file}:{self.span.line}  {self.written}".rstrip()


@dataclass(frozen=True)
class Argument:
    """Why a part of a window is read or not: `window` as the page writes it, a sentence, what proves it."""

    verdict: Verdict
    window: str
    head: str
    lines: tuple[Line, ...] = ()


def explanation_text(explanation: Explanation, source: Source) -> str:
    """Return the explanation as lines: the answers with their trails or blocks, then what q does about it."""
    found = arguments(explanation, source)
    lines = [line for one in found for line in (one.head, *map(str, one.lines))]
    return "\n".join([*lines, *use_words(explanation)])


def arguments(explanation: Explanation, source: Source) -> tuple[Argument, ...]:
    """Return the answers part by part, each with its trail or its blocks."""
    target = target_text(explanation)
    found = [_finding(target, finding, source) for finding in explanation.findings]
    if explanation.later is not None:
        text = window_text(explanation.later)
        why = f"comes later in the chain-rule order than {target}"
        if text == target:
            why = "is the target itself"
        head = f"no: {text} {why}; its factor may not read {text}."
        found.append(Argument(Verdict.LATER, text, head))
    return tuple(found)


def target_text(explanation: Explanation) -> str:
    """Return the target as the question names it: z_t, z_0, z_T, v."""
    name, frame = explanation.question.target, explanation.question.frame
    if not explanation.framed:
        return name
    return f"{name}_t" if frame is None else f"{name}_{'T' if frame == LAST else frame}"


def _finding(target: str, finding: Finding, source: Source) -> Argument:
    text, example = window_text(finding.part), _place(finding.example)
    length = "" if finding.frames is None else f", T = {finding.frames}"
    shown = "" if example == text else f" (shown for {example}{length})"
    if example == text and length and target.endswith("_T"):
        shown = f" (shown for{length.removeprefix(',')})"
    if not finding.shown:
        shown = ""
    elif finding.at is not None:
        shown = f" (shown for t = {finding.at}{length})"
    verdict = Verdict.KEPT if finding.depends else Verdict.DROPPED
    if finding.depends:
        head = f"yes: given everything else that {target} may read, it depends on {text}{shown}"
        if not finding.shown:
            return Argument(verdict, text, f"{head}.", (Line(UNSHOWN),))
        opened = [Line(f"  {_opening(c)}") for c in finding.colliders]
        lines = (Line(f"  {_trail(finding.trail)}"), *_arrows(finding.trail, source), *opened)
        return Argument(verdict, text, f"{head}, through", lines)
    head = f"no: given the posterior's parents of {target}, {text} tells nothing more about it{shown}."
    if not finding.shown:
        return Argument(verdict, text, head, (Line(UNSHOWN),))
    if not finding.blocks:
        return Argument(
            verdict, text, head, (Line(f"  Nothing in the model leads from {target} to {example}."),)
        )
    lines = tuple(line for block in finding.blocks for line in _block(block, source))
    return Argument(verdict, text, head, (Line("  Every way from one to the other is blocked:"), *lines))


def _block(block: Block, source: Source) -> list[Line]:
    text = window_text(block.at)
    if not block.trail:
        return [Line(f"  at {text}")]
    if block.collider:
        why = f"arrows meet at {text}, and neither it nor anything that follows from it is given"
    else:
        why = f"{text} is given"
    return [Line(f"  {_trail(block.trail)}: {why}"), *_arrows(block.trail, source)]


def _opening(collider: Collider) -> str:
    place = _place(collider.place)
    if len(collider.descent) == 1:
        return f"{place} is given, which opens the collider: its causes become dependent."
    way = " → ".join(_place(p) for p in collider.descent)
    return (
        f"{_place(collider.descent[-1])} is given and follows from {place} ({way}), which opens the collider."
    )


def _trail(trail: tuple[Arrow, ...]) -> str:
    if not trail:
        return ""
    first = trail[0].head if trail[0].against else trail[0].tail
    places = [f"← {_place(a.tail)}" if a.against else f"→ {_place(a.head)}" for a in trail]
    return " ".join([_place(first), *_shortened(places, "...")])


def _shortened(items: list[_Item], gap: _Item) -> list[_Item]:
    """Leave out the middle of a long list, with `gap` in its place."""
    half = LONGEST_TRAIL // 2
    return items if len(items) <= LONGEST_TRAIL else [*items[:half], gap, *items[-half:]]


def _arrows(trail: tuple[Arrow, ...], source: Source) -> list[Line]:
    """List the arrows with the lines of the page that give them, in columns."""
    names = [f"{_place(a.tail)} → {_place(a.head)}" for a in trail]
    width = max(map(len, names), default=0)
    lines = []
    for name, arrow in zip(names, trail, strict=True):
        span = source.span(arrow.path)
        known = source.sources().lines(span.file)
        written = known[span.line - 1].partition(" #")[0].strip().removeprefix("- ") if known else ""
        lines.append(Line(f"    {name:<{width}}", span, written))
    return _shortened(lines, Line("..."))


def use_words(explanation: Explanation) -> list[str]:
    """Say which parts q reads, should read, and reads in vain."""
    lines = []
    if explanation.golden is not None:
        text = window_text(explanation.golden)
        lines.append(f"q does not read {text}, which the exact posterior reads (golden).")
    if explanation.silver is not None:
        text = window_text(explanation.silver)
        lines.append(f"q reads {text}, which the exact posterior does not read (silver).")
    if explanation.answer and explanation.used is not None:
        lines.append(f"q reads {window_text(explanation.used)}.")
    if explanation.used is not None and explanation.unseen:
        lines.append(f"But {unseen_words(explanation.question.target, explanation.unseen)}.")
    return lines


def window_text(part: Parent | Frames) -> str:
    """Return a window as the page writes it; single frames as runs: x_1, x_<4:T>, or from T: x_<T-1>."""
    if isinstance(part, Parent):
        return notation.parent(part)
    runs: list[tuple[int, int]] = []
    for frame in part.frames:
        if runs and runs[-1][1] == frame - 1:
            runs[-1] = (runs[-1][0], frame)
        else:
            runs.append((frame, frame))
    named = (
        (first, "T" if last == part.last and last > first else str(last), first == last)
        for first, last in runs
    )
    if part.back:
        name = _from_last if len(runs) > 2 else _from_both_ends
        return ", ".join(_shortened([name(part, *run) for run in runs], "..."))
    texts = [
        f"{part.name}_{first}" if single else f"{part.name}_<{first}:{last}>" for first, last, single in named
    ]
    return ", ".join(_shortened(texts, "..."))


def _from_last(part: Frames, first: int, last: int) -> str:
    """Return a run of frames as the line of frame T names it."""
    start = None if first == part.first and last > first else first - part.last
    offsets = window(start, last - part.last)
    return notation.page(part.name, offsets, part.first, LAST)


def _from_both_ends(part: Frames, first: int, last: int) -> str:
    """Return a run of frames with each end named from the end of the sequence that it is nearer to."""
    if first - part.first >= part.last - first:
        return _from_last(part, first, last)
    if last == first:
        return f"{part.name}_{first}"
    early = last - part.first < part.last - last
    stop = str(last) if early else "T" if last == part.last else f"T-{part.last - last}"
    return f"{part.name}_<{first}:{stop}>"


def _place(place: Place) -> str:
    if place.frame is not None:
        return f"{place.name}_{place.frame}"
    return notation.page(place.name, None if place.offset is None else of(place.offset))
