"""Which keys may stand at a place of the page, by the JSON schema of its shape."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from dvaec.spec.schema import PageShape
from dvaec.spec.source import Path
from dvaec.spec.yaml_tree import Entries, Items, Node, Scalar


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


def of_layers(tree: Node, path: Path) -> bool:
    """Whether a path leads to a list of layers, or to an item of one; the channels of images are numbers."""
    name = next((step for step in reversed(path) if isinstance(step, str)), "")
    if name != "channels":
        return name in ("layers", "through")
    block = node_at(tree, (*path[: path.index("channels")], "block"))
    return isinstance(block, Scalar) and block.text == "convolution"


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
                here = node_at(tree, done)
                wanted = "items" if isinstance(here, Items) else "properties"
                mappings = [o for o in settled if wanted in o] or settled
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
    # As `block_tag` chooses: a mapping with several of these keys is what the first of them makes it.
    chosen = next((key for key in ("by", "block", "over", "python") if key in said), None)
    if any((key in keys) != (key == chosen) for key in ("block", "over", "python", "by")):
        return False
    named = here.get("block") if isinstance(here, Entries) else None
    return named is None or keys["block"].get("const") == getattr(named, "text", None)
