"""Where windows that hold for every T are larger than the exact minimum: at the ends, or throughout."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dvaec.network.finite import Finite
from dvaec.network.template import Template, end
from dvaec.network.unrolled import Node
from dvaec.network.windows import Windows
from dvaec.spec.model import Conditional, Parent, Spec
from dvaec.spec.offsets import Offsets

MOST_COMPARED = 12  # frames from either end
LARGEST_COMPARED = 100_000  # frames times what all families read
FEWEST = 8  # frames, where there is no frame t


@dataclass(frozen=True)
class Looseness:
    """The frames of `DerivedConditional`, in its terms."""

    first: tuple[int, ...] = ()
    last: tuple[int, ...] = ()
    inside: bool = False


def looseness(
    spec: Spec,
    template: Template,
    conditional: Conditional,
    found: Windows,
    given: Mapping[str, Offsets | None],
) -> Looseness:
    """Compare windows, clipped to the frames that there are, with the exact minimum of a long network."""
    reads = sum(len(f.parents) + 1 for f in template.families)
    reach = max((end(o) for o in given.values() if o is not None), default=0)
    middle = max(found.first + found.period + template.lag + reach + 2, found.searched // 2)
    last = max(2 * middle - 1, FEWEST) if spec.frames is None else spec.frames
    if last * reads > LARGEST_COMPARED:
        return Looseness()
    network = Finite(template, last)
    name, frame = conditional.target, conditional.frame

    def loose(at: int | None) -> bool:
        exact = network.minimal(Node(name, at), given)
        allowed = network.places((Parent(n, o) for n, o in given.items()), at)
        read = network.places(conditional.parents, at)
        return any(read[n] & allowed[n] & ~exact[n] for n in template.names)

    if frame is not None or name in template.static:
        return Looseness(inside=loose(frame))
    near = range(1, min(middle, last, MOST_COMPARED) + 1)
    return Looseness(
        first=tuple(k for k in near if loose(k)),
        last=tuple(k - 1 for k in near if loose(last + 1 - k)),
        inside=loose(min(middle, last)),
    )
