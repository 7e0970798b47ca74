"""The windows of the frames inside, where those of every t hold what only frames near an end need.

A line of frame T that reads more than one frame before, p(z_T | a_<T-3:T-2>), links what no other frame does:
a_{T-2} to a_{T-3}. One window serves all t, and holds what that frame needs; at the frames t = A..T-B less
does, for every T. It is derived as the windows of every t are, for frames that far from the ends alone.
"""

from __future__ import annotations

from dataclasses import replace

from dvaec.derive.given import windows_given
from dvaec.derive.minimum import Factor
from dvaec.derive.model import Interior
from dvaec.spec.model import Parent, Spec


def interior(spec: Spec, factor: Factor) -> Interior | None:
    """Return the windows that frames far from both ends need, if they are smaller, and the frames they serve.

    How near to the ends the smaller windows hold is seen in long networks; that it is for every T, derived.
    Factors without t have none.
    """
    if spec.frames is not None or not factor.framed:
        return None
    middle = (factor.lengths[0] + 1) // 2
    far = _windows(spec, factor, (middle, middle - 1))
    if far == factor.conditional.parents:
        return None
    inside = replace(factor.conditional, parents=far)
    first, left = factor.served
    for frames in factor.lengths:
        wrong = [t for t in range(1, frames + 1) if factor.wanting(frames, t, inside)]
        first = max((first, *(t + 1 for t in wrong if t < middle)))
        left = max((left, *(frames - t + 1 for t in wrong if t > middle)))
    near = _windows(spec, factor, (first, left))
    return Interior(inside, *((first, left) if near == far else (middle, middle - 1)))


def _windows(spec: Spec, factor: Factor, served: tuple[int, int]) -> tuple[Parent, ...]:
    """Derive the windows for some of the frames t alone."""
    key = factor.conditional.target, None
    return windows_given(spec, factor.template, key, factor.given, served, factor.absolute).parents
