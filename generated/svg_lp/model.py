"""SVG_LP: Stochastic video generation with a learned prior

    p = prod_t p(z_t | x_{1:t-1}) p(x_t | x_{1:t-1}, z_{1:t})
    q = prod_t q(z_t | x_{1:t})
    L = sum_t E_q[log p(x_t | x_{1:t-1}, z_{1:t})]
        - sum_t KL(q(z_t | x_{1:t}) || p(z_t | x_{1:t-1}))

Frame-level tensors have shape (batch, time, dim), sequence-level ones (batch, dim), `lengths` (batch,).
Draws may be passed in as noise. Emitted by dvaec from spec f5553b751953f56c: change the spec, not this file.
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

    z: Tensor  # (batch, time, 10), drawn from q
    q_z_mean: Tensor  # (batch, time, 10), parameter of q(z_t)
    q_z_logvar: Tensor  # (batch, time, 10), parameter of q(z_t)


class Score(NamedTuple):
    """All conditionals at given values."""

    p_z_mean: Tensor  # (batch, time, 10), parameter of p(z_t)
    p_z_logvar: Tensor  # (batch, time, 10), parameter of p(z_t)
    log_p_z: Tensor  # (batch, time), log p(z_t | ...), 0 on the padding
    p_x_logits: Tensor  # (batch, time, 1024), parameter of p(x_t)
    log_p_x: Tensor  # (batch, time), log p(x_t | ...), 0 on the padding
    q_z_mean: Tensor  # (batch, time, 10), parameter of q(z_t)
    q_z_logvar: Tensor  # (batch, time, 10), parameter of q(z_t)
    log_q_z: Tensor  # (batch, time), log q(z_t | ...), 0 on the padding


class Reconstruction(NamedTuple):
    """What p makes of latents drawn from q."""

    x: Tensor  # (batch, time, 1024), mean of p(x_t | ...), teacher-forced
    p_x_logits: Tensor  # (batch, time, 1024), parameter of p(x_t)


class Generated(NamedTuple):
    """A sequence drawn from p."""

    x: Tensor  # (batch, time, 1024), drawn from p
    z: Tensor  # (batch, time, 10), drawn from p
    p_z_mean: Tensor  # (batch, time, 10), parameter of p(z_t)
    p_z_logvar: Tensor  # (batch, time, 10), parameter of p(z_t)
    p_x_logits: Tensor  # (batch, time, 1024), parameter of p(x_t)


class Forecast(NamedTuple):
    """A context and its continuation by p."""

    x: Tensor  # (batch, time, 1024), known in the context, drawn from p behind it
    z: Tensor  # (batch, time, 10), known in the context, drawn from p behind it
    p_z_mean: Tensor  # (batch, time, 10), parameter of p(z_t)
    p_z_logvar: Tensor  # (batch, time, 10), parameter of p(z_t)
    p_x_logits: Tensor  # (batch, time, 1024), parameter of p(x_t)


class ElboFed(NamedTuple):
    """The bound, its parts, and p's outputs where these are fed back."""

    elbo: Tensor  # (batch,), summed over each sequence's own frames
    log_p_x: Tensor  # (batch, time), log p(x_t | ...), 0 on the padding
    kl_z: Tensor  # (batch, time), KL(q || p) of z_t in closed form, 0 on the padding
    x: Tensor  # (batch, time, 1024), mean of p(x_t | ...)
    p_x_logits: Tensor  # (batch, time, 1024), parameter of p(x_t)


class State(NamedTuple):
    """What a stream carries from one frame to the next."""

    frame: int  # the frame that comes next, from 0
    batch: int
    fx_prev: Tensor  # (batch, 128), fx 1 step before
    k_prev: Tensor  # (batch, 256), k 1 step before
    k_cell_prev: Tensor  # (batch, 256), k_cell 1 step before
    h_prev: Tensor  # (batch, 256), h 1 step before
    h_cell_prev: Tensor  # (batch, 256), h_cell 1 step before
    g_prev: Tensor  # (batch, 256), g 1 step before
    g_cell_prev: Tensor  # (batch, 256), g_cell 1 step before


class Imagined(NamedTuple):
    """One frame drawn from p."""

    x: Tensor  # (batch, 1024), drawn from p
    z: Tensor  # (batch, 10), drawn from p
    p_z_mean: Tensor  # (batch, 10), parameter of p(z_t)
    p_z_logvar: Tensor  # (batch, 10), parameter of p(z_t)
    p_x_logits: Tensor  # (batch, 1024), parameter of p(x_t)


class Stepped(NamedTuple):
    """One observed frame: latents drawn from q, and the parameters of every conditional."""

    z: Tensor  # (batch, 10), drawn from q
    q_z_mean: Tensor  # (batch, 10), parameter of q(z_t)
    q_z_logvar: Tensor  # (batch, 10), parameter of q(z_t)
    p_z_mean: Tensor  # (batch, 10), parameter of p(z_t)
    p_z_logvar: Tensor  # (batch, 10), parameter of p(z_t)
    p_x_logits: Tensor  # (batch, 1024), parameter of p(x_t)


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

def flat(value: Tensor, lead: int, axes: List[int]) -> Tensor:
    """(batch, time, *axes) as (batch, time, dim), with `lead` axes in front; what is flat stays."""
    return value.flatten(lead) if list(value.shape[lead:]) == axes else value

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


class SVG_LP(nn.Module):
    """SVG_LP, developed:

    (1) fx_t = CNN(x_t; 32, 64, 128 relu, kernel 4, stride 2; 128)
    (2) k_t = LSTM(fx_{t-1}, k_{t-1})
    (3) h_t = LSTM(fx_{t-1}, z_t, h_{t-1})
    (4) g_t = LSTM(fx_t, g_{t-1})
    (5) p(z_t | x_{1:t-1}) = Gaussian with mean and log-variance from k_t
    (6) p(x_t | x_{1:t-1}, z_{1:t}) = Bernoulli with logits from transposed CNN(h_t; 128, 64, 32 relu, kernel
        4, stride 2)
    (7) q(z_t | x_{1:t}) = Gaussian with mean and log-variance from g_t
    """

    def __init__(self) -> None:
        super().__init__()
        # (1) fx_t = CNN(x_t; 32, 64, 128 relu, kernel 4, stride 2; 128)
        self.fx_1 = nn.Conv2d(1, 32, 4, stride=2, padding=1)
        self.fx_2 = nn.Conv2d(32, 64, 4, stride=2, padding=1)
        self.fx_3 = nn.Conv2d(64, 128, 4, stride=2, padding=1)
        self.fx_out = nn.Linear(2048, 128)
        # (2) k_t = LSTM(fx_{t-1}, k_{t-1})
        self.k_rnn = nn.LSTM(128, 256, batch_first=True)
        # (3) h_t = LSTM(fx_{t-1}, z_t, h_{t-1})
        self.h_rnn = nn.LSTM(138, 256, batch_first=True)
        # (4) g_t = LSTM(fx_t, g_{t-1})
        self.g_rnn = nn.LSTM(128, 256, batch_first=True)
        # (5) p(z_t | x_{1:t-1}) = Gaussian with mean and log-variance from k_t
        self.p_z_1 = nn.Linear(256, 20)
        # (6) p(x_t | x_{1:t-1}, z_{1:t}) = Bernoulli with logits from transposed CNN(h_t; 128, 64, 32 relu,
        #     kernel 4, stride 2)
        self.p_x_1 = nn.Linear(256, 2048)
        self.p_x_2 = nn.ConvTranspose2d(128, 64, 4, stride=2, padding=1)
        self.p_x_3 = nn.ConvTranspose2d(64, 32, 4, stride=2, padding=1)
        self.p_x_4 = nn.ConvTranspose2d(32, 1, 4, stride=2, padding=1)
        # (7) q(z_t | x_{1:t}) = Gaussian with mean and log-variance from g_t
        self.q_z_1 = nn.Linear(256, 20)

    def fx_net(self, a: Tensor) -> Tensor:
        """(1) from a (..., 1024) -> (..., 128)."""
        shape = a.shape[:-1]
        a = a.reshape(-1, 1, 32, 32)
        a = torch.relu(self.fx_1(a))
        a = torch.relu(self.fx_2(a))
        a = torch.relu(self.fx_3(a))
        a = torch.relu(self.fx_out(a.reshape(list(shape) + [2048])))
        return a

    def p_z(self, a: Tensor) -> Tuple[Tensor, Tensor]:
        """(5) from its first layer's pre-activation: (..., 20) -> mean, logvar."""
        mean, logvar = a.chunk(2, -1)
        logvar = bounded(logvar)
        return mean, logvar

    def p_x(self, a: Tensor) -> Tensor:
        """(6) from its first layer's pre-activation: (..., 2048) -> logits."""
        shape = a.shape[:-1]
        a = torch.relu(a).reshape(-1, 128, 4, 4)
        a = torch.relu(self.p_x_2(a))
        a = torch.relu(self.p_x_3(a))
        a = self.p_x_4(a)
        a = a.reshape(list(shape) + [1024])
        logits: Tensor = a
        return logits

    def q_z(self, a: Tensor) -> Tuple[Tensor, Tensor]:
        """(7) from its first layer's pre-activation: (..., 20) -> mean, logvar."""
        mean, logvar = a.chunk(2, -1)
        logvar = bounded(logvar)
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

            L = sum_t E_q[log p(x_t | x_{1:t-1}, z_{1:t})]
              - sum_t KL(q(z_t | x_{1:t}) || p(z_t | x_{1:t-1}))
        """
        batch, frames = x.size(0), x.size(1)
        mask = frame_mask(lengths, x, batch, frames)
        seen_x = seen(mask, mask_x)
        x = own(framed(flat(x, 2, [1, 32, 32]), "x", 1024), seen_x)
        noise_z = normal_noise(noise_z, x, mask, 10)
        fx = self.fx_net(x)  # (1)
        g = self.g_rnn(fx)[0]  # (4)
        q_z_mean, q_z_logvar = self.q_z(self.q_z_1(g))  # (7)
        z = q_z_mean + torch.exp(0.5 * q_z_logvar) * noise_z
        x_start = x.new_zeros(batch, 1024)
        fx_start = self.fx_net(x_start)
        fx_lag1 = lag(fx, 1, fx_start)
        k = self.k_rnn(fx_lag1)[0]  # (2)
        h = self.h_rnn(torch.cat([fx_lag1, z], -1))[0]  # (3)
        p_z_mean, p_z_logvar = self.p_z(self.p_z_1(k))  # (5)
        p_x_logits = self.p_x(self.p_x_1(h))  # (6)
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
        x = own(framed(flat(x, 2, [1, 32, 32]), "x", 1024), seen_x)
        noise_z = normal_noise(noise_z, x, mask, 10)
        fx = self.fx_net(x)  # (1)
        g = self.g_rnn(fx)[0]  # (4)
        q_z_mean, q_z_logvar = self.q_z(self.q_z_1(g))  # (7)
        z = q_z_mean + torch.exp(0.5 * q_z_logvar) * noise_z
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
        x = own(framed(flat(x, 2, [1, 32, 32]), "x", 1024), seen_x)
        z = own(framed(z, "z", 10), mask)
        fx = self.fx_net(x)  # (1)
        x_start = x.new_zeros(batch, 1024)
        fx_start = self.fx_net(x_start)
        fx_lag1 = lag(fx, 1, fx_start)
        k = self.k_rnn(fx_lag1)[0]  # (2)
        h = self.h_rnn(torch.cat([fx_lag1, z], -1))[0]  # (3)
        g = self.g_rnn(fx)[0]  # (4)
        p_z_mean, p_z_logvar = self.p_z(self.p_z_1(k))  # (5)
        p_x_logits = self.p_x(self.p_x_1(h))  # (6)
        q_z_mean, q_z_logvar = self.q_z(self.q_z_1(g))  # (7)
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
        x = own(framed(flat(x, 2, [1, 32, 32]), "x", 1024), seen_x)
        noise_z = normal_noise(noise_z, x, mask, 10)
        fx = self.fx_net(x)  # (1)
        g = self.g_rnn(fx)[0]  # (4)
        q_z_mean, q_z_logvar = self.q_z(self.q_z_1(g))  # (7)
        z = q_z_mean + torch.exp(0.5 * q_z_logvar) * noise_z
        x_start = x.new_zeros(batch, 1024)
        fx_start = self.fx_net(x_start)
        fx_lag1 = lag(fx, 1, fx_start)
        h = self.h_rnn(torch.cat([fx_lag1, z], -1))[0]  # (3)
        p_x_logits = self.p_x(self.p_x_1(h))  # (6)
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
        mask = frame_mask(lengths, self.fx_1.weight, batch, frames)
        noise_z = normal_noise(noise_z, self.fx_1.weight, mask, 10)
        noise_x = uniform_noise(noise_x, self.fx_1.weight, mask, 1024)
        k_input_weight = weights(self.k_rnn.weight_ih_l0)
        k_input_bias = weights(self.k_rnn.bias_ih_l0)
        h_input_weight = weights(self.h_rnn.weight_ih_l0)
        h_input_bias = weights(self.h_rnn.bias_ih_l0)
        k_start = self.fx_1.weight.new_zeros(batch, 256)
        k_prev = k_start
        k_cell_prev = k_start
        k_recurrent = weights(self.k_rnn.weight_hh_l0)
        k_bias = weights(self.k_rnn.bias_hh_l0)
        noise_z_at = noise_z.unbind(1)
        h_start = self.fx_1.weight.new_zeros(batch, 256)
        h_prev = h_start
        h_cell_prev = h_start
        h_recurrent = weights(self.h_rnn.weight_hh_l0)
        h_bias = weights(self.h_rnn.bias_hh_l0)
        noise_x_at = noise_x.unbind(1)
        x_start = self.fx_1.weight.new_zeros(batch, 1024)
        fx_start = self.fx_net(x_start)
        fx_prev = fx_start
        p_z_mean_list: List[Tensor] = []
        p_z_logvar_list: List[Tensor] = []
        z_list: List[Tensor] = []
        p_x_logits_list: List[Tensor] = []
        x_list: List[Tensor] = []
        # Loop over time, forward: k, p_z, z, h, p_x, x, fx; cycle over time through k_t <- fx_<t-1>,
        # k_t <- k_<t-1>, h_t <- fx_<t-1>, h_t <- h_<t-1>.
        for t in range(frames):
            k_gates = F.linear(fx_prev, k_input_weight, k_input_bias)
            k_gates = k_gates + F.linear(k_prev, k_recurrent, k_bias)
            k_t, k_cell_t = lstm_cell(k_gates, k_cell_prev)  # (2)
            p_z_mean_t, p_z_logvar_t = self.p_z(self.p_z_1(k_t))  # (5)
            z_t = p_z_mean_t + torch.exp(0.5 * p_z_logvar_t) * noise_z_at[t]
            h_gates = F.linear(torch.cat([fx_prev, z_t], -1), h_input_weight, h_input_bias)
            h_gates = h_gates + F.linear(h_prev, h_recurrent, h_bias)
            h_t, h_cell_t = lstm_cell(h_gates, h_cell_prev)  # (3)
            p_x_logits_t = self.p_x(self.p_x_1(h_t))  # (6)
            x_t = torch.sigmoid(p_x_logits_t)
            if sample:
                x_t = (noise_x_at[t] < torch.sigmoid(p_x_logits_t)).to(p_x_logits_t.dtype)
            fx_t = self.fx_net(x_t)  # (1)
            p_z_mean_list.append(p_z_mean_t)
            p_z_logvar_list.append(p_z_logvar_t)
            z_list.append(z_t)
            p_x_logits_list.append(p_x_logits_t)
            x_list.append(x_t)
            k_prev = k_t
            k_cell_prev = k_cell_t
            h_prev = h_t
            h_cell_prev = h_cell_t
            fx_prev = fx_t
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
        noise_z = normal_noise(noise_z, x, mask, 10)
        noise_x = uniform_noise(noise_x, x, mask, 1024)
        inferred = self.encode(x=x, lengths=lengths, noise_z=noise_z[:, :context], mask_x=mask_x)
        known_z = extended(own_context, frames)
        z_known = extended(inferred.z, frames)
        known_x = extended(own_context, frames)
        x_known = extended(
            own(framed(flat(x, 2, [1, 32, 32]), "x", 1024), seen(own_context, mask_x)),
            frames,
        )
        k_input_weight = weights(self.k_rnn.weight_ih_l0)
        k_input_bias = weights(self.k_rnn.bias_ih_l0)
        h_input_weight = weights(self.h_rnn.weight_ih_l0)
        h_input_bias = weights(self.h_rnn.bias_ih_l0)
        k_start = x.new_zeros(batch, 256)
        k_prev = k_start
        k_cell_prev = k_start
        k_recurrent = weights(self.k_rnn.weight_hh_l0)
        k_bias = weights(self.k_rnn.bias_hh_l0)
        noise_z_at = noise_z.unbind(1)
        z_known_at = z_known.unbind(1)
        known_z_at = known_z.unbind(1)
        h_start = x.new_zeros(batch, 256)
        h_prev = h_start
        h_cell_prev = h_start
        h_recurrent = weights(self.h_rnn.weight_hh_l0)
        h_bias = weights(self.h_rnn.bias_hh_l0)
        noise_x_at = noise_x.unbind(1)
        x_known_at = x_known.unbind(1)
        known_x_at = known_x.unbind(1)
        x_start = x.new_zeros(batch, 1024)
        fx_start = self.fx_net(x_start)
        fx_prev = fx_start
        p_z_mean_list: List[Tensor] = []
        p_z_logvar_list: List[Tensor] = []
        z_list: List[Tensor] = []
        p_x_logits_list: List[Tensor] = []
        x_list: List[Tensor] = []
        # Loop over time, forward: k, p_z, z, h, p_x, x, fx; cycle over time through k_t <- fx_<t-1>,
        # k_t <- k_<t-1>, h_t <- fx_<t-1>, h_t <- h_<t-1>.
        for t in range(frames):
            k_gates = F.linear(fx_prev, k_input_weight, k_input_bias)
            k_gates = k_gates + F.linear(k_prev, k_recurrent, k_bias)
            k_t, k_cell_t = lstm_cell(k_gates, k_cell_prev)  # (2)
            p_z_mean_t, p_z_logvar_t = self.p_z(self.p_z_1(k_t))  # (5)
            z_t = p_z_mean_t + torch.exp(0.5 * p_z_logvar_t) * noise_z_at[t]
            z_t = torch.where(known_z_at[t], z_known_at[t], z_t)
            h_gates = F.linear(torch.cat([fx_prev, z_t], -1), h_input_weight, h_input_bias)
            h_gates = h_gates + F.linear(h_prev, h_recurrent, h_bias)
            h_t, h_cell_t = lstm_cell(h_gates, h_cell_prev)  # (3)
            p_x_logits_t = self.p_x(self.p_x_1(h_t))  # (6)
            x_t = torch.sigmoid(p_x_logits_t)
            if sample:
                x_t = (noise_x_at[t] < torch.sigmoid(p_x_logits_t)).to(p_x_logits_t.dtype)
            x_t = torch.where(known_x_at[t], x_known_at[t], x_t)
            fx_t = self.fx_net(x_t)  # (1)
            p_z_mean_list.append(p_z_mean_t)
            p_z_logvar_list.append(p_z_logvar_t)
            z_list.append(z_t)
            p_x_logits_list.append(p_x_logits_t)
            x_list.append(x_t)
            k_prev = k_t
            k_cell_prev = k_cell_t
            h_prev = h_t
            h_cell_prev = h_cell_t
            fx_prev = fx_t
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
        inferred = self.encode(x=x, lengths=lengths, noise_z=noise_z, mask_x=mask_x)
        z = inferred.z
        q_z_mean = inferred.q_z_mean
        q_z_logvar = inferred.q_z_logvar
        seen_x = seen(mask, mask_x)
        x_known = own(framed(flat(x, 2, [1, 32, 32]), "x", 1024), seen_x)
        known_x = unless_fed(fed, mask)
        noise_x = uniform_noise(noise_x, x, mask, 1024)
        h_input_weight = weights(self.h_rnn.weight_ih_l0)
        h_input_bias = weights(self.h_rnn.bias_ih_l0)
        h_pre = F.linear(z, h_input_weight[:, 128:138], h_input_bias)
        h_pre_at = h_pre.unbind(1)
        h_weight = h_input_weight[:, 0:128]
        h_start = x.new_zeros(batch, 256)
        h_prev = h_start
        h_cell_prev = h_start
        h_recurrent = weights(self.h_rnn.weight_hh_l0)
        h_bias = weights(self.h_rnn.bias_hh_l0)
        noise_x_at = noise_x.unbind(1)
        x_known_at = x_known.unbind(1)
        known_x_at = known_x.unbind(1)
        x_start = x.new_zeros(batch, 1024)
        fx_start = self.fx_net(x_start)
        fx_prev = fx_start
        p_x_logits_list: List[Tensor] = []
        fx_list: List[Tensor] = []
        # Loop over time, forward: h, p_x, x, fx; cycle over time through h_t <- fx_<t-1>, h_t <- h_<t-1>.
        for t in range(frames):
            h_gates = h_pre_at[t] + F.linear(fx_prev, h_weight)
            h_gates = h_gates + F.linear(h_prev, h_recurrent, h_bias)
            h_t, h_cell_t = lstm_cell(h_gates, h_cell_prev)  # (3)
            p_x_logits_t = self.p_x(self.p_x_1(h_t))  # (6)
            x_t = torch.sigmoid(p_x_logits_t)
            if sample:
                x_t = (noise_x_at[t] < torch.sigmoid(p_x_logits_t)).to(p_x_logits_t.dtype)
            x_t = torch.where(known_x_at[t], x_known_at[t], x_t)
            fx_t = self.fx_net(x_t)  # (1)
            p_x_logits_list.append(p_x_logits_t)
            fx_list.append(fx_t)
            h_prev = h_t
            h_cell_prev = h_cell_t
            fx_prev = fx_t
        p_x_logits = torch.stack(p_x_logits_list, 1)
        fx = torch.stack(fx_list, 1)
        fx_lag1 = lag(fx, 1, fx_start)
        k = self.k_rnn(fx_lag1)[0]  # (2)
        p_z_mean, p_z_logvar = self.p_z(self.p_z_1(k))  # (5)
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
        x_start = self.fx_1.weight.new_zeros(batch, 1024)
        fx_start = self.fx_net(x_start)
        k_start = self.fx_1.weight.new_zeros(batch, 256)
        h_start = self.fx_1.weight.new_zeros(batch, 256)
        g_start = self.fx_1.weight.new_zeros(batch, 256)
        return State(0, batch, fx_start, k_start, k_start, h_start, h_start, g_start, g_start)

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
        fx_prev = state.fx_prev
        k_prev = state.k_prev
        k_cell_prev = state.k_cell_prev
        h_prev = state.h_prev
        h_cell_prev = state.h_cell_prev
        g_prev = state.g_prev
        g_cell_prev = state.g_cell_prev
        present = torch.ones([batch, 1], dtype=torch.bool, device=self.fx_1.weight.device)
        noise_x = uniform_noise(noise_x, self.fx_1.weight, present, 1024)
        noise_z = normal_noise(noise_z, self.fx_1.weight, present, 10)
        k_recurrent = weights(self.k_rnn.weight_hh_l0)
        k_bias = weights(self.k_rnn.bias_hh_l0)
        h_recurrent = weights(self.h_rnn.weight_hh_l0)
        h_bias = weights(self.h_rnn.bias_hh_l0)
        g_recurrent = weights(self.g_rnn.weight_hh_l0)
        g_bias = weights(self.g_rnn.bias_hh_l0)
        k_input_weight = weights(self.k_rnn.weight_ih_l0)
        k_input_bias = weights(self.k_rnn.bias_ih_l0)
        h_input_weight = weights(self.h_rnn.weight_ih_l0)
        h_input_bias = weights(self.h_rnn.bias_ih_l0)
        g_input_weight = weights(self.g_rnn.weight_ih_l0)
        g_input_bias = weights(self.g_rnn.bias_ih_l0)
        k_gates = F.linear(fx_prev, k_input_weight, k_input_bias)
        k_gates = k_gates + F.linear(k_prev, k_recurrent, k_bias)
        k_t, k_cell_t = lstm_cell(k_gates, k_cell_prev)  # (2)
        p_z_mean_t, p_z_logvar_t = self.p_z(self.p_z_1(k_t))  # (5)
        z_t = p_z_mean_t + torch.exp(0.5 * p_z_logvar_t) * noise_z
        h_gates = F.linear(torch.cat([fx_prev, z_t], -1), h_input_weight, h_input_bias)
        h_gates = h_gates + F.linear(h_prev, h_recurrent, h_bias)
        h_t, h_cell_t = lstm_cell(h_gates, h_cell_prev)  # (3)
        p_x_logits_t = self.p_x(self.p_x_1(h_t))  # (6)
        x_t = torch.sigmoid(p_x_logits_t)
        if sample:
            x_t = (noise_x < torch.sigmoid(p_x_logits_t)).to(p_x_logits_t.dtype)
        fx_t = self.fx_net(x_t)  # (1)
        g_gates = F.linear(fx_t, g_input_weight, g_input_bias)
        g_gates = g_gates + F.linear(g_prev, g_recurrent, g_bias)
        g_t, g_cell_t = lstm_cell(g_gates, g_cell_prev)  # (4)
        fx_prev = fx_t
        k_prev = k_t
        k_cell_prev = k_cell_t
        h_prev = h_t
        h_cell_prev = h_cell_t
        g_prev = g_t
        g_cell_prev = g_cell_t
        after = State(
            state.frame + 1,
            batch,
            fx_prev,
            k_prev,
            k_cell_prev,
            h_prev,
            h_cell_prev,
            g_prev,
            g_cell_prev,
        )
        return after, Imagined(x_t, z_t, p_z_mean_t, p_z_logvar_t, p_x_logits_t)

    @torch.jit.export
    def step(
        self,
        state: State,
        x: Tensor,
        noise_z: Optional[Tensor] = None,
        mask_x: Optional[Tensor] = None,
    ) -> Tuple[State, Stepped]:
        """Observe one frame of each stream: draw the latents from q; return the state behind it."""
        batch = state.batch
        fx_prev = state.fx_prev
        k_prev = state.k_prev
        k_cell_prev = state.k_cell_prev
        h_prev = state.h_prev
        h_cell_prev = state.h_cell_prev
        g_prev = state.g_prev
        g_cell_prev = state.g_cell_prev
        present = torch.ones([batch, 1], dtype=torch.bool, device=self.fx_1.weight.device)
        x_t = own(static(x, "x", 1024), seen(present, mask_x))
        noise_z = normal_noise(noise_z, self.fx_1.weight, present, 10)
        k_recurrent = weights(self.k_rnn.weight_hh_l0)
        k_bias = weights(self.k_rnn.bias_hh_l0)
        g_recurrent = weights(self.g_rnn.weight_hh_l0)
        g_bias = weights(self.g_rnn.bias_hh_l0)
        h_recurrent = weights(self.h_rnn.weight_hh_l0)
        h_bias = weights(self.h_rnn.bias_hh_l0)
        k_input_weight = weights(self.k_rnn.weight_ih_l0)
        k_input_bias = weights(self.k_rnn.bias_ih_l0)
        g_input_weight = weights(self.g_rnn.weight_ih_l0)
        g_input_bias = weights(self.g_rnn.bias_ih_l0)
        h_input_weight = weights(self.h_rnn.weight_ih_l0)
        h_input_bias = weights(self.h_rnn.bias_ih_l0)
        fx_t = self.fx_net(x_t)  # (1)
        k_gates = F.linear(fx_prev, k_input_weight, k_input_bias)
        k_gates = k_gates + F.linear(k_prev, k_recurrent, k_bias)
        k_t, k_cell_t = lstm_cell(k_gates, k_cell_prev)  # (2)
        g_gates = F.linear(fx_t, g_input_weight, g_input_bias)
        g_gates = g_gates + F.linear(g_prev, g_recurrent, g_bias)
        g_t, g_cell_t = lstm_cell(g_gates, g_cell_prev)  # (4)
        p_z_mean_t, p_z_logvar_t = self.p_z(self.p_z_1(k_t))  # (5)
        q_z_mean_t, q_z_logvar_t = self.q_z(self.q_z_1(g_t))  # (7)
        z_t = q_z_mean_t + torch.exp(0.5 * q_z_logvar_t) * noise_z
        h_gates = F.linear(torch.cat([fx_prev, z_t], -1), h_input_weight, h_input_bias)
        h_gates = h_gates + F.linear(h_prev, h_recurrent, h_bias)
        h_t, h_cell_t = lstm_cell(h_gates, h_cell_prev)  # (3)
        p_x_logits_t = self.p_x(self.p_x_1(h_t))  # (6)
        fx_prev = fx_t
        k_prev = k_t
        k_cell_prev = k_cell_t
        h_prev = h_t
        h_cell_prev = h_cell_t
        g_prev = g_t
        g_cell_prev = g_cell_t
        after = State(
            state.frame + 1,
            batch,
            fx_prev,
            k_prev,
            k_cell_prev,
            h_prev,
            h_cell_prev,
            g_prev,
            g_cell_prev,
        )
        return after, Stepped(z_t, q_z_mean_t, q_z_logvar_t, p_z_mean_t, p_z_logvar_t, p_x_logits_t)
