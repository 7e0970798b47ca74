"""`dvaec verify`: what is right holds, and each property finds the fault that it is there for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from dvaec.derive.derivation import derive
from dvaec.derive.model import Derivation, DerivedConditional
from dvaec.derive.steps import Step
from dvaec.emit.module import module_text
from dvaec.spec.model import Conditional, Parent, Spec
from dvaec.spec.offsets import of
from dvaec.spec.read import read_text
from dvaec.testing import bounds, sets
from dvaec.testing import built as modules
from dvaec.testing.closeness import Gap, ViolationError
from dvaec.testing.derivation import DERIVED
from dvaec.testing.derived import forms
from dvaec.testing.oracles.linear_gaussian import World, projected_world
from dvaec.testing.verification import verify
from tests.shipped import shipped

PAGE = """dvaec: 1
model: M
variables:
  x: {role: observed, dim: 3}
  z: {role: latent, dim: 2}
generation:
  - z_t | z_<t-1>
  - x_t | z_t, x_<t-2>
inference: exact
"""
MODEL = read_text(PAGE, "page.yaml")[0]
FILTERED = read_text(PAGE.replace("exact", "{lookahead: 1}"), "page.yaml")[0]


def without(conditional: Conditional, name: str, offset: int) -> Conditional:
    """Leave one frame out of a window."""
    parents = [
        Parent(p.name, p.offsets - of(offset)) if p.name == name and p.offsets is not None else p
        for p in conditional.parents
    ]
    return replace(conditional, parents=tuple(p for p in parents if p.offsets is None or p.offsets))


def with_one_more(conditional: Conditional, name: str, offset: int) -> Conditional:
    """Put one frame too many into a window."""
    kept = [p for p in conditional.parents if p.name != name]
    windows = [p.offsets | of(offset) for p in conditional.parents if p.name == name and p.offsets]
    return replace(conditional, parents=(*kept, *(Parent(name, w) for w in windows or [of(offset)])))


def posterior(change: Callable[[Conditional], Conditional]) -> Callable[[Spec], Derivation]:
    """Return a derivation with a fault in the posterior."""

    def faulty(spec: Spec) -> Derivation:
        found = derive(spec)

        def changed(factor: DerivedConditional) -> DerivedConditional:
            return replace(factor, conditional=change(factor.conditional))

        factors = tuple(changed(f) for f in found.posterior.factors)
        return replace(found, posterior=replace(found.posterior, factors=factors))

    return faulty


@pytest.mark.parametrize("name", ["srnn", "dssm", "slds", "draw", "kvae"])
def test_every_derivation_holds(name: str) -> None:
    spec = shipped(name)
    for one in DERIVED:
        for frames in (spec.frames,) if spec.frames else one.sizes:
            assert one.holds(spec, frames).worst <= 1.0


def test_a_lost_frame_is_found_by_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    faulty = posterior(lambda c: without(c, "x", 1))
    monkeypatch.setattr(sets, "derived", faulty)
    monkeypatch.setattr(bounds, "derived", faulty)
    assert sets.windows_are_the_posterior(MODEL, 1).compared == 1
    with pytest.raises(ViolationError, match=r"z_1 needs x_2 too \(T = 2\)"):
        sets.windows_are_the_posterior(MODEL, 2)
    with pytest.raises(ViolationError, match="log p - log q"):
        bounds.exact_posterior_is_tight(MODEL, 3)


def test_a_frame_too_many_is_found_by_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    faulty = posterior(lambda c: with_one_more(c, "z", -2))
    monkeypatch.setattr(sets, "derived", faulty)
    with pytest.raises(ViolationError, match="does not need z_"):
        sets.windows_are_the_posterior(MODEL, sets.LONG)


def test_a_wrong_closed_form_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing_of_the_future(spec: Spec, frames: int) -> dict[str, list[str]]:
        return {f"z_{t}": [f"x_{t}"] for t in range(1, frames + 1)} if spec.latents else {}

    monkeypatch.setattr(sets, "posterior_at", nothing_of_the_future)
    with pytest.raises(ViolationError, match=r"z_1: x_2 in one of the two sets alone \(T = 2\)"):
        sets.posterior_is_minimal(MODEL, 2)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: without(c, "x", 1), "z_1 needs x_2 too"),
        (lambda c: with_one_more(c, "x", 2), "z_1 may not read x_3"),
    ],
)
def test_windows_of_q_beyond_or_short_of_its_evidence_are_found(
    change: Callable[[Conditional], Conditional], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert sets.windows_are_the_inference(FILTERED, 3).compared == 3
    found = derive(FILTERED)
    faulty = replace(found, inference=tuple(change(c) for c in found.inference))
    monkeypatch.setattr(sets, "derived", lambda _: faulty)
    with pytest.raises(ViolationError, match=message):
        sets.windows_are_the_inference(FILTERED, 3)


def test_a_step_of_another_value_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def doubled(*arguments: object) -> tuple[Step, ...]:
        first, *rest = forms(*arguments)
        return first, *rest[:-1], replace(rest[-1], expression=2 * rest[-1].expression)

    assert isinstance(bounds.steps_are_the_bound(MODEL, 2), Gap)
    monkeypatch.setattr(bounds, "forms", doubled)
    with pytest.raises(ViolationError, match="not"):
        bounds.steps_are_the_bound(MODEL, 2)


def test_a_link_that_is_not_needed_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def with_all(spec: Spec, exact: tuple[Conditional, ...], frames: int, seed: int, *_: object) -> World:
        return projected_world(spec, exact, frames, seed)

    assert bounds.links_are_needed(MODEL, 3).compared == 10
    monkeypatch.setattr(bounds, "projected_world", with_all)
    with pytest.raises(ViolationError, match=r"loses nothing without"):
        bounds.links_are_needed(MODEL, 3)


def test_a_wrong_lag_is_found_however_long(monkeypatch: pytest.MonkeyPatch) -> None:
    page = PAGE.replace("x_<t-2>", "x_<t-9>")
    spec = read_text(page, "page.yaml")[0]
    monkeypatch.setattr(modules, "module_text", lambda e: module_text(e).replace("lag(x, 9)", "lag(x, 8)"))
    outcomes = {one.name: one for one in verify(spec)}
    assert outcomes["score"].failure.startswith("T = 11: ")
    assert outcomes["windows"].failure == "", "a frame too few to see it"


def test_a_forecast_that_draws_what_is_missing_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = read_text(PAGE.replace("exact", "filtering"), "page.yaml")[0]
    known = "known_x = extended(own_context, frames)"
    drawn = "known_x = extended(seen(own_context, mask_x), frames)"
    monkeypatch.setattr(modules, "module_text", lambda e: module_text(e).replace(known, drawn))
    outcomes = {one.name: one for one in verify(spec)}
    assert all(outcomes[name].failure.startswith("T = 5: ") for name in ("forecast", "stream"))
