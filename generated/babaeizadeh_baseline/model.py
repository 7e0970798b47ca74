"""SV2PBaseline: The frame-by-frame baseline of SV2P, white latents under the decoder of SRNN

    p = prod_t p(z_t) p(x_t | x_{1:t-1}, z_t)
    q = prod_t q(z_t | x_{1:t})
    L = sum_t E_q[log p(x_t | x_{1:t-1}, z_t)]
        - sum_t KL(q(z_t | x_{1:t}) || p(z_t))

Frame-level tensors have shape (batch, time, dim), sequence-level ones (batch, dim), `lengths` (batch,).
Draws may be passed in as noise. Emitted by dvaec from spec aed8846a40c868be: change the spec, not this file.
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
    h_prev: Tensor  # (batch, 128), h 1 step before
    h_cell_prev: Tensor  # (batch, 128), h_cell 1 step before


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


def gaussian_log_density(x: Tensor, mean: Tensor, logvar: Tensor) -> Tensor:
    """log N(x; mean, diag exp(logvar)): (..., dim) -> (...)."""
    square = (x - mean).square() * torch.exp(-logvar)
    return -0.5 * (square + logvar).sum(-1) - 0.5 * math.log(2.0 * math.pi) * x.size(-1)


def bernoulli_log_density(x: Tensor, logits: Tensor) -> Tensor:
    """x log s(l) + (1 - x) log(1 - s(l)) = x l - log(1 + exp l): (..., dim) -> (...)."""
    return (x * logits - F.softplus(logits)).sum(-1)


def standard_kl(mean: Tensor, logvar: Tensor) -> Tensor:
    """KL(N(mean, exp logvar) || N(0, I)): (..., dim) -> (...)."""
    return 0.5 * (mean.square() + torch.exp(logvar) - logvar - 1.0).sum(-1)


class SV2PBaseline(nn.Module):
    """SV2PBaseline, developed:

    (1) h_in_t = MLP(x_{t-1}; 256 tanh)
    (2) h_t = LSTM(h_in_t, h_{t-1})
    (3) p(z_t) = N(0, I)
    (4) p(x_t | x_{1:t-1}, z_t) = Bernoulli with logits from z_t, h_t through 256 tanh
    (5) q(z_t | x_{1:t}) = Gaussian with mean and log-variance from h_t, x_t through 64 tanh
    """

    def __init__(self) -> None:
        super().__init__()
        # (1) h_in_t = MLP(x_{t-1}; 256 tanh)
        self.h_in_1 = nn.Linear(88, 256)
        # (2) h_t = LSTM(h_in_t, h_{t-1})
        self.h_rnn = nn.LSTM(256, 128, batch_first=True)
        # (4) p(x_t | x_{1:t-1}, z_t) = Bernoulli with logits from z_t, h_t through 256 tanh
        self.p_x_1 = nn.Linear(136, 256)
        self.p_x_out = nn.Linear(256, 88)
        # (5) q(z_t | x_{1:t}) = Gaussian with mean and log-variance from h_t, x_t through 64 tanh
        self.q_z_1 = nn.Linear(216, 64)
        self.q_z_out = nn.Linear(64, 16)

    def h_in_net(self, a: Tensor) -> Tensor:
        """(1) from its first layer's pre-activation: (..., 256) -> (..., 256)."""
        a = torch.tanh(a)
        return a

    def p_x(self, a: Tensor) -> Tensor:
        """(4) from its first layer's pre-activation: (..., 256) -> logits."""
        a = torch.tanh(a)
        logits: Tensor = self.p_x_out(a)
        return logits

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
        lengths: Optional[Tensor] = None,
        noise_z: Optional[Tensor] = None,
        mask_x: Optional[Tensor] = None,
    ) -> Elbo:
        """The evidence lower bound of every sequence and its parts, one draw of the latents:

            L = sum_t E_q[log p(x_t | x_{1:t-1}, z_t)]
              - sum_t KL(q(z_t | x_{1:t}) || p(z_t))
        """
        batch, frames = x.size(0), x.size(1)
        mask = frame_mask(lengths, x, batch, frames)
        seen_x = seen(mask, mask_x)
        x = own(framed(x, "x", 88), seen_x)
        noise_z = normal_noise(noise_z, x, mask, 8)
        x_lag1 = lag(x, 1)
        h_in = self.h_in_net(self.h_in_1(x_lag1))  # (1)
        h = self.h_rnn(h_in)[0]  # (2)
        q_z_mean, q_z_logvar = self.q_z(self.q_z_1(torch.cat([h, x], -1)))  # (5)
        z = q_z_mean + torch.exp(0.5 * q_z_logvar) * noise_z
        p_x_logits = self.p_x(self.p_x_1(torch.cat([z, h], -1)))  # (4)
        log_p_x = own(bernoulli_log_density(x, p_x_logits), seen_x.squeeze(-1))
        kl_z = own(standard_kl(q_z_mean, q_z_logvar), mask.squeeze(-1))
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
        noise_z = normal_noise(noise_z, x, mask, 8)
        x_lag1 = lag(x, 1)
        h_in = self.h_in_net(self.h_in_1(x_lag1))  # (1)
        h = self.h_rnn(h_in)[0]  # (2)
        q_z_mean, q_z_logvar = self.q_z(self.q_z_1(torch.cat([h, x], -1)))  # (5)
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
        x = own(framed(x, "x", 88), seen_x)
        z = own(framed(z, "z", 8), mask)
        x_lag1 = lag(x, 1)
        h_in = self.h_in_net(self.h_in_1(x_lag1))  # (1)
        h = self.h_rnn(h_in)[0]  # (2)
        p_z_mean = x.new_zeros(batch, frames, 8)
        p_z_logvar = x.new_zeros(batch, frames, 8)
        p_x_logits = self.p_x(self.p_x_1(torch.cat([z, h], -1)))  # (4)
        q_z_mean, q_z_logvar = self.q_z(self.q_z_1(torch.cat([h, x], -1)))  # (5)
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
        noise_z = normal_noise(noise_z, x, mask, 8)
        x_lag1 = lag(x, 1)
        h_in = self.h_in_net(self.h_in_1(x_lag1))  # (1)
        h = self.h_rnn(h_in)[0]  # (2)
        q_z_mean, q_z_logvar = self.q_z(self.q_z_1(torch.cat([h, x], -1)))  # (5)
        z = q_z_mean + torch.exp(0.5 * q_z_logvar) * noise_z
        p_x_logits = self.p_x(self.p_x_1(torch.cat([z, h], -1)))  # (4)
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
        mask = frame_mask(lengths, self.h_in_1.weight, batch, frames)
        noise_z = normal_noise(noise_z, self.h_in_1.weight, mask, 8)
        noise_x = uniform_noise(noise_x, self.h_in_1.weight, mask, 88)
        p_z_mean = self.h_in_1.weight.new_zeros(batch, frames, 8)
        p_z_logvar = self.h_in_1.weight.new_zeros(batch, frames, 8)
        z = noise_z
        h_input_weight = weights(self.h_rnn.weight_ih_l0)
        h_input_bias = weights(self.h_rnn.bias_ih_l0)
        p_x_1_pre = F.linear(z, self.p_x_1.weight[:, 0:8], self.p_x_1.bias)
        p_x_1_pre_at = p_x_1_pre.unbind(1)
        p_x_1_weight = self.p_x_1.weight[:, 8:136]
        h_start = self.h_in_1.weight.new_zeros(batch, 128)
        h_prev = h_start
        h_cell_prev = h_start
        h_recurrent = weights(self.h_rnn.weight_hh_l0)
        h_bias = weights(self.h_rnn.bias_hh_l0)
        x_start = self.h_in_1.weight.new_zeros(batch, 88)
        x_prev = x_start
        noise_x_at = noise_x.unbind(1)
        p_x_logits_list: List[Tensor] = []
        x_list: List[Tensor] = []
        # Loop over time, forward: h_in, h, p_x, x; cycle over time through h_in_t <- x_<t-1>,
        # h_t <- h_<t-1>.
        for t in range(frames):
            h_in_t = self.h_in_net(self.h_in_1(x_prev))  # (1)
            h_gates = F.linear(h_in_t, h_input_weight, h_input_bias)
            h_gates = h_gates + F.linear(h_prev, h_recurrent, h_bias)
            h_t, h_cell_t = lstm_cell(h_gates, h_cell_prev)  # (2)
            p_x_logits_t = self.p_x(p_x_1_pre_at[t] + F.linear(h_t, p_x_1_weight))  # (4)
            x_t = torch.sigmoid(p_x_logits_t)
            if sample:
                x_t = (noise_x_at[t] < torch.sigmoid(p_x_logits_t)).to(p_x_logits_t.dtype)
            p_x_logits_list.append(p_x_logits_t)
            x_list.append(x_t)
            h_prev = h_t
            h_cell_prev = h_cell_t
            x_prev = x_t
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
        noise_z = normal_noise(noise_z, x, mask, 8)
        noise_x = uniform_noise(noise_x, x, mask, 88)
        inferred = self.encode(x=x, lengths=lengths, noise_z=noise_z[:, :context], mask_x=mask_x)
        known_z = extended(own_context, frames)
        z_known = extended(inferred.z, frames)
        known_x = extended(own_context, frames)
        x_known = extended(own(framed(x, "x", 88), seen(own_context, mask_x)), frames)
        p_z_mean = x.new_zeros(batch, frames, 8)
        p_z_logvar = x.new_zeros(batch, frames, 8)
        z = noise_z
        z = torch.where(known_z, z_known, z)
        h_input_weight = weights(self.h_rnn.weight_ih_l0)
        h_input_bias = weights(self.h_rnn.bias_ih_l0)
        p_x_1_pre = F.linear(z, self.p_x_1.weight[:, 0:8], self.p_x_1.bias)
        p_x_1_pre_at = p_x_1_pre.unbind(1)
        p_x_1_weight = self.p_x_1.weight[:, 8:136]
        h_start = x.new_zeros(batch, 128)
        h_prev = h_start
        h_cell_prev = h_start
        h_recurrent = weights(self.h_rnn.weight_hh_l0)
        h_bias = weights(self.h_rnn.bias_hh_l0)
        x_start = x.new_zeros(batch, 88)
        x_prev = x_start
        noise_x_at = noise_x.unbind(1)
        x_known_at = x_known.unbind(1)
        known_x_at = known_x.unbind(1)
        p_x_logits_list: List[Tensor] = []
        x_list: List[Tensor] = []
        # Loop over time, forward: h_in, h, p_x, x; cycle over time through h_in_t <- x_<t-1>,
        # h_t <- h_<t-1>.
        for t in range(frames):
            h_in_t = self.h_in_net(self.h_in_1(x_prev))  # (1)
            h_gates = F.linear(h_in_t, h_input_weight, h_input_bias)
            h_gates = h_gates + F.linear(h_prev, h_recurrent, h_bias)
            h_t, h_cell_t = lstm_cell(h_gates, h_cell_prev)  # (2)
            p_x_logits_t = self.p_x(p_x_1_pre_at[t] + F.linear(h_t, p_x_1_weight))  # (4)
            x_t = torch.sigmoid(p_x_logits_t)
            if sample:
                x_t = (noise_x_at[t] < torch.sigmoid(p_x_logits_t)).to(p_x_logits_t.dtype)
            x_t = torch.where(known_x_at[t], x_known_at[t], x_t)
            p_x_logits_list.append(p_x_logits_t)
            x_list.append(x_t)
            h_prev = h_t
            h_cell_prev = h_cell_t
            x_prev = x_t
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
        x_known = own(framed(x, "x", 88), seen_x)
        known_x = unless_fed(fed, mask)
        noise_x = uniform_noise(noise_x, x, mask, 88)
        h_input_weight = weights(self.h_rnn.weight_ih_l0)
        h_input_bias = weights(self.h_rnn.bias_ih_l0)
        p_x_1_pre = F.linear(z, self.p_x_1.weight[:, 0:8], self.p_x_1.bias)
        p_x_1_pre_at = p_x_1_pre.unbind(1)
        p_x_1_weight = self.p_x_1.weight[:, 8:136]
        h_start = x.new_zeros(batch, 128)
        h_prev = h_start
        h_cell_prev = h_start
        h_recurrent = weights(self.h_rnn.weight_hh_l0)
        h_bias = weights(self.h_rnn.bias_hh_l0)
        x_start = x.new_zeros(batch, 88)
        x_prev = x_start
        noise_x_at = noise_x.unbind(1)
        x_known_at = x_known.unbind(1)
        known_x_at = known_x.unbind(1)
        p_x_logits_list: List[Tensor] = []
        # Loop over time, forward: h_in, h, p_x, x; cycle over time through h_in_t <- x_<t-1>,
        # h_t <- h_<t-1>.
        for t in range(frames):
            h_in_t = self.h_in_net(self.h_in_1(x_prev))  # (1)
            h_gates = F.linear(h_in_t, h_input_weight, h_input_bias)
            h_gates = h_gates + F.linear(h_prev, h_recurrent, h_bias)
            h_t, h_cell_t = lstm_cell(h_gates, h_cell_prev)  # (2)
            p_x_logits_t = self.p_x(p_x_1_pre_at[t] + F.linear(h_t, p_x_1_weight))  # (4)
            x_t = torch.sigmoid(p_x_logits_t)
            if sample:
                x_t = (noise_x_at[t] < torch.sigmoid(p_x_logits_t)).to(p_x_logits_t.dtype)
            x_t = torch.where(known_x_at[t], x_known_at[t], x_t)
            p_x_logits_list.append(p_x_logits_t)
            h_prev = h_t
            h_cell_prev = h_cell_t
            x_prev = x_t
        p_x_logits = torch.stack(p_x_logits_list, 1)
        log_p_x = own(bernoulli_log_density(x_known, p_x_logits), seen_x.squeeze(-1))
        kl_z = own(standard_kl(q_z_mean, q_z_logvar), mask.squeeze(-1))
        elbo = (log_p_x - kl_z).sum(1)
        return ElboFed(elbo, log_p_x, kl_z, own(torch.sigmoid(p_x_logits), mask), p_x_logits)

    @torch.jit.export
    def begin(
        self,
        batch: int,
    ) -> State:
        """The state of `batch` streams before their first frame."""
        x_start = self.h_in_1.weight.new_zeros(batch, 88)
        h_start = self.h_in_1.weight.new_zeros(batch, 128)
        return State(0, batch, x_start, h_start, h_start)

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
        x_prev = state.x_prev
        h_prev = state.h_prev
        h_cell_prev = state.h_cell_prev
        present = torch.ones([batch, 1], dtype=torch.bool, device=self.h_in_1.weight.device)
        noise_x = uniform_noise(noise_x, self.h_in_1.weight, present, 88)
        noise_z = normal_noise(noise_z, self.h_in_1.weight, present, 8)
        h_recurrent = weights(self.h_rnn.weight_hh_l0)
        h_bias = weights(self.h_rnn.bias_hh_l0)
        h_input_weight = weights(self.h_rnn.weight_ih_l0)
        h_input_bias = weights(self.h_rnn.bias_ih_l0)
        h_in_t = self.h_in_net(self.h_in_1(x_prev))  # (1)
        h_gates = F.linear(h_in_t, h_input_weight, h_input_bias)
        h_gates = h_gates + F.linear(h_prev, h_recurrent, h_bias)
        h_t, h_cell_t = lstm_cell(h_gates, h_cell_prev)  # (2)
        p_z_mean_t = self.h_in_1.weight.new_zeros(batch, 8)
        p_z_logvar_t = self.h_in_1.weight.new_zeros(batch, 8)
        z_t = noise_z
        p_x_logits_t = self.p_x(self.p_x_1(torch.cat([z_t, h_t], -1)))  # (4)
        x_t = torch.sigmoid(p_x_logits_t)
        if sample:
            x_t = (noise_x < torch.sigmoid(p_x_logits_t)).to(p_x_logits_t.dtype)
        x_prev = x_t
        h_prev = h_t
        h_cell_prev = h_cell_t
        after = State(state.frame + 1, batch, x_prev, h_prev, h_cell_prev)
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
        x_prev = state.x_prev
        h_prev = state.h_prev
        h_cell_prev = state.h_cell_prev
        present = torch.ones([batch, 1], dtype=torch.bool, device=self.h_in_1.weight.device)
        x_t = own(static(x, "x", 88), seen(present, mask_x))
        noise_z = normal_noise(noise_z, self.h_in_1.weight, present, 8)
        h_recurrent = weights(self.h_rnn.weight_hh_l0)
        h_bias = weights(self.h_rnn.bias_hh_l0)
        h_input_weight = weights(self.h_rnn.weight_ih_l0)
        h_input_bias = weights(self.h_rnn.bias_ih_l0)
        h_in_t = self.h_in_net(self.h_in_1(x_prev))  # (1)
        h_gates = F.linear(h_in_t, h_input_weight, h_input_bias)
        h_gates = h_gates + F.linear(h_prev, h_recurrent, h_bias)
        h_t, h_cell_t = lstm_cell(h_gates, h_cell_prev)  # (2)
        p_z_mean_t = self.h_in_1.weight.new_zeros(batch, 8)
        p_z_logvar_t = self.h_in_1.weight.new_zeros(batch, 8)
        q_z_mean_t, q_z_logvar_t = self.q_z(self.q_z_1(torch.cat([h_t, x_t], -1)))  # (5)
        z_t = q_z_mean_t + torch.exp(0.5 * q_z_logvar_t) * noise_z
        p_x_logits_t = self.p_x(self.p_x_1(torch.cat([z_t, h_t], -1)))  # (4)
        x_prev = x_t
        h_prev = h_t
        h_cell_prev = h_cell_t
        after = State(state.frame + 1, batch, x_prev, h_prev, h_cell_prev)
        return after, Stepped(z_t, q_z_mean_t, q_z_logvar_t, p_z_mean_t, p_z_logvar_t, p_x_logits_t)
