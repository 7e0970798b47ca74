"""How close numbers must be, and what is raised where they are not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from torch import Tensor

RELATIVE = 1e-9
ABSOLUTE = 1e-11


class ViolationError(AssertionError):
    """A property does not hold; the message says where, with the numbers."""


class Gap:
    """The largest deviation seen so far, as a fraction of what is allowed."""

    def __init__(
        self, relative: float = RELATIVE, absolute: float = ABSOLUTE, unit: str = "relative error"
    ) -> None:
        self.unit = unit
        self.relative, self.absolute, self.worst = relative, absolute, 0.0
        self.compared = 0

    def close(self, got: Tensor, wanted: Tensor, where: str) -> None:
        """Compare two tensors of one shape; ViolationError names the first place that differs too much."""
        if got.shape != wanted.shape:
            raise ViolationError(f"{where}: shape {tuple(got.shape)}, not {tuple(wanted.shape)}")
        self.compared += got.numel()
        if not got.numel():
            return
        allowed = self.absolute + self.relative * wanted.abs()
        off = ((got - wanted).abs() / allowed).nan_to_num(nan=float("inf"))
        off = off.masked_fill((got == wanted), 0.0)
        worst = float(off.detach().max())
        self.worst = max(self.worst, worst)
        if worst > 1.0:
            at = int(off.reshape(-1).argmax())
            index = [int(k) for k in _unravel(at, tuple(got.shape))]
            one, two = float(got.detach().reshape(-1)[at]), float(wanted.detach().reshape(-1)[at])
            raise ViolationError(f"{where}, at {index}: {one:.12g}, not {two:.12g}")

    def number(self, got: float, wanted: float, where: str) -> None:
        """Compare two numbers."""
        self.compared += 1
        off = abs(got - wanted) / (self.absolute + self.relative * abs(wanted))
        self.worst = max(self.worst, off)
        if not off <= 1.0:
            raise ViolationError(f"{where}: {got:.12g}, not {wanted:.12g}")

    @property
    def error(self) -> float:
        """The largest relative deviation, roughly: what is allowed times the fraction that was seen."""
        return self.worst * self.relative


def close_slopes(gap: Gap, got: Mapping[str, Tensor], wanted: Mapping[str, Tensor], where: str) -> None:
    """Compare gradients by the names of their weights, where those are computed in another order.

    An entry may be what is left of terms as large as the others: attention does not move with all keys.
    """
    largest = max((float(slope.abs().max()) for slope in wanted.values() if slope.numel()), default=0.0)
    near = Gap(1e-8, gap.absolute + 1e-14 * largest)
    for name, slope in wanted.items():
        near.close(got[name], slope, f"the gradient of {name}{where}")
    gap.compared += near.compared
    gap.worst = max(gap.worst, near.error / gap.relative)


def _unravel(at: int, shape: tuple[int, ...]) -> Iterator[int]:
    rest = at
    sizes = [1]
    for size in reversed(shape[1:]):
        sizes.append(sizes[-1] * size)
    for size in reversed(sizes[: len(shape)]):
        yield rest // size
        rest %= size
