"""SRNN and VRNN as one would first write them: one loop over the frames, everything inside it.

The layers carry the emitted modules' names and shapes, so that weights can be copied and results compared.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def gaussian(raw: Tensor) -> tuple[Tensor, Tensor]:
    """Return mean and log-variance, bounded as in the emitted modules."""
    mean, logvar = raw.chunk(2, -1)
    return mean, 30.0 * torch.tanh(logvar / 30.0)


def kl(q: tuple[Tensor, Tensor], p: tuple[Tensor, Tensor]) -> Tensor:
    """KL(N(q) || N(p)) of diagonal Gaussians: (batch, dim) -> (batch,)."""
    (m, a), (n, b) = q, p
    return 0.5 * (b - a + (a.exp() + (m - n) ** 2) / b.exp() - 1.0).sum(-1)


def log_bernoulli(x: Tensor, logits: Tensor) -> Tensor:
    """log p(x; logits): (batch, dim) -> (batch,)."""
    return -F.binary_cross_entropy_with_logits(logits, x, reduction="none").sum(-1)


class LoopSRNN(nn.Module):
    """SRNN of the review's chapter 9 with the sizes of specs/srnn.yaml."""

    def __init__(self) -> None:
        super().__init__()
        self.h_in_1, self.h_rnn = nn.Linear(88, 256), nn.LSTMCell(256, 128)
        self.g_in_1, self.g_rnn = nn.Linear(216, 256), nn.LSTMCell(256, 128)
        self.p_z_1, self.p_z_2, self.p_z_out = nn.Linear(144, 64), nn.Linear(64, 32), nn.Linear(32, 32)
        self.p_x_1, self.p_x_out = nn.Linear(144, 256), nn.Linear(256, 88)
        self.q_z_1, self.q_z_2, self.q_z_out = nn.Linear(144, 64), nn.Linear(64, 32), nn.Linear(32, 32)

    def forward(self, x: Tensor, noise: Tensor) -> Tensor:
        """Return the ELBO of every sequence: (batch, time, 88), (batch, time, 16) -> (batch,)."""
        batch, frames, _ = x.shape
        zeros = x.new_zeros(batch, 128)
        h, c, previous = zeros, zeros, x.new_zeros(batch, 88)
        hs = []
        for t in range(frames):
            h, c = self.h_rnn(torch.tanh(self.h_in_1(previous)), (h, c))
            hs.append(h)
            previous = x[:, t]
        g, c = zeros, zeros
        gs = []
        for t in range(frames - 1, -1, -1):
            g, c = self.g_rnn(torch.tanh(self.g_in_1(torch.cat([hs[t], x[:, t]], -1))), (g, c))
            gs.append(g)
        gs.reverse()
        z, elbo = x.new_zeros(batch, 16), x.new_zeros(batch)
        for t in range(frames):
            a = torch.tanh(self.q_z_2(torch.tanh(self.q_z_1(torch.cat([z, gs[t]], -1)))))
            b = torch.tanh(self.p_z_2(torch.tanh(self.p_z_1(torch.cat([z, hs[t]], -1)))))
            q, p = gaussian(self.q_z_out(a)), gaussian(self.p_z_out(b))
            z = q[0] + torch.exp(0.5 * q[1]) * noise[:, t]
            logits = self.p_x_out(torch.tanh(self.p_x_1(torch.cat([z, hs[t]], -1))))
            elbo = elbo + log_bernoulli(x[:, t], logits) - kl(q, p)
        return elbo


class LoopVRNN(nn.Module):
    """VRNN of the review's chapter 8 with the sizes of specs/vrnn.yaml."""

    def __init__(self) -> None:
        super().__init__()
        self.fx_1, self.fz_1, self.fz_2 = nn.Linear(88, 256), nn.Linear(16, 32), nn.Linear(32, 64)
        self.h_rnn = nn.LSTMCell(320, 128)
        self.p_z_1, self.p_x_1, self.q_z_1 = nn.Linear(128, 32), nn.Linear(192, 88), nn.Linear(384, 32)

    def forward(self, x: Tensor, noise: Tensor) -> Tensor:
        """Return the ELBO of every sequence: (batch, time, 88), (batch, time, 16) -> (batch,)."""
        batch, frames, _ = x.shape
        h, c = x.new_zeros(batch, 128), x.new_zeros(batch, 128)
        fx = torch.tanh(self.fx_1(x.new_zeros(batch, 88)))
        fz = torch.tanh(self.fz_2(torch.tanh(self.fz_1(x.new_zeros(batch, 16)))))
        elbo = x.new_zeros(batch)
        for t in range(frames):
            h, c = self.h_rnn(torch.cat([fx, fz], -1), (h, c))
            fx = torch.tanh(self.fx_1(x[:, t]))
            q = gaussian(self.q_z_1(torch.cat([fx, h], -1)))
            p = gaussian(self.p_z_1(h))
            z = q[0] + torch.exp(0.5 * q[1]) * noise[:, t]
            fz = torch.tanh(self.fz_2(torch.tanh(self.fz_1(z))))
            elbo = elbo + log_bernoulli(x[:, t], self.p_x_1(torch.cat([fz, h], -1))) - kl(q, p)
        return elbo
