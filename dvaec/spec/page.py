"""Tree -> validated page, with as much of a faulty page as is sound, so that one run finds every fault."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from dvaec.diagnostics import Span
from dvaec.spec.report import Report
from dvaec.spec.schema import PageShape
from dvaec.spec.shape_words import explain, real_path
from dvaec.spec.source import Path
from dvaec.spec.yaml_tree import Entries, Items, Node, Scalar

_NOTHING = object()  # a key without a value: no kind of value, so that no key lets it pass in silence
_ROUNDS = 4  # leaving one thing out can bring up another, such as an empty block


@dataclass(frozen=True)
class Sound:
    """The sound part of a page: faulty entries are left out of `shape` and listed by path in `faulty`."""

    shape: PageShape
    faulty: tuple[Path, ...]

    def whole(self, *path: str) -> bool:
        """Whether nothing at, above or below the path was left out."""
        return all(path[: len(one)] != one[: len(path)] for one in self.faulty)

    def has(self, *path: str) -> bool:
        """Whether nothing at or above the path was left out; there may be gaps below."""
        return all(path[: len(one)] != one for one in self.faulty)


def plain(node: Node) -> Any:
    """Turn the tree into what pydantic validates."""
    if isinstance(node, Scalar):
        value = node.value()
        return _NOTHING if value is None else value
    if isinstance(node, Items):
        return [plain(item) for item in node.items]
    return {key.text: plain(value) for key, value in node.entries}


def spans_of(tree: Entries) -> dict[Path, Span]:
    """Place every path: a key of a mapping at the key, a leaf at its value."""
    spans: dict[Path, Span] = {}

    def visit(node: Node, path: Path) -> None:
        if isinstance(node, Items):
            for index, item in enumerate(node.items):
                spans[(*path, index)] = item.span
                visit(item, (*path, index))
        elif isinstance(node, Entries):
            for key, value in node.entries:
                leaf = isinstance(value, Scalar) and (value.text or not value.plain)
                spans[(*path, key.text)] = value.span if leaf else key.span
                visit(value, (*path, key.text))

    visit(tree, ())
    return spans


def validate(tree: Entries, report: Report) -> Sound:
    """Check the shape of the page and report every fault of it; return what is sound."""
    data = plain(tree)
    faulty: list[Path] = []
    for attempt in range(_ROUNDS):
        try:
            return Sound(PageShape.model_validate(data), tuple(faulty))
        except ValidationError as error:
            for fault in error.errors(include_url=False):
                if attempt == 0:
                    explain(tree, fault, report)
                faulty.append(_leave_out(data, fault["type"], real_path(tree, fault["loc"])))
    return Sound(PageShape.model_validate(_stand_in()), tuple((key,) for key in PageShape.model_fields))


def _stand_in() -> dict[str, Any]:
    """What takes the place of required blocks that are faulty as a whole; the others can be judged."""
    variables = {"x": {"role": "observed", "dim": 1}}
    return {"dvaec": 1, "model": "Model", "variables": variables, "generation": ["x_t"]}


def _leave_out(data: dict[str, Any], kind: str, path: Path) -> Path:
    """Take the smallest part that can be missed out of the data; return its path."""
    if kind == "extra_forbidden":
        return _delete(data, path)
    top = str(path[0]) if path else "dvaec"
    entries = data.get(top)
    if top in ("variables", "states", "features", "networks") and len(path) > 1 and isinstance(entries, dict):
        entries.pop(str(path[1]), None)
        if entries or top != "variables":
            return path[:2]
    needed = _stand_in()
    if top in needed:
        data[top] = needed[top]
    else:
        data.pop(top, None)
    return (top,)


def _delete(data: Any, path: Path) -> Path:
    for step in path[:-1]:
        if not isinstance(data, dict):  # left out already with what is around it
            return path
        data = data.get(step)
    if isinstance(data, dict):
        data.pop(path[-1], None)
    return path
