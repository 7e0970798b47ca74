"""How to mend a key or a value that does not belong where it stands."""

from __future__ import annotations

import re
from collections.abc import Collection

from dvaec.diagnostics import did_you_mean
from dvaec.spec.schema_order import KEYWORDS
from dvaec.spec.shape_forms import ROLES, hint_for_form
from dvaec.spec.shape_keys import node_at
from dvaec.spec.shape_synonyms import (
    BLOCK_SYNONYMS,
    KEY_SYNONYMS,
    OF_OTHER_PAGES,
    OF_TRAINING,
    SAID_OTHERWISE,
    SYNONYMS,
    VALUE_HINTS,
)
from dvaec.spec.shape_tables import BLOCKS, READING, blocks_at
from dvaec.spec.shape_wanted import wanted_here
from dvaec.spec.source import Path
from dvaec.spec.yaml_tree import Entries, Items, Node, Scalar

_LISTS = ("generation", "inference", "auxiliary", "order", "cites", "layers", "through", "channels")
_NUMBERS = ("units", "lag", "kernel", "stride", "heads", "T", "dim", "components", "lookahead", "dilation")
CONDITIONED = re.compile(r"[A-Za-z]\w*_[^|]*\Z")
"""What stands left of the '|' of a conditional."""
_LOOKAHEAD = re.compile(r"look[-_ ]?ahead\W*([0-9]*)\W*\Z", re.IGNORECASE)


def hint_for_value(tree: Entries, path: Path, expected: str) -> str | None:
    """Say how to mend a wrong value; `expected` lists the words that may stand there, in single quotes."""
    node = node_at(tree, path)
    name = next((step for step in reversed(path) if isinstance(step, str)), "")
    item = bool(path) and isinstance(path[-1], int)
    value = node.value() if isinstance(node, Scalar) else None
    if form := hint_for_form(path, node):
        return form
    if path[:1] == ("inference",) and (delay := _lookahead(tree, path)):
        return delay
    if path[:1] == ("order",) and not item and (order := _order(tree, node)):
        return order
    if name == "learned" and not item:
        return "write true or false"
    if item and name in ("generation", "inference", "auxiliary") and isinstance(node, Entries | Items):
        return _conditional(node)
    if name in READING and isinstance(node, Items):
        listed = ", ".join(one.text for one in node.items if isinstance(one, Scalar))
        return f'write it as one text: {name}: "{listed[:60]}"' if listed else None
    if name in ("model", "about", "cites", *READING) and isinstance(value, bool | int | float):
        return "put text in quotes"
    if isinstance(node, Scalar) and (number := _number(tree, node, path, name, item)):
        return number
    return _hint_for_text(path, name, item, node, expected) if isinstance(node, Scalar) else None


def _hint_for_text(path: Path, name: str, item: bool, node: Scalar, expected: str) -> str | None:
    value = node.text
    if name == "block":
        return _block(path, value)
    words = re.findall(r"'([^']*)'", expected)
    plain = re.sub(r"[-\s]+", "_", value.strip().lower())
    if hint := VALUE_HINTS.get((name, plain)):
        return hint
    if name == "distribution" and "(" in plain:
        plain = {"n": "normal"}.get(plain.split("(")[0], plain.split("(")[0])
    if (same := SYNONYMS.get(plain)) in words:
        return f"did you mean '{same}'?"
    if not isinstance(node.value(), str):
        return None
    if close := did_you_mean(value, words):
        return close
    if name == "python" and (dotted := re.match(r"([\w.]+)\.(\w+)\Z", value)):
        return f"a colon stands before the class: {dotted[1]}:{dotted[2]}"
    if name in _LISTS and not item and value and (name != "inference" or re.search(r"[|_]", value)):
        quoted = f'"{value[:40]}"' if name in _LISTS[:3] else value[:40]
        return f"a list stands in brackets: {name}: [{quoted}]"
    return None


def _block(path: Path, value: str) -> str | None:
    if (homes := [home for home, blocks in BLOCKS.items() if value in blocks]) and value not in blocks_at(
        path
    ):
        named = {"features": "features: {f_t: ", "networks": "networks: {p(z_t): ", "mean": "mean: "}
        where = next(named[home] for home in homes if home in named)
        return f"it stands elsewhere: {where}{{block: {value}, ...}}{'}' * where.count('{')}"
    return BLOCK_SYNONYMS.get(value.lower()) or did_you_mean(value, blocks_at(path))


def _number(tree: Entries, node: Scalar, path: Path, name: str, item: bool) -> str | None:
    """Mend a number that is written as text or with a point, or that lacks its list."""
    if not (number := re.match(r"\s*([0-9]{1,9})(\.0*)?(\s+[a-z_]+)?\s*\Z", node.text)):
        return None
    if path[0] == "states" and name == "layers":
        return "a state has one layer, unless it says of more" if not int(number[1]) else None
    if not item and name in ("layers", "through"):
        return f"write {name}: [{number[1]}{number[3] or ' tanh'}]"
    if not item and name == "channels":
        return f"write channels: [{number[1]}]"
    odd = not node.plain or number[2] or number[3] or number[1].startswith("0")
    bounds = re.search(r"from ([0-9]+) to ([0-9]+)", wanted_here(tree, path))
    meant = int(number[1])
    inside = bounds is None or int(bounds[1]) <= meant <= int(bounds[2])
    return f"write {meant}" if name in _NUMBERS and odd and meant and inside else None


def _conditional(node: Node) -> str:
    """Mend an entry of a list of conditionals that YAML read as a mapping or a list."""
    if isinstance(node, Entries) and len(node.entries) == 1:
        target, parents = node.entries[0]
        if isinstance(parents, Scalar) and "|" in parents.text:
            return f"a conditional stands alone, without a name: {parents.text[:60]}"
        if isinstance(parents, Scalar) and CONDITIONED.match(target.text):
            return f"parents stand behind '|': {target.text[:40]} | {parents.text[:40]}".rstrip(" |")
    texts = _texts(node)
    if isinstance(node, Items) and texts and len(texts) == len(node.items) and CONDITIONED.match(texts[0]):
        if len(texts) == 1:
            return f"without the brackets: {texts[0][:60]}"
        return f"parents stand behind '|': {texts[0][:40]} | {', '.join(texts[1:])[:60]}"
    return "put it in quotes"


def _lookahead(tree: Entries, path: Path) -> str | None:
    """Mend `lookahead 3`, `[lookahead, 3]` and the like."""
    whole, node = node_at(tree, ("inference",)), node_at(tree, path)
    if isinstance(whole, Items):
        texts = [one.text for one in whole.items if isinstance(one, Scalar)]
        said = " ".join(texts[:2]) if len(texts) == len(whole.items) == 2 else None
    else:
        said = node.text if isinstance(node, Scalar) else None
    return _delay(said) if said is not None else None


def _delay(text: str) -> str | None:
    if not (said := _LOOKAHEAD.match(text.strip())):
        return None
    return f"write {{lookahead: {said[1] or 3}}}, the number of frames that q sees beyond t"


def _order(tree: Entries, node: Node | None) -> str | None:
    """Mend an order that is a mapping, or the word of a direction."""
    if isinstance(node, Entries) and len(node.entries) == 1:
        word, inner = node.entries[0]
        if isinstance(inner, Scalar) and inner.text == "backward":
            return f"a list stands in brackets: order: [{{backward: {word.text[:40]}}}]"
        if not word.text.startswith(("forward", "backward")):
            return "a list stands in brackets: order: [a, z], or order: [{backward: z}]"
        named = inner.text if isinstance(inner, Scalar) else ", ".join(_texts(inner))
        named = named if isinstance(inner, Scalar) else f"[{named}]"
        if word.text.startswith("forward"):
            return f"a list stands in brackets, and forward needs no word: order: [{named[:40]}]"
        return f"a list stands in brackets: order: [{{backward: {named[:40]}}}]"
    if isinstance(node, Scalar) and (order := _order_of_words(node.text, _latents(tree))):
        return order
    if isinstance(node, Scalar) and (way := SYNONYMS.get(node.text, node.text)) in ("forward", "backward"):
        latents = ", ".join(_latents(tree)) or "z"
        several = f"[{latents}]" if "," in latents else latents
        return f"it names the latents: order: [{several if way == 'forward' else f'{{backward: {several}}}'}]"
    return None


def _order_of_words(text: str, latents: list[str]) -> str | None:
    """Mend an order that is one text, and names every latent: z_t, backward z, a z."""
    ways = [SYNONYMS.get(word, word) for word in text.replace(",", " ").split()]
    names = [word.removesuffix("_t") for word in ways if word not in ("forward", "backward")]
    if sorted(names) != sorted(latents) or {"forward", "backward"} & {*ways[1:]}:
        return None
    listed = ", ".join(names)
    several = listed if len(names) == 1 else f"[{listed}]"
    if "backward" in ways:
        several = f"{{backward: {several}}}"
    return f"a list stands in brackets: order: [{several}]"


def _texts(node: Node) -> list[str]:
    return [one.text for one in node.items if isinstance(one, Scalar)] if isinstance(node, Items) else []


def _latents(tree: Entries) -> list[str]:
    variables = tree.get("variables")
    if not isinstance(variables, Entries):
        return []
    roles = ((key.text, node_at(shape, ("role",))) for key, shape in variables.entries)
    return [name for name, role in roles if isinstance(role, Scalar) and role.text == "latent"]


def role_of(path: Path, tree: Entries, known: Collection[str]) -> str | None:
    """Return the role that an entry of `variables` is called by, where variables stand below their roles."""
    entry = node_at(tree, path[:-1])
    if path[0] != "variables" or len(path) != 3 or not isinstance(entry, Entries):
        return None
    name = str(path[1])
    means = (SYNONYMS.get(word, word) for word in (name, name.removesuffix("s")))
    role = next((word for word in means if word in ROLES), None)
    said = [key.text for key, _ in entry.entries]
    keys = any(word in known or word.lower() in KEY_SYNONYMS for word in said)
    return role if said and not keys else None


def keyword_of(word: str) -> str | None:
    """Return the keyword of `inference` that a word is, or means."""
    same = SYNONYMS.get(word.lower(), word)
    return same if same in KEYWORDS else None


def same_key(name: str, known: Collection[str], said: Collection[str]) -> str | None:
    """Return the one of the `known` keys, not `said` yet, that others call `name`."""
    return next((key for key in KEY_SYNONYMS.get(name.lower(), ()) if key in known and key not in said), None)


def hint_for_key(tree: Entries, path: Path, known: list[str]) -> str | None:
    """Say how to mend an unknown key."""
    name, parent = str(path[-1]), node_at(tree, path[:-1])
    key, colon, rest = name.partition(":")
    if colon and key in known:
        return f"a space belongs behind the colon: {key}: {rest[:40]}"
    kinds = [word.text for word, _ in parent.entries] if isinstance(parent, Entries) else []
    if name in ("block", "over", "python") and path[0] in ("features", "networks"):
        if name == "over" and (of := same_key(name, known, kinds)):
            return f"did you mean '{of}'?"
        several = [f"'{kind}'" for kind in kinds if kind in ("block", "over", "python")]
        return f"a network is of one kind: {' or '.join(several)}"
    if name == "rnn" and path[0] in ("features", "networks"):
        return "a recurrence over time is a state; one over an axis of the frame names it: over: 0"
    if path[0] == "inference" and (word := keyword_of(name)) is not None:
        name = word
        alone = f"[{name}, ...]" if len(path) > 2 else name
        return f"it is a word by itself: inference: {alone}"
    if path[0] == "inference" and isinstance(parent, Entries) and CONDITIONED.match(name):
        return _conditional(parent)
    if path[0] == "order" and name.startswith("forward"):
        return "forward needs no word: write the latent alone"
    if (role := role_of(path, tree, known)) is not None:
        return f"a variable names its role: {name}: {{role: {role}, dim: 16}}"
    if len(path) == 1 and name.lower() in OF_TRAINING:
        return "a page says what the model is; how it is trained is told to dvaec train"
    if len(path) == 1 and name.lower() in OF_OTHER_PAGES:
        return "a page stands alone; what varies of it is changed by --set or chosen among its 'sizes'"
    holder, otherwise = SAID_OTHERWISE.get(name, ("", None))
    if holder in known and not (holder == "layers" and path[0] == "states"):  # there, layers are a number
        return otherwise
    if same := same_key(name, known, kinds):
        return f"did you mean '{same}'?"
    synonym = any(key in known for key in KEY_SYNONYMS.get(name.lower(), ()))  # of keys that are said already
    if not synonym and (close := did_you_mean(name, known)):
        return close
    return f"known {'is' if len(known) == 1 else 'are'} {', '.join(known)}" if known else None
