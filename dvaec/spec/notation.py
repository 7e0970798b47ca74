"""Printing windows: as the language writes them, with braces for mathematics, in Unicode for diagrams."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from dvaec.spec import offsets as sets
from dvaec.spec.model import LAST, Conditional, Parent
from dvaec.spec.offsets import Offsets

_SUBSCRIPTS = str.maketrans("0123456789+-=tT", "₀₁₂₃₄₅₆₇₈₉₊₋₌ₜᴛ")


@dataclass(frozen=True)
class Window:
    """The offsets start, start + stride, ..., stop; None is an open end (frame 1, or frame T)."""

    start: int | None
    stop: int | None
    stride: int = 1

    @property
    def single(self) -> bool:
        """Whether the window is one frame."""
        return self.start is not None and self.start == self.stop

    @property
    def offsets(self) -> Offsets:
        """The window as a set."""
        return sets.window(self.start, self.stop, self.stride)


def windows(offsets: Offsets) -> tuple[Window, ...]:
    """Decompose a set into few disjoint windows, in time order; their union is the set."""
    if offsets == sets.ALL:
        return (Window(None, None),)
    found: list[Window] = []
    rest = offsets
    for take in (_open_past, _open_future):
        for window in take(rest):
            found.append(window)
            rest = rest - window.offsets
    found.extend(_finite(rest.members))
    return tuple(
        sorted(found, key=lambda w: (w.start is not None, w.start or 0, w.stop is None, w.stop or 0))
    )


def _open_past(offsets: Offsets) -> list[Window]:
    """Return one window without a start for each class of the past's pattern, as long as it goes."""
    found, period = [], len(offsets.past)
    for k, there in enumerate(offsets.past):
        stop = offsets.low - 1 - k
        while there and stop + period in offsets and (period == 1 or stop + period < offsets.high):
            stop += period
        if there:
            found.append(Window(None, stop, period))
    return found


def _open_future(offsets: Offsets) -> list[Window]:
    """Return one window without a stop for each class of the future's pattern, as long as it goes."""
    found, period = [], len(offsets.future)
    for k, there in enumerate(offsets.future):
        start = offsets.high + k
        while there and start - period in offsets and start - period >= offsets.low:
            start -= period
        if there:
            found.append(Window(start, None, period))
    return found


def _finite(members: tuple[int, ...]) -> list[Window]:
    """Cut a finite set into runs, then into evenly spaced triples and longer, then into single frames."""
    found, at = [], 0
    while at < len(members):
        step = members[at + 1] - members[at] if at + 1 < len(members) else 1
        last = at
        while last + 1 < len(members) and members[last + 1] - members[last] == step:
            last += 1
        if step > 1 and last + 1 < len(members) and members[last + 1] - members[last] == 1:
            last -= 1  # the last one begins a run of its own
        if step > 1 and last - at < 2:
            last, step = at, 1
        found.append(Window(members[at], members[last], step))
        at = last + 1
    return found


def _moment(offset: int, now: str = "t") -> str:
    return now if offset == 0 else f"{now}{offset:+d}"


def _placed(offsets: Offsets, frame: int | None) -> tuple[tuple[Window, ...], int | None]:
    """Return a set's windows, and the `frame` whose line they count for, where they do so."""
    if frame is None or offsets == sets.ALL:
        return windows(offsets), None
    if frame == LAST:
        return windows(offsets & sets.window(None, 0)), LAST
    return windows(offsets.shift(frame) & sets.window(0, None)), frame


def subscript(window: Window, first: int = 1, counted: int | None = None) -> str:
    """Return what stands between the brackets: `t-1`, `1:t-1`, `t:T`, `t:T:2`; `first` for an open start.

    Of windows that are `counted`, for the line of frame 0 or 1, the ends are frames: `3`, `2:T`; for that of
    frame T they count back from there: `T-1`, `1:T-2`.
    """

    def moment(offset: int) -> str:
        return str(offset) if counted in (0, 1) else _moment(offset, "t" if counted is None else "T")

    if window.single and window.start is not None:
        return moment(window.start)
    start = str(first) if window.start is None else moment(window.start)
    stop = "T" if window.stop is None else moment(window.stop)
    return f"{start}:{stop}" + (f":{window.stride}" if window.stride > 1 else "")


def page(name: str, offsets: Offsets | None, first: int = 1, frame: int | None = None) -> str:
    """Return the text of the language: `z_t`, `z_<t-1>`, `x_<<t>`, `x_<t:T>`; several windows with commas.

    `first` is the variable's first frame, 0 for one with a z_0; the same in all that follows. `frame` is that
    of a numbered line, where windows count frames: `x_3`, `x_<2:T>`, or back from T: `x_<T-1>`.
    """
    if offsets is None:
        return name
    found, counted = _placed(offsets, frame)
    if counted is not None:
        texts = (subscript(window, first, counted) for window in found)
        return ", ".join(
            f"{name}_{text}" if text.isdigit() or text == "T" else f"{name}_<{text}>" for text in texts
        )
    return ", ".join(_page(name, window, first) for window in found)


def _page(name: str, window: Window, first: int) -> str:
    if window == Window(0, 0):
        return f"{name}_t"
    if window == Window(None, -1):
        return f"{name}_<<t>"
    if window == Window(None, 0):
        return f"{name}_<<=t>"
    return f"{name}_<{subscript(window, first)}>"


def braces(name: str, offsets: Offsets | None, first: int = 1, frame: int | None = None) -> str:
    """Return the text of mathematics: `z_t`, `z_{t-1}`, `x_{1:t-1}`; several windows with commas."""
    if offsets is None:
        return name
    found, counted = _placed(offsets, frame)
    texts = (subscript(window, first, counted) for window in found)
    return ", ".join(f"{name}_{text}" if len(text) == 1 else f"{name}_{{{text}}}" for text in texts)


def unicode_form(name: str, offsets: Offsets | None, first: int = 1, frame: int | None = None) -> str:
    """Return the text of diagrams: `zₜ`, `zₜ₋₁`, `x₁:ₜ₋₁`, `xₜ:ᴛ`; several windows with commas."""
    if offsets is None:
        return name
    found, counted = _placed(offsets, frame)
    return ", ".join(name + lowered(subscript(window, first, counted)) for window in found)


def lowered(text: str) -> str:
    """Return a subscript in Unicode's small letters and numbers."""
    return text.translate(_SUBSCRIPTS)


def raised_text(text: str) -> str:
    """Return Unicode's small letters and numbers as the usual ones: `ₜ₋₁` as `t-1`."""
    return text.translate({letter: chr(plain) for plain, letter in _SUBSCRIPTS.items()})


def raised(text: str) -> str:
    """Return the diagrams' text with its small letters as the language writes them: `xₜ₋₁` as `x_<t-1>`."""
    small = "".join(chr(letter) for letter in _SUBSCRIPTS.values())
    back = str.maketrans(small, "0123456789+-=tT")
    return re.sub(
        f"(?<=[A-Za-z0-9])([{small}][{small}:]*)", lambda found: f"_<{found[1].translate(back)}>", text
    )


def frame_word(frame: int) -> str:
    """Return an absolute frame as it is written: 0, 1 or T."""
    return "T" if frame == LAST else str(frame)


def parent(one: Parent, first: int = 1, frame: int | None = None) -> str:
    """Return a parent as the language writes it: `z_<t-1>`, `b_1`, `g_T`, or `v` of sequence level.

    `frame` is that of the numbered line that has it, if one has; the same in what follows.
    """
    if one.frame is not None:
        return f"{one.name}_{frame_word(one.frame)}"
    return page(one.name, one.offsets, first, frame)


def parent_braces(one: Parent, first: int = 1, frame: int | None = None) -> str:
    """Return a parent in mathematics: `z_{t-1}`, `x_1`, `g_T`, `v`."""
    if one.frame is not None:
        return f"{one.name}_{frame_word(one.frame)}"
    return braces(one.name, one.offsets, first, frame)


def parent_unicode(one: Parent, first: int = 1, frame: int | None = None) -> str:
    """Return a parent as in diagrams: `zₜ₋₁`, `x₁`, `gᴛ`, `v`."""
    if one.frame is not None:
        return one.name + lowered(frame_word(one.frame))
    return unicode_form(one.name, one.offsets, first, frame)


def parents(some: Iterable[Parent], zeros: Iterable[str] = (), frame: int | None = None) -> str:
    """Return a list of parents as the language writes it: `z_<t-1>, x_<<t>`; `zeros` have a frame 0."""
    from_zero = tuple(zeros)
    shown = (p for p in some if p.offsets is None or p.offsets)
    return ", ".join(parent(p, 0 if p.name in from_zero else 1, frame) for p in shown)


def listed(names: Iterable[str]) -> str:
    """Return names in a sentence: `z`, `a and z`, `v, a and z`."""
    *before, last = names
    return f"{', '.join(before)} and {last}" if before else last


def counted(number: int, noun: str) -> str:
    """Return a number of things: `1 frame`, `2 frames`."""
    return f"{number:,} {noun}{'s' * (number != 1)}"


def target(conditional: Conditional, framed: bool = True) -> str:
    """Return a conditional's target as the language writes it: `z_t`, `z_0`, or `v` of sequence level."""
    if not framed:
        return conditional.target
    return f"{conditional.target}_{'t' if conditional.frame is None else frame_word(conditional.frame)}"


def line(conditional: Conditional, framed: bool = True, zeros: Iterable[str] = ()) -> str:
    """Return a conditional as the language writes it: `z_t | z_<t-1>, u_t`, `z_0`, `v | x_<1:T>`."""
    given = parents(conditional.parents, zeros, conditional.frame)
    head = target(conditional, framed)
    return f"{head} | {given}" if given else head
