"""Random networks of frames 1 and T of q, which read the data there by blocks."""

from __future__ import annotations

from hypothesis import strategies as st

from dvaec.spec.model import LAST, Block, Convolution, Dense, Head, Layer, Parent, Side
from dvaec.spec.offsets import of, window
from dvaec.testing.strategies.images import ACTIVATIONS, image_encoders

LAYERS = st.builds(Layer, st.integers(2, 4), st.sampled_from(ACTIVATIONS), st.booleans())


@st.composite
def ends(draw: st.DrawFn, target: str, data: str, axes: tuple[int, ...]) -> tuple[Head, ...]:
    """Draw networks of frame 1, of T, of both, or of neither, more often; `axes` are those of an image."""
    frames = draw(st.sampled_from(((), (), (1,), (LAST,), (1, LAST))))
    return tuple(
        Head(Side.Q, target, draw(_blocks(data, axes, 1 if frame == 1 else -1)), frame=frame)
        for frame in frames
    )


@st.composite
def _blocks(draw: st.DrawFn, data: str, axes: tuple[int, ...], ahead: int) -> Block:
    """Draw a block that reads the frame itself and those `ahead` of it, behind it where that is -1."""
    kind = draw(st.sampled_from(("convolution", "convolution", "image", "dense")))
    if kind == "convolution":
        kernel, layers = draw(st.integers(2, 3)), tuple(draw(st.lists(LAYERS, min_size=1, max_size=2)))
        near = draw(st.integers(0, 1))
        far = near + len(layers) * (kernel - 1)
        there = window(near, far) if ahead > 0 else window(-far, -near)
        return Convolution((Parent(data, there),), layers, kernel, (1,) * len(layers))
    alone = Parent(data, None, 1 if ahead > 0 else LAST)
    reads = (draw(st.sampled_from((alone, Parent(data, of(0, ahead))))),)
    return draw(image_encoders(reads, axes)) if kind == "image" else Dense(reads, (draw(LAYERS),))
