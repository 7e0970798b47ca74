"""The evidence lower bound as a sympy expression: densities of slices, expectations, divergences.

    Density           p(x_t | x_{1:t-1}, z_t)             of one side, with the name of its parameters
    LogDensity        log p(x_t | x_{1:t-1}, z_t)
    Expectation       E_{q(z_t | x_{1:T})}[ ... ]
    KullbackLeibler   D_KL( q(z_t | ...) || p(z_t | ...) )
    Sum               sympy's own, over t = 1..T or 2..T, or up to T-1
    WHERE             [T > 1] and [T = 1], factors of terms that are there for these T alone

What they are of are the slices of `dvaec.derive.slices`. All are immutable, hashable and canonical: what a
density is of, and what it is given, is sorted by name. A frame outside 1..T is absent (0..T, for a variable
with a frame 0). The printers read an expression through the functions below and through `isinstance`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

from sympy import Add, Basic, Eq, Expr, Integer, Piecewise, Sum, Tuple
from sympy.core.symbol import Str

from dvaec.derive.factors import placed
from dvaec.derive.model import Lengths
from dvaec.derive.order import placed_in_order
from dvaec.derive.slices import Slice, T, alone, slices, state_slice, t, united, whole
from dvaec.spec.model import LAST, Conditional, Parent, Side, Spec
from dvaec.spec.offsets import NOW

__all__ = ["Add", "Slice", "Sum", "alone", "slices", "state_slice", "united", "whole"]  # for the printers too

Formula: TypeAlias = Expr

WHERE: Mapping[Lengths, Formula] = {  # numbers once T is one
    Lengths.ANY: Integer(1),
    Lengths.ONE: Piecewise((1, Eq(T, 1)), (0, True)),
    Lengths.LONGER: Piecewise((1, T > 1), (0, True)),
}


class Density(Basic):  # type: ignore[misc]
    """A density of some slices given others; p's and q's own conditionals, and all that follows from them.

    `parameters` names the weights it carries ("theta_x", "phi"); empty where it has none.
    """

    def __new__(cls, side: Str, parameters: Str, of: Iterable[Slice], given: Iterable[Slice]) -> Density:
        node: Density = Basic.__new__(cls, side, parameters, _sorted(of), _sorted(given))
        return node

    @classmethod
    def of_side(cls, side: Side, parameters: str, of: Iterable[Slice], given: Iterable[Slice]) -> Density:
        """Build a density from plain values."""
        return cls(Str(side.value), Str(parameters), of, given)

    @property
    def side(self) -> Side:
        """Whose density it is."""
        return Side(self.args[0].name)

    @property
    def parameters(self) -> str:
        """The name of its weights."""
        return str(self.args[1].name)

    @property
    def of(self) -> tuple[Slice, ...]:
        """What it is a density of, by name."""
        return tuple(self.args[2])

    @property
    def given(self) -> tuple[Slice, ...]:
        """What it is conditioned on, by name."""
        return tuple(self.args[3])


class LogDensity(Expr):  # type: ignore[misc]
    """The logarithm of a density."""

    is_commutative = True

    def __new__(cls, density: Density) -> LogDensity:
        node: LogDensity = Expr.__new__(cls, density)
        return node

    @property
    def density(self) -> Density:
        """The density."""
        return _density(self.args[0])


class Expectation(Expr):  # type: ignore[misc]
    """The mean of `body` under `measure`, which is over the slices that `measure` is of."""

    is_commutative = True

    def __new__(cls, measure: Density, body: Expr) -> Expectation:
        node: Expectation = Expr.__new__(cls, measure, body)
        return node

    @property
    def measure(self) -> Density:
        """The distribution that the mean is taken under."""
        return _density(self.args[0])

    @property
    def body(self) -> Formula:
        """The integrand."""
        return self.args[1]


class KullbackLeibler(Expr):  # type: ignore[misc]
    """D_KL(q || p), the mean of log q - log p under q, a function of what either is given.

    p is one density of q's slice, or a product of densities, as in (6.18).
    """

    is_commutative = True

    def __new__(cls, q: Density, *p: Density) -> KullbackLeibler:
        node: KullbackLeibler = Expr.__new__(cls, q, *p)
        return node

    @property
    def q(self) -> Density:
        """The distribution that the mean is taken under."""
        return _density(self.args[0])

    @property
    def p(self) -> tuple[Density, ...]:
        """The factors of what is compared with it."""
        return tuple(_density(one) for one in self.args[1:])


def conditional_density(
    spec: Spec, side: Side, conditional: Conditional, frame: int | None = None
) -> Density:
    """Return p(target_t | parents) or q(target_t | parents) as `conditional` reads at a term's frame."""
    of = target_slice(spec, conditional.target, frame)
    read = (placed_in_order if side is Side.Q else placed)(spec, conditional, frame)
    given = slices(spec, read, frame)
    return Density.of_side(side, _parameters(spec, side, conditional), (of,), given)


def density_alone(density: Density) -> Density:
    """Return a density of frame 1 or T where T is 1, given only what is there."""
    given = [one for one in density.given if alone(one) is not None]
    return Density.of_side(density.side, density.parameters, density.of, given)


def target_slice(spec: Spec, name: str, frame: int | None = None) -> Slice:
    """Return a variable at t, at one numbered frame, or of sequence level; a state at t."""
    if name not in {variable.name for variable in spec.variables}:
        return state_slice(name)
    here = Parent(name, NOW if spec.variable(name).framed else None)
    return slices(spec, (here,), frame)[0]


def over_time(body: Expr, first: int = 1, left: int = 0) -> Formula:
    """Return the sum of `body` over t = first..T - left."""
    return Sum(body, (t, first, T - left))


def limits(total: Sum) -> tuple[int, int]:
    """Return the frame at which a sum over time begins, and how many frames it leaves at the end."""
    _, first, last = total.limits[0]
    return int(first), int(T - last)


def coefficient(term: Formula) -> tuple[Formula, Formula]:
    """Split a term into 1 or -1, times [T > 1] or [T = 1] where it has that, and the rest."""
    front, rest = term.as_independent(LogDensity, KullbackLeibler, as_Add=False)
    return front, rest


def lengths_of(term: Formula) -> Lengths:
    """Return for which T a term is there, by its factor."""
    front, _ = coefficient(term)
    return next((one for one in (Lengths.ONE, Lengths.LONGER) if front.has(WHERE[one])), Lengths.ANY)


PLACES = {0: 0, 1: 1, None: 2, LAST: 3}  # the order of terms: the sum over the other frames before frame T


def at_length(formula: Formula, length: int) -> Formula:
    """Return `formula` for sequences of `length` frames."""
    return formula.subs(T, length)


def at_frame(formula: Formula, frame: int) -> Formula:
    """Return `formula`, the body of a sum over time, at one frame."""
    return formula.subs(t, frame)


def summands(formula: Formula, rank: Sequence[str]) -> tuple[tuple[int, Formula], ...]:
    """Return the terms of a sum as (sign, term): positive ones first, then by the variable they speak of.

    `rank` lists the variables' names in the order wanted; the frames 0 and 1 come before the sum over the
    others, T behind it, and T = 1 before T > 1.
    """
    signed = []
    for term in Add.make_args(formula):
        sign, rest = term.as_coeff_Mul()
        signed.append((int(sign), rest))

    def place(pair: tuple[int, Formula]) -> tuple[int, int, int, int]:
        one = subject(pair[1])
        return -pair[0], rank.index(one.name), PLACES[one.frame], [*WHERE].index(lengths_of(pair[1]))

    return tuple(sorted(signed, key=place))


def subject(formula: Formula) -> Slice:
    """Return the first slice, by name and frame, that a density in `formula` is of."""
    logs, divergences = formula.atoms(LogDensity), formula.atoms(KullbackLeibler)
    found: list[Slice] = [one.density.of[0] for one in logs]
    for one in divergences:  # where T is 1, q may be of frame T and p of frame 1
        target = one.q.of[0]
        found += [target, *(p.of[0] for p in one.p if p.of[0].name == target.name)]
    return min(found, key=lambda one: (one.name, PLACES[one.frame]))


def _parameters(spec: Spec, side: Side, conditional: Conditional) -> str:
    if side is Side.Q:
        return "phi"
    target = conditional.target
    head = spec.head(side, target, conditional.frame)
    standard = target in spec.latents and not conditional.parents and not (head is not None and head.learned)
    return "" if standard else f"theta_{target}"


def _density(node: Basic) -> Density:
    assert isinstance(node, Density)
    return node


def _sorted(found: Iterable[Slice]) -> Tuple:
    return Tuple(*sorted(found, key=lambda one: one.name))
