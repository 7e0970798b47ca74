r"""`lorenz` and `ball`: a chaotic attractor seen through noise, and a film of a ball between four walls.

lorenz:  ds/dt = (10 (s2 - s1), s1 (28 - s3) - s2, s1 s2 - 8/3 s3) by Runge-Kutta of order 4 with steps of
0.025,
         x_t = s_t / 10 + 0.05 eps_t, gaussian of dim 3; sequences begin on the attractor. `<split>_state` is
         s.
ball:    a disc of radius 3 pixels moves at constant speed in a box of 32 x 32 and bounces off its walls
without
         loss; x_t is bernoulli of dim 1024 (32 rows of 32), 1 where the pixel's centre lies in the disc.
         `<split>_state` is (across, down, and their speeds), in pixels and pixels a frame. No noise: the
         state gives x exactly.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

STEP = 0.025
LORENZ_NOISE = 0.05
SIDE = 32
RADIUS = 3.0
_WARM = 1000  # steps until a start is on the attractor


def lorenz(random: np.random.Generator, count: int, frames: int) -> dict[str, NDArray[Any]]:
    """Return x and state (count, frames, 3)."""
    state = random.normal(size=(count, 3)) + np.array([1.0, 1.0, 25.0])
    for _ in range(_WARM):
        state = lorenz_step(state)
    path = [state]
    for _ in range(frames - 1):
        path.append(lorenz_step(path[-1]))
    states = np.stack(path, axis=1)
    x = states / 10 + LORENZ_NOISE * random.normal(size=states.shape)
    return {"x": x.astype(np.float32), "state": states.astype(np.float32)}


def lorenz_step(s: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the states (..., 3) one step of 0.025 later."""
    a = _flow(s)
    b = _flow(s + STEP / 2 * a)
    c = _flow(s + STEP / 2 * b)
    d = _flow(s + STEP * c)
    return np.asarray(s + STEP / 6 * (a + 2 * b + 2 * c + d))


def _flow(s: NDArray[np.float64]) -> NDArray[np.float64]:
    x, y, z = s[..., 0], s[..., 1], s[..., 2]
    return np.stack([10 * (y - x), x * (28 - z) - y, x * y - 8 / 3 * z], axis=-1)


def ball(random: np.random.Generator, count: int, frames: int) -> dict[str, NDArray[Any]]:
    """Return x (count, frames, 1024) of uint8 and state (count, frames, 4)."""
    low, high = RADIUS, SIDE - RADIUS
    place = random.uniform(low, high, size=(count, 1, 2))
    angle = random.uniform(0, 2 * np.pi, size=(count, 1))
    speed = random.uniform(0.8, 2.0, size=(count, 1, 1)) * np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    # A bouncing path is a straight one folded at the walls: a triangle wave of twice their distance.
    straight = place - low + speed * np.arange(frames)[None, :, None]
    phase = np.mod(straight, 2 * (high - low))
    folded = low + np.minimum(phase, 2 * (high - low) - phase)
    velocity = np.where(phase <= high - low, speed, -speed)
    states = np.concatenate([folded, velocity], axis=-1)
    x = ball_frames(states.reshape(-1, 4)).reshape(count, frames, -1)
    return {"x": x, "state": states.astype(np.float32)}


def ball_frames(states: NDArray[Any]) -> NDArray[np.uint8]:
    """Return the picture (n, 1024) of every state (n, 4)."""
    centres = np.arange(SIDE) + 0.5
    across = (centres[None, :] - states[:, 0:1]) ** 2
    down = (centres[None, :] - states[:, 1:2]) ** 2
    inside = down[:, :, None] + across[:, None, :] <= RADIUS**2
    return np.asarray(inside.reshape(len(states), -1), dtype=np.uint8)
