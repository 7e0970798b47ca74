"""The exact posterior of T frames, node by node: what holds at the ends, where windows are clipped."""

from __future__ import annotations

from dvaec.network.separation import judge
from dvaec.network.template import Template, evidence, template_of
from dvaec.network.unrolled import Node, TooLargeError, Unrolled, unroll
from dvaec.spec.model import Spec

MOST_FRAMES = 200


def posterior_at(spec: Spec, frames: int) -> dict[str, list[str]]:
    """Return the minimal conditioning set of every latent of `frames` frames, as {"z_3": ["x_3", "z_2"]}.

    Sorted by variable, then by frame; a sequence-level variable stands under its bare name. Raises
    ValueError for less than one frame and TooLargeError for more than MOST_FRAMES of them.
    """
    if frames > MOST_FRAMES:
        raise TooLargeError(f"at most {MOST_FRAMES} frames are derived node by node, not {frames}")
    template = template_of(spec)
    network = unroll(template, frames)
    found = {
        Node(name, frame): minimal_at(template, network, name, frame)
        for name in sorted(template.latents)
        for frame in range(1, frames + 1)
    }
    return {str(node): [str(member) for member in members] for node, members in found.items()}


def minimal_at(template: Template, network: Unrolled, target: str, frame: int) -> tuple[Node, ...]:
    """Return the minimal conditioning set of one latent at one frame, sorted by variable, then by frame."""
    given = network.given(frame, evidence(template, target))
    minimal = judge(network, Node(target, frame), given).minimal
    return tuple(sorted(minimal, key=lambda node: (node.name, node.frame or 0)))
