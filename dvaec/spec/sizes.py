"""`sizes:`, named sets of sizes for one structure: `--set sizes=motion` puts one of them in the page's place.

A set is a mapping from paths, as behind `--set`, to values. It gives sizes, families and layers, never what
depends on what: the derivations are the same under every set, and tests of one are tests of all.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from dvaec.diagnostics import did_you_mean
from dvaec.spec.codes import Code
from dvaec.spec.report import Report
from dvaec.spec.yaml_tree import Entries, Node, Scalar

CHANGED_BY_SETS = (
    "dim",
    "distribution",
    "shape",
    "degrees",
    "components",
    "temperature",
    "units",
    "layers",
    "through",
    "channels",
    "variance",
    "link",
    "T",
)
"""The last words of the paths that a set may hold."""

SET_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*\Z")

Put = Callable[[Entries, list[Scalar], Node], Entries]
"""Returns the tree with one value in its place, with the faults of the path reported."""


def with_sizes(tree: Entries, chosen: Scalar, put: Put, report: Report) -> Entries:
    """Return the tree with the values of one set of sizes in it; unknown sets and paths are reported."""
    sets = tree.get("sizes")
    known = [key.text for key, _ in sets.entries] if isinstance(sets, Entries) else []
    one = sets.get(chosen.text) if isinstance(sets, Entries) else None
    if one is None:
        listed = f"there are {', '.join(known[:20])}" if known else "the page has no 'sizes'"
        hint = did_you_mean(chosen.text, known) or listed
        report.add(Code.SIZES_UNKNOWN, f"no set of sizes is called '{chosen.text[:40]}'", chosen.span, hint)
        return tree
    if not isinstance(one, Entries):  # the shape of the page is judged elsewhere
        return tree
    for key, value in one.entries:
        steps = _steps(key)
        last = steps[-1].text
        if isinstance(value, Entries):
            report.add(
                Code.SIZES, "a set of sizes gives single values and lists", key.span, _hint(key, value)
            )
        elif steps[0].text == "sizes":
            report.add(Code.SIZES, "a set of sizes changes the page, not the sets", steps[0].span)
        elif last not in CHANGED_BY_SETS:
            message = f"a set of sizes does not change '{last[:40]}': one structure has many sizes"
            hint = did_you_mean(last, CHANGED_BY_SETS) or f"it changes {', '.join(CHANGED_BY_SETS)}"
            report.add(Code.SIZES, message, steps[-1].span, hint)
        else:
            tree = put(tree, steps, value)
    return tree


def names_of_sets(tree: Entries) -> list[Scalar]:
    """Return the names of the page's sets, with their places."""
    sets = tree.get("sizes")
    return [key for key, _ in sets.entries] if isinstance(sets, Entries) else []


def is_sizes(steps: list[Scalar], value: Node) -> bool:
    """Whether an override chooses a set: sizes=motion."""
    return [step.text for step in steps] == ["sizes"] and isinstance(value, Scalar)


def _steps(key: Scalar) -> list[Scalar]:
    steps, at = [], 0
    for text in key.text.split("."):
        steps.append(Scalar(text.strip(), True, key.part(at, at + len(text))))
        at += len(text) + 1
    return steps


def _hint(key: Scalar, value: Entries) -> str | None:
    """Write the nested mapping as a path, where it is one."""
    leaf: Node = value
    names = [key.text[:40]]
    while isinstance(leaf, Entries):
        if len(leaf.entries) != 1:
            return "one path a line: x.dim: 96"
        inner, leaf = leaf.entries[0]
        names.append(inner.text[:40])
    shown = leaf.text[:40] if isinstance(leaf, Scalar) else "[...]"
    return f"write {'.'.join(names)}: {shown}"
