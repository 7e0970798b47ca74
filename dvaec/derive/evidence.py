"""What each factor of a derived q is given, and what is ever there of its windows."""

from __future__ import annotations

from collections.abc import Mapping

from dvaec.network.template import Template, evidence
from dvaec.spec.model import Inference, InferenceKind, Parent, Spec
from dvaec.spec.offsets import Offsets, window

Given = Mapping[str, Offsets | None]


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


def ever_there(spec: Spec, template: Template, parent: Parent, served: tuple[int, int]) -> bool:
    """Whether a window holds a frame at any t that is served (`model.served_by`), where the page fixes T."""
    if spec.frames is None or parent.offsets is None:
        return True
    nearest = template.first(parent.name) - spec.frames + served[1]
    return bool(parent.offsets & window(nearest, spec.frames - served[0]))
