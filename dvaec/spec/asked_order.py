"""The order in which q's lines, or networks, ask to be drawn, where the page does not say it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dvaec.spec.assemble import inference_kind
from dvaec.spec.chain import orders, with_first, with_last
from dvaec.spec.check_conditionals import complete
from dvaec.spec.context import Context
from dvaec.spec.early import with_early_frames
from dvaec.spec.first_lines import added_lines
from dvaec.spec.frames import conditional_of
from dvaec.spec.model import Conditional, InferenceKind, Sweep
from dvaec.spec.one_frame import with_order_of_one_frame
from dvaec.spec.unswept import Read, read_too_early


def asked_for(
    context: Context, generated: Sequence[str], static: Sequence[str], q: Sequence[Conditional]
) -> tuple[tuple[Sweep, ...], tuple[Read, ...]]:
    """Return the first order that `q`, as far as it is declared, can be drawn in, by default one sweep.

    Where there is none it is the first of all, with what is read too early.
    """
    streams = inference_kind(context.parsed) in (InferenceKind.FILTERING, InferenceKind.LOOKAHEAD)
    follows = not streams and complete(context, "generation")
    lines = context.parsed.generation if follows else ()
    made = [
        conditional_of(line, context.variables, context.zero)
        for line in lines
        if line.target.name in generated
    ]
    first: tuple[tuple[Sweep, ...], tuple[Read, ...]] | None = None
    for alike in (True, False):
        for one in orders(generated, static, q, made):
            order = _with_single_frames(context, one, q, alike)
            early = tuple(too_early(context, order, q))
            if not early:
                return order, ()
            first = first or (order, early)
    return first or ((), ())


def too_early(context: Context, order: tuple[Sweep, ...], q: Sequence[Conditional]) -> Iterator[Read]:
    """Yield what q's lines read before it is drawn, with those that an order of frame 1 or T adds."""
    return read_too_early(order, spoken(context, order, q), static_of(context), context.zero)


def spoken(context: Context, order: tuple[Sweep, ...], q: Sequence[Conditional]) -> tuple[Conditional, ...]:
    """Return q's lines with those of frames 1 and T that lines of every frame are, too."""
    networks = inference_kind(context.parsed) is InferenceKind.NETWORKS
    return (*q, *(() if networks else added_lines(q, order)))


def static_of(context: Context) -> tuple[str, ...]:
    """Return the latents of sequence level."""
    return tuple(name for name in context.having("latent") if not context.framed.get(name, True))


def _with_single_frames(
    context: Context, order: tuple[Sweep, ...], q: Sequence[Conditional], alike: bool
) -> tuple[Sweep, ...]:
    """Return an order with those of frames 0, 1 and T, and the blocks of frames that are drawn ahead.

    If it is to be `alike` where T is 1, frame T comes ahead with frame 1 of its latent.
    """
    order = turned_at_ends(context, order, q)
    if context.report.found:
        return order
    order = with_early_frames(order, q, alike=alike)
    return with_order_of_one_frame(order, spoken(context, order, q), static_of(context), context.zero)


def turned_at_ends(context: Context, order: tuple[Sweep, ...], q: Sequence[Conditional]) -> tuple[Sweep, ...]:
    """Return an order with those of frames 0, 1 and T where they are their own."""
    static = [name for name, framed in context.framed.items() if not framed]
    found = (with_first(sweep, q, static, context.zero) for sweep in order)
    return tuple(with_last(sweep, q, static, context.zero) for sweep in found)


def without_single_frames(order: Sequence[Sweep]) -> tuple[Sweep, ...]:
    """Return an order without those of single frames."""
    return tuple(Sweep(sweep.latents, sweep.backward) for sweep in order if sweep.latents)
