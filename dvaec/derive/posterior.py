"""The exact posterior of the latents and the q that the page declares, as windows that hold for every T.

p(z_{1:T} | x_{1:T}, u_{1:T}) is factorized by the chain rule in the order of q; from each factor
everything that D-separation allows is removed (section 4.2 of the review, with descendants of head-to-head
nodes minded).
"""

from __future__ import annotations

from dvaec.derive.horizon import minimal_at
from dvaec.derive.model import DerivedConditional, Posterior, Proof
from dvaec.network.template import Template, evidence, template_of
from dvaec.network.unfold import UnfoldError, unfold
from dvaec.network.unrolled import Unrolled, arrows, clipped, unroll
from dvaec.network.windows import stationary_windows
from dvaec.spec.model import Conditional, InferenceKind, Side, Spec, reads_of_head
from dvaec.spec.offsets import NONE

MOST_COMPARED = 12  # frames from either end
LARGEST_COMPARED = 200_000  # arrows of the network


def exact_posterior(spec: Spec) -> Posterior:
    """Return the exact posterior's factorization along `spec.latents`, for every T (or NoFixpointError)."""
    template = template_of(spec)
    return Posterior(spec.latents, tuple(_factor(template, name) for name in spec.latents))


def _factor(template: Template, target: str) -> DerivedConditional:
    found = stationary_windows(template, target, evidence(template, target))
    conditional = Conditional(target, found.parents)
    proof = Proof(lag=template.lag, first=found.first, period=found.period)
    middle = found.first + found.period + template.lag + 2
    last = 2 * middle - 1
    if arrows(template, last) > LARGEST_COMPARED:
        return DerivedConditional(conditional, proof)
    network = unroll(template, last)
    near = range(1, min(middle, MOST_COMPARED + 1))
    return DerivedConditional(
        conditional=conditional,
        proof=proof,
        loose_first=tuple(k for k in near if _loose(template, network, conditional, k)),
        loose_last=tuple(k - 1 for k in near if _loose(template, network, conditional, last + 1 - k)),
        loose_inside=_loose(template, network, conditional, middle),
    )


def _loose(template: Template, network: Unrolled, windows: Conditional, frame: int) -> bool:
    """Say whether the windows clipped at one frame are larger than the exact minimum there."""
    exact = len(minimal_at(template, network, windows.target, frame))
    return exact < sum(len(clipped(p.name, p.offsets, frame, network.frames)) for p in windows.parents)


def declared_inference(spec: Spec, posterior: Posterior) -> tuple[Conditional, ...]:
    """Return q as the page declares it, one conditional per latent in chain-rule order."""
    return tuple(_declared(spec, posterior, name) for name in spec.latents)


def _declared(spec: Spec, posterior: Posterior, target: str) -> Conditional:
    inference = spec.inference
    match inference.kind:
        case InferenceKind.EXACT:
            return posterior.of(target)
        case InferenceKind.FILTERING | InferenceKind.LOOKAHEAD:
            template = template_of(spec)
            seen = evidence(template, target, inference.delay)
            return Conditional(target, stationary_windows(template, target, seen).parents)
        case InferenceKind.MEAN_FIELD:
            template = template_of(spec)
            unread = {name: NONE for name in template.latents if name not in template.static}
            seen = {**evidence(template, target), **unread}
            return Conditional(target, stationary_windows(template, target, seen).parents)
        case InferenceKind.CONDITIONALS:
            own = next((c for c in inference.conditionals if c.target == target), None)
            return own if own is not None else posterior.of(target)
        case InferenceKind.NETWORKS:
            head = spec.head(Side.Q, target)
            if head is None or head.block is None:
                return posterior.of(target)
            try:
                return Conditional(target, unfold(spec).seen(reads_of_head(head)))
            except UnfoldError:  # reported with its place by `check_developed`
                return posterior.of(target)
