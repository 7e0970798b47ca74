"""The windows of the frames inside, where those of every t hold what only frames near an end need.

A line of frame T that reads more than one frame before, p(z_T | a_<T-3:T-2>), links what no other frame does:
a_{T-2} to a_{T-3}. One window serves all t, and holds what that frame needs; at the frames t = A..T-B less
does, for every T. It is derived as the windows of every t are, for frames that far from the ends alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from dvaec.derive.given import windows_given
from dvaec.derive.loose import lengths_compared
from dvaec.derive.model import Interior
from dvaec.network.finite import Finite
from dvaec.network.template import Template
from dvaec.network.unrolled import Node
from dvaec.network.windows import Windows
from dvaec.spec.model import Conditional, Parent, Spec
from dvaec.spec.offsets import Offsets


def interior(
    spec: Spec,
    template: Template,
    conditional: Conditional,
    derived: tuple[Windows, Mapping[str, Offsets | None]],
    served: tuple[int, int] = (1, 0),
    absolute: tuple[Parent, ...] = (),
) -> Interior | None:
    """Return the windows that frames far from both ends need, if they are smaller, and the frames they serve.

    `derived` are the windows of every t that is `served`, and E, which has the single frames `absolute`, too.
    How near to the ends the smaller windows hold is seen in long networks; that it is for every T, derived.
    Factors without t have none.
    """
    framed = conditional.frame is None and conditional.target not in template.static
    if spec.frames is not None or not framed:
        return None
    found, given = derived
    key = conditional.target, None
    lengths = lengths_compared(template, found, given)
    middle = (lengths[0] + 1) // 2
    far = windows_given(spec, template, key, given, (middle, middle - 1), absolute)
    inside = replace(conditional, parents=far.parents)
    if far.parents == conditional.parents:
        return None
    first, left = served
    for frames in lengths:
        wrong = tuple(_wanting(template, inside, frames, given, absolute))
        first = max((first, *(t + 1 for t in wrong if t < middle)))
        left = max((left, *(frames - t + 1 for t in wrong if t > middle)))
    near = windows_given(spec, template, key, given, (first, left), absolute)
    return Interior(inside, *((first, left) if near.parents == far.parents else (middle, middle - 1)))


def _wanting(
    template: Template,
    inside: Conditional,
    frames: int,
    given: Mapping[str, Offsets | None],
    absolute: tuple[Parent, ...],
) -> Iterable[int]:
    """Yield the frames t of T that need what the windows do not hold."""
    network = Finite(template, frames)
    for t in range(1, frames + 1):
        exact = network.minimal(Node(inside.target, t), given, absolute)
        read = network.places(inside.parents, t)
        if any(exact[name] & ~read[name] for name in template.names):
            yield t
