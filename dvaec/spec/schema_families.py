"""The shape of a distribution on the page: the names of the families and the numbers that go with some."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

MOST_COMPONENTS = 256
LARGEST_NUMBER = 1e6
SMALLEST_NUMBER = 1e-6  # of what is divided by, or has a logarithm, in single precision

FamilyName = Literal[
    "gaussian", "full_gaussian", "complex_gaussian", "bernoulli", "categorical", "poisson", "gamma",
    "laplace", "student_t", "beta", "gaussian_mixture",
]  # fmt: skip
Positive = Annotated[float, Field(ge=SMALLEST_NUMBER, le=LARGEST_NUMBER, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, le=LARGEST_NUMBER, allow_inf_nan=False)]
Components = Annotated[int, Field(ge=2, le=MOST_COMPONENTS)]


def _tag(value: Any) -> str | None:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return "number"
    return "word" if isinstance(value, str) else None


NumberOrLearned = Annotated[
    Annotated[Positive, Tag("number")] | Annotated[Literal["learned"], Tag("word")], Discriminator(_tag)
]
