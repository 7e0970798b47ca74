r"""A built-in data set with known truth: a damped pendulum pushed by a smooth random torque.

    u_t     = rho u_{t-1} + sqrt(1 - rho^2) sigma_u eps_t                               the torque, an input
    omega_t = omega_{t-1} + dt (-k sin theta_{t-1} - c omega_{t-1} + u_t) + sqrt(dt) sigma_w eps'_t
    theta_t = theta_{t-1} + dt omega_t                                                  (semi-implicit Euler)

`pendulum` observes the tip with noise, x_t = (sin theta_t, cos theta_t) + sigma_x eps''_t, a gaussian x of
dim 2. `pendulum-ring` observes it by 88 switches around the circle, x_{t,j} ~ Bernoulli(sigmoid(gain
(cos(theta_t - phi_j) - level))), phi_j = 2 pi j / 88, a bernoulli x of dim 88. `pendulum-frames` films it:
x_t is 16 x 16 pixels, a spot exp(-|c_j - r_t|^2 / (2 spot^2)) around the tip r_t = (sin theta_t, cos
theta_t), pixels c_j on a grid over [-1.4, 1.4]^2, plus sigma_x eps''_t: a gaussian x of dim 256. All have u
of dim 1 and keep the hidden angle as `<split>_theta`, so that log p(x | theta), the best reconstruction that
any model can reach, is known (`true_log_density`). Angles are in radians, time in seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dvaec.runtime.faults import DataFault
from dvaec.runtime.files import replacing

BUILT_IN = ("pendulum", "pendulum-ring", "pendulum-frames")
_PARTS = ("train", "valid", "test")


@dataclass(frozen=True)
class Truth:
    """The constants of the equations above."""

    step: float = 0.1  # dt, s
    stiffness: float = 4.0  # k, 1/s^2: a period of about 3 s
    damping: float = 0.3  # c, 1/s
    torque: float = 3.0  # sigma_u, 1/s^2
    smoothness: float = 0.95  # rho
    push: float = 0.1  # sigma_w, s^(-3/2)
    noise: float = 0.05  # sigma_x
    switches: int = 88
    gain: float = 20.0
    level: float = 0.9
    pixels: int = 16  # along a side
    spot: float = 0.25  # the bob's size; the rod's length is 1


TRUTH = Truth()


def built_in(name: str, *, sequences: int = 200, frames: int = 50, seed: int = 0) -> dict[str, NDArray[Any]]:
    """Generate a built-in set: `sequences` for training, a quarter of that for valid and test each.

    Lengths are uniform in [frames / 2, frames]. Returns `<split>_x`, `_u`, `_theta`, `_lengths`.
    """
    if name not in BUILT_IN:
        raise DataFault(f"{name}: no such built-in data set", f"one of {', '.join(BUILT_IN)}")
    if sequences < 1 or frames < 2:
        raise DataFault(f"{name}: needs at least 1 sequence of 2 frames, not {sequences} of {frames}")
    arrays: dict[str, NDArray[Any]] = {}
    for number, part in enumerate(_PARTS):
        random = np.random.default_rng([seed, number])
        count = sequences if part == "train" else max(1, sequences // 4)
        lengths = random.integers(max(1, frames // 2), frames + 1, size=count)
        theta, torque = _swing(random, count, frames)
        kept = np.arange(frames)[None, :] < lengths[:, None]
        angle = theta[kept][:, None]
        arrays[f"{part}_x"] = _observe(name, random, angle)
        arrays[f"{part}_u"] = torque[kept][:, None].astype(np.float32)
        arrays[f"{part}_theta"] = angle.astype(np.float32)
        arrays[f"{part}_lengths"] = lengths.astype(np.int64)
    return arrays


def write_npz(name: str, path: Path, *, sequences: int = 200, frames: int = 50, seed: int = 0) -> None:
    """Generate a built-in set and write it as a compressed .npz, whole or not at all."""
    arrays = built_in(name, sequences=sequences, frames=frames, seed=seed)
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)


def true_log_density(name: str, x: NDArray[Any], theta: NDArray[Any]) -> NDArray[np.float64]:
    """Return log p(x_t | theta_t) of every frame in nats, by the generator's equations; x (frames, dim)."""
    theta = theta.reshape(-1, 1).astype(np.float64)
    if name != "pendulum-ring":
        error = (x - _clean(name, theta)) / TRUTH.noise
        log_scale = np.log(TRUTH.noise) + 0.5 * np.log(2 * np.pi)
        density: NDArray[np.float64] = (-0.5 * error**2 - log_scale).sum(axis=1)
        return density
    logit = _logits(theta)
    return np.asarray((x * logit - np.logaddexp(0.0, logit)).sum(axis=1), dtype=np.float64)


def _swing(
    random: np.random.Generator, count: int, frames: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Simulate `count` pendulums for `frames` frames; returns theta and u, each (count, frames)."""
    theta = random.uniform(-np.pi, np.pi, size=count)
    omega = random.normal(0.0, 1.0, size=count)
    torque = random.normal(0.0, TRUTH.torque, size=count)
    angles, torques = [], []
    fresh = np.sqrt(1.0 - TRUTH.smoothness**2) * TRUTH.torque
    for _ in range(frames):
        torque = TRUTH.smoothness * torque + fresh * random.normal(size=count)
        force = -TRUTH.stiffness * np.sin(theta) - TRUTH.damping * omega + torque
        kick = np.sqrt(TRUTH.step) * TRUTH.push * random.normal(size=count)
        omega = omega + TRUTH.step * force + kick
        theta = theta + TRUTH.step * omega
        angles.append(theta)
        torques.append(torque)
    return np.stack(angles, axis=1), np.stack(torques, axis=1)


def _observe(name: str, random: np.random.Generator, theta: NDArray[np.float64]) -> NDArray[Any]:
    if name != "pendulum-ring":
        clean = _clean(name, theta)
        return (clean + TRUTH.noise * random.normal(size=clean.shape)).astype(np.float32)
    logit = _logits(theta)
    return (random.uniform(size=logit.shape) < 1.0 / (1.0 + np.exp(-logit))).astype(np.uint8)


def _clean(name: str, theta: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what is seen without noise of angles (frames, 1): the tip's place, or a picture of it."""
    tip = np.concatenate([np.sin(theta), np.cos(theta)], axis=1)
    if name == "pendulum":
        return tip
    line = np.linspace(-1.4, 1.4, TRUTH.pixels)
    down, across = (-((tip[:, k : k + 1] - line) ** 2) / (2 * TRUTH.spot**2) for k in (1, 0))
    return np.asarray(np.exp(down[:, ::-1, None] + across[:, None, :]).reshape(len(theta), -1))


def _logits(theta: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the switches' log-odds, (frames, switches), of angles (frames, 1)."""
    places = 2.0 * np.pi * np.arange(TRUTH.switches) / TRUTH.switches
    return TRUTH.gain * (np.cos(theta - places) - TRUTH.level)
