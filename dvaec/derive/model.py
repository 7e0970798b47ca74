"""The values that the derivations hand on: posterior, comparison, ELBO terms; no printer, no sympy."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from dvaec.spec.model import Conditional, Parent


@dataclass(frozen=True)
class Proof:
    """Why windows hold for every T: the component K of the target, in the network of endlessly many frames.

    Each variable of K is at one frame only, or at {s, s + period, s + 2 period, ...} for an s <= `first`,
    both counted from t, and K is closed under the families of the network: growing the horizon further
    adds nothing. `lag` is the largest finite lag. The argument is in `dvaec.network.windows`.
    """

    lag: int
    first: int
    period: int


@dataclass(frozen=True)
class DerivedConditional:
    """One latent's minimal conditioning set as windows relative to t, for every T.

    `loose_first` and `loose_last` list the frames, counted from 1 at the start and as 0, 1, ... back from T
    at the end, at which the windows clipped to 1..T are still larger than the exact minimum; `loose_inside`
    says that they are in the middle too (u_T is in the window of every frame, though nothing observes z_T).
    Up to 12 frames from the ends are compared, in a network of twice the proof's `first + period + lag`
    frames and a few more; none where that would be huge.
    """

    conditional: Conditional
    proof: Proof
    loose_first: tuple[int, ...] = ()
    loose_last: tuple[int, ...] = ()
    loose_inside: bool = False


@dataclass(frozen=True)
class Posterior:
    """p(z_{1:T} | x_{1:T}, u_{1:T}) factorized along `order` (latents within a frame; frames go forward)."""

    order: tuple[str, ...]
    factors: tuple[DerivedConditional, ...]  # in `order`

    def of(self, target: str) -> Conditional:
        """Return the windows of one latent."""
        return next(f.conditional for f in self.factors if f.conditional.target == target)


@dataclass(frozen=True)
class Comparison:
    """Declared q against the exact posterior, for one latent.

    golden: in the exact posterior, not in q. silver: in q, not in the exact posterior.
    """

    target: str
    golden: tuple[Parent, ...]
    silver: tuple[Parent, ...]


class TermKind(StrEnum):
    """What a term of the ELBO is."""

    RECONSTRUCTION = "reconstruction"
    DIVERGENCE = "divergence"


class Estimator(StrEnum):
    """How a term is computed: closed-form KL, or by the sample's log-densities."""

    ANALYTIC = "analytic"
    LOG_RATIO = "log-ratio"
    MONTE_CARLO = "monte-carlo"


@dataclass(frozen=True)
class Term:
    """One term of the ELBO, summed over t.

    RECONSTRUCTION: + E[log p(target_t | ...)], MONTE_CARLO (ANALYTIC with no latent in it: no expectation).
    DIVERGENCE: - E[KL(q || p)] (ANALYTIC) or - E[log q - log p] (LOG_RATIO).
    `expectation` holds the latents in the integrand with their windows (none: no expectation is written);
    `sampled` the latents that must be drawn from q to estimate it (those and their ancestors under q).
    `sequential` says whether drawing them needs a loop over time; `reason` says in words why the estimator is
    this one, `schedule_reason` why the draws are sequential or parallel.
    """

    kind: TermKind
    target: str
    p: Conditional
    q: Conditional | None
    expectation: tuple[Parent, ...]
    sampled: tuple[str, ...]
    estimator: Estimator
    sequential: bool
    reason: str
    schedule_reason: str


@dataclass(frozen=True)
class Elbo:
    """The specialised evidence lower bound as its terms, reconstructions first."""

    terms: tuple[Term, ...]
    given: tuple[str, ...]  # observed variables and inputs, what q's marginals are conditioned on


@dataclass(frozen=True)
class Derivation:
    """All that the derive room finds out about one spec."""

    posterior: Posterior
    inference: tuple[Conditional, ...]  # declared q in chain-rule order
    comparisons: tuple[Comparison, ...]
