"""A q that keeps no order of sweeps against the exact posterior, at single frames of a short sequence.

Take the latents in an order in which q draws them. If q is the exact posterior, each of its conditionals is
that of the latent given all that comes before; so it must read what that needs, by D-separation. What it
lacks is golden, and what it reads beside that is silver, in that order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from dvaec.derive.factors import Factors, by_key, serving_at
from dvaec.derive.model import Key
from dvaec.network.separation import judge
from dvaec.network.template import end, template_of
from dvaec.network.unrolled import Node, Unrolled, read_by, unroll
from dvaec.spec.frames import runs
from dvaec.spec.graph import topological
from dvaec.spec.model import LAST, Conditional, Parent, Spec

LONGEST = 12  # frames: what nearer frames do not show is not told


@dataclass(frozen=True)
class Example:
    """Of a sequence of some `frames`, a latent, what its conditional lacks, and what it need not read."""

    frames: int
    reader: Node
    golden: tuple[Node, ...]
    silver: tuple[Node, ...]


def examples(spec: Spec, inference: Iterable[Conditional]) -> dict[Key, Example]:
    """Return, for each conditional of q, a frame that lacks something, as far from the ends as can be.

    Or one that lacks nothing, if all are so.
    """
    inference = tuple(inference)
    windows = [p.offsets for c in inference for p in c.parents if p.offsets is not None]
    reach = max([template_of(spec).lag, *map(end, windows)])
    return examples_at(spec, inference, spec.frames or min(LONGEST, 5 + reach))


def examples_at(spec: Spec, inference: Iterable[Conditional], frames: int) -> dict[Key, Example]:
    """The same of sequences of some frames."""
    found: dict[Key, list[Example]] = {}
    for key, one in _compared(spec, by_key(inference), frames):
        found.setdefault(key, []).append(one)

    def preferred(one: Example) -> tuple[bool, int]:
        return not one.golden, abs(2 * (one.reader.frame or 0) - frames - 1)

    return {key: min(some, key=preferred) for key, some in found.items()}


def _compared(spec: Spec, factors: Factors, frames: int) -> Iterator[tuple[Key, Example]]:
    network = unroll(template_of(spec), frames)
    reads = {node: _reads(spec, network, factors, node) for node in _in_sweeps(spec, network)}
    given = {node for node in network.parents if node.name not in spec.latents}
    for node in topological(reads, reads):
        line = serving_at(factors, node.name, node.frame, frames)
        needed = judge(network, node, frozenset(given)).minimal
        golden = tuple(one for one in network.parents if one in needed and one not in reads[node])
        silver = tuple(one for one in network.parents if one in reads[node] and one not in needed)
        yield (line.target, line.frame), Example(frames, node, golden, silver)
        given.add(node)


def _in_sweeps(spec: Spec, network: Unrolled) -> Iterator[Node]:
    """Yield the latents sweep by sweep, as q would be drawn but for its single frames."""
    for sweep in spec.order:
        times = range(network.frames, -1, -1) if sweep.backward else range(network.frames + 1)
        places = (Node(name, t) for t in (None, *times) for name in sweep.latents)
        yield from (node for node in places if node in network.parents)


def _reads(spec: Spec, network: Unrolled, factors: Factors, node: Node) -> list[Node]:
    """Return what q's conditional of a latent reads at its frame."""
    line = serving_at(factors, node.name, node.frame, network.frames)

    def there(parent: Parent) -> bool:
        at = network.frames if parent.frame == LAST else parent.frame
        return at is None or at != node.frame or not spec.reads_nothing_there(parent, line)

    read = (read_by(network.template, p, node.frame, network.frames) for p in line.parents if there(p))
    return [one for some in read for one in some if one != node]


def nodes_in_words(nodes: Iterable[Node]) -> str:
    """List nodes as a page does: v, x_1, z_<2:4>."""
    frames: dict[str, list[int]] = {}
    for node in nodes:
        frames.setdefault(node.name, []).extend([] if node.frame is None else [node.frame])
    words = []
    for name, some in frames.items():
        named = (f"{name}_{r[0]}" if len(r) == 1 else f"{name}_<{r[0]}:{r[-1]}>" for r in runs(some))
        words.append(", ".join(named) or name)
    return ", ".join(words)
