"""Weights that nothing passes through are told, and no others: against the gradients of the module."""

from __future__ import annotations

import itertools

import pytest

from dvaec.compiler import run_text
from dvaec.diagnostics import Fault
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
def test_what_is_said_to_have_idle_weights_has_some_and_nothing_else_has(
    frames: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = {True: 0, False: 0}
    for page in PLAIN[frames]:
        try:
            known = run_text(page, "page.yaml", until="plan")
        except Fault:
            continue
        assert learns(known.spec), page
        warned = any(one.code == "DV306" for one in known.notes)
        found[warned] += 1
        if warned:
            with monkeypatch.context() as patch:
                patch.setattr(reach, "idle", lambda *_: ())  # which leaves out what is idle
                assert not learns(known.spec), page
    assert found[True] > 0
    assert frames == 1 or found[False] > 0


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


STATIC = """dvaec: 1
model: M
variables: {x: {role: observed, dim: 4}, v: {role: latent, dim: 2}}
generation: [v, x_t | v]
states: {h_t: {rnn: lstm, units: 3, reads: x_t}}
features: {FEATURES}
networks: {q(v): {reads: "g_<T>, h_<T>"}}
"""
QUERY = """dvaec: 1
model: M
T: 2
causality: noncausal
variables: {x: {role: observed, dim: 4}, z: {role: latent, dim: 2}, a: {role: latent, dim: 2}}
generation: [a_t, "z_t | a_<t:T>, z_<t-1>", "x | z_<1:T>"]
networks: {p(z_t): {block: attention, of: a_<t:T>, query: z_<t-1>, units: 4}}
"""


@pytest.mark.parametrize(
    ("page", "said"),
    [
        (
            STATIC.replace("FEATURES", "g_t: {block: convolution, reads: x_<t+1:t+2>, channels: [4 tanh]}"),
            "g_t",
        ),
        (STATIC.replace("FEATURES", "f_t: {reads: x_<t+1>}, g_t: {reads: f_t, layers: [3 tanh]}"), "g_t"),
        (
            STATIC.replace("dim: 4", "dim: [4, 4]").replace(
                "FEATURES",
                "g_t: {block: image_encoder, reads: x_<t+1>, channels: [2], kernel: 2, stride: 2, units: 3}",
            ),
            "g_t",
        ),
        (QUERY, "p(z_t)"),
    ],
    ids=["convolution", "concatenation", "image", "query"],
)
def test_weights_of_zeros_alone_are_found_behind_kernels_concatenations_and_queries(
    page: str, said: str
) -> None:
    try:
        found = [one for one in run_text(page, "page.yaml", until="plan").notes if one.code == "DV306"]
    except Fault as fault:
        found = list(fault.diagnostics)
    (one,) = found
    assert (one.code, one.severity) == ("DV306", "warning" if page == QUERY else "error")
    assert f"{said} has weights of no use: it is needed at no frame that has" in one.message


def test_what_is_developed_by_default_is_not_refused() -> None:
    page = PAGE.format(frames=1, lines="  - z_t\n  - x | z_<1:T>", rest="")
    assert run_text(page, "page.yaml", until="plan").plan


def test_a_network_of_no_frame_is_told_at_its_place() -> None:
    rest = "networks: {q(z_1): {reads: x}, q(z_T): {reads: x}, q(z_t): {reads: x}}"
    page = PAGE.format(frames=2, lines="  - z_t\n  - x | z_1, z_<T>", rest=rest)
    with pytest.raises(Fault) as caught:
        run_text(page, "page.yaml", until="plan")
    assert [(one.code, one.span.line, one.span.column) for one in caught.value.diagnostics] == [
        ("DV078", 11, 52)
    ]
