r"""`sines`: a harmonic mixture whose frequency belongs to the sequence, not to the frame.

    f ~ U[0.02, 0.1] a frame, once a sequence;   a_k, b_k ~ N(0, 1 / k^2), k = 1, 2, 3
    x_t = sum_k a_k cos(2 pi k f (t - 1)) + b_k sin(2 pi k f (t - 1)) + N(0, 0.1^2)

x is gaussian of dim 1; f is kept as `<split>_f` (sequences, 1), amplitudes as `<split>_a` (sequences, 6).
Given f, x_{1:T} is Gaussian with covariance B D B' + 0.01 I, B (T, 6) the waves: `log_likelihood` integrates
it over f.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

LOW, HIGH = 0.02, 0.1
NOISE = 0.1
_WAVES = np.array([1.0, 2.0, 3.0])


def simulate(random: np.random.Generator, count: int, frames: int) -> dict[str, NDArray[Any]]:
    """Return x (count, frames, 1), f (count, 1) and a (count, 6): the cosines', then the sines'."""
    f = random.uniform(LOW, HIGH, size=count)
    a = random.normal(size=(count, 6)) * np.sqrt(_variances())
    clean = np.stack([_waves(one, frames) @ own for one, own in zip(f, a, strict=True)])
    x = clean + NOISE * random.normal(size=clean.shape)
    return {
        "x": x[:, :, None].astype(np.float32),
        "f": f[:, None].astype(np.float32),
        "a": a.astype(np.float32),
    }


def log_density(x: NDArray[Any], f: float) -> float:
    """Return log p(x_{1:T} | f) in nats of one sequence (T, 1).

    By the matrix inversion lemma: with L = I + D^{1/2} B'B D^{1/2} / s^2, s the noise, the quadratic form is
    (|x|^2 - |L^{-1/2} D^{1/2} B'x|^2 / s^2) / s^2 and the log-determinant log|L| + T log s^2.
    """
    y = x[:, 0].astype(np.float64)
    loaded = _waves(f, len(y)) * np.sqrt(_variances())
    inner = np.eye(6) + loaded.T @ loaded / NOISE**2
    seen = loaded.T @ y
    quadratic = (y @ y - seen @ np.linalg.solve(inner, seen) / NOISE**2) / NOISE**2
    log_det = np.linalg.slogdet(inner)[1] + len(y) * np.log(NOISE**2)
    return float(-0.5 * (quadratic + log_det + len(y) * np.log(2 * np.pi)))


def log_likelihood(x: NDArray[Any], points: int = 4000) -> float:
    """Return log p(x_{1:T}) in nats of one sequence (T, 1), by the midpoint rule over f."""
    middles = LOW + (np.arange(points) + 0.5) * (HIGH - LOW) / points
    densities = np.array([log_density(x, float(f)) for f in middles])
    return float(densities.max() + np.log(np.exp(densities - densities.max()).mean()))


def _waves(f: float, frames: int) -> NDArray[np.float64]:
    """Return B (frames, 6)."""
    phase = 2 * np.pi * f * np.arange(frames)[:, None] * _WAVES
    return np.concatenate([np.cos(phase), np.sin(phase)], axis=1)


def _variances() -> NDArray[np.float64]:
    return np.tile(1 / _WAVES**2, 2)
