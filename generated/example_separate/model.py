"""ExampleSeparate: The example of 4.1.2 with a state for each conditional (Figure 4.1, right)

    p = prod_t p(z_t | x_{1:t-1}, u_t) p(x_t | x_{1:t-1}, z_t)
    q = prod_t q(z_t | x_{1:t}, u_t)
    L = sum_t E_q[log p(x_t | x_{1:t-1}, z_t)]
        - sum_t KL(q(z_t | x_{1:t}, u_t) || p(z_t | x_{1:t-1}, u_t))

Frame-level tensors have shape (batch, time, dim), sequence-level ones (batch, dim), `lengths` (batch,).
Draws may be passed in as noise. Emitted by dvaec from spec b4674288f4577e72: change the spec, not this file.
"""

import math
from typing import Any, List, NamedTuple, Optional, Tuple

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
    p_x_mean: Tensor  # (batch, time, 88), parameter of p(x_t)
    p_x_logvar: Tensor  # (batch, time, 88), parameter of p(x_t)
    log_p_x: Tensor  # (batch, time), log p(x_t | ...), 0 on the padding
    q_z_mean: Tensor  # (batch, time, 16), parameter of q(z_t)
    q_z_logvar: Tensor  # (batch, time, 16), parameter of q(z_t)
    log_q_z: Tensor  # (batch, time), log q(z_t | ...), 0 on the padding


class Reconstruction(NamedTuple):
    """What p makes of latents drawn from q."""

    x: Tensor  # (batch, time, 88), mean of p(x_t | ...), teacher-forced
    p_x_mean: Tensor  # (batch, time, 88), parameter of p(x_t)
    p_x_logvar: Tensor  # (batch, time, 88), parameter of p(x_t)


class Generated(NamedTuple):
    """A sequence drawn from p."""

    x: Tensor  # (batch, time, 88), drawn from p
    z: Tensor  # (batch, time, 16), drawn from p
    p_z_mean: Tensor  # (batch, time, 16), parameter of p(z_t)
    p_z_logvar: Tensor  # (batch, time, 16), parameter of p(z_t)
    p_x_mean: Tensor  # (batch, time, 88), parameter of p(x_t)
    p_x_logvar: Tensor  # (batch, time, 88), parameter of p(x_t)


class Forecast(NamedTuple):
    """A context and its continuation by p."""

    x: Tensor  # (batch, time, 88), known in the context, drawn from p behind it
    z: Tensor  # (batch, time, 16), known in the context, drawn from p behind it
    p_z_mean: Tensor  # (batch, time, 16), parameter of p(z_t)
    p_z_logvar: Tensor  # (batch, time, 16), parameter of p(z_t)
    p_x_mean: Tensor  # (batch, time, 88), parameter of p(x_t)
    p_x_logvar: Tensor  # (batch, time, 88), parameter of p(x_t)


class ElboFed(NamedTuple):
    """The bound, its parts, and p's outputs where these are fed back."""

    elbo: Tensor  # (batch,), summed over each sequence's own frames
    log_p_x: Tensor  # (batch, time), log p(x_t | ...), 0 on the padding
    kl_z: Tensor  # (batch, time), KL(q || p) of z_t in closed form, 0 on the padding
    x: Tensor  # (batch, time, 88), mean of p(x_t | ...)
    p_x_mean: Tensor  # (batch, time, 88), parameter of p(x_t)
    p_x_logvar: Tensor  # (batch, time, 88), parameter of p(x_t)


class State(NamedTuple):
    """What a stream carries from one frame to the next."""

    frame: int  # the frame that comes next, from 0
    batch: int
    x_prev: Tensor  # (batch, 88), x 1 step before
    h_prev: Tensor  # (batch, 64), h 1 step before
    k_prev: Tensor  # (batch, 64), k 1 step before


class Imagined(NamedTuple):
    """One frame drawn from p."""

    x: Tensor  # (batch, 88), drawn from p
    z: Tensor  # (batch, 16), drawn from p
    p_z_mean: Tensor  # (batch, 16), parameter of p(z_t)
    p_z_logvar: Tensor  # (batch, 16), parameter of p(z_t)
    p_x_mean: Tensor  # (batch, 88), parameter of p(x_t)
    p_x_logvar: Tensor  # (batch, 88), parameter of p(x_t)


class Stepped(NamedTuple):
    """One observed frame: latents drawn from q, and the parameters of every conditional."""

    z: Tensor  # (batch, 16), drawn from q
    q_z_mean: Tensor  # (batch, 16), parameter of q(z_t)
    q_z_logvar: Tensor  # (batch, 16), parameter of q(z_t)
    p_z_mean: Tensor  # (batch, 16), parameter of p(z_t)
    p_z_logvar: Tensor  # (batch, 16), parameter of p(z_t)
    p_x_mean: Tensor  # (batch, 88), parameter of p(x_t)
    p_x_logvar: Tensor  # (batch, 88), parameter of p(x_t)


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


def unless_fed(fed: Optional[Tensor], mask: Tensor) -> Tensor:
    """Where p reads the data: (batch, time, 1), where not `fed` (batch, time); nowhere without it."""
    if fed is None:
        return torch.zeros_like(mask)
    if fed.shape != mask.shape[:2]:
        raise ValueError(f"fed must have shape {list(mask.shape[:2])}, not {list(fed.shape)}")
    return ~fed.to(mask.device, torch.bool).unsqueeze(-1)


def extended(value: Tensor, frames: int) -> Tensor:
    """`value` with zeros (False) behind its last frame, `frames` in all: (batch, time, dim)."""
    behind = value.new_zeros([value.size(0), frames - value.size(1), value.size(2)])
    return torch.cat([value, behind], 1)


def weights(value: Any) -> Tensor:
    """`value` itself: torch does not say that a recurrent layer's weights are tensors."""
    assert isinstance(value, Tensor)
    return value


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


def gru_cell(inputs: Tensor, recurrent: Tensor, before: Tensor) -> Tensor:
    """One GRU step from its input and recurrent products, in torch's gate order r, z, n."""
    r_input, z_input, n_input = inputs.chunk(3, -1)
    r_recurrent, z_recurrent, n_recurrent = recurrent.chunk(3, -1)
    update = torch.sigmoid(z_input + z_recurrent)
    candidate = torch.tanh(n_input + torch.sigmoid(r_input + r_recurrent) * n_recurrent)
    return candidate + update * (before - candidate)


def normal_noise(noise: Optional[Tensor], like: Tensor, mask: Tensor, dim: int) -> Tensor:
    """The draws that were passed in, or new ones from N(0, 1): (batch, time, dim), 0 on the padding."""
    if noise is None:
        noise = torch.randn(list(mask.shape[:-1]) + [dim], device=like.device, dtype=like.dtype)
    return own(noise, mask)


def gaussian_log_density(x: Tensor, mean: Tensor, logvar: Tensor) -> Tensor:
    """log N(x; mean, diag exp(logvar)): (..., dim) -> (...)."""
    square = (x - mean).square() * torch.exp(-logvar)
    return -0.5 * (square + logvar).sum(-1) - 0.5 * math.log(2.0 * math.pi) * x.size(-1)


def gaussian_kl(q_mean: Tensor, q_logvar: Tensor, p_mean: Tensor, p_logvar: Tensor) -> Tensor:
    """KL(N(q_mean, exp q_logvar) || N(p_mean, exp p_logvar)): (..., dim) -> (...)."""
    ratio = torch.exp(q_logvar - p_logvar) + (q_mean - p_mean).square() * torch.exp(-p_logvar)
    return 0.5 * (ratio + p_logvar - q_logvar - 1.0).sum(-1)


class ExampleSeparate(nn.Module):
    """ExampleSeparate, developed:

    (1) h_t = GRU(x_{t-1}, h_{t-1})
    (2) k_t = GRU(x_{t-1}, k_{t-1})
    (3) p(z_t | x_{1:t-1}, u_t) = Gaussian with mean and log-variance from h_t, u_t through 32 tanh
    (4) p(x_t | x_{1:t-1}, z_t) = Gaussian with mean and log-variance from k_t, z_t through 64 tanh
    (5) q(z_t | x_{1:t}, u_t) = Gaussian with mean and log-variance from h_t, x_t, u_t through 64 tanh
    """

    def __init__(self) -> None:
        super().__init__()
        # (1) h_t = GRU(x_{t-1}, h_{t-1})
        self.h_rnn = nn.GRU(88, 64, batch_first=True)
        # (2) k_t = GRU(x_{t-1}, k_{t-1})
        self.k_rnn = nn.GRU(88, 64, batch_first=True)
        # (3) p(z_t | x_{1:t-1}, u_t) = Gaussian with mean and log-variance from h_t, u_t through 32 tanh
        self.p_z_1 = nn.Linear(65, 32)
        self.p_z_out = nn.Linear(32, 32)
        # (4) p(x_t | x_{1:t-1}, z_t) = Gaussian with mean and log-variance from k_t, z_t through 64 tanh
        self.p_x_1 = nn.Linear(80, 64)
        self.p_x_out = nn.Linear(64, 176)
        # (5) q(z_t | x_{1:t}, u_t) = Gaussian with mean and log-variance from h_t, x_t, u_t through 64 tanh
        self.q_z_1 = nn.Linear(153, 64)
        self.q_z_out = nn.Linear(64, 32)

    def p_z(self, a: Tensor) -> Tuple[Tensor, Tensor]:
        """(3) from its first layer's pre-activation: (..., 32) -> mean, logvar."""
        a = torch.tanh(a)
        mean, logvar = self.p_z_out(a).chunk(2, -1)
        logvar = bounded(logvar)
        return mean, logvar

    def p_x(self, a: Tensor) -> Tuple[Tensor, Tensor]:
        """(4) from its first layer's pre-activation: (..., 64) -> mean, logvar."""
        a = torch.tanh(a)
        mean, logvar = self.p_x_out(a).chunk(2, -1)
        logvar = bounded(logvar)
        return mean, logvar

    def q_z(self, a: Tensor) -> Tuple[Tensor, Tensor]:
        """(5) from its first layer's pre-activation: (..., 64) -> mean, logvar."""
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

            L = sum_t E_q[log p(x_t | x_{1:t-1}, z_t)]
              - sum_t KL(q(z_t | x_{1:t}, u_t) || p(z_t | x_{1:t-1}, u_t))
        """
        batch, frames = x.size(0), x.size(1)
        mask = frame_mask(lengths, x, batch, frames)
        seen_x = seen(mask, mask_x)
        x = own(framed(x, "x", 88), seen_x)
        u = own(framed(u, "u", 1), mask)
        noise_z = normal_noise(noise_z, x, mask, 16)
        x_lag1 = lag(x, 1)
        h = self.h_rnn(x_lag1)[0]  # (1)
        q_z_mean, q_z_logvar = self.q_z(self.q_z_1(torch.cat([h, x, u], -1)))  # (5)
        z = q_z_mean + torch.exp(0.5 * q_z_logvar) * noise_z
        k = self.k_rnn(x_lag1)[0]  # (2)
        p_z_mean, p_z_logvar = self.p_z(self.p_z_1(torch.cat([h, u], -1)))  # (3)
        p_x_mean, p_x_logvar = self.p_x(self.p_x_1(torch.cat([k, z], -1)))  # (4)
        log_p_x = own(gaussian_log_density(x, p_x_mean, p_x_logvar), seen_x.squeeze(-1))
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
        noise_z = normal_noise(noise_z, x, mask, 16)
        x_lag1 = lag(x, 1)
        h = self.h_rnn(x_lag1)[0]  # (1)
        q_z_mean, q_z_logvar = self.q_z(self.q_z_1(torch.cat([h, x, u], -1)))  # (5)
        z = q_z_mean + torch.exp(0.5 * q_z_logvar) * noise_z
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
        z = own(framed(z, "z", 16), mask)
        u = own(framed(u, "u", 1), mask)
        x_lag1 = lag(x, 1)
        h = self.h_rnn(x_lag1)[0]  # (1)
        k = self.k_rnn(x_lag1)[0]  # (2)
        p_z_mean, p_z_logvar = self.p_z(self.p_z_1(torch.cat([h, u], -1)))  # (3)
        p_x_mean, p_x_logvar = self.p_x(self.p_x_1(torch.cat([k, z], -1)))  # (4)
        q_z_mean, q_z_logvar = self.q_z(self.q_z_1(torch.cat([h, x, u], -1)))  # (5)
        log_p_z = own(gaussian_log_density(z, p_z_mean, p_z_logvar), mask.squeeze(-1))
        log_p_x = own(gaussian_log_density(x, p_x_mean, p_x_logvar), seen_x.squeeze(-1))
        log_q_z = own(gaussian_log_density(z, q_z_mean, q_z_logvar), mask.squeeze(-1))
        return Score(
            p_z_mean,
            p_z_logvar,
            log_p_z,
            p_x_mean,
            p_x_logvar,
            log_p_x,
            q_z_mean,
            q_z_logvar,
            log_q_z,
        )

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
        noise_z = normal_noise(noise_z, x, mask, 16)
        x_lag1 = lag(x, 1)
        h = self.h_rnn(x_lag1)[0]  # (1)
        q_z_mean, q_z_logvar = self.q_z(self.q_z_1(torch.cat([h, x, u], -1)))  # (5)
        z = q_z_mean + torch.exp(0.5 * q_z_logvar) * noise_z
        k = self.k_rnn(x_lag1)[0]  # (2)
        p_x_mean, p_x_logvar = self.p_x(self.p_x_1(torch.cat([k, z], -1)))  # (4)
        return Reconstruction(own(p_x_mean, mask), p_x_mean, p_x_logvar)

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
        mask = frame_mask(lengths, self.p_z_1.weight, batch, frames)
        u = own(framed(u, "u", 1), mask)
        noise_z = normal_noise(noise_z, self.p_z_1.weight, mask, 16)
        noise_x = normal_noise(noise_x, self.p_z_1.weight, mask, 88)
        h_input_weight = weights(self.h_rnn.weight_ih_l0)
        h_input_bias = weights(self.h_rnn.bias_ih_l0)
        k_input_weight = weights(self.k_rnn.weight_ih_l0)
        k_input_bias = weights(self.k_rnn.bias_ih_l0)
        p_z_1_pre = F.linear(u, self.p_z_1.weight[:, 64:65], self.p_z_1.bias)
        p_z_1_pre_at = p_z_1_pre.unbind(1)
        p_z_1_weight = self.p_z_1.weight[:, 0:64]
        h_start = self.p_z_1.weight.new_zeros(batch, 64)
        h_prev = h_start
        h_recurrent = weights(self.h_rnn.weight_hh_l0)
        h_bias = weights(self.h_rnn.bias_hh_l0)
        k_start = self.p_z_1.weight.new_zeros(batch, 64)
        k_prev = k_start
        k_recurrent = weights(self.k_rnn.weight_hh_l0)
        k_bias = weights(self.k_rnn.bias_hh_l0)
        noise_z_at = noise_z.unbind(1)
        x_start = self.p_z_1.weight.new_zeros(batch, 88)
        x_prev = x_start
        noise_x_at = noise_x.unbind(1)
        p_z_mean_list: List[Tensor] = []
        p_z_logvar_list: List[Tensor] = []
        z_list: List[Tensor] = []
        p_x_mean_list: List[Tensor] = []
        p_x_logvar_list: List[Tensor] = []
        x_list: List[Tensor] = []
        # Loop over time, forward: h, k, p_z, z, p_x, x; cycle over time through h_t <- x_<t-1>,
        # h_t <- h_<t-1>, k_t <- x_<t-1>, k_t <- k_<t-1>.
        for t in range(frames):
            h_input = F.linear(x_prev, h_input_weight, h_input_bias)
            h_t = gru_cell(h_input, F.linear(h_prev, h_recurrent, h_bias), h_prev)  # (1)
            k_input = F.linear(x_prev, k_input_weight, k_input_bias)
            k_t = gru_cell(k_input, F.linear(k_prev, k_recurrent, k_bias), k_prev)  # (2)
            p_z_mean_t, p_z_logvar_t = self.p_z(p_z_1_pre_at[t] + F.linear(h_t, p_z_1_weight))  # (3)
            z_t = p_z_mean_t + torch.exp(0.5 * p_z_logvar_t) * noise_z_at[t]
            p_x_mean_t, p_x_logvar_t = self.p_x(self.p_x_1(torch.cat([k_t, z_t], -1)))  # (4)
            x_t = p_x_mean_t
            if sample:
                x_t = p_x_mean_t + torch.exp(0.5 * p_x_logvar_t) * noise_x_at[t]
            p_z_mean_list.append(p_z_mean_t)
            p_z_logvar_list.append(p_z_logvar_t)
            z_list.append(z_t)
            p_x_mean_list.append(p_x_mean_t)
            p_x_logvar_list.append(p_x_logvar_t)
            x_list.append(x_t)
            h_prev = h_t
            k_prev = k_t
            x_prev = x_t
        p_z_mean = torch.stack(p_z_mean_list, 1)
        p_z_logvar = torch.stack(p_z_logvar_list, 1)
        z = torch.stack(z_list, 1)
        p_x_mean = torch.stack(p_x_mean_list, 1)
        p_x_logvar = torch.stack(p_x_logvar_list, 1)
        x = torch.stack(x_list, 1)
        return Generated(own(x, mask), own(z, mask), p_z_mean, p_z_logvar, p_x_mean, p_x_logvar)

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
        noise_z = normal_noise(noise_z, x, mask, 16)
        noise_x = normal_noise(noise_x, x, mask, 88)
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
        h_input_weight = weights(self.h_rnn.weight_ih_l0)
        h_input_bias = weights(self.h_rnn.bias_ih_l0)
        k_input_weight = weights(self.k_rnn.weight_ih_l0)
        k_input_bias = weights(self.k_rnn.bias_ih_l0)
        p_z_1_pre = F.linear(u, self.p_z_1.weight[:, 64:65], self.p_z_1.bias)
        p_z_1_pre_at = p_z_1_pre.unbind(1)
        p_z_1_weight = self.p_z_1.weight[:, 0:64]
        h_start = x.new_zeros(batch, 64)
        h_prev = h_start
        h_recurrent = weights(self.h_rnn.weight_hh_l0)
        h_bias = weights(self.h_rnn.bias_hh_l0)
        k_start = x.new_zeros(batch, 64)
        k_prev = k_start
        k_recurrent = weights(self.k_rnn.weight_hh_l0)
        k_bias = weights(self.k_rnn.bias_hh_l0)
        noise_z_at = noise_z.unbind(1)
        z_known_at = z_known.unbind(1)
        known_z_at = known_z.unbind(1)
        x_start = x.new_zeros(batch, 88)
        x_prev = x_start
        noise_x_at = noise_x.unbind(1)
        x_known_at = x_known.unbind(1)
        known_x_at = known_x.unbind(1)
        p_z_mean_list: List[Tensor] = []
        p_z_logvar_list: List[Tensor] = []
        z_list: List[Tensor] = []
        p_x_mean_list: List[Tensor] = []
        p_x_logvar_list: List[Tensor] = []
        x_list: List[Tensor] = []
        # Loop over time, forward: h, k, p_z, z, p_x, x; cycle over time through h_t <- x_<t-1>,
        # h_t <- h_<t-1>, k_t <- x_<t-1>, k_t <- k_<t-1>.
        for t in range(frames):
            h_input = F.linear(x_prev, h_input_weight, h_input_bias)
            h_t = gru_cell(h_input, F.linear(h_prev, h_recurrent, h_bias), h_prev)  # (1)
            k_input = F.linear(x_prev, k_input_weight, k_input_bias)
            k_t = gru_cell(k_input, F.linear(k_prev, k_recurrent, k_bias), k_prev)  # (2)
            p_z_mean_t, p_z_logvar_t = self.p_z(p_z_1_pre_at[t] + F.linear(h_t, p_z_1_weight))  # (3)
            z_t = p_z_mean_t + torch.exp(0.5 * p_z_logvar_t) * noise_z_at[t]
            z_t = torch.where(known_z_at[t], z_known_at[t], z_t)
            p_x_mean_t, p_x_logvar_t = self.p_x(self.p_x_1(torch.cat([k_t, z_t], -1)))  # (4)
            x_t = p_x_mean_t
            if sample:
                x_t = p_x_mean_t + torch.exp(0.5 * p_x_logvar_t) * noise_x_at[t]
            x_t = torch.where(known_x_at[t], x_known_at[t], x_t)
            p_z_mean_list.append(p_z_mean_t)
            p_z_logvar_list.append(p_z_logvar_t)
            z_list.append(z_t)
            p_x_mean_list.append(p_x_mean_t)
            p_x_logvar_list.append(p_x_logvar_t)
            x_list.append(x_t)
            h_prev = h_t
            k_prev = k_t
            x_prev = x_t
        p_z_mean = torch.stack(p_z_mean_list, 1)
        p_z_logvar = torch.stack(p_z_logvar_list, 1)
        z = torch.stack(z_list, 1)
        p_x_mean = torch.stack(p_x_mean_list, 1)
        p_x_logvar = torch.stack(p_x_logvar_list, 1)
        x = torch.stack(x_list, 1)
        return Forecast(own(x, mask), own(z, mask), p_z_mean, p_z_logvar, p_x_mean, p_x_logvar)

    @torch.jit.export
    def elbo_fed(
        self,
        x: Tensor,
        u: Tensor,
        lengths: Optional[Tensor] = None,
        fed: Optional[Tensor] = None,
        noise_z: Optional[Tensor] = None,
        noise_x: Optional[Tensor] = None,
        sample: bool = False,
        mask_x: Optional[Tensor] = None,
    ) -> ElboFed:
        """The bound in generation mode (4.4): p reads its own outputs in the place of the data.

        At frames that are `fed` (batch, time), at all without it, an output stands for what was observed:
        the mean of its conditional, or with sample=True a draw. q reads the data at every frame, and the
        data are what is scored. Gradients pass through what is fed. With fed=zeros this is `elbo`.
        """
        batch, frames = x.size(0), x.size(1)
        mask = frame_mask(lengths, x, batch, frames)
        inferred = self.encode(x=x, u=u, lengths=lengths, noise_z=noise_z, mask_x=mask_x)
        z = inferred.z
        q_z_mean = inferred.q_z_mean
        q_z_logvar = inferred.q_z_logvar
        u = own(framed(u, "u", 1), mask)
        seen_x = seen(mask, mask_x)
        x_known = own(framed(x, "x", 88), seen_x)
        known_x = unless_fed(fed, mask)
        noise_x = normal_noise(noise_x, x, mask, 88)
        k_input_weight = weights(self.k_rnn.weight_ih_l0)
        k_input_bias = weights(self.k_rnn.bias_ih_l0)
        p_x_1_pre = F.linear(z, self.p_x_1.weight[:, 64:80], self.p_x_1.bias)
        p_x_1_pre_at = p_x_1_pre.unbind(1)
        p_x_1_weight = self.p_x_1.weight[:, 0:64]
        k_start = x.new_zeros(batch, 64)
        k_prev = k_start
        k_recurrent = weights(self.k_rnn.weight_hh_l0)
        k_bias = weights(self.k_rnn.bias_hh_l0)
        x_start = x.new_zeros(batch, 88)
        x_prev = x_start
        noise_x_at = noise_x.unbind(1)
        x_known_at = x_known.unbind(1)
        known_x_at = known_x.unbind(1)
        p_x_mean_list: List[Tensor] = []
        p_x_logvar_list: List[Tensor] = []
        x_list: List[Tensor] = []
        # Loop over time, forward: k, p_x, x; cycle over time through k_t <- x_<t-1>, k_t <- k_<t-1>.
        for t in range(frames):
            k_input = F.linear(x_prev, k_input_weight, k_input_bias)
            k_t = gru_cell(k_input, F.linear(k_prev, k_recurrent, k_bias), k_prev)  # (2)
            p_x_mean_t, p_x_logvar_t = self.p_x(p_x_1_pre_at[t] + F.linear(k_t, p_x_1_weight))  # (4)
            x_t = p_x_mean_t
            if sample:
                x_t = p_x_mean_t + torch.exp(0.5 * p_x_logvar_t) * noise_x_at[t]
            x_t = torch.where(known_x_at[t], x_known_at[t], x_t)
            p_x_mean_list.append(p_x_mean_t)
            p_x_logvar_list.append(p_x_logvar_t)
            x_list.append(x_t)
            k_prev = k_t
            x_prev = x_t
        p_x_mean = torch.stack(p_x_mean_list, 1)
        p_x_logvar = torch.stack(p_x_logvar_list, 1)
        x = torch.stack(x_list, 1)
        x_lag1 = lag(x, 1)
        h = self.h_rnn(x_lag1)[0]  # (1)
        p_z_mean, p_z_logvar = self.p_z(self.p_z_1(torch.cat([h, u], -1)))  # (3)
        log_p_x = own(gaussian_log_density(x_known, p_x_mean, p_x_logvar), seen_x.squeeze(-1))
        kl_z = own(gaussian_kl(q_z_mean, q_z_logvar, p_z_mean, p_z_logvar), mask.squeeze(-1))
        elbo = (log_p_x - kl_z).sum(1)
        return ElboFed(elbo, log_p_x, kl_z, own(p_x_mean, mask), p_x_mean, p_x_logvar)

    @torch.jit.export
    def begin(
        self,
        batch: int,
    ) -> State:
        """The state of `batch` streams before their first frame."""
        x_start = self.p_z_1.weight.new_zeros(batch, 88)
        h_start = self.p_z_1.weight.new_zeros(batch, 64)
        k_start = self.p_z_1.weight.new_zeros(batch, 64)
        return State(0, batch, x_start, h_start, k_start)

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
        x_prev = state.x_prev
        h_prev = state.h_prev
        k_prev = state.k_prev
        present = torch.ones([batch, 1], dtype=torch.bool, device=self.p_z_1.weight.device)
        u_t = static(u, "u", 1)
        noise_x = normal_noise(noise_x, self.p_z_1.weight, present, 88)
        noise_z = normal_noise(noise_z, self.p_z_1.weight, present, 16)
        h_recurrent = weights(self.h_rnn.weight_hh_l0)
        h_bias = weights(self.h_rnn.bias_hh_l0)
        k_recurrent = weights(self.k_rnn.weight_hh_l0)
        k_bias = weights(self.k_rnn.bias_hh_l0)
        h_input_weight = weights(self.h_rnn.weight_ih_l0)
        h_input_bias = weights(self.h_rnn.bias_ih_l0)
        k_input_weight = weights(self.k_rnn.weight_ih_l0)
        k_input_bias = weights(self.k_rnn.bias_ih_l0)
        h_input = F.linear(x_prev, h_input_weight, h_input_bias)
        h_t = gru_cell(h_input, F.linear(h_prev, h_recurrent, h_bias), h_prev)  # (1)
        k_input = F.linear(x_prev, k_input_weight, k_input_bias)
        k_t = gru_cell(k_input, F.linear(k_prev, k_recurrent, k_bias), k_prev)  # (2)
        p_z_mean_t, p_z_logvar_t = self.p_z(self.p_z_1(torch.cat([h_t, u_t], -1)))  # (3)
        z_t = p_z_mean_t + torch.exp(0.5 * p_z_logvar_t) * noise_z
        p_x_mean_t, p_x_logvar_t = self.p_x(self.p_x_1(torch.cat([k_t, z_t], -1)))  # (4)
        x_t = p_x_mean_t
        if sample:
            x_t = p_x_mean_t + torch.exp(0.5 * p_x_logvar_t) * noise_x
        x_prev = x_t
        h_prev = h_t
        k_prev = k_t
        after = State(state.frame + 1, batch, x_prev, h_prev, k_prev)
        return after, Imagined(x_t, z_t, p_z_mean_t, p_z_logvar_t, p_x_mean_t, p_x_logvar_t)

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
        x_prev = state.x_prev
        h_prev = state.h_prev
        k_prev = state.k_prev
        present = torch.ones([batch, 1], dtype=torch.bool, device=self.p_z_1.weight.device)
        x_t = own(static(x, "x", 88), seen(present, mask_x))
        u_t = static(u, "u", 1)
        noise_z = normal_noise(noise_z, self.p_z_1.weight, present, 16)
        h_recurrent = weights(self.h_rnn.weight_hh_l0)
        h_bias = weights(self.h_rnn.bias_hh_l0)
        k_recurrent = weights(self.k_rnn.weight_hh_l0)
        k_bias = weights(self.k_rnn.bias_hh_l0)
        h_input_weight = weights(self.h_rnn.weight_ih_l0)
        h_input_bias = weights(self.h_rnn.bias_ih_l0)
        k_input_weight = weights(self.k_rnn.weight_ih_l0)
        k_input_bias = weights(self.k_rnn.bias_ih_l0)
        h_input = F.linear(x_prev, h_input_weight, h_input_bias)
        h_t = gru_cell(h_input, F.linear(h_prev, h_recurrent, h_bias), h_prev)  # (1)
        k_input = F.linear(x_prev, k_input_weight, k_input_bias)
        k_t = gru_cell(k_input, F.linear(k_prev, k_recurrent, k_bias), k_prev)  # (2)
        p_z_mean_t, p_z_logvar_t = self.p_z(self.p_z_1(torch.cat([h_t, u_t], -1)))  # (3)
        q_z_mean_t, q_z_logvar_t = self.q_z(self.q_z_1(torch.cat([h_t, x_t, u_t], -1)))  # (5)
        z_t = q_z_mean_t + torch.exp(0.5 * q_z_logvar_t) * noise_z
        p_x_mean_t, p_x_logvar_t = self.p_x(self.p_x_1(torch.cat([k_t, z_t], -1)))  # (4)
        x_prev = x_t
        h_prev = h_t
        k_prev = k_t
        after = State(state.frame + 1, batch, x_prev, h_prev, k_prev)
        return after, Stepped(
            z_t,
            q_z_mean_t,
            q_z_logvar_t,
            p_z_mean_t,
            p_z_logvar_t,
            p_x_mean_t,
            p_x_logvar_t,
        )
