"""The exact posterior of the latents and the q that the page declares, as windows that hold for every T.

p(latents | observed, inputs) is factorized by the chain rule in the order of q; from each factor everything
that D-separation allows is removed (section 4.2 of the review, with descendants of head-to-head nodes
minded). Filtering, look-ahead and mean field are the same with less evidence. One factor per latent serves
all frames t; frame 0, and frame 1 where q has a conditional of its own there, have factors of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from dvaec.derive.loose import looseness
from dvaec.derive.model import DerivedConditional, Posterior, Proof
from dvaec.network.template import Template, evidence, template_of
from dvaec.network.unfold import UnfoldError, unfold
from dvaec.network.unframed import unframed_windows
from dvaec.network.windows import Windows, stationary_windows
from dvaec.spec.model import Conditional, Inference, InferenceKind, Parent, Side, Spec, reads_of_head
from dvaec.spec.offsets import Offsets, window

Key = tuple[str, int | None]
Given = Mapping[str, Offsets | None]


def chain(spec: Spec) -> tuple[Key, ...]:
    """Return what q has a conditional of, (name, frame), in chain-rule order.

    Frame None stands for a sequence-level latent, and for all the frames t that have no conditional of their
    own: these come after the numbered ones in a forward sweep, before them in a backward one.
    """
    found: list[Key] = []
    for sweep in spec.order:
        every: list[Key] = [(name, None) for name in sweep.latents]
        near = sweep.first or [(n, f) for f in ((1, 0) if sweep.backward else (0, 1)) for n in sweep.latents]
        own: list[Key] = [(name, frame) for name, frame in near if _has_own(spec, name, frame)]
        found += (*every, *own) if sweep.backward else (*own, *every)
    return tuple(found)


def _has_own(spec: Spec, name: str, frame: int) -> bool:
    """Whether q has a conditional of its own at frame 0 or 1."""
    variable = spec.variable(name)
    if not variable.framed or frame == 0:
        return variable.framed and variable.first == 0
    own = any(c.target == name and c.frame == frame for c in spec.inference.numbered)
    return own or spec.head(Side.Q, name, frame) is not None


def first_served(spec: Spec, name: str) -> int:
    """Return the first frame t that the conditional of all frames serves."""
    return 2 if _has_own(spec, name, 1) else 1


def windows_given(spec: Spec, template: Template, key: Key, given: Given) -> Windows:
    """Return the minimal conditioning set of one factor, given E as windows."""
    name, frame = key
    if name in template.static or frame is not None:
        return unframed_windows(template, name, frame, given)
    found = stationary_windows(template, name, given, first_served(spec, name))
    return replace(found, parents=tuple(p for p in found.parents if _ever_there(spec, template, name, p)))


def _ever_there(spec: Spec, template: Template, target: str, parent: Parent) -> bool:
    """Whether a window holds a frame at any t, where the page fixes T."""
    if spec.frames is None or parent.offsets is None:
        return True
    nearest = template.first(parent.name) - spec.frames
    return bool(parent.offsets & window(nearest, spec.frames - first_served(spec, target)))


def exact_posterior(spec: Spec) -> Posterior:
    """Return the exact posterior's factorization in q's order, for every T (or NoFixpointError)."""
    template = template_of(spec)
    return Posterior(spec.latents, tuple(_factor(spec, template, key) for key in chain(spec)))


def _factor(spec: Spec, template: Template, key: Key) -> DerivedConditional:
    name, frame = key
    given = evidence(template, name, frame=frame)
    found = windows_given(spec, template, key, given)
    conditional = Conditional(name, found.parents, frame)
    proof = Proof(template.lag, found.first, found.period, found.searched, found.component)
    return DerivedConditional(conditional, proof, looseness(spec, template, conditional, found, given))


def declared_inference(spec: Spec, posterior: Posterior) -> tuple[Conditional, ...]:
    """Return q as the page declares it, one conditional per factor in chain-rule order."""
    return tuple(_declared(spec, posterior, key) for key in chain(spec))


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
    return Conditional(name, windows_given(spec, template, key, given).parents, frame)


def restricted(
    template: Template, inference: Inference, target: str, frame: int | None = None
) -> Given | None:
    """Return the evidence that a word of inference leaves to a latent; None where it leaves all.

    Filtering and look-ahead say nothing about sequence-level latents, which have no t.
    """
    match inference.kind:
        case InferenceKind.FILTERING | InferenceKind.LOOKAHEAD if target not in template.static:
            return evidence(template, target, inference.delay, frame=frame)
        case InferenceKind.MEAN_FIELD:
            return evidence(template, target, latents=False, frame=frame)
        case _:
            return None


def _seen(spec: Spec, posterior: Posterior, key: Key) -> Conditional:
    """Return what the network of one factor sees; where it is left to the compiler, the exact posterior."""
    name, frame = key
    head = spec.head(Side.Q, name, frame)
    reads = () if head is None else reads_of_head(head)
    if head is None or not (reads or head.block is not None):
        return posterior.of(name, frame)
    try:
        return Conditional(name, unfold(spec).seen(reads, frame), frame)
    except UnfoldError:  # reported with its place by `check_developed`
        return posterior.of(name, frame)
