"""Random convolutions over the axes of an image, as many and as coarse as it has room for."""

from __future__ import annotations

from hypothesis import strategies as st

from dvaec.spec.geometry import image, shrunken
from dvaec.spec.model import ImageDecoder, ImageEncoder, Parent

ACTIVATIONS = ("tanh", "elu", "gelu", "silu")


@st.composite
def image_encoders(draw: st.DrawFn, reads: tuple[Parent, ...], axes: tuple[int, ...]) -> ImageEncoder:
    """Draw an encoder of images with these axes."""
    channels, kernel, stride = draw(_layers(axes))
    return ImageEncoder(reads, channels, kernel, stride, draw(st.sampled_from(ACTIVATIONS)), 3)


@st.composite
def image_decoders(draw: st.DrawFn, reads: tuple[Parent, ...], axes: tuple[int, ...]) -> ImageDecoder:
    """Draw a decoder onto images with these axes."""
    channels, kernel, stride = draw(_layers(axes))
    return ImageDecoder(reads, channels, kernel, stride, draw(st.sampled_from(ACTIVATIONS)))


@st.composite
def _layers(draw: st.DrawFn, axes: tuple[int, ...]) -> tuple[tuple[int, ...], int, int]:
    """Draw channels, kernel and stride that leave a point of the image."""
    found = image(axes)
    assert found is not None
    kinds = [
        (count, kernel, stride)
        for count in (1, 2)
        for kernel in (2, 3)
        for stride in (1, 2)
        if min(side for size in shrunken(found[1], count, kernel, stride) for side in size) >= 1
    ]
    count, kernel, stride = draw(st.sampled_from(kinds))
    return tuple(draw(st.integers(1, 3)) for _ in range(count)), kernel, stride
