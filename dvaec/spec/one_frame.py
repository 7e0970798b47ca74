"""The order in which q draws where T is 1, where it is one of its own.

There the line of frame 1 speaks of frame T, too, and z_T is z_1. Where q draws z_T ahead of all other frames,
but z_1 behind what waits for z_T, the only frame of a sequence comes in another order than frames 1 and T of
longer ones: with q(z_T | x), q(a_t | z_T) and q(a_1 | x_1), q(z_1 | a_1) it is a_1, then z_1.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from dvaec.spec.early import Key, drawn_ahead
from dvaec.spec.ends_over_time import unrolled
from dvaec.spec.graph import topological
from dvaec.spec.model import LAST, Conditional, Sweep


def with_order_of_one_frame(
    order: tuple[Sweep, ...], q: Sequence[Conditional], static: Collection[str], zero: Collection[str]
) -> tuple[Sweep, ...]:
    """Return an order with that of T = 1, on its first frames drawn ahead, if it is one of its own."""
    if not (found := order_of_one_frame(order, q, static, zero)):
        return order
    at = next(k for k, sweep in enumerate(order) if not sweep.latents)
    return (*order[:at], replace(order[at], alone=found), *order[at + 1 :])


def order_of_one_frame(
    order: tuple[Sweep, ...], q: Sequence[Conditional], static: Collection[str], zero: Collection[str]
) -> tuple[Key, ...] | None:
    """Return the order of T = 1, empty if it is that of longer sequences; None where there is none.

    It keeps what it can of that. There is none where lines wait for one another where T is 1.
    """
    own = {(line.target, line.frame) for line in q}
    places = list(_places(order, own, static, zero))
    apart = any(ahead and places.index((key, False)) > at + 1 for at, (key, ahead) in enumerate(places))
    if not apart:
        return ()
    usual = [key for key, ahead in places if not ahead]
    found = topological(usual, _needs(order, q, static, zero))
    return found if len(found) == len(usual) else None


def _places(
    order: Sequence[Sweep],
    own: Collection[tuple[str, int | None]],
    static: Collection[str],
    zero: Collection[str],
) -> Iterator[tuple[Key, bool]]:
    """Yield what is drawn where T is 1, as longer sequences order it; True for where these draw frame T.

    That is of a latent of which the line of frame 1 speaks, which stands in its own place.
    """
    early = drawn_ahead(order)
    for sweep in order:
        for name, at in () if sweep.latents else sweep.first:
            yield (name, 1 if at == LAST else at), at == LAST and (name, 1) in own
        if any(name in static for name in sweep.latents):
            yield from (((name, 0), False) for name in sweep.latents)
            continue
        begun = any((name, 1) in own for name in sweep.last)
        names = sweep.latents if begun or not sweep.last else sweep.last
        near = [(name, at) for at in (0, 1) for name in names if at == 1 or name in zero]
        near = near if not sweep.backward else [key for at in (1, 0) for key in near if key[1] == at]
        for name, at in (sweep.first or near) if sweep.latents else ():
            drawn = (name, at) in early or ((name, LAST) in early and (name, 1) not in own and at == 1)
            yield from () if drawn else (((name, at), False),)


def _needs(
    order: Sequence[Sweep], q: Sequence[Conditional], static: Collection[str], zero: Collection[str]
) -> dict[Key, list[Key]]:
    """Return what reads what where T is 1: a line of every frame, too, reads z_T, if it is drawn ahead."""
    early = drawn_ahead(order)
    needs = unrolled(q, static, zero, 1, drawn=True)
    for line in (line for line in q if line.frame is None and line.target not in static):
        if any(one.target == line.target and one.frame in (1, LAST) for one in q):
            continue
        for parent in line.parents:
            if parent.frame == LAST and (parent.name, LAST) in early and parent.name != line.target:
                needs[line.target, 1].append((parent.name, 1))
    return needs
