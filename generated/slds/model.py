"""SLDS: Latent switching linear dynamical system, a discrete latent chooses the dynamics

    p = p(s_1) p(z_1 | s_1) prod_t>1 p(s_t | s_{t-1}) p(z_t | s_t, z_{t-1}) prod_t p(x_t | z_t)
    q = prod_t q(s_t | s_{t-1}, z_{t-1}, x_{t:T}) q(z_t | s_t, z_{t-1}, x_{t:T})
    L = sum_t E_q[log p(x_t | z_t)]
        - KL(q(s_1 | x_{1:T}) || p(s_1))
        - sum_t>1 E_q[KL(q(s_t | s_{t-1}, z_{t-1}, x_{t:T}) || p(s_t | s_{t-1}))]
        - E_q[KL(q(z_1 | s_1, x_{1:T}) || p(z_1 | s_1))]
        - sum_t>1 E_q[KL(q(z_t | s_t, z_{t-1}, x_{t:T}) || p(z_t | s_t, z_{t-1}))]

Frame-level tensors have shape (batch, time, dim), sequence-level ones (batch, dim), `lengths` (batch,).
Draws may be passed in as noise. Emitted by dvaec from spec 580531db86c75949: change the spec, not this file.
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
    kl_s: Tensor  # (batch, time), KL(q || p) of s_t in closed form, 0 on the padding
    kl_z: Tensor  # (batch, time), KL(q || p) of z_t in closed form, 0 on the padding


class Encoded(NamedTuple):
    """Latents drawn from q, and q's parameters."""

    s: Tensor  # (batch, time, 4), drawn from q
    z: Tensor  # (batch, time, 8), drawn from q
    q_s_logits: Tensor  # (batch, time, 4), parameter of q(s_t)
    q_z_mean: Tensor  # (batch, time, 8), parameter of q(z_t)
    q_z_logvar: Tensor  # (batch, time, 8), parameter of q(z_t)


class Score(NamedTuple):
    """All conditionals at given values."""

    p_s_logits: Tensor  # (batch, time, 4), parameter of p(s_t)
    log_p_s: Tensor  # (batch, time), log p(s_t | ...), 0 on the padding
    p_z_mean: Tensor  # (batch, time, 8), parameter of p(z_t)
    p_z_logvar: Tensor  # (batch, time, 8), parameter of p(z_t)
    log_p_z: Tensor  # (batch, time), log p(z_t | ...), 0 on the padding
    p_x_logits: Tensor  # (batch, time, 88), parameter of p(x_t)
    log_p_x: Tensor  # (batch, time), log p(x_t | ...), 0 on the padding
    q_s_logits: Tensor  # (batch, time, 4), parameter of q(s_t)
    log_q_s: Tensor  # (batch, time), log q(s_t | ...), 0 on the padding
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
    s: Tensor  # (batch, time, 4), drawn from p
    z: Tensor  # (batch, time, 8), drawn from p
    p_s_logits: Tensor  # (batch, time, 4), parameter of p(s_t)
    p_z_mean: Tensor  # (batch, time, 8), parameter of p(z_t)
    p_z_logvar: Tensor  # (batch, time, 8), parameter of p(z_t)
    p_x_logits: Tensor  # (batch, time, 88), parameter of p(x_t)


class Forecast(NamedTuple):
    """A context and its continuation by p."""

    x: Tensor  # (batch, time, 88), known in the context, drawn from p behind it
    s: Tensor  # (batch, time, 4), known in the context, drawn from p behind it
    z: Tensor  # (batch, time, 8), known in the context, drawn from p behind it
    p_s_logits: Tensor  # (batch, time, 4), parameter of p(s_t)
    p_z_mean: Tensor  # (batch, time, 8), parameter of p(z_t)
    p_z_logvar: Tensor  # (batch, time, 8), parameter of p(z_t)
    p_x_logits: Tensor  # (batch, time, 88), parameter of p(x_t)


class State(NamedTuple):
    """What a stream carries from one frame to the next."""

    frame: int  # the frame that comes next, from 0
    batch: int
    s_prev: Tensor  # (batch, 4), s 1 step before
    z_prev: Tensor  # (batch, 8), z 1 step before


class Imagined(NamedTuple):
    """One frame drawn from p."""

    x: Tensor  # (batch, 88), drawn from p
    s: Tensor  # (batch, 4), drawn from p
    z: Tensor  # (batch, 8), drawn from p
    p_s_logits: Tensor  # (batch, 4), parameter of p(s_t)
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


def begun(first: Tensor, value: Tensor) -> Tensor:
    """`value` with `first` (batch, dim) at frame 1: (batch, time, dim) -> the same."""
    return torch.cat([first.unsqueeze(1), value[:, 1:]], 1)


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

def one_hot(value: Tensor, dim: int, axes: int, like: Tensor) -> Tensor:
    """Classes 0 .. dim - 1 as one-hot vectors: `axes` axes -> (..., dim); no such class is NaN all over.

    Whole numbers with one axis more are one-hot already; floating-point values pass unchanged.
    """
    if value.is_floating_point():
        return value
    if value.dim() != axes:
        return value.to(like.dtype)
    value = value.unsqueeze(-1)
    hot = (value == torch.arange(dim, device=value.device)).to(like.dtype)
    return torch.where((value >= 0) & (value < dim), hot, torch.full_like(hot, float("nan")))


def gaussian_log_density(x: Tensor, mean: Tensor, logvar: Tensor) -> Tensor:
    """log N(x; mean, diag exp(logvar)): (..., dim) -> (...)."""
    square = (x - mean).square() * torch.exp(-logvar)
    return -0.5 * (square + logvar).sum(-1) - 0.5 * math.log(2.0 * math.pi) * x.size(-1)


def bernoulli_log_density(x: Tensor, logits: Tensor) -> Tensor:
    """x log s(l) + (1 - x) log(1 - s(l)) = x l - log(1 + exp l): (..., dim) -> (...)."""
    return (x * logits - F.softplus(logits)).sum(-1)


def categorical_log_density(x: Tensor, logits: Tensor) -> Tensor:
    """log softmax(l)_k at the one-hot x of class k: (..., dim) -> (...)."""
    return (x * torch.log_softmax(logits, -1)).sum(-1)


def gumbel_noise(noise: Tensor) -> Tensor:
    """Gumbel's distribution from U[0, 1): -log(-log u), finite at the ends too."""
    return -torch.log(-torch.log(noise.clamp(1e-30, 1.0 - 1e-7)))


def categorical_draw(logits: Tensor, noise: Tensor) -> Tensor:
    """The one-hot vector of argmax(l + Gumbel noise), which is distributed as softmax(l)."""
    chosen = torch.argmax(logits + gumbel_noise(noise), -1)
    return F.one_hot(chosen, logits.size(-1)).to(logits.dtype)


def relaxed_draw(logits: Tensor, noise: Tensor, temperature: float, relaxed: bool) -> Tensor:
    """softmax((l + Gumbel noise) / temperature) while training, for its gradient; else an exact draw."""
    if relaxed:
        return torch.softmax((logits + gumbel_noise(noise)) / temperature, -1)
    return categorical_draw(logits, noise)


def gaussian_kl(q_mean: Tensor, q_logvar: Tensor, p_mean: Tensor, p_logvar: Tensor) -> Tensor:
    """KL(N(q_mean, exp q_logvar) || N(p_mean, exp p_logvar)): (..., dim) -> (...)."""
    ratio = torch.exp(q_logvar - p_logvar) + (q_mean - p_mean).square() * torch.exp(-p_logvar)
    return 0.5 * (ratio + p_logvar - q_logvar - 1.0).sum(-1)


def categorical_kl(q_logits: Tensor, p_logits: Tensor) -> Tensor:
    """sum_k q_k (log q_k - log p_k): (..., dim) -> (...)."""
    q = torch.log_softmax(q_logits, -1)
    return (torch.exp(q) * (q - torch.log_softmax(p_logits, -1))).sum(-1)


class SLDS(nn.Module):
    """SLDS, developed:

    (1) xfuture_t = LSTM(x_t, xfuture_{t+1})
    (2) p(s_t | s_{t-1}) = categorical with logits from s_{t-1}, for t > 1
    (3) p(z_t | s_t, z_{t-1}) = Gaussian with mean and log-variance: mean from sum_k s_t[k] (A_k z_{t-1} +
        b_k), logvar from W s_t + b, for t > 1
    (4) p(x_t | z_t) = Bernoulli with logits from z_t through 64 tanh, 128 tanh
    (5) p(s_1) = categorical with logits that are learned constants
    (6) p(z_1 | s_1) = Gaussian with mean and log-variance from s_1, logvar from W s_1 + b
    (7) q(s_t | s_{t-1}, z_{t-1}, x_{t:T}) = categorical with logits from xfuture_t, s_{t-1}, z_{t-1} through
        128 tanh
    (8) q(z_t | s_t, z_{t-1}, x_{t:T}) = Gaussian with mean and log-variance from xfuture_t, s_t, z_{t-1}
        through 128 tanh
    """

    def __init__(self) -> None:
        super().__init__()
        # (1) xfuture_t = LSTM(x_t, xfuture_{t+1})
        self.xfuture_rnn = nn.LSTM(88, 128, batch_first=True)
        # (2) p(s_t | s_{t-1}) = categorical with logits from s_{t-1}, for t > 1
        self.p_s_1 = nn.Linear(4, 4)
        # (3) p(z_t | s_t, z_{t-1}) = Gaussian with mean and log-variance: mean from sum_k s_t[k] (A_k z_{t-1}
        #     + b_k), logvar from W s_t + b, for t > 1
        self.p_z_mean_1 = nn.Linear(8, 32)
        self.p_z_logvar_1 = nn.Linear(4, 8)
        # (4) p(x_t | z_t) = Bernoulli with logits from z_t through 64 tanh, 128 tanh
        self.p_x_1 = nn.Linear(8, 64)
        self.p_x_2 = nn.Linear(64, 128)
        self.p_x_out = nn.Linear(128, 88)
        # (5) p(s_1) = categorical with logits that are learned constants
        self.p_s_first_logits = nn.Parameter(torch.zeros(4))
        # (6) p(z_1 | s_1) = Gaussian with mean and log-variance from s_1, logvar from W s_1 + b
        self.p_z_first_1 = nn.Linear(4, 8)
        self.p_z_first_logvar_1 = nn.Linear(4, 8)
        # (7) q(s_t | s_{t-1}, z_{t-1}, x_{t:T}) = categorical with logits from xfuture_t, s_{t-1}, z_{t-1}
        #     through 128 tanh
        self.q_s_1 = nn.Linear(140, 128)
        self.q_s_out = nn.Linear(128, 4)
        # (8) q(z_t | s_t, z_{t-1}, x_{t:T}) = Gaussian with mean and log-variance from xfuture_t, s_t,
        #     z_{t-1} through 128 tanh
        self.q_z_1 = nn.Linear(140, 128)
        self.q_z_out = nn.Linear(128, 16)

    def p_s(self, a: Tensor) -> Tensor:
        """(2) from its first layer's pre-activation: (..., 4) -> logits."""
        logits: Tensor = a
        return logits

    def p_z(self, mean_weights: Tensor, mean: Tensor, logvar: Tensor) -> Tuple[Tensor, Tensor]:
        """(3) from mean_weights (..., 4), mean (..., 32), logvar (..., 8) -> mean, logvar."""
        mean = (mean_weights.unsqueeze(-1) * parted(mean, 4)).sum(-2)
        logvar = bounded(logvar)
        return mean, logvar

    def p_x(self, a: Tensor) -> Tensor:
        """(4) from its first layer's pre-activation: (..., 64) -> logits."""
        a = torch.tanh(a)
        a = torch.tanh(self.p_x_2(a))
        logits: Tensor = self.p_x_out(a)
        return logits

    def p_z_first(self, a: Tensor, logvar: Tensor) -> Tuple[Tensor, Tensor]:
        """(6) from a (..., 8), logvar (..., 8) -> mean, logvar."""
        mean: Tensor = a
        logvar = bounded(logvar)
        return mean, logvar

    def q_s(self, a: Tensor) -> Tensor:
        """(7) from its first layer's pre-activation: (..., 128) -> logits."""
        a = torch.tanh(a)
        logits: Tensor = self.q_s_out(a)
        return logits

    def q_z(self, a: Tensor) -> Tuple[Tensor, Tensor]:
        """(8) from its first layer's pre-activation: (..., 128) -> mean, logvar."""
        a = torch.tanh(a)
        mean, logvar = self.q_z_out(a).chunk(2, -1)
        logvar = bounded(logvar)
        return mean, logvar

    @torch.jit.export
    def elbo(
        self,
        x: Tensor,
        lengths: Optional[Tensor] = None,
        noise_s: Optional[Tensor] = None,
        noise_z: Optional[Tensor] = None,
        mask_x: Optional[Tensor] = None,
    ) -> Elbo:
        """The evidence lower bound of every sequence and its parts, one draw of the latents:

            L = sum_t E_q[log p(x_t | z_t)]
              - KL(q(s_1 | x_{1:T}) || p(s_1))
              - sum_t>1 E_q[KL(q(s_t | s_{t-1}, z_{t-1}, x_{t:T}) || p(s_t | s_{t-1}))]
              - E_q[KL(q(z_1 | s_1, x_{1:T}) || p(z_1 | s_1))]
              - sum_t>1 E_q[KL(q(z_t | s_t, z_{t-1}, x_{t:T}) || p(z_t | s_t, z_{t-1}))]
        """
        batch, frames = x.size(0), x.size(1)
        mask = frame_mask(lengths, x, batch, frames)
        seen_x = seen(mask, mask_x)
        x = own(framed(x, "x", 88), seen_x)
        noise_s = uniform_noise(noise_s, x, mask, 4)
        noise_z = normal_noise(noise_z, x, mask, 8)
        xfuture = reverse(self.xfuture_rnn(reverse(x, lengths))[0], lengths)  # (1)
        q_s_1_pre = F.linear(xfuture, self.q_s_1.weight[:, 0:128], self.q_s_1.bias)
        q_s_1_pre_at = q_s_1_pre.unbind(1)
        q_s_1_weight = self.q_s_1.weight[:, 128:140]
        q_z_1_pre = F.linear(xfuture, self.q_z_1.weight[:, 0:128], self.q_z_1.bias)
        q_z_1_pre_at = q_z_1_pre.unbind(1)
        q_z_1_weight = self.q_z_1.weight[:, 128:140]
        s_start = x.new_zeros(batch, 4)
        s_prev = s_start
        noise_s_at = noise_s.unbind(1)
        z_start = x.new_zeros(batch, 8)
        z_prev = z_start
        noise_z_at = noise_z.unbind(1)
        q_s_logits_list: List[Tensor] = []
        s_list: List[Tensor] = []
        q_z_mean_list: List[Tensor] = []
        q_z_logvar_list: List[Tensor] = []
        z_list: List[Tensor] = []
        # Loop over time, forward: q_s, s, q_z, z; cycle over time through q(s_t) <- s_<t-1>,
        # q(s_t) <- z_<t-1>, q(z_t) <- z_<t-1>.
        for t in range(frames):
            q_s_logits_t = self.q_s(  # (7)
                q_s_1_pre_at[t] + F.linear(torch.cat([s_prev, z_prev], -1), q_s_1_weight),
            )
            s_t = relaxed_draw(q_s_logits_t, noise_s_at[t], 0.5, self.training)
            q_z_mean_t, q_z_logvar_t = self.q_z(  # (8)
                q_z_1_pre_at[t] + F.linear(torch.cat([s_t, z_prev], -1), q_z_1_weight),
            )
            z_t = q_z_mean_t + torch.exp(0.5 * q_z_logvar_t) * noise_z_at[t]
            q_s_logits_list.append(q_s_logits_t)
            s_list.append(s_t)
            q_z_mean_list.append(q_z_mean_t)
            q_z_logvar_list.append(q_z_logvar_t)
            z_list.append(z_t)
            s_prev = s_t
            z_prev = z_t
        q_s_logits = torch.stack(q_s_logits_list, 1)
        s = torch.stack(s_list, 1)
        q_z_mean = torch.stack(q_z_mean_list, 1)
        q_z_logvar = torch.stack(q_z_logvar_list, 1)
        z = torch.stack(z_list, 1)
        p_s_first_logits = self.p_s_first_logits.expand(batch, 4)
        s_lag1 = lag(s, 1)
        p_s_logits = self.p_s(self.p_s_1(s_lag1))  # (2)
        p_s_logits = begun(p_s_first_logits, p_s_logits)
        s_first = s[:, 0]
        p_z_first_mean, p_z_first_logvar = self.p_z_first(  # (6)
            self.p_z_first_1(s_first),
            self.p_z_first_logvar_1(s_first),
        )
        z_lag1 = lag(z, 1)
        p_z_mean, p_z_logvar = self.p_z(s, self.p_z_mean_1(z_lag1), self.p_z_logvar_1(s))  # (3)
        p_z_mean = begun(p_z_first_mean, p_z_mean)
        p_z_logvar = begun(p_z_first_logvar, p_z_logvar)
        p_x_logits = self.p_x(self.p_x_1(z))  # (4)
        log_p_x = own(bernoulli_log_density(x, p_x_logits), seen_x.squeeze(-1))
        kl_s = own(categorical_kl(q_s_logits, p_s_logits), mask.squeeze(-1))
        kl_z = own(gaussian_kl(q_z_mean, q_z_logvar, p_z_mean, p_z_logvar), mask.squeeze(-1))
        elbo = (log_p_x - kl_s - kl_z).sum(1)
        return Elbo(elbo, log_p_x, kl_s, kl_z)

    @torch.jit.export
    def encode(
        self,
        x: Tensor,
        lengths: Optional[Tensor] = None,
        noise_s: Optional[Tensor] = None,
        noise_z: Optional[Tensor] = None,
        mask_x: Optional[Tensor] = None,
    ) -> Encoded:
        """Draw the latents from q and return q's parameters."""
        batch, frames = x.size(0), x.size(1)
        mask = frame_mask(lengths, x, batch, frames)
        seen_x = seen(mask, mask_x)
        x = own(framed(x, "x", 88), seen_x)
        noise_s = uniform_noise(noise_s, x, mask, 4)
        noise_z = normal_noise(noise_z, x, mask, 8)
        xfuture = reverse(self.xfuture_rnn(reverse(x, lengths))[0], lengths)  # (1)
        q_s_1_pre = F.linear(xfuture, self.q_s_1.weight[:, 0:128], self.q_s_1.bias)
        q_s_1_pre_at = q_s_1_pre.unbind(1)
        q_s_1_weight = self.q_s_1.weight[:, 128:140]
        q_z_1_pre = F.linear(xfuture, self.q_z_1.weight[:, 0:128], self.q_z_1.bias)
        q_z_1_pre_at = q_z_1_pre.unbind(1)
        q_z_1_weight = self.q_z_1.weight[:, 128:140]
        s_start = x.new_zeros(batch, 4)
        s_prev = s_start
        noise_s_at = noise_s.unbind(1)
        z_start = x.new_zeros(batch, 8)
        z_prev = z_start
        noise_z_at = noise_z.unbind(1)
        q_s_logits_list: List[Tensor] = []
        s_list: List[Tensor] = []
        q_z_mean_list: List[Tensor] = []
        q_z_logvar_list: List[Tensor] = []
        z_list: List[Tensor] = []
        # Loop over time, forward: q_s, s, q_z, z; cycle over time through q(s_t) <- s_<t-1>,
        # q(s_t) <- z_<t-1>, q(z_t) <- z_<t-1>.
        for t in range(frames):
            q_s_logits_t = self.q_s(  # (7)
                q_s_1_pre_at[t] + F.linear(torch.cat([s_prev, z_prev], -1), q_s_1_weight),
            )
            s_t = relaxed_draw(q_s_logits_t, noise_s_at[t], 0.5, self.training)
            q_z_mean_t, q_z_logvar_t = self.q_z(  # (8)
                q_z_1_pre_at[t] + F.linear(torch.cat([s_t, z_prev], -1), q_z_1_weight),
            )
            z_t = q_z_mean_t + torch.exp(0.5 * q_z_logvar_t) * noise_z_at[t]
            q_s_logits_list.append(q_s_logits_t)
            s_list.append(s_t)
            q_z_mean_list.append(q_z_mean_t)
            q_z_logvar_list.append(q_z_logvar_t)
            z_list.append(z_t)
            s_prev = s_t
            z_prev = z_t
        q_s_logits = torch.stack(q_s_logits_list, 1)
        s = torch.stack(s_list, 1)
        q_z_mean = torch.stack(q_z_mean_list, 1)
        q_z_logvar = torch.stack(q_z_logvar_list, 1)
        z = torch.stack(z_list, 1)
        return Encoded(own(s, mask), own(z, mask), q_s_logits, q_z_mean, q_z_logvar)

    @torch.jit.export
    def score(
        self,
        x: Tensor,
        s: Tensor,
        z: Tensor,
        lengths: Optional[Tensor] = None,
        mask_x: Optional[Tensor] = None,
    ) -> Score:
        """Every conditional's parameters and log-density at given values."""
        s = one_hot(s, 4, 2, self.p_s_1.weight)
        batch, frames = x.size(0), x.size(1)
        mask = frame_mask(lengths, x, batch, frames)
        seen_x = seen(mask, mask_x)
        x = own(framed(x, "x", 88), seen_x)
        s = own(framed(s, "s", 4), mask)
        z = own(framed(z, "z", 8), mask)
        xfuture = reverse(self.xfuture_rnn(reverse(x, lengths))[0], lengths)  # (1)
        p_s_first_logits = self.p_s_first_logits.expand(batch, 4)
        s_lag1 = lag(s, 1)
        p_s_logits = self.p_s(self.p_s_1(s_lag1))  # (2)
        p_s_logits = begun(p_s_first_logits, p_s_logits)
        s_first = s[:, 0]
        p_z_first_mean, p_z_first_logvar = self.p_z_first(  # (6)
            self.p_z_first_1(s_first),
            self.p_z_first_logvar_1(s_first),
        )
        z_lag1 = lag(z, 1)
        p_z_mean, p_z_logvar = self.p_z(s, self.p_z_mean_1(z_lag1), self.p_z_logvar_1(s))  # (3)
        p_z_mean = begun(p_z_first_mean, p_z_mean)
        p_z_logvar = begun(p_z_first_logvar, p_z_logvar)
        p_x_logits = self.p_x(self.p_x_1(z))  # (4)
        q_s_logits = self.q_s(self.q_s_1(torch.cat([xfuture, s_lag1, z_lag1], -1)))  # (7)
        q_z_mean, q_z_logvar = self.q_z(self.q_z_1(torch.cat([xfuture, s, z_lag1], -1)))  # (8)
        log_p_s = own(categorical_log_density(s, p_s_logits), mask.squeeze(-1))
        log_p_z = own(gaussian_log_density(z, p_z_mean, p_z_logvar), mask.squeeze(-1))
        log_p_x = own(bernoulli_log_density(x, p_x_logits), seen_x.squeeze(-1))
        log_q_s = own(categorical_log_density(s, q_s_logits), mask.squeeze(-1))
        log_q_z = own(gaussian_log_density(z, q_z_mean, q_z_logvar), mask.squeeze(-1))
        return Score(
            p_s_logits,
            log_p_s,
            p_z_mean,
            p_z_logvar,
            log_p_z,
            p_x_logits,
            log_p_x,
            q_s_logits,
            log_q_s,
            q_z_mean,
            q_z_logvar,
            log_q_z,
        )

    @torch.jit.export
    def reconstruct(
        self,
        x: Tensor,
        lengths: Optional[Tensor] = None,
        noise_s: Optional[Tensor] = None,
        noise_z: Optional[Tensor] = None,
        mask_x: Optional[Tensor] = None,
    ) -> Reconstruction:
        """Draw the latents from q and return the mean of p at the data (teacher forcing)."""
        batch, frames = x.size(0), x.size(1)
        mask = frame_mask(lengths, x, batch, frames)
        seen_x = seen(mask, mask_x)
        x = own(framed(x, "x", 88), seen_x)
        noise_s = uniform_noise(noise_s, x, mask, 4)
        noise_z = normal_noise(noise_z, x, mask, 8)
        xfuture = reverse(self.xfuture_rnn(reverse(x, lengths))[0], lengths)  # (1)
        q_s_1_pre = F.linear(xfuture, self.q_s_1.weight[:, 0:128], self.q_s_1.bias)
        q_s_1_pre_at = q_s_1_pre.unbind(1)
        q_s_1_weight = self.q_s_1.weight[:, 128:140]
        q_z_1_pre = F.linear(xfuture, self.q_z_1.weight[:, 0:128], self.q_z_1.bias)
        q_z_1_pre_at = q_z_1_pre.unbind(1)
        q_z_1_weight = self.q_z_1.weight[:, 128:140]
        s_start = x.new_zeros(batch, 4)
        s_prev = s_start
        noise_s_at = noise_s.unbind(1)
        z_start = x.new_zeros(batch, 8)
        z_prev = z_start
        noise_z_at = noise_z.unbind(1)
        z_list: List[Tensor] = []
        # Loop over time, forward: q_s, s, q_z, z; cycle over time through q(s_t) <- s_<t-1>,
        # q(s_t) <- z_<t-1>, q(z_t) <- z_<t-1>.
        for t in range(frames):
            q_s_logits_t = self.q_s(  # (7)
                q_s_1_pre_at[t] + F.linear(torch.cat([s_prev, z_prev], -1), q_s_1_weight),
            )
            s_t = relaxed_draw(q_s_logits_t, noise_s_at[t], 0.5, self.training)
            q_z_mean_t, q_z_logvar_t = self.q_z(  # (8)
                q_z_1_pre_at[t] + F.linear(torch.cat([s_t, z_prev], -1), q_z_1_weight),
            )
            z_t = q_z_mean_t + torch.exp(0.5 * q_z_logvar_t) * noise_z_at[t]
            z_list.append(z_t)
            s_prev = s_t
            z_prev = z_t
        z = torch.stack(z_list, 1)
        p_x_logits = self.p_x(self.p_x_1(z))  # (4)
        return Reconstruction(own(torch.sigmoid(p_x_logits), mask), p_x_logits)

    @torch.jit.export
    def generate(
        self,
        batch: int,
        frames: int,
        lengths: Optional[Tensor] = None,
        noise_s: Optional[Tensor] = None,
        noise_z: Optional[Tensor] = None,
        noise_x: Optional[Tensor] = None,
        sample: bool = True,
    ) -> Generated:
        """Draw a sequence from p. Each drawn x_t is fed back; with sample=False the conditional's mean is."""
        mask = frame_mask(lengths, self.p_s_1.weight, batch, frames)
        noise_s = uniform_noise(noise_s, self.p_s_1.weight, mask, 4)
        noise_z = normal_noise(noise_z, self.p_s_1.weight, mask, 8)
        noise_x = uniform_noise(noise_x, self.p_s_1.weight, mask, 88)
        p_s_first_logits = self.p_s_first_logits.expand(batch, 4)
        s_start = self.p_s_1.weight.new_zeros(batch, 4)
        s_prev = s_start
        noise_s_at = noise_s.unbind(1)
        p_s_logits_list: List[Tensor] = []
        s_list: List[Tensor] = []
        # Loop over time, forward: p_s, s; cycle over time through p(s_t) <- s_<t-1>.
        for t in range(frames):
            p_s_logits_t = self.p_s(self.p_s_1(s_prev))  # (2)
            if t == 0:
                p_s_logits_t = p_s_first_logits
            s_t = relaxed_draw(p_s_logits_t, noise_s_at[t], 0.5, self.training)
            p_s_logits_list.append(p_s_logits_t)
            s_list.append(s_t)
            s_prev = s_t
        p_s_logits = torch.stack(p_s_logits_list, 1)
        s = torch.stack(s_list, 1)
        s_first = s[:, 0]
        p_z_first_mean, p_z_first_logvar = self.p_z_first(  # (6)
            self.p_z_first_1(s_first),
            self.p_z_first_logvar_1(s_first),
        )
        s_at = s.unbind(1)
        p_z_logvar_1_pre = self.p_z_logvar_1(s)
        p_z_logvar_1_pre_at = p_z_logvar_1_pre.unbind(1)
        z_start = self.p_s_1.weight.new_zeros(batch, 8)
        z_prev = z_start
        noise_z_at = noise_z.unbind(1)
        p_z_mean_list: List[Tensor] = []
        p_z_logvar_list: List[Tensor] = []
        z_list: List[Tensor] = []
        # Loop over time, forward: p_z, z; cycle over time through p(z_t) <- z_<t-1>.
        for t in range(frames):
            p_z_mean_t, p_z_logvar_t = self.p_z(  # (3)
                s_at[t],
                self.p_z_mean_1(z_prev),
                p_z_logvar_1_pre_at[t],
            )
            if t == 0:
                p_z_mean_t = p_z_first_mean
                p_z_logvar_t = p_z_first_logvar
            z_t = p_z_mean_t + torch.exp(0.5 * p_z_logvar_t) * noise_z_at[t]
            p_z_mean_list.append(p_z_mean_t)
            p_z_logvar_list.append(p_z_logvar_t)
            z_list.append(z_t)
            z_prev = z_t
        p_z_mean = torch.stack(p_z_mean_list, 1)
        p_z_logvar = torch.stack(p_z_logvar_list, 1)
        z = torch.stack(z_list, 1)
        p_x_logits = self.p_x(self.p_x_1(z))  # (4)
        x = torch.sigmoid(p_x_logits)
        if sample:
            x = (noise_x < torch.sigmoid(p_x_logits)).to(p_x_logits.dtype)
        return Generated(
            own(x, mask),
            own(s, mask),
            own(z, mask),
            p_s_logits,
            p_z_mean,
            p_z_logvar,
            p_x_logits,
        )

    @torch.jit.export
    def forecast(
        self,
        steps: int,
        x: Tensor,
        lengths: Optional[Tensor] = None,
        noise_s: Optional[Tensor] = None,
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
        noise_s = uniform_noise(noise_s, x, mask, 4)
        noise_z = normal_noise(noise_z, x, mask, 8)
        noise_x = uniform_noise(noise_x, x, mask, 88)
        inferred = self.encode(
            x=x,
            lengths=lengths,
            noise_s=noise_s[:, :context],
            noise_z=noise_z[:, :context],
            mask_x=mask_x,
        )
        known_s = extended(own_context, frames)
        s_known = extended(inferred.s, frames)
        known_z = extended(own_context, frames)
        z_known = extended(inferred.z, frames)
        known_x = extended(own_context, frames)
        x_known = extended(own(framed(x, "x", 88), seen(own_context, mask_x)), frames)
        p_s_first_logits = self.p_s_first_logits.expand(batch, 4)
        s_start = x.new_zeros(batch, 4)
        s_prev = s_start
        noise_s_at = noise_s.unbind(1)
        s_known_at = s_known.unbind(1)
        known_s_at = known_s.unbind(1)
        p_s_logits_list: List[Tensor] = []
        s_list: List[Tensor] = []
        # Loop over time, forward: p_s, s; cycle over time through p(s_t) <- s_<t-1>.
        for t in range(frames):
            p_s_logits_t = self.p_s(self.p_s_1(s_prev))  # (2)
            if t == 0:
                p_s_logits_t = p_s_first_logits
            s_t = relaxed_draw(p_s_logits_t, noise_s_at[t], 0.5, self.training)
            s_t = torch.where(known_s_at[t], s_known_at[t], s_t)
            p_s_logits_list.append(p_s_logits_t)
            s_list.append(s_t)
            s_prev = s_t
        p_s_logits = torch.stack(p_s_logits_list, 1)
        s = torch.stack(s_list, 1)
        s_first = s[:, 0]
        p_z_first_mean, p_z_first_logvar = self.p_z_first(  # (6)
            self.p_z_first_1(s_first),
            self.p_z_first_logvar_1(s_first),
        )
        s_at = s.unbind(1)
        p_z_logvar_1_pre = self.p_z_logvar_1(s)
        p_z_logvar_1_pre_at = p_z_logvar_1_pre.unbind(1)
        z_start = x.new_zeros(batch, 8)
        z_prev = z_start
        noise_z_at = noise_z.unbind(1)
        z_known_at = z_known.unbind(1)
        known_z_at = known_z.unbind(1)
        p_z_mean_list: List[Tensor] = []
        p_z_logvar_list: List[Tensor] = []
        z_list: List[Tensor] = []
        # Loop over time, forward: p_z, z; cycle over time through p(z_t) <- z_<t-1>.
        for t in range(frames):
            p_z_mean_t, p_z_logvar_t = self.p_z(  # (3)
                s_at[t],
                self.p_z_mean_1(z_prev),
                p_z_logvar_1_pre_at[t],
            )
            if t == 0:
                p_z_mean_t = p_z_first_mean
                p_z_logvar_t = p_z_first_logvar
            z_t = p_z_mean_t + torch.exp(0.5 * p_z_logvar_t) * noise_z_at[t]
            z_t = torch.where(known_z_at[t], z_known_at[t], z_t)
            p_z_mean_list.append(p_z_mean_t)
            p_z_logvar_list.append(p_z_logvar_t)
            z_list.append(z_t)
            z_prev = z_t
        p_z_mean = torch.stack(p_z_mean_list, 1)
        p_z_logvar = torch.stack(p_z_logvar_list, 1)
        z = torch.stack(z_list, 1)
        p_x_logits = self.p_x(self.p_x_1(z))  # (4)
        x = torch.sigmoid(p_x_logits)
        if sample:
            x = (noise_x < torch.sigmoid(p_x_logits)).to(p_x_logits.dtype)
        x = torch.where(known_x, x_known, x)
        return Forecast(
            own(x, mask),
            own(s, mask),
            own(z, mask),
            p_s_logits,
            p_z_mean,
            p_z_logvar,
            p_x_logits,
        )

    @torch.jit.export
    def begin(
        self,
        batch: int,
    ) -> State:
        """The state of `batch` streams before their first frame."""
        s_start = self.p_s_1.weight.new_zeros(batch, 4)
        z_start = self.p_s_1.weight.new_zeros(batch, 8)
        return State(0, batch, s_start, z_start)

    @torch.jit.export
    def imagine(
        self,
        state: State,
        noise_x: Optional[Tensor] = None,
        noise_s: Optional[Tensor] = None,
        noise_z: Optional[Tensor] = None,
        sample: bool = True,
    ) -> Tuple[State, Imagined]:
        """Draw one frame of each stream from p; return the state behind it."""
        batch = state.batch
        t = state.frame
        s_prev = state.s_prev
        z_prev = state.z_prev
        present = torch.ones([batch, 1], dtype=torch.bool, device=self.p_s_1.weight.device)
        noise_x = uniform_noise(noise_x, self.p_s_1.weight, present, 88)
        noise_s = uniform_noise(noise_s, self.p_s_1.weight, present, 4)
        noise_z = normal_noise(noise_z, self.p_s_1.weight, present, 8)
        p_s_first_logits = self.p_s_1.weight.new_zeros(batch, 4)
        p_z_first_mean = self.p_s_1.weight.new_zeros(batch, 8)
        p_z_first_logvar = self.p_s_1.weight.new_zeros(batch, 8)
        p_s_first_logits = self.p_s_first_logits.expand(batch, 4)
        p_s_logits_t = self.p_s(self.p_s_1(s_prev))  # (2)
        if t == 0:
            p_s_logits_t = p_s_first_logits
        s_t = relaxed_draw(p_s_logits_t, noise_s, 0.5, self.training)
        if t == 0:
            p_z_first_mean, p_z_first_logvar = self.p_z_first(  # (6)
                self.p_z_first_1(s_t),
                self.p_z_first_logvar_1(s_t),
            )
        p_z_mean_t, p_z_logvar_t = self.p_z(s_t, self.p_z_mean_1(z_prev), self.p_z_logvar_1(s_t))  # (3)
        if t == 0:
            p_z_mean_t = p_z_first_mean
            p_z_logvar_t = p_z_first_logvar
        z_t = p_z_mean_t + torch.exp(0.5 * p_z_logvar_t) * noise_z
        p_x_logits_t = self.p_x(self.p_x_1(z_t))  # (4)
        x_t = torch.sigmoid(p_x_logits_t)
        if sample:
            x_t = (noise_x < torch.sigmoid(p_x_logits_t)).to(p_x_logits_t.dtype)
        s_prev = s_t
        z_prev = z_t
        after = State(state.frame + 1, batch, s_prev, z_prev)
        return after, Imagined(x_t, s_t, z_t, p_s_logits_t, p_z_mean_t, p_z_logvar_t, p_x_logits_t)

    def elbo_fed(self, *_: Any, **__: Any) -> NoReturn:
        """This model has none: the error says why."""
        raise NotImplementedError(
            "SLDS has no elbo_fed: p reads no observed frame, so nothing that it makes comes "
            "back: elbo is the same in both modes"
        )

    def step(self, *_: Any, **__: Any) -> NoReturn:
        """This model has none: the error says why."""
        raise NotImplementedError(
            "SLDS has no step: q(s_t) waits for xfuture, which runs backward from frame T "
            "(xfuture_t <- xfuture_<t+1>)"
        )
