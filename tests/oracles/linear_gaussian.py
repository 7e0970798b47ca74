"""A model of scalar frames with free linear-Gaussian weights, and the exact value of a formula under it.

Every variable is a scalar per frame. A conditional at frame t is v_t = b + sum of w * (parents in the windows, clipped
to 1..T) + s * noise, with weights of its own at every frame. p is such a network over x and z, given inputs of any
joint distribution; q one over z, given x and u of any joint distribution. So every density of either side, whatever it
is of and given, is a conditional of one joint normal distribution, and no window is taken on trust.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

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
from dvaec.spec.model import Conditional, Parent, Role, Side, Spec

Array = NDArray[np.float64]
Node = tuple[str, int]
"""A variable and its frame, counted from 1; frame 0 for a variable of sequence level."""


@dataclass(frozen=True)
class Factor:
    """v = bias + weights . parents + sqrt(variance) * noise, for one node v."""

    node: Node
    parents: tuple[Node, ...]
    weights: Array
    bias: float
    variance: float


@dataclass(frozen=True)
class Normal:
    """A joint normal distribution of named scalars."""

    nodes: tuple[Node, ...]
    mean: Array
    covariance: Array

    def given(self, of: Sequence[Node], given: Sequence[Node]) -> tuple[Array, Array, Array]:
        """Return (b, A, S) with `of` | `given` ~ N(b + A given, S)."""
        i, j = [self.nodes.index(n) for n in of], [self.nodes.index(n) for n in given]
        inner = self.covariance[np.ix_(j, j)]
        solved = np.linalg.solve(inner, self.covariance[np.ix_(j, i)]) if j else np.zeros((0, len(i)))
        A = np.asarray(solved.T, dtype=np.float64)
        S = self.covariance[np.ix_(i, i)] - A @ self.covariance[np.ix_(j, i)]
        return self.mean[i] - A @ self.mean[j], A, (S + S.T) / 2

    def log_density(self, at: Mapping[Node, float], given: Sequence[Node]) -> float:
        """Return the log-density of the nodes of `at` that are not `given`, given those."""
        of = [node for node in at if node not in given]
        b, A, S = self.given(of, given)
        rest = np.array([at[n] for n in of]) - b - A @ np.array([at[n] for n in given])
        return float(-0.5 * rest @ np.linalg.solve(S, rest) - 0.5 * np.linalg.slogdet(2 * np.pi * S)[1])


def joint(base: Normal, factors: Sequence[Factor]) -> Normal:
    """Return the joint distribution of `base` and of the factors' nodes, in any acyclic order."""
    nodes = (*base.nodes, *(f.node for f in factors))
    place = {node: k for k, node in enumerate(nodes)}
    n, m = len(nodes), len(base.nodes)
    W, bias, noise = np.zeros((n, n)), np.zeros(n), np.zeros((n, n))
    bias[:m], noise[:m, :m] = base.mean, base.covariance
    for factor in factors:
        row = place[factor.node]
        W[row, [place[p] for p in factor.parents]] = factor.weights
        bias[row], noise[row, row] = factor.bias, factor.variance
    spread = np.linalg.inv(np.eye(n) - W)
    return Normal(nodes, spread @ bias, spread @ noise @ spread.T)


def nodes_of(spec: Spec, names: Iterable[str], length: int) -> tuple[Node, ...]:
    """Return every frame of some variables."""
    return tuple(
        (name, frame)
        for name in names
        for frame in (range(1, length + 1) if spec.variable(name).framed else (0,))
    )


def parents_at(parents: Iterable[Parent], frame: int, length: int) -> tuple[Node, ...]:
    """Return the nodes that a conditional reads at one frame, clipped to 1..length."""
    found: list[Node] = []
    for parent in parents:
        if parent.offsets is None:
            found.append((parent.name, 0))
        else:
            found += [(parent.name, frame + d) for d in parent.offsets.within(1 - frame, length - frame)]
    return tuple(found)


@dataclass(frozen=True)
class World:
    """p and q as joint distributions, their factors, and the data that both are given."""

    spec: Spec
    length: int
    p_factors: tuple[Factor, ...]
    q_factors: tuple[Factor, ...]
    p: Normal
    q: Normal
    data: dict[Node, float]  # every frame of every observed variable and input
    latents: tuple[Node, ...]

    @property
    def evidence(self) -> float:
        """log p(x_{1:T} | u_{1:T}), from the joint distribution."""
        inputs = nodes_of(self.spec, (v.name for v in self.spec.having(Role.INPUT)), self.length)
        return self.p.log_density(self.data, inputs)


def random_normal(nodes: tuple[Node, ...], rng: np.random.Generator) -> Normal:
    """Draw a joint distribution with no independence in it."""
    n = len(nodes)
    root = rng.normal(size=(n, n))
    return Normal(nodes, rng.normal(size=n), root @ root.T / max(n, 1) + 0.5 * np.eye(n))


def random_factors(
    conditionals: Sequence[Conditional], length: int, rng: np.random.Generator
) -> tuple[Factor, ...]:
    """Draw the weights of every conditional at every frame, none of them near zero."""
    factors = []
    for frame in range(1, length + 1):
        for conditional in conditionals:
            parents = parents_at(conditional.parents, frame, length)
            weights = rng.uniform(0.4, 0.9, len(parents)) * rng.choice([-1.0, 1.0], len(parents))
            node = (conditional.target, frame)
            factors.append(Factor(node, parents, weights, rng.normal(), rng.uniform(0.5, 1.5)))
    return tuple(factors)


def projected_factors(p: Normal, conditionals: Sequence[Conditional], length: int) -> tuple[Factor, ...]:
    """Return p's own conditional of every latent given what q may read: the closest q of that form, KL(p || q)."""
    factors = []
    for frame in range(1, length + 1):
        for conditional in conditionals:
            parents = parents_at(conditional.parents, frame, length)
            node = (conditional.target, frame)
            b, A, S = p.given([node], parents)
            factors.append(Factor(node, parents, A[0], float(b[0]), float(S[0, 0])))
    return tuple(factors)


def generative(spec: Spec, length: int, rng: np.random.Generator) -> tuple[tuple[Factor, ...], Normal]:
    """Draw p: its factors and the joint distribution with inputs of any distribution."""
    inputs = nodes_of(spec, (v.name for v in spec.having(Role.INPUT)), length)
    factors = random_factors(spec.generation, length, rng)
    return factors, joint(random_normal(inputs, rng), factors)


def world(
    spec: Spec,
    length: int,
    p: tuple[tuple[Factor, ...], Normal],
    q_factors: tuple[Factor, ...],
    rng: np.random.Generator,
) -> World:
    """Put p and q together, with data at random."""
    names = [v.name for role in (Role.OBSERVED, Role.INPUT) for v in spec.having(role)]
    seen = nodes_of(spec, names, length)
    data = {node: float(value) for node, value in zip(seen, rng.normal(size=len(seen)), strict=True)}
    q = joint(random_normal(seen, rng), q_factors)
    return World(spec, length, p[0], q_factors, p[1], q, data, nodes_of(spec, spec.order, length))


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
        of, given = _nodes(formula.density.of, world), _nodes(formula.density.given, world)
        return _log_normal(world, of, given, *_side(formula.density, world).given(of, given))
    if isinstance(formula, KullbackLeibler):
        return _divergence(formula.q, formula.p, world)
    if isinstance(formula, Expectation):
        of, given = _nodes(formula.measure.of, world), _nodes(formula.measure.given, world)
        return _mean(_value(formula.body, world), of, given, world)
    if isinstance(formula, Sum):
        terms = [_value(at_frame(formula.function, t), world) for t in range(1, world.length + 1)]
        return sum(terms, _constant(0.0, world))
    if isinstance(formula, Add):
        return sum((_value(term, world) for term in formula.args), _constant(0.0, world))
    factor, rest = formula.as_coeff_Mul()
    assert rest != formula, f"no value for {formula}"
    return _value(rest, world) * float(factor)


def _mean(body: Quadratic, of: Sequence[Node], given: Sequence[Node], world: World) -> Quadratic:
    """Take the mean over `of`; the body must not depend on any other latent, the measure on none at all."""
    assert not set(given) & set(world.latents)
    k = [world.latents.index(n) for n in of]
    others = [n for n in range(len(world.latents)) if n not in k]
    assert not body.g[others].any()
    assert not body.H[others].any()
    b, A, S = world.q.given(of, given)
    m = b + A @ np.array([world.data[n] for n in given])
    H = body.H[np.ix_(k, k)]
    return _constant(body.c + body.g[k] @ m + 0.5 * (m @ H @ m + np.trace(H @ S)), world)


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
    given_q, given_p = _nodes(q.given, world), _nodes(p.given, world)
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


def _nodes(slices: Iterable[Slice], world: World) -> tuple[Node, ...]:
    return tuple(
        (one.name, frame) for one in slices for frame in (one.frames(world.length) if one.framed else (0,))
    )
