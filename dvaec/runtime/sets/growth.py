r"""`growth`: the nonlinear one-dimensional state space model on which particle filters are compared.

    z_1 ~ N(0, 10),   z_t = z_{t-1} / 2 + 25 z_{t-1} / (1 + z_{t-1}^2) + 8 u_t + N(0, 10),
    x_t = z_t^2 / 20 + N(0, 1),   u_t = cos(1.2 (t - 1))

x is gaussian of dim 1, u an input of dim 1, the hidden z is kept as `<split>_z`. The sign of z is lost in x,
so the posterior has two modes. `log_likelihood` is log p(x_{1:T} | u_{1:T}) by quadrature of the filter on a
grid, exact to its spacing. Source: Gordon, Salmond and Smith 1993.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

_PROCESS = 10.0  # variance of the state's noise, and of the first state
_NOISE = 1.0  # variance of the observation's noise
_REACH = 45.0  # the grid is [-45, 45]: beyond it lies less than 1e-6 of the mass


def simulate(random: np.random.Generator, count: int, frames: int) -> dict[str, NDArray[Any]]:
    """Return x, u, z (count, frames, 1)."""
    u = np.cos(1.2 * np.arange(frames))
    z = np.sqrt(_PROCESS) * random.normal(size=count)
    states = [z]
    for t in range(1, frames):
        z = _step(z, u[t]) + np.sqrt(_PROCESS) * random.normal(size=count)
        states.append(z)
    path = np.stack(states, axis=1)[:, :, None]
    x = path**2 / 20 + np.sqrt(_NOISE) * random.normal(size=path.shape)
    force = np.broadcast_to(u[None, :, None], path.shape)
    return {name: array.astype(np.float32) for name, array in (("x", x), ("u", force), ("z", path))}


def log_likelihood(x: NDArray[Any], u: NDArray[Any], points: int = 1201) -> float:
    """Return log p(x_{1:T} | u_{1:T}) in nats of one sequence; x and u (T, 1)."""
    grid = np.linspace(-_REACH, _REACH, points)
    width = grid[1] - grid[0]
    density = _normal(grid, 0.0, _PROCESS)
    total = 0.0
    for t, seen in enumerate(x[:, 0].astype(np.float64)):
        if t:
            moved = _step(grid, float(u[t, 0]))
            density = width * (_normal(grid[:, None], moved[None, :], _PROCESS) @ density)
        joint = density * _normal(seen, grid**2 / 20, _NOISE)
        evidence = width * joint.sum()
        total += float(np.log(evidence))
        density = joint / evidence
    return total


def _step(z: NDArray[np.float64], u: float) -> NDArray[np.float64]:
    return np.asarray(z / 2 + 25 * z / (1 + z**2) + 8 * u)


def _normal(x: Any, mean: Any, variance: float) -> NDArray[np.float64]:
    return np.asarray(np.exp(-0.5 * (x - mean) ** 2 / variance) / np.sqrt(2 * np.pi * variance))
