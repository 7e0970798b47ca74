"""Sizes that blocks make of sizes: receptive fields in time, images from layer to layer, rows of a frame."""

from __future__ import annotations

from math import prod

from dvaec.spec.blocks import Convolution

Size = tuple[int, int]


def receptive(block: Convolution) -> int:
    """Return how many frames the last layer takes in: 1 + sum_i (kernel - 1) dilation_i."""
    return 1 + sum((block.kernel - 1) * dilation for dilation in block.dilations)


def skipped(block: Convolution) -> tuple[int, ...]:
    """Return the frames of the receptive field, counted from its first, that no path of weights leads to."""
    reached = {0}
    for dilation in block.dilations:
        reached = {frame + k * dilation for frame in reached for k in range(block.kernel)}
    return tuple(frame for frame in range(receptive(block)) if frame not in reached)


def padding(kernel: int, stride: int) -> int:
    """Return the zeros around an image with which a stride of s divides its sides by s, or nearly."""
    return max(0, (kernel - stride + 1) // 2)


def shrunken(size: Size, layers: int, kernel: int, stride: int) -> tuple[Size, ...]:
    """Return the sides of an image before the first of these layers, behind it, ..., behind the last.

    A side h becomes floor((h + 2 padding - kernel) / stride) + 1; not positive where the image is too small.
    """
    sizes, pad = [size], padding(kernel, stride)
    for _ in range(layers):
        height, width = ((side + 2 * pad - kernel) // stride + 1 for side in sizes[-1])
        sizes.append((height, width))
    return tuple(sizes)


def left_over(side: int, kernel: int, stride: int) -> int:
    """Return what a layer leaves over of a side; a transposed layer adds it again to come back to it."""
    return (side + 2 * padding(kernel, stride) - kernel) % stride


def image(axes: tuple[int, ...]) -> tuple[int, Size] | None:
    """Return the channels and the sides of a frame of 2 or 3 axes; None for other frames."""
    if len(axes) == 2:
        return 1, (axes[0], axes[1])
    return (axes[0], (axes[1], axes[2])) if len(axes) == 3 else None


def rows(axes: tuple[int, ...], axis: int) -> Size | None:
    """Return how many rows a frame has along an axis and how long one is; None for a frame without it."""
    if len(axes) < 2 or axis >= len(axes):
        return None
    return axes[axis], prod(axes) // axes[axis]
