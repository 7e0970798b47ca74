"""Training and evaluation of pages of the whole language, on small random data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from dvaec.compiler import compile_spec
from dvaec.runtime.card import Card, card_from_json, card_to_json
from dvaec.runtime.data import load_splits
from dvaec.runtime.evaluate import evaluate
from dvaec.runtime.source import load_class
from dvaec.runtime.train import Options, train
from tests.shipped import ROOT

PAGES = ("draw", "dsae_full", "dssm", "fhvae", "rssm", "slds", "vrae", "vrnn_goyal")


def arrays(card: Card, seed: int = 0) -> dict[str, Any]:
    """Draw a data set of three splits with sequences of 2 to 4 frames."""
    rng = np.random.default_rng(seed)
    found: dict[str, Any] = {}
    for split in ("train", "valid", "test"):
        lengths = np.array([4, 2, 3])
        if any(name not in card.static for name in card.dims):
            found[f"{split}_lengths"] = lengths
        for name, dim in card.dims.items():
            rows = 3 if name in card.static else int(lengths.sum())
            family = card.families.get(name)
            values = rng.normal(size=(rows, dim)).astype(np.float32)
            if family == "bernoulli":
                values = (values > 0).astype(np.float32)
            if family == "categorical":
                values = np.eye(dim, dtype=np.float32)[rng.integers(0, dim, rows)]
            found[f"{split}_{name}"] = values
    return found


@pytest.mark.parametrize("name", PAGES)
def test_pages_of_the_whole_language_train_and_evaluate(name: str, tmp_path: Path) -> None:
    torch.set_num_threads(1)
    compiled = compile_spec(ROOT / "specs" / f"{name}.yaml")
    card = Card(**compiled.card)
    assert card_from_json(card_to_json(card), "card") == card
    np.savez(tmp_path / "data.npz", **arrays(card))
    splits = load_splits(str(tmp_path / "data.npz"), card, ("train", "valid", "test"))
    model = load_class(compiled.source, compiled.class_name)()
    outcome = train(
        model, card, splits["train"], splits["valid"], tmp_path / "run", Options(epochs=1, batch=3)
    )
    assert outcome.epochs == 1
    found = evaluate(model, card, splits["test"], samples=2)
    parts = [found.frame[part].mean * (1 if part.startswith("log_p_") else -1) for part in card.terms]
    assert np.isclose(found.frame["elbo"].mean, sum(parts))
