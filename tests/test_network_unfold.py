"""Unfolding: what the developed form sees, against a frame-by-frame walk."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dvaec.network.template import reflect
from dvaec.network.unfold import UnfoldError, repeated, unfold
from dvaec.spec import notation
from dvaec.spec.model import (
    Conditional,
    Dense,
    Direction,
    Feature,
    Parent,
    Role,
    Side,
    Spec,
    State,
    Variable,
    reads_of_head,
)
from dvaec.spec.offsets import NONE, Offsets, of, plus, window
from tests.models import DKF, FOUR, SRNN, STORN, VRNN, page

REACH = 14


def at(name: str, offset: int = 0) -> Parent:
    """Return one read."""
    return Parent(name, of(offset))


def with_states(*states: State, features: tuple[Feature, ...] = (), static: bool = False) -> Spec:
    """Return a page of two variables and some states."""
    variables = (
        Variable("x", Role.OBSERVED, 1),
        Variable("z", Role.LATENT, 1),
        Variable("c", Role.INPUT, 1, framed=not static),
    )
    base = page()
    return Spec(
        base.name, "", (), variables, (), base.inference, base.order, states=states, features=features
    )


def sees(spec: Spec, *reads: Parent) -> str:
    """Return what some reads come to, as the language writes it."""
    return notation.parents(unfold(spec).seen(reads))


@pytest.mark.parametrize("spec", FOUR, ids=lambda spec: spec.name)
def test_the_heads_of_four_models_see_their_generation(spec: Spec) -> None:
    for conditional in spec.generation:
        head = spec.head(Side.P, conditional.target)
        if head is not None:
            assert unfold(spec).seen(reads_of_head(head)) == conditional.parents


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        (DKF, "x_<t:T>, z_<t-1>, u_<t:T>"),
        (STORN, "x_<<=t>"),
        (VRNN, "x_<<=t>, z_<<t>"),
        (SRNN, "x_<1:T>, z_<t-1>"),  # g_t of h_t: through the forward state all of x, (9.13)
    ],
    ids=lambda value: value.name if isinstance(value, Spec) else "",
)
def test_the_inference_networks_of_four_models(spec: Spec, expected: str) -> None:
    head = spec.head(Side.Q, "z")
    assert head is not None
    assert sees(spec, *reads_of_head(head)) == expected


def test_a_strided_state_keeps_its_residue() -> None:
    assert sees(with_states(State("h", "rnn", 1, (at("x", -1),), lag=2)), at("h")) == "x_<1:t-1:2>"


def test_a_state_that_runs_both_ways_sees_all() -> None:
    assert sees(with_states(State("h", "rnn", 1, (at("x"),), runs=Direction.BOTH)), at("h")) == "x_<1:T>"


def test_states_that_read_one_another() -> None:
    h, c = State("h", "rnn", 1, (at("c2", -1), at("x"))), State("c2", "rnn", 1, (at("h"), at("z", -1)))
    assert sees(with_states(h, c), at("h")) == "x_<<=t>, z_<1:t-2>"
    assert sees(with_states(h, c), at("c2")) == "x_<<=t>, z_<<t>"


def test_a_static_input_travels_through_states_and_features() -> None:
    state = State("h", "rnn", 1, (at("f", -1),))
    feature = Feature("f", Dense((at("x"), Parent("c", None)), ()))
    assert sees(with_states(state, features=(feature,), static=True), at("h")) == "x_<<t>, c"


@pytest.mark.parametrize(
    "states",
    [
        (State("h", "rnn", 1, (at("g"),)), State("g", "rnn", 1, (at("h"),))),
        (State("h", "rnn", 1, (at("g", -1),)), State("g", "rnn", 1, (at("h"),), runs=Direction.BACKWARD)),
        (State("h", "rnn", 1, (at("g", -1),)), State("g", "rnn", 1, (at("h"),), runs=Direction.BOTH)),
    ],
    ids=["without a lag", "of both directions", "through a state of both"],
)
def test_cycles_must_keep_one_direction_of_time(states: tuple[State, ...]) -> None:
    with pytest.raises(UnfoldError, match="no one direction of time"):
        unfold(with_states(*states))


def walked(spec: Spec, name: str) -> dict[str, set[int]]:
    """Walk what a state reads, frame by frame, as far as REACH; an oracle for forward and backward states."""
    states = {s.name: s for s in spec.states}
    found: dict[str, set[int]] = {}
    waiting, seen = [(name, 0)], {(name, 0)}
    while waiting:
        node, frame = waiting.pop()
        state = states.get(node)
        if state is None:
            found.setdefault(node, set()).add(frame)
            continue
        lag = -state.lag if state.runs is Direction.FORWARD else state.lag
        reads = [(p.name, frame + d) for p in state.reads for d in (p.offsets or NONE).members]
        for there in [(node, frame + lag), *reads]:
            if abs(there[1]) <= 3 * REACH and there not in seen:
                seen.add(there)
                waiting.append(there)
    return {variable: {d for d in frames if abs(d) <= REACH} for variable, frames in found.items()}


@st.composite
def recurrences(draw: st.DrawFn) -> Spec:
    """Draw up to three forward states that read one another's past, and a backward one on top of them."""
    names = ("h", "k", "l")[: draw(st.integers(1, 3))]
    states = []
    for place, name in enumerate(names):
        reads = [at(draw(st.sampled_from(("x", "z"))), draw(st.integers(-2, 2)))]
        for other in names:
            if other != name and draw(st.booleans()):
                latest = 0 if other in names[:place] else -1
                reads.append(at(other, draw(st.integers(-2, latest))))
        states.append(State(name, "rnn", 1, tuple(reads), lag=draw(st.integers(1, 3))))
    back = State(
        "b",
        "rnn",
        1,
        (at(names[-1], draw(st.integers(-1, 1))),),
        runs=Direction.BACKWARD,
        lag=draw(st.integers(1, 3)),
    )
    return with_states(*states, back)


@given(recurrences())
def test_unfolding_is_walking(spec: Spec) -> None:
    unfolded = unfold(spec)
    for state in spec.states:
        found = {p.name: p.offsets for p in unfolded.seen((at(state.name),))}
        walk = walked(spec, state.name)
        assert set(found) == set(walk)
        for variable, offsets in found.items():
            assert offsets is not None
            assert set(offsets.within(-REACH, REACH)) == walk[variable]


def sets() -> st.SearchStrategy[Offsets]:
    """Return sets of offsets of every kind."""
    finite = st.sets(st.integers(-6, 6), max_size=3).map(lambda members: of(*members))
    past = st.builds(lambda stop, stride: window(None, stop, stride), st.integers(-4, 4), st.integers(1, 4))
    future = st.builds(
        lambda start, stride: window(start, None, stride), st.integers(-4, 4), st.integers(1, 4)
    )
    rays = st.one_of(st.just(NONE), past, future, st.builds(lambda a, b: a | b, past, future))
    return st.builds(lambda a, b: a | b, finite, rays)


@given(sets(), sets())
def test_sums_are_sums(a: Offsets, b: Offsets) -> None:
    total = plus(a, b)
    left, right = a.within(-90, 90), set(b.within(-130, 130))
    assert [d for d in range(-30, 31) if d in total] == [
        d for d in range(-30, 31) if any(d - i in right for i in left)
    ]


@given(sets())
def test_reflection_turns_signs(a: Offsets) -> None:
    assert set(reflect(a).within(-40, 40)) == {-d for d in a.within(-40, 40)}
    assert reflect(reflect(a)) == a


@given(st.integers(1, 5), st.integers(1, 4), st.sets(st.integers(1, 7), max_size=2))
def test_an_open_recurrence_reaches_the_sums_of_its_steps(start: int, stride: int, more: set[int]) -> None:
    steps = window(None, -start, stride) | of(*(-d for d in more))
    reached = [True]
    for total in range(1, 60):
        reached.append(any(-step in steps and reached[total - step] for step in range(1, total + 1)))
    assert [-d in repeated(steps) for d in range(60)] == reached
    assert 1 not in repeated(steps)


def test_a_recurrence_of_both_signs_is_refused() -> None:
    with pytest.raises(ValueError, match="one direction of time"):
        repeated(window(None, -1) | window(1, None))


def test_a_conditional_names_its_parents() -> None:
    conditional = Conditional("z", (at("x", -1),))
    assert conditional.of("x") == at("x", -1)
    assert conditional.of("y") is None
