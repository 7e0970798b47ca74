"""Known posteriors: the review's results for four models, and the traps that gave wrong answers elsewhere."""

from __future__ import annotations

import pytest

from dvaec.derive.derivation import derive
from dvaec.derive.horizon import posterior_at
from dvaec.derive.posterior import exact_posterior
from dvaec.emit.words import proof_words
from dvaec.network.template import evidence, template_of
from dvaec.network.unrolled import TooLargeError
from dvaec.network.windows import NoFixpointError, stationary_windows
from dvaec.spec import notation
from dvaec.spec.model import Inference, InferenceKind, Role, Spec, Variable
from dvaec.spec.offsets import NOW, of, window
from tests.models import BEFORE, DKF, PREVIOUS, SRNN, STORN, UP_TO, VRNN, U, X, Z, line, own, page

DRIVEN = (X, Z, U)
A = Variable("a", Role.LATENT, 2)
C = Variable("c", Role.INPUT, 2, framed=False)


def exact(spec: Spec) -> list[str]:
    """Return the exact posterior's factors as lines of the language."""
    return [notation.line(factor.conditional) for factor in exact_posterior(spec).factors]


def declared(spec: Spec) -> list[str]:
    """Return q as lines of the language."""
    return [notation.line(q) for q in derive(spec).inference]


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        (DKF, "z_t | x_<t:T>, z_<t-1>, u_<t:T>"),  # (5.2)
        (STORN, "z_t | x_<1:T>, z_<<t>"),  # (7.18)
        (VRNN, "z_t | x_<1:T>, z_<<t>"),  # (8.13)
        (SRNN, "z_t | x_<1:T>, z_<t-1>"),  # (9.13)
    ],
    ids=lambda value: value.name if isinstance(value, Spec) else "",
)
def test_the_review_s_posteriors(spec: Spec, expected: str) -> None:
    assert exact(spec) == [expected]


@pytest.mark.parametrize(
    ("spec", "golden", "silver"),
    [
        (DKF, "", ""),
        (STORN, "x_<t+1:T>, z_<<t>", ""),  # Figure 7.2
        (VRNN, "x_<t+1:T>", ""),  # Figure 8.2
        (SRNN, "", ""),  # Figure 9.2
    ],
    ids=lambda value: value.name if isinstance(value, Spec) else "",
)
def test_golden_and_silver(spec: Spec, golden: str, silver: str) -> None:
    (comparison,) = derive(spec).comparisons
    assert notation.parents(comparison.golden) == golden
    assert notation.parents(comparison.silver) == silver


def test_silver_arrows_of_a_q_that_reads_too_much() -> None:
    spec = page(*DKF.generation, variables=DRIVEN, inference=own(line("z", x=UP_TO, z=of(-1, -2))))
    (comparison,) = derive(spec).comparisons
    assert notation.parents(comparison.golden) == "x_<t+1:T>, u_<t:T>"
    assert notation.parents(comparison.silver) == "x_<<t>, z_<t-2>"


def test_an_input_of_the_decoder_alone_stays_up_to_the_end() -> None:
    spec = page(line("z", z=PREVIOUS), line("x", z=NOW, u=NOW), variables=DRIVEN)
    assert exact(spec) == ["z_t | x_<t:T>, z_<t-1>, u_<t:T>"]


def test_a_static_input_is_a_co_parent() -> None:
    spec = page(line("z", z=PREVIOUS), line("x", z=NOW, c=None), variables=(X, Z, C))
    assert exact(spec) == ["z_t | x_<t:T>, z_<t-1>, c"]


def test_a_static_input_of_another_part_is_not_read() -> None:
    y = Variable("y", Role.OBSERVED, 1)
    spec = page(line("z", z=PREVIOUS), line("x", z=NOW), line("y", c=None), variables=(X, y, Z, C))
    assert exact(spec) == ["z_t | x_<t:T>, z_<t-1>"]


def test_white_latents_do_not_meet() -> None:
    assert exact(page(line("z"), line("x", z=NOW))) == ["z_t | x_t"]


def test_a_lag_of_three_keeps_its_residue() -> None:
    assert exact(page(line("z", z=of(-3)), line("x", z=NOW))) == ["z_t | x_<t:T:3>, z_<t-3>"]


def test_a_stride_keeps_its_parity() -> None:
    spec = page(line("z", z=window(None, -2, 2)), line("x", z=NOW))
    assert exact(spec) == ["z_t | x_<t:T:2>, z_<1:t-2:2>"]


def test_two_lags_meet_after_many_frames() -> None:
    """The lags 50 and 7 + 50 k reach every later frame, but only after hundreds of them: two horizons do not tell."""
    spec = page(line("z", z=of(-50)), line("x", z=of(0, -7)))
    assert exact(spec) == ["z_t | x_<t:T>, z_<t-50:t-1>"]


def test_barren_descendants_add_nothing() -> None:
    """x_t | z_<t-1>: at the last frame z_T has no descendant, and the windows of x start at t + 1."""
    spec = page(line("z", z=PREVIOUS), line("x", z=PREVIOUS))
    assert exact(spec) == ["z_t | x_<t+1:T>, z_<t-1>"]
    assert posterior_at(spec, 3) == {"z_1": ["x_2", "x_3"], "z_2": ["x_3", "z_1"], "z_3": ["z_2"]}


def test_clipped_windows_that_are_larger_than_the_minimum_are_reported() -> None:
    late = page(line("z", z=PREVIOUS, u=NOW), line("x", z=PREVIOUS), variables=DRIVEN)
    (factor,) = exact_posterior(late).factors
    assert notation.line(factor.conditional) == "z_t | x_<t+1:T>, z_<t-1>, u_<t:T>"
    assert posterior_at(late, 3)["z_2"] == ["u_2", "x_3", "z_1"]
    assert factor.loose.inside
    assert proof_words(factor).endswith("; clipped to 1..T, larger than needed at every t but t = T (u_T)")
    assert 0 not in factor.loose.last
    (tight,) = exact_posterior(DKF).factors
    assert (tight.loose.first, tight.loose.last, tight.loose.inside) == ((), (), False)


def test_what_is_larger_at_every_frame_does_not_hide_what_is_more_so_at_the_ends() -> None:
    both = page(line("z", z=of(-1, -3), u=of(-1)), line("x", z=NOW), variables=DRIVEN)
    (factor,) = exact_posterior(both).factors
    assert proof_words(factor).endswith(
        "; clipped to 1..T, larger than needed at every t (u_T), by more at t = T"
    )
    sets = posterior_at(both, 8)
    assert sets["z_7"] == ["u_6", "u_7", "x_7", "x_8", "z_4", "z_5", "z_6"]
    assert sets["z_8"] == ["u_7", "x_8", "z_5", "z_7"], "not z_6 either: u_T is not all"
    assert factor.loose.more == ((), (0,))


def test_a_latent_without_an_observed_child_is_legitimate() -> None:
    """KVAE (6): z is no parent of x; given a, which comes first, its factor reads no x."""
    generation = (line("z", z=PREVIOUS), line("a", z=NOW), line("x", a=NOW))
    forward = page(*generation, variables=(X, Z, A), order=("z", "a"))
    assert exact(forward) == ["z_t | x_<t:T>, z_<t-1>", "a_t | x_t, z_t"]
    turned = page(*generation, variables=(X, Z, A), order=("a", "z"))
    assert exact(turned) == ["a_t | x_<t:T>, z_<t-1>", "z_t | x_<t+1:T>, z_<t-1>, a_t"]


@pytest.mark.parametrize(
    ("kind", "delay", "expected"),
    [
        (InferenceKind.FILTERING, 0, "z_t | x_t, z_<t-1>, u_t"),
        (InferenceKind.LOOKAHEAD, 2, "z_t | x_<t:t+2>, z_<t-1>, u_<t:t+2>"),
    ],
)
def test_restricted_evidence(kind: InferenceKind, delay: int, expected: str) -> None:
    assert declared(page(*DKF.generation, variables=DRIVEN, inference=Inference(kind, delay))) == [expected]


def test_filtering_is_not_smoothing_cut_off() -> None:
    """Smoothing reads z_{t-1}; without the later x that it causes, z_t has no reason to."""
    y = Variable("y", Role.OBSERVED, 1)
    generation = (line("z"), line("a"), line("x", z=NOW), line("y", z=of(-1), a=of(-2)))
    smooth = page(*generation, variables=(X, y, Z, A), order=("z", "a"))
    assert exact(smooth)[0] == "z_t | x_t, y_<t+1>, a_<t-1>"
    filtering = page(
        *generation, variables=(X, y, Z, A), order=("z", "a"), inference=Inference(InferenceKind.FILTERING)
    )
    assert declared(filtering)[0] == "z_t | x_t"


def test_look_ahead_stops_the_repetition() -> None:
    """z_t and z_{t+1} meet in x_{t+1}, z_{t+1} and z_{t+2} in x_{t+2}; x_{t+3} is beyond the look-ahead."""
    generation = (line("z"), line("x", z=of(0, -1)))
    assert exact(page(*generation)) == ["z_t | x_<t:T>, z_<t-1>"]
    ahead = page(*generation, inference=Inference(InferenceKind.LOOKAHEAD, 2))
    assert declared(ahead) == ["z_t | x_<t:t+2>, z_<t-1>"]
    template = template_of(ahead)
    found = stationary_windows(template, "z", evidence(template, "z", 2))
    assert notation.parents(found.component) == "z_<t:t+2>"


def test_networks_of_q_are_its_declaration() -> None:
    spec = Spec(**{**VRNN.__dict__, "inference": Inference(InferenceKind.NETWORKS)})
    assert declared(spec) == ["z_t | x_<<=t>, z_<<t>"]


def test_the_horizon_lists_nodes_by_variable_then_by_frame() -> None:
    sets = posterior_at(DKF, 12)
    assert list(sets) == [f"z_{t}" for t in range(1, 13)]
    assert sets["z_9"] == ["u_9", "u_10", "u_11", "u_12", "x_9", "x_10", "x_11", "x_12", "z_8"]
    spec = page(line("z", z=BEFORE), line("x", z=NOW, c=None), variables=(X, Z, C))
    assert posterior_at(spec, 2)["z_2"] == ["c", "x_2", "z_1"]


def test_strides_that_hardly_ever_repeat_are_refused() -> None:
    strides = window(None, -1, 89) | window(None, -1, 97)
    with pytest.raises(NoFixpointError, match="every 8633 frames"):
        exact_posterior(page(line("z"), line("x", z=NOW, x=strides)))


@pytest.mark.parametrize(("frames", "error"), [(0, ValueError), (-3, ValueError), (100_000, TooLargeError)])
def test_a_horizon_has_bounds(frames: int, error: type[ValueError]) -> None:
    with pytest.raises(error, match="frame"):
        posterior_at(DKF, frames)
