"""From the definition of the bound to its specialised form, by rewriting one expression step after step.

Every step returns an expression equal to the one before, for every p and q that have the declared windows;
what makes it legal is said in the step's justification. None knows a model: each looks only at densities and
their slices.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sympy import Add, Expr

from dvaec.derive.elbo import latent_windows
from dvaec.derive.expression import (
    Density,
    Expectation,
    Formula,
    KullbackLeibler,
    LogDensity,
    Sum,
    conditional_density,
    over_time,
    parents_of,
    slices,
    whole,
)
from dvaec.derive.model import Elbo, Estimator
from dvaec.spec.model import Conditional, Parent, Role, Side, Spec
from dvaec.spec.offsets import NOW, window

PAST = window(None, -1)


@dataclass(frozen=True)
class Step:
    """One line of the derivation: its expression, what was done and why that is legal."""

    name: str
    justification: str
    expression: Formula


@dataclass(frozen=True)
class Setting:
    """What the rewriting rules look things up in: p, q, and which divergences have a closed form."""

    spec: Spec
    inference: tuple[Conditional, ...]
    analytic: frozenset[str]

    def names(self, role: Role) -> tuple[str, ...]:
        """The variables of one role."""
        return tuple(v.name for v in self.spec.having(role))


def derivation_steps(spec: Spec, inference: tuple[Conditional, ...], elbo: Elbo) -> tuple[Step, ...]:
    """Return the derivation of the bound from (4.22); the last step is the specialised bound of `elbo`."""
    analytic = (term.target for term in elbo.terms if term.estimator is Estimator.ANALYTIC and term.q)
    setting = Setting(spec, inference, frozenset(analytic))
    rules: tuple[tuple[str, str, Callable[[Formula, Setting], Formula]], ...] = (
        ("chain rule", "the chain rule, frame by frame, each side in its order (4.4), (4.21)", chain_rule),
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


def bound(setting: Setting) -> Formula:
    """E_q(z | x, u)[ log p(x, z | u) - log q(z | x, u) ], every variable over 1..T (4.22).

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

    p's variables come in generative order, q's in its own; each is given all that came before it in its order
    and what the joint was given (4.4), (4.21).
    """
    generative = tuple(c.target for c in setting.spec.generation)

    def split(log: LogDensity) -> Formula:
        density = log.density
        order = generative if density.side is Side.P else tuple(c.target for c in setting.inference)
        factors = []
        for position, name in enumerate(order):
            earlier = [Parent(other, PAST | NOW if other in order[:position] else PAST) for other in order]
            given = (*slices(earlier), *density.given)
            of = conditional_density(setting.spec, density.side, Conditional(name, ()))
            factors.append(LogDensity(Density.of_side(density.side, _weights(density, name), of.of, given)))
        return over_time(Add(*factors))

    return _rewrite(formula, LogDensity, split)


def dependencies(formula: Formula, setting: Setting) -> Formula:
    """Give every conditional its own parents only: p's as declared, q's as chosen."""
    chosen = {(Side.P, c.target): c for c in setting.spec.generation}
    chosen |= {(Side.Q, c.target): c for c in setting.inference}

    def narrow(log: LogDensity) -> Formula:
        key = (log.density.side, log.density.of[0].name)
        return LogDensity(conditional_density(setting.spec, key[0], chosen[key]))

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
        return _mean(setting, parents_of(read), expectation.body)

    return _rewrite(formula, Expectation, restrict)


def divergences(formula: Formula, setting: Setting) -> Formula:
    """Gather E[log p] - E[log q] of each latent; make it a mean of -KL(q || p) where that has a closed form.

    The mean over the target given its parents in q comes first: as the other latents that p's conditional
    reads are then independent of the target, it is the divergence. Elsewhere both logarithms stay together.
    """
    parts = {(d.side, d.of[0].name): (d, part) for part in Add.make_args(formula) for d in _densities(part)}
    rest = formula
    gathered = []
    for conditional in setting.inference:
        name = conditional.target
        q, q_part = parts[Side.Q, name]
        p, p_part = parts[Side.P, name]
        rest = rest - q_part - p_part
        read = parents_of((*q.given, *p.given))
        if name in setting.analytic:
            body = _mean(setting, read, KullbackLeibler(q, p))
        else:
            body = _mean(setting, (Parent(name, NOW), *read), LogDensity(q) - LogDensity(p))
        gathered.append(-over_time(body))
    return Add(rest, *gathered)


def _weights(joint: Density, name: str) -> str:
    return joint.parameters if joint.side is Side.Q else f"theta_{name}"


def _mean(setting: Setting, read: Iterable[Parent], body: Expr) -> Formula:
    """The mean of `body` under q's marginal of the latents among `read`, given all that is observed."""
    latent = latent_windows(setting.spec, read)
    if not latent:
        return body
    given = whole(setting.spec, (*setting.names(Role.OBSERVED), *setting.names(Role.INPUT)))
    return Expectation(Density.of_side(Side.Q, "phi", slices(latent), given), body)


def _spread(body: Expr, wrap: Callable[[Expr], Expr]) -> Formula:
    """Apply a linear `wrap` to the innermost summands of `body`."""
    parts = []
    for term in Add.make_args(body):
        factor, rest = term.as_coeff_Mul()
        if isinstance(rest, Sum):
            parts += [factor * over_time(wrap(inner)) for inner in Add.make_args(rest.function)]
        else:
            parts.append(factor * wrap(rest))
    return Add(*parts)


def _densities(formula: Formula) -> tuple[Density, ...]:
    return tuple(log.density for log in formula.atoms(LogDensity))


def _rewrite(formula: Formula, kind: type, rule: Callable[[Expr], Expr]) -> Formula:
    """Replace every node of `kind` by what `rule` makes of it."""
    return formula.xreplace({node: rule(node) for node in formula.atoms(kind)})
