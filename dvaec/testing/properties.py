"""The property list: what must be true of every compiled spec, each with the slow way to know it.

Every property takes a built module and a number of frames, returns how close it came, and raises
ViolationError where it does not hold. Numbers in brackets are those of the list in the documentation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from dvaec.spec.model import Spec
from dvaec.testing import batches, feedback, reach, values
from dvaec.testing.built import Built, build, emitted, forget, reseeded
from dvaec.testing.closeness import Gap, ViolationError

SIZES = (1, 2, 5)
"""Frames of the sequences that are tried, the smallest first: the first to fail is the smallest example."""


@dataclass(frozen=True)
class Property:
    """One line of the list: what is claimed, how it is known, and the function that checks it."""

    name: str
    says: str
    how: str
    holds: Callable[[Built, int, reach.Rebuild], Gap]
    sizes: tuple[int, ...] = SIZES
    beyond: Callable[[Built], int] | None = None  # a length more, where the module's own lags ask for one

    def sizes_for(self, built: Built) -> tuple[int, ...]:
        """The lengths of the sequences that are tried with a module; the page's own where it fixes T."""
        if built.spec.frames is not None:
            return (built.spec.frames,)
        more = () if self.beyond is None else (self.beyond(built),)
        return (*self.sizes, *(size for size in more if size > max((0, *self.sizes))))


def _one(
    name: str, says: str, how: str, function: Callable[[Built, int], Gap], sizes: tuple[int, ...] = SIZES
) -> Property:
    return Property(name, says, how, lambda built, frames, _: function(built, frames), sizes)


def _far(name: str, says: str, how: str, function: Callable[[Built, int], Gap]) -> Property:
    """A property that is tried beyond the longest lag, too."""
    return replace(_one(name, says, how, function), beyond=reach.frames_beyond_lags)


PROPERTIES = (
    _far(
        "score",
        "every conditional's parameters are those of its page",
        "each node by recursion, one frame at a time",
        values.score_is_frame_by_frame,
    ),
    _far(
        "encode",
        "q draws along the chain rule",
        "each latent by q's parameters at what is drawn before, the rest NaN",
        values.encode_is_frame_by_frame,
    ),
    _far(
        "bound",
        "the bound is the sum of its parts, these are log-densities of score",
        "at the latents drawn from the same noise",
        values.bound_is_its_parts,
    ),
    _one(
        "teacher forcing",
        "with nothing fed back elbo_fed is elbo",
        "the same noise; the outputs are those of reconstruct",
        feedback.nothing_fed_is_elbo,
    ),
    _one(
        "generation mode",
        "where it is fed p reads its own outputs, q the data",
        "each node by recursion, all or some frames fed, means or draws; gradients too",
        feedback.fed_is_frame_by_frame,
    ),
    _one(
        "closed forms",
        "closed-form divergences are right",
        "2000 draws, within 5 standard errors",
        values.closed_forms_by_sampling,
        (2,),
    ),
    Property(
        "windows",
        "a parameter depends on a frame iff it is in the window",
        "Jacobians of three random modules: exactly 0 outside, not 0 inside",
        reach.jacobians_are_windows,
    ),
    _one(
        "filtering",
        "q reads no frame behind its windows",
        "later frames changed, bit for bit",
        reach.inference_reads_no_later_frame,
        (5,),
    ),
    _one(
        "TorchScript",
        "eager = scripted = saved and loaded",
        "the same noise, three sizes",
        values.scripted_is_eager,
        (4,),
    ),
    _one(
        "padding",
        "padding and batch order change nothing",
        "NaN in the padding; sequences one by one; gradients too",
        batches.padding_changes_nothing,
    ),
    _one(
        "missing data",
        "a missing observation is not read and has no term",
        "NaN where the mask says missing",
        batches.missing_data_are_not_read,
    ),
    Property(
        "learning",
        "every weight receives a gradient",
        "where all lags are passed, a dozen random modules at most",
        reach.every_weight_learns,
        (),
        reach.frames_to_learn,
    ),
    _one(
        "causal",
        "generation reads no later input or noise",
        "later frames changed, bit for bit",
        reach.generation_is_causal,
        (5,),
    ),
    _far(
        "generate",
        "generate, scored, gives its own parameters",
        "score at what was drawn",
        reach.generation_scores_itself,
    ),
    _far(
        "forecast",
        "forecast = encode of the context, then generate",
        "encode and score of the same draws",
        batches.forecast_is_encode_then_generate,
    ),
    _far(
        "stream",
        "step by step = whole sequences",
        "encode and generate of the same noise",
        batches.stream_is_batch,
    ),
)


def applicable(built: Built) -> Iterator[Property]:
    """Yield the properties that speak of something this module has."""
    for one in PROPERTIES:
        if one.name != "encode" or built.has("encode"):
            yield one


def check_all(spec: Spec) -> None:
    """Build a spec and check the whole list; ViolationError for the first property that fails."""
    built = build(spec)
    built.module.eval()

    def again(seed: int) -> Built:
        return reseeded(built, seed)

    for one in applicable(built):
        for size in one.sizes_for(built):
            try:
                one.holds(built, size, again)
            except ViolationError as violation:
                raise ViolationError(f"{one.name} ({one.says}), T = {size}: {violation}") from None
    forget(built)
    if emitted(spec).text != built.text:
        raise ViolationError("the same spec gave another text")
