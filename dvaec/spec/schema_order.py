"""Shapes of how q is declared and ordered, and of the starts of states."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from dvaec.spec.schema_base import Shape, key

LARGEST_DELAY = 1000
MOST_VARIABLES = 64
MOST_LINES = 3 * MOST_VARIABLES  # of each variable: every frame, frame 0, frame 1

KEYWORDS = ("exact", "filtering", "mean_field")

Latents = Annotated[list[str], Field(min_length=1, max_length=MOST_VARIABLES)]


def _one_or_several(value: Any) -> str:
    return "one" if isinstance(value, str) else "several"


class BackwardShape(Shape):
    """A block of `order` that runs from frame T down to 1."""

    backward: Annotated[
        Annotated[str, Tag("one")] | Annotated[Latents, Tag("several")], Discriminator(_one_or_several)
    ] = key("One latent, or several that are interleaved frame by frame: [a, z].")


def _block_tag(value: Any) -> str:
    return "backward" if isinstance(value, dict | BackwardShape) else _one_or_several(value)


OrderBlock = Annotated[
    Annotated[str, Tag("one")]
    | Annotated[Latents, Tag("several")]
    | Annotated[BackwardShape, Tag("backward")],
    Discriminator(_block_tag),
]
OrderShape = Annotated[list[OrderBlock], Field(min_length=1, max_length=MOST_VARIABLES)]


class LookaheadShape(Shape):
    """Filtering with a delay."""

    lookahead: Annotated[int, Field(ge=0, le=LARGEST_DELAY)] = key(
        "The posterior of frame t given the evidence of the frames up to t + this number."
    )


def _item_tag(value: Any) -> str:
    return "mapping" if isinstance(value, dict | LookaheadShape) else "text"


def _inference_tag(value: Any) -> str | None:
    if isinstance(value, str):
        return "word"
    return (
        "list" if isinstance(value, list) else "mapping" if isinstance(value, dict | LookaheadShape) else None
    )


InferenceItem = Annotated[
    Annotated[str, Tag("text")] | Annotated[LookaheadShape, Tag("mapping")], Discriminator(_item_tag)
]
InferenceShape = Annotated[
    Annotated[Literal["exact", "filtering", "mean_field"], Tag("word")]
    | Annotated[LookaheadShape, Tag("mapping")]
    | Annotated[Annotated[list[InferenceItem], Field(min_length=1, max_length=MOST_LINES)], Tag("list")],
    Discriminator(_inference_tag),
]


class StartShape(Shape):
    """A start that a network computes: tanh(W reads + b)."""

    reads: str = key("What the start is computed from: values of the sequence, or single frames such as u_1.")


def _start_tag(value: Any) -> str:
    return "mapping" if isinstance(value, dict | StartShape) else "word"


Starts = Annotated[
    Annotated[Literal["zeros", "learned"], Tag("word")] | Annotated[StartShape, Tag("mapping")],
    Discriminator(_start_tag),
]
