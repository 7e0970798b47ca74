"""The order in which q's lines, or networks, ask to be drawn, where the page does not say it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dvaec.spec.assemble import inference_kind
from dvaec.spec.chain import orders, with_first, with_last
from dvaec.spec.check_conditionals import complete
from dvaec.spec.context import Context
from dvaec.spec.early import unmet, with_early_frames
from dvaec.spec.frames import conditional_of
from dvaec.spec.model import Conditional, InferenceKind, Sweep


def asked_for(
    context: Context, generated: Sequence[str], static: Sequence[str], q: Sequence[Conditional]
) -> tuple[Sweep, ...]:
    """Return the first order that `q`, as far as it is declared, can be drawn in, by default one sweep."""
    streams = inference_kind(context.parsed) in (InferenceKind.FILTERING, InferenceKind.LOOKAHEAD)
    follows = not streams and complete(context, "generation")
    lines = context.parsed.generation if follows else ()
    made = [
        conditional_of(line, context.variables, context.zero)
        for line in lines
        if line.target.name in generated
    ]
    found = (_with_single_frames(context, one, q) for one in orders(generated, static, q, made))
    return _first_of(found, q)


def _with_single_frames(
    context: Context, order: tuple[Sweep, ...], q: Sequence[Conditional]
) -> tuple[Sweep, ...]:
    """Return an order with those of frames 0, 1 and T, and the blocks of frames that are drawn ahead."""
    order = turned_at_ends(context, order, q)
    return order if context.report.found else with_early_frames(order, q)


def turned_at_ends(context: Context, order: tuple[Sweep, ...], q: Sequence[Conditional]) -> tuple[Sweep, ...]:
    """Return an order with those of frames 0, 1 and T where they are their own."""
    static = [name for name, framed in context.framed.items() if not framed]
    found = (with_first(sweep, q, static, context.zero) for sweep in order)
    return tuple(with_last(sweep, q, static, context.zero) for sweep in found)


def _first_of(orders: Iterator[tuple[Sweep, ...]], q: Sequence[Conditional]) -> tuple[Sweep, ...]:
    """Return the first order in which nothing is read before it is drawn; the first of all if none is."""
    first = order = next(orders)
    while any(unmet(order, q)):
        if (order := next(orders, ())) == ():
            return first
    return order


def without_single_frames(order: Sequence[Sweep]) -> tuple[Sweep, ...]:
    """Return an order without those of single frames."""
    return tuple(Sweep(sweep.latents, sweep.backward) for sweep in order if sweep.latents)
