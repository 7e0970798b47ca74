"""The grammar of references such as `z_<t-1>`, `x_<<=t>`, `u_{1:t-1}`, and each as a set of offsets.

    reference := NAME [ "_" ( "t" | "T" | INT | "<" body ">" | "{" body "}" ) ]
    body      := relation | point [ ":" point [ ":" INT ] ]
    relation  := ( "<" | "<=" | ">" | ">=" ) moment
    moment    := "t" [ ("+" | "-") INT ]
    point     := moment | INT | "T"

`x_<<t>` is x_{1:t-1}. A stride counts from the end that names t, from the start if both do.
Frames before the first and after T are cut away wherever a window is used, so `0:`, `1:` and `:T` are open
ends here; `begins` remembers which of the two the page wrote, since z_<1:T> leaves out a z_0.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass

from dvaec.spec import notation_hints as hints
from dvaec.spec import offsets as sets
from dvaec.spec.codes import Code
from dvaec.spec.offsets import Offsets
from dvaec.spec.tokens import LOOKALIKE, NUMBER, Cursor, NotationError, short

LARGEST_OFFSET = 1000
LARGEST_STRIDE = 100


@dataclass(frozen=True)
class Reference:
    """A name with its subscript: `offsets`, one `frame` by its number ("0", "T"), or neither.

    Without either it is of the sequence. `begins` is "0" or "1" for a window written from that frame on.
    """

    name: str
    offsets: Offsets | None
    frame: str | None
    start: int
    stop: int
    begins: str | None = None

    @property
    def bare(self) -> bool:
        """Whether there is no subscript."""
        return self.offsets is None and self.frame is None


@dataclass(frozen=True)
class _Point:
    """One end of a window: an offset from t, or an absolute frame ("0", "1", "T")."""

    offset: int | None
    frame: str | None
    start: int
    stop: int


def parse_reference(text: str, start: int, stop: int) -> Reference:
    """Parse the one reference that stands in text[start:stop]; NotationError if it is not one."""
    while start < stop and text[start].isspace():
        start += 1
    while stop > start and text[stop - 1].isspace():
        stop -= 1
    try:
        return _Parser(text, start, stop).reference()
    except NotationError as error:
        error.hint = hints.sensible(error.hint, _reads)
        raise


def _reads(text: str) -> bool:
    """Whether a text is a reference."""
    with suppress(NotationError):
        return bool(_Parser(text, 0, len(text)).reference())
    return False


class _Parser(Cursor):
    """Recursive descent over text[position:stop]; `begins` is the frame that a window names as its first."""

    begins: str | None = None
    name = ""

    def reference(self) -> Reference:
        name, start = self.take()
        self.name = name
        if not name[:1].isascii() or not name[:1].isalpha():
            found = f"not '{short(self.whole)}'" if self.whole else "but nothing stands here"
            hint = hints.in_place_of_name(self.whole, name)
            raise self.fail(f"expected a variable such as z_t or z_<t-1>, {found}", start, self.stop, hint)
        if self.position == self.stop:
            return Reference(name, None, None, self.first, self.stop)
        if self.text[self.position] != "_":
            rest = self.text[self.position : self.stop]
            message = f"'{short(rest)}' does not belong after '{name}'"
            raise self.fail(message, self.position, self.stop, hints.after_name(name, rest))
        self.position += 1
        opening = self.text[self.position : self.position + 1]
        if opening in ("<", "{"):
            offsets, frame = self.bracketed(name, opening)
        else:
            offsets, frame = self.bare(name)
        if self.position < self.stop:
            raise self.fail(
                f"'{short(self.text[self.position : self.stop])}' does not belong after "
                f"'{short(self.text[self.first : self.position])}'",
                self.position,
                self.stop,
                "parents are separated by commas",
            )
        return Reference(name, offsets, frame, self.first, self.stop, self.begins)

    def bare(self, name: str) -> tuple[Offsets | None, str | None]:
        """Read a subscript without brackets: t, T or a frame number."""
        token, start = self.peek()
        rest = self.text[start : self.stop]
        if token == "t" and start + 1 == self.stop:
            self.take()
            return sets.NOW, None
        if (
            (token == "T" or NUMBER.match(token))
            and start + len(token) == self.stop
            and start == self.position
        ):
            self.take()
            if len(token) > 9:
                raise self.fail("this frame number is too large", start, self.stop, None, Code.WINDOW_BOUND)
            return None, token if token == "T" else str(int(token))
        if not rest:
            raise self.fail(
                f"a subscript is missing after '{name}_'", self.first, self.stop, f"write {name}_t"
            )
        if relation := re.match(r"(<=|>=|>|≤|≥|<)\s*(t[^<>]*?)\s*>?\Z", rest):
            sign = LOOKALIKE.get(relation.group(1), relation.group(1))
            raise self.relation_hint(name, sign, relation.group(2))
        message = f"'{short(rest)}' is no subscript; it is t, or stands between < and >"
        raise self.fail(message, start, self.stop, hints.guessed(name, rest))

    def relation_hint(self, name: str, sign: str, moment: str) -> NotationError:
        """Answer `x_<=t>` and its like."""
        message = f"a relation stands between < and >: '{short(self.whole)}' has one bracket too few"
        hint = f"did you mean {name}_<{sign}{moment.strip()}>?"
        return self.fail(message, self.first, self.stop, hint, Code.NOTATION_RELATION)

    def bracketed(self, name: str, opening: str) -> tuple[Offsets | None, str | None]:
        """Read `<` body `>` or `{` body `}`."""
        closing = {"<": ">", "{": "}"}[opening]
        opened = self.position
        self.position += 1
        token, start = self.peek()
        if token == "=" and opening == "<":  # x_<=t>
            raise self.relation_hint(name, "<=", self.text[start + 1 : self.stop].rstrip(">"))
        if not token or self.text[start : self.stop].strip() == closing:
            raise self.fail(f"a subscript is missing after '{name}_{opening}'", self.first, self.stop)
        relation = token in ("<", "<=", ">", ">=")
        subscript = (self.relation(), None) if relation else self.window()
        token, start = self.take()
        if token == closing:
            return subscript
        if not token:
            guess = hints.unclosed(name, opening, self.text[opened + 1 : self.stop].strip(), closing)
            raise self.fail(f"'{opening}' is not closed", opened, opened + 1, guess, Code.NOTATION_UNCLOSED)
        hint = hints.in_brackets(name, token, self.text[start : self.stop])
        raise self.fail(f"expected '{closing}', not '{token}'", start, start + len(token), hint)

    def relation(self) -> Offsets:
        """Read `<t`, `<=t-1`, `>t`, `>=t+2`."""
        sign, start = self.take()
        point = self.point()
        if point.offset is None:
            message = f"a relation is with t, not with {point.frame}"
            raise self.fail(message, start, point.stop, f"write a window such as {self.name}_<1:t-1>")
        if sign.startswith("<"):
            return sets.window(None, point.offset - (0 if sign == "<=" else 1))
        return sets.window(point.offset + (0 if sign == ">=" else 1), None)

    def window(self) -> tuple[Offsets | None, str | None]:
        """Read a point, or two with a colon and possibly a stride."""
        first = self.point()
        if self.peek()[0] != ":":
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
        for point, allowed in ((first, ("1", "0")), (last, ("T",))):
            if point.offset is None and point.frame not in allowed:
                raise self.absolute_end(point, allowed[0], first, last)
        self.begins = first.frame
        if first.offset is None and last.offset is None and stride > 1:
            message = "a stride counts from an end that names t, and this window has none"
            hint = f"count back from t, {self.name}_<1:t:{stride}>, or on from it, {self.name}_<t:T:{stride}>"
            raise self.fail(message, self.first, self.stop, hint, Code.WINDOW_STRIDE)
        offsets = sets.window(first.offset, last.offset, stride)
        if not offsets:
            swapped = f"{self.text[last.start : last.stop]}:{self.text[first.start : first.stop]}"
            raise self.fail(
                "this window is empty at every frame", first.start, last.stop, f"did you mean {swapped}?",
                Code.WINDOW_EMPTY,
            )  # fmt: skip
        if stride > 1 and first.offset is not None and offsets == sets.of(first.offset):
            one = self.text[first.start : first.stop]
            raise self.fail(
                f"a stride of {stride} leaves one frame of this window, {one}", first.start, self.position,
                f"write {self.name}_<{one}>", Code.WINDOW_STRIDE,
            )  # fmt: skip
        return offsets, None

    def absolute_end(self, point: _Point, allowed: str, first: _Point, last: _Point) -> NotationError:
        """Refuse a window such as 2:t or t:5, or one turned around."""
        side = (
            "starts at 1 or at a frame named by t" if allowed == "1" else "ends at T or at a frame named by t"
        )
        message = f"a window {side}, not at {point.frame}"
        code = Code.WINDOW_EMPTY if point.frame in ("0", "1", "T") else Code.NOT_SUPPORTED
        hint = None
        if code is Code.NOT_SUPPORTED:
            message += "; other frame numbers are not supported yet"
        elif last.frame in ("0", "1", None) and (first.frame == "T" or last.frame is not None):
            swapped = f"{self.text[last.start : last.stop]}:{self.text[first.start : first.stop]}"
            hint = f"did you mean {self.name}_<{swapped}>?"
        return self.fail(message, point.start, point.stop, hint, code)

    def point(self) -> _Point:
        """Read t, t-2, t+1, a frame number or T."""
        token, start = self.take()
        if NUMBER.match(token):
            if len(token) > 9:
                raise self.fail(
                    "this frame number is too large", start, self.position, None, Code.WINDOW_BOUND
                )
            return _Point(None, str(int(token)), start, self.position)
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
                _Point(0, None, start, self.position)
                if token == "t"
                else _Point(None, "T", start, self.position)
            )
        self.take()
        size = self.number(LARGEST_OFFSET, "an offset", Code.WINDOW_BOUND)
        if token == "T":
            message = f"frames counted from T ('T{sign}{size}') are not supported yet"
            raise self.fail(message, start, self.position, None, Code.NOT_SUPPORTED)
        return _Point(size if sign == "+" else -size, None, start, self.position)
