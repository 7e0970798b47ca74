"""DVBF: Deep variational Bayes filter, dynamics mixed of linear ones with weights from a network

    p = prod_t p(z_t | z_{t-1}, u_t) p(x_t | z_t)
    q = prod_t q(z_t | z_{t-1}, x_t, u_t)
    L = sum_t E_q[log p(x_t | z_t)]
        - sum_t E_q[KL(q(z_t | z_{t-1}, x_t, u_t) || p(z_t | z_{t-1}, u_t))]

Frame-level tensors have shape (batch, time, dim), sequence-level ones (batch, dim), `lengths` (batch,).
Draws may be passed in as noise. Emitted by dvaec from spec 52cc5b71f5c06bd5: change the spec, not this file.
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

    z: Tensor  # (batch, time, 8), drawn from q
    q_z_mean: Tensor  # (batch, time, 8), parameter of q(z_t)
    q_z_logvar: Tensor  # (batch, time, 8), parameter of q(z_t)


class Score(NamedTuple):
    """All conditionals at given values."""

    p_z_mean: Tensor  # (batch, time, 8), parameter of p(z_t)
    p_z_logvar: Tensor  # (batch, time, 8), parameter of p(z_t)
    log_p_z: Tensor  # (batch, time), log p(z_t | ...), 0 on the padding
    p_x_logits: Tensor  # (batch, time, 88), parameter of p(x_t)
    log_p_x: Tensor  # (batch, time), log p(x_t | ...), 0 on the padding
    q_z_mean: Tensor  # (batch, time, 8), parameter of q(z_t)
    q_z_logvar: Tensor  # (batch, time, 8), parameter of q(z_t)
    log_q_z: Tensor  # (batch, time), log q(z_t | ...), 0 on the padding


class Reconstruction(NamedTuple):
    """What p makes of latents drawn from q."""

    x: Tensor  # (batch, time, 88), mean of p(x_t | ...), teacher-forced
    p_x_logits: Tensor  # (batch, time, 88), parameter of p(x_t)


class Generated(NamedTuple):
    """A sequence drawn from p."""

    x: Tensor  # (batch, time, 88), drawn from p
    z: Tensor  # (batch, time, 8), drawn from p
    p_z_mean: Tensor  # (batch, time, 8), parameter of p(z_t)
    p_z_logvar: Tensor  # (batch, time, 8), parameter of p(z_t)
    p_x_logits: Tensor  # (batch, time, 88), parameter of p(x_t)


class Forecast(NamedTuple):
    """A context and its continuation by p."""

    x: Tensor  # (batch, time, 88), known in the context, drawn from p behind it
    z: Tensor  # (batch, time, 8), known in the context, drawn from p behind it
    p_z_mean: Tensor  # (batch, time, 8), parameter of p(z_t)
    p_z_logvar: Tensor  # (batch, time, 8), parameter of p(z_t)
    p_x_logits: Tensor  # (batch, time, 88), parameter of p(x_t)


class State(NamedTuple):
    """What a stream carries from one frame to the next."""

    frame: int  # the frame that comes next, from 0
    batch: int
    z_prev: Tensor  # (batch, 8), z 1 step before


class Imagined(NamedTuple):
    """One frame drawn from p."""

    x: Tensor  # (batch, 88), drawn from p
    z: Tensor  # (batch, 8), drawn from p
    p_z_mean: Tensor  # (batch, 8), parameter of p(z_t)
    p_z_logvar: Tensor  # (batch, 8), parameter of p(z_t)
    p_x_logits: Tensor  # (batch, 88), parameter of p(x_t)


class Stepped(NamedTuple):
    """One observed frame: latents drawn from q, and the parameters of every conditional."""

    z: Tensor  # (batch, 8), drawn from q
    q_z_mean: Tensor  # (batch, 8), parameter of q(z_t)
    q_z_logvar: Tensor  # (batch, 8), parameter of q(z_t)
    p_z_mean: Tensor  # (batch, 8), parameter of p(z_t)
    p_z_logvar: Tensor  # (batch, 8), parameter of p(z_t)
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


def static(value: Tensor, name: str, dim: int) -> Tensor:
    """`value` itself, after a look at its shape: (batch, dim)."""
    if value.dim() != 2 or value.size(1) != dim:
        raise ValueError(f"{name} must have shape (batch, {dim}), not {list(value.shape)}")
    return value


def lag(value: Tensor, k: int, start: Optional[Tensor] = None) -> Tensor:
    """value_{t-k}: (batch, time, dim) -> the same; before frame 1 stands `start` (batch, dim), or 0."""
    batch, frames, dim = value.size(0), value.size(1), value.size(2)
    k = min(k, frames)
    if start is None:
        start = value.new_zeros(batch, dim)
    return torch.cat([start.unsqueeze(1).expand(batch, k, dim), value[:, : frames - k]], 1)


def bounded(value: Tensor, bound: float = 30.0) -> Tensor:
    """A logarithm kept within +-`bound` by a smooth bound that is the identity near 0."""
    return bound * torch.tanh(value / bound)


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

def parted(value: Tensor, parts: int) -> Tensor:
    """The last axis in `parts` of equal length: (..., parts * dim) -> (..., parts, dim)."""
    return value.reshape(list(value.shape[:-1]) + [parts, value.size(-1) // parts])

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


class DVBF(nn.Module):
    """DVBF, developed:

    (1) alpha_t = MLP(z_{t-1}, u_t; 32 tanh, 16 softmax)
    (2) p(z_t | z_{t-1}, u_t) = Gaussian with mean and log-variance: mean from sum_k alpha_t[k] (A_k [z_{t-1},
        u_t] + b_k), logvar shared by all frames
    (3) p(x_t | z_t) = Bernoulli with logits from z_t through 64 tanh, 128 tanh
    (4) q(z_t | z_{t-1}, x_t, u_t) = Gaussian with mean and log-variance from x_t, z_{t-1}, u_t through 128
        tanh
    """

    def __init__(self) -> None:
        super().__init__()
        # (1) alpha_t = MLP(z_{t-1}, u_t; 32 tanh, 16 softmax)
        self.alpha_1 = nn.Linear(9, 32)
        self.alpha_2 = nn.Linear(32, 16)
        # (2) p(z_t | z_{t-1}, u_t) = Gaussian with mean and log-variance: mean from sum_k alpha_t[k] (A_k
        #     [z_{t-1}, u_t] + b_k), logvar shared by all frames
        self.p_z_mean_1 = nn.Linear(9, 128)
        self.p_z_logvar = nn.Parameter(torch.zeros(8))
        # (3) p(x_t | z_t) = Bernoulli with logits from z_t through 64 tanh, 128 tanh
        self.p_x_1 = nn.Linear(8, 64)
        self.p_x_2 = nn.Linear(64, 128)
        self.p_x_out = nn.Linear(128, 88)
        # (4) q(z_t | z_{t-1}, x_t, u_t) = Gaussian with mean and log-variance from x_t, z_{t-1}, u_t through
        #     128 tanh
        self.q_z_1 = nn.Linear(97, 128)
        self.q_z_out = nn.Linear(128, 16)

    def alpha_net(self, a: Tensor) -> Tensor:
        """(1) from its first layer's pre-activation: (..., 32) -> (..., 16)."""
        a = torch.tanh(a)
        a = torch.softmax(self.alpha_2(a), -1)
        return a

    def p_z(self, mean_weights: Tensor, mean: Tensor) -> Tuple[Tensor, Tensor]:
        """(2) from mean_weights (..., 16), mean (..., 128) -> mean, logvar."""
        mean = (mean_weights.unsqueeze(-1) * parted(mean, 16)).sum(-2)
        logvar = bounded(self.p_z_logvar).expand_as(mean)
        return mean, logvar

    def p_x(self, a: Tensor) -> Tensor:
        """(3) from its first layer's pre-activation: (..., 64) -> logits."""
        a = torch.tanh(a)
        a = torch.tanh(self.p_x_2(a))
        logits: Tensor = self.p_x_out(a)
        return logits

    def q_z(self, a: Tensor) -> Tuple[Tensor, Tensor]:
        """(4) from its first layer's pre-activation: (..., 128) -> mean, logvar."""
        a = torch.tanh(a)
        mean, logvar = self.q_z_out(a).chunk(2, -1)
        logvar = bounded(logvar)
        return mean, logvar

    @torch.jit.export
    def elbo(
        self,
        x: Tensor,
        u: Tensor,
        lengths: Optional[Tensor] = None,
        noise_z: Optional[Tensor] = None,
        mask_x: Optional[Tensor] = None,
    ) -> Elbo:
        """The evidence lower bound of every sequence and its parts, one draw of the latents:

            L = sum_t E_q[log p(x_t | z_t)]
              - sum_t E_q[KL(q(z_t | z_{t-1}, x_t, u_t) || p(z_t | z_{t-1}, u_t))]
        """
        batch, frames = x.size(0), x.size(1)
        mask = frame_mask(lengths, x, batch, frames)
        seen_x = seen(mask, mask_x)
        x = own(framed(x, "x", 88), seen_x)
        u = own(framed(u, "u", 1), mask)
        noise_z = normal_noise(noise_z, x, mask, 8)
        q_z_1_pre = F.linear(
            torch.cat([x, u], -1),
            torch.cat([self.q_z_1.weight[:, 0:88], self.q_z_1.weight[:, 96:97]], -1),
            self.q_z_1.bias,
        )
        q_z_1_pre_at = q_z_1_pre.unbind(1)
        q_z_1_weight = self.q_z_1.weight[:, 88:96]
        z_start = x.new_zeros(batch, 8)
        z_prev = z_start
        noise_z_at = noise_z.unbind(1)
        q_z_mean_list: List[Tensor] = []
        q_z_logvar_list: List[Tensor] = []
        z_list: List[Tensor] = []
        # Loop over time, forward: q_z, z; cycle over time through q(z_t) <- z_<t-1>.
        for t in range(frames):
            q_z_mean_t, q_z_logvar_t = self.q_z(q_z_1_pre_at[t] + F.linear(z_prev, q_z_1_weight))  # (4)
            z_t = q_z_mean_t + torch.exp(0.5 * q_z_logvar_t) * noise_z_at[t]
            q_z_mean_list.append(q_z_mean_t)
            q_z_logvar_list.append(q_z_logvar_t)
            z_list.append(z_t)
            z_prev = z_t
        q_z_mean = torch.stack(q_z_mean_list, 1)
        q_z_logvar = torch.stack(q_z_logvar_list, 1)
        z = torch.stack(z_list, 1)
        z_lag1 = lag(z, 1)
        alpha = self.alpha_net(self.alpha_1(torch.cat([z_lag1, u], -1)))  # (1)
        p_z_mean, p_z_logvar = self.p_z(alpha, self.p_z_mean_1(torch.cat([z_lag1, u], -1)))  # (2)
        p_x_logits = self.p_x(self.p_x_1(z))  # (3)
        log_p_x = own(bernoulli_log_density(x, p_x_logits), seen_x.squeeze(-1))
        kl_z = own(gaussian_kl(q_z_mean, q_z_logvar, p_z_mean, p_z_logvar), mask.squeeze(-1))
        elbo = (log_p_x - kl_z).sum(1)
        return Elbo(elbo, log_p_x, kl_z)

    @torch.jit.export
    def encode(
        self,
        x: Tensor,
        u: Tensor,
        lengths: Optional[Tensor] = None,
        noise_z: Optional[Tensor] = None,
        mask_x: Optional[Tensor] = None,
    ) -> Encoded:
        """Draw the latents from q and return q's parameters."""
        batch, frames = x.size(0), x.size(1)
        mask = frame_mask(lengths, x, batch, frames)
        seen_x = seen(mask, mask_x)
        x = own(framed(x, "x", 88), seen_x)
        u = own(framed(u, "u", 1), mask)
        noise_z = normal_noise(noise_z, x, mask, 8)
        q_z_1_pre = F.linear(
            torch.cat([x, u], -1),
            torch.cat([self.q_z_1.weight[:, 0:88], self.q_z_1.weight[:, 96:97]], -1),
            self.q_z_1.bias,
        )
        q_z_1_pre_at = q_z_1_pre.unbind(1)
        q_z_1_weight = self.q_z_1.weight[:, 88:96]
        z_start = x.new_zeros(batch, 8)
        z_prev = z_start
        noise_z_at = noise_z.unbind(1)
        q_z_mean_list: List[Tensor] = []
        q_z_logvar_list: List[Tensor] = []
        z_list: List[Tensor] = []
        # Loop over time, forward: q_z, z; cycle over time through q(z_t) <- z_<t-1>.
        for t in range(frames):
            q_z_mean_t, q_z_logvar_t = self.q_z(q_z_1_pre_at[t] + F.linear(z_prev, q_z_1_weight))  # (4)
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
        u: Tensor,
        z: Tensor,
        lengths: Optional[Tensor] = None,
        mask_x: Optional[Tensor] = None,
    ) -> Score:
        """Every conditional's parameters and log-density at given values."""
        batch, frames = x.size(0), x.size(1)
        mask = frame_mask(lengths, x, batch, frames)
        seen_x = seen(mask, mask_x)
        x = own(framed(x, "x", 88), seen_x)
        z = own(framed(z, "z", 8), mask)
        u = own(framed(u, "u", 1), mask)
        z_lag1 = lag(z, 1)
        alpha = self.alpha_net(self.alpha_1(torch.cat([z_lag1, u], -1)))  # (1)
        p_z_mean, p_z_logvar = self.p_z(alpha, self.p_z_mean_1(torch.cat([z_lag1, u], -1)))  # (2)
        p_x_logits = self.p_x(self.p_x_1(z))  # (3)
        q_z_mean, q_z_logvar = self.q_z(self.q_z_1(torch.cat([x, z_lag1, u], -1)))  # (4)
        log_p_z = own(gaussian_log_density(z, p_z_mean, p_z_logvar), mask.squeeze(-1))
        log_p_x = own(bernoulli_log_density(x, p_x_logits), seen_x.squeeze(-1))
        log_q_z = own(gaussian_log_density(z, q_z_mean, q_z_logvar), mask.squeeze(-1))
        return Score(p_z_mean, p_z_logvar, log_p_z, p_x_logits, log_p_x, q_z_mean, q_z_logvar, log_q_z)

    @torch.jit.export
    def reconstruct(
        self,
        x: Tensor,
        u: Tensor,
        lengths: Optional[Tensor] = None,
        noise_z: Optional[Tensor] = None,
        mask_x: Optional[Tensor] = None,
    ) -> Reconstruction:
        """Draw the latents from q and return the mean of p at the data (teacher forcing)."""
        batch, frames = x.size(0), x.size(1)
        mask = frame_mask(lengths, x, batch, frames)
        seen_x = seen(mask, mask_x)
        x = own(framed(x, "x", 88), seen_x)
        u = own(framed(u, "u", 1), mask)
        noise_z = normal_noise(noise_z, x, mask, 8)
        q_z_1_pre = F.linear(
            torch.cat([x, u], -1),
            torch.cat([self.q_z_1.weight[:, 0:88], self.q_z_1.weight[:, 96:97]], -1),
            self.q_z_1.bias,
        )
        q_z_1_pre_at = q_z_1_pre.unbind(1)
        q_z_1_weight = self.q_z_1.weight[:, 88:96]
        z_start = x.new_zeros(batch, 8)
        z_prev = z_start
        noise_z_at = noise_z.unbind(1)
        z_list: List[Tensor] = []
        # Loop over time, forward: q_z, z; cycle over time through q(z_t) <- z_<t-1>.
        for t in range(frames):
            q_z_mean_t, q_z_logvar_t = self.q_z(q_z_1_pre_at[t] + F.linear(z_prev, q_z_1_weight))  # (4)
            z_t = q_z_mean_t + torch.exp(0.5 * q_z_logvar_t) * noise_z_at[t]
            z_list.append(z_t)
            z_prev = z_t
        z = torch.stack(z_list, 1)
        p_x_logits = self.p_x(self.p_x_1(z))  # (3)
        return Reconstruction(own(torch.sigmoid(p_x_logits), mask), p_x_logits)

    @torch.jit.export
    def generate(
        self,
        batch: int,
        frames: int,
        u: Tensor,
        lengths: Optional[Tensor] = None,
        noise_z: Optional[Tensor] = None,
        noise_x: Optional[Tensor] = None,
        sample: bool = True,
    ) -> Generated:
        """Draw a sequence from p. Each drawn x_t is fed back; with sample=False the conditional's mean is."""
        mask = frame_mask(lengths, self.alpha_1.weight, batch, frames)
        u = own(framed(u, "u", 1), mask)
        noise_z = normal_noise(noise_z, self.alpha_1.weight, mask, 8)
        noise_x = uniform_noise(noise_x, self.alpha_1.weight, mask, 88)
        alpha_1_pre = F.linear(u, self.alpha_1.weight[:, 8:9], self.alpha_1.bias)
        alpha_1_pre_at = alpha_1_pre.unbind(1)
        alpha_1_weight = self.alpha_1.weight[:, 0:8]
        p_z_mean_1_pre = F.linear(u, self.p_z_mean_1.weight[:, 8:9], self.p_z_mean_1.bias)
        p_z_mean_1_pre_at = p_z_mean_1_pre.unbind(1)
        p_z_mean_1_weight = self.p_z_mean_1.weight[:, 0:8]
        z_start = self.alpha_1.weight.new_zeros(batch, 8)
        z_prev = z_start
        noise_z_at = noise_z.unbind(1)
        p_z_mean_list: List[Tensor] = []
        p_z_logvar_list: List[Tensor] = []
        z_list: List[Tensor] = []
        # Loop over time, forward: alpha, p_z, z; cycle over time through alpha_t <- z_<t-1>,
        # p(z_t) <- z_<t-1>.
        for t in range(frames):
            alpha_t = self.alpha_net(alpha_1_pre_at[t] + F.linear(z_prev, alpha_1_weight))  # (1)
            p_z_mean_t, p_z_logvar_t = self.p_z(  # (2)
                alpha_t,
                p_z_mean_1_pre_at[t] + F.linear(z_prev, p_z_mean_1_weight),
            )
            z_t = p_z_mean_t + torch.exp(0.5 * p_z_logvar_t) * noise_z_at[t]
            p_z_mean_list.append(p_z_mean_t)
            p_z_logvar_list.append(p_z_logvar_t)
            z_list.append(z_t)
            z_prev = z_t
        p_z_mean = torch.stack(p_z_mean_list, 1)
        p_z_logvar = torch.stack(p_z_logvar_list, 1)
        z = torch.stack(z_list, 1)
        p_x_logits = self.p_x(self.p_x_1(z))  # (3)
        x = torch.sigmoid(p_x_logits)
        if sample:
            x = (noise_x < torch.sigmoid(p_x_logits)).to(p_x_logits.dtype)
        return Generated(own(x, mask), own(z, mask), p_z_mean, p_z_logvar, p_x_logits)

    @torch.jit.export
    def forecast(
        self,
        steps: int,
        x: Tensor,
        u: Tensor,
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
        u = own(framed(u, "u", 1), mask)
        noise_z = normal_noise(noise_z, x, mask, 8)
        noise_x = uniform_noise(noise_x, x, mask, 88)
        inferred = self.encode(
            x=x,
            u=u[:, :context],
            lengths=lengths,
            noise_z=noise_z[:, :context],
            mask_x=mask_x,
        )
        known_z = extended(own_context, frames)
        z_known = extended(inferred.z, frames)
        known_x = extended(own_context, frames)
        x_known = extended(own(framed(x, "x", 88), seen(own_context, mask_x)), frames)
        alpha_1_pre = F.linear(u, self.alpha_1.weight[:, 8:9], self.alpha_1.bias)
        alpha_1_pre_at = alpha_1_pre.unbind(1)
        alpha_1_weight = self.alpha_1.weight[:, 0:8]
        p_z_mean_1_pre = F.linear(u, self.p_z_mean_1.weight[:, 8:9], self.p_z_mean_1.bias)
        p_z_mean_1_pre_at = p_z_mean_1_pre.unbind(1)
        p_z_mean_1_weight = self.p_z_mean_1.weight[:, 0:8]
        z_start = x.new_zeros(batch, 8)
        z_prev = z_start
        noise_z_at = noise_z.unbind(1)
        z_known_at = z_known.unbind(1)
        known_z_at = known_z.unbind(1)
        p_z_mean_list: List[Tensor] = []
        p_z_logvar_list: List[Tensor] = []
        z_list: List[Tensor] = []
        # Loop over time, forward: alpha, p_z, z; cycle over time through alpha_t <- z_<t-1>,
        # p(z_t) <- z_<t-1>.
        for t in range(frames):
            alpha_t = self.alpha_net(alpha_1_pre_at[t] + F.linear(z_prev, alpha_1_weight))  # (1)
            p_z_mean_t, p_z_logvar_t = self.p_z(  # (2)
                alpha_t,
                p_z_mean_1_pre_at[t] + F.linear(z_prev, p_z_mean_1_weight),
            )
            z_t = p_z_mean_t + torch.exp(0.5 * p_z_logvar_t) * noise_z_at[t]
            z_t = torch.where(known_z_at[t], z_known_at[t], z_t)
            p_z_mean_list.append(p_z_mean_t)
            p_z_logvar_list.append(p_z_logvar_t)
            z_list.append(z_t)
            z_prev = z_t
        p_z_mean = torch.stack(p_z_mean_list, 1)
        p_z_logvar = torch.stack(p_z_logvar_list, 1)
        z = torch.stack(z_list, 1)
        p_x_logits = self.p_x(self.p_x_1(z))  # (3)
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
        z_start = self.alpha_1.weight.new_zeros(batch, 8)
        return State(0, batch, z_start)

    @torch.jit.export
    def imagine(
        self,
        state: State,
        u: Tensor,
        noise_x: Optional[Tensor] = None,
        noise_z: Optional[Tensor] = None,
        sample: bool = True,
    ) -> Tuple[State, Imagined]:
        """Draw one frame of each stream from p; return the state behind it."""
        batch = state.batch
        z_prev = state.z_prev
        present = torch.ones([batch, 1], dtype=torch.bool, device=self.alpha_1.weight.device)
        u_t = static(u, "u", 1)
        noise_x = uniform_noise(noise_x, self.alpha_1.weight, present, 88)
        noise_z = normal_noise(noise_z, self.alpha_1.weight, present, 8)
        alpha_t = self.alpha_net(self.alpha_1(torch.cat([z_prev, u_t], -1)))  # (1)
        p_z_mean_t, p_z_logvar_t = self.p_z(alpha_t, self.p_z_mean_1(torch.cat([z_prev, u_t], -1)))  # (2)
        z_t = p_z_mean_t + torch.exp(0.5 * p_z_logvar_t) * noise_z
        p_x_logits_t = self.p_x(self.p_x_1(z_t))  # (3)
        x_t = torch.sigmoid(p_x_logits_t)
        if sample:
            x_t = (noise_x < torch.sigmoid(p_x_logits_t)).to(p_x_logits_t.dtype)
        z_prev = z_t
        after = State(state.frame + 1, batch, z_prev)
        return after, Imagined(x_t, z_t, p_z_mean_t, p_z_logvar_t, p_x_logits_t)

    @torch.jit.export
    def step(
        self,
        state: State,
        x: Tensor,
        u: Tensor,
        noise_z: Optional[Tensor] = None,
        mask_x: Optional[Tensor] = None,
    ) -> Tuple[State, Stepped]:
        """Observe one frame of each stream: draw the latents from q; return the state behind it."""
        batch = state.batch
        z_prev = state.z_prev
        present = torch.ones([batch, 1], dtype=torch.bool, device=self.alpha_1.weight.device)
        x_t = own(static(x, "x", 88), seen(present, mask_x))
        u_t = static(u, "u", 1)
        noise_z = normal_noise(noise_z, self.alpha_1.weight, present, 8)
        alpha_t = self.alpha_net(self.alpha_1(torch.cat([z_prev, u_t], -1)))  # (1)
        p_z_mean_t, p_z_logvar_t = self.p_z(alpha_t, self.p_z_mean_1(torch.cat([z_prev, u_t], -1)))  # (2)
        q_z_mean_t, q_z_logvar_t = self.q_z(self.q_z_1(torch.cat([x_t, z_prev, u_t], -1)))  # (4)
        z_t = q_z_mean_t + torch.exp(0.5 * q_z_logvar_t) * noise_z
        p_x_logits_t = self.p_x(self.p_x_1(z_t))  # (3)
        z_prev = z_t
        after = State(state.frame + 1, batch, z_prev)
        return after, Stepped(z_t, q_z_mean_t, q_z_logvar_t, p_z_mean_t, p_z_logvar_t, p_x_logits_t)

    def elbo_fed(self, *_: Any, **__: Any) -> NoReturn:
        """This model has none: the error says why."""
        raise NotImplementedError(
            "DVBF has no elbo_fed: p reads no observed frame, so nothing that it makes comes "
            "back: elbo is the same in both modes"
        )
