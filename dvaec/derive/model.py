"""The values that the derivations hand on: posterior, comparison, ELBO terms; no printer, no sympy."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from dvaec.network.ends import Lost
from dvaec.spec.model import LAST, Conditional, Parent


@dataclass(frozen=True)
class Proof:
    """Why windows hold for every T: the component K of the target, in the network of endlessly many frames.

    `component` is K, what is linked to the target outside its evidence: windows relative to t, and bare
    sequence-level names. It is closed under the families of the network, so that growing the horizon further
    adds nothing. Beyond `first` frames from t it repeats with `period`; `searched` frames to either side of t
    were searched to find it (0 for what has no frame t, whose K has frames 0, 1, T and whole windows).
    `lag` is the largest finite lag. The argument is in `dvaec.network.windows`.
    """

    lag: int
    first: int
    period: int
    searched: int = 0
    component: tuple[Parent, ...] = ()


@dataclass(frozen=True)
class Place:
    """A frame, by its distance from the frame `anchor`: "1", "t" or "T"."""

    anchor: str
    offset: int


@dataclass(frozen=True)
class Spare:
    """What a window holds without need: the frames from `first` to `last`; both None at sequence level."""

    name: str
    first: Place | None = None
    last: Place | None = None


@dataclass(frozen=True)
class Looseness:
    """Where windows that hold for every T are, clipped to 1..T, larger than the exact minimum.

    `first` and `last` list the frames t, counted from 1 at the start and as 0, 1, ... back from T at the end;
    `spare` is what is not needed at the frames between (u_T is in the window of every frame, though nothing
    observes z_T), and `more` lists, the same two ways, the frames that do not need others besides. They are
    found in networks longer than twice what the proof looks at, one of each length modulo what repeats;
    where these differ, `varies`, they hold together what any of them shows.

    What has no frame t has no `first` and `last`; `spare` is what it does not need of a long sequence, and
    `lengths` the T up to there for which anything is spare; where T modulo something decides, it `varies`.

    `at_some`: between the ends t modulo something decides; then no frames are listed. `compared` is False
    where that would take too long: then nothing is said.
    """

    first: tuple[int, ...] = ()
    last: tuple[int, ...] = ()
    spare: tuple[Spare, ...] = ()
    lengths: tuple[int, ...] = ()
    varies: bool = False
    compared: bool = True
    more: tuple[tuple[int, ...], tuple[int, ...]] = ((), ())
    at_some: bool = False

    @property
    def inside(self) -> bool:
        """Whether the windows are larger than the minimum far from both ends, too."""
        return bool(self.spare)


@dataclass(frozen=True)
class Interior:
    """Smaller windows than those of every t: they hold at t = first..T-left, for every T.

    What the others have more is needed by frames near an end alone.
    """

    conditional: Conditional
    first: int
    left: int


@dataclass(frozen=True)
class DerivedConditional:
    """One factor's minimal conditioning set for every T: windows relative to t, or of what has no frame t.

    A read of an absolute frame counts only where that frame is in the evidence: z_1 is not read by z_1.
    """

    conditional: Conditional
    proof: Proof
    loose: Looseness = Looseness()
    interior: Interior | None = None


Key: TypeAlias = tuple[str, int | None]
"""What there is a factor of: a latent, and the frame of a factor of one frame."""


def served_by(keys: Iterable[Key], name: str) -> tuple[int, int]:
    """Return the first frame t that the factor of all frames serves, and how many at the end it leaves out.

    These are 2 where frame 1 has its own, else 1, and 1 where frame T has its own, else 0.
    """
    keys = tuple(keys)
    return 2 if (name, 1) in keys else 1, int((name, LAST) in keys)


@dataclass(frozen=True)
class Posterior:
    """p(latents | observed, inputs) factorized in q's chain-rule order, one factor per (target, frame).

    A frame-level latent's factor of frame None serves all frames that have none of their own: frame 0, and
    frames 1 and T where there is one. `order` lists the latents, sweep after sweep.
    """

    order: tuple[str, ...]
    factors: tuple[DerivedConditional, ...]  # in chain-rule order

    @property
    def keys(self) -> tuple[Key, ...]:
        """What there are factors of, in chain-rule order."""
        return tuple((f.conditional.target, f.conditional.frame) for f in self.factors)

    def served_by(self, name: str) -> tuple[int, int]:
        """Return the first t that the factor of all frames serves, and how many at the end it does not."""
        return served_by(self.keys, name)

    def of(self, target: str, frame: int | None = None) -> Conditional:
        """Return the windows of one latent, or of a frame of it; StopIteration if it has no such factor."""
        factors = (f.conditional for f in self.factors)
        return next(c for c in factors if c.target == target and c.frame == frame)


@dataclass(frozen=True)
class Comparison:
    """Declared q against the exact posterior, for one latent.

    golden: in the exact posterior, not in q. silver: in q, not in the exact posterior. redundant: in q, and
    without any information on the target given the rest of what q reads. unseen: in q's windows, and yet not
    seen at some frame near an end by the networks that alone declare q; then nothing is called redundant.
    singles: what q sees of golden frames at some t (`read_of_these`); kept: what the posterior has of silver.
    """

    target: str
    golden: tuple[Parent, ...]
    silver: tuple[Parent, ...]
    frame: int | None = None  # of a numbered conditional
    redundant: tuple[Parent, ...] = ()
    unseen: tuple[Lost, ...] = ()
    singles: tuple[Parent, ...] = ()
    kept: tuple[Parent, ...] = ()


class TermKind(StrEnum):
    """What a term of the ELBO is; an AUXILIARY one is no part of it."""

    RECONSTRUCTION = "reconstruction"
    DIVERGENCE = "divergence"
    AUXILIARY = "auxiliary"


class Estimator(StrEnum):
    """How a term is computed: closed-form KL, or by the sample's log-densities."""

    ANALYTIC = "analytic"
    LOG_RATIO = "log-ratio"
    MONTE_CARLO = "monte-carlo"


class Lengths(StrEnum):
    """For which T a term, or a factor, is there, as it is printed in brackets."""

    ANY = ""
    LONGER = "T > 1"
    ONE = "T = 1"


TermKey: TypeAlias = tuple[str, int | None, Lengths]
"""Which term of a bound: its target, the frame of a term of one frame, and for which T it is there."""


@dataclass(frozen=True)
class Term:
    """One term of the ELBO: of a sequence-level variable, of one frame, or summed over `first`..T - `left`.

    `framed` is False for a target of sequence level. `frame` is 0, 1 or LAST for the term of that frame
    alone, which the sum over the others then leaves out (`first` is 2 where frame 1 has a term of its own,
    `left` 1 where T has). `lengths` says for which T it is there: where frame 1 has a term of its own, too,
    that of frame T where T > 1 alone. Where T is 1, the lines of frames 1 and T are of one frame, and each
    side has its line of frame 1 speak, or that of frame T where it has none of frame 1; where the sides
    differ in this, a term of frame 1 for T = 1 alone has both. `p` and `q` are the conditionals that serve
    there: the numbered ones where there are such, else the generic ones read at that frame.

    RECONSTRUCTION: + E[log p(target_t | ...)], MONTE_CARLO (ANALYTIC with no latent in it: no expectation).
    DIVERGENCE: - E[KL(q || p)] (ANALYTIC) or - E[log q - log p] (LOG_RATIO).
    AUXILIARY: like a reconstruction, of a state; added to the bound in training (8.4).
    `expectation` holds the latents in the integrand with their windows (none: no expectation is written); in
    a term of one frame they count from that frame, and frames before the first are left out;
    `sampled` the latents that must be drawn from q to estimate it (those and their ancestors under q), `z_0`
    apart from `z`, and `z_1` (`z_T`) where q draws it on its own and nothing else of z is needed.
    `sequential` says whether drawing them needs a loop over time; `reason` says in words why the
    estimator is this one, `schedule_reason` why the draws are sequential or parallel.
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
    framed: bool = True
    frame: int | None = None
    first: int = 1
    left: int = 0
    lengths: Lengths = Lengths.ANY

    @property
    def key(self) -> TermKey:
        """What tells it from the other terms of a bound."""
        return self.target, self.frame, self.lengths


@dataclass(frozen=True)
class Elbo:
    """The specialised evidence lower bound as its terms, reconstructions first.

    `auxiliary` terms are added to it in training, which makes the objective a surrogate and no bound.
    """

    terms: tuple[Term, ...]
    given: tuple[str, ...]  # observed variables and inputs, what q's marginals are conditioned on
    auxiliary: tuple[Term, ...] = ()


@dataclass(frozen=True)
class Derivation:
    """All that the derive room finds out about one spec."""

    posterior: Posterior
    inference: tuple[Conditional, ...]  # declared q in chain-rule order
    comparisons: tuple[Comparison, ...]

    def served_by(self, name: str) -> tuple[int, int]:
        """Return the first t that q's conditional of all frames serves, and how many at the end not."""
        return served_by(((q.target, q.frame) for q in self.inference), name)
