"""The property list: what must be true of every compiled spec, each with the slow way to know it.

Every property takes a built module and a number of frames, returns how close it came, and raises
ViolationError where it does not hold. Numbers in brackets are those of the list in the documentation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from dvaec.spec.model import Spec
from dvaec.testing import batches, reach, values
from dvaec.testing.built import Built, build, forget
from dvaec.testing.closeness import Gap, ViolationError

SIZES = (1, 2, 5)
"""Frames of the sequences that are tried, the smallest first: the first to fail is the smallest example."""


@dataclass(frozen=True)
class Property:
    """One line of the list: what is claimed, and the function that checks it."""

    name: str
    says: str
    holds: Callable[[Built, int, reach.Rebuild], Gap]
    sizes: tuple[int, ...] = SIZES


def _plain(function: Callable[[Built, int], Gap]) -> Callable[[Built, int, reach.Rebuild], Gap]:
    return lambda built, frames, _: function(built, frames)


def _one(name: str, says: str, function: Callable[[Built, int], Gap], *sizes: int) -> Property:
    return Property(name, says, _plain(function), sizes or SIZES)


def _learns(built: Built, _: int, again: reach.Rebuild) -> Gap:
    return reach.every_weight_learns(built, again)


PROPERTIES = (
    _one("score", "score equals one frame at a time", values.score_is_frame_by_frame),
    _one("encode", "encode draws along the chain rule", values.encode_is_frame_by_frame),
    _one("parts", "the bound is its parts", values.bound_is_its_parts),
    _one("closed forms", "closed-form divergences agree with sampling", values.closed_forms_by_sampling, 2),
    Property("Jacobian", "dependences are exactly the windows", reach.jacobians_are_windows, (1, 2, 5)),
    _one("filtering", "q reads no frame behind its windows", reach.inference_reads_no_later_frame, 5),
    _one("scripted", "eager = scripted = saved and loaded", values.scripted_is_eager, 4),
    _one("padding", "NaN in the padding changes nothing", batches.padding_changes_nothing, 1, 2, 5),
    _one("missing data", "missing observations are not read", batches.missing_data_are_not_read),
    Property("gradients", "every weight learns", _learns, (2,)),
    _one("causal", "generation reads no later frame", reach.generation_is_causal, 5),
    _one("generate", "generate, scored, is itself", reach.generation_scores_itself),
    _one("forecast", "forecast = encode, then generate", batches.forecast_is_encode_then_generate),
    _one("stream", "frame by frame = whole sequences", batches.stream_is_batch, 5),
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
        other = build(spec, seed)
        other.module.eval()
        return other

    for one in applicable(built):
        for size in dict.fromkeys(built.spec.frames or size for size in one.sizes):
            try:
                one.holds(built, size, again)
            except ViolationError as violation:
                raise ViolationError(f"{one.name} ({one.says}), T = {size}: {violation}") from None
    if again(0).text != built.text:
        raise ViolationError("the same spec gave another text")
    forget(built)
