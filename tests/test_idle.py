"""Weights that nothing passes through are refused, and no others: against the gradients of the module."""

from __future__ import annotations

import itertools

import pytest

from dvaec.compiler import run_text
from dvaec.diagnostics import Fault
from dvaec.plan import entries
from dvaec.spec.model import Spec
from dvaec.testing import reach
from dvaec.testing.built import build
from dvaec.testing.closeness import ViolationError

PAGE = """dvaec: 1
model: M
T: {frames}
causality: noncausal
variables:
  x: {{role: observed, dim: 3}}
  z: {{role: latent, dim: 2}}
generation:
{lines}
{rest}
"""
LINES = (
    ("z_t", "x | z_<1:T>"),
    ("z_t", "z_1", "x | z_<1:T>"),
    ("z_t | z_<<t>", "z_1", "z_T | z_1", "x | z_<1:T>"),
    ("z_t | z_<1:t-1:2>", "x | z_<1:T>"),
    ("z_t | z_<t+1:T>", "x | z_1, z_<T>"),
    ("z_0", "z_t | z_<0:t-1>", "x | z_<0:T>"),
)
RESTS = (
    "",
    "inference: ['z_t | z_<<t>, x']",
    "inference: ['z_t | z_<t+1:T>, x', 'z_T | x', 'z_1 | z_2, x']",
    "states: {h_t: {rnn: gru, units: 4, reads: z_t, runs: both}}\nnetworks: {p(x): {reads: h_<T>}}",
    "states: {h_t: {rnn: lstm, units: 4, reads: z_t, lag: 2}}\nnetworks: {p(x): {reads: h_<T>}}",
    "states: {h_t: {rnn: rnn, units: 4, reads: z_t, layers: 2}}\nnetworks: {p(x): {reads: h_<T>}}",
    "networks: {p(x): {block: attention, of: z_<1:T>, units: 8, heads: 2}}",
)
PLAIN = {
    frames: [
        PAGE.format(frames=frames, lines="\n".join(f"  - {line}" for line in lines), rest=rest)
        for lines, rest in itertools.product(LINES, RESTS)
    ]
    for frames in (1, 2, 3, 4)
}


def learns(spec: Spec) -> bool:
    """Whether a gradient reaches every weight."""
    assert spec.frames is not None
    try:
        reach.every_weight_learns(build(spec), spec.frames, lambda seed: build(spec, seed=seed))
    except ViolationError:
        return False
    return True


@pytest.mark.parametrize("frames", PLAIN)
def test_what_is_refused_for_idle_weights_has_some_and_nothing_else(
    frames: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = {True: 0, False: 0}
    for page in PLAIN[frames]:
        try:
            assert learns(run_text(page, "page.yaml", until="plan").spec), page
            found[True] += 1
        except Fault as fault:
            if [one.code for one in fault.diagnostics] != ["DV306"]:
                continue
            with monkeypatch.context() as patch:
                patch.setattr(entries, "check_idle", lambda *_: None)
                assert not learns(run_text(page, "page.yaml", until="plan").spec), page
            found[False] += 1
    assert found[False] > 0
    assert frames == 1 or found[True] > 0


def test_a_state_that_is_read_where_it_starts_is_refused_in_sequences_of_any_length() -> None:
    page = """dvaec: 1
model: M
variables:
  x: {role: observed, dim: 3}
  v: {role: latent, dim: 2}
generation: [v, x_t | v]
states: {h_t: {rnn: gru, units: 4, reads: x_t, runs: both}}
networks: {q(v): {reads: AT}}
"""
    for at in ("h_1", "h_<T>"):
        with pytest.raises(Fault) as caught:
            run_text(page.replace("AT", at), "page.yaml", until="plan")
        assert [one.code for one in caught.value.diagnostics] == ["DV306"]
    both, summed = page.replace("AT", '"h_1, h_<T>"'), page.replace("AT", "h_1").replace("gru", "sum")
    assert run_text(both, "page.yaml", until="plan").plan
    assert run_text(summed, "page.yaml", until="plan").plan  # a sum has no weights of its recurrence
