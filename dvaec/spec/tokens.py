"""Walking over the characters of a reference: tokens, bounded numbers, faults with their places."""

from __future__ import annotations

import re

from dvaec.spec.codes import Code

_TOKEN = re.compile(r"[A-Za-z][A-Za-z0-9]*|[0-9]+|<=|>=|\S")
NUMBER = re.compile(r"[0-9]+\Z")
LOOKALIKE = {
    "−": "-",
    "–": "-",
    "≤": "<=",
    "≥": ">=",
    "⟨": "<",
    "⟩": ">",
    "‹": "<",
    "›": ">",
    "∶": ":",
    "：": ":",
}


class NotationError(Exception):
    """A fault in the notation at the characters `start` to `stop` of the text."""

    def __init__(self, code: Code, message: str, start: int, stop: int, hint: str | None = None) -> None:
        super().__init__(message)
        self.code, self.message, self.start, self.stop, self.hint = code, message, start, stop, hint


class Cursor:
    """A position in text[start:stop], moved on by taking tokens."""

    def __init__(self, text: str, start: int, stop: int) -> None:
        self.text, self.first, self.position, self.stop = text, start, start, stop

    @property
    def whole(self) -> str:
        """The text of the reference being read."""
        return self.text[self.first : self.stop]

    def fail(
        self, message: str, start: int, stop: int, hint: str | None = None, code: Code = Code.NOTATION
    ) -> NotationError:
        return NotationError(code, message, start, max(stop, start + 1), hint)

    def peek(self) -> tuple[str, int]:
        """Return the next token and where it starts; an empty one at the end."""
        while self.position < self.stop and self.text[self.position].isspace():
            self.position += 1
        match = _TOKEN.match(self.text, self.position, self.stop)
        return (match.group(), self.position) if match else ("", self.stop)

    def take(self) -> tuple[str, int]:
        """Consume the next token."""
        token, start = self.peek()
        self.position = start + len(token)
        return token, start

    def number(self, largest: int, what: str, code: Code) -> int:
        """Read a bounded number."""
        token, start = self.take()
        if not NUMBER.match(token):
            found = f"not '{short(token)}'" if token else "but the text ends"
            hint = "it is a number of frames, as in t-1, t+2 or t-8:t:2"
            raise self.fail(f"expected a number, {found}", start, start + max(1, len(token)), hint)
        if len(token) > 9 or int(token) > largest:
            raise self.fail(f"{what} is at most {largest}", start, self.position, None, code)
        return int(token)


def short(text: str) -> str:
    """Return the text cut to what a message can hold."""
    return text if len(text) <= 40 else text[:37] + "..."
