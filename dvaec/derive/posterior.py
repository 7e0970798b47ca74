"""The exact posterior of the latents and the q that the page declares, as windows that hold for every T.

p(latents | observed, inputs) is factorized by the chain rule in the order of q; from each factor everything
that D-separation allows is removed (section 4.2 of the review, with descendants of head-to-head nodes
minded). Filtering, look-ahead and mean field are the same with less evidence. One factor per latent serves
all frames t; frame 0 has its own, and so have frames 1 and T where that is better (`dvaec.derive.chain`).
"""

from __future__ import annotations

from dvaec.derive.chain import chain, chain_of_q, seen_by_network
from dvaec.derive.evidence import Given, restricted
from dvaec.derive.given import Alone, windows_given
from dvaec.derive.interior import interior
from dvaec.derive.loose import looseness
from dvaec.derive.minimum import Factor
from dvaec.derive.model import DerivedConditional, Key, Posterior, Proof, served_by
from dvaec.network.template import Template, evidence, singles, template_of, where_t_is_1
from dvaec.network.unfold import UnfoldError, unfold
from dvaec.spec.model import Conditional, InferenceKind, Spec


def exact_posterior(spec: Spec) -> Posterior:
    """Return the exact posterior's factorization in q's order, for every T (or NoFixpointError)."""
    template, keys = template_of(spec), chain(spec)
    factors = (_factor(spec, template, key, served_by(keys, key[0])) for key in keys)
    return Posterior(spec.latents, tuple(factors))


def _factor(spec: Spec, template: Template, key: Key, served: tuple[int, int]) -> DerivedConditional:
    name, frame = key
    given, absolute = evidence(template, name, frame=frame), singles(template, name, frame)
    alone = _alone(spec, template, key, given)
    found = windows_given(spec, template, key, given, served, absolute, alone)
    conditional = Conditional(name, found.parents, frame)
    proof = Proof(template.lag, found.first, found.period, found.searched, found.component)
    factor = Factor(template, conditional, found, given, served, absolute, alone)
    loose = looseness(spec, factor)
    inside = interior(spec, factor) if loose.inside else None
    return DerivedConditional(conditional, proof, loose, inside)


def _alone(spec: Spec, template: Template, key: Key, given: Given) -> Alone | None:
    """Return E where T is 1 of a factor that speaks there, if the order is its own, and T may be 1."""
    name, frame = key
    there = frame in (0, 1) or name in template.static
    return (
        where_t_is_1(template, name, frame, given)
        if template.alone and there and spec.frames is None
        else None
    )


def declared_inference(spec: Spec, posterior: Posterior) -> tuple[Conditional, ...]:
    """Return q as the page declares it, one conditional per factor in chain-rule order."""
    return tuple(_declared(spec, posterior, key) for key in chain_of_q(spec, posterior.keys))


def _declared(spec: Spec, posterior: Posterior, key: Key) -> Conditional:
    name, frame = key
    inference = spec.inference
    lines = inference.conditionals if frame is None else inference.numbered
    own = next((c for c in lines if c.target == name and c.frame == frame), None)
    if own is not None:
        return own
    if inference.kind is InferenceKind.NETWORKS:
        return _seen(spec, posterior, key)
    template = template_of(spec)
    given = restricted(template, inference, name, frame)
    if given is None:
        return posterior.of(name, frame)
    absolute = singles(template, name, frame, inference.kind is not InferenceKind.MEAN_FIELD)
    alone = None if inference.kind is InferenceKind.MEAN_FIELD else _alone(spec, template, key, given)
    found = windows_given(spec, template, key, given, posterior.served_by(name), absolute, alone)
    return Conditional(name, found.parents, frame)


def _seen(spec: Spec, posterior: Posterior, key: Key) -> Conditional:
    """Return what the network of one factor sees; where it is left to the compiler, the exact posterior."""
    name, frame = key
    reads = seen_by_network(spec, name, frame)
    if reads is None:
        return posterior.of(name, frame)
    try:
        return Conditional(name, unfold(spec).seen(reads, frame), frame)
    except UnfoldError:  # reported with its place by `check_developed`
        return posterior.of(name, frame)
