"""The minimal conditioning set of z_0, z_1 or z_T by themselves, as windows relative to that frame.

Seen from frame 0 or 1, frame 1 is at one offset and nothing stands before the first frame. What is left of
the cases of `dvaec.network.windows` is where frame T can be; that proof holds of each. Seen from frame T,
that is the frame at one offset, and what is left is where frame 1 can be.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from dvaec.network.cases import cases_beside
from dvaec.network.question import Question, Single
from dvaec.network.scenes import Case
from dvaec.network.template import Template, drawn_at, end
from dvaec.network.windows import Windows, bound_periods, solved, together
from dvaec.spec.frames import at_frames, united
from dvaec.spec.model import LAST, Parent
from dvaec.spec.offsets import NONE, NOW, Offsets, of, window


def numbered_windows(
    template: Template,
    target: str,
    frame: int,
    given: Mapping[str, Offsets | None],
    single: Single = (),
    *,
    longer: bool = False,
) -> Windows:
    """Return the minimal conditioning set of the target's frame 0 or 1, given E as windows relative to it.

    These are the cases in which frame 1 is where it is seen from there: nothing stands before it, and frame T
    is at any of the frames from there on. The windows found are relative to `frame`, in the one form that
    such a line has (`dvaec.spec.frames.at_frames`), and hold for every T, or for all `longer` than one frame;
    of E they hold no more than it has.
    """
    question = _question(template, target, given, Case(of(1 - frame), NONE))
    windows = _in_all_cases(question, LAST, 1 - frame + longer, single)
    return replace(windows, parents=tuple(_counted(template, windows, frame, given)))


def last_windows(
    template: Template,
    target: str,
    given: Mapping[str, Offsets | None],
    alone: bool = True,
    single: Single = (),
) -> Windows:
    """Return the minimal conditioning set of the target's frame T, given E as windows relative to it.

    These are the cases in which frame T is where it is seen from there, and nothing stands after it; `alone`
    says whether the target is drawn so where T = 1, too. E holds, moreover, the `single` frames. The windows
    found are relative to T, in the one form that such a line has (`dvaec.spec.frames.at_last`), and hold for
    every T.
    """
    windows = _in_all_cases(_question(template, target, given, Case(NONE, NOW)), 1, 0 if alone else 1, single)
    return replace(windows, parents=united(windows.parents, template.names, template.zero, LAST))


def _question(template: Template, target: str, given: Mapping[str, Offsets | None], case: Case) -> Question:
    """Ask for a target where one end is known by the case."""
    bound_periods(template)
    reach = max(template.lag, 1, *(end(o) for o in given.values() if o is not None))
    return Question(template, target, tuple(given.items()), case, reach)


def _in_all_cases(question: Question, frame: int, nearest: int, single: Single) -> Windows:
    """Return what holds wherever the other end is: `frame`, T or 1, at `nearest` frames or more."""
    template, plain = question.template, solved(question)
    near, asked = plain.first + question.reach, tuple(at for _, at in single)
    first, last = question.case.first, question.case.last
    cases = (
        Case(first, places) if frame == LAST else Case(places, last)
        for places in cases_beside(template, frame, nearest, near, plain.period, asked)
    )
    found = [solved(replace(question, case=case, single=single)) for case in cases]
    return together(template, question.target, found)


def _counted(
    template: Template, windows: Windows, frame: int, given: Mapping[str, Offsets | None]
) -> Iterator[Parent]:
    """Yield parents in the form of a numbered line; what is no line of its sequence is read for more of E.

    Frame T of what is drawn with the target may be that frame itself: all of E is read in its place.
    """
    absolute = {p.name for p in windows.parents if p.frame == LAST}
    late = {name for name in absolute if not drawn_at(template, name, windows.target)}
    for name in template.names:
        if name in template.static:
            yield from (p for p in windows.parents if p.name == name)
            continue
        frames = NONE
        for parent in (p for p in windows.parents if p.name == name):
            if parent.offsets is not None:
                frames |= parent.offsets.shift(frame)
            elif parent.frame != LAST:
                frames |= of(parent.frame or 0)
        if name in late:
            frames |= (given.get(name) or NONE).shift(frame)
        yield from at_frames(name, frames, template.first(name), frame) if frames else ()
        if name in absolute - late and not window(1, None) <= frames:
            yield Parent(name, None, LAST)
