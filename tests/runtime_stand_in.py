"""A hand-written module with the contract of an emitted one, and data to go with it: for the runtime's tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from dvaec.runtime.card import Card
from dvaec.runtime.noise import Noise
from dvaec.runtime.source import load_class

SOURCE = '''
from typing import NamedTuple, Optional

import torch
from torch import Tensor, nn


class SmallElbo(NamedTuple):
    elbo: Tensor
    log_p_x: Tensor
    kl_z: Tensor


class SmallEncoding(NamedTuple):
    z: Tensor
    q_z_mean: Tensor
    q_z_logvar: Tensor


class SmallScore(NamedTuple):
    p_z_mean: Tensor
    p_z_logvar: Tensor
    log_p_z: Tensor
    log_p_x: Tensor
    q_z_mean: Tensor
    q_z_logvar: Tensor
    log_q_z: Tensor


def log_normal(x: Tensor, mean: Tensor, logvar: Tensor) -> Tensor:
    return -0.5 * ((x - mean) ** 2 * torch.exp(-logvar) + logvar + 1.8378770664093453).sum(2)


class SmallMeans(NamedTuple):
    x: Tensor


class Small(nn.Module):
    """p(x_t | z_t, h_t), p(z_t) = N(0, I), q(z_t | x_t, u_t); h_t a forward recurrence over u."""

    def __init__(self) -> None:
        super().__init__()
        self.state = nn.LSTM(1, 4, batch_first=True)
        self.encoder = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 4))
        self.decoder = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 2))

    def posterior(self, x: Tensor, u: Tensor, noise_z: Optional[Tensor]) -> SmallEncoding:
        mean, logvar = self.encoder(torch.cat([x, u], 2)).chunk(2, 2)
        noise = torch.randn_like(mean) if noise_z is None else noise_z
        return SmallEncoding(mean + torch.exp(0.5 * logvar) * noise, mean, logvar)

    def present(self, x: Tensor, lengths: Optional[Tensor]) -> Tensor:
        frame = torch.arange(x.size(1), device=x.device)
        if lengths is None:
            return torch.ones([x.size(0), x.size(1)], dtype=torch.bool, device=x.device)
        return frame.unsqueeze(0) < lengths.unsqueeze(1)

    @torch.jit.export
    def reconstruct(
        self, x: Tensor, u: Tensor, lengths: Optional[Tensor] = None, noise_z: Optional[Tensor] = None
    ) -> SmallMeans:
        z = self.posterior(x, u, noise_z).z
        return SmallMeans(self.decoder(torch.cat([z, self.state(u)[0]], 2)))

    @torch.jit.export
    def encode(
        self, x: Tensor, u: Tensor, lengths: Optional[Tensor] = None, noise_z: Optional[Tensor] = None
    ) -> SmallEncoding:
        return self.posterior(x, u, noise_z)

    @torch.jit.export
    def score(self, x: Tensor, u: Tensor, z: Tensor, lengths: Optional[Tensor] = None) -> SmallScore:
        _, mean, logvar = self.posterior(x, u, None)
        decoded = self.decoder(torch.cat([z, self.state(u)[0]], 2))
        there = self.present(x, lengths)
        zeros = torch.zeros_like(mean)
        nothing = torch.zeros([], dtype=x.dtype, device=x.device)
        log_p_z = torch.where(there, log_normal(z, zeros, zeros), nothing)
        log_p_x = torch.where(there, log_normal(x, decoded, torch.zeros_like(x)), nothing)
        log_q_z = torch.where(there, log_normal(z, mean, logvar), nothing)
        return SmallScore(zeros, zeros, log_p_z, log_p_x, mean, logvar, log_q_z)

    @torch.jit.export
    def elbo(
        self, x: Tensor, u: Tensor, lengths: Optional[Tensor] = None, noise_z: Optional[Tensor] = None
    ) -> SmallElbo:
        z, mean, logvar = self.posterior(x, u, noise_z)
        decoded = self.decoder(torch.cat([z, self.state(u)[0]], 2))
        there = self.present(x, lengths)
        zero = torch.zeros([], dtype=x.dtype, device=x.device)
        log_p = torch.where(there, -0.5 * ((x - decoded) ** 2 + 1.8378770664093453).sum(2), zero)
        kl = torch.where(there, 0.5 * (mean**2 + torch.exp(logvar) - 1 - logvar).sum(2), zero)
        return SmallElbo((log_p - kl).sum(1), log_p, kl)
'''

CARD = Card(
    name="Small",
    spec="dvaec: 1\n",
    overrides=("x.dim=2",),
    hash="0123456789abcdef0123",
    observed={"x": 2},
    families={"x": "gaussian"},
    inputs={"u": 1},
    static_inputs=(),
    latents={"z": 2},
    noises={"noise_z": Noise("normal", 2, True)},
)


def small(seed: int = 0) -> nn.Module:
    """Return a stand-in model with weights from `seed`."""
    torch.manual_seed(seed)
    return load_class(SOURCE, "Small")()


def arrays(sequences: int = 12, seed: int = 0) -> dict[str, np.ndarray[Any, Any]]:
    """Return three splits of a learnable ragged set for the stand-in."""
    random = np.random.default_rng(seed)
    found: dict[str, np.ndarray[Any, Any]] = {}
    for split in ("train", "valid", "test"):
        lengths = random.integers(1, 9, size=sequences)
        u = random.normal(size=(lengths.sum(), 1))
        x = np.concatenate([np.sin(u), 2.0 + u], axis=1) + 0.1 * random.normal(size=(len(u), 2))
        found |= {f"{split}_x": x, f"{split}_u": u[:, 0], f"{split}_lengths": lengths}
    return found


def write(path: Path, content: dict[str, np.ndarray[Any, Any]]) -> str:
    """Write arrays as .npz and return the path as text."""
    np.savez(path, allow_pickle=True, **content)
    return str(path)
