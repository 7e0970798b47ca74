"""The frames that paths of a template cover, against walking them one by one."""

from __future__ import annotations

import time
from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from dvaec.derive.elbo import elbo_terms
from dvaec.derive.reach import moves, sums
from dvaec.spec.model import Conditional, Inference, InferenceKind, Parent, Role, Spec, Sweep, Variable
from dvaec.spec.offsets import NONE, NOW, Offsets, of, window

FAR = 40
NODES = ("a", "b", "c", "d")


@st.composite
def steps(draw: st.DrawFn) -> Offsets:
    kind = draw(st.sampled_from(("few", "few", "past", "future")))
    if kind == "few":
        return of(*draw(st.sets(st.integers(-4, 4), min_size=1, max_size=3)))
    edge, stride = draw(st.integers(-3, 3)), draw(st.integers(1, 3))
    return window(None, edge, stride) if kind == "past" else window(edge, None, stride)


def walked(edges: dict[tuple[str, str], Offsets], start: str) -> set[tuple[str, int]]:
    """All (node, total) within FAR that some walk of at least one edge reaches without leaving FAR."""
    lists = [(a, b, one.within(-2 * FAR, 2 * FAR)) for (a, b), one in edges.items()]
    met: set[tuple[str, int]] = set()
    queue = [(start, 0)]
    while queue:
        node, total = queue.pop()
        for a, b, members in lists:
            if a != node:
                continue
            for step in members:
                there = (b, total + step)
                if abs(there[1]) <= FAR and there not in met:
                    met.add(there)
                    queue.append(there)
    return met


@given(steps())
def test_sums_are_those_of_any_number_of_members(some: Offsets) -> None:
    expected = {total for _, total in walked({("a", "a"): some}, "a")} | {0}
    found = sums(some)
    assert {d for d in range(-12, 13) if d in found} == {d for d in expected if abs(d) <= 12}


def test_sums_of_nothing() -> None:
    assert sums(NONE) == NOW
    assert sums(NOW) == NOW


@given(st.dictionaries(st.sampled_from(list(product(NODES, NODES))), steps(), max_size=6))
def test_moves_are_those_of_all_walks(edges: dict[tuple[str, str], Offsets]) -> None:
    expected = walked(edges, "a")
    for end in NODES[1:]:
        found = moves(edges, "a", end)
        assert {d for d in range(-8, 9) if d in found} == {d for n, d in expected if n == end and abs(d) <= 8}


def test_long_lags_and_many_latents_take_seconds() -> None:
    names = [f"z{k}" for k in range(20)]
    x = Variable("x", Role.OBSERVED, 1)
    both = [of(-50, 3), of(-47, -1), window(None, -50), of(-1, 49)]
    generation = [
        Conditional(n, (Parent(n, of(-1)), Parent(names[k - 1], of(30)))) for k, n in enumerate(names)
    ]
    generation.append(Conditional("x", tuple(Parent(n, NOW) for n in names)))
    inference = tuple(
        Conditional(n, tuple(Parent(m, both[(k + j) % 4]) for j, m in enumerate(names[max(0, k - 3) : k])))
        for k, n in enumerate(names)
    )
    spec = Spec(
        "MANY", "", (), (x, *(Variable(n, Role.LATENT, 1) for n in names)), tuple(generation),
        Inference(InferenceKind.EXACT), tuple(Sweep((n,)) for n in names),
    )  # fmt: skip
    began = time.perf_counter()
    terms = elbo_terms(spec, inference).terms
    assert time.perf_counter() - began < 20
    assert len(terms) == 21
