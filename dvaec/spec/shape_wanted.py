"""What belongs at a place of the page."""

from __future__ import annotations

from dvaec.spec.shape_keys import node_at, of_layers
from dvaec.spec.shape_tables import WANTED, blocks_at
from dvaec.spec.source import Path
from dvaec.spec.yaml_tree import Entries, Scalar

_NAMED = ("variables", "states", "features", "networks", "sizes")


def wanted_here(tree: Entries, path: Path) -> str:
    """Say what belongs at a path."""
    name = next((step for step in reversed(path) if isinstance(step, str)), "")
    block = node_at(tree, (*path[:-1], "block"))
    if path and isinstance(path[-1], int):
        return _wanted_item(tree, path, name)
    if len(path) == 2 and path[0] in _NAMED:
        return f"a mapping of keys, as in {WANTED[str(path[0])].removeprefix('a mapping such as ')}"
    if path[:2] == ("objective", "factors") and len(path) > 2:
        return WANTED["beta"]
    if path[:1] == ("states",) and name == "layers":
        return WANTED["recurrent layers"]
    if name == "rnn" and path[0] != "states":
        return "lstm, gru or rnn"
    if name == "kernel" and isinstance(block, Scalar) and block.text == "convolution":
        return WANTED["kernel"].replace("from 1", "from 2")
    if name == "block":
        known = blocks_at(path)
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
