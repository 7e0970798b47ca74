"""The evidence lower bound of one p and one q, term by term.

With q's chain-rule order known, (4.22) splits into

      sum_x sum_t E_q[ log p(x_t | parents) ]
    - sum_z sum_t E_q[ log q(z_t | parents) - log p(z_t | parents) ],

the general form of (4.24); a sequence-level variable has one term without a sum, and a frame with a
conditional of its own a term of its own. Each expectation runs over the latents of its integrand only, and a
difference of log-densities becomes a Kullback-Leibler divergence under q's own conditional where that is
legal. This module decides; `dvaec.derive.expression` is the same bound as mathematics.
"""

from __future__ import annotations

from collections.abc import Sequence

from dvaec.derive.descent import Route, route_from_target
from dvaec.derive.draws import drawn_alone, drawn_for, schedule
from dvaec.derive.factors import (
    alone,
    by_key,
    generative,
    given_names,
    latent_windows,
    meet,
    placed,
    serving,
    speaking,
    summed_over,
    term_frames,
    there,
    united,
)
from dvaec.derive.model import Elbo, Estimator, Lengths, Term, TermKey, TermKind
from dvaec.derive.order import placed_in_order
from dvaec.network.unfold import unfold
from dvaec.spec.model import Conditional, Family, Parent, Role, Spec, Variable
from dvaec.spec.notation import frame_word, listed
from dvaec.spec.offsets import NOW

CLOSED_FORMS: frozenset[tuple[Family, Family]] = frozenset(
    {
        (Family.GAUSSIAN, Family.GAUSSIAN),
        (Family.FULL_GAUSSIAN, Family.FULL_GAUSSIAN),
        (Family.LAPLACE, Family.LAPLACE),
        (Family.CATEGORICAL, Family.CATEGORICAL),
    }
)
"""Pairs of families (q's, p's) whose Kullback-Leibler divergence has a closed form."""


def elbo_terms(spec: Spec, inference: tuple[Conditional, ...]) -> Elbo:
    """Return the terms: a reconstruction per observed variable, then a divergence per latent in q's order.

    Terms of single frames come before the sum over the others, one of T = 1 alone last. `inference` holds
    q's conditionals in chain-rule order. Raises ValueError where a latent has none.
    """
    q_of, p_of = by_key(inference), generative(spec)
    missing = [
        v.name if frame is None else f"{v.name}_{frame_word(frame)}"
        for v in spec.having(Role.LATENT)
        for frame in ((0, None) if v.first == 0 else (None,))
        if (v.name, frame) not in q_of
    ]
    if missing:
        raise ValueError(f"q has no conditional for {', '.join(missing)}")
    observed = [c.target for c in spec.generation if spec.variable(c.target).role is Role.OBSERVED]
    terms = []
    for name in observed:
        frames = term_frames(spec, name, p_of)
        for f in frames:
            key = (name, f, there(name, f, frames, p_of))
            terms.append(_reconstruction(spec, serving(p_of, name, f), key, frames, inference))
    for name in dict.fromkeys(c.target for c in inference):
        frames = term_frames(spec, name, p_of, q_of)
        asked = []
        for frame in frames:
            p, q = serving(p_of, name, frame), serving(q_of, name, frame)
            asked.append((p, q, (name, frame, there(name, frame, frames, p_of, q_of))))
        if meet(name, p_of, q_of):
            p, q = (side[name, speaking(side, name)] for side in (p_of, q_of))
            asked.append((p, q, (name, 1, Lengths.ONE)))
        found = [_divergence(spec, *one, frames, inference) for one in asked]
        ratio = any(term.estimator is Estimator.LOG_RATIO for term in found if term.frame != 0)
        terms += [
            _divergence(spec, *one, frames, inference, ratio=True) if ratio and term.frame != 0 else term
            for one, term in zip(asked, found, strict=True)
        ]
    auxiliary = tuple(_auxiliary(spec, c, inference) for c in spec.auxiliary)
    return Elbo(tuple(terms), given_names(spec), auxiliary)


def families(spec: Spec, target: str) -> tuple[Family, Family]:
    """Return the families of q's and p's conditionals of one latent."""
    family = spec.variable(target).family
    return family, family


def at(variable: Variable, frame: int | None) -> str:
    """Name a variable where a term speaks of it: `z_t`, `z_0`, or `v` of a sequence."""
    if not variable.framed:
        return variable.name
    return f"{variable.name}_{'t' if frame is None else frame_word(frame)}"


def _reconstruction(
    spec: Spec, p: Conditional, key: TermKey, frames: tuple[int | None, ...], inference: Sequence[Conditional]
) -> Term:
    name, frame, lengths = key
    read = latent_windows(spec, placed(spec, p, frame))
    variable = spec.variable(name)
    estimator, reason = _log_density(at(variable, frame), read)
    sampled = drawn_for(spec, read, inference, frame)
    sequential, why = schedule(spec, sampled, inference, frame is None and variable.framed)
    return Term(
        TermKind.RECONSTRUCTION, name, p, None, read, sampled, estimator, sequential, reason, why,
        variable.framed, frame, *summed_over(frames), lengths,
    )  # fmt: skip


def _auxiliary(spec: Spec, p: Conditional, inference: Sequence[Conditional]) -> Term:
    read = latent_windows(spec, unfold(spec).seen(p.parents))
    estimator, reason = _log_density(f"{p.target}_t", read)
    sampled = drawn_for(spec, read, inference, None)
    sequential, why = schedule(spec, sampled, inference)
    return Term(TermKind.AUXILIARY, p.target, p, None, read, sampled, estimator, sequential, reason, why)


def _log_density(target: str, read: Sequence[Parent]) -> tuple[Estimator, str]:
    if not read:
        return Estimator.ANALYTIC, f"p({target}) reads no latent: the log-density needs no average"
    names = listed(dict.fromkeys(parent.name for parent in read))
    return (
        Estimator.MONTE_CARLO,
        f"p({target}) reads {names} through a network: the average over q has no closed form",
    )


def _divergence(
    spec: Spec,
    p: Conditional,
    q: Conditional,
    key: TermKey,
    frames: tuple[int | None, ...],
    inference: Sequence[Conditional],
    *,
    ratio: bool = False,
) -> Term:
    """One divergence; with `ratio` by the draws, since other frames of the same latent are."""
    name, frame, lengths = key
    variable = spec.variable(name)
    single = lengths is Lengths.ONE  # with lines of frames 1 and T, which are one
    pair = families(spec, name)
    places = (q.frame, p.frame) if single else (frame, frame)
    target, prior = (at(variable, place) for place in places)
    route = route_from_target(spec, key, p, inference, summed_over(frames))
    both = (*placed_in_order(spec, q, places[0]), *placed(spec, p, places[1]))
    read = latent_windows(spec, alone(spec, both) if single else united(both))
    if route is None and pair in CLOSED_FORMS and not ratio:
        estimator = Estimator.ANALYTIC
        reason = (
            f"q({target}) and p({prior}) are both {variable.family.value}, and q draws nothing that "
            f"p({prior}) reads from {target}: the divergence has a closed form"
        )
    else:
        estimator = Estimator.LOG_RATIO
        itself = Parent(name, NOW if variable.framed else None)
        read = latent_windows(spec, (itself, *read))
        closed = route is None and pair in CLOSED_FORMS
        among = f"other frames of {name} have no closed form, and all are computed in one way"
        reason = among if closed else _why_log_ratio(target, prior, variable.family, route)
    sampled = drawn_alone(spec, read, inference) if single else drawn_for(spec, read, inference, frame)
    sequential, why = schedule(spec, sampled, inference, frame is None and variable.framed)
    return Term(
        TermKind.DIVERGENCE, name, p, q, read, sampled, estimator, sequential, reason, why,
        variable.framed, frame, *summed_over(frames), lengths,
    )  # fmt: skip


def _why_log_ratio(target: str, prior: str, family: Family, route: Route | None) -> str:
    if route is None:
        return f"no closed form is registered for the divergence of two {family.value} distributions"
    last = route.names[-1] if route.names else "a latent"
    way = " -> ".join(route.names) if route.names else "over many frames"
    return (
        f"p({prior}) reads {last}, which q draws from {target} ({way}): given one, the other "
        f"is no longer distributed as q({target}), so the log-densities of the draws are compared"
    )
