"""How to mend a block whose form is another: a list, a mapping or a text in place of another."""

from __future__ import annotations

import re

from dvaec.spec.conditionals import ACTIVATIONS
from dvaec.spec.shape_synonyms import SYNONYMS, VALUE_HINTS
from dvaec.spec.source import Path
from dvaec.spec.yaml_tree import Entries, Items, Node, Scalar

ROLES = ("observed", "latent", "input")
_ENTRIES = {
    "variables": "x: {role: observed, dim: 88}",
    "states": "h_t: {rnn: lstm, units: 128, reads: x_t}",
    "features": "f_t: {reads: x_t, layers: [256 tanh]}",
    "networks": "p(x_t): {reads: z_t, layers: [256 tanh]}",
    "sizes": "small: {x.dim: 96}",
}
_LINES = ("generation", "inference", "auxiliary")
_DASHES = "each conditional is a line that begins with a dash and a space: - "
_CELL = re.compile(r"\s*(lstm|gru|rnn)\W*([0-9]+)?\W*\Z", re.IGNORECASE)


def hint_for_form(path: Path, node: Node | None) -> str | None:
    """Say how to mend what stands at a path, if its form is the fault."""
    block = str(path[0]) if path else ""
    if block in _ENTRIES and len(path) == 1 and isinstance(node, Items):
        return _list_of_entries(block, node)
    if block in _ENTRIES and len(path) == 2 and isinstance(node, Scalar) and node.text:
        return _entry(block, str(path[1]), node.text)
    if block in _LINES and len(path) == 1:
        return _lines(node)
    name = next((step for step in reversed(path) if isinstance(step, str)), "")
    if name in ("layers", "through"):
        return _layers(node) or _no_layers(name, path, node)
    if block in ("features", "networks") and len(path) == 2 and isinstance(node, Items):
        layers = ", ".join(one.text for one in node.items if isinstance(one, Scalar))
        return f"its keys have names: {{reads: z_t, layers: [{layers[:60]}]}}"
    if path == ("model",) and isinstance(node, Entries):
        return "the keys of a page stand below one another, model: NAME among them"
    if block == "states" and len(path) == 3:
        return _of_state(str(path[2]), node)
    if block == "variables" and path[-1] == "dim" and isinstance(node, Scalar):
        if re.match(r"0[xob]", node.text):
            return _of_base(node.text)
        axes = re.match(r"([0-9]+)((\s*[x*,×]\s*[0-9]+)+)\Z", node.text)
        return f"write dim: [{', '.join(re.findall('[0-9]+', node.text))}]" if axes else None
    return None


def _list_of_entries(block: str, node: Items) -> str:
    """Mend a list that should be a mapping."""
    first = next(iter(node.items), None)
    if isinstance(first, Entries):
        return f"{'braces, not brackets' if node.in_flow else 'leave out the dashes'}: {_ENTRIES[block]}"
    return f"each has keys of its own: {_ENTRIES[block]}"


def _entry(block: str, name: str, text: str) -> str | None:
    """Mend an entry whose keys are missing: x: 88, z: latent, h_t: gru 64, x.dim: 5."""
    if block == "variables":
        role = SYNONYMS.get(text, text)
        if role in ROLES:
            return f"write {name}: {{role: {role}, dim: 16}}"
        return f"write {name}: {{role: observed, dim: {text}}}" if text.isdigit() else None
    if block == "states" and (cell := _CELL.match(text)):
        return f"write {name}: {{rnn: {cell[1].lower()}, units: {cell[2] or 128}, reads: x_t}}"
    if block == "sizes":
        if "." in name:
            return f"a set of sizes has a name: {{small: {{{name[:40]}: {text[:40]}}}}}"
        return f"a set names what it changes: {name[:40]}: {{x.dim: 96}}"
    if block in ("features", "networks") and "_" in text:
        return f'write {name}: {{reads: "{text[:40]}"}}'
    return None


def _of_state(key: str, node: Node | None) -> str | None:
    """Mend what a state says of its width, its direction or its start."""
    listed = [one.text for one in node.items if isinstance(one, Scalar)] if isinstance(node, Items) else []
    if key == "units" and listed and len(set(listed)) == 1:
        return f"one width serves all layers: units: {listed[0]}, layers: {len(listed)}"
    if key == "runs" and set(listed) == {"forward", "backward"}:
        return "write runs: both"
    if key == "starts" and isinstance(node, Scalar) and re.match(r"[a-z][A-Za-z0-9]?(_\S+)?\Z", node.text):
        return f"write starts: {{reads: {node.text}}}"
    return None


def _of_base(text: str) -> str | None:
    """Mend a number of another base: 0x10 is 16."""
    try:
        return f"write {int(text, 0)}"
    except ValueError:
        return None


def _layers(node: Node | None) -> str | None:
    """Mend a layer, or a list of one, that is written with keys: {units: 4, activation: tanh}."""
    said = (
        {key.text: value.text for key, value in node.entries if isinstance(value, Scalar)}
        if (isinstance(node, Entries))
        else {}
    )
    units = next((said[word] for word in ("units", "size", "dim", "width", "hidden") if word in said), None)
    activation = said.get("activation", "tanh")
    return f"a layer is written in one: {units[:9]} {activation[:20]}" if units else None


def _no_layers(name: str, path: Path, node: Node | None) -> str | None:
    """Mend a word where layers are wanted."""
    if not isinstance(node, Scalar) or isinstance(path[-1], int) or not node.text or node.text[:1].isdigit():
        return None
    if path[0] == "states" and name == "layers":
        return "of a state it is a number: layers: 2"
    if ("layers", node.text) in VALUE_HINTS:
        return None
    if node.text == "shared":
        return "what is shared is a feature that both read: f_t: {reads: z_t, layers: [256 tanh]}"
    known = node.text in ACTIVATIONS
    return f"layers have units: {name}: [256 {node.text if known else 'tanh'}]"


def _lines(node: Node | None) -> str | None:
    """Mend conditionals that are no list."""
    if isinstance(node, Entries) and node.entries:
        target, parents = node.entries[0]
        if isinstance(parents, Scalar) and "|" in parents.text:
            return f"{_DASHES}{parents.text[:60]}"
        named = [parents] if isinstance(parents, Scalar) else list(getattr(parents, "items", ()))
        listed = ", ".join(one.text for one in named if isinstance(one, Scalar))
        if re.match(r"[A-Za-z]\w*(_|\Z)", target.text):
            return f"{_DASHES}{target.text[:40]}{f' | {listed[:60]}' if listed else ''}"
    if isinstance(node, Scalar) and re.search(r"\n|;|\|.*\||\A\s*-", node.text):
        first = re.split(r"[\n;]|\s-", node.text.strip())[0].strip(" -")
        first = re.split(r"(?:,\s*|\s+)[A-Za-z]\w*_\S*\s*\|", first)[0] if first.count("|") > 1 else first
        return f"{_DASHES}{first[:60]}"
    return None
