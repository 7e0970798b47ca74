"""What may be meant by text that is no reference: the notations of papers, of LaTeX and of programs."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

from dvaec.spec.notation import raised
from dvaec.spec.tokens import LOOKALIKE, NUMBER

_GUESS = re.compile(r"(?:.*: )?did you mean (([A-Za-z]\w*?)_[^ ?]*( [^?(]*)?)\?\Z")
_QUOTES = "“”‘’«»„"
_SIDES = dict.fromkeys(("encoder", "inference", "recognition", "posterior", "enc", "post"), "q(z_t)")
_SIDES |= dict.fromkeys(("decoder", "generator", "emission", "likelihood", "dec", "emit"), "p(x_t)")
_SIDES |= dict.fromkeys(("prior", "transition", "dynamics"), "p(z_t)")
_UNICODE_SUBSCRIPTS = "ₜ₀₁₂₃₄₅₆₇₈₉ᴛ"
_NAMED_FRAMES = {"tm": "t-", "tp": "t+"}  # z_tm1 of programs
_FRAMES = {"prev": "t-1", "previous": "t-1", "past": "<t", "next": "t+1", "future": ">t", "all": "1:T"}
_NO_PARENT = re.compile(r"(none|null|nothing|0|-|\(\)|n\s*\(.*)\Z", re.IGNORECASE)
WITHOUT_PARENTS = "without parents leave out the '|' too"
WITHOUT_LATEX = "write it without LaTeX commands, as in z_<t-1> or z_{t-1}"


def sensible(hint: str | None, reads: Callable[[str], bool]) -> str | None:
    """Return a hint whose guess is a reference; one that is none gives way to what can be written."""
    guess = _GUESS.match(hint or "")
    if guess is None or reads(guess[1]):
        return hint
    return f"write {guess[2]}_t, or a window such as {guess[2]}_<t-1>"


def after_name(name: str, rest: str) -> str:
    """Say what may follow a name, where `rest` does."""
    if name in ("p", "q") and rest.startswith("("):
        return "write the conditional alone, without p( ): z_t | z_<t-1>, u_t"
    if name == "lookahead" and (delay := re.match(r"\s*\W?\s*([0-9]+)", rest)):
        return f"write {{lookahead: {delay[1]}}}"
    if no_parent(name + rest):
        return WITHOUT_PARENTS
    if rest[0] in _UNICODE_SUBSCRIPTS:
        plain = raised(f"{name}{rest}").replace("_<t>", "_t")
        return f"write subscripts in plain characters: {plain[:40]}"
    if rest[0] in _QUOTES or rest[0] in "$*":
        return f"leave out '{rest[0]}'"
    if rest.lstrip().startswith(("_", "<")):
        closed = rest.count("<") == rest.count(">") + rest.count("<<") + rest.count("<=")
        opened = rest.strip().removeprefix("_")
        closed = closed and opened != "<t>"
        return (
            f"did you mean {name}_{opened}?"
            if closed
            else unclosed(name, "<", opened[1:].removesuffix(">"), ">")
        )
    if rest[0] in "{[(^":
        guess = guessed(name, rest.lstrip("^"))
        return guess or f"an underscore begins the subscript, as in {name}_<t-1>"
    return between(rest)


def between(rest: str) -> str:
    """Say what is wrong with `rest`, which stands behind a reference."""
    if rest.startswith("#"):
        return "a space stands before the # of a comment"
    if rest.lstrip().startswith("#"):
        return "a comment stands outside of the quotes"
    if rest.strip() == ")":
        return "leave out the parentheses"
    return "parents are separated by commas"


def head_meant(key: str) -> str | None:
    """Say which network may be meant by a name that is neither p(...) nor q(...)."""
    if side := _SIDES.get(key.lower().removesuffix("_net").removesuffix("_network")):
        return f"a network is named by its conditional: {side}"
    if called := re.match(r"([A-Za-z]\w*)\s*\((.*)\)\s*\Z", key):
        first = _SIDES.get(called[1].lower(), called[1].lower())[0]
        meant = (f"{side}({called[2]})" for side in "pq" if first == side or first not in "pq")
        return f"did you mean {' or '.join(meant)}?"
    if short := re.match(r"([pq])_?([A-Za-z]\w*)\Z", key):
        return f"did you mean {short[1]}({short[2]}{'' if '_' in short[2] else '_t'})?"
    return f"did you mean p({key}) or q({key})?" if re.match(r"[A-Za-z]\w*\Z", key) else None


def spelled(text: str) -> str:
    """Return Greek letters by their names, as they are pronounced in code: ζ as zeta, Σ as Sigma."""
    out = []
    for letter in text:
        found = re.match(r"GREEK (SMALL|CAPITAL) LETTER ([A-Z]+)\Z", unicodedata.name(letter, ""))
        if found:
            name = found[2].replace("LAMDA", "LAMBDA").capitalize()
            out.append(name if found[1] == "CAPITAL" else name.lower())
        else:
            out.append(letter)
    return "".join(out)


def in_place_of_name(whole: str, first: str, before: str, behind: str) -> str | None:
    """Say what may be meant by text that does not begin with a name, and stands between two others."""
    if (plain := spelled(whole)) != whole:
        return f"names are of the letters a to z: {plain[:40]}"
    if first in LOOKALIKE:
        return f"write '{LOOKALIKE[first]}' for '{first}'"
    if first and first in _QUOTES:
        return "quotes are straight, ' or \", and stand around the whole text"
    if first in ("$", "*", "`"):
        return f"leave out '{first}'"
    if "\\" in whole or whole.startswith("{"):
        return WITHOUT_LATEX
    if not whole:
        return _in_place_of_nothing(before, behind)
    if first == "|":
        return "one '|' is enough"
    if hidden := next((c for c in whole if unicodedata.category(c) == "Cf"), None):
        return f"leave out the character that is not seen, {unicodedata.name(hidden, 'a sign of format')}"
    if first == "(":
        return "leave out the parentheses"
    if "*" in whole:
        return "a line names what is read; what is made of it stands under 'networks'"
    return WITHOUT_PARENTS if no_parent(whole) else None


def _in_place_of_nothing(before: str, behind: str) -> str:
    if before.endswith(",") or behind.startswith(","):
        return "leave out the comma that nothing follows"
    return "a line begins with the variable that it is of" if behind.startswith("|") else "name what is read"


def no_parent(text: str) -> bool:
    """Whether a text says that there is no parent: none, 0, N(0, 1)."""
    return _NO_PARENT.match(text.strip()) is not None


def guessed(name: str, rest: str) -> str | None:
    """Say what may be meant by `rest` as a subscript without brackets."""
    if "\\" in rest:
        return WITHOUT_LATEX
    if longer := re.match(r"([A-Za-z0-9]+)_(t|T|[0-9]+|[<{].*)\Z", rest):
        return f"names have no underscores, which begin a subscript: {name}{longer[1]}_{longer[2]}"
    if re.match(r"t\s+[A-Za-z]\w*_", rest):
        return "what is read is separated by commas"
    if "#" in rest:
        return "a space stands before the # of a comment"
    if re.search(r"[pqN]\s*\(", rest):
        return "write each conditional alone, without p( ) and products: z_t | z_<t-1>"
    if behind := re.match(r"t\s*(/|∣|｜|:=|=|given\b|depends on\b)", rest):
        return f"parents stand behind '|', not '{behind[1]}': for example {name}_t | {name}_<t-1>"
    plain = "".join(LOOKALIKE.get(c, c) for c in rest)
    if part := re.match(r"_?\[\s*(0|1|)\s*:\s*(t|)\s*\]\Z|_?\[\s*t\s*:\s*\]\Z", plain):
        whole = "1:T" if part[2] == "" else "<t"
        return f"did you mean {name}_<{'t:T' if part[2] is None else whole}>?"
    inner = plain.strip("()[]{}_ >") if plain[:1] in "([{_" or plain.endswith(">") else plain
    if (frame := _FRAMES.get(inner)) or (frame := _of_programs(inner)):
        return f"did you mean {name}_<{frame}>?"
    if inner in ("t", "T", "0", "1"):
        return f"did you mean {name}_{inner}?"
    if re.match(r"t?[-+:0-9tT]*\Z", inner) and not re.search("[tT][tT]", inner):
        return f"did you mean {name}_<{inner}>?" if inner else None
    return None


def _of_programs(inner: str) -> str | None:
    sign = _NAMED_FRAMES.get(inner[:2])
    return f"{sign}{inner[2:]}" if sign and NUMBER.match(inner[2:]) else None


def unclosed(name: str, opening: str, inner: str, closing: str) -> str:
    """Say what may be meant by a subscript whose bracket is not closed."""
    if opening == "<" and inner == "t":
        return f"did you mean {name}_<<t> (the frames before t) or {name}_t (frame t)?"
    return f"did you mean {name}_{opening}{inner}{closing}?"


def in_brackets(name: str, token: str, rest: str) -> str | None:
    """Say what may be meant where a subscript in brackets should end and goes on with `token`."""
    if token in LOOKALIKE:
        return f"write '{LOOKALIKE[token]}' for '{token}'"
    if token in (",", ";"):
        return "a window is written with a colon, as in x_<t-2:t>"
    if token == "." and rest.startswith(".."):
        return f"a window is written with a colon, as in {name}_<1:t-1>"
    if token in (">", "}"):
        return f"brackets are of one kind: {name}_<...> or {name}_{{...}}"
    return f"frames are named t, t-1, t+2, 1 or T, as in {name}_<t-1> or {name}_<1:t>"


def no_frame(name: str, token: str, whole: str, rest: str) -> str:
    """Say what may be meant by `token`, which names no frame, in the subscript of `name`."""
    if token in LOOKALIKE:
        return f"write '{LOOKALIKE[token]}' for '{token}'"
    if token in _FRAMES:
        return f"did you mean {name}_<{_FRAMES[token]}>?"
    if token in (":", ">", "}") and ":" in whole:
        return f"a window names both its ends: {name}_<1:t-1>, {name}_<t:T>"
    if distance := re.match(r"[-+][0-9]+", rest):
        return f"frames are relative to t: did you mean {name}_<t{distance[0]}>?"
    if shift := re.match(r"[a-su-zA-SU-Z](\s*[-+]\s*[0-9]+)?(?=\s*[>}])", rest):
        return f"the frame is called t: did you mean {name}_{f'<t{shift[1]}>' if shift[1] else 't'}?"
    return "frames are named t, t-1, t+2, 1 or T"
