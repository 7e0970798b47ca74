"""Models of scalar frames with free linear-Gaussian weights, as joint normal distributions.

Every variable is a scalar per frame, one of sequence level a scalar. A conditional at frame t is
v_t = b + sum of w * (parents in the windows, clipped to the sequence) + s * noise, with weights of its own at
every frame. p is such a network over x and z, given inputs of any joint distribution; q one over z, given x
and u of any joint distribution. So every density of either side, whatever it is of and given, is a
conditional of one joint normal distribution, and no window is taken on trust.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dvaec.spec.model import Conditional, Role, Spec
from dvaec.testing.oracles.nodes import Dot, chain, dots, places, serving

Array = NDArray[np.float64]
Node = Dot


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
    return tuple((name, frame) for name in names for frame in places(spec, name, length))


def parents_at(spec: Spec, conditional: Conditional, frame: int, length: int) -> tuple[Node, ...]:
    """Return the nodes that a conditional reads where it serves one frame, clipped to first..length."""
    framed = spec.variable(conditional.target).framed
    return tuple(dots(spec, conditional.parents, frame if framed else None, length))


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
    spec: Spec, conditionals: Sequence[Conditional], length: int, rng: np.random.Generator
) -> tuple[Factor, ...]:
    """Draw the weights of every conditional of p at every frame, none of them near zero."""
    return _weighted(families(spec, conditionals, length), rng)


def declared_factors(
    spec: Spec, conditionals: Sequence[Conditional], length: int, rng: np.random.Generator
) -> tuple[Factor, ...]:
    """Draw the weights of q: at every node it reads what its conditional names and its order has before."""
    reads = families(spec, conditionals, length)
    return _weighted([(node, in_order(spec, node, parents, length)) for node, parents in reads], rng)


def _weighted(reads: Iterable[tuple[Node, tuple[Node, ...]]], rng: np.random.Generator) -> tuple[Factor, ...]:
    factors = []
    for node, parents in reads:
        weights = rng.uniform(0.4, 0.9, len(parents)) * rng.choice([-1.0, 1.0], len(parents))
        factors.append(Factor(node, parents, weights, rng.normal(), rng.uniform(0.5, 1.5)))
    return tuple(factors)


def projected(p: Normal, reads: Iterable[tuple[Node, tuple[Node, ...]]]) -> tuple[Factor, ...]:
    """Return p's own conditional of each node given the nodes beside it."""
    factors = []
    for node, parents in reads:
        b, A, S = p.given([node], parents)
        factors.append(Factor(node, parents, A[0], float(b[0]), float(S[0, 0])))
    return tuple(factors)


def families(
    spec: Spec, conditionals: Sequence[Conditional], length: int
) -> tuple[tuple[Node, tuple[Node, ...]], ...]:
    """Return every node that the conditionals are of, with what it reads."""
    nodes = nodes_of(spec, dict.fromkeys(c.target for c in conditionals), length)
    return tuple((n, parents_at(spec, serving(conditionals, *n, length), n[1], length)) for n in nodes)


def in_order(spec: Spec, node: Node, read: Iterable[Node], length: int) -> tuple[Node, ...]:
    """Leave out the latents that q's order does not have before a node: absolute reads that do not count."""
    order = chain(spec, length)
    before = order[: order.index(node)]
    return tuple(n for n in read if n[0] not in spec.latents or n in before)


def generative(spec: Spec, length: int, rng: np.random.Generator) -> tuple[tuple[Factor, ...], Normal]:
    """Draw p: its factors and the joint distribution with inputs of any distribution."""
    inputs = nodes_of(spec, (v.name for v in spec.having(Role.INPUT)), length)
    factors = random_factors(spec, (*spec.generation, *spec.numbered), length, rng)
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
    return World(spec, length, p[0], q_factors, p[1], q, data, nodes_of(spec, spec.latents, length))


def random_world(spec: Spec, inference: Sequence[Conditional], length: int, seed: int) -> World:
    """p and q with weights at random, of T = `length` frames."""
    rng = np.random.default_rng(seed)
    p = generative(spec, length, rng)
    return world(spec, length, p, declared_factors(spec, inference, length, rng), rng)


def projected_world(
    spec: Spec,
    inference: Sequence[Conditional],
    length: int,
    seed: int,
    reads: Sequence[tuple[Node, tuple[Node, ...]]] | None = None,
) -> World:
    """p at random, and the closest q that reads what the conditionals say (or what is said node by node)."""
    rng = np.random.default_rng(seed)
    p = generative(spec, length, rng)
    found = families(spec, inference, length) if reads is None else reads
    counted = [(node, in_order(spec, node, parents, length)) for node, parents in found]
    return world(spec, length, p, projected(p[1], counted), rng)
