"""Where a q that keeps no order of sweeps cannot be the exact posterior, as one frame shows.

Take the latents in an order in which q draws them. If q is the exact posterior, each of its conditionals is
that of the latent given all that comes before; so it must read what that needs, by D-separation.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from dvaec.derive.factors import Factors, by_key, serving_at
from dvaec.derive.model import Key
from dvaec.network.separation import judge
from dvaec.network.template import end, template_of
from dvaec.network.unrolled import Node, Unrolled, read_by, unroll
from dvaec.spec.graph import topological
from dvaec.spec.model import LAST, Conditional, Parent, Spec

LONGEST = 12  # frames: what nearer frames do not show is not told


@dataclass(frozen=True)
class Lacking:
    """Of a sequence of some `frames`, a latent whose conditional lacks `missing`."""

    frames: int
    reader: Node
    missing: Node


def lacking(spec: Spec, inference: Iterable[Conditional]) -> dict[Key, Lacking]:
    """Return the conditionals of q that lack what the exact posterior needs, each with an example."""
    inference = tuple(inference)
    windows = [p.offsets for c in inference for p in c.parents if p.offsets is not None]
    reach = max([template_of(spec).lag, *map(end, windows)])
    return lacking_at(spec, inference, spec.frames or min(LONGEST, 5 + reach))


def lacking_at(spec: Spec, inference: Iterable[Conditional], frames: int) -> dict[Key, Lacking]:
    """The same of sequences of some frames."""
    network, factors = unroll(template_of(spec), frames), by_key(inference)
    places = [node for node in network.parents if node.name in spec.latents]
    reads = {node: _reads(spec, network, factors, node) for node in places}
    given = {node for node in network.parents if node.name not in spec.latents}
    found: dict[Key, Lacking] = {}
    for node in topological(places, reads):
        line = serving_at(factors, node.name, node.frame, frames)
        needed = judge(network, node, frozenset(given)).minimal
        missing = next((one for one in needed if one not in reads[node]), None)
        if missing is not None:
            found.setdefault((line.target, line.frame), Lacking(frames, node, missing))
        given.add(node)
    return found


def _reads(spec: Spec, network: Unrolled, factors: Factors, node: Node) -> list[Node]:
    """Return what q's conditional of a latent reads at its frame."""
    line = serving_at(factors, node.name, node.frame, network.frames)

    def there(parent: Parent) -> bool:
        at = network.frames if parent.frame == LAST else parent.frame
        return at is None or at != node.frame or not spec.reads_nothing_there(parent, line)

    read = (read_by(network.template, p, node.frame, network.frames) for p in line.parents if there(p))
    return [one for some in read for one in some if one != node]
