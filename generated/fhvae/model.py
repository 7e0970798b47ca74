"""FHVAE: Factorized hierarchical VAE; a frame is a segment of 20 vectors, i the number of the sequence

    p = p(w) prod_t p(z_t) p(v_t | w) p(x_t | z_t, v_t)
    q = q(w | i) prod_t q(v_t | x_t) q(z_t | v_t, x_t)
    L = sum_t E_q[log p(x_t | z_t, v_t)]
        - KL(q(w | i) || p(w))
        - sum_t E_q[KL(q(v_t | x_t) || p(v_t | w))]
        - sum_t E_q[KL(q(z_t | v_t, x_t) || p(z_t))]

Frame-level tensors have shape (batch, time, dim), sequence-level ones (batch, dim), `lengths` (batch,).
Draws may be passed in as noise. Emitted by dvaec from spec 23d4b4ef14481f45: change the spec, not this file.
"""

import math
from typing import Any, List, NamedTuple, NoReturn, Optional, Tuple

import torch
from torch import Tensor, nn


class Elbo(NamedTuple):
    """The evidence lower bound and its parts."""

    elbo: Tensor  # (batch,), summed over each sequence's own frames
    log_p_x: Tensor  # (batch, time), log p(x_t | ...), 0 on the padding
    kl_w: Tensor  # (batch,), KL(q || p) of w in closed form
    kl_v: Tensor  # (batch, time), KL(q || p) of v_t in closed form, 0 on the padding
    kl_z: Tensor  # (batch, time), KL(q || p) of z_t in closed form, 0 on the padding


class Encoded(NamedTuple):
    """Latents drawn from q, and q's parameters."""

    w: Tensor  # (batch, 32), drawn from q
    z: Tensor  # (batch, time, 32), drawn from q
    v: Tensor  # (batch, time, 32), drawn from q
    q_w_mean: Tensor  # (batch, 32), parameter of q(w)
    q_w_logvar: Tensor  # (batch, 32), parameter of q(w)
    q_v_mean: Tensor  # (batch, time, 32), parameter of q(v_t)
    q_v_logvar: Tensor  # (batch, time, 32), parameter of q(v_t)
    q_z_mean: Tensor  # (batch, time, 32), parameter of q(z_t)
    q_z_logvar: Tensor  # (batch, time, 32), parameter of q(z_t)


class Score(NamedTuple):
    """All conditionals at given values."""

    p_w_mean: Tensor  # (batch, 32), parameter of p(w)
    p_w_logvar: Tensor  # (batch, 32), parameter of p(w)
    log_p_w: Tensor  # (batch,), log p(w | ...)
    p_z_mean: Tensor  # (batch, time, 32), parameter of p(z_t)
    p_z_logvar: Tensor  # (batch, time, 32), parameter of p(z_t)
    log_p_z: Tensor  # (batch, time), log p(z_t | ...), 0 on the padding
    p_v_mean: Tensor  # (batch, time, 32), parameter of p(v_t)
    p_v_logvar: Tensor  # (batch, time, 32), parameter of p(v_t)
    log_p_v: Tensor  # (batch, time), log p(v_t | ...), 0 on the padding
    p_x_mean: Tensor  # (batch, time, 1600), parameter of p(x_t)
    p_x_logvar: Tensor  # (batch, time, 1600), parameter of p(x_t)
    log_p_x: Tensor  # (batch, time), log p(x_t | ...), 0 on the padding
    q_w_mean: Tensor  # (batch, 32), parameter of q(w)
    q_w_logvar: Tensor  # (batch, 32), parameter of q(w)
    log_q_w: Tensor  # (batch,), log q(w | ...)
    q_v_mean: Tensor  # (batch, time, 32), parameter of q(v_t)
    q_v_logvar: Tensor  # (batch, time, 32), parameter of q(v_t)
    log_q_v: Tensor  # (batch, time), log q(v_t | ...), 0 on the padding
    q_z_mean: Tensor  # (batch, time, 32), parameter of q(z_t)
    q_z_logvar: Tensor  # (batch, time, 32), parameter of q(z_t)
    log_q_z: Tensor  # (batch, time), log q(z_t | ...), 0 on the padding


class Reconstruction(NamedTuple):
    """What p makes of latents drawn from q."""

    x: Tensor  # (batch, time, 1600), mean of p(x_t | ...), teacher-forced
    p_x_mean: Tensor  # (batch, time, 1600), parameter of p(x_t)
    p_x_logvar: Tensor  # (batch, time, 1600), parameter of p(x_t)


class Generated(NamedTuple):
    """A sequence drawn from p."""

    x: Tensor  # (batch, time, 1600), drawn from p
    w: Tensor  # (batch, 32), drawn from p
    z: Tensor  # (batch, time, 32), drawn from p
    v: Tensor  # (batch, time, 32), drawn from p
    p_w_mean: Tensor  # (batch, 32), parameter of p(w)
    p_w_logvar: Tensor  # (batch, 32), parameter of p(w)
    p_z_mean: Tensor  # (batch, time, 32), parameter of p(z_t)
    p_z_logvar: Tensor  # (batch, time, 32), parameter of p(z_t)
    p_v_mean: Tensor  # (batch, time, 32), parameter of p(v_t)
    p_v_logvar: Tensor  # (batch, time, 32), parameter of p(v_t)
    p_x_mean: Tensor  # (batch, time, 1600), parameter of p(x_t)
    p_x_logvar: Tensor  # (batch, time, 1600), parameter of p(x_t)


class Forecast(NamedTuple):
    """A context and its continuation by p."""

    x: Tensor  # (batch, time, 1600), known in the context, drawn from p behind it
    w: Tensor  # (batch, 32), drawn from q
    z: Tensor  # (batch, time, 32), known in the context, drawn from p behind it
    v: Tensor  # (batch, time, 32), known in the context, drawn from p behind it
    p_z_mean: Tensor  # (batch, time, 32), parameter of p(z_t)
    p_z_logvar: Tensor  # (batch, time, 32), parameter of p(z_t)
    p_v_mean: Tensor  # (batch, time, 32), parameter of p(v_t)
    p_v_logvar: Tensor  # (batch, time, 32), parameter of p(v_t)
    p_x_mean: Tensor  # (batch, time, 1600), parameter of p(x_t)
    p_x_logvar: Tensor  # (batch, time, 1600), parameter of p(x_t)


class State(NamedTuple):
    """What a stream carries from one frame to the next."""

    frame: int  # the frame that comes next, from 0
    batch: int
    w: Tensor  # (batch, 32), of the first step
    i: Tensor  # (batch, 4620)


class Imagined(NamedTuple):
    """One frame drawn from p."""

    x: Tensor  # (batch, 1600), drawn from p
    z: Tensor  # (batch, 32), drawn from p
    v: Tensor  # (batch, 32), drawn from p
    p_z_mean: Tensor  # (batch, 32), parameter of p(z_t)
    p_z_logvar: Tensor  # (batch, 32), parameter of p(z_t)
    p_v_mean: Tensor  # (batch, 32), parameter of p(v_t)
    p_v_logvar: Tensor  # (batch, 32), parameter of p(v_t)
    p_x_mean: Tensor  # (batch, 1600), parameter of p(x_t)
    p_x_logvar: Tensor  # (batch, 1600), parameter of p(x_t)


class Stepped(NamedTuple):
    """One observed frame: latents drawn from q, and the parameters of every conditional."""

    z: Tensor  # (batch, 32), drawn from q
    v: Tensor  # (batch, 32), drawn from q
    q_v_mean: Tensor  # (batch, 32), parameter of q(v_t)
    q_v_logvar: Tensor  # (batch, 32), parameter of q(v_t)
    q_z_mean: Tensor  # (batch, 32), parameter of q(z_t)
    q_z_logvar: Tensor  # (batch, 32), parameter of q(z_t)
    p_z_mean: Tensor  # (batch, 32), parameter of p(z_t)
    p_z_logvar: Tensor  # (batch, 32), parameter of p(z_t)
    p_v_mean: Tensor  # (batch, 32), parameter of p(v_t)
    p_v_logvar: Tensor  # (batch, 32), parameter of p(v_t)
    p_x_mean: Tensor  # (batch, 1600), parameter of p(x_t)
    p_x_logvar: Tensor  # (batch, 1600), parameter of p(x_t)


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


def bounded(value: Tensor, bound: float = 30.0) -> Tensor:
    """A logarithm kept within +-`bound` by a smooth bound that is the identity near 0."""
    return bound * torch.tanh(value / bound)


def normal_noise(noise: Optional[Tensor], like: Tensor, mask: Tensor, dim: int) -> Tensor:
    """The draws that were passed in, or new ones from N(0, 1): (batch, time, dim), 0 on the padding."""
    if noise is None:
        noise = torch.randn(list(mask.shape[:-1]) + [dim], device=like.device, dtype=like.dtype)
    return own(noise, mask)

def flat(value: Tensor, lead: int, axes: List[int]) -> Tensor:
    """(batch, time, *axes) as (batch, time, dim), with `lead` axes in front; what is flat stays."""
    return value.flatten(lead) if list(value.shape[lead:]) == axes else value

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


def gaussian_kl(q_mean: Tensor, q_logvar: Tensor, p_mean: Tensor, p_logvar: Tensor) -> Tensor:
    """KL(N(q_mean, exp q_logvar) || N(p_mean, exp p_logvar)): (..., dim) -> (...)."""
    ratio = torch.exp(q_logvar - p_logvar) + (q_mean - p_mean).square() * torch.exp(-p_logvar)
    return 0.5 * (ratio + p_logvar - q_logvar - 1.0).sum(-1)


def standard_kl(mean: Tensor, logvar: Tensor) -> Tensor:
    """KL(N(mean, exp logvar) || N(0, I)): (..., dim) -> (...)."""
    return 0.5 * (mean.square() + torch.exp(logvar) - logvar - 1.0).sum(-1)


class FHVAE(nn.Module):
    """FHVAE, developed:

    (1) p(w) = N(0, I)
    (2) p(z_t) = N(0, I)
    (3) p(v_t | w) = Gaussian with mean and log-variance: mean from w, variance 0.25
    (4) p(x_t | z_t, v_t) = Gaussian with mean and log-variance from LSTM over axis 0 of [z_t, v_t]
    (5) q(w | i) = Gaussian with mean and log-variance: mean from W i + b, variance 0.25
    (6) q(v_t | x_t) = Gaussian with mean and log-variance from LSTM over axis 0 of [x_t]
    (7) q(z_t | v_t, x_t) = Gaussian with mean and log-variance from LSTM over axis 0 of [x_t, v_t]
    """

    def __init__(self) -> None:
        super().__init__()
        # (4) p(x_t | z_t, v_t) = Gaussian with mean and log-variance from LSTM over axis 0 of [z_t, v_t]
        self.p_x_rnn = nn.LSTM(64, 256, batch_first=True)
        self.p_x_row = nn.Linear(256, 160)
        # (5) q(w | i) = Gaussian with mean and log-variance: mean from W i + b, variance 0.25
        self.q_w_mean_1 = nn.Linear(4620, 32)
        # (6) q(v_t | x_t) = Gaussian with mean and log-variance from LSTM over axis 0 of [x_t]
        self.q_v_rnn = nn.LSTM(80, 256, batch_first=True)
        self.q_v_out = nn.Linear(256, 64)
        # (7) q(z_t | v_t, x_t) = Gaussian with mean and log-variance from LSTM over axis 0 of [x_t, v_t]
        self.q_z_rnn = nn.LSTM(112, 256, batch_first=True)
        self.q_z_out = nn.Linear(256, 64)

    def p_v(self, mean: Tensor) -> Tuple[Tensor, Tensor]:
        """(3) from mean (..., 32) -> mean, logvar."""
        logvar = torch.full_like(mean, math.log(0.25))
        return mean, logvar

    def p_x(self, a: Tensor) -> Tuple[Tensor, Tensor]:
        """(4) from a (..., 64) -> mean, logvar."""
        shape = a.shape[:-1]
        parts = a.split_with_sizes([32, 32], -1)
        a = torch.cat(
            [parts[0].reshape(-1, 1, 32).expand(-1, 20, -1), parts[1].reshape(-1, 1, 32).expand(-1, 20, -1)],
            -1,
        )
        a = self.p_x_rnn(a)[0]
        a = self.p_x_row(a).reshape(-1, 20, 2, 80).movedim(1, 2)
        a = a.reshape(list(shape) + [3200])
        mean, logvar = a.chunk(2, -1)
        logvar = bounded(logvar)
        return mean, logvar

    def q_w(self, mean: Tensor) -> Tuple[Tensor, Tensor]:
        """(5) from its first layer's pre-activation: (..., 32) -> mean, logvar."""
        logvar = torch.full_like(mean, math.log(0.25))
        return mean, logvar

    def q_v(self, a: Tensor) -> Tuple[Tensor, Tensor]:
        """(6) from a (..., 1600) -> mean, logvar."""
        shape = a.shape[:-1]
        a = a.reshape(-1, 20, 80)
        a = self.q_v_rnn(a)[0]
        a = a[:, -1].reshape(list(shape) + [256])
        mean, logvar = self.q_v_out(a).chunk(2, -1)
        logvar = bounded(logvar)
        return mean, logvar

    def q_z(self, a: Tensor) -> Tuple[Tensor, Tensor]:
        """(7) from a (..., 1632) -> mean, logvar."""
        shape = a.shape[:-1]
        parts = a.split_with_sizes([1600, 32], -1)
        a = torch.cat([parts[0].reshape(-1, 20, 80), parts[1].reshape(-1, 1, 32).expand(-1, 20, -1)], -1)
        a = self.q_z_rnn(a)[0]
        a = a[:, -1].reshape(list(shape) + [256])
        mean, logvar = self.q_z_out(a).chunk(2, -1)
        logvar = bounded(logvar)
        return mean, logvar

    @torch.jit.export
    def elbo(
        self,
        x: Tensor,
        i: Tensor,
        lengths: Optional[Tensor] = None,
        noise_w: Optional[Tensor] = None,
        noise_z: Optional[Tensor] = None,
        noise_v: Optional[Tensor] = None,
        mask_x: Optional[Tensor] = None,
    ) -> Elbo:
        """The evidence lower bound of every sequence and its parts, one draw of the latents:

            L = sum_t E_q[log p(x_t | z_t, v_t)]
              - KL(q(w | i) || p(w))
              - sum_t E_q[KL(q(v_t | x_t) || p(v_t | w))]
              - sum_t E_q[KL(q(z_t | v_t, x_t) || p(z_t))]
        """
        i = one_hot(i, 4620, 1, self.p_x_row.weight)
        batch, frames = x.size(0), x.size(1)
        mask = frame_mask(lengths, x, batch, frames)
        seen_x = seen(mask, mask_x)
        x = own(framed(flat(x, 2, [20, 80]), "x", 1600), seen_x)
        i = static(i, "i", 4620)
        noise_w = normal_noise(noise_w, x, mask[:, 0], 32)
        noise_z = normal_noise(noise_z, x, mask, 32)
        noise_v = normal_noise(noise_v, x, mask, 32)
        q_w_mean, q_w_logvar = self.q_w(self.q_w_mean_1(i))  # (5)
        w = q_w_mean + torch.exp(0.5 * q_w_logvar) * noise_w
        q_v_mean, q_v_logvar = self.q_v(x)  # (6)
        v = q_v_mean + torch.exp(0.5 * q_v_logvar) * noise_v
        q_z_mean, q_z_logvar = self.q_z(torch.cat([x, v], -1))  # (7)
        z = q_z_mean + torch.exp(0.5 * q_z_logvar) * noise_z
        w_all = w.unsqueeze(1).expand(-1, frames, -1)
        p_v_mean, p_v_logvar = self.p_v(w_all)  # (3)
        p_x_mean, p_x_logvar = self.p_x(torch.cat([z, v], -1))  # (4)
        log_p_x = own(gaussian_log_density(x, p_x_mean, p_x_logvar), seen_x.squeeze(-1))
        kl_w = own(standard_kl(q_w_mean, q_w_logvar), mask[:, 0].squeeze(-1))
        kl_v = own(gaussian_kl(q_v_mean, q_v_logvar, p_v_mean, p_v_logvar), mask.squeeze(-1))
        kl_z = own(standard_kl(q_z_mean, q_z_logvar), mask.squeeze(-1))
        elbo = (log_p_x - kl_v - kl_z).sum(1) - kl_w
        return Elbo(elbo, log_p_x, kl_w, kl_v, kl_z)

    @torch.jit.export
    def encode(
        self,
        x: Tensor,
        i: Tensor,
        lengths: Optional[Tensor] = None,
        noise_w: Optional[Tensor] = None,
        noise_z: Optional[Tensor] = None,
        noise_v: Optional[Tensor] = None,
        mask_x: Optional[Tensor] = None,
    ) -> Encoded:
        """Draw the latents from q and return q's parameters."""
        i = one_hot(i, 4620, 1, self.p_x_row.weight)
        batch, frames = x.size(0), x.size(1)
        mask = frame_mask(lengths, x, batch, frames)
        seen_x = seen(mask, mask_x)
        x = own(framed(flat(x, 2, [20, 80]), "x", 1600), seen_x)
        i = static(i, "i", 4620)
        noise_w = normal_noise(noise_w, x, mask[:, 0], 32)
        noise_z = normal_noise(noise_z, x, mask, 32)
        noise_v = normal_noise(noise_v, x, mask, 32)
        q_w_mean, q_w_logvar = self.q_w(self.q_w_mean_1(i))  # (5)
        w = q_w_mean + torch.exp(0.5 * q_w_logvar) * noise_w
        q_v_mean, q_v_logvar = self.q_v(x)  # (6)
        v = q_v_mean + torch.exp(0.5 * q_v_logvar) * noise_v
        q_z_mean, q_z_logvar = self.q_z(torch.cat([x, v], -1))  # (7)
        z = q_z_mean + torch.exp(0.5 * q_z_logvar) * noise_z
        return Encoded(
            own(w, mask[:, 0]),
            own(z, mask),
            own(v, mask),
            q_w_mean,
            q_w_logvar,
            q_v_mean,
            q_v_logvar,
            q_z_mean,
            q_z_logvar,
        )

    @torch.jit.export
    def score(
        self,
        x: Tensor,
        i: Tensor,
        w: Tensor,
        z: Tensor,
        v: Tensor,
        lengths: Optional[Tensor] = None,
        mask_x: Optional[Tensor] = None,
    ) -> Score:
        """Every conditional's parameters and log-density at given values."""
        i = one_hot(i, 4620, 1, self.p_x_row.weight)
        batch, frames = x.size(0), x.size(1)
        mask = frame_mask(lengths, x, batch, frames)
        seen_x = seen(mask, mask_x)
        x = own(framed(flat(x, 2, [20, 80]), "x", 1600), seen_x)
        w = static(w, "w", 32)
        z = own(framed(z, "z", 32), mask)
        v = own(framed(v, "v", 32), mask)
        i = static(i, "i", 4620)
        p_w_mean = x.new_zeros(batch, 32)
        p_w_logvar = x.new_zeros(batch, 32)
        p_z_mean = x.new_zeros(batch, frames, 32)
        p_z_logvar = x.new_zeros(batch, frames, 32)
        w_all = w.unsqueeze(1).expand(-1, frames, -1)
        p_v_mean, p_v_logvar = self.p_v(w_all)  # (3)
        p_x_mean, p_x_logvar = self.p_x(torch.cat([z, v], -1))  # (4)
        q_w_mean, q_w_logvar = self.q_w(self.q_w_mean_1(i))  # (5)
        q_v_mean, q_v_logvar = self.q_v(x)  # (6)
        q_z_mean, q_z_logvar = self.q_z(torch.cat([x, v], -1))  # (7)
        log_p_w = own(gaussian_log_density(w, p_w_mean, p_w_logvar), mask[:, 0].squeeze(-1))
        log_p_z = own(gaussian_log_density(z, p_z_mean, p_z_logvar), mask.squeeze(-1))
        log_p_v = own(gaussian_log_density(v, p_v_mean, p_v_logvar), mask.squeeze(-1))
        log_p_x = own(gaussian_log_density(x, p_x_mean, p_x_logvar), seen_x.squeeze(-1))
        log_q_w = own(gaussian_log_density(w, q_w_mean, q_w_logvar), mask[:, 0].squeeze(-1))
        log_q_v = own(gaussian_log_density(v, q_v_mean, q_v_logvar), mask.squeeze(-1))
        log_q_z = own(gaussian_log_density(z, q_z_mean, q_z_logvar), mask.squeeze(-1))
        return Score(
            p_w_mean,
            p_w_logvar,
            log_p_w,
            p_z_mean,
            p_z_logvar,
            log_p_z,
            p_v_mean,
            p_v_logvar,
            log_p_v,
            p_x_mean,
            p_x_logvar,
            log_p_x,
            q_w_mean,
            q_w_logvar,
            log_q_w,
            q_v_mean,
            q_v_logvar,
            log_q_v,
            q_z_mean,
            q_z_logvar,
            log_q_z,
        )

    @torch.jit.export
    def reconstruct(
        self,
        x: Tensor,
        i: Tensor,
        lengths: Optional[Tensor] = None,
        noise_w: Optional[Tensor] = None,
        noise_z: Optional[Tensor] = None,
        noise_v: Optional[Tensor] = None,
        mask_x: Optional[Tensor] = None,
    ) -> Reconstruction:
        """Draw the latents from q and return the mean of p at the data (teacher forcing)."""
        i = one_hot(i, 4620, 1, self.p_x_row.weight)
        batch, frames = x.size(0), x.size(1)
        mask = frame_mask(lengths, x, batch, frames)
        seen_x = seen(mask, mask_x)
        x = own(framed(flat(x, 2, [20, 80]), "x", 1600), seen_x)
        i = static(i, "i", 4620)
        noise_w = normal_noise(noise_w, x, mask[:, 0], 32)
        noise_z = normal_noise(noise_z, x, mask, 32)
        noise_v = normal_noise(noise_v, x, mask, 32)
        q_v_mean, q_v_logvar = self.q_v(x)  # (6)
        v = q_v_mean + torch.exp(0.5 * q_v_logvar) * noise_v
        q_z_mean, q_z_logvar = self.q_z(torch.cat([x, v], -1))  # (7)
        z = q_z_mean + torch.exp(0.5 * q_z_logvar) * noise_z
        p_x_mean, p_x_logvar = self.p_x(torch.cat([z, v], -1))  # (4)
        return Reconstruction(own(p_x_mean, mask), p_x_mean, p_x_logvar)

    @torch.jit.export
    def generate(
        self,
        batch: int,
        frames: int,
        i: Tensor,
        lengths: Optional[Tensor] = None,
        noise_w: Optional[Tensor] = None,
        noise_z: Optional[Tensor] = None,
        noise_v: Optional[Tensor] = None,
        noise_x: Optional[Tensor] = None,
        sample: bool = True,
    ) -> Generated:
        """Draw a sequence from p. Each drawn x_t is fed back; with sample=False the conditional's mean is."""
        i = one_hot(i, 4620, 1, self.p_x_row.weight)
        mask = frame_mask(lengths, self.p_x_row.weight, batch, frames)
        i = static(i, "i", 4620)
        noise_w = normal_noise(noise_w, self.p_x_row.weight, mask[:, 0], 32)
        noise_z = normal_noise(noise_z, self.p_x_row.weight, mask, 32)
        noise_v = normal_noise(noise_v, self.p_x_row.weight, mask, 32)
        noise_x = normal_noise(noise_x, self.p_x_row.weight, mask, 1600)
        p_z_mean = self.p_x_row.weight.new_zeros(batch, frames, 32)
        p_z_logvar = self.p_x_row.weight.new_zeros(batch, frames, 32)
        z = noise_z
        p_w_mean = self.p_x_row.weight.new_zeros(batch, 32)
        p_w_logvar = self.p_x_row.weight.new_zeros(batch, 32)
        w = noise_w
        w_all = w.unsqueeze(1).expand(-1, frames, -1)
        p_v_mean, p_v_logvar = self.p_v(w_all)  # (3)
        v = p_v_mean + torch.exp(0.5 * p_v_logvar) * noise_v
        p_x_mean, p_x_logvar = self.p_x(torch.cat([z, v], -1))  # (4)
        x = p_x_mean
        if sample:
            x = p_x_mean + torch.exp(0.5 * p_x_logvar) * noise_x
        return Generated(
            own(x, mask),
            own(w, mask[:, 0]),
            own(z, mask),
            own(v, mask),
            p_w_mean,
            p_w_logvar,
            p_z_mean,
            p_z_logvar,
            p_v_mean,
            p_v_logvar,
            p_x_mean,
            p_x_logvar,
        )

    @torch.jit.export
    def forecast(
        self,
        steps: int,
        x: Tensor,
        i: Tensor,
        lengths: Optional[Tensor] = None,
        noise_w: Optional[Tensor] = None,
        noise_z: Optional[Tensor] = None,
        noise_v: Optional[Tensor] = None,
        noise_x: Optional[Tensor] = None,
        sample: bool = True,
        mask_x: Optional[Tensor] = None,
    ) -> Forecast:
        """Infer the latents of a context, go on from p for `steps` frames. Inputs, noise: of all frames."""
        i = one_hot(i, 4620, 1, self.p_x_row.weight)
        batch, context = x.size(0), x.size(1)
        frames = context + steps
        mask = frame_mask(None if lengths is None else lengths + steps, x, batch, frames)
        own_context = frame_mask(lengths, x, batch, context)
        i = static(i, "i", 4620)
        noise_w = normal_noise(noise_w, x, mask[:, 0], 32)
        noise_z = normal_noise(noise_z, x, mask, 32)
        noise_v = normal_noise(noise_v, x, mask, 32)
        noise_x = normal_noise(noise_x, x, mask, 1600)
        inferred = self.encode(
            x=x,
            i=i,
            lengths=lengths,
            noise_w=noise_w,
            noise_z=noise_z[:, :context],
            noise_v=noise_v[:, :context],
            mask_x=mask_x,
        )
        w = inferred.w
        known_z = extended(own_context, frames)
        z_known = extended(inferred.z, frames)
        known_v = extended(own_context, frames)
        v_known = extended(inferred.v, frames)
        known_x = extended(own_context, frames)
        x_known = extended(
            own(framed(flat(x, 2, [20, 80]), "x", 1600), seen(own_context, mask_x)),
            frames,
        )
        p_z_mean = x.new_zeros(batch, frames, 32)
        p_z_logvar = x.new_zeros(batch, frames, 32)
        z = noise_z
        z = torch.where(known_z, z_known, z)
        w_all = w.unsqueeze(1).expand(-1, frames, -1)
        p_v_mean, p_v_logvar = self.p_v(w_all)  # (3)
        v = p_v_mean + torch.exp(0.5 * p_v_logvar) * noise_v
        v = torch.where(known_v, v_known, v)
        p_x_mean, p_x_logvar = self.p_x(torch.cat([z, v], -1))  # (4)
        x = p_x_mean
        if sample:
            x = p_x_mean + torch.exp(0.5 * p_x_logvar) * noise_x
        x = torch.where(known_x, x_known, x)
        return Forecast(
            own(x, mask),
            w,
            own(z, mask),
            own(v, mask),
            p_z_mean,
            p_z_logvar,
            p_v_mean,
            p_v_logvar,
            p_x_mean,
            p_x_logvar,
        )

    @torch.jit.export
    def begin(
        self,
        batch: int,
        i: Tensor,
    ) -> State:
        """The state of `batch` streams before their first frame.

        Zeros stand here for w; at frame 1 `imagine` draws w from p, `step` draws w from q.
        """
        i = one_hot(i, 4620, 1, self.p_x_row.weight)
        i = static(i, "i", 4620)
        return State(0, batch, self.p_x_row.weight.new_zeros(batch, 32), i)

    @torch.jit.export
    def imagine(
        self,
        state: State,
        noise_x: Optional[Tensor] = None,
        noise_z: Optional[Tensor] = None,
        noise_v: Optional[Tensor] = None,
        noise_w: Optional[Tensor] = None,
        sample: bool = True,
    ) -> Tuple[State, Imagined]:
        """Draw one frame of each stream from p; return the state behind it."""
        batch = state.batch
        w = state.w
        i = state.i
        present = torch.ones([batch, 1], dtype=torch.bool, device=self.p_x_row.weight.device)
        noise_x = normal_noise(noise_x, self.p_x_row.weight, present, 1600)
        noise_z = normal_noise(noise_z, self.p_x_row.weight, present, 32)
        noise_v = normal_noise(noise_v, self.p_x_row.weight, present, 32)
        if state.frame == 0:
            # At frame 1, once a sequence: w.
            noise_w = normal_noise(noise_w, self.p_x_row.weight, present, 32)
            w = noise_w
        p_z_mean_t = self.p_x_row.weight.new_zeros(batch, 32)
        p_z_logvar_t = self.p_x_row.weight.new_zeros(batch, 32)
        z_t = noise_z
        p_v_mean_t, p_v_logvar_t = self.p_v(w)  # (3)
        v_t = p_v_mean_t + torch.exp(0.5 * p_v_logvar_t) * noise_v
        p_x_mean_t, p_x_logvar_t = self.p_x(torch.cat([z_t, v_t], -1))  # (4)
        x_t = p_x_mean_t
        if sample:
            x_t = p_x_mean_t + torch.exp(0.5 * p_x_logvar_t) * noise_x
        after = State(state.frame + 1, batch, w, i)
        return after, Imagined(
            x_t,
            z_t,
            v_t,
            p_z_mean_t,
            p_z_logvar_t,
            p_v_mean_t,
            p_v_logvar_t,
            p_x_mean_t,
            p_x_logvar_t,
        )

    @torch.jit.export
    def step(
        self,
        state: State,
        x: Tensor,
        noise_z: Optional[Tensor] = None,
        noise_v: Optional[Tensor] = None,
        noise_w: Optional[Tensor] = None,
        mask_x: Optional[Tensor] = None,
    ) -> Tuple[State, Stepped]:
        """Observe one frame of each stream: draw the latents from q; return the state behind it."""
        batch = state.batch
        w = state.w
        i = state.i
        present = torch.ones([batch, 1], dtype=torch.bool, device=self.p_x_row.weight.device)
        x_t = own(static(x, "x", 1600), seen(present, mask_x))
        noise_z = normal_noise(noise_z, self.p_x_row.weight, present, 32)
        noise_v = normal_noise(noise_v, self.p_x_row.weight, present, 32)
        if state.frame == 0:
            # At frame 1, once a sequence: w.
            q_w_mean, q_w_logvar = self.q_w(self.q_w_mean_1(i))  # (5)
            noise_w = normal_noise(noise_w, self.p_x_row.weight, present, 32)
            w = q_w_mean + torch.exp(0.5 * q_w_logvar) * noise_w
        p_z_mean_t = self.p_x_row.weight.new_zeros(batch, 32)
        p_z_logvar_t = self.p_x_row.weight.new_zeros(batch, 32)
        p_v_mean_t, p_v_logvar_t = self.p_v(w)  # (3)
        q_v_mean_t, q_v_logvar_t = self.q_v(x_t)  # (6)
        v_t = q_v_mean_t + torch.exp(0.5 * q_v_logvar_t) * noise_v
        q_z_mean_t, q_z_logvar_t = self.q_z(torch.cat([x_t, v_t], -1))  # (7)
        z_t = q_z_mean_t + torch.exp(0.5 * q_z_logvar_t) * noise_z
        p_x_mean_t, p_x_logvar_t = self.p_x(torch.cat([z_t, v_t], -1))  # (4)
        after = State(state.frame + 1, batch, w, i)
        return after, Stepped(
            z_t,
            v_t,
            q_v_mean_t,
            q_v_logvar_t,
            q_z_mean_t,
            q_z_logvar_t,
            p_z_mean_t,
            p_z_logvar_t,
            p_v_mean_t,
            p_v_logvar_t,
            p_x_mean_t,
            p_x_logvar_t,
        )

    def elbo_fed(self, *_: Any, **__: Any) -> NoReturn:
        """This model has none: the error says why."""
        raise NotImplementedError(
            "FHVAE has no elbo_fed: p reads no observed frame, so nothing that it makes comes"
            " back: elbo is the same in both modes"
        )
