"""The grammar of references such as `z_<t-1>`, `x_<<=t>`, `u_{1:t-1}`, and each as a set of offsets.

    reference := NAME [ "_" ( "t" | "T" | INT | "<" body ">" | "{" body "}" ) ]
    body      := relation | point [ ":" point [ ":" INT ] ]
    relation  := ( "<" | "<=" | ">" | ">=" ) moment
    moment    := "t" [ ("+" | "-") INT ]
    point     := moment | INT | "T" [ "-" INT ]

`x_<<t>` is x_{1:t-1}. A stride counts from the end that names t, from the start if both do.
Frames before the first and after T are cut away wherever a window is used, so `0:`, `1:` and `:T` are open
ends here; `begins` remembers which of the two the page wrote, since z_<1:T> leaves out a z_0.

In the line of a numbered frame, z_1 or z_0, windows may count frames: x_<1:3>, x_<2:T>, x_<1:T:2>. In that of
z_T they count back from there: x_<T-1>, x_<T-2:T>, x_<1:T-1:2>.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from dvaec.spec import notation_hints as hints
from dvaec.spec import offsets as sets
from dvaec.spec.codes import Code
from dvaec.spec.offsets import Offsets
from dvaec.spec.tokens import LOOKALIKE, NUMBER, NotationError, short
from dvaec.spec.window_text import WindowParser


@dataclass(frozen=True)
class Reference:
    """A name with its subscript: `offsets`, one `frame` by its number ("0", "T"), or neither.

    Without either it is of the sequence. `begins` is the frame that a window is written from, if it is one;
    `counted` says that the members of `offsets` are frames, or count from T.
    """

    name: str
    offsets: Offsets | None
    frame: str | None
    start: int
    stop: int
    begins: str | None = None
    counted: bool = False

    @property
    def bare(self) -> bool:
        """Whether there is no subscript."""
        return self.offsets is None and self.frame is None


def parse_reference(text: str, start: int, stop: int, counting: str | None = None) -> Reference:
    """Parse the one reference that stands in text[start:stop]; NotationError if it is not one.

    `counting` is the number of its reader, "0", "1" or "T", if that is a numbered frame: windows may then
    count frames.
    """
    while start < stop and text[start].isspace():
        start += 1
    while stop > start and text[stop - 1].isspace():
        stop -= 1
    try:
        return _Parser(text, start, stop, counting).reference()
    except NotationError as error:
        error.hint = hints.sensible(error.hint, partial(_reads, counting=counting))
        raise


def _reads(text: str, counting: str | None) -> bool:
    """Whether a text is a reference."""
    with suppress(NotationError):
        return bool(_Parser(text, 0, len(text), counting).reference())
    return False


class _Parser(WindowParser):
    """Recursive descent over text[position:stop]."""

    def reference(self) -> Reference:
        name, start = self.take()
        self.name = name
        if not name[:1].isascii() or not name[:1].isalpha():
            found = f"not '{short(self.whole)}'" if self.whole else "but nothing stands here"
            before, behind = self.text[:start].rstrip(), self.text[self.stop :].lstrip()
            hint = hints.in_place_of_name(self.whole, name, before, behind)
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
            rest = self.text[self.position : self.stop]
            message = (
                f"'{short(rest)}' does not belong after '{short(self.text[self.first : self.position])}'"
            )
            raise self.fail(message, self.position, self.stop, hints.between(rest))
        if self.counting and frame is not None:
            self.bounded(frame, self.position - 1, self.position)
        return Reference(name, offsets, frame, self.first, self.stop, self.begins, self.counted)

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
        hint = hints.guessed(name, rest) or f"write {name}_t, or a window such as {name}_<t-1>"
        raise self.fail(message, start, self.stop, hint)

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
            plain = f"write {name}_t, or a window such as {name}_<t-1>"
            raise self.fail(f"a subscript is missing after '{name}_{opening}'", self.first, self.stop, plain)
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
