"""The residues that families keep: what is linked over many frames is at a distance known modulo some g.

Give each name a place p, so that the family of a reads b at offsets d = p(b) - p(a) modulo g. Then whatever
way leads from a at one frame to b at another, along links or against them, their distance is p(b) - p(a)
modulo g. The largest such g is the greatest common divisor of the sums of offsets around all cycles, each
link taken either way: two members of one window make a cycle, and so does a read of one's own past.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import gcd, lcm

from dvaec.network.template import Template
from dvaec.spec.offsets import Offsets


def stride(template: Template) -> int:
    """Return the least common multiple of the g of all linked parts of the template; 1 where none is."""
    place: dict[str, tuple[str, int]] = {}  # (a name of its part, its place beside that)
    found: dict[str, int] = {}  # the g of that name's part; 0 without cycles
    for child, parent, offsets in _windows(template):
        near = tuple(_near(offsets))
        (one, here), (other, there) = (place.setdefault(name, (name, 0)) for name in (child, parent))
        around = gcd(found.get(one, 0), found.get(other, 0), *(d - near[0] for d in near))
        if one == other:
            around = gcd(around, here + near[0] - there)
        else:
            moved = here + near[0] - there
            place |= {name: (one, at + moved) for name, (root, at) in place.items() if root == other}
        found[one] = around
    roots = {root for root, _ in place.values()}
    return lcm(*(found[root] or 1 for root in roots))


def _windows(template: Template) -> Iterator[tuple[str, str, Offsets]]:
    for family in template.families:
        for parent in family.parents:
            if family.target not in template.static and parent.offsets:
                yield family.target, parent.name, parent.offsets


def _near(offsets: Offsets) -> Iterator[int]:
    """Yield the members of a window as far as it has begun to repeat: their differences say all."""
    margin = 2 * max(len(offsets.past), len(offsets.future))
    yield from offsets.within(offsets.low - margin, offsets.high + margin)
