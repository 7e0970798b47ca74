"""A run folder: card.json, weights.safetensors (the best so far), last.ckpt (for --resume), history.csv.

last.ckpt is a Lightning checkpoint of the last epoch's end; it is read as weights only: no code in it runs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import unified_diff
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
from torch import Tensor, nn

from dvaec.runtime.card import Card, card_from_json, card_to_json
from dvaec.runtime.faults import StoreFault
from dvaec.runtime.files import write_bytes, write_text

CARD = "card.json"
WEIGHTS = "weights.safetensors"
LAST = "last.ckpt"
HISTORY = "history.csv"


def save_card(folder: Path, card: Card, run: Mapping[str, Any] | None = None) -> None:
    """Write the card into a run folder; `run` says how its weights came about (seed, versions, metrics)."""
    write_text(folder / CARD, card_to_json(card, run))


def load_card(folder: Path) -> Card:
    """Read the card of a run folder; StoreFault if there is none."""
    path = folder / CARD
    if not path.is_file():
        raise StoreFault(
            f"{folder}: not a run folder: it holds no {CARD}", "dvaec train SPEC --data FILE -o RUN"
        )
    return card_from_json(path.read_bytes(), str(path))


def save_weights(path: Path, module: nn.Module, card: Card) -> None:
    """Write a module's parameters as safetensors, with the model's name and hash as metadata."""
    # One entry of metadata: safetensors writes several in any order, and a file should repeat to the byte.
    # Copies: cuDNN keeps an LSTM's weights as views of one buffer, and safetensors stores no shared memory.
    state = {name: value.detach().cpu().clone().contiguous() for name, value in module.state_dict().items()}
    write_bytes(path, safetensors.torch.save(state, {"dvaec": f"{card.name} {card.hash}"}))


def load_weights(path: Path, module: nn.Module, card: Card) -> None:
    """Put stored weights into a module; StoreFault if they belong to another model or do not fit."""
    if not path.is_file():
        begun = (path.parent / CARD).is_file()
        hint = "the run has not finished its first epoch" if begun else "a run folder is made by dvaec train"
        raise StoreFault(f"{path}: no such file", hint)
    try:
        with safetensors.safe_open(str(path), framework="pt") as file:
            metadata = file.metadata() or {}
            state: dict[str, Tensor] = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (safetensors.SafetensorError, OSError) as error:
        raise StoreFault(f"{path}: not a safetensors file: {error}") from error
    name, _, found = metadata.get("dvaec", "? none").partition(" ")
    check_hash(str(path), {"name": name, "hash": found} | _beside(path, found), card)
    try:
        module.load_state_dict(state)
    except RuntimeError as error:
        reason = str(error).splitlines()[-1].strip()
        raise StoreFault(f"{path}: the weights do not fit {card.name}: {reason}") from error


def _beside(path: Path, found: str) -> dict[str, Any]:
    """The page and overrides of weights, where the card beside them is theirs."""
    if not (path.parent / CARD).is_file():
        return {}
    card = load_card(path.parent)
    return {"spec": card.spec, "overrides": card.overrides} if card.hash == found else {}


def check_hash(where: str, stored: Mapping[str, Any], card: Card) -> None:
    """Raise StoreFault, with the difference, unless what is stored has the card's hash.

    `stored` has `name` and `hash`, and `spec` and `overrides` where they are known.
    """
    if stored["hash"] == card.hash:
        return
    before, after = _lines(stored), _lines({"spec": card.spec, "overrides": card.overrides})
    hint = "the spec or its --set values changed since the run was made"
    if before and sorted(before) == sorted(after):
        hint = "its lines stand in another order, and the run's weights in the former: the card has that page"
    raise StoreFault(
        f"{where}: belongs to another model: {stored['name']} with hash {stored['hash'][:12]}, "
        f"not {card.name} with {card.hash[:12]}{_difference(before, after)}",
        hint,
    )


def _lines(stored: Mapping[str, Any]) -> list[str]:
    """The lines of a page and its overrides; none where they are not known."""
    if "spec" not in stored:
        return []
    return [*stored["spec"].splitlines(), *(f"--set {one}" for one in stored["overrides"])]


def _difference(before: Sequence[str], after: Sequence[str]) -> str:
    """The lines that differ: - of what is stored, + of what is asked for."""
    if not before:
        return ""
    found = [line for line in unified_diff(before, after, n=0, lineterm="") if line[:3] not in ("---", "+++")]
    return "".join(f"\n  {line}" for line in found if not line.startswith("@@"))
