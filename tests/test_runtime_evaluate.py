"""Evaluation against a direct computation, sequence by sequence, with the same draws."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from dvaec.runtime.batches import collate, in_order
from dvaec.runtime.data import Split, load_splits
from dvaec.runtime.evaluate import evaluate
from dvaec.runtime.noise import EVALUATION, draws
from tests.runtime_stand_in import CARD, arrays, small, write


@pytest.fixture
def split(tmp_path: Path) -> Split:
    return load_splits(write(tmp_path / "set.npz", arrays(sequences=20)), CARD, ["test"])["test"]


def test_both_averages_and_their_errors_equal_a_direct_computation(split: Split) -> None:
    model = small().double()
    drawn, batch = 4, 6
    result = evaluate(model, CARD, split, samples=drawn, batch=batch, seed=3)
    sums = {name: np.zeros((drawn, split.sequences)) for name in ("elbo", "log_p_x", "kl_z")}
    for draw in range(drawn):
        for members in in_order(split, batch):
            padded = collate(split, members, torch.device("cpu"), torch.float64)
            keys = [(3, EVALUATION, member, draw) for member in members]
            noise = draws(CARD.noises, keys, padded.lengths, torch.float64)["noise_z"]
            for row, member in enumerate(members):
                length = int(split.lengths[member])
                own = [tensor[row : row + 1, :length] for tensor in padded.tensors]
                parts = model.elbo(*own, noise_z=noise[row : row + 1, :length])  # type: ignore[operator]
                for name, total in sums.items():
                    total[draw, member] = float(getattr(parts, name).detach().sum())
    assert (result.samples, result.sequences, result.frames) == (drawn, 20, int(split.lengths.sum()))
    for name, total in sums.items():
        by_frame = total.sum(axis=1) / split.lengths.sum()
        by_sequence = (total / split.lengths).mean(axis=1)
        for estimate, direct in ((result.frame[name], by_frame), (result.sequence[name], by_sequence)):
            assert estimate.mean == pytest.approx(direct.mean(), rel=1e-10)
            assert estimate.error == pytest.approx(direct.std(ddof=1) / 2, rel=1e-6, abs=1e-12)


def test_the_parts_add_up(split: Split) -> None:
    result = evaluate(small(), CARD, split, samples=2)
    for average in (result.frame, result.sequence):
        whole = average["log_p_x"].mean - average["kl_z"].mean
        assert average["elbo"].mean == pytest.approx(whole, rel=1e-6)


def test_evaluation_leaves_the_random_state_and_the_mode_alone(split: Split) -> None:
    model = small().train()
    before = torch.get_rng_state()
    first = evaluate(model, CARD, split)
    assert torch.equal(before, torch.get_rng_state())
    assert model.training
    assert first.frame["elbo"].mean == evaluate(model, CARD, split).frame["elbo"].mean
    assert first.frame["elbo"].mean != evaluate(model, CARD, split, seed=1).frame["elbo"].mean
    assert np.isnan(first.frame["elbo"].error)
