"""Variables, windows' readers and conditionals: the graphical part of a page as frozen values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from dvaec.spec.offsets import Offsets, of, window


class Role(StrEnum):
    """What a variable is to the model."""

    OBSERVED = "observed"
    LATENT = "latent"
    INPUT = "input"


class Family(StrEnum):
    """Families of conditional distributions, by the names that the page uses."""

    GAUSSIAN = "gaussian"  # diagonal
    FULL_GAUSSIAN = "full_gaussian"  # full covariance, by its Cholesky factor
    COMPLEX_GAUSSIAN = "complex_gaussian"  # zero-mean, circular (10.2); real parts, then imaginary parts
    BERNOULLI = "bernoulli"
    CATEGORICAL = "categorical"  # one-hot vectors of length dim
    POISSON = "poisson"
    GAMMA = "gamma"  # of shape 1 unless said otherwise (13.2.1: Itakura-Saito)
    LAPLACE = "laplace"
    STUDENT = "student_t"
    BETA = "beta"
    MIXTURE = "gaussian_mixture"  # a mixture of diagonal Gaussians, one choice a frame


class Side(StrEnum):
    """The generative model p or the inference model q."""

    P = "p"
    Q = "q"


class Direction(StrEnum):
    """The direction of time in which a recurrent state runs."""

    FORWARD = "forward"
    BACKWARD = "backward"
    BOTH = "both"


class Causality(StrEnum):
    """What generation promises: parents of earlier frames only, of later frames only, or of any."""

    CAUSAL = "causal"
    ANTICAUSAL = "anticausal"
    NONCAUSAL = "noncausal"


LAST = -1
"""The absolute frame T, where 0 and 1 are the frames 0 and 1."""


@dataclass(frozen=True)
class Variable:
    """A random variable or an input; `framed` is False at sequence level. Path: ("variables", name).

    `dim` is the length of one frame's vector, the product of `axes` where the page gives a list.
    `options` are the numbers that the family takes besides its parameters ("shape", "degrees", "components",
    "temperature"), sorted by name. `first` is 0 for a variable that has a frame 0 of its own (z_0), else 1.
    """

    name: str
    role: Role
    dim: int
    family: Family = Family.GAUSSIAN
    framed: bool = True
    axes: tuple[int, ...] = ()
    options: tuple[tuple[str, float], ...] = ()
    first: int = 1

    def option(self, name: str) -> float | None:
        """Return one of the family's numbers, or None."""
        return dict(self.options).get(name)


@dataclass(frozen=True)
class Parent:
    """A name with the frames at which it is read.

    Three forms: relative to t (`offsets`), one absolute frame (`frame`: 0, 1 or LAST; `offsets` None), or a
    sequence-level variable (both None). What has no frame t (a sequence-level variable, a numbered frame)
    reads all frames as `offsets` = ALL, or absolute ones; other windows of a numbered frame are relative to
    it. In a `Spec` each name and absolute frame occurs once in a conditional's parents (relative windows
    united), sorted in declaration order of the variables, relative before absolute ones; in the `reads` of a
    state, feature or head the order is that of the page, which is the order of concatenation.
    """

    name: str
    offsets: Offsets | None
    frame: int | None = None


@dataclass(frozen=True)
class Conditional:
    """One factor p(target_t | parents) or q(target_t | parents).

    `frame` is 0, 1 or LAST for a numbered line, the conditional of that frame alone; else None. Where T is 1,
    and both have a line, frame 1 has its own. A sequence-level target has one factor.
    """

    target: str
    parents: tuple[Parent, ...]
    frame: int | None = None

    def of(self, name: str, frame: int | None = None) -> Parent | None:
        """Return the parent of that name (at that absolute frame), if it is one."""
        return next((p for p in self.parents if p.name == name and p.frame == frame), None)


@dataclass(frozen=True)
class Sweep:
    """One block of q's chain-rule order: latents interleaved frame by frame, forward or backward in time.

    Each sweep is finished before the next begins. A sequence-level latent is a sweep of its own. `first` is
    the order of frames 0 and 1, as (latent, frame), and `last` that of the latents at frame T, where it is
    not that of all frames. A sweep without latents is of single frames alone, 0, 1 or LAST, drawn before the
    sweep of their latent. The first of these has `alone`, the order of all that there is where T is 1, if it
    is one of its own; there frame T is frame 1. Where latents run behind others, `shifts` says by how many
    frames each does: then the frames that a step draws are not one.
    """

    latents: tuple[str, ...]
    backward: bool = False
    first: tuple[tuple[str, int], ...] = ()
    last: tuple[str, ...] = ()
    alone: tuple[tuple[str, int], ...] = ()
    shifts: tuple[int, ...] = ()

    def shift(self, name: str) -> int:
        """By how many frames a latent runs behind the foremost."""
        return self.shifts[self.latents.index(name)] if self.shifts else 0

    def before(self, name: str, target: str, frame: int | None = None) -> Offsets:
        """Return the frames of `name` that come before the target's frame t, relative to it.

        `frame` says so where t is 0, 1 or T (LAST).
        """
        names = self.last if frame == LAST and self.last else self.latents
        if frame is not None and (target, frame) in self.first:
            near = self.first[: self.first.index((target, frame))]
            drawn = of(*(at - frame for other, at in near if other == name))
            return drawn | window(2 - frame, None) if self.backward else drawn
        last = 0 if names.index(name) < names.index(target) else 1
        last -= self.shift(target) - self.shift(name)
        return window(last, None) if self.backward else window(None, -last)


class InferenceKind(StrEnum):
    """How the page declares q."""

    EXACT = "exact"
    FILTERING = "filtering"
    LOOKAHEAD = "lookahead"
    MEAN_FIELD = "mean_field"
    CONDITIONALS = "conditionals"
    NETWORKS = "networks"


@dataclass(frozen=True)
class Inference:
    """The declaration of q: a keyword (`delay` frames of look-ahead) or conditionals of one's own.

    A keyword may stand beside conditionals, which then speak for their own targets. `numbered` holds the
    conditionals of single frames (z_0, z_1, z_T).
    """

    kind: InferenceKind
    delay: int = 0
    conditionals: tuple[Conditional, ...] = ()
    numbered: tuple[Conditional, ...] = ()
