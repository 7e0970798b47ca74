"""Formulas as text: one walk over an expression, two notations as data, LaTeX and Unicode.

Conditions are written in the review's order (`dvaec.emit.conditions`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from dvaec.derive.expression import (
    PLACES,
    Add,
    Density,
    Expectation,
    Formula,
    KullbackLeibler,
    LogDensity,
    Slice,
    Sum,
    coefficient,
    conditional_density,
    lengths_of,
    limits,
    slices,
    subject,
    summands,
    target_slice,
    whole,
)
from dvaec.derive.model import TermKey
from dvaec.emit.conditions import P_ORDER, Q_ORDER, place
from dvaec.spec.model import LAST, Conditional, Parent, Role, Side, Spec


@dataclass(frozen=True)
class Notation:
    """How each kind of node is written; the patterns have their parts' names in braces."""

    variable: Callable[[str, str | None], str]  # from a name and a subscript; None at sequence level
    symbol: Callable[[str, str], str]  # from "p" or "q" and the name of the parameters
    density: str
    conditional: str
    log: str
    mean: str
    divergence: str
    sum_over: Callable[[int, int], str]  # the sign of a sum over t = first..T - left
    product_over: Callable[[int, int], str]
    there: Callable[[str], str]  # [T > 1] in front of a term, from what stands in the brackets
    where_longer: str  # a factor of a product that is there where T > 1
    group: str
    bound: str
    equation: str
    plus: str
    minus: str
    comma: str = ", "


class FormulaWriter:
    """Writes the formulas of one spec in one notation."""

    def __init__(self, spec: Spec, notation: Notation) -> None:
        self.spec = spec
        self._notation = notation
        observed = {v.name for v in spec.having(Role.OBSERVED)}
        states = (state.name for state in spec.states)
        self._rank = (*(c.target for c in spec.generation if c.target in observed), *spec.latents, *states)

    def formula(self, formula: Formula) -> str:
        """Write an expression on one line."""
        n = self._notation
        if isinstance(formula, LogDensity):
            return n.log.format(body=self.density(formula.density))
        if isinstance(formula, KullbackLeibler):
            product = " ".join(self.density(one) for one in formula.p)
            return n.divergence.format(q=self.density(formula.q), p=product)
        if isinstance(formula, Expectation):
            return n.mean.format(measure=self.density(formula.measure), body=self.formula(formula.body))
        if isinstance(formula, Sum):
            return f"{n.sum_over(*limits(formula))} {self._grouped(formula.function)}"
        if there := lengths_of(formula):
            return f"{n.there(there)} {self._grouped(coefficient(formula)[1])}"
        return "".join(self.lines(formula)).lstrip()

    def lines(self, formula: Formula) -> tuple[str, ...]:
        """Write a sum as one text per term, each but a first positive one beginning with its sign."""
        parts = []
        for position, (sign, term) in enumerate(summands(formula, self._rank)):
            mark = self._notation.minus if sign < 0 else self._notation.plus
            parts.append(self.formula(term) if position == 0 and sign > 0 else mark + self.formula(term))
        return tuple(parts)

    def _grouped(self, body: Formula) -> str:
        text = self.formula(body)
        return self._notation.group.format(body=text) if isinstance(body, Add) else text

    def terms(self, formula: Formula) -> dict[TermKey, str]:
        """Write the terms of a sum without their signs, by the key of each term of the bound."""
        found = [(subject(term), term) for _, term in summands(formula, self._rank)]
        return {(of.name, of.frame, lengths_of(term)): self.formula(term) for of, term in found}

    def density(self, density: Density, *, latents_first: bool | None = None) -> str:
        """Write p(... | ...) or q(... | ...); unless said otherwise, q has the latents first."""
        if latents_first is None:
            latents_first = density.side is Side.Q
        of = self.slices(density.of)
        given = self.slices(density.given, latents_first=latents_first)
        symbol = self._notation.symbol(density.side.value, density.parameters)
        pattern = self._notation.conditional if given else self._notation.density
        return pattern.format(symbol=symbol, of=of, given=given)

    def slices(self, found: Iterable[Slice], *, latents_first: bool = False) -> str:
        """Write variables with their frames, separated by commas; a union of windows is one entry each."""
        order = Q_ORDER if latents_first else P_ORDER
        ordered = sorted(found, key=lambda one: place(self.spec, order, one.name))
        return self._notation.comma.join(text for one in ordered for text in self._slice(one))

    def target(self, name: str, frame: int | None = None) -> str:
        """Write a variable at t, at one numbered frame, or of sequence level."""
        return self.slices((target_slice(self.spec, name, frame),))

    def parents(self, parents: Iterable[Parent], frame: int | None = None) -> str:
        """Write parents with their windows, as in the condition of q at t, or at a frame of its own."""
        return self.slices(slices(self.spec, parents, frame), latents_first=True)

    def conditional(self, side: Side, conditional: Conditional) -> str:
        """Write one factor of p or q."""
        return self.density(conditional_density(self.spec, side, conditional, conditional.frame))

    def posterior(self, conditional: Conditional) -> str:
        """Write one factor of p's exact posterior, which has all of p's parameters."""
        factor = conditional_density(self.spec, Side.Q, conditional, conditional.frame)
        exact = Density.of_side(Side.P, "theta", factor.of, factor.given)
        return self.density(exact, latents_first=True)

    def bound(self) -> str:
        """Write L(theta, phi; x_{1:T}, u_{1:T})."""
        names = [v.name for role in (Role.OBSERVED, Role.INPUT) for v in self.spec.having(role)]
        return self._notation.bound.format(given=self.slices(whole(self.spec, names)))

    def joint(self) -> str:
        """Write p(x_{1:T}, z_{1:T} | u_{1:T}) as the product over time of its factors."""
        random = [v.name for role in (Role.OBSERVED, Role.LATENT) for v in self.spec.having(role)]
        inputs = [v.name for v in self.spec.having(Role.INPUT)]
        joint = Density.of_side(Side.P, "theta", whole(self.spec, random), whole(self.spec, inputs))
        factors = (*self.spec.generation, *self.spec.numbered)
        return self._product(self.density(joint), factors, lambda c: self.conditional(Side.P, c))

    def inference(self, inference: Iterable[Conditional]) -> str:
        """Write q(z_{1:T} | x_{1:T}, u_{1:T}) as the product over time of its factors."""
        factors = tuple(inference)
        return self._product(self._given_all(Side.Q, "phi"), factors, lambda c: self.conditional(Side.Q, c))

    def exact(self, factors: Iterable[Conditional]) -> str:
        """Write p(z_{1:T} | x_{1:T}, u_{1:T}) as the product over time of its factors."""
        return self._product(self._given_all(Side.P, "theta"), tuple(factors), self.posterior)

    def _given_all(self, side: Side, parameters: str) -> str:
        latents = whole(self.spec, self.spec.latents)
        given = [v.name for role in (Role.OBSERVED, Role.INPUT) for v in self.spec.having(role)]
        return self.density(Density.of_side(side, parameters, latents, whole(self.spec, given)))

    def _product(
        self, whole_density: str, factors: Sequence[Conditional], write: Callable[[Conditional], str]
    ) -> str:
        """Write a joint density as its factors, if it has several: those without t, then products over t."""
        numbered = sorted((c for c in factors if c.frame is not None), key=lambda c: PLACES[c.frame])
        generic = [c for c in factors if c.frame is None]
        static = [c for c in generic if not self.spec.variable(c.target).framed]
        parts = [write(c) for c in (*static, *(c for c in numbered if c.frame != LAST))]
        own = {(c.target, c.frame) for c in numbered}
        over = {c.target: (1 + ((c.target, 1) in own), int((c.target, LAST) in own)) for c in generic}
        for ends in sorted(set(over.values())):
            if framed := [c for c in generic if c not in static and over[c.target] == ends]:
                parts += [self._notation.product_over(*ends), *(write(c) for c in framed)]
        for c in (c for c in numbered if c.frame == LAST):
            beside = (c.target, 1) in own  # the one that speaks where T is 1
            parts.append(self._notation.where_longer.format(body=write(c)) if beside else write(c))
        if parts == [whole_density]:  # one factor, which is all there is
            return whole_density
        return self._notation.equation.format(whole=whole_density, factors=" ".join(parts))

    def _slice(self, one: Slice) -> list[str]:
        if not one.framed:
            return [self._notation.variable(one.name, None)]
        return [self._notation.variable(one.name, below(*one_range)) for one_range in one.ranges]


def below(start: Formula, stop: Formula, stride: Formula) -> str:
    """Return a range of frames as a subscript: `t-1`, `1:t-1`, `t:T:2`, `0`, `T`."""
    if start == stop:
        return _bound(start)
    step = abs(int(stride))
    return f"{_bound(start)}:{_bound(stop)}" + (f":{step}" if step > 1 else "")


def _bound(bound: Formula) -> str:
    """Return t, t-1, T or a number."""
    offset, moment = bound.as_coeff_Add()
    if moment == 0:
        return str(offset)
    return f"{moment}{int(offset):+d}" if offset else str(moment)
