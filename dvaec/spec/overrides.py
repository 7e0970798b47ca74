"""`--set x.dim=513`: values that replace or join those of the page before it is validated."""

from __future__ import annotations

from collections.abc import Sequence

from dvaec.diagnostics import Span, did_you_mean
from dvaec.spec.codes import Code
from dvaec.spec.report import Report
from dvaec.spec.schema import PageShape
from dvaec.spec.sizes import is_sizes, with_sizes
from dvaec.spec.yaml_tree import Entries, Items, Node, Scalar, parse_tree

_NAMED = ("variables", "states", "features", "networks")


def apply_overrides(
    tree: Entries, overrides: Sequence[str], texts: dict[str, str], report: Report
) -> Entries:
    """Return the tree with every override applied in turn; `texts` receives their texts for the excerpts.

    A set of sizes comes first, wherever it stands: single values change it further.
    """
    for override in sorted(overrides, key=_turn):
        file = f"--set {override}"
        texts[file] = override
        name, equals, value = override.partition("=")
        if not equals or not name.strip():
            message = "an override is written PATH=VALUE"
            report.add(Code.OVERRIDE_FORM, message, Span(file, 1, 1, len(override)), "for example x.dim=513")
            continue
        blank = " " * (len(name) + 1)  # keeps the columns of the value
        node = parse_tree(blank + value, file, report)
        if node is None:
            if not value.strip():
                message = "an override is written PATH=VALUE, and the value is missing"
                report.add(Code.OVERRIDE_FORM, message, Span(file, 1, len(name) + 1))
            continue
        steps, column = [], 1
        for step in name.split("."):
            steps.append(Scalar(step.strip(), True, Span(file, 1, column, max(1, len(step)))))
            column += len(step) + 1
        if is_sizes(steps, node):
            assert isinstance(node, Scalar)
            tree = choose_sizes(tree, node, report)
        else:
            tree = _put(tree, steps, node, report)
    return tree


def _turn(override: str) -> int:
    """Changes of a set of sizes, then the choice of one, then all else."""
    name = override.partition("=")[0].strip()
    return 0 if name.startswith("sizes.") else 1 if name == "sizes" else 2


def choose_sizes(tree: Entries, name: Scalar, report: Report) -> Entries:
    """Return the tree with the values of the set of sizes of that name in it."""
    return with_sizes(tree, name, lambda page, steps, value: _put(page, steps, value, report), report)


def _put(tree: Entries, steps: list[Scalar], value: Node, report: Report) -> Entries:
    """Return the tree with a value at a path; unchanged where there is no such path, which is reported."""
    full = _full_path(tree, steps, report)
    changed = _replace(tree, full, value, report) if full is not None else None
    return changed if isinstance(changed, Entries) else tree


def _full_path(tree: Entries, steps: list[Scalar], report: Report) -> list[Scalar] | None:
    """Find what the first step names: a key of the page, or a variable, state, feature or network."""
    first = steps[0]
    keys = list(PageShape.model_fields)
    if first.text in keys:
        return steps
    known = list(keys)
    for block in _NAMED:
        node = tree.get(block)
        if isinstance(node, Entries):
            if node.key(first.text):
                return [Scalar(block, True, first.span), *steps]
            known.extend(key.text for key, _ in node.entries)
    if first.text[:2] in ("p(", "q(") and first.text.endswith(")"):
        return [Scalar("networks", True, first.span), *steps]
    named = ", ".join(known[len(keys) :][:40])
    close = f"did you mean '{first.text}_t'?" if f"{first.text}_t" in known else None
    hint = close or did_you_mean(first.text, known)
    hint = hint or f"a path begins with a key of the page, or with one of {named}"
    report.add(Code.OVERRIDE_PATH, f"nothing on the page is called '{first.text[:60]}'", first.span, hint)
    return None


def _replace(tree: Node, steps: list[Scalar], value: Node, report: Report) -> Node | None:
    """Return the tree with `value` at the path, adding keys that are not there. None if there is no way."""
    if not steps:
        return value
    step, rest = steps[0], steps[1:]
    if isinstance(tree, Items):
        if not (step.text.isascii() and step.text.isdigit() and len(step.text) < 9):
            message = f"this is a list; '{step.text[:40]}' is no position in it"
            report.add(Code.OVERRIDE_PATH, message, step.span, "set the list as a whole: [256 tanh]")
            return None
        position = int(step.text)
        if position >= len(tree.items):
            message = f"the list has {len(tree.items)} entries, counted from 0"
            report.add(Code.OVERRIDE_PATH, message, step.span)
            return None
        inner = _replace(tree.items[position], rest, value, report)
        if inner is None:
            return None
        items = (*tree.items[:position], inner, *tree.items[position + 1 :])
        return Items(items, tree.span, tree.in_flow)
    if isinstance(tree, Scalar):  # a mapping takes the place of a single value, as in inference.lookahead=3
        tree = Entries((), step.span)
    before = tree.get(step.text)
    if before is None:
        before = Entries((), step.span) if rest else value
    inner = _replace(before, rest, value, report)
    if inner is None:
        return None
    if tree.key(step.text) is None:
        return Entries((*tree.entries, (step, inner)), tree.span, tree.in_flow)
    # What is replaced as a whole stands where the override stands.
    whole = not rest or isinstance(before, Scalar)
    mine = {step.text: (step, inner)} if whole else {}
    entries = tuple(
        mine.get(key.text, (key, inner if key.text == step.text else node)) for key, node in tree.entries
    )
    return Entries(entries, tree.span, tree.in_flow)
