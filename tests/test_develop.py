"""The default development means the declared windows: unfolded it gives them back, at every frame."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dvaec.derive.beyond import beyond
from dvaec.network.ends import ends
from dvaec.network.unfold import unfold
from dvaec.plan.develop import develop
from dvaec.spec.model import (
    LAST,
    Conditional,
    Direction,
    InferenceKind,
    Parent,
    Role,
    Side,
    Spec,
    Variable,
    reads_of_head,
)
from dvaec.spec.notation import parents
from dvaec.spec.offsets import ALL, NOW, Offsets, of, window
from dvaec.testing.strategies.conditionals import general_specs
from tests.models import BEFORE, PREVIOUS, UP_TO, U, X, Z, line, page

OWN = (InferenceKind.CONDITIONALS,)


def own_inference(spec: Spec) -> tuple[Conditional, ...]:
    """Return the conditionals of q that the page gives itself."""
    return (*spec.inference.conditionals, *spec.inference.numbered)


def means_what_is_declared(spec: Spec, inference: tuple[Conditional, ...], separate: bool) -> Spec:
    """Develop, and compare every head with its conditional; return the developed spec."""
    developed = develop(replace(spec, separate=separate), inference)
    unfolded, finite = unfold(developed), ends(developed)
    p = (*spec.generation, *spec.numbered)
    for side, conditional in [*((Side.P, c) for c in p), *((Side.Q, c) for c in inference)]:
        head = developed.head(side, conditional.target, conditional.frame)
        assert head is not None
        reads = reads_of_head(head)
        seen = Conditional(conditional.target, unfolded.seen(reads, conditional.frame), conditional.frame)
        assert not beyond(seen, conditional)
        assert not beyond(conditional, seen)
        assert list(finite.lost(side, reads, conditional)) == []
    assert develop(developed, inference) == developed
    return developed


@given(general_specs(kinds=OWN), st.booleans())
def test_the_default_development_means_what_is_declared(spec: Spec, separate: bool) -> None:
    means_what_is_declared(spec, own_inference(spec), separate)


@given(general_specs(kinds=OWN))
def test_separate_conditionals_share_nothing(spec: Spec) -> None:
    developed = develop(replace(spec, separate=True), own_inference(spec))
    read = [{p.name for p in reads_of_head(head)} for head in developed.heads]
    for name in (*(s.name for s in developed.states), *(f.name for f in developed.features)):
        assert sum(name in names for names in read) == 1


def reads(spec: Spec, side: Side, target: str, frame: int | None = None) -> str:
    """Return what a head reads, as the language writes it."""
    head = spec.head(side, target, frame)
    assert head is not None
    return parents(reads_of_head(head))


def states(spec: Spec) -> dict[str, str]:
    """Return the states with their directions and what they read."""
    return {s.name: f"{s.runs}{'' if s.lag == 1 else s.lag} {parents(s.reads)}" for s in spec.states}


def test_vrnn_gets_its_one_state() -> None:
    spec = page(line("z", x=BEFORE, z=BEFORE), line("x", x=BEFORE, z=UP_TO))
    developed = develop(spec, (line("z", x=UP_TO, z=BEFORE),))
    assert states(developed) == {"xzpast": "forward x_<t-1>, z_<t-1>"}
    assert reads(developed, Side.P, "z") == "xzpast_t"
    assert reads(developed, Side.P, "x") == "xzpast_t, z_t"
    assert reads(developed, Side.Q, "z") == "xzpast_t, x_t"


def test_figure_4_1_has_one_state_or_two() -> None:
    spec = page(line("z", x=BEFORE, u=NOW), line("x", x=BEFORE, z=NOW), variables=(X, Z, U))
    shared, separate = develop(spec, ()), develop(replace(spec, separate=True), ())
    assert states(shared) == {"xpast": "forward x_<t-1>"}
    assert states(separate) == {"xpast": "forward x_<t-1>", "xpast2": "forward x_<t-1>"}
    assert reads(separate, Side.P, "z") == "xpast_t, u_t"
    assert reads(separate, Side.P, "x") == "xpast2_t, z_t"


def test_rssm_s_state_reads_the_action_of_its_own_frame() -> None:
    spec = page(line("z", z=BEFORE, u=UP_TO), line("x", z=UP_TO, u=UP_TO), variables=(X, Z, U))
    developed = develop(spec, ())
    assert states(developed) == {"zupast": "forward z_<t-1>, u_t"}
    assert reads(developed, Side.P, "x") == "zupast_t, z_t"


def test_many_to_one_reads_both_ends() -> None:
    v = Variable("v", Role.LATENT, 2, framed=False)
    spec = page(line("v"), line("z", z=BEFORE), line("x", z=NOW, v=None), variables=(X, Z, v))
    developed = develop(spec, (line("v", x=ALL), line("z", x=ALL, v=None)))
    assert reads(developed, Side.Q, "v") == "xpast_T, xfuture_1"
    assert reads(developed, Side.Q, "z") == "xall_t, v"


def test_z_0_is_seen_by_states_of_the_past() -> None:
    z = Variable("z", Role.LATENT, 2, first=0)
    zero = Conditional("z", (Parent("x", ALL),), 0)
    spec = page(line("z", z=BEFORE), line("x", z=UP_TO), variables=(X, z))
    developed = means_what_is_declared(spec, (zero, line("z", z=PREVIOUS, x=ALL)), separate=False)
    assert states(developed)["zpast"] == "forward z_<t-1>"
    assert reads(developed, Side.Q, "z", 0) == "xfuture_1"


@pytest.mark.parametrize(
    ("offsets", "expected"),
    [
        (window(-8, -1), "x_<t-8:t-1>"),
        (window(-9, 0), "xnear_t"),
        (window(-8, 2) | of(-12), "xnear_t, x_<t-12>"),
        (window(-7, 0) | window(None, -9), "xpast_t, x_<t-7:t>"),
        (window(-11, 0), "xnear_t, x_<t-11>"),  # 11 - 1 frames are two layers of 5, 12 - 1 is prime
    ],
)
def test_long_finite_windows_are_convolved(offsets: Offsets, expected: str) -> None:
    developed = means_what_is_declared(page(line("z"), line("x", z=NOW)), (line("z", x=offsets),), False)
    assert reads(developed, Side.Q, "z") == expected


def test_a_very_long_window_is_convolved_in_pieces() -> None:
    developed = develop(page(line("z"), line("x", z=NOW)), (line("z", x=window(-130, 0)),))
    assert reads(developed, Side.Q, "z") == "xnear_t, xnear2_t, x_<t-130>"
    assert parents(unfold(developed).seen(developed.heads[-1].block.reads)) == "x_<t-130:t>"  # type: ignore[union-attr]


def test_numbered_lines_read_what_they_name() -> None:
    spec = page(line("z", z=PREVIOUS), line("x", z=NOW), variables=(X, Z, U))
    one = Conditional("z", (Parent("u", None, 1), Parent("x", None, LAST)), 1)
    developed = means_what_is_declared(spec, (line("z", z=PREVIOUS), one), separate=False)
    assert reads(developed, Side.Q, "z", 1) == "u_1, x_T"
    assert developed.states == ()


def test_states_of_both_directions_for_a_window_with_a_hole() -> None:
    hole = window(None, -2) | window(1, None)
    developed = means_what_is_declared(page(line("z"), line("x", z=NOW)), (line("z", x=hole),), False)
    assert [s.runs for s in developed.states] == [Direction.FORWARD, Direction.BACKWARD]
