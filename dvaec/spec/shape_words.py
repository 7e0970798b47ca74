"""The faults of a page's shape, which pydantic finds, in plain words and at their places."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from dvaec.diagnostics import Span, did_you_mean
from dvaec.spec.codes import Code
from dvaec.spec.report import MOST_FAULTS, Report
from dvaec.spec.shape_hints import CONDITIONED, hint_for_key, hint_for_value, keyword_of, role_of, same_key
from dvaec.spec.shape_keys import known_keys, node_at, of_layers
from dvaec.spec.shape_tables import LATER, LATER_VALUES, WANTED
from dvaec.spec.shape_wanted import wanted_here
from dvaec.spec.source import Path
from dvaec.spec.yaml_tree import Entries, Items, Node, Scalar

NOTHING = "nothing"


def explain(tree: Entries, fault: Any, report: Report) -> None:
    """Say one of pydantic's faults in words."""
    if len(report.found) >= MOST_FAULTS:
        return
    path = real_path(tree, fault["loc"])
    kind: str = fault["type"]
    context = fault.get("ctx", {})
    if kind == "extra_forbidden":
        _unknown_key(tree, path, report)
    elif kind == "missing":
        within = path[:-1]
        if _misspelt(tree, within, str(path[-1])):
            return
        name = _of_whom(within) if within else "the page"
        wanted = wanted_here(tree, path) if str(path[-1]) in WANTED else None
        hint = f"it is {wanted}" if wanted else "the first line of a page is dvaec: 1"
        report.add(Code.MISSING_KEY, f"{name} lacks the key '{path[-1]}'", _key_span(tree, within), hint)
    elif kind in ("too_long", "too_short"):
        name = _of_whom(path)
        bound = context.get("max_length", context.get("min_length"))
        message = f"{name} has at most {bound} entries" if kind == "too_long" else f"{name} is empty"
        code = Code.TOO_MANY if kind == "too_long" else Code.WRONG_VALUE
        item = bool(path) and isinstance(path[-1], int)
        mend = None if kind == "too_long" or item else f"it is {wanted_here(tree, path)}"
        report.add(code, message, _key_span(tree, path), mend)
    else:
        named = kind.startswith("union_tag") and node_at(tree, (*path, "block")) is not None
        _wrong_value(tree, (*path, "block") if named else path, context, report)


def _of_whom(path: Path) -> str:
    """Name what a path leads to, in words."""
    return f"an entry of '{path[-2]}'" if isinstance(path[-1], int) else f"'{path[-1]}'"


def _misspelt(tree: Entries, within: Path, key: str) -> bool:
    """Whether a key that is missing is there with a typing error, which is reported by itself."""
    parent = node_at(tree, within)
    if not isinstance(parent, Entries):
        return False
    if key == "lookahead" and any(
        keyword_of(name.text) or CONDITIONED.match(name.text) for name, _ in parent.entries
    ):
        return True
    if key == "backward" and any(name.text.startswith("forward") for name, _ in parent.entries):
        return True
    known = known_keys((*within, key), tree)
    if role_of((*within, key), tree, known) is not None:
        return True
    guess = f"did you mean '{key}'?"
    said = [name.text for name, _ in parent.entries]
    unknown = [name for name in said if name not in known]
    return any(
        name.startswith(f"{key}:") or same_key(name, known, said) == key or did_you_mean(name, known) == guess
        for name in unknown[:MOST_FAULTS]
    )


def real_path(tree: Entries, loc: Sequence[str | int]) -> Path:
    """Drop from pydantic's location what names a member of a union and not a key of the page."""
    tags = {1, 3} if loc[:1] == ("inference",) else set[int]()
    if loc[:1] in (("features",), ("networks",)):
        tags = {2, 4} if loc[3:4] in (("mean",), ("variance",)) else {2}
    tags |= {n + 1 for n, step in enumerate(loc) if n > 1 and step in ("dim", "dilation", "shape", "degrees")}
    if loc[:1] == ("order",):
        tags = {2, 4}
    if loc[:1] == ("states",) and loc[2:3] == ("starts",):
        tags = {3}
    path = [step for position, step in enumerate(loc) if position not in tags]
    while len(path) > 1 and node_at(tree, path[:-1]) is None:
        path.pop()
    return tuple(path)


def _key_span(tree: Entries, path: Path) -> Span:
    """Return the place of a key, or of an item."""
    if not path:
        return tree.entries[0][0].span if tree.entries else tree.span
    parent = node_at(tree, path[:-1])
    if isinstance(parent, Entries) and (key := parent.key(str(path[-1]))):
        return key.span
    node = node_at(tree, path)
    return node.span if node else tree.span


def _unknown_key(tree: Entries, path: Path, report: Report) -> None:
    """Report an unknown key; recognise what comes later and the lists that lack their quotes."""
    name, span = str(path[-1]), _key_span(tree, path)
    known = known_keys(path, tree)
    within = f" in {_of_whom(path[:-1])}" if len(path) > 1 else ""
    if hint := _lost_list(tree, path, known):
        message = f"the comma ends the value, so '{name[:40]}' became a key of its own"
        report.add(Code.UNQUOTED_LIST, message, span, hint)
        return
    if any(other.span == span and other.code == Code.YAML_BOOLEAN_WORD for other in report.found):
        return
    if name in LATER:
        report.add(Code.NOT_SUPPORTED, f"the key '{name}'{within} is not supported yet", span)
        return
    hint = hint_for_key(tree, path, known)
    report.add(Code.UNKNOWN_KEY, f"unknown key '{name[:60]}'{within}", span, hint)


def _lost_list(tree: Entries, path: Path, known: list[str]) -> str | None:
    """Return what to write where a key is the rest of a list without quotes: {reads: h_t, x_t}, key x_t."""
    parent, value, name = node_at(tree, path[:-1]), node_at(tree, path), str(path[-1])
    in_braces = isinstance(parent, Entries) and parent.in_flow
    empty = isinstance(value, Scalar) and value.plain and not value.text
    if not (in_braces and empty) or did_you_mean(name, known) is not None:
        return None
    if re.match(r"[0-9]+\s+[a-z_]+\Z", name):
        return "a list of layers stands in brackets: layers: [256 tanh, 32 tanh]"
    if re.match(r"[A-Za-z][A-Za-z0-9]*(_|$)", name):
        return 'put lists in quotes: reads: "z_<t-1>, h_t"'
    said = parent.entries if isinstance(parent, Entries) else ()
    opened = [
        key.text for key, at in said if isinstance(at, Scalar) and "(" in at.text and ")" not in at.text
    ]
    if opened and re.match(r"[0-9. ]+\)?\Z", name):
        axes = "axes stand in square brackets: dim: [1, 32, 32]"
        return (
            axes if opened[-1] == "dim" else "a distribution is a word: its parameters come from the networks"
        )
    return None


def _wrong_value(tree: Entries, path: Path, context: Any, report: Report) -> None:
    """Report a value of the wrong kind, out of its range or not among the known words."""
    node = node_at(tree, path)
    span = _place(node, _key_span(tree, path))
    name = next((step for step in reversed(path) if isinstance(step, str)), "")
    item = bool(path) and isinstance(path[-1], int)
    if path == ("dvaec",):
        found = _show(node)
        report.add(
            Code.LANGUAGE_VERSION, f"this is version 1 of the language, not {found}", span, "write dvaec: 1"
        )
        return
    value = node.value() if isinstance(node, Scalar) else None
    if value in LATER_VALUES:
        report.add(Code.NOT_SUPPORTED, f"'{value}' is not supported yet", span)
        return
    if item and of_layers(tree, path) and isinstance(node, Scalar):
        return  # the grammar of layers says what is wrong
    if any(other.span == span and other.code == Code.YAML_BOOLEAN_WORD for other in report.found):
        return
    wanted, subject = wanted_here(tree, path), f"an entry of '{name}'" if item else f"'{name}'"
    hint = hint_for_value(tree, path, str(context.get("expected", "")))
    found = _show(node)
    contrast = "and nothing is given" if found == NOTHING else f"not {found}"
    report.add(Code.WRONG_VALUE, f"{subject} must be {wanted}, {contrast}", span, hint)


def _place(node: Node | None, key: Span) -> Span:
    """A leaf is shown at its value, everything else at its key."""
    return node.span if isinstance(node, Scalar) and (node.text or not node.plain) else key


def _show(node: Node | None) -> str:
    if isinstance(node, Items):
        return "a list"
    if isinstance(node, Entries):
        return "a mapping"
    if node is None or (node.plain and not node.text):
        return NOTHING
    text = " ".join(node.text.split())
    text = text if len(text) <= 40 else text[:37] + "..."
    return text if node.plain and not isinstance(node.value(), str) else f"'{text}'"
