"""Which keys may stand at a place of the page, by the JSON schema of its shape."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from dvaec.spec.schema import PageShape
from dvaec.spec.source import Path
from dvaec.spec.yaml_tree import Entries, Items, Node


def node_at(tree: Node, path: Sequence[str | int]) -> Node | None:
    """Return the node at a path, if there is one."""
    node: Node | None = tree
    for step in path:
        if isinstance(node, Entries) and isinstance(step, str):
            node = node.get(step)
        elif isinstance(node, Items) and isinstance(step, int) and step < len(node.items):
            node = node.items[step]
        else:
            return None
    return node


@cache
def _page_schema() -> dict[str, Any]:
    """The schema that knows which keys stand where; made only when a page has a fault."""
    return PageShape.model_json_schema()


def known_keys(path: Path, tree: Entries) -> list[str]:
    """Return the keys that may stand where `path` ends."""
    schema = _schema_of(_page_schema(), path[:-1], tree)
    return list(schema.get("properties", {}))


def _schema_of(schema: Any, path: Path, tree: Entries) -> Any:
    """Follow a path through the JSON schema; where it branches take the branch that the page took."""
    node, done = schema, list[str | int]()

    def settle(node: Any) -> Any:
        while True:
            if "$ref" in node:
                node = schema["$defs"][node["$ref"].rsplit("/", 1)[1]]
            elif options := [o for o in node.get("anyOf", node.get("oneOf", ())) if o.get("type") != "null"]:
                settled = [settle(o) for o in options]
                mappings = [o for o in settled if "properties" in o] or settled
                here = node_at(tree, done)
                node = next((o for o in mappings if _describes(o, here)), mappings[0])
            else:
                return node

    node = settle(node)
    for step in path:
        done.append(step)
        if isinstance(step, int):
            node = node.get("items", {})
        else:
            node = node.get("properties", {}).get(step, node.get("additionalProperties", {}))
        node = settle(node) if isinstance(node, dict) else {}
    return node


def _describes(option: Any, here: Node | None) -> bool:
    """Whether a branch of the schema is the one that the keys of a mapping choose."""
    keys = option.get("properties", {})
    said = [name.text for name, _ in here.entries] if isinstance(here, Entries) else []
    if any((key in keys) != (key in said) for key in ("block", "over", "python", "by")):
        return False
    named = here.get("block") if isinstance(here, Entries) else None
    return named is None or keys["block"].get("const") == getattr(named, "text", None)
