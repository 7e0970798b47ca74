"""GeneralDVAE: The most general causal model, driven and predictive, with the posterior that nothing
simplifies

    p = prod_t p(z_t | x_{1:t-1}, z_{1:t-1}, u_{1:t}) p(x_t | x_{1:t-1}, z_{1:t}, u_{1:t})
    q = prod_t q(z_t | z_{1:t-1}, x_{1:T}, u_{1:T})
    L = sum_t E_q[log p(x_t | x_{1:t-1}, z_{1:t}, u_{1:t})]
        - sum_t E_q[KL(q(z_t | z_{1:t-1}, x_{1:T}, u_{1:T}) || p(z_t | x_{1:t-1}, z_{1:t-1}, u_{1:t}))]

Frame-level tensors have shape (batch, time, dim), sequence-level ones (batch, dim), `lengths` (batch,).
Draws may be passed in as noise. Emitted by dvaec from spec 6f9c87eae87de75c: change the spec, not this file.
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


class ElboFed(NamedTuple):
    """The bound, its parts, and p's outputs where these are fed back."""

    elbo: Tensor  # (batch,), summed over each sequence's own frames
    log_p_x: Tensor  # (batch, time), log p(x_t | ...), 0 on the padding
    kl_z: Tensor  # (batch, time), KL(q || p) of z_t in closed form, 0 on the padding
    x: Tensor  # (batch, time, 88), mean of p(x_t | ...)
    p_x_logits: Tensor  # (batch, time, 88), parameter of p(x_t)


class State(NamedTuple):
    """What a stream carries from one frame to the next."""

    frame: int  # the frame that comes next, from 0
    batch: int
    x_prev: Tensor  # (batch, 88), x 1 step before
    z_prev: Tensor  # (batch, 16), z 1 step before
    xzupast_prev: Tensor  # (batch, 128), xzupast 1 step before
    xzupast_cell_prev: Tensor  # (batch, 128), xzupast_cell 1 step before


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


def lstm_cell(gates: Tensor, cell: Tensor) -> Tuple[Tensor, Tensor]:
    """One LSTM step from the sum of its input and recurrent products, in torch's gate order i, f, g, o."""
    i, f, g, o = gates.chunk(4, -1)
    cell = torch.sigmoid(f) * cell + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(cell), cell


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


class GeneralDVAE(nn.Module):
    """GeneralDVAE, developed:

    (1) xzupast_t = LSTM(x_{t-1}, z_{t-1}, u_t, xzupast_{t-1})
    (2) xuall_forward_t = LSTM(x_t, u_t, xuall_forward_{t-1})
    (3) xuall_backward_t = LSTM(x_t, u_t, xuall_backward_{t+1})
    (4) zpast_t = LSTM(z_{t-1}, zpast_{t-1})
    (5) xuall_t = [xuall_forward_t, xuall_backward_t]
    (6) p(z_t | x_{1:t-1}, z_{1:t-1}, u_{1:t}) = Gaussian with mean and log-variance from xzupast_t through
        128 tanh
    (7) p(x_t | x_{1:t-1}, z_{1:t}, u_{1:t}) = Bernoulli with logits from xzupast_t, z_t through 128 tanh
    (8) q(z_t | z_{1:t-1}, x_{1:T}, u_{1:T}) = Gaussian with mean and log-variance from xuall_t, zpast_t
        through 128 tanh
    """

    def __init__(self) -> None:
        super().__init__()
        # (1) xzupast_t = LSTM(x_{t-1}, z_{t-1}, u_t, xzupast_{t-1})
        self.xzupast_rnn = nn.LSTM(105, 128, batch_first=True)
        # (2) xuall_forward_t = LSTM(x_t, u_t, xuall_forward_{t-1})
        self.xuall_forward_rnn = nn.LSTM(89, 128, batch_first=True)
        # (3) xuall_backward_t = LSTM(x_t, u_t, xuall_backward_{t+1})
        self.xuall_backward_rnn = nn.LSTM(89, 128, batch_first=True)
        # (4) zpast_t = LSTM(z_{t-1}, zpast_{t-1})
        self.zpast_rnn = nn.LSTM(16, 128, batch_first=True)
        # (6) p(z_t | x_{1:t-1}, z_{1:t-1}, u_{1:t}) = Gaussian with mean and log-variance from xzupast_t
        #     through 128 tanh
        self.p_z_1 = nn.Linear(128, 128)
        self.p_z_out = nn.Linear(128, 32)
        # (7) p(x_t | x_{1:t-1}, z_{1:t}, u_{1:t}) = Bernoulli with logits from xzupast_t, z_t through 128
        #     tanh
        self.p_x_1 = nn.Linear(144, 128)
        self.p_x_out = nn.Linear(128, 88)
        # (8) q(z_t | z_{1:t-1}, x_{1:T}, u_{1:T}) = Gaussian with mean and log-variance from xuall_t, zpast_t
        #     through 128 tanh
        self.q_z_1 = nn.Linear(384, 128)
        self.q_z_out = nn.Linear(128, 32)

    def p_z(self, a: Tensor) -> Tuple[Tensor, Tensor]:
        """(6) from its first layer's pre-activation: (..., 128) -> mean, logvar."""
        a = torch.tanh(a)
        mean, logvar = self.p_z_out(a).chunk(2, -1)
        logvar = bounded(logvar)
        return mean, logvar

    def p_x(self, a: Tensor) -> Tensor:
        """(7) from its first layer's pre-activation: (..., 128) -> logits."""
        a = torch.tanh(a)
        logits: Tensor = self.p_x_out(a)
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
        u: Tensor,
        lengths: Optional[Tensor] = None,
        noise_z: Optional[Tensor] = None,
        mask_x: Optional[Tensor] = None,
    ) -> Elbo:
        """The evidence lower bound of every sequence and its parts, one draw of the latents:

            L = sum_t E_q[log p(x_t | x_{1:t-1}, z_{1:t}, u_{1:t})]
              - sum_t E_q[KL(q(z_t | z_{1:t-1}, x_{1:T}, u_{1:T}) || p(z_t | x_{1:t-1}, z_{1:t-1},
                  u_{1:t}))]
        """
        batch, frames = x.size(0), x.size(1)
        mask = frame_mask(lengths, x, batch, frames)
        seen_x = seen(mask, mask_x)
        x = own(framed(x, "x", 88), seen_x)
        u = own(framed(u, "u", 1), mask)
        noise_z = normal_noise(noise_z, x, mask, 16)
        xuall_forward = self.xuall_forward_rnn(torch.cat([x, u], -1))[0]  # (2)
        xuall_backward = reverse(  # (3)
            self.xuall_backward_rnn(reverse(torch.cat([x, u], -1), lengths))[0],
            lengths,
        )
        xuall = torch.cat([xuall_forward, xuall_backward], -1)  # (5)
        zpast_input_weight = weights(self.zpast_rnn.weight_ih_l0)
        zpast_input_bias = weights(self.zpast_rnn.bias_ih_l0)
        q_z_1_pre = F.linear(xuall, self.q_z_1.weight[:, 0:256], self.q_z_1.bias)
        q_z_1_pre_at = q_z_1_pre.unbind(1)
        q_z_1_weight = self.q_z_1.weight[:, 256:384]
        zpast_start = x.new_zeros(batch, 128)
        zpast_prev = zpast_start
        zpast_cell_prev = zpast_start
        zpast_recurrent = weights(self.zpast_rnn.weight_hh_l0)
        zpast_bias = weights(self.zpast_rnn.bias_hh_l0)
        z_start = x.new_zeros(batch, 16)
        z_prev = z_start
        noise_z_at = noise_z.unbind(1)
        q_z_mean_list: List[Tensor] = []
        q_z_logvar_list: List[Tensor] = []
        z_list: List[Tensor] = []
        # Loop over time, forward: zpast, q_z, z; cycle over time through zpast_t <- z_<t-1>,
        # zpast_t <- zpast_<t-1>.
        for t in range(frames):
            zpast_gates = F.linear(z_prev, zpast_input_weight, zpast_input_bias)
            zpast_gates = zpast_gates + F.linear(zpast_prev, zpast_recurrent, zpast_bias)
            zpast_t, zpast_cell_t = lstm_cell(zpast_gates, zpast_cell_prev)  # (4)
            q_z_mean_t, q_z_logvar_t = self.q_z(q_z_1_pre_at[t] + F.linear(zpast_t, q_z_1_weight))  # (8)
            z_t = q_z_mean_t + torch.exp(0.5 * q_z_logvar_t) * noise_z_at[t]
            q_z_mean_list.append(q_z_mean_t)
            q_z_logvar_list.append(q_z_logvar_t)
            z_list.append(z_t)
            zpast_prev = zpast_t
            zpast_cell_prev = zpast_cell_t
            z_prev = z_t
        q_z_mean = torch.stack(q_z_mean_list, 1)
        q_z_logvar = torch.stack(q_z_logvar_list, 1)
        z = torch.stack(z_list, 1)
        x_lag1 = lag(x, 1)
        z_lag1 = lag(z, 1)
        xzupast = self.xzupast_rnn(torch.cat([x_lag1, z_lag1, u], -1))[0]  # (1)
        p_z_mean, p_z_logvar = self.p_z(self.p_z_1(xzupast))  # (6)
        p_x_logits = self.p_x(self.p_x_1(torch.cat([xzupast, z], -1)))  # (7)
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
        noise_z = normal_noise(noise_z, x, mask, 16)
        xuall_forward = self.xuall_forward_rnn(torch.cat([x, u], -1))[0]  # (2)
        xuall_backward = reverse(  # (3)
            self.xuall_backward_rnn(reverse(torch.cat([x, u], -1), lengths))[0],
            lengths,
        )
        xuall = torch.cat([xuall_forward, xuall_backward], -1)  # (5)
        zpast_input_weight = weights(self.zpast_rnn.weight_ih_l0)
        zpast_input_bias = weights(self.zpast_rnn.bias_ih_l0)
        q_z_1_pre = F.linear(xuall, self.q_z_1.weight[:, 0:256], self.q_z_1.bias)
        q_z_1_pre_at = q_z_1_pre.unbind(1)
        q_z_1_weight = self.q_z_1.weight[:, 256:384]
        zpast_start = x.new_zeros(batch, 128)
        zpast_prev = zpast_start
        zpast_cell_prev = zpast_start
        zpast_recurrent = weights(self.zpast_rnn.weight_hh_l0)
        zpast_bias = weights(self.zpast_rnn.bias_hh_l0)
        z_start = x.new_zeros(batch, 16)
        z_prev = z_start
        noise_z_at = noise_z.unbind(1)
        q_z_mean_list: List[Tensor] = []
        q_z_logvar_list: List[Tensor] = []
        z_list: List[Tensor] = []
        # Loop over time, forward: zpast, q_z, z; cycle over time through zpast_t <- z_<t-1>,
        # zpast_t <- zpast_<t-1>.
        for t in range(frames):
            zpast_gates = F.linear(z_prev, zpast_input_weight, zpast_input_bias)
            zpast_gates = zpast_gates + F.linear(zpast_prev, zpast_recurrent, zpast_bias)
            zpast_t, zpast_cell_t = lstm_cell(zpast_gates, zpast_cell_prev)  # (4)
            q_z_mean_t, q_z_logvar_t = self.q_z(q_z_1_pre_at[t] + F.linear(zpast_t, q_z_1_weight))  # (8)
            z_t = q_z_mean_t + torch.exp(0.5 * q_z_logvar_t) * noise_z_at[t]
            q_z_mean_list.append(q_z_mean_t)
            q_z_logvar_list.append(q_z_logvar_t)
            z_list.append(z_t)
            zpast_prev = zpast_t
            zpast_cell_prev = zpast_cell_t
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
        z = own(framed(z, "z", 16), mask)
        u = own(framed(u, "u", 1), mask)
        x_lag1 = lag(x, 1)
        z_lag1 = lag(z, 1)
        xzupast = self.xzupast_rnn(torch.cat([x_lag1, z_lag1, u], -1))[0]  # (1)
        xuall_forward = self.xuall_forward_rnn(torch.cat([x, u], -1))[0]  # (2)
        xuall_backward = reverse(  # (3)
            self.xuall_backward_rnn(reverse(torch.cat([x, u], -1), lengths))[0],
            lengths,
        )
        zpast = self.zpast_rnn(z_lag1)[0]  # (4)
        xuall = torch.cat([xuall_forward, xuall_backward], -1)  # (5)
        p_z_mean, p_z_logvar = self.p_z(self.p_z_1(xzupast))  # (6)
        p_x_logits = self.p_x(self.p_x_1(torch.cat([xzupast, z], -1)))  # (7)
        q_z_mean, q_z_logvar = self.q_z(self.q_z_1(torch.cat([xuall, zpast], -1)))  # (8)
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
        noise_z = normal_noise(noise_z, x, mask, 16)
        xuall_forward = self.xuall_forward_rnn(torch.cat([x, u], -1))[0]  # (2)
        xuall_backward = reverse(  # (3)
            self.xuall_backward_rnn(reverse(torch.cat([x, u], -1), lengths))[0],
            lengths,
        )
        xuall = torch.cat([xuall_forward, xuall_backward], -1)  # (5)
        zpast_input_weight = weights(self.zpast_rnn.weight_ih_l0)
        zpast_input_bias = weights(self.zpast_rnn.bias_ih_l0)
        q_z_1_pre = F.linear(xuall, self.q_z_1.weight[:, 0:256], self.q_z_1.bias)
        q_z_1_pre_at = q_z_1_pre.unbind(1)
        q_z_1_weight = self.q_z_1.weight[:, 256:384]
        zpast_start = x.new_zeros(batch, 128)
        zpast_prev = zpast_start
        zpast_cell_prev = zpast_start
        zpast_recurrent = weights(self.zpast_rnn.weight_hh_l0)
        zpast_bias = weights(self.zpast_rnn.bias_hh_l0)
        z_start = x.new_zeros(batch, 16)
        z_prev = z_start
        noise_z_at = noise_z.unbind(1)
        z_list: List[Tensor] = []
        # Loop over time, forward: zpast, q_z, z; cycle over time through zpast_t <- z_<t-1>,
        # zpast_t <- zpast_<t-1>.
        for t in range(frames):
            zpast_gates = F.linear(z_prev, zpast_input_weight, zpast_input_bias)
            zpast_gates = zpast_gates + F.linear(zpast_prev, zpast_recurrent, zpast_bias)
            zpast_t, zpast_cell_t = lstm_cell(zpast_gates, zpast_cell_prev)  # (4)
            q_z_mean_t, q_z_logvar_t = self.q_z(q_z_1_pre_at[t] + F.linear(zpast_t, q_z_1_weight))  # (8)
            z_t = q_z_mean_t + torch.exp(0.5 * q_z_logvar_t) * noise_z_at[t]
            z_list.append(z_t)
            zpast_prev = zpast_t
            zpast_cell_prev = zpast_cell_t
            z_prev = z_t
        z = torch.stack(z_list, 1)
        x_lag1 = lag(x, 1)
        z_lag1 = lag(z, 1)
        xzupast = self.xzupast_rnn(torch.cat([x_lag1, z_lag1, u], -1))[0]  # (1)
        p_x_logits = self.p_x(self.p_x_1(torch.cat([xzupast, z], -1)))  # (7)
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
        mask = frame_mask(lengths, self.p_z_1.weight, batch, frames)
        u = own(framed(u, "u", 1), mask)
        noise_z = normal_noise(noise_z, self.p_z_1.weight, mask, 16)
        noise_x = uniform_noise(noise_x, self.p_z_1.weight, mask, 88)
        xzupast_input_weight = weights(self.xzupast_rnn.weight_ih_l0)
        xzupast_input_bias = weights(self.xzupast_rnn.bias_ih_l0)
        xzupast_pre = F.linear(u, xzupast_input_weight[:, 104:105], xzupast_input_bias)
        xzupast_pre_at = xzupast_pre.unbind(1)
        xzupast_weight = xzupast_input_weight[:, 0:104]
        xzupast_start = self.p_z_1.weight.new_zeros(batch, 128)
        xzupast_prev = xzupast_start
        xzupast_cell_prev = xzupast_start
        xzupast_recurrent = weights(self.xzupast_rnn.weight_hh_l0)
        xzupast_bias = weights(self.xzupast_rnn.bias_hh_l0)
        z_start = self.p_z_1.weight.new_zeros(batch, 16)
        z_prev = z_start
        noise_z_at = noise_z.unbind(1)
        x_start = self.p_z_1.weight.new_zeros(batch, 88)
        x_prev = x_start
        noise_x_at = noise_x.unbind(1)
        p_z_mean_list: List[Tensor] = []
        p_z_logvar_list: List[Tensor] = []
        z_list: List[Tensor] = []
        p_x_logits_list: List[Tensor] = []
        x_list: List[Tensor] = []
        # Loop over time, forward: xzupast, p_z, z, p_x, x; cycle over time through xzupast_t <- x_<t-1>,
        # xzupast_t <- z_<t-1>, xzupast_t <- xzupast_<t-1>.
        for t in range(frames):
            xzupast_gates = xzupast_pre_at[t] + F.linear(
                torch.cat([x_prev, z_prev], -1),
                xzupast_weight,
            )
            xzupast_gates = xzupast_gates + F.linear(xzupast_prev, xzupast_recurrent, xzupast_bias)
            xzupast_t, xzupast_cell_t = lstm_cell(xzupast_gates, xzupast_cell_prev)  # (1)
            p_z_mean_t, p_z_logvar_t = self.p_z(self.p_z_1(xzupast_t))  # (6)
            z_t = p_z_mean_t + torch.exp(0.5 * p_z_logvar_t) * noise_z_at[t]
            p_x_logits_t = self.p_x(self.p_x_1(torch.cat([xzupast_t, z_t], -1)))  # (7)
            x_t = torch.sigmoid(p_x_logits_t)
            if sample:
                x_t = (noise_x_at[t] < torch.sigmoid(p_x_logits_t)).to(p_x_logits_t.dtype)
            p_z_mean_list.append(p_z_mean_t)
            p_z_logvar_list.append(p_z_logvar_t)
            z_list.append(z_t)
            p_x_logits_list.append(p_x_logits_t)
            x_list.append(x_t)
            xzupast_prev = xzupast_t
            xzupast_cell_prev = xzupast_cell_t
            z_prev = z_t
            x_prev = x_t
        p_z_mean = torch.stack(p_z_mean_list, 1)
        p_z_logvar = torch.stack(p_z_logvar_list, 1)
        z = torch.stack(z_list, 1)
        p_x_logits = torch.stack(p_x_logits_list, 1)
        x = torch.stack(x_list, 1)
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
        noise_z = normal_noise(noise_z, x, mask, 16)
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
        xzupast_input_weight = weights(self.xzupast_rnn.weight_ih_l0)
        xzupast_input_bias = weights(self.xzupast_rnn.bias_ih_l0)
        xzupast_pre = F.linear(u, xzupast_input_weight[:, 104:105], xzupast_input_bias)
        xzupast_pre_at = xzupast_pre.unbind(1)
        xzupast_weight = xzupast_input_weight[:, 0:104]
        xzupast_start = x.new_zeros(batch, 128)
        xzupast_prev = xzupast_start
        xzupast_cell_prev = xzupast_start
        xzupast_recurrent = weights(self.xzupast_rnn.weight_hh_l0)
        xzupast_bias = weights(self.xzupast_rnn.bias_hh_l0)
        z_start = x.new_zeros(batch, 16)
        z_prev = z_start
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
        p_x_logits_list: List[Tensor] = []
        x_list: List[Tensor] = []
        # Loop over time, forward: xzupast, p_z, z, p_x, x; cycle over time through xzupast_t <- x_<t-1>,
        # xzupast_t <- z_<t-1>, xzupast_t <- xzupast_<t-1>.
        for t in range(frames):
            xzupast_gates = xzupast_pre_at[t] + F.linear(
                torch.cat([x_prev, z_prev], -1),
                xzupast_weight,
            )
            xzupast_gates = xzupast_gates + F.linear(xzupast_prev, xzupast_recurrent, xzupast_bias)
            xzupast_t, xzupast_cell_t = lstm_cell(xzupast_gates, xzupast_cell_prev)  # (1)
            p_z_mean_t, p_z_logvar_t = self.p_z(self.p_z_1(xzupast_t))  # (6)
            z_t = p_z_mean_t + torch.exp(0.5 * p_z_logvar_t) * noise_z_at[t]
            z_t = torch.where(known_z_at[t], z_known_at[t], z_t)
            p_x_logits_t = self.p_x(self.p_x_1(torch.cat([xzupast_t, z_t], -1)))  # (7)
            x_t = torch.sigmoid(p_x_logits_t)
            if sample:
                x_t = (noise_x_at[t] < torch.sigmoid(p_x_logits_t)).to(p_x_logits_t.dtype)
            x_t = torch.where(known_x_at[t], x_known_at[t], x_t)
            p_z_mean_list.append(p_z_mean_t)
            p_z_logvar_list.append(p_z_logvar_t)
            z_list.append(z_t)
            p_x_logits_list.append(p_x_logits_t)
            x_list.append(x_t)
            xzupast_prev = xzupast_t
            xzupast_cell_prev = xzupast_cell_t
            z_prev = z_t
            x_prev = x_t
        p_z_mean = torch.stack(p_z_mean_list, 1)
        p_z_logvar = torch.stack(p_z_logvar_list, 1)
        z = torch.stack(z_list, 1)
        p_x_logits = torch.stack(p_x_logits_list, 1)
        x = torch.stack(x_list, 1)
        return Forecast(own(x, mask), own(z, mask), p_z_mean, p_z_logvar, p_x_logits)

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
        noise_x = uniform_noise(noise_x, x, mask, 88)
        xzupast_input_weight = weights(self.xzupast_rnn.weight_ih_l0)
        xzupast_input_bias = weights(self.xzupast_rnn.bias_ih_l0)
        z_lag1 = lag(z, 1)
        xzupast_pre = F.linear(
            torch.cat([z_lag1, u], -1),
            xzupast_input_weight[:, 88:105],
            xzupast_input_bias,
        )
        xzupast_pre_at = xzupast_pre.unbind(1)
        xzupast_weight = xzupast_input_weight[:, 0:88]
        p_x_1_pre = F.linear(z, self.p_x_1.weight[:, 128:144], self.p_x_1.bias)
        p_x_1_pre_at = p_x_1_pre.unbind(1)
        p_x_1_weight = self.p_x_1.weight[:, 0:128]
        xzupast_start = x.new_zeros(batch, 128)
        xzupast_prev = xzupast_start
        xzupast_cell_prev = xzupast_start
        xzupast_recurrent = weights(self.xzupast_rnn.weight_hh_l0)
        xzupast_bias = weights(self.xzupast_rnn.bias_hh_l0)
        x_start = x.new_zeros(batch, 88)
        x_prev = x_start
        noise_x_at = noise_x.unbind(1)
        x_known_at = x_known.unbind(1)
        known_x_at = known_x.unbind(1)
        xzupast_list: List[Tensor] = []
        p_x_logits_list: List[Tensor] = []
        # Loop over time, forward: xzupast, p_x, x; cycle over time through xzupast_t <- x_<t-1>,
        # xzupast_t <- xzupast_<t-1>.
        for t in range(frames):
            xzupast_gates = xzupast_pre_at[t] + F.linear(x_prev, xzupast_weight)
            xzupast_gates = xzupast_gates + F.linear(xzupast_prev, xzupast_recurrent, xzupast_bias)
            xzupast_t, xzupast_cell_t = lstm_cell(xzupast_gates, xzupast_cell_prev)  # (1)
            p_x_logits_t = self.p_x(p_x_1_pre_at[t] + F.linear(xzupast_t, p_x_1_weight))  # (7)
            x_t = torch.sigmoid(p_x_logits_t)
            if sample:
                x_t = (noise_x_at[t] < torch.sigmoid(p_x_logits_t)).to(p_x_logits_t.dtype)
            x_t = torch.where(known_x_at[t], x_known_at[t], x_t)
            xzupast_list.append(xzupast_t)
            p_x_logits_list.append(p_x_logits_t)
            xzupast_prev = xzupast_t
            xzupast_cell_prev = xzupast_cell_t
            x_prev = x_t
        xzupast = torch.stack(xzupast_list, 1)
        p_x_logits = torch.stack(p_x_logits_list, 1)
        p_z_mean, p_z_logvar = self.p_z(self.p_z_1(xzupast))  # (6)
        log_p_x = own(bernoulli_log_density(x_known, p_x_logits), seen_x.squeeze(-1))
        kl_z = own(gaussian_kl(q_z_mean, q_z_logvar, p_z_mean, p_z_logvar), mask.squeeze(-1))
        elbo = (log_p_x - kl_z).sum(1)
        return ElboFed(elbo, log_p_x, kl_z, own(torch.sigmoid(p_x_logits), mask), p_x_logits)

    @torch.jit.export
    def begin(
        self,
        batch: int,
    ) -> State:
        """The state of `batch` streams before their first frame."""
        x_start = self.p_z_1.weight.new_zeros(batch, 88)
        z_start = self.p_z_1.weight.new_zeros(batch, 16)
        xzupast_start = self.p_z_1.weight.new_zeros(batch, 128)
        return State(0, batch, x_start, z_start, xzupast_start, xzupast_start)

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
        z_prev = state.z_prev
        xzupast_prev = state.xzupast_prev
        xzupast_cell_prev = state.xzupast_cell_prev
        present = torch.ones([batch, 1], dtype=torch.bool, device=self.p_z_1.weight.device)
        u_t = static(u, "u", 1)
        noise_x = uniform_noise(noise_x, self.p_z_1.weight, present, 88)
        noise_z = normal_noise(noise_z, self.p_z_1.weight, present, 16)
        xzupast_recurrent = weights(self.xzupast_rnn.weight_hh_l0)
        xzupast_bias = weights(self.xzupast_rnn.bias_hh_l0)
        xzupast_input_weight = weights(self.xzupast_rnn.weight_ih_l0)
        xzupast_input_bias = weights(self.xzupast_rnn.bias_ih_l0)
        xzupast_gates = F.linear(
            torch.cat([x_prev, z_prev, u_t], -1),
            xzupast_input_weight,
            xzupast_input_bias,
        )
        xzupast_gates = xzupast_gates + F.linear(xzupast_prev, xzupast_recurrent, xzupast_bias)
        xzupast_t, xzupast_cell_t = lstm_cell(xzupast_gates, xzupast_cell_prev)  # (1)
        p_z_mean_t, p_z_logvar_t = self.p_z(self.p_z_1(xzupast_t))  # (6)
        z_t = p_z_mean_t + torch.exp(0.5 * p_z_logvar_t) * noise_z
        p_x_logits_t = self.p_x(self.p_x_1(torch.cat([xzupast_t, z_t], -1)))  # (7)
        x_t = torch.sigmoid(p_x_logits_t)
        if sample:
            x_t = (noise_x < torch.sigmoid(p_x_logits_t)).to(p_x_logits_t.dtype)
        x_prev = x_t
        z_prev = z_t
        xzupast_prev = xzupast_t
        xzupast_cell_prev = xzupast_cell_t
        after = State(state.frame + 1, batch, x_prev, z_prev, xzupast_prev, xzupast_cell_prev)
        return after, Imagined(x_t, z_t, p_z_mean_t, p_z_logvar_t, p_x_logits_t)

    def step(self, *_: Any, **__: Any) -> NoReturn:
        """This model has none: the error says why."""
        raise NotImplementedError(
            "GeneralDVAE has no step: q(z_t) waits for xuall, which runs backward from frame "
            "T (xuall_t <- xuall_<t+1>)"
        )
