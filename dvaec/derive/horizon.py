"""The exact posterior of T frames, node by node: what holds at the ends, where windows are clipped."""

from __future__ import annotations

from dvaec.network.finite import Finite
from dvaec.network.template import evidence, singles, spoken, template_of, where_t_is_1
from dvaec.network.unrolled import Node, TooLargeError
from dvaec.spec.model import Spec

MOST_FRAMES = 200


def posterior_at(spec: Spec, frames: int) -> dict[str, list[str]]:
    """Return the minimal conditioning set of every latent of `frames` frames, as {"z_3": ["x_3", "z_2"]}.

    Sorted by variable, then by frame; a sequence-level variable stands under its bare name. Raises
    ValueError for less than one frame and TooLargeError for more than MOST_FRAMES of them.
    """
    if frames < 1:
        raise ValueError("a sequence has at least one frame")
    if frames > MOST_FRAMES:
        raise TooLargeError(f"at most {MOST_FRAMES} frames are derived node by node, not {frames}")
    template = template_of(spec)
    network = Finite(template, frames)
    found: dict[str, list[str]] = {}
    for name in sorted(template.latents):
        places = (None,) if name in template.static else range(template.first(name), frames + 1)
        for node in (Node(name, frame) for frame in places):
            frame = spoken(template, name, node.frame, frames)
            given = evidence(template, name, frame=frame), singles(template, name, frame)
            if frames == 1 and template.alone:
                given = where_t_is_1(template, name, node.frame, given[0])
            found[str(node)] = [str(member) for member in network.nodes(network.minimal(node, *given))]
    return found
