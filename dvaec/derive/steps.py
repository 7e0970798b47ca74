"""From the definition of the bound to its specialised form, by rewriting one expression step after step.

Every step returns an expression equal to the one before, for every p and q that have the declared windows;
what makes it legal is said in the step's justification. None knows a model: each looks only at densities and
their slices.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sympy import Add, Expr

from dvaec.derive.expression import (
    WHERE,
    Density,
    Expectation,
    Formula,
    KullbackLeibler,
    LogDensity,
    Slice,
    Sum,
    alone,
    coefficient,
    conditional_density,
    density_alone,
    limits,
    over_time,
    slices,
    target_slice,
    united,
    whole,
)
from dvaec.derive.factors import meet, placed, serving, speaking, summed_over
from dvaec.derive.model import Elbo, Lengths, Term, TermKey
from dvaec.derive.order import earlier
from dvaec.derive.setting import Setting, setting_of
from dvaec.spec.model import Conditional, Role, Side, Spec


@dataclass(frozen=True)
class Step:
    """One line of the derivation: its expression, what was done and why that is legal."""

    name: str
    justification: str
    expression: Formula


def derivation_steps(spec: Spec, inference: tuple[Conditional, ...], elbo: Elbo) -> tuple[Step, ...]:
    """Return the derivation of the bound from (4.22); the last step is the specialised bound of `elbo`."""
    setting = setting_of(spec, inference, elbo)
    rules: tuple[tuple[str, str, Callable[[Formula, Setting], Formula]], ...] = (
        ("chain rule", _order_words(setting), chain_rule),
        ("dependencies", "the conditional independences of p, and the declared windows of q", dependencies),
        ("linearity", "linearity: the expectation of a sum is the sum of the expectations", linearity),
        ("marginals", "marginalisation: latents that an integrand does not read integrate to one", marginals),
        ("divergences", "the definition of the divergence: log q - log p, averaged over the target under q, "
         "where p's conditional reads nothing that q draws from the target", divergences),
    )  # fmt: skip
    steps = [Step("definition", "the evidence lower bound of a sequence (4.22)", bound(setting))]
    if not spec.latents:
        steps = [Step("definition", "the log-likelihood, since nothing is latent", bound(setting))]
        rules = rules[:2]
    for name, justification, rule in rules:
        steps.append(Step(name, justification, rule(steps[-1].expression, setting)))
    return tuple(steps)


def auxiliary_formula(spec: Spec, inference: tuple[Conditional, ...], elbo: Elbo) -> Formula | None:
    """Return what a surrogate objective adds to the bound (8.4), or None where nothing is added."""
    setting = setting_of(spec, inference, elbo)
    parts = []
    for term in elbo.auxiliary:
        body = LogDensity(_auxiliary_density(spec, term))
        read = slices(spec, term.expectation)
        parts.append(over_time(_mean(setting, read, body)))
    return Add(*parts) if parts else None


def _order_words(setting: Setting) -> str:
    blocks = [b for side in (Side.P, Side.Q) for b in setting.blocks[side] or ()]
    if setting.blocks[Side.P] is None:
        if setting.blocks[Side.Q] is None:
            return "the factors of p and of q"
        return "the factors of p, and the chain rule in q's order (4.21)"
    if setting.blocks[Side.Q] is None:
        return "the chain rule in p's order (4.4), and the factors of q"
    if all(not b.backward and not any(b.shifts) for b in blocks) and len(blocks) <= 2:
        return "the chain rule, frame by frame, each side in its order (4.4), (4.21)"
    return "the chain rule, block by block and frame by frame, each side in its order (4.4), (4.21)"


def bound(setting: Setting) -> Formula:
    """E_q(z | x, u)[ log p(x, z | u) - log q(z | x, u) ], every variable over all its frames (4.22).

    Without latents it is log p(x | u) itself.
    """
    spec = setting.spec
    latent = whole(spec, setting.names(Role.LATENT))
    observed = whole(spec, setting.names(Role.OBSERVED))
    inputs = whole(spec, setting.names(Role.INPUT))
    joint = Density.of_side(Side.P, "theta", (*observed, *latent), inputs)
    if not latent:
        return LogDensity(joint)
    posterior = Density.of_side(Side.Q, "phi", latent, (*observed, *inputs))
    return Expectation(posterior, LogDensity(joint) - LogDensity(posterior))


def chain_rule(formula: Formula, setting: Setting) -> Formula:
    """Split the log-density of whole sequences into one factor per variable and frame.

    Each is given all that came before it in its side's order and what the joint was given (4.4), (4.21).
    """

    def split(log: LogDensity) -> Formula:
        density = log.density
        sums: dict[tuple[int, int], list[Expr]] = {}
        single = []
        for name in setting.targets(density.side):
            for frame in setting.frames[name]:
                factor = LogDensity(_factor(setting, density, name, frame))
                if frame is None and setting.spec.variable(name).framed:
                    sums.setdefault(summed_over(setting.frames[name]), []).append(factor)
                else:
                    single.append(WHERE[setting.there(name, frame, density.side)] * factor)
        return Add(*single, *(over_time(Add(*bodies), *ends) for ends, bodies in sums.items()))

    return _rewrite(formula, LogDensity, split)


def _factor(setting: Setting, joint: Density, name: str, frame: int | None) -> Density:
    """One factor of a joint density: given all that is earlier, or its parents where no blocks order it."""
    spec, blocks = setting.spec, setting.blocks[joint.side]
    if blocks is None:
        return conditional_density(spec, joint.side, serving(setting.factors[joint.side], name, frame), frame)
    before = placed(spec, Conditional(name, earlier(spec, blocks, name, frame)), frame)
    given = (*slices(spec, before, frame), *joint.given)
    of = target_slice(spec, name, frame)
    return Density.of_side(joint.side, _weights(joint, name), (of,), given)


def dependencies(formula: Formula, setting: Setting) -> Formula:
    """Give every conditional its own parents only: p's as declared, q's as chosen."""

    def narrow(log: LogDensity) -> Formula:
        side, target = log.density.side, log.density.of[0]
        conditional = serving(setting.factors[side], target.name, target.frame)
        return LogDensity(conditional_density(setting.spec, side, conditional, target.frame))

    return _rewrite(formula, LogDensity, narrow)


def linearity(formula: Formula, setting: Setting) -> Formula:
    """Take sums, over terms and over t, out of every expectation."""
    del setting

    def spread(expectation: Expectation) -> Formula:
        return _spread(expectation.body, lambda body: Expectation(expectation.measure, body))

    return _rewrite(formula, Expectation, spread)


def marginals(formula: Formula, setting: Setting) -> Formula:
    """Restrict every expectation to the latents that its integrand reads; drop those left with none."""

    def restrict(expectation: Expectation) -> Formula:
        read = [one for density in _densities(expectation.body) for one in (*density.of, *density.given)]
        return _mean(setting, read, expectation.body)

    return _rewrite(formula, Expectation, restrict)


def divergences(formula: Formula, setting: Setting) -> Formula:
    """Gather E[log p] - E[log q] of each latent; make it a mean of -KL(q || p) where that has a closed form.

    The mean over the target given its parents in q comes first: as the other latents that p's conditional
    reads are then independent of the target, it is the divergence. Elsewhere both logarithms stay together.
    Where T is 1, the lines that speak may be of frame 1 on one side and of frame T on the other.
    """
    parts = {
        (d.side, d.of[0].name, d.of[0].frame): (d, part)
        for part in Add.make_args(formula)
        for d in _densities(part)
    }
    rest = formula
    gathered = []
    for name in setting.targets(Side.Q):
        for frame in setting.frames[name]:
            q, q_part = parts[Side.Q, name, frame]
            p, p_part = parts[Side.P, name, frame]
            rest = rest - q_part - p_part
            body = _difference(setting, q, p, (name, frame, (there := setting.there(name, frame))))
            if frame is None and setting.spec.variable(name).framed:
                body = over_time(body, *summed_over(setting.frames[name]))
            gathered.append(-WHERE[there] * body)
        if meet(name, *setting.factors.values()):
            sides = [(side, name, speaking(setting.factors[side], name)) for side in (Side.Q, Side.P)]
            q, p = (density_alone(parts[one][0]) for one in sides)
            gathered.append(-WHERE[Lengths.ONE] * _difference(setting, q, p, (name, 1, Lengths.ONE)))
    return Add(rest, *gathered)


def _difference(setting: Setting, q: Density, p: Density, key: TermKey) -> Formula:
    """The mean of log q - log p, as a divergence where it has a closed form."""
    read: Iterable[Slice] = (*q.given, *p.given)
    if key[-1] is Lengths.ONE:
        read = [there for one in read if (there := alone(one)) is not None]
    if key in setting.analytic:
        return _mean(setting, read, KullbackLeibler(q, p))
    itself = target_slice(setting.spec, *key[:2])
    return _mean(setting, (itself, *read), LogDensity(q) - LogDensity(p))


def _auxiliary_density(spec: Spec, term: Term) -> Density:
    of = target_slice(spec, term.target)
    return Density.of_side(Side.P, f"xi_{term.target}", (of,), slices(spec, term.p.parents))


def _weights(joint: Density, name: str) -> str:
    return joint.parameters if joint.side is Side.Q else f"theta_{name}"


def _mean(setting: Setting, read: Iterable[Slice], body: Expr) -> Formula:
    """The mean of `body` under q's marginal of the latents among `read`, given all that is observed."""
    latent = united(one for one in read if one.name in setting.spec.latents)
    if not latent:
        return body
    given = whole(setting.spec, (*setting.names(Role.OBSERVED), *setting.names(Role.INPUT)))
    return Expectation(Density.of_side(Side.Q, "phi", latent, given), body)


def _spread(body: Expr, wrap: Callable[[Expr], Expr]) -> Formula:
    """Apply a linear `wrap` to the innermost summands of `body`."""
    parts = []
    for term in Add.make_args(body):
        factor, rest = coefficient(term)
        if isinstance(rest, Sum):
            ends = limits(rest)
            parts += [factor * over_time(wrap(inner), *ends) for inner in Add.make_args(rest.function)]
        else:
            parts.append(factor * wrap(rest))
    return Add(*parts)


def _densities(formula: Formula) -> tuple[Density, ...]:
    return tuple(log.density for log in formula.atoms(LogDensity))


def _rewrite(formula: Formula, kind: type, rule: Callable[[Expr], Expr]) -> Formula:
    """Replace every node of `kind` by what `rule` makes of it."""
    return formula.xreplace({node: rule(node) for node in formula.atoms(kind)})
