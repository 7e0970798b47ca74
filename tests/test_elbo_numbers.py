"""The derived bound, evaluated: free linear-Gaussian weights per frame, exact expectations, no sampling."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dvaec.derive.derivation import derive
from dvaec.derive.elbo import elbo_terms
from dvaec.derive.expression import Formula
from dvaec.derive.horizon import posterior_at
from dvaec.derive.steps import derivation_steps
from dvaec.spec.model import Conditional, Parent, Spec
from dvaec.spec.offsets import of
from dvaec.testing.oracles.formula_value import log_factors, mean_under_q, value
from dvaec.testing.oracles.linear_gaussian import projected_world, random_world
from tests.models import FOUR
from tests.strategies import specs

LENGTHS = (1, 2, 3, 4)
by_name = pytest.mark.parametrize("spec", FOUR, ids=lambda spec: spec.name)
any_length = st.integers(1, 4)
seeds = st.integers(0, 2**32 - 1)


def bound(spec: Spec, inference: tuple[Conditional, ...]) -> Formula:
    return derivation_steps(spec, inference, elbo_terms(spec, inference))[-1].expression


def check_steps(spec: Spec, inference: tuple[Conditional, ...], length: int, seed: int) -> None:
    """Every step has the value of E_q[log p - log q] from the factors themselves, which log p(x) bounds."""
    here = random_world(spec, inference, length, seed)
    ratio = log_factors(here.p_factors, here) + log_factors(here.q_factors, here) * -1.0
    expected = mean_under_q(ratio, here)
    for step in derivation_steps(spec, inference, elbo_terms(spec, inference)):
        found = value(step.expression, here)
        assert not found.g.any()
        assert not found.H.any()
        assert found.c == pytest.approx(expected, rel=1e-8, abs=1e-8), step.name
    assert expected <= here.evidence + 1e-9


def check_exact(spec: Spec, length: int, seed: int) -> None:
    """With the exact posterior's windows some q makes log p - log q constant in z, and the bound tight."""
    inference = tuple(factor.conditional for factor in derive(spec).posterior.factors)
    here = projected_world(spec, inference, length, seed)
    terms = elbo_terms(spec, inference)
    factorised = derivation_steps(spec, inference, terms)[2].expression
    ratio = value(factorised.body, here)
    scale = np.abs(value(factorised.body.args[0], here).H).max()
    np.testing.assert_allclose(ratio.H, 0.0, atol=1e-9 * scale)
    np.testing.assert_allclose(ratio.g, 0.0, atol=1e-8 * scale)
    assert ratio.c == pytest.approx(here.evidence, rel=1e-8, abs=1e-8)
    assert value(bound(spec, inference), here).c == pytest.approx(here.evidence, rel=1e-8, abs=1e-8)


def without(
    inference: tuple[Conditional, ...], target: str, name: str, offset: int | None
) -> tuple[Conditional, ...]:
    """Take one link out of q: `name` at t + offset, or all of a variable of sequence level."""

    def cut(parent: Parent) -> Parent | None:
        if parent.name != name:
            return parent
        if parent.offsets is None or offset is None:
            return None
        rest = parent.offsets - of(offset)
        return Parent(name, rest) if rest else None

    return tuple(
        replace(c, parents=tuple(p for p in map(cut, c.parents) if p is not None))
        if c.target == target
        else c
        for c in inference
    )


def check_golden(spec: Spec, length: int, seed: int, target: str, name: str, offset: int | None) -> None:
    """Without one link of the exact posterior the closest q has a gap."""
    inference = tuple(factor.conditional for factor in derive(spec).posterior.factors)
    cut = without(inference, target, name, offset)
    here = projected_world(spec, cut, length, seed)
    assert here.evidence - value(bound(spec, cut), here).c > 1e-9


def needed_links(spec: Spec, length: int) -> list[tuple[str, str, int | None]]:
    """List the links (target, parent, offset) of the exact posterior that some frame of a short sequence needs."""
    found = set()
    for node, members in posterior_at(spec, length).items():
        target, _, frame = node.partition("_")
        for member in members:
            name, framed, at = member.partition("_")
            found.add((target, name, int(at) - int(frame) if framed else None))
    return sorted(found, key=str)


@by_name
@pytest.mark.parametrize("length", LENGTHS)
def test_every_step_of_the_four_models_has_the_same_value(spec: Spec, length: int) -> None:
    check_steps(spec, derive(spec).inference, length, seed=length)


@by_name
@pytest.mark.parametrize("length", LENGTHS)
def test_the_four_exact_posteriors_make_the_bound_tight(spec: Spec, length: int) -> None:
    check_exact(spec, length, seed=length)


@by_name
@pytest.mark.parametrize("length", [2, 3])
def test_each_golden_link_of_the_four_models_costs_something(spec: Spec, length: int) -> None:
    links = needed_links(spec, length)
    assert links
    for target, name, offset in links:
        check_golden(spec, length, length, target, name, offset)


@given(specs(longest=2), any_length, seeds)
def test_every_step_has_the_same_value(spec: Spec, length: int, seed: int) -> None:
    check_steps(spec, derive(spec).inference, length, seed)


@given(specs(longest=2), specs(longest=2), any_length, seeds)
def test_every_step_has_the_same_value_for_any_q(spec: Spec, other: Spec, length: int, seed: int) -> None:
    """q's windows are those of another model's posterior where that fits: golden and silver links at once."""
    names = {v.name for v in spec.variables}
    borrowed = {f.conditional.target: f.conditional for f in derive(other).posterior.factors}
    earlier: set[str] = set()
    inference = []
    for name in spec.latents:
        parents = borrowed[name].parents if name in borrowed else ()
        latents = {c.target for c in spec.generation} & set(spec.latents)
        kept = [p for p in parents if p.name in names and (p.name not in latents or _earlier(p, earlier))]
        inference.append(Conditional(name, tuple(kept)))
        earlier.add(name)
    check_steps(spec, tuple(inference), length, seed)


def _earlier(parent: Parent, earlier: set[str]) -> bool:
    """Whether a latent parent comes before the target in q's order."""
    return parent.offsets is not None and (parent.name in earlier or 0 not in parent.offsets)


@given(specs(longest=2), any_length, seeds)
def test_the_exact_posterior_makes_the_bound_tight(spec: Spec, length: int, seed: int) -> None:
    check_exact(spec, length, seed)


@given(specs(longest=2), st.integers(2, 3), seeds, st.data())
def test_each_golden_link_costs_something(spec: Spec, length: int, seed: int, data: st.DataObject) -> None:
    links = needed_links(spec, length)
    if links:
        target, name, offset = data.draw(st.sampled_from(links))
        check_golden(spec, length, seed, target, name, offset)
