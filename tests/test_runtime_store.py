"""Weights and cards: what is written is read back, and what belongs to another model is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import safetensors.torch
import torch
from torch import nn

from dvaec.runtime.card import card_from_json, card_to_json
from dvaec.runtime.devices import build, prepare
from dvaec.runtime.faults import LabFault, StoreFault
from dvaec.runtime.source import load_class
from dvaec.runtime.store import load_card, load_weights, save_card, save_weights
from tests.runtime_stand_in import CARD, SOURCE, small


def test_a_card_survives_json() -> None:
    card = replace(CARD, inputs={"u": 1, "c": 3}, static_inputs=("c",), observed={"y": 1, "x": 2})
    again = card_from_json(card_to_json(card), "here")
    assert again == card
    assert list(again.dims) == ["y", "x", "u", "c"]
    assert CARD.terms == ("log_p_x", "kl_z")


def test_a_damaged_card_is_a_clear_fault(tmp_path: Path) -> None:
    with pytest.raises(StoreFault, match="not a run folder"):
        load_card(tmp_path)
    save_card(tmp_path, CARD)
    assert load_card(tmp_path) == CARD
    for content, message in (
        (b"{", "not JSON"),
        (b"\xff", "not JSON"),
        (b"[1]", "not a model's card"),
        (b'{"name": "x"}', "lacks spec"),
    ):
        (tmp_path / "card.json").write_bytes(content)
        with pytest.raises(StoreFault, match=message):
            load_card(tmp_path)


def test_weights_survive_and_carry_the_hash(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    model, other = small(), small(seed=1)
    save_weights(path, model, CARD)
    load_weights(path, other, CARD)
    for name, value in model.state_dict().items():
        assert torch.equal(value, other.state_dict()[name])
    with safetensors.safe_open(str(path), framework="pt") as file:
        assert file.metadata() == {"dvaec": f"Small {CARD.hash}"}


def test_weights_of_another_model_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    with pytest.raises(StoreFault, match="no such file"):
        load_weights(path, small(), CARD)
    save_weights(path, small(), CARD)
    with pytest.raises(StoreFault, match="belongs to another model: Small with hash 0123456789ab, not Small"):
        load_weights(path, small(), replace(CARD, hash="ffff"))
    with pytest.raises(StoreFault, match="the weights do not fit Small"):
        load_weights(path, nn.Linear(2, 2), CARD)
    safetensors.torch.save_file({"a": torch.zeros(1)}, str(path))
    with pytest.raises(StoreFault, match="hash none"):
        load_weights(path, small(), CARD)
    path.write_bytes(b"nonsense")
    with pytest.raises(StoreFault, match="not a safetensors file"):
        load_weights(path, small(), CARD)


def test_a_page_in_another_order_is_said_to_be_that(tmp_path: Path) -> None:
    first, second = replace(CARD, spec="a\nb\nc"), replace(CARD, spec="a\nc\nb", hash="ffff")
    save_card(tmp_path, first)
    save_weights(tmp_path / "weights.safetensors", small(), first)
    with pytest.raises(StoreFault) as found:
        load_weights(tmp_path / "weights.safetensors", small(), second)
    assert "its lines stand in another order" in str(found.value.hint)
    with pytest.raises(StoreFault) as found:
        load_weights(tmp_path / "weights.safetensors", small(), replace(second, spec="a\nb\nd"))
    assert "changed since the run was made" in str(found.value.hint)
    assert found.value.message.endswith("\n  -c\n  +d")


def test_a_card_whose_variables_are_no_mapping_is_none(tmp_path: Path) -> None:
    save_card(tmp_path, CARD)
    path = tmp_path / "card.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "observed": 3}))
    with pytest.raises(StoreFault, match="'observed' is no mapping by variable"):
        load_card(tmp_path)


def test_tied_parameters_are_stored(tmp_path: Path) -> None:
    first = nn.Linear(2, 2)
    tied = nn.Sequential(first, first)
    save_weights(tmp_path / "w", tied, CARD)
    fresh = nn.Linear(2, 2)
    load_weights(tmp_path / "w", nn.Sequential(fresh, fresh), CARD)
    assert torch.equal(fresh.weight, first.weight)


def test_fresh_weights_depend_on_the_seed_alone() -> None:
    model_class = load_class(SOURCE, "Small")
    cpu = prepare("cpu", 1)
    first, again, other = build(model_class, 4, cpu), build(model_class, 4, cpu), build(model_class, 5, cpu)
    weights = [next(model.parameters()) for model in (first, again, other)]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_devices_that_are_not_there() -> None:
    with pytest.raises(LabFault, match="no such device"):
        prepare("gpu", 1)
    with pytest.raises(LabFault, match="at least 1"):
        prepare("cpu", 0)
