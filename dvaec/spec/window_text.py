"""What stands between the brackets of a reference: relations, points and windows, as sets of offsets."""

from __future__ import annotations

from dataclasses import dataclass

from dvaec.spec import notation_hints as hints
from dvaec.spec import offsets as sets
from dvaec.spec.codes import Code
from dvaec.spec.offsets import Offsets
from dvaec.spec.tokens import NUMBER, Cursor, NotationError, short

LARGEST_OFFSET = 1000
LARGEST_STRIDE = 100


@dataclass(frozen=True)
class Point:
    """One end of a window: an offset from t, or an absolute frame ("0", "1", "T"); T-2 is both, from T."""

    offset: int | None
    frame: str | None
    start: int
    stop: int


class WindowParser(Cursor):
    """Recursive descent over a window; `begins` is the frame that it names as its first.

    Where the reader is `counting` frames, being one by its number ("0", "1" or "T"), windows may be of frames
    by their numbers, or count back from T; one that does so has `counted`.
    """

    begins: str | None = None
    counted = False
    name = ""

    def __init__(self, text: str, start: int, stop: int, counting: str | None = None) -> None:
        super().__init__(text, start, stop)
        self.counting = counting

    def relation(self) -> Offsets:
        """Read `<t`, `<=t-1`, `>t`, `>=t+2`."""
        sign, start = self.take()
        point = self.point()
        if point.offset is None or point.frame is not None:
            message = f"a relation is with t, not with {self.text[point.start : point.stop]}"
            end = "T" if self.counting == "T" else "t"
            raise self.fail(message, start, point.stop, f"write a window such as {self.name}_<1:{end}-1>")
        if sign.startswith("<"):
            return sets.window(None, point.offset - (0 if sign == "<=" else 1))
        return sets.window(point.offset + (0 if sign == ">=" else 1), None)

    def window(self) -> tuple[Offsets | None, str | None]:
        """Read a point, or two with a colon and possibly a stride."""
        first = self.point()
        if self.peek()[0] != ":":
            self.counted = first.offset is not None and first.frame is not None
            return (None, first.frame) if first.offset is None else (sets.of(first.offset), None)
        self.take()
        last = self.point()
        stride = 1
        if self.peek()[0] == ":":
            self.take()
            stride = self.number(LARGEST_STRIDE, "a stride", Code.WINDOW_STRIDE)
            if stride == 0:
                raise self.fail(
                    "a stride is at least 1", self.position - 1, self.position, None, Code.WINDOW_STRIDE
                )
        if self.counting == "T" and last.frame == "T" and first.frame in ("0", "1", "T"):
            return self.to_last(first, last, stride), None
        if self.counting in ("0", "1") and {first.offset, last.offset} == {None} and first.frame != "T":
            return self.of_frames(first, last, stride), None
        for point, allowed in ((first, ("1", "0")), (last, ("T",))):
            if point.offset is None and point.frame not in allowed:
                raise self.absolute_end(point, allowed[0], first, last)
        self.begins = first.frame
        if first.offset is None and last.offset is None and stride > 1:
            message = "a stride counts from an end that names t, and this window has none"
            hint = f"count back from t, {self.name}_<1:t:{stride}>, or on from it, {self.name}_<t:T:{stride}>"
            raise self.fail(message, self.first, self.stop, hint, Code.WINDOW_STRIDE)
        return self.filled(sets.window(first.offset, last.offset, stride), first, last, stride), None

    def of_frames(self, first: Point, last: Point, stride: int) -> Offsets:
        """Return the frames of a window that counts them; all of them where it is 1:T or 0:T."""
        self.begins = first.frame
        ends = [
            None if one.frame in (None, "T") else self.bounded(one.frame, one.start, one.stop)
            for one in (first, last)
        ]
        if ends[0] in (0, 1) and ends[1] is None and stride == 1:
            return sets.ALL
        self.counted = True
        return self.filled(sets.window(ends[0], ends[1], stride), first, last, stride)

    def to_last(self, first: Point, last: Point, stride: int) -> Offsets:
        """Return a window of frame T's line, relative to T; a stride counts from the end that names T."""
        self.begins = first.frame if first.frame != "T" else None
        start, stop = (first.offset or 0) if first.frame == "T" else None, last.offset or 0
        if (start, stop, stride) == (None, 0, 1):
            return sets.ALL
        self.counted = True
        return self.filled(sets.window(start, stop, stride), first, last, stride)

    def bounded(self, frame: str, start: int, stop: int) -> int:
        """Return a frame by its number; refuse far ones."""
        if frame != "T" and int(frame) > LARGEST_OFFSET:
            message = f"a frame by its number is at most {LARGEST_OFFSET}"
            raise self.fail(message, start, stop, None, Code.WINDOW_BOUND)
        return -1 if frame == "T" else int(frame)

    def filled(self, offsets: Offsets, first: Point, last: Point, stride: int) -> Offsets:
        """Return a window that is not empty, nor one frame in spite of its stride."""
        if not offsets:
            swapped = f"{self.text[last.start : last.stop]}:{self.text[first.start : first.stop]}"
            raise self.fail(
                "this window is empty at every frame", first.start, last.stop, f"did you mean {swapped}?",
                Code.WINDOW_EMPTY,
            )  # fmt: skip
        begin = first.offset
        if self.counted:
            begin = (first.offset or 0) if first.frame == "T" else int(first.frame or 0)
            begin = None if self.counting == "T" and first.frame != "T" else begin
        if stride > 1 and begin is not None and offsets == sets.of(begin):
            one = self.text[first.start : first.stop]
            raise self.fail(
                f"a stride of {stride} leaves one frame of this window, {one}", first.start, self.position,
                f"write {self.name}_<{one}>", Code.WINDOW_STRIDE,
            )  # fmt: skip
        return offsets

    def absolute_end(self, point: Point, allowed: str, first: Point, last: Point) -> NotationError:
        """Refuse a window such as 2:t or t:5, or one turned around."""
        if self.counting and any(one.offset is not None and one.frame is None for one in (first, last)):
            message = "a window of a numbered frame has no frame t: it counts frames at both ends"
            ways = f"write it as {self.name}_<1:3> or {self.name}_<2:T>"
            if self.counting == "T":
                ways = f"write it as {self.name}_<1:T-1> or {self.name}_<T-2:T>"
            return self.fail(message, first.start, last.stop, ways, Code.NO_FRAME_T)
        by = "counted from T" if self.counting == "T" else "named by t"
        side = f"ends at T or at a frame {by}"
        if allowed == "1":
            numbered = self.counting in ("0", "1")
            side = f"starts at {'a frame by its number' if numbered else f'1 or at a frame {by}'}"
        message = f"a window {side}, not at {point.frame}"
        code = Code.WINDOW_EMPTY if point.frame in ("0", "1", "T") else Code.NOT_SUPPORTED
        hint = None
        if code is Code.NOT_SUPPORTED:
            message += "; other frame numbers are not supported yet"
            now = "T" if self.counting == "T" else "t"
            some = f"{self.name}_<1:{now}-1> or another from {now}"
            hint = f"write {self.name}_<1:T>, or, in a line of frame {now}, {some}"
        elif last.frame in ("0", "1", None) and (first.frame == "T" or last.frame is not None):
            swapped = f"{self.text[last.start : last.stop]}:{self.text[first.start : first.stop]}"
            hint = f"did you mean {self.name}_<{swapped}>?"
        return self.fail(message, point.start, point.stop, hint, code)

    def point(self) -> Point:
        """Read t, t-2, t+1, a frame number or T."""
        token, start = self.take()
        if NUMBER.match(token):
            if len(token) > 9:
                raise self.fail(
                    "this frame number is too large", start, self.position, None, Code.WINDOW_BOUND
                )
            return Point(None, str(int(token)), start, self.position)
        if token not in ("t", "T"):
            hint = hints.no_frame(self.name, token, self.whole, self.text[start : self.stop])
            found = f"not '{short(token)}'" if token else "but the text ends"
            message = f"expected t, T or a number, {found}"
            raise self.fail(message, start, start + max(1, len(token)), hint)
        sign, at = self.peek()
        if sign not in ("+", "-"):
            if sign in ("−", "–"):
                raise self.fail(f"'{sign}' is not a minus sign here", at, at + 1, "write '-'")
            return (
                Point(0, None, start, self.position)
                if token == "t"
                else Point(None, "T", start, self.position)
            )
        self.take()
        size = self.number(LARGEST_OFFSET, "an offset", Code.WINDOW_BOUND)
        if token == "T":
            return self.from_last(sign, size, start)
        return Point(size if sign == "+" else -size, None, start, self.position)

    def from_last(self, sign: str, size: int, start: int) -> Point:
        """Return the frame T-2; only what is of frame T knows how far it is from there."""
        if sign == "+" and size:
            message, code = f"there is no frame T+{size}: T is the last", Code.WINDOW_BOUND
            hint = f"write {self.name}_T, or a frame before it, {self.name}_<T-{size}>"
            raise self.fail(message, start, self.position, hint, code)
        if self.counting != "T":
            message = f"frames are counted from T ('T{sign}{size}') in lines and networks of frame T alone"
            hint = f"the last frame is {self.name}_<T>, and a window ends there: {self.name}_<t:T>"
            if self.counting:
                hint = (
                    f"a line of frame {self.counting} counts from the first: {self.name}_3, {self.name}_<2:T>"
                )
            raise self.fail(message, start, self.position, hint, Code.NOT_SUPPORTED)
        return Point(-size, "T", start, self.position)
