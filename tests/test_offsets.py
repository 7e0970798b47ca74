"""Sets of offsets against brute force, canonical equality, and the notation's round trip."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dvaec.spec import offsets as sets
from dvaec.spec.notation import Window, braces, page, unicode_form, windows
from dvaec.spec.offsets import ALL, NONE, NOW, Offsets

FAR = 60  # beyond every aperiodic part and several periods of the sets drawn here
ends = st.integers(-6, 6)


@st.composite
def simple_windows(draw: st.DrawFn) -> Offsets:
    start = draw(st.none() | ends)
    stop = draw(st.none() | ends)
    return sets.window(start, stop, 1 if start is None and stop is None else draw(st.integers(1, 4)))


unions = st.lists(simple_windows(), max_size=3).map(sets.union)


def members(a: Offsets, far: int = FAR) -> set[int]:
    """The members up to a distance, by asking for each."""
    return {d for d in range(-far, far + 1) if d in a}


@given(st.none() | ends, st.none() | ends, st.integers(1, 4))
def test_a_window_holds_what_it_says(start: int | None, stop: int | None, stride: int) -> None:
    if start is None and stop is None:
        assert members(sets.window(None, None)) == set(range(-FAR, FAR + 1))
        return
    anchor = start if start is not None else stop
    assert anchor is not None
    low = start if start is not None else -FAR
    high = stop if stop is not None else FAR
    expected = {d for d in range(low, high + 1) if (d - anchor) % stride == 0}
    assert members(sets.window(start, stop, stride)) == expected


@given(unions, unions)
def test_the_algebra_of_sets(a: Offsets, b: Offsets) -> None:
    assert members(a | b) == members(a) | members(b)
    assert members(a & b) == members(a) & members(b)
    assert members(a - b) == members(a) - members(b)
    assert (a <= b) == (members(a) <= members(b))
    assert bool(a) == bool(members(a))


@given(unions, st.integers(-9, 9))
def test_shifting(a: Offsets, by: int) -> None:
    assert members(a.shift(by), FAR // 2) == {d for d in range(-FAR // 2, FAR // 2 + 1) if d - by in a}
    assert a.shift(by).shift(-by) == a


@given(unions, unions)
def test_equal_sets_are_equal_values(a: Offsets, b: Offsets) -> None:
    assert (a == b) == (members(a) == members(b))
    assert a | b == b | a
    assert (a - b) | (a & b) == a
    assert hash((a - b) | (a & b)) == hash(a)
    assert a - a == NONE
    assert a | ALL == ALL


@given(unions)
def test_what_a_set_says_of_itself(a: Offsets) -> None:
    assert a.finite == (not any(abs(d) > FAR // 2 for d in members(a)))
    assert a.reaches_past == any(d < -FAR // 2 for d in members(a))
    assert a.reaches_future == any(d > FAR // 2 for d in members(a))
    if a.finite:
        assert set(a.members) == members(a)
    else:
        with pytest.raises(ValueError, match="open window"):
            _ = a.members


@settings(deadline=None, max_examples=60)
@given(unions, unions)
def test_sums_of_two_sets(a: Offsets, b: Offsets) -> None:
    wide = 200
    expected = {i + j for i in members(a, wide) for j in members(b, wide)}
    total = sets.plus(a, b)
    assert {d for d in range(-FAR, FAR + 1) if d in total} == {d for d in expected if abs(d) <= FAR}


@settings(deadline=None)
@given(st.sets(st.integers(1, 7), min_size=0, max_size=3), st.sampled_from([1, -1]))
def test_the_star_is_every_sum_of_steps(sizes: set[int], sign: int) -> None:
    reached = {0}
    for total in range(1, FAR + 1):
        if any(total - size in reached for size in sizes):
            reached.add(total)
    assert members(sets.star(sets.of(*(sign * size for size in sizes)))) == {sign * d for d in reached}


def test_a_star_keeps_one_direction() -> None:
    for steps in (sets.of(-1, 1), sets.of(0), sets.window(1, None)):
        with pytest.raises(ValueError, match=r"direction|open window"):
            sets.star(steps)


@given(unions)
def test_windows_are_disjoint_and_unite_to_the_set(a: Offsets) -> None:
    parts = windows(a)
    assert sets.union(part.offsets for part in parts) == a
    for k, part in enumerate(parts):
        for other in parts[k + 1 :]:
            assert not part.offsets & other.offsets
    assert len(parts) <= 20


@pytest.mark.parametrize(
    ("offsets", "text", "mathematics", "diagram"),
    [
        (NOW, "x_t", "x_t", "xₜ"),
        (sets.of(-1), "x_<t-1>", "x_{t-1}", "xₜ₋₁"),
        (sets.of(2), "x_<t+2>", "x_{t+2}", "xₜ₊₂"),
        (sets.window(None, -1), "x_<<t>", "x_{1:t-1}", "x₁:ₜ₋₁"),
        (sets.window(None, 0), "x_<<=t>", "x_{1:t}", "x₁:ₜ"),
        (sets.window(None, 2), "x_<1:t+2>", "x_{1:t+2}", "x₁:ₜ₊₂"),
        (sets.window(0, None), "x_<t:T>", "x_{t:T}", "xₜ:ᴛ"),
        (sets.window(1, None), "x_<t+1:T>", "x_{t+1:T}", "xₜ₊₁:ᴛ"),
        (ALL, "x_<1:T>", "x_{1:T}", "x₁:ᴛ"),
        (sets.window(-2, 0), "x_<t-2:t>", "x_{t-2:t}", "xₜ₋₂:ₜ"),
        (sets.window(0, None, 2), "x_<t:T:2>", "x_{t:T:2}", "xₜ:ᴛ:₂"),
        (sets.window(None, -1, 3), "x_<1:t-1:3>", "x_{1:t-1:3}", "x₁:ₜ₋₁:₃"),
        (sets.of(-3, -1), "x_<t-3>, x_<t-1>", "x_{t-3}, x_{t-1}", "xₜ₋₃, xₜ₋₁"),
        (ALL - NOW, "x_<<t>, x_<t+1:T>", "x_{1:t-1}, x_{t+1:T}", "x₁:ₜ₋₁, xₜ₊₁:ᴛ"),
        (None, "x", "x", "x"),
    ],
)
def test_how_windows_are_written(offsets: Offsets | None, text: str, mathematics: str, diagram: str) -> None:
    assert page("x", offsets) == text
    assert braces("x", offsets) == mathematics
    assert unicode_form("x", offsets) == diagram


def test_a_window_as_a_set() -> None:
    assert Window(None, None).offsets == ALL
    assert Window(0, 0).single
    assert not Window(None, 0).single
