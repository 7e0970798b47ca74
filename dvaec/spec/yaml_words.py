"""What YAML's parser says of a text that is no YAML, in plain words, at the place that is to be mended."""

from __future__ import annotations

import re

import yaml

from dvaec.diagnostics import Span

_COLON = "is the colon of an earlier key missing? text that holds ': ' stands in quotes"
_BLOCKS = ("<block mapping start>", "<block sequence start>", "-", "?")


def syntax_words(error: yaml.MarkedYAMLError, text: str, file: str) -> tuple[str, Span, str | None]:
    """Return the message, the place and a hint."""
    mark, context = error.problem_mark, error.context_mark
    problem = error.problem or error.context or "it does not parse"
    hint = None
    if "could not find expected ':'" in problem and context is not None:
        problem, mark, hint = "the colon behind a key is missing", context, "write key: value, or key: alone"
    elif "mapping values are not allowed" in problem:
        problem = "a colon stands where none can"
        hint = _in_braces(text, mark) or _COLON
    elif "expected <block end>" in problem and any(f"'{block}'" in problem for block in _BLOCKS):
        problem = "the indentation of this line fits none of the lines above"
        hint = "all entries of one block begin in the same column"
    elif context is not None and error.context in _OPEN and ("expected ',' or" in problem):
        problem = f"a comma or a closing bracket is missing; the bracket opens in line {context.line + 1}"
    elif "unexpected end of stream" in problem and context is not None:
        problem, mark, hint = "a quote is opened and never closed", context, None
    elif (closing := re.match(r"expected <block end>, but found '([]}])'", problem)) is not None:
        problem = f"'{closing[1]}' closes a bracket that none opens"
        hint = f"leave out '{closing[1]}', or put the text that holds it in quotes"
    elif problem == "expected <block end>, but found ':'":
        problem, hint = "a key is missing before the colon", "write key: value"
    elif "unknown escape character" in problem:
        hint = r"a backslash between double quotes is written twice, \\; between single ones it is itself"
    elif (sign := re.match(r"found character '([%@])'", problem)) is not None:
        hint = f"text that begins with '{sign[1]}' stands in quotes"
    place = mark or context
    span = Span(file, place.line + 1, place.column + 1) if place else Span(file, 1, 1)
    return f"not valid YAML: {problem}", span, _own_hint(text, span) or hint


_OPEN = ("while parsing a flow mapping", "while parsing a flow sequence")


def _in_braces(text: str, mark: yaml.Mark | None) -> str | None:
    """Mend a mapping that stands on the line of its key: lookahead: 3 behind inference:."""
    lines = text.splitlines()
    line = lines[mark.line] if mark is not None and mark.line < len(lines) else ""
    found = re.match(r"\s*([\w()]+): +(\w+: *[^:{}#]+?(, *\w+: *[^:{}#]+?)*)\s*(#.*)?\Z", line)
    if found and found[1] in ("about", "model", "cites"):
        return f'text that holds a colon stands in quotes: {found[1]}: "{found[2]}"'
    return f"a mapping on one line stands in braces: {found[1]}: {{{found[2]}}}" if found else None


def _own_hint(text: str, span: Span) -> str | None:
    lines = text.splitlines()
    line = lines[span.line - 1] if span.line <= len(lines) else ""
    if line.lstrip().startswith(("//", "%", "/*", "--")):
        return "a comment begins with #"
    if line.lstrip().startswith("* "):
        return f"the entries of a list begin with a dash: - {line.strip(' *')[:60]}"
    if re.match(r"\s*\[\w+\]\s*\Z", lines[0] if lines else ""):
        return "a page begins with the lines dvaec: 1 and model: NAME"
    if "\N{NO-BREAK SPACE}" in line:
        return "a no-break space stands in this line, which looks like a space and is none"
    if "`" in line:
        return "text is quoted by ' or \", conditionals by nothing"
    if "_{" in line:
        return "inside [ ] or { } write x_<t-1> with angle brackets, or put the text in quotes"
    if "\t" in line[: span.column]:
        return "YAML does not indent with tabs; use spaces"
    return None
