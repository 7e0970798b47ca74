"""Variables at some frames, with symbolic bounds: z_{t-1}, x_{1:t-1}, x_{t:T}, z_0, z_{0:T}, v.

Bounds are expressions in t and T, or numbers. A slice whose bounds speak of t stands inside a sum over t; one
without stands alone: all frames, or the frames of a term of one frame.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

from sympy import Basic, Expr, Integer, Symbol, Tuple
from sympy.core.symbol import Str

from dvaec.derive import factors
from dvaec.spec.model import LAST, Parent, Spec
from dvaec.spec.notation import windows
from dvaec.spec.offsets import ALL, NONE, NOW, Offsets, of, window

t = Symbol("t", integer=True, positive=True)
T = Symbol("T", integer=True, positive=True)

Range: TypeAlias = tuple[Expr, Expr, Expr]  # start, stop, stride


class Slice(Basic):  # type: ignore[misc]
    """A variable at some frames: a union of ranges (start, stop, stride), both ends included.

    A negative stride counts from the stop down, a positive one from the start up. Without ranges the variable
    is of sequence level. `first` is the variable's first frame, 0 or 1; frames outside first..T are absent.
    """

    def __new__(cls, name: Str, ranges: Tuple, first: Integer) -> Slice:
        node: Slice = Basic.__new__(cls, name, ranges, first)
        return node

    @property
    def name(self) -> str:
        """The variable's name."""
        return str(self.args[0].name)

    @property
    def ranges(self) -> tuple[Range, ...]:
        """The ranges, in order."""
        return tuple(self.args[1])

    @property
    def framed(self) -> bool:
        """Whether it has frames; False for a variable of sequence level."""
        return bool(self.args[1])

    @property
    def first(self) -> int:
        """The variable's first frame."""
        return int(self.args[2])

    @property
    def frame(self) -> int | None:
        """The frame, where the slice is one numbered frame or T; None at frame t and at sequence level."""
        bounds = {bound for start, stop, _ in self.ranges for bound in (start, stop)}
        only = bounds.pop() if len(bounds) == 1 else None
        return LAST if only == T else int(only) if isinstance(only, Integer) else None

    def frames(self, length: int) -> tuple[int, ...]:
        """The frames within first..length, in increasing order; the bounds must be numbers by now."""
        found: set[int] = set()
        for start, stop, stride in self.ranges:
            low, high, step = int(start), int(stop), int(stride)
            members = range(low, high + 1, step) if step > 0 else range(high, low - 1, step)
            found.update(frame for frame in members if self.first <= frame <= length)
        return tuple(sorted(found))


def slices(spec: Spec, parents: Iterable[Parent], frame: int | None = None) -> tuple[Slice, ...]:
    """Return parents as slices, one for each name; offsets count from `frame` (LAST: T), or from t."""
    ranges: dict[str, list[Range]] = {}
    first = {v.name: v.first for v in spec.variables}  # a prediction may read a state, whose first frame is 1
    for parent in factors.united(parents):
        found = _ranges(parent, frame, first.get(parent.name, 1))
        ranges.setdefault(parent.name, []).extend(found)
    static = {v.name for v in spec.variables if not v.framed}
    return tuple(
        _slice(name, found, first.get(name, 1)) for name, found in ranges.items() if found or name in static
    )


def whole(spec: Spec, names: Iterable[str]) -> tuple[Slice, ...]:
    """Return the slices of whole variables: x_{1:T}, z_{0:T}, or v for one of sequence level."""
    return slices(spec, (Parent(name, ALL if spec.variable(name).framed else None) for name in names))


def state_slice(name: str) -> Slice:
    """Return a state at t, which is no variable: the target of an auxiliary conditional."""
    return _slice(name, _symbolic(NOW, 1), 1)


def alone(one: Slice) -> Slice | None:
    """Return what there is of a slice without t where T is 1, by the numbers of its frames."""
    if not one.framed:
        return one
    frames = one.subs(T, 1).frames(1)
    return _slice(one.name, _numbers(of(*frames)), one.first) if frames else None


def united(found: Iterable[Slice]) -> tuple[Slice, ...]:
    """Return slices with those of one name united, in order of first appearance."""
    by_name: dict[str, list[Slice]] = {}
    for one in found:
        by_name.setdefault(one.name, []).append(one)
    return tuple(some[0] if len(set(some)) == 1 else _union(some) for some in by_name.values())


def _union(some: list[Slice]) -> Slice:
    first = some[0].first
    ranges = [one for part in some for one in part.ranges]
    slides = any(t in bound.free_symbols for one in ranges for bound in one)
    if any(T in bound.free_symbols and bound != T for one in ranges for bound in one):
        return _slice(some[0].name, _before_last(ranges, first), first)
    total, apart = NONE, []
    for start, stop, stride in ranges:
        if start == T or (slides and start == stop and start.is_Integer):
            apart.append((start, stop, stride))
            continue
        origin = t if slides else Integer(0)
        low = None if slides and start == first else int(start - origin)
        high = None if stop == T else int(stop - origin)
        total = total | window(low, high, abs(int(stride)))
    found = _ranges(Parent("", total), None if slides else 0, first)
    to_the_end = window(0 if slides else 1, None) <= total  # T is then among the frames, whatever t and T are
    from_0 = first == 0 and slides and window(None, -1) <= total
    whole = total == ALL
    within = {at for at, there in ((T, to_the_end), (Integer(0), from_0)) if there}
    found += [one for one in dict.fromkeys(apart) if not whole and one[0] not in within]
    return _slice(some[0].name, found, first)


def _before_last(ranges: list[Range], first: int) -> list[Range]:
    """Unite ranges of a term of frame T: frames counted back from there, and single ones by their number."""
    total, apart = NONE, []
    for start, stop, stride in ranges:
        if T not in stop.free_symbols:
            apart.append((start, stop, stride))
            continue
        low = int(start - T) if T in start.free_symbols else None
        total = total | window(low, int(stop - T), abs(int(stride)))
    whole = window(None, 0) <= total
    from_0 = first == 0 and window(None, -1) <= total
    kept = (one for one in dict.fromkeys(apart) if not whole and not (from_0 and one[1] == 0))
    return [*_symbolic(total, first, T), *kept]


def _slice(name: str, ranges: Iterable[Range], first: int) -> Slice:
    return Slice(Str(name), Tuple(*(Tuple(*one) for one in ranges)), Integer(first))


def _ranges(parent: Parent, frame: int | None, first: int) -> list[Range]:
    if parent.frame is not None:
        at = T if parent.frame == LAST else Integer(parent.frame)
        return [(at, at, Integer(1))]
    if parent.offsets is None:
        return []
    if frame == LAST and parent.offsets != ALL:
        return _symbolic(parent.offsets & window(None, 0), first, T)
    if frame is None or parent.offsets == ALL:
        return _symbolic(parent.offsets, first)
    return _numbers(parent.offsets.shift(frame) & window(first, None))


def _symbolic(offsets: Offsets, first: int, origin: Symbol = t) -> list[Range]:
    ranges = []
    for one in windows(offsets):
        start = Integer(first) if one.start is None else origin + one.start
        stop = T if one.stop is None else origin + one.stop
        downwards = one.start is None and one.stride != 1
        ranges.append((start, stop, Integer(-one.stride if downwards else one.stride)))
    return ranges


def _numbers(frames: Offsets) -> list[Range]:
    ranges = []
    for one in windows(frames):
        assert one.start is not None  # nothing lies before the first frame
        stop = T if one.stop is None else Integer(one.stop)
        ranges.append((Integer(one.start), stop, Integer(one.stride)))
    return ranges
