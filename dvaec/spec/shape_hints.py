"""What belongs at a place of the page, and how to mend what stands there instead."""

from __future__ import annotations

import re

from dvaec.diagnostics import did_you_mean
from dvaec.spec.schema_order import KEYWORDS
from dvaec.spec.shape_keys import node_at, of_layers
from dvaec.spec.shape_tables import BLOCKS, KEY_SYNONYMS, READING, SYNONYMS, UNNAMED_BLOCKS, WANTED
from dvaec.spec.source import Path
from dvaec.spec.yaml_tree import Entries, Items, Scalar

_NAMED = ("variables", "states", "features", "networks", "sizes")
_LISTS = ("generation", "inference", "auxiliary", "order", "cites", "layers", "through", "channels")


def wanted_here(tree: Entries, path: Path) -> str:
    """Say what belongs at a path."""
    name = next((step for step in reversed(path) if isinstance(step, str)), "")
    block = node_at(tree, (*path[:-1], "block"))
    if path and isinstance(path[-1], int):
        return _wanted_item(tree, path, name)
    if len(path) == 2 and path[0] in _NAMED:
        return f"a mapping of keys, as in {WANTED[str(path[0])].removeprefix('a mapping such as ')}"
    if path[:1] == ("states",) and name == "layers":
        return WANTED["recurrent layers"]
    if name == "rnn" and path[0] != "states":
        return "lstm, gru or rnn"
    if name == "kernel" and isinstance(block, Scalar) and block.text == "convolution":
        return WANTED["kernel"].replace("from 1", "from 2")
    if name == "block":
        known = _blocks(path)
        return f"{', '.join(known[:-1])} or {known[-1]}".removeprefix(" or ")
    return WANTED.get(name, "something else")


def _wanted_item(tree: Entries, path: Path, name: str) -> str:
    """Say what an entry of a list is."""
    if of_layers(tree, path):
        return "a layer such as 256 tanh"
    match name:
        case "channels":
            return WANTED["units"]
        case "dim":
            return WANTED["dim"].partition(",")[0]
        case "order":
            return "a latent, a list of latents or {backward: z}"
        case "generation" | "inference":
            return "a conditional such as z_t | z_<t-1>"
        case "auxiliary":
            return "a prediction such as b_t | z_t"
    return "text"


def _blocks(path: Path) -> tuple[str, ...]:
    """Return the blocks that may stand at the path of a key `block`."""
    return BLOCKS[str(path[-2]) if path[-2] in BLOCKS else str(path[0])]


def hint_for_value(tree: Entries, path: Path, expected: str) -> str | None:
    """Say how to mend a wrong value; `expected` lists the words that may stand there, in single quotes."""
    node = node_at(tree, path)
    name = next((step for step in reversed(path) if isinstance(step, str)), "")
    item = bool(path) and isinstance(path[-1], int)
    value = node.value() if isinstance(node, Scalar) else None
    if name == "learned" and not item:
        return "write true or false"
    if item and name in ("generation", "inference", "auxiliary") and isinstance(node, Entries | Items):
        return "put it in quotes"
    if name in READING and isinstance(node, Items):
        listed = ", ".join(one.text for one in node.items if isinstance(one, Scalar))
        return f'write it as one text: {name}: "{listed[:60]}"' if listed else None
    if name in ("model", "about", "cites", *READING) and isinstance(value, bool | int | float):
        return "put text in quotes"
    return _hint_for_text(path, name, item, value, expected) if isinstance(value, str) else None


def _hint_for_text(path: Path, name: str, item: bool, value: str, expected: str) -> str | None:
    if name == "block":
        if any(value in blocks for blocks in BLOCKS.values()):
            return None
        return UNNAMED_BLOCKS.get(value.lower()) or did_you_mean(value, _blocks(path))
    words = re.findall(r"'([^']*)'", expected)
    if (same := SYNONYMS.get(value.lower().replace("-", "_").replace(" ", "_"))) in words:
        return f"did you mean '{same}'?"
    if close := did_you_mean(value, words):
        return close
    if name in _LISTS and not item and value:
        quoted = f'"{value[:40]}"' if name in _LISTS[:3] else value[:40]
        return f"a list stands in brackets: {name}: [{quoted}]"
    return None


def same_key(name: str) -> str | None:
    """Return this language's key for what other libraries and papers call `name`."""
    return KEY_SYNONYMS.get(name.lower())


def hint_for_key(tree: Entries, path: Path, known: list[str]) -> str | None:
    """Say how to mend an unknown key."""
    name, parent = str(path[-1]), node_at(tree, path[:-1])
    key, colon, rest = name.partition(":")
    if colon and key in known:
        return f"a space belongs behind the colon: {key}: {rest[:40]}"
    kinds = [word.text for word, _ in parent.entries] if isinstance(parent, Entries) else []
    if name in ("block", "over", "python") and path[0] in ("features", "networks"):
        several = [f"'{kind}'" for kind in kinds if kind in ("block", "over", "python")]
        return f"a network is of one kind: {' or '.join(several)}"
    if name == "rnn" and path[0] in ("features", "networks"):
        return "a recurrence over time is a state; one over an axis of the frame names it: over: 0"
    if path[0] == "inference" and name in KEYWORDS:
        alone = f"[{name}, ...]" if len(path) > 2 else name
        return f"it is a word by itself: inference: {alone}"
    if same_key(name) in known:
        return f"did you mean '{same_key(name)}'?"
    if close := did_you_mean(name, known):
        return close
    return f"known {'is' if len(known) == 1 else 'are'} {', '.join(known)}" if known else None
