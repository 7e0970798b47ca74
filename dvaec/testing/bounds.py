"""The derived bound as an expression, evaluated exactly with free linear-Gaussian weights at every frame.

E_q[log p(x, z) - log q(z | x)] <= log p(x), with equality just where log p - log q is constant in z.
"""

from __future__ import annotations

import numpy as np

from dvaec.spec.model import Conditional, Spec
from dvaec.testing.closeness import Gap, ViolationError
from dvaec.testing.derived import derived, forms
from dvaec.testing.oracles.formula_value import Quadratic, log_factors, mean_under_q, value
from dvaec.testing.oracles.linear_gaussian import World, families, projected_world, random_world

RELATIVE = 1e-7
SMALLEST_WEIGHT, SMALLEST_GAP = 1e-3, 1e-12
SEED = 5


def steps_are_the_bound(spec: Spec, frames: int) -> Gap:
    """Every step and regrouping of the derivation has one value for the declared q, below log p(x)."""
    gap = Gap(RELATIVE, RELATIVE)
    inference = derived(spec).inference
    if not spec.latents:
        return gap
    here = random_world(spec, inference, frames, SEED)
    wanted = mean_under_q(_ratio(here), here)
    for step in forms(spec, inference):
        found = value(step.expression, here)
        if found.g.any() or found.H.any():
            raise ViolationError(f"{step.name} is not a number: it depends on latents (T = {frames})")
        gap.number(found.c, wanted, step.name)
    if wanted > here.evidence + RELATIVE * (1.0 + abs(here.evidence)):
        raise ViolationError(f"the bound {wanted:.9g} is above log p(x) = {here.evidence:.9g} (T = {frames})")
    return gap


def exact_posterior_is_tight(spec: Spec, frames: int) -> Gap:
    """The closest q of the exact posterior's windows makes log p - log q constant in z: log p(x)."""
    gap = Gap(RELATIVE, RELATIVE)
    exact = _exact(spec)
    if not exact:
        return gap
    here = projected_world(spec, exact, frames, SEED)
    ratio, scale = _ratio(here), 1.0 + np.abs(log_factors(here.p_factors, here).H).max(initial=0.0)
    slope = max(np.abs(ratio.H).max(initial=0.0), np.abs(ratio.g).max(initial=0.0)) / scale
    gap.number(float(slope), 0.0, "the slope of log p - log q in z")
    gap.number(ratio.c, here.evidence, "log p - log q")
    return gap


def links_are_needed(spec: Spec, frames: int) -> Gap:
    """Without one read of one node the closest q has a gap, wherever its weight there is not tiny."""
    gap = Gap(0.0)
    exact = _exact(spec)
    if not exact:
        return gap
    whole = projected_world(spec, exact, frames, SEED)
    reads = families(spec, exact, frames)
    for k, factor in enumerate(whole.q_factors):
        for parent, weight in zip(factor.parents, factor.weights, strict=True):
            if abs(weight) < SMALLEST_WEIGHT:
                continue
            kept = tuple(other for other in reads[k][1] if other != parent)
            here = projected_world(
                spec, exact, frames, SEED, (*reads[:k], (reads[k][0], kept), *reads[k + 1 :])
            )
            gap.compared += 1
            if here.evidence - mean_under_q(_ratio(here), here) < SMALLEST_GAP:
                raise ViolationError(f"q of {factor.node} loses nothing without {parent} (T = {frames})")
    return gap


def _ratio(here: World) -> Quadratic:
    """log p(x, z) - log q(z | x) as a function of z."""
    return log_factors(here.p_factors, here) + log_factors(here.q_factors, here) * -1.0


def _exact(spec: Spec) -> tuple[Conditional, ...]:
    return tuple(factor.conditional for factor in derived(spec).posterior.factors)
