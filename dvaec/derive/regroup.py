"""The same bound with its terms gathered as the review gathers some: (11.24), (6.18).

Both follow from the tower property: the mean under q is the mean, under what q draws first, of the mean of
the rest given it.
"""

from __future__ import annotations

from collections.abc import Iterable

from sympy import Add, Expr

from dvaec.derive.expression import (
    Density,
    Expectation,
    Formula,
    KullbackLeibler,
    LogDensity,
    Sum,
    coefficient,
    limits,
    over_time,
    whole,
)
from dvaec.derive.factors import Factors, by_key, generative, given_names
from dvaec.derive.model import Elbo, Estimator
from dvaec.derive.order import components
from dvaec.derive.steps import Step, derivation_steps
from dvaec.spec.model import Conditional, Side, Spec


def regroupings(spec: Spec, inference: tuple[Conditional, ...], elbo: Elbo) -> tuple[Step, ...]:
    """Return the bound in the other forms that it has: whole sequences, sequence-level latents outermost."""
    found = []
    if (formula := nested(spec, inference, elbo)) is not None:
        words = "the mean over what q draws first for the whole sequence, taken last (11.24)"
        found.append(Step("nested", words, formula))
    if (formula := by_sweeps(spec, inference, elbo)) is not None:
        words = "whole sequences, and one divergence for what q draws last (6.18)"
        found.append(Step("whole sequences", words, formula))
    return tuple(found)


def nested(spec: Spec, inference: tuple[Conditional, ...], elbo: Elbo) -> Formula | None:
    """Take the mean over the sequence-level latents that q draws first out of all terms that have it.

    None where q draws none first, no term has a mean over one of them, or only one term has it and means
    nothing else: there the sum over t and the mean would change places, and nothing else.
    """
    outer: list[str] = []
    for sweep in spec.order:
        if not sweep.latents or any(spec.variable(name).framed for name in sweep.latents):
            break
        outer += sweep.latents
    inside, outside, used = [], [], []
    for part in Add.make_args(derivation_steps(spec, inference, elbo)[-1].expression):
        factor, term = coefficient(part)
        mean = term.function if isinstance(term, Sum) else term
        over = [s.name for s in mean.measure.of if s.name in outer] if isinstance(mean, Expectation) else []
        if not over:
            outside.append(part)
            continue
        used += over
        ends = limits(term) if isinstance(term, Sum) else None
        inside.append((factor, mean, ends))
    if not any(_splits(mean, used) for _, mean, _ in inside) and len(inside) < 2:
        return None
    taken = whole(spec, [name for name in outer if name in used])
    given = whole(spec, given_names(spec))
    sign = -1 if all(factor.could_extract_minus_sign() for factor, _, _ in inside) else 1
    parts = (sign * factor * _summed(_given(mean, used, taken), ends) for factor, mean, ends in inside)
    measure = Density.of_side(Side.Q, "phi", taken, given)
    return Add(sign * Expectation(measure, Add(*parts)), *outside)


def by_sweeps(spec: Spec, inference: tuple[Conditional, ...], elbo: Elbo) -> Formula | None:
    """Write whole sequences: a mean over the earlier sweeps of one divergence of the last.

    E_q(a)[ log p(x | a) - log q(a) - KL(q(z | a) || p(a | z) p(z)) ], where some earlier latent's own
    divergence has no closed form, as the last sweep is drawn from it, and nothing observed reads the last
    sweep; else None.
    """
    if len(spec.order) < 2 or spec.early:
        return None
    last = spec.order[-1].latents
    crossed = any(t.estimator is Estimator.LOG_RATIO and t.target not in last for t in elbo.terms)
    if not crossed:
        return None
    p, q = generative(spec), by_key(inference)
    apart: list[Density] = []
    together: list[Density] = []
    for group in reversed(components(spec, p)):
        density = _whole_density(spec, Side.P, group, p)
        reads_last = any(one.name in last for one in (*density.of, *density.given))
        if reads_last and any(one.name not in spec.latents for one in density.of):
            return None
        (together if reads_last else apart).append(density)
    earlier = [_whole_density(spec, Side.Q, sweep.latents, q) for sweep in spec.order[:-1]]
    body = Add(
        *(LogDensity(one) for one in apart),
        *(-LogDensity(one) for one in earlier),
        -KullbackLeibler(_whole_density(spec, Side.Q, last, q), *together),
    )
    drawn = [name for sweep in spec.order[:-1] for name in sweep.latents]
    seen = {one.name for density in earlier for one in density.given}
    given = [name for name in given_names(spec) if name in seen]
    measure = Density.of_side(Side.Q, "phi", whole(spec, drawn), whole(spec, given))
    return Expectation(measure, body)


def _whole_density(spec: Spec, side: Side, group: tuple[str, ...], factors: Factors) -> Density:
    """The product over time of the factors of a group: its density given all frames of what it reads."""
    read = {p.name for (name, _), c in factors.items() if name in group for p in c.parents}
    given = [v.name for v in spec.variables if v.name in read and v.name not in group]
    weights = "phi" if side is Side.Q else f"theta_{group[0]}" if len(group) == 1 else "theta"
    return Density.of_side(side, weights, whole(spec, group), whole(spec, given))


def _splits(mean: Expectation, outer: Iterable[str]) -> bool:
    """Whether a mean is over others, too."""
    return any(one.name not in outer for one in mean.measure.of)


def _given(mean: Expectation, outer: Iterable[str], taken: Iterable[Expr]) -> Formula:
    """The mean over what is left of a measure, given what was taken out of it."""
    rest = [one for one in mean.measure.of if one.name not in outer]
    if not rest:
        return mean.body
    return Expectation(Density.of_side(Side.Q, "phi", rest, (*mean.measure.given, *taken)), mean.body)


def _summed(body: Formula, ends: tuple[int, int] | None) -> Formula:
    return body if ends is None else over_time(body, *ends)
