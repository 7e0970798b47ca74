"""A run folder: card.json, weights.safetensors (the best so far), last.pt (for --resume), history.csv."""

from __future__ import annotations

from pathlib import Path

import safetensors
import safetensors.torch
from torch import Tensor, nn

from dvaec.runtime.card import Card, card_from_json, card_to_json
from dvaec.runtime.faults import StoreFault
from dvaec.runtime.files import write_bytes, write_text

CARD = "card.json"
WEIGHTS = "weights.safetensors"
LAST = "last.pt"
HISTORY = "history.csv"


def save_card(folder: Path, card: Card) -> None:
    """Write the card into a run folder."""
    write_text(folder / CARD, card_to_json(card))


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
        raise StoreFault(f"{path}: no such file", "the run has not finished its first epoch")
    try:
        with safetensors.safe_open(str(path), framework="pt") as file:
            metadata = file.metadata() or {}
            state: dict[str, Tensor] = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (safetensors.SafetensorError, OSError) as error:
        raise StoreFault(f"{path}: not a safetensors file: {error}") from error
    name, _, found = metadata.get("dvaec", "? none").partition(" ")
    check_hash(str(path), name, found, card)
    try:
        module.load_state_dict(state)
    except RuntimeError as error:
        reason = str(error).splitlines()[-1].strip()
        raise StoreFault(f"{path}: the weights do not fit {card.name}: {reason}") from error


def check_hash(where: str, name: str, found: str, card: Card) -> None:
    """Raise StoreFault unless `found` is the card's hash."""
    if found != card.hash:
        raise StoreFault(
            f"{where}: belongs to another model: {name} with hash {found[:12]}, "
            f"not {card.name} with {card.hash[:12]}",
            "the spec or its --set values changed since the run was made",
        )
