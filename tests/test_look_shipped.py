"""Every page, shipped or strange: weighed, measured, encoded, reconstructed, drawn and continued."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from dvaec.runtime.activity import activity
from dvaec.runtime.batches import collate
from dvaec.runtime.evaluate import evaluate
from dvaec.runtime.generation import forecast, sampled
from dvaec.runtime.importance import importance
from dvaec.runtime.mode import Mode
from dvaec.runtime.passes import Sequences, encoded, original, reconstructed, refused
from tests.shipped import SHIPPED, SPECS
from tests.test_runtime_language import SMALLER, STRANGE, arrays, prepared


def finite(found: Sequences) -> None:
    for values in (*found.framed.values(), *found.static.values()):
        assert np.isfinite(values).all()
    for name, values in found.framed.items():
        assert len(values) == found.lengths.sum(), name
    for name, values in found.static.items():
        assert len(values) == len(found.lengths), name


@pytest.mark.parametrize("page", [SPECS / f"{name}.yaml" for name in SHIPPED] + STRANGE, ids=lambda p: p.stem)
def test_every_page_can_be_looked_at(page: Path, tmp_path: Path) -> None:
    overrides = SMALLER.get(page.stem, ())
    model, card, splits = prepared(page, tmp_path, arrays(page, overrides), overrides)
    model.eval()
    split, members = splits["test"], [2, 0]
    weighed = importance(model, card, split, samples=4)
    assert np.isfinite(weighed.frame.mean)
    assert 1.0 <= weighed.least <= weighed.effective <= 4.0
    measured = activity(model, card, split)
    assert [one.name for one in measured] == list(card.latent_values)
    bound = evaluate(model, card, split)
    for one in measured:
        assert one.kl or one.family == "full_gaussian"
        assert np.isfinite([*one.kl, *one.activity, *one.spread, *one.collapsed_in]).all()
        assert bool(one.activity) == (one.family != "categorical")
    if not card.latents:
        assert weighed.frame.mean == pytest.approx(bound.frame["elbo"].mean, rel=1e-5)
        assert "no latent variable" in (refused(model, "encode") or "")
    else:
        finite(encoded(model, card, split, members))
    for mode in Mode:
        finite(reconstructed(model, card, split, members, mode=mode))
    inputs = collate(split, members, torch.device("cpu"), torch.float32) if card.inputs else None
    finite(sampled(model, card, count=2, frames=3, inputs=inputs))
    _continues(model, card, split)
    finite(original(split, members))


def _continues(model: Any, card: Any, split: Any) -> None:
    if refused(model, "forecast") is not None:
        assert f"{card.name} has no forecast: " in str(refused(model, "forecast"))
        return
    longest = int(split.lengths.argmax())
    found = forecast(model, card, split, [longest], context=1)
    finite(found)
    truth = original(split, [longest])
    for name in card.observed:
        if name in found.framed:
            np.testing.assert_allclose(found.framed[name][0], truth.framed[name][0], atol=1e-5)
