"""The kinds of pictures of an observed variable, and which of them suits it."""

from __future__ import annotations

from enum import StrEnum

from dvaec.runtime.faults import LabFault

FEW = 8  # dimensions that can stand as lines


class Kind(StrEnum):
    """How the frames of an observed variable are shown."""

    ROLL = "roll"
    SPECTROGRAM = "spectrogram"
    LINES = "lines"
    MAP = "map"
    SKELETON = "skeleton"
    IMAGE = "image"


POWERS = ("gamma", "complex_gaussian")
_SWITCHES = ("bernoulli", "categorical")


def kind_of(name: str, family: str, dim: int, wanted: Kind | None = None) -> Kind:
    """Return the kind that is wanted, or that suits a variable; LabFault for one that cannot show it."""
    if wanted is None:
        if family in _SWITCHES:
            return Kind.ROLL
        if family in POWERS and dim > FEW:
            return Kind.SPECTROGRAM
        return Kind.LINES if dim <= FEW else Kind.MAP
    reason = _misfit(family, dim, wanted)
    if reason is not None:
        suits = kind_of(name, family, dim)
        raise LabFault(f"--kind {wanted}: {reason}: {name} is {family} of dim {dim}", f"--kind {suits}")
    return wanted


def _misfit(family: str, dim: int, kind: Kind) -> str | None:
    """Why a kind cannot show a variable, or None."""
    if kind is Kind.ROLL and family not in _SWITCHES:
        return "a roll shows switches and classes"
    if kind is Kind.SPECTROGRAM and family not in POWERS:
        return "a spectrogram shows power"
    if kind is Kind.LINES and dim > 6 * FEW:
        return f"lines show up to {6 * FEW} dimensions"
    if kind is Kind.SKELETON and (
        dim % 3 or family not in ("gaussian", "full_gaussian", "laplace", "student_t")
    ):
        return "a skeleton has real joints in three dimensions"
    return None


def sides(dim: int, shape: str | None) -> tuple[int, int]:
    """Return (height, width) of an image of `dim` pixels: as `shape` says (32x24), or a square."""
    if shape is None:
        side = round(dim**0.5)
        if side * side != dim:
            raise LabFault(f"{dim} pixels are no square", "--shape HEIGHTxWIDTH says how they lie")
        return side, side
    high, _, wide = shape.partition("x")
    if not (high.isdigit() and wide.isdigit()) or int(high) * int(wide) != dim:
        raise LabFault(f"--shape {shape}: HEIGHTxWIDTH of {dim} pixels is needed")
    return int(high), int(wide)
