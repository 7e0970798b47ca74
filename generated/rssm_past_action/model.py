"""RSSMPastAction: Recurrent state-space model with the action indexed as in control theory, u_t leads to
x_t+1

    p = prod_t p(z_t | z_{1:t-1}, u_{1:t-1}) p(x_t | z_{1:t}, u_{1:t-1}) p(r_t | z_{1:t}, u_{1:t-1})
    q = prod_t q(z_t | z_{1:t-1}, x_t, u_{1:t-1})
    L = sum_t E_q[log p(x_t | z_{1:t}, u_{1:t-1})]
        + sum_t E_q[log p(r_t | z_{1:t}, u_{1:t-1})]
        - sum_t E_q[KL(q(z_t | z_{1:t-1}, x_t, u_{1:t-1}) || p(z_t | z_{1:t-1}, u_{1:t-1}))]

Frame-level tensors have shape (batch, time, dim), sequence-level ones (batch, dim), `lengths` (batch,).
Draws may be passed in as noise. Emitted by dvaec from spec 89bf245bd87a26fd: change the spec, not this file.
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
    log_p_r: Tensor  # (batch, time), log p(r_t | ...), 0 on the padding
    kl_z: Tensor  # (batch, time), KL(q || p) of z_t in closed form, 0 on the padding


class Encoded(NamedTuple):
    """Latents drawn from q, and q's parameters."""

    z: Tensor  # (batch, time, 30), drawn from q
    q_z_mean: Tensor  # (batch, time, 30), parameter of q(z_t)
    q_z_logvar: Tensor  # (batch, time, 30), parameter of q(z_t)


class Score(NamedTuple):
    """All conditionals at given values."""

    p_z_mean: Tensor  # (batch, time, 30), parameter of p(z_t)
    p_z_logvar: Tensor  # (batch, time, 30), parameter of p(z_t)
    log_p_z: Tensor  # (batch, time), log p(z_t | ...), 0 on the padding
    p_x_mean: Tensor  # (batch, time, 64), parameter of p(x_t)
    p_x_logvar: Tensor  # (batch, time, 64), parameter of p(x_t)
    log_p_x: Tensor  # (batch, time), log p(x_t | ...), 0 on the padding
    p_r_mean: Tensor  # (batch, time, 1), parameter of p(r_t)
    p_r_logvar: Tensor  # (batch, time, 1), parameter of p(r_t)
    log_p_r: Tensor  # (batch, time), log p(r_t | ...), 0 on the padding
    q_z_mean: Tensor  # (batch, time, 30), parameter of q(z_t)
    q_z_logvar: Tensor  # (batch, time, 30), parameter of q(z_t)
    log_q_z: Tensor  # (batch, time), log q(z_t | ...), 0 on the padding


class Reconstruction(NamedTuple):
    """What p makes of latents drawn from q."""

    x: Tensor  # (batch, time, 64), mean of p(x_t | ...), teacher-forced
    p_x_mean: Tensor  # (batch, time, 64), parameter of p(x_t)
    p_x_logvar: Tensor  # (batch, time, 64), parameter of p(x_t)
    r: Tensor  # (batch, time, 1), mean of p(r_t | ...), teacher-forced
    p_r_mean: Tensor  # (batch, time, 1), parameter of p(r_t)
    p_r_logvar: Tensor  # (batch, time, 1), parameter of p(r_t)


class Generated(NamedTuple):
    """A sequence drawn from p."""

    x: Tensor  # (batch, time, 64), drawn from p
    r: Tensor  # (batch, time, 1), drawn from p
    z: Tensor  # (batch, time, 30), drawn from p
    p_z_mean: Tensor  # (batch, time, 30), parameter of p(z_t)
    p_z_logvar: Tensor  # (batch, time, 30), parameter of p(z_t)
    p_x_mean: Tensor  # (batch, time, 64), parameter of p(x_t)
    p_x_logvar: Tensor  # (batch, time, 64), parameter of p(x_t)
    p_r_mean: Tensor  # (batch, time, 1), parameter of p(r_t)
    p_r_logvar: Tensor  # (batch, time, 1), parameter of p(r_t)


class Forecast(NamedTuple):
    """A context and its continuation by p."""

    x: Tensor  # (batch, time, 64), known in the context, drawn from p behind it
    r: Tensor  # (batch, time, 1), known in the context, drawn from p behind it
    z: Tensor  # (batch, time, 30), known in the context, drawn from p behind it
    p_z_mean: Tensor  # (batch, time, 30), parameter of p(z_t)
    p_z_logvar: Tensor  # (batch, time, 30), parameter of p(z_t)
    p_x_mean: Tensor  # (batch, time, 64), parameter of p(x_t)
    p_x_logvar: Tensor  # (batch, time, 64), parameter of p(x_t)
    p_r_mean: Tensor  # (batch, time, 1), parameter of p(r_t)
    p_r_logvar: Tensor  # (batch, time, 1), parameter of p(r_t)


class State(NamedTuple):
    """What a stream carries from one frame to the next."""

    frame: int  # the frame that comes next, from 0
    batch: int
    z_prev: Tensor  # (batch, 30), z 1 step before
    u_prev: Tensor  # (batch, 6), u 1 step before
    h_prev: Tensor  # (batch, 200), h 1 step before


class Imagined(NamedTuple):
    """One frame drawn from p."""

    x: Tensor  # (batch, 64), drawn from p
    r: Tensor  # (batch, 1), drawn from p
    z: Tensor  # (batch, 30), drawn from p
    p_z_mean: Tensor  # (batch, 30), parameter of p(z_t)
    p_z_logvar: Tensor  # (batch, 30), parameter of p(z_t)
    p_x_mean: Tensor  # (batch, 64), parameter of p(x_t)
    p_x_logvar: Tensor  # (batch, 64), parameter of p(x_t)
    p_r_mean: Tensor  # (batch, 1), parameter of p(r_t)
    p_r_logvar: Tensor  # (batch, 1), parameter of p(r_t)


class Stepped(NamedTuple):
    """One observed frame: latents drawn from q, and the parameters of every conditional."""

    z: Tensor  # (batch, 30), drawn from q
    q_z_mean: Tensor  # (batch, 30), parameter of q(z_t)
    q_z_logvar: Tensor  # (batch, 30), parameter of q(z_t)
    p_z_mean: Tensor  # (batch, 30), parameter of p(z_t)
    p_z_logvar: Tensor  # (batch, 30), parameter of p(z_t)
    p_x_mean: Tensor  # (batch, 64), parameter of p(x_t)
    p_x_logvar: Tensor  # (batch, 64), parameter of p(x_t)
    p_r_mean: Tensor  # (batch, 1), parameter of p(r_t)
    p_r_logvar: Tensor  # (batch, 1), parameter of p(r_t)


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


class RSSMPastAction(nn.Module):
    """RSSMPastAction, developed:

    (1) h_in_t = MLP(z_{t-1}, u_{t-1}; 200 relu)
    (2) h_t = GRU(h_in_t, h_{t-1})
    (3) p(z_t | z_{1:t-1}, u_{1:t-1}) = Gaussian with mean and log-variance from h_t through 200 relu
    (4) p(x_t | z_{1:t}, u_{1:t-1}) = Gaussian with mean and log-variance from h_t, z_t through 200 relu, 200
        relu, variance 1.0
    (5) p(r_t | z_{1:t}, u_{1:t-1}) = Gaussian with mean and log-variance from h_t, z_t through 200 relu, 200
        relu, variance 1.0
    (6) q(z_t | z_{1:t-1}, x_t, u_{1:t-1}) = Gaussian with mean and log-variance from h_t, x_t through 200
        relu
    """

    def __init__(self) -> None:
        super().__init__()
        # (1) h_in_t = MLP(z_{t-1}, u_{t-1}; 200 relu)
        self.h_in_1 = nn.Linear(36, 200)
        # (2) h_t = GRU(h_in_t, h_{t-1})
        self.h_rnn = nn.GRU(200, 200, batch_first=True)
        # (3) p(z_t | z_{1:t-1}, u_{1:t-1}) = Gaussian with mean and log-variance from h_t through 200 relu
        self.p_z_1 = nn.Linear(200, 200)
        self.p_z_out = nn.Linear(200, 60)
        # (4) p(x_t | z_{1:t}, u_{1:t-1}) = Gaussian with mean and log-variance from h_t, z_t through 200
        #     relu, 200 relu, variance 1.0
        self.p_x_1 = nn.Linear(230, 200)
        self.p_x_2 = nn.Linear(200, 200)
        self.p_x_out = nn.Linear(200, 64)
        # (5) p(r_t | z_{1:t}, u_{1:t-1}) = Gaussian with mean and log-variance from h_t, z_t through 200
        #     relu, 200 relu, variance 1.0
        self.p_r_1 = nn.Linear(230, 200)
        self.p_r_2 = nn.Linear(200, 200)
        self.p_r_out = nn.Linear(200, 1)
        # (6) q(z_t | z_{1:t-1}, x_t, u_{1:t-1}) = Gaussian with mean and log-variance from h_t, x_t through
        #     200 relu
        self.q_z_1 = nn.Linear(264, 200)
        self.q_z_out = nn.Linear(200, 60)

    def h_in_net(self, a: Tensor) -> Tensor:
        """(1) from its first layer's pre-activation: (..., 200) -> (..., 200)."""
        a = torch.relu(a)
        return a

    def p_z(self, a: Tensor) -> Tuple[Tensor, Tensor]:
        """(3) from its first layer's pre-activation: (..., 200) -> mean, logvar."""
        a = torch.relu(a)
        mean, logvar = self.p_z_out(a).chunk(2, -1)
        logvar = bounded(logvar)
        return mean, logvar

    def p_x(self, a: Tensor) -> Tuple[Tensor, Tensor]:
        """(4) from its first layer's pre-activation: (..., 200) -> mean, logvar."""
        a = torch.relu(a)
        a = torch.relu(self.p_x_2(a))
        mean: Tensor = self.p_x_out(a)
        logvar = torch.full_like(mean, math.log(1.0))
        return mean, logvar

    def p_r(self, a: Tensor) -> Tuple[Tensor, Tensor]:
        """(5) from its first layer's pre-activation: (..., 200) -> mean, logvar."""
        a = torch.relu(a)
        a = torch.relu(self.p_r_2(a))
        mean: Tensor = self.p_r_out(a)
        logvar = torch.full_like(mean, math.log(1.0))
        return mean, logvar

    def q_z(self, a: Tensor) -> Tuple[Tensor, Tensor]:
        """(6) from its first layer's pre-activation: (..., 200) -> mean, logvar."""
        a = torch.relu(a)
        mean, logvar = self.q_z_out(a).chunk(2, -1)
        logvar = bounded(logvar)
        return mean, logvar

    @torch.jit.export
    def elbo(
        self,
        x: Tensor,
        r: Tensor,
        u: Tensor,
        lengths: Optional[Tensor] = None,
        noise_z: Optional[Tensor] = None,
        mask_x: Optional[Tensor] = None,
        mask_r: Optional[Tensor] = None,
    ) -> Elbo:
        """The evidence lower bound of every sequence and its parts, one draw of the latents:

            L = sum_t E_q[log p(x_t | z_{1:t}, u_{1:t-1})]
              + sum_t E_q[log p(r_t | z_{1:t}, u_{1:t-1})]
              - sum_t E_q[KL(q(z_t | z_{1:t-1}, x_t, u_{1:t-1}) || p(z_t | z_{1:t-1}, u_{1:t-1}))]
        """
        batch, frames = x.size(0), x.size(1)
        mask = frame_mask(lengths, x, batch, frames)
        seen_x = seen(mask, mask_x)
        x = own(framed(x, "x", 64), seen_x)
        seen_r = seen(mask, mask_r)
        r = own(framed(r, "r", 1), seen_r)
        u = own(framed(u, "u", 6), mask)
        noise_z = normal_noise(noise_z, x, mask, 30)
        u_lag1 = lag(u, 1)
        h_in_1_pre = F.linear(u_lag1, self.h_in_1.weight[:, 30:36], self.h_in_1.bias)
        h_in_1_pre_at = h_in_1_pre.unbind(1)
        h_in_1_weight = self.h_in_1.weight[:, 0:30]
        h_input_weight = weights(self.h_rnn.weight_ih_l0)
        h_input_bias = weights(self.h_rnn.bias_ih_l0)
        q_z_1_pre = F.linear(x, self.q_z_1.weight[:, 200:264], self.q_z_1.bias)
        q_z_1_pre_at = q_z_1_pre.unbind(1)
        q_z_1_weight = self.q_z_1.weight[:, 0:200]
        h_start = x.new_zeros(batch, 200)
        h_prev = h_start
        h_recurrent = weights(self.h_rnn.weight_hh_l0)
        h_bias = weights(self.h_rnn.bias_hh_l0)
        z_start = x.new_zeros(batch, 30)
        z_prev = z_start
        noise_z_at = noise_z.unbind(1)
        h_list: List[Tensor] = []
        q_z_mean_list: List[Tensor] = []
        q_z_logvar_list: List[Tensor] = []
        z_list: List[Tensor] = []
        # Loop over time, forward: h_in, h, q_z, z; cycle over time through h_in_t <- z_<t-1>,
        # h_t <- h_<t-1>.
        for t in range(frames):
            h_in_t = self.h_in_net(h_in_1_pre_at[t] + F.linear(z_prev, h_in_1_weight))  # (1)
            h_input = F.linear(h_in_t, h_input_weight, h_input_bias)
            h_t = gru_cell(h_input, F.linear(h_prev, h_recurrent, h_bias), h_prev)  # (2)
            q_z_mean_t, q_z_logvar_t = self.q_z(q_z_1_pre_at[t] + F.linear(h_t, q_z_1_weight))  # (6)
            z_t = q_z_mean_t + torch.exp(0.5 * q_z_logvar_t) * noise_z_at[t]
            h_list.append(h_t)
            q_z_mean_list.append(q_z_mean_t)
            q_z_logvar_list.append(q_z_logvar_t)
            z_list.append(z_t)
            h_prev = h_t
            z_prev = z_t
        h = torch.stack(h_list, 1)
        q_z_mean = torch.stack(q_z_mean_list, 1)
        q_z_logvar = torch.stack(q_z_logvar_list, 1)
        z = torch.stack(z_list, 1)
        p_z_mean, p_z_logvar = self.p_z(self.p_z_1(h))  # (3)
        p_x_mean, p_x_logvar = self.p_x(self.p_x_1(torch.cat([h, z], -1)))  # (4)
        p_r_mean, p_r_logvar = self.p_r(self.p_r_1(torch.cat([h, z], -1)))  # (5)
        log_p_x = own(gaussian_log_density(x, p_x_mean, p_x_logvar), seen_x.squeeze(-1))
        log_p_r = own(gaussian_log_density(r, p_r_mean, p_r_logvar), seen_r.squeeze(-1))
        kl_z = own(gaussian_kl(q_z_mean, q_z_logvar, p_z_mean, p_z_logvar), mask.squeeze(-1))
        elbo = (log_p_x + log_p_r - kl_z).sum(1)
        return Elbo(elbo, log_p_x, log_p_r, kl_z)

    @torch.jit.export
    def encode(
        self,
        x: Tensor,
        r: Tensor,
        u: Tensor,
        lengths: Optional[Tensor] = None,
        noise_z: Optional[Tensor] = None,
        mask_x: Optional[Tensor] = None,
        mask_r: Optional[Tensor] = None,
    ) -> Encoded:
        """Draw the latents from q and return q's parameters."""
        batch, frames = x.size(0), x.size(1)
        mask = frame_mask(lengths, x, batch, frames)
        seen_x = seen(mask, mask_x)
        x = own(framed(x, "x", 64), seen_x)
        seen_r = seen(mask, mask_r)
        r = own(framed(r, "r", 1), seen_r)
        u = own(framed(u, "u", 6), mask)
        noise_z = normal_noise(noise_z, x, mask, 30)
        u_lag1 = lag(u, 1)
        h_in_1_pre = F.linear(u_lag1, self.h_in_1.weight[:, 30:36], self.h_in_1.bias)
        h_in_1_pre_at = h_in_1_pre.unbind(1)
        h_in_1_weight = self.h_in_1.weight[:, 0:30]
        h_input_weight = weights(self.h_rnn.weight_ih_l0)
        h_input_bias = weights(self.h_rnn.bias_ih_l0)
        q_z_1_pre = F.linear(x, self.q_z_1.weight[:, 200:264], self.q_z_1.bias)
        q_z_1_pre_at = q_z_1_pre.unbind(1)
        q_z_1_weight = self.q_z_1.weight[:, 0:200]
        h_start = x.new_zeros(batch, 200)
        h_prev = h_start
        h_recurrent = weights(self.h_rnn.weight_hh_l0)
        h_bias = weights(self.h_rnn.bias_hh_l0)
        z_start = x.new_zeros(batch, 30)
        z_prev = z_start
        noise_z_at = noise_z.unbind(1)
        q_z_mean_list: List[Tensor] = []
        q_z_logvar_list: List[Tensor] = []
        z_list: List[Tensor] = []
        # Loop over time, forward: h_in, h, q_z, z; cycle over time through h_in_t <- z_<t-1>,
        # h_t <- h_<t-1>.
        for t in range(frames):
            h_in_t = self.h_in_net(h_in_1_pre_at[t] + F.linear(z_prev, h_in_1_weight))  # (1)
            h_input = F.linear(h_in_t, h_input_weight, h_input_bias)
            h_t = gru_cell(h_input, F.linear(h_prev, h_recurrent, h_bias), h_prev)  # (2)
            q_z_mean_t, q_z_logvar_t = self.q_z(q_z_1_pre_at[t] + F.linear(h_t, q_z_1_weight))  # (6)
            z_t = q_z_mean_t + torch.exp(0.5 * q_z_logvar_t) * noise_z_at[t]
            q_z_mean_list.append(q_z_mean_t)
            q_z_logvar_list.append(q_z_logvar_t)
            z_list.append(z_t)
            h_prev = h_t
            z_prev = z_t
        q_z_mean = torch.stack(q_z_mean_list, 1)
        q_z_logvar = torch.stack(q_z_logvar_list, 1)
        z = torch.stack(z_list, 1)
        return Encoded(own(z, mask), q_z_mean, q_z_logvar)

    @torch.jit.export
    def score(
        self,
        x: Tensor,
        r: Tensor,
        u: Tensor,
        z: Tensor,
        lengths: Optional[Tensor] = None,
        mask_x: Optional[Tensor] = None,
        mask_r: Optional[Tensor] = None,
    ) -> Score:
        """Every conditional's parameters and log-density at given values."""
        batch, frames = x.size(0), x.size(1)
        mask = frame_mask(lengths, x, batch, frames)
        seen_x = seen(mask, mask_x)
        x = own(framed(x, "x", 64), seen_x)
        seen_r = seen(mask, mask_r)
        r = own(framed(r, "r", 1), seen_r)
        z = own(framed(z, "z", 30), mask)
        u = own(framed(u, "u", 6), mask)
        z_lag1 = lag(z, 1)
        u_lag1 = lag(u, 1)
        h_in = self.h_in_net(self.h_in_1(torch.cat([z_lag1, u_lag1], -1)))  # (1)
        h = self.h_rnn(h_in)[0]  # (2)
        p_z_mean, p_z_logvar = self.p_z(self.p_z_1(h))  # (3)
        p_x_mean, p_x_logvar = self.p_x(self.p_x_1(torch.cat([h, z], -1)))  # (4)
        p_r_mean, p_r_logvar = self.p_r(self.p_r_1(torch.cat([h, z], -1)))  # (5)
        q_z_mean, q_z_logvar = self.q_z(self.q_z_1(torch.cat([h, x], -1)))  # (6)
        log_p_z = own(gaussian_log_density(z, p_z_mean, p_z_logvar), mask.squeeze(-1))
        log_p_x = own(gaussian_log_density(x, p_x_mean, p_x_logvar), seen_x.squeeze(-1))
        log_p_r = own(gaussian_log_density(r, p_r_mean, p_r_logvar), seen_r.squeeze(-1))
        log_q_z = own(gaussian_log_density(z, q_z_mean, q_z_logvar), mask.squeeze(-1))
        return Score(
            p_z_mean,
            p_z_logvar,
            log_p_z,
            p_x_mean,
            p_x_logvar,
            log_p_x,
            p_r_mean,
            p_r_logvar,
            log_p_r,
            q_z_mean,
            q_z_logvar,
            log_q_z,
        )

    @torch.jit.export
    def reconstruct(
        self,
        x: Tensor,
        r: Tensor,
        u: Tensor,
        lengths: Optional[Tensor] = None,
        noise_z: Optional[Tensor] = None,
        mask_x: Optional[Tensor] = None,
        mask_r: Optional[Tensor] = None,
    ) -> Reconstruction:
        """Draw the latents from q and return the mean of p at the data (teacher forcing)."""
        batch, frames = x.size(0), x.size(1)
        mask = frame_mask(lengths, x, batch, frames)
        seen_x = seen(mask, mask_x)
        x = own(framed(x, "x", 64), seen_x)
        seen_r = seen(mask, mask_r)
        r = own(framed(r, "r", 1), seen_r)
        u = own(framed(u, "u", 6), mask)
        noise_z = normal_noise(noise_z, x, mask, 30)
        u_lag1 = lag(u, 1)
        h_in_1_pre = F.linear(u_lag1, self.h_in_1.weight[:, 30:36], self.h_in_1.bias)
        h_in_1_pre_at = h_in_1_pre.unbind(1)
        h_in_1_weight = self.h_in_1.weight[:, 0:30]
        h_input_weight = weights(self.h_rnn.weight_ih_l0)
        h_input_bias = weights(self.h_rnn.bias_ih_l0)
        q_z_1_pre = F.linear(x, self.q_z_1.weight[:, 200:264], self.q_z_1.bias)
        q_z_1_pre_at = q_z_1_pre.unbind(1)
        q_z_1_weight = self.q_z_1.weight[:, 0:200]
        h_start = x.new_zeros(batch, 200)
        h_prev = h_start
        h_recurrent = weights(self.h_rnn.weight_hh_l0)
        h_bias = weights(self.h_rnn.bias_hh_l0)
        z_start = x.new_zeros(batch, 30)
        z_prev = z_start
        noise_z_at = noise_z.unbind(1)
        h_list: List[Tensor] = []
        z_list: List[Tensor] = []
        # Loop over time, forward: h_in, h, q_z, z; cycle over time through h_in_t <- z_<t-1>,
        # h_t <- h_<t-1>.
        for t in range(frames):
            h_in_t = self.h_in_net(h_in_1_pre_at[t] + F.linear(z_prev, h_in_1_weight))  # (1)
            h_input = F.linear(h_in_t, h_input_weight, h_input_bias)
            h_t = gru_cell(h_input, F.linear(h_prev, h_recurrent, h_bias), h_prev)  # (2)
            q_z_mean_t, q_z_logvar_t = self.q_z(q_z_1_pre_at[t] + F.linear(h_t, q_z_1_weight))  # (6)
            z_t = q_z_mean_t + torch.exp(0.5 * q_z_logvar_t) * noise_z_at[t]
            h_list.append(h_t)
            z_list.append(z_t)
            h_prev = h_t
            z_prev = z_t
        h = torch.stack(h_list, 1)
        z = torch.stack(z_list, 1)
        p_x_mean, p_x_logvar = self.p_x(self.p_x_1(torch.cat([h, z], -1)))  # (4)
        p_r_mean, p_r_logvar = self.p_r(self.p_r_1(torch.cat([h, z], -1)))  # (5)
        return Reconstruction(
            own(p_x_mean, mask),
            p_x_mean,
            p_x_logvar,
            own(p_r_mean, mask),
            p_r_mean,
            p_r_logvar,
        )

    @torch.jit.export
    def generate(
        self,
        batch: int,
        frames: int,
        u: Tensor,
        lengths: Optional[Tensor] = None,
        noise_z: Optional[Tensor] = None,
        noise_x: Optional[Tensor] = None,
        noise_r: Optional[Tensor] = None,
        sample: bool = True,
    ) -> Generated:
        """Draw a sequence from p. Each drawn x_t is fed back; with sample=False the conditional's mean is."""
        mask = frame_mask(lengths, self.h_in_1.weight, batch, frames)
        u = own(framed(u, "u", 6), mask)
        noise_z = normal_noise(noise_z, self.h_in_1.weight, mask, 30)
        noise_x = normal_noise(noise_x, self.h_in_1.weight, mask, 64)
        noise_r = normal_noise(noise_r, self.h_in_1.weight, mask, 1)
        u_lag1 = lag(u, 1)
        h_in_1_pre = F.linear(u_lag1, self.h_in_1.weight[:, 30:36], self.h_in_1.bias)
        h_in_1_pre_at = h_in_1_pre.unbind(1)
        h_in_1_weight = self.h_in_1.weight[:, 0:30]
        h_input_weight = weights(self.h_rnn.weight_ih_l0)
        h_input_bias = weights(self.h_rnn.bias_ih_l0)
        h_start = self.h_in_1.weight.new_zeros(batch, 200)
        h_prev = h_start
        h_recurrent = weights(self.h_rnn.weight_hh_l0)
        h_bias = weights(self.h_rnn.bias_hh_l0)
        z_start = self.h_in_1.weight.new_zeros(batch, 30)
        z_prev = z_start
        noise_z_at = noise_z.unbind(1)
        h_list: List[Tensor] = []
        p_z_mean_list: List[Tensor] = []
        p_z_logvar_list: List[Tensor] = []
        z_list: List[Tensor] = []
        # Loop over time, forward: h_in, h, p_z, z; cycle over time through h_in_t <- z_<t-1>,
        # h_t <- h_<t-1>.
        for t in range(frames):
            h_in_t = self.h_in_net(h_in_1_pre_at[t] + F.linear(z_prev, h_in_1_weight))  # (1)
            h_input = F.linear(h_in_t, h_input_weight, h_input_bias)
            h_t = gru_cell(h_input, F.linear(h_prev, h_recurrent, h_bias), h_prev)  # (2)
            p_z_mean_t, p_z_logvar_t = self.p_z(self.p_z_1(h_t))  # (3)
            z_t = p_z_mean_t + torch.exp(0.5 * p_z_logvar_t) * noise_z_at[t]
            h_list.append(h_t)
            p_z_mean_list.append(p_z_mean_t)
            p_z_logvar_list.append(p_z_logvar_t)
            z_list.append(z_t)
            h_prev = h_t
            z_prev = z_t
        h = torch.stack(h_list, 1)
        p_z_mean = torch.stack(p_z_mean_list, 1)
        p_z_logvar = torch.stack(p_z_logvar_list, 1)
        z = torch.stack(z_list, 1)
        p_x_mean, p_x_logvar = self.p_x(self.p_x_1(torch.cat([h, z], -1)))  # (4)
        x = p_x_mean
        if sample:
            x = p_x_mean + torch.exp(0.5 * p_x_logvar) * noise_x
        p_r_mean, p_r_logvar = self.p_r(self.p_r_1(torch.cat([h, z], -1)))  # (5)
        r = p_r_mean
        if sample:
            r = p_r_mean + torch.exp(0.5 * p_r_logvar) * noise_r
        return Generated(
            own(x, mask),
            own(r, mask),
            own(z, mask),
            p_z_mean,
            p_z_logvar,
            p_x_mean,
            p_x_logvar,
            p_r_mean,
            p_r_logvar,
        )

    @torch.jit.export
    def forecast(
        self,
        steps: int,
        x: Tensor,
        r: Tensor,
        u: Tensor,
        lengths: Optional[Tensor] = None,
        noise_z: Optional[Tensor] = None,
        noise_x: Optional[Tensor] = None,
        noise_r: Optional[Tensor] = None,
        sample: bool = True,
        mask_x: Optional[Tensor] = None,
        mask_r: Optional[Tensor] = None,
    ) -> Forecast:
        """Infer the latents of a context, go on from p for `steps` frames. Inputs, noise: of all frames."""
        batch, context = x.size(0), x.size(1)
        frames = context + steps
        mask = frame_mask(None if lengths is None else lengths + steps, x, batch, frames)
        own_context = frame_mask(lengths, x, batch, context)
        u = own(framed(u, "u", 6), mask)
        noise_z = normal_noise(noise_z, x, mask, 30)
        noise_x = normal_noise(noise_x, x, mask, 64)
        noise_r = normal_noise(noise_r, x, mask, 1)
        inferred = self.encode(
            x=x,
            r=r,
            u=u[:, :context],
            lengths=lengths,
            noise_z=noise_z[:, :context],
            mask_x=mask_x,
            mask_r=mask_r,
        )
        known_z = extended(own_context, frames)
        z_known = extended(inferred.z, frames)
        known_x = extended(own_context, frames)
        x_known = extended(own(framed(x, "x", 64), seen(own_context, mask_x)), frames)
        known_r = extended(own_context, frames)
        r_known = extended(own(framed(r, "r", 1), seen(own_context, mask_r)), frames)
        u_lag1 = lag(u, 1)
        h_in_1_pre = F.linear(u_lag1, self.h_in_1.weight[:, 30:36], self.h_in_1.bias)
        h_in_1_pre_at = h_in_1_pre.unbind(1)
        h_in_1_weight = self.h_in_1.weight[:, 0:30]
        h_input_weight = weights(self.h_rnn.weight_ih_l0)
        h_input_bias = weights(self.h_rnn.bias_ih_l0)
        h_start = x.new_zeros(batch, 200)
        h_prev = h_start
        h_recurrent = weights(self.h_rnn.weight_hh_l0)
        h_bias = weights(self.h_rnn.bias_hh_l0)
        z_start = x.new_zeros(batch, 30)
        z_prev = z_start
        noise_z_at = noise_z.unbind(1)
        z_known_at = z_known.unbind(1)
        known_z_at = known_z.unbind(1)
        h_list: List[Tensor] = []
        p_z_mean_list: List[Tensor] = []
        p_z_logvar_list: List[Tensor] = []
        z_list: List[Tensor] = []
        # Loop over time, forward: h_in, h, p_z, z; cycle over time through h_in_t <- z_<t-1>,
        # h_t <- h_<t-1>.
        for t in range(frames):
            h_in_t = self.h_in_net(h_in_1_pre_at[t] + F.linear(z_prev, h_in_1_weight))  # (1)
            h_input = F.linear(h_in_t, h_input_weight, h_input_bias)
            h_t = gru_cell(h_input, F.linear(h_prev, h_recurrent, h_bias), h_prev)  # (2)
            p_z_mean_t, p_z_logvar_t = self.p_z(self.p_z_1(h_t))  # (3)
            z_t = p_z_mean_t + torch.exp(0.5 * p_z_logvar_t) * noise_z_at[t]
            z_t = torch.where(known_z_at[t], z_known_at[t], z_t)
            h_list.append(h_t)
            p_z_mean_list.append(p_z_mean_t)
            p_z_logvar_list.append(p_z_logvar_t)
            z_list.append(z_t)
            h_prev = h_t
            z_prev = z_t
        h = torch.stack(h_list, 1)
        p_z_mean = torch.stack(p_z_mean_list, 1)
        p_z_logvar = torch.stack(p_z_logvar_list, 1)
        z = torch.stack(z_list, 1)
        p_x_mean, p_x_logvar = self.p_x(self.p_x_1(torch.cat([h, z], -1)))  # (4)
        x = p_x_mean
        if sample:
            x = p_x_mean + torch.exp(0.5 * p_x_logvar) * noise_x
        x = torch.where(known_x, x_known, x)
        p_r_mean, p_r_logvar = self.p_r(self.p_r_1(torch.cat([h, z], -1)))  # (5)
        r = p_r_mean
        if sample:
            r = p_r_mean + torch.exp(0.5 * p_r_logvar) * noise_r
        r = torch.where(known_r, r_known, r)
        return Forecast(
            own(x, mask),
            own(r, mask),
            own(z, mask),
            p_z_mean,
            p_z_logvar,
            p_x_mean,
            p_x_logvar,
            p_r_mean,
            p_r_logvar,
        )

    @torch.jit.export
    def begin(
        self,
        batch: int,
    ) -> State:
        """The state of `batch` streams before their first frame."""
        z_start = self.h_in_1.weight.new_zeros(batch, 30)
        u_start = self.h_in_1.weight.new_zeros(batch, 6)
        h_start = self.h_in_1.weight.new_zeros(batch, 200)
        return State(0, batch, z_start, u_start, h_start)

    @torch.jit.export
    def imagine(
        self,
        state: State,
        u: Tensor,
        noise_x: Optional[Tensor] = None,
        noise_r: Optional[Tensor] = None,
        noise_z: Optional[Tensor] = None,
        sample: bool = True,
    ) -> Tuple[State, Imagined]:
        """Draw one frame of each stream from p; return the state behind it."""
        batch = state.batch
        z_prev = state.z_prev
        u_prev = state.u_prev
        h_prev = state.h_prev
        present = torch.ones([batch, 1], dtype=torch.bool, device=self.h_in_1.weight.device)
        u_t = static(u, "u", 6)
        noise_x = normal_noise(noise_x, self.h_in_1.weight, present, 64)
        noise_r = normal_noise(noise_r, self.h_in_1.weight, present, 1)
        noise_z = normal_noise(noise_z, self.h_in_1.weight, present, 30)
        h_recurrent = weights(self.h_rnn.weight_hh_l0)
        h_bias = weights(self.h_rnn.bias_hh_l0)
        h_input_weight = weights(self.h_rnn.weight_ih_l0)
        h_input_bias = weights(self.h_rnn.bias_ih_l0)
        h_in_t = self.h_in_net(self.h_in_1(torch.cat([z_prev, u_prev], -1)))  # (1)
        h_input = F.linear(h_in_t, h_input_weight, h_input_bias)
        h_t = gru_cell(h_input, F.linear(h_prev, h_recurrent, h_bias), h_prev)  # (2)
        p_z_mean_t, p_z_logvar_t = self.p_z(self.p_z_1(h_t))  # (3)
        z_t = p_z_mean_t + torch.exp(0.5 * p_z_logvar_t) * noise_z
        p_x_mean_t, p_x_logvar_t = self.p_x(self.p_x_1(torch.cat([h_t, z_t], -1)))  # (4)
        x_t = p_x_mean_t
        if sample:
            x_t = p_x_mean_t + torch.exp(0.5 * p_x_logvar_t) * noise_x
        p_r_mean_t, p_r_logvar_t = self.p_r(self.p_r_1(torch.cat([h_t, z_t], -1)))  # (5)
        r_t = p_r_mean_t
        if sample:
            r_t = p_r_mean_t + torch.exp(0.5 * p_r_logvar_t) * noise_r
        z_prev = z_t
        u_prev = u_t
        h_prev = h_t
        after = State(state.frame + 1, batch, z_prev, u_prev, h_prev)
        return after, Imagined(
            x_t,
            r_t,
            z_t,
            p_z_mean_t,
            p_z_logvar_t,
            p_x_mean_t,
            p_x_logvar_t,
            p_r_mean_t,
            p_r_logvar_t,
        )

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
        u_prev = state.u_prev
        h_prev = state.h_prev
        present = torch.ones([batch, 1], dtype=torch.bool, device=self.h_in_1.weight.device)
        x_t = own(static(x, "x", 64), seen(present, mask_x))
        u_t = static(u, "u", 6)
        noise_z = normal_noise(noise_z, self.h_in_1.weight, present, 30)
        h_recurrent = weights(self.h_rnn.weight_hh_l0)
        h_bias = weights(self.h_rnn.bias_hh_l0)
        h_input_weight = weights(self.h_rnn.weight_ih_l0)
        h_input_bias = weights(self.h_rnn.bias_ih_l0)
        h_in_t = self.h_in_net(self.h_in_1(torch.cat([z_prev, u_prev], -1)))  # (1)
        h_input = F.linear(h_in_t, h_input_weight, h_input_bias)
        h_t = gru_cell(h_input, F.linear(h_prev, h_recurrent, h_bias), h_prev)  # (2)
        p_z_mean_t, p_z_logvar_t = self.p_z(self.p_z_1(h_t))  # (3)
        q_z_mean_t, q_z_logvar_t = self.q_z(self.q_z_1(torch.cat([h_t, x_t], -1)))  # (6)
        z_t = q_z_mean_t + torch.exp(0.5 * q_z_logvar_t) * noise_z
        p_x_mean_t, p_x_logvar_t = self.p_x(self.p_x_1(torch.cat([h_t, z_t], -1)))  # (4)
        p_r_mean_t, p_r_logvar_t = self.p_r(self.p_r_1(torch.cat([h_t, z_t], -1)))  # (5)
        z_prev = z_t
        u_prev = u_t
        h_prev = h_t
        after = State(state.frame + 1, batch, z_prev, u_prev, h_prev)
        return after, Stepped(
            z_t,
            q_z_mean_t,
            q_z_logvar_t,
            p_z_mean_t,
            p_z_logvar_t,
            p_x_mean_t,
            p_x_logvar_t,
            p_r_mean_t,
            p_r_logvar_t,
        )

    def elbo_fed(self, *_: Any, **__: Any) -> NoReturn:
        """This model has none: the error says why."""
        raise NotImplementedError(
            "RSSMPastAction has no elbo_fed: p reads no observed frame, so nothing that it "
            "makes comes back: elbo is the same in both modes"
        )
