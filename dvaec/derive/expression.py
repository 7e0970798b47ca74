"""The evidence lower bound as a sympy expression: slices of sequences, densities, expectations, divergences.

    Slice             z_{t-1}, x_{1:t-1}, x_{t:T}         a variable and its frames, with symbolic bounds
    Density           p(x_t | x_{1:t-1}, z_t)             of one side, with the name of its parameters
    LogDensity        log p(x_t | x_{1:t-1}, z_t)
    Expectation       E_{q(z_t | x_{1:T})}[ ... ]
    KullbackLeibler   D_KL( q(z_t | ...) || p(z_t | ...) )
    Sum               sympy's own, over t = 1..T

All are immutable, hashable and canonical: what a density is of, and what it is given, is sorted by name. A
frame outside 1..T is absent. With `steps.py` this is the only module that imports sympy; the printers read an
expression through the functions below and through `isinstance`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeAlias

from sympy import Add, Basic, Expr, Integer, Sum, Symbol, Tuple
from sympy.core.symbol import Str

from dvaec.spec.model import Conditional, Parent, Side, Spec
from dvaec.spec.notation import windows
from dvaec.spec.offsets import ALL, NOW, Offsets, union, window

__all__ = ["Add", "Sum"]  # sympy's own, for the printers

Formula: TypeAlias = Expr

t = Symbol("t", integer=True, positive=True)
T = Symbol("T", integer=True, positive=True)


class Slice(Basic):  # type: ignore[misc]
    """A variable at some frames: a union of ranges (start, stop, stride), both ends included.

    Bounds are expressions in t and T. A negative stride counts from the stop down, a positive one from the
    start up. Without ranges the variable is of sequence level.
    """

    def __new__(cls, name: Str, ranges: Tuple) -> Slice:
        node: Slice = Basic.__new__(cls, name, ranges)
        return node

    @property
    def name(self) -> str:
        """The variable's name."""
        return str(self.args[0].name)

    @property
    def framed(self) -> bool:
        """Whether it has frames; False for a variable of sequence level."""
        return bool(self.args[1])

    @property
    def offsets(self) -> Offsets | None:
        """The frames relative to t, or None for a variable of sequence level."""
        ranges = self.args[1]
        return union(_offsets(*one) for one in ranges) if ranges else None

    def frames(self, length: int) -> tuple[int, ...]:
        """The frames within 1..length, in increasing order; the bounds must be numbers by now."""
        found: set[int] = set()
        for start, stop, stride in self.args[1]:
            low, high, step = int(start), int(stop), int(stride)
            members = range(low, high + 1, step) if step > 0 else range(high, low - 1, step)
            found.update(frame for frame in members if 1 <= frame <= length)
        return tuple(sorted(found))


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
    """D_KL(q || p) of two densities of the same slice, a function of what either is given."""

    is_commutative = True

    def __new__(cls, q: Density, p: Density) -> KullbackLeibler:
        node: KullbackLeibler = Expr.__new__(cls, q, p)
        return node

    @property
    def q(self) -> Density:
        """The distribution that the mean is taken under."""
        return _density(self.args[0])

    @property
    def p(self) -> Density:
        """The distribution that is compared with it."""
        return _density(self.args[1])


def slice_of(name: str, offsets: Offsets | None) -> Slice:
    """Build the slice of a variable at frames relative to t; None for a variable of sequence level."""
    ranges = []
    for one in windows(offsets) if offsets is not None else ():
        start = Integer(1) if one.start is None else t + one.start
        stop = T if one.stop is None else t + one.stop
        downwards = one.start is None and one.stride != 1
        ranges.append(Tuple(start, stop, Integer(-one.stride if downwards else one.stride)))
    return Slice(Str(name), Tuple(*ranges))


def whole(spec: Spec, names: Iterable[str]) -> tuple[Slice, ...]:
    """Return the slices of whole variables: x_{1:T}, or v for one of sequence level."""
    return tuple(slice_of(name, ALL if spec.variable(name).framed else None) for name in names)


def conditional_density(spec: Spec, side: Side, conditional: Conditional) -> Density:
    """Return p(target_t | parents) or q(target_t | parents) with the windows of `conditional`."""
    of = slice_of(conditional.target, NOW)
    given = slices(conditional.parents)
    return Density.of_side(side, _parameters(spec, side, conditional.target), (of,), given)


def slices(parents: Iterable[Parent]) -> tuple[Slice, ...]:
    """Return parents as slices."""
    return tuple(slice_of(parent.name, parent.offsets) for parent in parents)


def parents_of(found: Iterable[Slice]) -> tuple[Parent, ...]:
    """Return slices as parents: the inverse of `slices`."""
    return tuple(Parent(one.name, one.offsets) for one in found)


def over_time(body: Expr) -> Formula:
    """Return the sum of `body` over t = 1..T."""
    return Sum(body, (t, 1, T))


def at_length(formula: Formula, length: int) -> Formula:
    """Return `formula` for sequences of `length` frames."""
    return formula.subs(T, length)


def at_frame(formula: Formula, frame: int) -> Formula:
    """Return `formula`, the body of a sum over time, at one frame."""
    return formula.subs(t, frame)


def summands(formula: Formula, rank: Sequence[str]) -> tuple[tuple[int, Formula], ...]:
    """Return the terms of a sum as (sign, term): positive ones first, then by the variable they speak of.

    `rank` lists the variables' names in the order wanted.
    """
    signed = []
    for term in Add.make_args(formula):
        sign, rest = term.as_coeff_Mul()
        signed.append((int(sign), rest))
    return tuple(sorted(signed, key=lambda pair: (-pair[0], rank.index(subject(pair[1])))))


def subject(formula: Formula) -> str:
    """Return the name of the first variable, by name, that the first density in `formula` is of."""
    densities = formula.atoms(LogDensity, KullbackLeibler)
    names = sorted(one.args[0].of[0].name for one in densities)
    return str(names[0])


def _parameters(spec: Spec, side: Side, target: str) -> str:
    if side is Side.Q:
        return "phi"
    conditional = next(c for c in spec.generation if c.target == target)
    head = spec.head(side, target)
    standard = target in spec.latents and not conditional.parents and not (head is not None and head.learned)
    return "" if standard else f"theta_{target}"


def _density(node: Basic) -> Density:
    assert isinstance(node, Density)
    return node


def _sorted(found: Iterable[Slice]) -> Tuple:
    return Tuple(*sorted(found, key=lambda one: one.name))


def _offsets(start: Expr, stop: Expr, stride: Integer) -> Offsets:
    low = None if start == 1 else int(start - t)
    high = None if stop == T else int(stop - t)
    return window(low, high, abs(int(stride)))
