"""DMM: Deep Markov model, the deep Kalman filter without inputs, with the deep Kalman smoother as its
posterior (ST-R)

    p = prod_t p(z_t | z_{t-1}) p(x_t | z_t)
    q = prod_t q(z_t | z_{t-1}, x_{t:T})
    L = sum_t E_q[log p(x_t | z_t)]
        - sum_t E_q[KL(q(z_t | z_{t-1}, x_{t:T}) || p(z_t | z_{t-1}))]

Frame-level tensors have shape (batch, time, dim), sequence-level ones (batch, dim), `lengths` (batch,).
Draws may be passed in as noise. Emitted by dvaec from spec 1c56cca5816889f1: change the spec, not this file.
"""

import math
from typing import Any, List, NamedTuple, NoReturn, Optional, Tuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Elbo(NamedTuple):
    """The evidence lower bound and its parts."""

    elbo: Tensor  # (batch,), summed over each sequence's own frames
    log_p_x: Tensor  # (batch, time), log p(x_t | ...), 0 on the padding
    kl_z: Tensor  # (batch, time), KL(q || p) of z_t in closed form, 0 on the padding


class Encoded(NamedTuple):
    """Latents drawn from q, and q's parameters."""

    z: Tensor  # (batch, time, 16), drawn from q
    q_z_mean: Tensor  # (batch, time, 16), parameter of q(z_t)
    q_z_logvar: Tensor  # (batch, time, 16), parameter of q(z_t)


class Score(NamedTuple):
    """All conditionals at given values."""

    p_z_mean: Tensor  # (batch, time, 16), parameter of p(z_t)
    p_z_logvar: Tensor  # (batch, time, 16), parameter of p(z_t)
    log_p_z: Tensor  # (batch, time), log p(z_t | ...), 0 on the padding
    p_x_logits: Tensor  # (batch, time, 88), parameter of p(x_t)
    log_p_x: Tensor  # (batch, time), log p(x_t | ...), 0 on the padding
    q_z_mean: Tensor  # (batch, time, 16), parameter of q(z_t)
    q_z_logvar: Tensor  # (batch, time, 16), parameter of q(z_t)
    log_q_z: Tensor  # (batch, time), log q(z_t | ...), 0 on the padding


class Reconstruction(NamedTuple):
    """What p makes of latents drawn from q."""

    x: Tensor  # (batch, time, 88), mean of p(x_t | ...), teacher-forced
    p_x_logits: Tensor  # (batch, time, 88), parameter of p(x_t)


class Generated(NamedTuple):
    """A sequence drawn from p."""

    x: Tensor  # (batch, time, 88), drawn from p
    z: Tensor  # (batch, time, 16), drawn from p
    p_z_mean: Tensor  # (batch, time, 16), parameter of p(z_t)
    p_z_logvar: Tensor  # (batch, time, 16), parameter of p(z_t)
    p_x_logits: Tensor  # (batch, time, 88), parameter of p(x_t)


class Forecast(NamedTuple):
    """A context and its continuation by p."""

    x: Tensor  # (batch, time, 88), known in the context, drawn from p behind it
    z: Tensor  # (batch, time, 16), known in the context, drawn from p behind it
    p_z_mean: Tensor  # (batch, time, 16), parameter of p(z_t)
    p_z_logvar: Tensor  # (batch, time, 16), parameter of p(z_t)
    p_x_logits: Tensor  # (batch, time, 88), parameter of p(x_t)


class State(NamedTuple):
    """What a stream carries from one frame to the next."""

    frame: int  # the frame that comes next, from 0
    batch: int
    z_prev: Tensor  # (batch, 16), z 1 step before


class Imagined(NamedTuple):
    """One frame drawn from p."""

    x: Tensor  # (batch, 88), drawn from p
    z: Tensor  # (batch, 16), drawn from p
    p_z_mean: Tensor  # (batch, 16), parameter of p(z_t)
    p_z_logvar: Tensor  # (batch, 16), parameter of p(z_t)
    p_x_logits: Tensor  # (batch, 88), parameter of p(x_t)


def frame_mask(lengths: Optional[Tensor], like: Tensor, batch: int, frames: int) -> Tensor:
    """Which frames are a sequence's own: (batch, time, 1); all of them where no lengths are given."""
    time = torch.arange(frames, device=like.device).unsqueeze(0)
    if lengths is None:
        return (time < frames).expand(batch, frames).unsqueeze(-1)
    return (time < lengths.to(like.device).unsqueeze(1)).unsqueeze(-1)


def own(value: Tensor, mask: Tensor) -> Tensor:
    """`value` on a sequence's own frames and 0 on the padding, whatever stands there (NaN too)."""
    return torch.where(mask, value, torch.zeros_like(value))


def seen(mask: Tensor, observed: Optional[Tensor]) -> Tensor:
    """The frames that are a sequence's own and observed: `observed` has the shape of `mask` without its 1."""
    return mask if observed is None else mask & observed.to(mask.device, torch.bool).unsqueeze(-1)


def extended(value: Tensor, frames: int) -> Tensor:
    """`value` with zeros (False) behind its last frame, `frames` in all: (batch, time, dim)."""
    behind = value.new_zeros([value.size(0), frames - value.size(1), value.size(2)])
    return torch.cat([value, behind], 1)


def framed(value: Tensor, name: str, dim: int) -> Tensor:
    """`value` itself, after a look at its shape: (batch, time, dim)."""
    if value.dim() != 3 or value.size(2) != dim:
        raise ValueError(f"{name} must have shape (batch, time, {dim}), not {list(value.shape)}")
    return value


def lag(value: Tensor, k: int, start: Optional[Tensor] = None) -> Tensor:
    """value_{t-k}: (batch, time, dim) -> the same; before frame 1 stands `start` (batch, dim), or 0."""
    batch, frames, dim = value.size(0), value.size(1), value.size(2)
    k = min(k, frames)
    if start is None:
        start = value.new_zeros(batch, dim)
    return torch.cat([start.unsqueeze(1).expand(batch, k, dim), value[:, : frames - k]], 1)


def reverse(value: Tensor, lengths: Optional[Tensor]) -> Tensor:
    """Each sequence's own frames turned around, the padding left where it was: (batch, time, dim)."""
    if lengths is None:
        return value.flip(1)
    time = torch.arange(value.size(1), device=value.device).unsqueeze(0)
    length = lengths.to(value.device).unsqueeze(1)
    source = torch.where(time < length, length - 1 - time, time)
    return value.gather(1, source.unsqueeze(-1).expand_as(value))


def normal_noise(noise: Optional[Tensor], like: Tensor, mask: Tensor, dim: int) -> Tensor:
    """The draws that were passed in, or new ones from N(0, 1): (batch, time, dim), 0 on the padding."""
    if noise is None:
        noise = torch.randn(list(mask.shape[:-1]) + [dim], device=like.device, dtype=like.dtype)
    return own(noise, mask)


def uniform_noise(noise: Optional[Tensor], like: Tensor, mask: Tensor, dim: int) -> Tensor:
    """The draws that were passed in, or new ones from U[0, 1): (batch, time, dim), 0 on the padding."""
    if noise is None:
        noise = torch.rand(list(mask.shape[:-1]) + [dim], device=like.device, dtype=like.dtype)
    return own(noise, mask)


def gaussian_log_density(x: Tensor, mean: Tensor, logvar: Tensor) -> Tensor:
    """log N(x; mean, diag exp(logvar)): (..., dim) -> (...)."""
    square = (x - mean).square() * torch.exp(-logvar)
    return -0.5 * (square + logvar).sum(-1) - 0.5 * math.log(2.0 * math.pi) * x.size(-1)


def bernoulli_log_density(x: Tensor, logits: Tensor) -> Tensor:
    """x log s(l) + (1 - x) log(1 - s(l)) = x l - log(1 + exp l): (..., dim) -> (...)."""
    return (x * logits - F.softplus(logits)).sum(-1)


def gaussian_kl(q_mean: Tensor, q_logvar: Tensor, p_mean: Tensor, p_logvar: Tensor) -> Tensor:
    """KL(N(q_mean, exp q_logvar) || N(p_mean, exp p_logvar)): (..., dim) -> (...)."""
    ratio = torch.exp(q_logvar - p_logvar) + (q_mean - p_mean).square() * torch.exp(-p_logvar)
    return 0.5 * (ratio + p_logvar - q_logvar - 1.0).sum(-1)


class DMM(nn.Module):
    """DMM, developed:

    (1) g_t = 1/2 (tanh(W z_{t-1} + b) + P b_t)
    (2) b_in_t = MLP(x_t; 256 tanh)
    (3) b_t = LSTM(b_in_t, b_{t+1})
    (4) p(z_t | z_{t-1}) = Gaussian with mean and log-variance from gated transition of z_{t-1}
    (5) p(x_t | z_t) = Bernoulli with logits from z_t through 32 tanh, 64 tanh, 128 tanh, 256 tanh
    (6) q(z_t | z_{t-1}, x_{t:T}) = Gaussian with mean and log-variance from g_t through 32 tanh
    """

    def __init__(self) -> None:
        super().__init__()
        # (1) g_t = 1/2 (tanh(W z_{t-1} + b) + P b_t)
        self.g_1 = nn.Linear(16, 32)
        self.g_with = nn.Linear(128, 32)
        # (2) b_in_t = MLP(x_t; 256 tanh)
        self.b_in_1 = nn.Linear(88, 256)
        # (3) b_t = LSTM(b_in_t, b_{t+1})
        self.b_rnn = nn.LSTM(256, 128, batch_first=True)
        # (4) p(z_t | z_{t-1}) = Gaussian with mean and log-variance from gated transition of z_{t-1}
        self.p_z_1 = nn.Linear(16, 48)
        self.p_z_gate = nn.Linear(16, 16)
        self.p_z_nonlinear = nn.Linear(16, 16)
        self.p_z_variance = nn.Linear(16, 16)
        # (5) p(x_t | z_t) = Bernoulli with logits from z_t through 32 tanh, 64 tanh, 128 tanh, 256 tanh
        self.p_x_1 = nn.Linear(16, 32)
        self.p_x_2 = nn.Linear(32, 64)
        self.p_x_3 = nn.Linear(64, 128)
        self.p_x_4 = nn.Linear(128, 256)
        self.p_x_out = nn.Linear(256, 88)
        # (6) q(z_t | z_{t-1}, x_{t:T}) = Gaussian with mean and log-variance from g_t through 32 tanh
        self.q_z_1 = nn.Linear(32, 32)
        self.q_z_out = nn.Linear(32, 32)

    def g_net(self, a: Tensor, other: Tensor) -> Tensor:
        """(1) from a (..., 32), other (..., 32) -> (..., 32)."""
        a = 0.5 * (torch.tanh(a) + other)
        return a

    def b_in_net(self, a: Tensor) -> Tensor:
        """(2) from its first layer's pre-activation: (..., 256) -> (..., 256)."""
        a = torch.tanh(a)
        return a

    def p_z(self, a: Tensor) -> Tuple[Tensor, Tensor]:
        """(4) from its first layer's pre-activation: (..., 48) -> mean, logvar."""
        gate, nonlinear, linear = a.split_with_sizes([16, 16, 16], -1)
        gate = torch.sigmoid(self.p_z_gate(torch.relu(gate)))  # (B.1)
        nonlinear = self.p_z_nonlinear(torch.relu(nonlinear))  # (B.2)
        mean = (1.0 - gate) * linear + gate * nonlinear  # (B.3)-(B.4)
        variance = F.softplus(self.p_z_variance(torch.relu(nonlinear)))  # (B.5)
        logvar = torch.log(variance + 1e-6)
        return mean, logvar

    def p_x(self, a: Tensor) -> Tensor:
        """(5) from its first layer's pre-activation: (..., 32) -> logits."""
        a = torch.tanh(a)
        a = torch.tanh(self.p_x_2(a))
        a = torch.tanh(self.p_x_3(a))
        a = torch.tanh(self.p_x_4(a))
        logits: Tensor = self.p_x_out(a)
        return logits

    def q_z(self, a: Tensor) -> Tuple[Tensor, Tensor]:
        """(6) from its first layer's pre-activation: (..., 32) -> mean, logvar."""
        a = torch.tanh(a)
        mean, logvar = self.q_z_out(a).chunk(2, -1)
        logvar = torch.log(F.softplus(logvar) + 1e-6)
        return mean, logvar

    @torch.jit.export
    def elbo(
        self,
        x: Tensor,
        lengths: Optional[Tensor] = None,
        noise_z: Optional[Tensor] = None,
        mask_x: Optional[Tensor] = None,
    ) -> Elbo:
        """The evidence lower bound of every sequence and its parts, one draw of the latents:

            L = sum_t E_q[log p(x_t | z_t)]
              - sum_t E_q[KL(q(z_t | z_{t-1}, x_{t:T}) || p(z_t | z_{t-1}))]
        """
        batch, frames = x.size(0), x.size(1)
        mask = frame_mask(lengths, x, batch, frames)
        seen_x = seen(mask, mask_x)
        x = own(framed(x, "x", 88), seen_x)
        noise_z = normal_noise(noise_z, x, mask, 16)
        b_in = self.b_in_net(self.b_in_1(x))  # (2)
        b = reverse(self.b_rnn(reverse(b_in, lengths))[0], lengths)  # (3)
        g_with_pre = self.g_with(b)
        g_with_pre_at = g_with_pre.unbind(1)
        z_start = x.new_zeros(batch, 16)
        z_prev = z_start
        noise_z_at = noise_z.unbind(1)
        q_z_mean_list: List[Tensor] = []
        q_z_logvar_list: List[Tensor] = []
        z_list: List[Tensor] = []
        # Loop over time, forward: g, q_z, z; cycle over time through g_t <- z_<t-1>.
        for t in range(frames):
            g_t = self.g_net(self.g_1(z_prev), g_with_pre_at[t])  # (1)
            q_z_mean_t, q_z_logvar_t = self.q_z(self.q_z_1(g_t))  # (6)
            z_t = q_z_mean_t + torch.exp(0.5 * q_z_logvar_t) * noise_z_at[t]
            q_z_mean_list.append(q_z_mean_t)
            q_z_logvar_list.append(q_z_logvar_t)
            z_list.append(z_t)
            z_prev = z_t
        q_z_mean = torch.stack(q_z_mean_list, 1)
        q_z_logvar = torch.stack(q_z_logvar_list, 1)
        z = torch.stack(z_list, 1)
        z_lag1 = lag(z, 1)
        p_z_mean, p_z_logvar = self.p_z(self.p_z_1(z_lag1))  # (4)
        p_x_logits = self.p_x(self.p_x_1(z))  # (5)
        log_p_x = own(bernoulli_log_density(x, p_x_logits), seen_x.squeeze(-1))
        kl_z = own(gaussian_kl(q_z_mean, q_z_logvar, p_z_mean, p_z_logvar), mask.squeeze(-1))
        elbo = (log_p_x - kl_z).sum(1)
        return Elbo(elbo, log_p_x, kl_z)

    @torch.jit.export
    def encode(
        self,
        x: Tensor,
        lengths: Optional[Tensor] = None,
        noise_z: Optional[Tensor] = None,
        mask_x: Optional[Tensor] = None,
    ) -> Encoded:
        """Draw the latents from q and return q's parameters."""
        batch, frames = x.size(0), x.size(1)
        mask = frame_mask(lengths, x, batch, frames)
        seen_x = seen(mask, mask_x)
        x = own(framed(x, "x", 88), seen_x)
        noise_z = normal_noise(noise_z, x, mask, 16)
        b_in = self.b_in_net(self.b_in_1(x))  # (2)
        b = reverse(self.b_rnn(reverse(b_in, lengths))[0], lengths)  # (3)
        g_with_pre = self.g_with(b)
        g_with_pre_at = g_with_pre.unbind(1)
        z_start = x.new_zeros(batch, 16)
        z_prev = z_start
        noise_z_at = noise_z.unbind(1)
        q_z_mean_list: List[Tensor] = []
        q_z_logvar_list: List[Tensor] = []
        z_list: List[Tensor] = []
        # Loop over time, forward: g, q_z, z; cycle over time through g_t <- z_<t-1>.
        for t in range(frames):
            g_t = self.g_net(self.g_1(z_prev), g_with_pre_at[t])  # (1)
            q_z_mean_t, q_z_logvar_t = self.q_z(self.q_z_1(g_t))  # (6)
            z_t = q_z_mean_t + torch.exp(0.5 * q_z_logvar_t) * noise_z_at[t]
            q_z_mean_list.append(q_z_mean_t)
            q_z_logvar_list.append(q_z_logvar_t)
            z_list.append(z_t)
            z_prev = z_t
        q_z_mean = torch.stack(q_z_mean_list, 1)
        q_z_logvar = torch.stack(q_z_logvar_list, 1)
        z = torch.stack(z_list, 1)
        return Encoded(own(z, mask), q_z_mean, q_z_logvar)

    @torch.jit.export
    def score(
        self,
        x: Tensor,
        z: Tensor,
        lengths: Optional[Tensor] = None,
        mask_x: Optional[Tensor] = None,
    ) -> Score:
        """Every conditional's parameters and log-density at given values."""
        batch, frames = x.size(0), x.size(1)
        mask = frame_mask(lengths, x, batch, frames)
        seen_x = seen(mask, mask_x)
        x = own(framed(x, "x", 88), seen_x)
        z = own(framed(z, "z", 16), mask)
        b_in = self.b_in_net(self.b_in_1(x))  # (2)
        b = reverse(self.b_rnn(reverse(b_in, lengths))[0], lengths)  # (3)
        z_lag1 = lag(z, 1)
        g = self.g_net(self.g_1(z_lag1), self.g_with(b))  # (1)
        p_z_mean, p_z_logvar = self.p_z(self.p_z_1(z_lag1))  # (4)
        p_x_logits = self.p_x(self.p_x_1(z))  # (5)
        q_z_mean, q_z_logvar = self.q_z(self.q_z_1(g))  # (6)
        log_p_z = own(gaussian_log_density(z, p_z_mean, p_z_logvar), mask.squeeze(-1))
        log_p_x = own(bernoulli_log_density(x, p_x_logits), seen_x.squeeze(-1))
        log_q_z = own(gaussian_log_density(z, q_z_mean, q_z_logvar), mask.squeeze(-1))
        return Score(p_z_mean, p_z_logvar, log_p_z, p_x_logits, log_p_x, q_z_mean, q_z_logvar, log_q_z)

    @torch.jit.export
    def reconstruct(
        self,
        x: Tensor,
        lengths: Optional[Tensor] = None,
        noise_z: Optional[Tensor] = None,
        mask_x: Optional[Tensor] = None,
    ) -> Reconstruction:
        """Draw the latents from q and return the mean of p at the data (teacher forcing)."""
        batch, frames = x.size(0), x.size(1)
        mask = frame_mask(lengths, x, batch, frames)
        seen_x = seen(mask, mask_x)
        x = own(framed(x, "x", 88), seen_x)
        noise_z = normal_noise(noise_z, x, mask, 16)
        b_in = self.b_in_net(self.b_in_1(x))  # (2)
        b = reverse(self.b_rnn(reverse(b_in, lengths))[0], lengths)  # (3)
        g_with_pre = self.g_with(b)
        g_with_pre_at = g_with_pre.unbind(1)
        z_start = x.new_zeros(batch, 16)
        z_prev = z_start
        noise_z_at = noise_z.unbind(1)
        z_list: List[Tensor] = []
        # Loop over time, forward: g, q_z, z; cycle over time through g_t <- z_<t-1>.
        for t in range(frames):
            g_t = self.g_net(self.g_1(z_prev), g_with_pre_at[t])  # (1)
            q_z_mean_t, q_z_logvar_t = self.q_z(self.q_z_1(g_t))  # (6)
            z_t = q_z_mean_t + torch.exp(0.5 * q_z_logvar_t) * noise_z_at[t]
            z_list.append(z_t)
            z_prev = z_t
        z = torch.stack(z_list, 1)
        p_x_logits = self.p_x(self.p_x_1(z))  # (5)
        return Reconstruction(own(torch.sigmoid(p_x_logits), mask), p_x_logits)

    @torch.jit.export
    def generate(
        self,
        batch: int,
        frames: int,
        lengths: Optional[Tensor] = None,
        noise_z: Optional[Tensor] = None,
        noise_x: Optional[Tensor] = None,
        sample: bool = True,
    ) -> Generated:
        """Draw a sequence from p. Each drawn x_t is fed back; with sample=False the conditional's mean is."""
        mask = frame_mask(lengths, self.g_1.weight, batch, frames)
        noise_z = normal_noise(noise_z, self.g_1.weight, mask, 16)
        noise_x = uniform_noise(noise_x, self.g_1.weight, mask, 88)
        z_start = self.g_1.weight.new_zeros(batch, 16)
        z_prev = z_start
        noise_z_at = noise_z.unbind(1)
        p_z_mean_list: List[Tensor] = []
        p_z_logvar_list: List[Tensor] = []
        z_list: List[Tensor] = []
        # Loop over time, forward: p_z, z; cycle over time through p(z_t) <- z_<t-1>.
        for t in range(frames):
            p_z_mean_t, p_z_logvar_t = self.p_z(self.p_z_1(z_prev))  # (4)
            z_t = p_z_mean_t + torch.exp(0.5 * p_z_logvar_t) * noise_z_at[t]
            p_z_mean_list.append(p_z_mean_t)
            p_z_logvar_list.append(p_z_logvar_t)
            z_list.append(z_t)
            z_prev = z_t
        p_z_mean = torch.stack(p_z_mean_list, 1)
        p_z_logvar = torch.stack(p_z_logvar_list, 1)
        z = torch.stack(z_list, 1)
        p_x_logits = self.p_x(self.p_x_1(z))  # (5)
        x = torch.sigmoid(p_x_logits)
        if sample:
            x = (noise_x < torch.sigmoid(p_x_logits)).to(p_x_logits.dtype)
        return Generated(own(x, mask), own(z, mask), p_z_mean, p_z_logvar, p_x_logits)

    @torch.jit.export
    def forecast(
        self,
        steps: int,
        x: Tensor,
        lengths: Optional[Tensor] = None,
        noise_z: Optional[Tensor] = None,
        noise_x: Optional[Tensor] = None,
        sample: bool = True,
        mask_x: Optional[Tensor] = None,
    ) -> Forecast:
        """Infer the latents of a context, go on from p for `steps` frames. Inputs, noise: of all frames."""
        batch, context = x.size(0), x.size(1)
        frames = context + steps
        mask = frame_mask(None if lengths is None else lengths + steps, x, batch, frames)
        own_context = frame_mask(lengths, x, batch, context)
        noise_z = normal_noise(noise_z, x, mask, 16)
        noise_x = uniform_noise(noise_x, x, mask, 88)
        inferred = self.encode(x=x, lengths=lengths, noise_z=noise_z[:, :context], mask_x=mask_x)
        known_z = extended(own_context, frames)
        z_known = extended(inferred.z, frames)
        known_x = extended(own_context, frames)
        x_known = extended(own(framed(x, "x", 88), seen(own_context, mask_x)), frames)
        z_start = x.new_zeros(batch, 16)
        z_prev = z_start
        noise_z_at = noise_z.unbind(1)
        z_known_at = z_known.unbind(1)
        known_z_at = known_z.unbind(1)
        p_z_mean_list: List[Tensor] = []
        p_z_logvar_list: List[Tensor] = []
        z_list: List[Tensor] = []
        # Loop over time, forward: p_z, z; cycle over time through p(z_t) <- z_<t-1>.
        for t in range(frames):
            p_z_mean_t, p_z_logvar_t = self.p_z(self.p_z_1(z_prev))  # (4)
            z_t = p_z_mean_t + torch.exp(0.5 * p_z_logvar_t) * noise_z_at[t]
            z_t = torch.where(known_z_at[t], z_known_at[t], z_t)
            p_z_mean_list.append(p_z_mean_t)
            p_z_logvar_list.append(p_z_logvar_t)
            z_list.append(z_t)
            z_prev = z_t
        p_z_mean = torch.stack(p_z_mean_list, 1)
        p_z_logvar = torch.stack(p_z_logvar_list, 1)
        z = torch.stack(z_list, 1)
        p_x_logits = self.p_x(self.p_x_1(z))  # (5)
        x = torch.sigmoid(p_x_logits)
        if sample:
            x = (noise_x < torch.sigmoid(p_x_logits)).to(p_x_logits.dtype)
        x = torch.where(known_x, x_known, x)
        return Forecast(own(x, mask), own(z, mask), p_z_mean, p_z_logvar, p_x_logits)

    @torch.jit.export
    def begin(
        self,
        batch: int,
    ) -> State:
        """The state of `batch` streams before their first frame."""
        z_start = self.g_1.weight.new_zeros(batch, 16)
        return State(0, batch, z_start)

    @torch.jit.export
    def imagine(
        self,
        state: State,
        noise_x: Optional[Tensor] = None,
        noise_z: Optional[Tensor] = None,
        sample: bool = True,
    ) -> Tuple[State, Imagined]:
        """Draw one frame of each stream from p; return the state behind it."""
        batch = state.batch
        z_prev = state.z_prev
        present = torch.ones([batch, 1], dtype=torch.bool, device=self.g_1.weight.device)
        noise_x = uniform_noise(noise_x, self.g_1.weight, present, 88)
        noise_z = normal_noise(noise_z, self.g_1.weight, present, 16)
        p_z_mean_t, p_z_logvar_t = self.p_z(self.p_z_1(z_prev))  # (4)
        z_t = p_z_mean_t + torch.exp(0.5 * p_z_logvar_t) * noise_z
        p_x_logits_t = self.p_x(self.p_x_1(z_t))  # (5)
        x_t = torch.sigmoid(p_x_logits_t)
        if sample:
            x_t = (noise_x < torch.sigmoid(p_x_logits_t)).to(p_x_logits_t.dtype)
        z_prev = z_t
        after = State(state.frame + 1, batch, z_prev)
        return after, Imagined(x_t, z_t, p_z_mean_t, p_z_logvar_t, p_x_logits_t)

    def elbo_fed(self, *_: Any, **__: Any) -> NoReturn:
        """This model has none: the error says why."""
        raise NotImplementedError(
            "DMM has no elbo_fed: p reads no observed frame, so nothing that it makes comes "
            "back: elbo is the same in both modes"
        )

    def step(self, *_: Any, **__: Any) -> NoReturn:
        """This model has none: the error says why."""
        raise NotImplementedError(
            "DMM has no step: q(z_t) waits for b, which runs backward from frame T (b_t <- "
            "b_<t+1>)"
        )
