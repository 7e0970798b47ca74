r"""`linear-gaussian`: a linear-Gaussian state space model, whose likelihood is known exactly.

    z_1 ~ N(m, P),   z_t = A z_{t-1} + N(0, Q),   x_t = C z_t + N(0, R)

z of dim 2 turns by 0.4 radians a frame and shrinks by 0.95; x is gaussian of dim 3. The hidden z is kept as
`<split>_z`. `log_likelihood` is log p(x_{1:T}) by the Kalman filter's innovations: with the prediction
x_t | x_{1:t-1} ~ N(C m_t, S_t), S_t = C P_t C' + R, it is the sum of their log densities.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]


def _turning() -> Matrix:
    cosine, sine = np.cos(0.4), np.sin(0.4)
    return np.asarray(0.95 * np.array([[cosine, -sine], [sine, cosine]]))


@dataclass(frozen=True)
class LinearGaussian:
    """The matrices of the equations above; P and Q (dim z, dim z), R (dim x, dim x)."""

    A: Matrix = field(default_factory=_turning)
    Q: Matrix = field(default_factory=lambda: 0.1 * np.eye(2))
    C: Matrix = field(default_factory=lambda: np.array([[1.0, 0.0], [0.0, 1.0], [0.7, -0.7]]))
    R: Matrix = field(default_factory=lambda: np.diag([0.1, 0.1, 0.05]))
    m: Matrix = field(default_factory=lambda: np.zeros(2))
    P: Matrix = field(default_factory=lambda: np.eye(2))

    def simulate(self, random: np.random.Generator, count: int, frames: int) -> dict[str, NDArray[Any]]:
        """Return z (count, frames, dim z) and x (count, frames, dim x)."""
        z = random.multivariate_normal(self.m, self.P, size=count)
        states = [z]
        for _ in range(frames - 1):
            z = z @ self.A.T + random.multivariate_normal(np.zeros(len(self.m)), self.Q, size=count)
            states.append(z)
        path = np.stack(states, axis=1)
        noise = random.multivariate_normal(np.zeros(len(self.C)), self.R, size=(count, frames))
        return {"x": (path @ self.C.T + noise).astype(np.float32), "z": path.astype(np.float32)}

    def log_likelihood(self, x: NDArray[Any]) -> float:
        """Return log p(x_{1:T}) in nats of one sequence (T, dim x), all of it observed."""
        mean, cover = self.m, self.P
        total = 0.0
        for frame in x.astype(np.float64):
            error = frame - self.C @ mean
            spread = self.C @ cover @ self.C.T + self.R
            gain = np.linalg.solve(spread, self.C @ cover).T
            _, log_det = np.linalg.slogdet(spread)
            total -= 0.5 * (error @ np.linalg.solve(spread, error) + log_det + len(error) * np.log(2 * np.pi))
            mean, cover = mean + gain @ error, cover - gain @ self.C @ cover
            mean, cover = self.A @ mean, self.A @ cover @ self.A.T + self.Q
        return float(total)
