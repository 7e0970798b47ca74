"""The exact value of a formula under a linear-Gaussian p and q: a quadratic function of the latents."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from dvaec.derive.expression import (
    Add,
    Density,
    Expectation,
    Formula,
    KullbackLeibler,
    LogDensity,
    Slice,
    Sum,
    at_frame,
    at_length,
)
from dvaec.spec.model import Side
from dvaec.testing.oracles.linear_gaussian import Array, Factor, Node, Normal, World, in_order


@dataclass(frozen=True)
class Quadratic:
    """c + g . z + z . H z / 2, a function of all latents z."""

    c: float
    g: Array
    H: Array

    def __add__(self, other: Quadratic) -> Quadratic:
        return Quadratic(self.c + other.c, self.g + other.g, self.H + other.H)

    def __mul__(self, factor: float) -> Quadratic:
        return Quadratic(factor * self.c, factor * self.g, factor * self.H)


def value(formula: Formula, world: World) -> Quadratic:
    """Evaluate a formula in t and T exactly, as a function of the latents that no expectation takes out."""
    return _value(at_length(formula, world.length), world)


def log_factors(factors: Iterable[Factor], world: World) -> Quadratic:
    """Return the sum of the factors' own log-densities, from their weights."""
    total = _constant(0.0, world)
    for f in factors:
        one = np.ones((1, 1))
        total += _log_normal(
            world, (f.node,), f.parents, np.array([f.bias]), f.weights[None], f.variance * one
        )
    return total


def mean_under_q(function: Quadratic, world: World) -> float:
    """Return E_q(z | x, u)[function], by the moments of q's joint distribution."""
    return _mean(function, world.latents, tuple(world.data), world).c


def _value(formula: Formula, world: World) -> Quadratic:
    if isinstance(formula, LogDensity):
        of, given = _nodes(formula.density.of, world), _given(formula.density, world)
        return _log_normal(world, of, given, *_side(formula.density, world).given(of, given))
    if isinstance(formula, KullbackLeibler):
        if [one.of for one in formula.p] != [formula.q.of]:  # as in (6.18)
            of, given = _nodes(formula.q.of, world), _given(formula.q, world)
            logs = [_value(LogDensity(p), world) * -1.0 for p in formula.p]
            body = sum(logs, _value(LogDensity(formula.q), world))
            return _mean(body, of, _among(body, of, given, world), world)
        return _divergence(formula.q, formula.p[0], world)
    if isinstance(formula, Expectation):
        of, given = _nodes(formula.measure.of, world), _nodes(formula.measure.given, world)
        return _mean(_value(formula.body, world), of, given, world)
    if isinstance(formula, Sum):
        first, last = (int(end) for end in formula.limits[0][1:])
        terms = [_value(at_frame(formula.function, t), world) for t in range(first, last + 1)]
        return sum(terms, _constant(0.0, world))
    if isinstance(formula, Add):
        return sum((_value(term, world) for term in formula.args), _constant(0.0, world))
    factor, rest = formula.as_coeff_Mul()
    assert rest != formula, f"no value for {formula}"
    return _value(rest, world) * float(factor)


def _mean(body: Quadratic, of: Sequence[Node], given: Sequence[Node], world: World) -> Quadratic:
    """Take the mean of `body` over `of` under q, given others: a function of those of them that are latent.

    The body must not depend on latents that are neither.
    """
    k = [world.latents.index(n) for n in of]
    known = [world.latents.index(n) for n in given if n in world.latents]
    others = [n for n in range(len(world.latents)) if n not in (*k, *known)]
    assert not body.g[others].any()
    assert not body.H[others].any()
    b, A, S = world.q.given(of, given)
    at, slope = np.zeros(len(world.latents)), np.eye(len(world.latents))
    at[k], slope[k] = _linear(world, given, b, A)
    spread = 0.5 * np.trace(body.H[np.ix_(k, k)] @ S)
    c = body.c + body.g @ at + 0.5 * at @ body.H @ at + spread
    return Quadratic(float(c), slope.T @ (body.g + body.H @ at), slope.T @ body.H @ slope)


def _among(body: Quadratic, of: Sequence[Node], given: Sequence[Node], world: World) -> tuple[Node, ...]:
    """What is given, and the other latents in `body`: they stay what they are while `of` is averaged.

    That is right where q(of | given) is what q is given those, too; nothing else is taken.
    """
    held = [n for k, n in enumerate(world.latents) if body.g[k] or body.H[k].any()]
    wide = (*given, *(n for n in held if n not in of and n not in given))
    narrow, wider = world.q.given(of, given), world.q.given(of, wide)
    np.testing.assert_allclose(wider[1][:, : len(given)], narrow[1], rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(wider[1][:, len(given) :], 0.0, atol=1e-9)
    np.testing.assert_allclose(wider[2], narrow[2], rtol=1e-7, atol=1e-9)
    return wide


def _log_normal(
    world: World, of: Sequence[Node], given: Sequence[Node], b: Array, A: Array, S: Array
) -> Quadratic:
    """log N(of; b + A given, S) as a function of the latents."""
    shift, slope = _linear(world, of, np.zeros(len(of)), np.eye(len(of)))
    mean, pull = _linear(world, given, b, A)
    return _square(shift - mean, slope - pull, S) + _constant(
        -0.5 * float(np.linalg.slogdet(2 * np.pi * S)[1]), world
    )


def _divergence(q: Density, p: Density, world: World) -> Quadratic:
    of = _nodes(q.of, world)
    assert of == _nodes(p.of, world)
    given_q, given_p = _given(q, world), _nodes(p.given, world)
    b, A, S = _side(q, world).given(of, given_q)
    c, B, R = _side(p, world).given(of, given_p)
    mean_q, slope_q = _linear(world, given_q, b, A)
    mean_p, slope_p = _linear(world, given_p, c, B)
    gap = _square(mean_q - mean_p, slope_q - slope_p, R) * -1.0
    ratio = np.linalg.slogdet(R)[1] - np.linalg.slogdet(S)[1]
    return gap + _constant(0.5 * float(np.trace(np.linalg.solve(R, S)) - len(of) + ratio), world)


def _linear(world: World, nodes: Sequence[Node], b: Array, A: Array) -> tuple[Array, Array]:
    """Write b + A nodes as r + R z, the data filled in."""
    r, R = b.astype(np.float64), np.zeros((len(b), len(world.latents)))
    for column, node in enumerate(nodes):
        if node in world.data:
            r = r + A[:, column] * world.data[node]
        else:
            R[:, world.latents.index(node)] += A[:, column]
    return r, R


def _square(r: Array, R: Array, S: Array) -> Quadratic:
    """-(r + R z) . S^-1 (r + R z) / 2."""
    P = np.linalg.inv(S)
    return Quadratic(-0.5 * float(r @ P @ r), -R.T @ P @ r, -R.T @ P @ R)


def _constant(c: float, world: World) -> Quadratic:
    n = len(world.latents)
    return Quadratic(float(c), np.zeros(n), np.zeros((n, n)))


def _side(density: Density, world: World) -> Normal:
    return world.p if density.side is Side.P else world.q


def _given(density: Density, world: World) -> tuple[Node, ...]:
    """What a density is given; of one node of q, only what q's order has before it."""
    of, given = _nodes(density.of, world), _nodes(density.given, world)
    return (
        in_order(world.spec, of[0], given, world.length) if density.side is Side.Q and len(of) == 1 else given
    )


def _nodes(slices: Iterable[Slice], world: World) -> tuple[Node, ...]:
    return tuple(
        (one.name, frame) for one in slices for frame in (one.frames(world.length) if one.framed else (0,))
    )
