"""DRAW: The structure of the deep recurrent attentive writer, one static x on a canvas of T strokes

    p = p(x | z_{1:T}) prod_t p(z_t)
    q = prod_t q(z_t | z_{1:t-1}, x)
    L = E_q[log p(x | z_{1:T})]
        - sum_t E_q[KL(q(z_t | z_{1:t-1}, x) || p(z_t))]

Frame-level tensors have shape (batch, time, dim), sequence-level ones (batch, dim), `lengths` (batch,).
Draws may be passed in as noise. Emitted by dvaec from spec 75e5a72dc989bb02: change the spec, not this file.
"""

import math
from typing import Any, List, NamedTuple, NoReturn, Optional, Tuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Elbo(NamedTuple):
    """The evidence lower bound and its parts."""

    elbo: Tensor  # (batch,), summed over each sequence's own frames
    log_p_x: Tensor  # (batch,), log p(x | ...)
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
    p_x_logits: Tensor  # (batch, 784), parameter of p(x)
    log_p_x: Tensor  # (batch,), log p(x | ...)
    q_z_mean: Tensor  # (batch, time, 10), parameter of q(z_t)
    q_z_logvar: Tensor  # (batch, time, 10), parameter of q(z_t)
    log_q_z: Tensor  # (batch, time), log q(z_t | ...), 0 on the padding


class Reconstruction(NamedTuple):
    """What p makes of latents drawn from q."""

    x: Tensor  # (batch, 784), mean of p(x | ...)
    p_x_logits: Tensor  # (batch, 784), parameter of p(x)


class Generated(NamedTuple):
    """A sequence drawn from p."""

    x: Tensor  # (batch, 784), drawn from p
    z: Tensor  # (batch, time, 10), drawn from p
    p_z_mean: Tensor  # (batch, time, 10), parameter of p(z_t)
    p_z_logvar: Tensor  # (batch, time, 10), parameter of p(z_t)
    p_x_logits: Tensor  # (batch, 784), parameter of p(x)


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


def last(value: Tensor, lengths: Optional[Tensor]) -> Tensor:
    """value_T, each sequence's own last frame: (batch, time, dim) -> (batch, dim)."""
    if lengths is None:
        return value[:, -1]
    at = (lengths.to(value.device) - 1).clamp(min=0).reshape(-1, 1, 1)
    return value.gather(1, at.expand(-1, 1, value.size(2))).squeeze(1)


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


class DRAW(nn.Module):
    """DRAW, developed:

    (1) d_t = LSTM(z_t, d_{t-1})
    (2) c_t = c_{t-1} + W d_t + b
    (3) e_t = LSTM(x, c_{t-1}, d_{t-1}, e_{t-1})
    (4) p(z_t) = N(0, I)
    (5) p(x | z_{1:T}) = Bernoulli with logits from c_T
    (6) q(z_t | z_{1:t-1}, x) = Gaussian with mean and log-variance from e_t
    """

    def __init__(self) -> None:
        super().__init__()
        # (1) d_t = LSTM(z_t, d_{t-1})
        self.d_rnn = nn.LSTM(10, 256, batch_first=True)
        # (2) c_t = c_{t-1} + W d_t + b
        self.c_1 = nn.Linear(256, 784)
        # (3) e_t = LSTM(x, c_{t-1}, d_{t-1}, e_{t-1})
        self.e_rnn = nn.LSTM(1824, 256, batch_first=True)
        # (5) p(x | z_{1:T}) = Bernoulli with logits from c_T
        self.p_x_1 = nn.Linear(784, 784)
        # (6) q(z_t | z_{1:t-1}, x) = Gaussian with mean and log-variance from e_t
        self.q_z_1 = nn.Linear(256, 20)

    def p_x(self, a: Tensor) -> Tensor:
        """(5) from its first layer's pre-activation: (..., 784) -> logits."""
        logits: Tensor = a
        return logits

    def q_z(self, a: Tensor) -> Tuple[Tensor, Tensor]:
        """(6) from its first layer's pre-activation: (..., 20) -> mean, logvar."""
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

            L = E_q[log p(x | z_{1:T})]
              - sum_t E_q[KL(q(z_t | z_{1:t-1}, x) || p(z_t))]
        """
        batch = x.size(0)
        frames = 10
        mask = frame_mask(lengths, x, batch, frames)
        seen_x = seen(mask[:, 0], mask_x)
        x = own(static(x, "x", 784), seen_x)
        noise_z = normal_noise(noise_z, x, mask, 10)
        e_input_weight = weights(self.e_rnn.weight_ih_l0)
        e_input_bias = weights(self.e_rnn.bias_ih_l0)
        x_all = x.unsqueeze(1).expand(-1, frames, -1)
        e_pre = F.linear(x_all, e_input_weight[:, 0:784], e_input_bias)
        e_pre_at = e_pre.unbind(1)
        e_weight = e_input_weight[:, 784:1824]
        d_input_weight = weights(self.d_rnn.weight_ih_l0)
        d_input_bias = weights(self.d_rnn.bias_ih_l0)
        e_start = x.new_zeros(batch, 256)
        e_prev = e_start
        e_cell_prev = e_start
        e_recurrent = weights(self.e_rnn.weight_hh_l0)
        e_bias = weights(self.e_rnn.bias_hh_l0)
        noise_z_at = noise_z.unbind(1)
        d_start = x.new_zeros(batch, 256)
        d_prev = d_start
        d_cell_prev = d_start
        d_recurrent = weights(self.d_rnn.weight_hh_l0)
        d_bias = weights(self.d_rnn.bias_hh_l0)
        c_start = x.new_zeros(batch, 784)
        c_prev = c_start
        q_z_mean_list: List[Tensor] = []
        q_z_logvar_list: List[Tensor] = []
        c_list: List[Tensor] = []
        # Loop over time, forward: e, q_z, z, d, c; cycle over time through d_t <- d_<t-1>,
        # c_t <- c_<t-1>, e_t <- c_<t-1>, e_t <- d_<t-1>, e_t <- e_<t-1>.
        for t in range(frames):
            e_gates = e_pre_at[t] + F.linear(torch.cat([c_prev, d_prev], -1), e_weight)
            e_gates = e_gates + F.linear(e_prev, e_recurrent, e_bias)
            e_t, e_cell_t = lstm_cell(e_gates, e_cell_prev)  # (3)
            q_z_mean_t, q_z_logvar_t = self.q_z(self.q_z_1(e_t))  # (6)
            z_t = q_z_mean_t + torch.exp(0.5 * q_z_logvar_t) * noise_z_at[t]
            d_gates = F.linear(z_t, d_input_weight, d_input_bias)
            d_gates = d_gates + F.linear(d_prev, d_recurrent, d_bias)
            d_t, d_cell_t = lstm_cell(d_gates, d_cell_prev)  # (1)
            c_t = c_prev + self.c_1(d_t)  # (2)
            q_z_mean_list.append(q_z_mean_t)
            q_z_logvar_list.append(q_z_logvar_t)
            c_list.append(c_t)
            e_prev = e_t
            e_cell_prev = e_cell_t
            d_prev = d_t
            d_cell_prev = d_cell_t
            c_prev = c_t
        q_z_mean = torch.stack(q_z_mean_list, 1)
        q_z_logvar = torch.stack(q_z_logvar_list, 1)
        c = torch.stack(c_list, 1)
        c_last = last(c, lengths)
        p_x_logits = self.p_x(self.p_x_1(c_last))  # (5)
        log_p_x = own(bernoulli_log_density(x, p_x_logits), seen_x.squeeze(-1))
        kl_z = own(standard_kl(q_z_mean, q_z_logvar), mask.squeeze(-1))
        elbo = (- kl_z).sum(1) + log_p_x
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
        batch = x.size(0)
        frames = 10
        mask = frame_mask(lengths, x, batch, frames)
        seen_x = seen(mask[:, 0], mask_x)
        x = own(static(x, "x", 784), seen_x)
        noise_z = normal_noise(noise_z, x, mask, 10)
        e_input_weight = weights(self.e_rnn.weight_ih_l0)
        e_input_bias = weights(self.e_rnn.bias_ih_l0)
        x_all = x.unsqueeze(1).expand(-1, frames, -1)
        e_pre = F.linear(x_all, e_input_weight[:, 0:784], e_input_bias)
        e_pre_at = e_pre.unbind(1)
        e_weight = e_input_weight[:, 784:1824]
        d_input_weight = weights(self.d_rnn.weight_ih_l0)
        d_input_bias = weights(self.d_rnn.bias_ih_l0)
        e_start = x.new_zeros(batch, 256)
        e_prev = e_start
        e_cell_prev = e_start
        e_recurrent = weights(self.e_rnn.weight_hh_l0)
        e_bias = weights(self.e_rnn.bias_hh_l0)
        noise_z_at = noise_z.unbind(1)
        d_start = x.new_zeros(batch, 256)
        d_prev = d_start
        d_cell_prev = d_start
        d_recurrent = weights(self.d_rnn.weight_hh_l0)
        d_bias = weights(self.d_rnn.bias_hh_l0)
        c_start = x.new_zeros(batch, 784)
        c_prev = c_start
        q_z_mean_list: List[Tensor] = []
        q_z_logvar_list: List[Tensor] = []
        z_list: List[Tensor] = []
        # Loop over time, forward: e, q_z, z, d, c; cycle over time through d_t <- d_<t-1>,
        # c_t <- c_<t-1>, e_t <- c_<t-1>, e_t <- d_<t-1>, e_t <- e_<t-1>.
        for t in range(frames):
            e_gates = e_pre_at[t] + F.linear(torch.cat([c_prev, d_prev], -1), e_weight)
            e_gates = e_gates + F.linear(e_prev, e_recurrent, e_bias)
            e_t, e_cell_t = lstm_cell(e_gates, e_cell_prev)  # (3)
            q_z_mean_t, q_z_logvar_t = self.q_z(self.q_z_1(e_t))  # (6)
            z_t = q_z_mean_t + torch.exp(0.5 * q_z_logvar_t) * noise_z_at[t]
            d_gates = F.linear(z_t, d_input_weight, d_input_bias)
            d_gates = d_gates + F.linear(d_prev, d_recurrent, d_bias)
            d_t, d_cell_t = lstm_cell(d_gates, d_cell_prev)  # (1)
            c_t = c_prev + self.c_1(d_t)  # (2)
            q_z_mean_list.append(q_z_mean_t)
            q_z_logvar_list.append(q_z_logvar_t)
            z_list.append(z_t)
            e_prev = e_t
            e_cell_prev = e_cell_t
            d_prev = d_t
            d_cell_prev = d_cell_t
            c_prev = c_t
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
        batch = x.size(0)
        frames = 10
        mask = frame_mask(lengths, x, batch, frames)
        seen_x = seen(mask[:, 0], mask_x)
        x = own(static(x, "x", 784), seen_x)
        z = own(framed(z, "z", 10), mask)
        d = self.d_rnn(z)[0]  # (1)
        c = torch.cumsum(self.c_1(d), 1)  # (2)
        x_all = x.unsqueeze(1).expand(-1, frames, -1)
        c_lag1 = lag(c, 1)
        d_lag1 = lag(d, 1)
        e = self.e_rnn(torch.cat([x_all, c_lag1, d_lag1], -1))[0]  # (3)
        p_z_mean = x.new_zeros(batch, frames, 10)
        p_z_logvar = x.new_zeros(batch, frames, 10)
        c_last = last(c, lengths)
        p_x_logits = self.p_x(self.p_x_1(c_last))  # (5)
        q_z_mean, q_z_logvar = self.q_z(self.q_z_1(e))  # (6)
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
        batch = x.size(0)
        frames = 10
        mask = frame_mask(lengths, x, batch, frames)
        seen_x = seen(mask[:, 0], mask_x)
        x = own(static(x, "x", 784), seen_x)
        noise_z = normal_noise(noise_z, x, mask, 10)
        e_input_weight = weights(self.e_rnn.weight_ih_l0)
        e_input_bias = weights(self.e_rnn.bias_ih_l0)
        x_all = x.unsqueeze(1).expand(-1, frames, -1)
        e_pre = F.linear(x_all, e_input_weight[:, 0:784], e_input_bias)
        e_pre_at = e_pre.unbind(1)
        e_weight = e_input_weight[:, 784:1824]
        d_input_weight = weights(self.d_rnn.weight_ih_l0)
        d_input_bias = weights(self.d_rnn.bias_ih_l0)
        e_start = x.new_zeros(batch, 256)
        e_prev = e_start
        e_cell_prev = e_start
        e_recurrent = weights(self.e_rnn.weight_hh_l0)
        e_bias = weights(self.e_rnn.bias_hh_l0)
        noise_z_at = noise_z.unbind(1)
        d_start = x.new_zeros(batch, 256)
        d_prev = d_start
        d_cell_prev = d_start
        d_recurrent = weights(self.d_rnn.weight_hh_l0)
        d_bias = weights(self.d_rnn.bias_hh_l0)
        c_start = x.new_zeros(batch, 784)
        c_prev = c_start
        c_list: List[Tensor] = []
        # Loop over time, forward: e, q_z, z, d, c; cycle over time through d_t <- d_<t-1>,
        # c_t <- c_<t-1>, e_t <- c_<t-1>, e_t <- d_<t-1>, e_t <- e_<t-1>.
        for t in range(frames):
            e_gates = e_pre_at[t] + F.linear(torch.cat([c_prev, d_prev], -1), e_weight)
            e_gates = e_gates + F.linear(e_prev, e_recurrent, e_bias)
            e_t, e_cell_t = lstm_cell(e_gates, e_cell_prev)  # (3)
            q_z_mean_t, q_z_logvar_t = self.q_z(self.q_z_1(e_t))  # (6)
            z_t = q_z_mean_t + torch.exp(0.5 * q_z_logvar_t) * noise_z_at[t]
            d_gates = F.linear(z_t, d_input_weight, d_input_bias)
            d_gates = d_gates + F.linear(d_prev, d_recurrent, d_bias)
            d_t, d_cell_t = lstm_cell(d_gates, d_cell_prev)  # (1)
            c_t = c_prev + self.c_1(d_t)  # (2)
            c_list.append(c_t)
            e_prev = e_t
            e_cell_prev = e_cell_t
            d_prev = d_t
            d_cell_prev = d_cell_t
            c_prev = c_t
        c = torch.stack(c_list, 1)
        c_last = last(c, lengths)
        p_x_logits = self.p_x(self.p_x_1(c_last))  # (5)
        return Reconstruction(own(torch.sigmoid(p_x_logits), mask[:, 0]), p_x_logits)

    @torch.jit.export
    def generate(
        self,
        batch: int,
        lengths: Optional[Tensor] = None,
        noise_z: Optional[Tensor] = None,
        noise_x: Optional[Tensor] = None,
        sample: bool = True,
    ) -> Generated:
        """Draw a sequence from p. Each drawn x_t is fed back; with sample=False the conditional's mean is."""
        frames = 10
        mask = frame_mask(lengths, self.c_1.weight, batch, frames)
        noise_z = normal_noise(noise_z, self.c_1.weight, mask, 10)
        noise_x = uniform_noise(noise_x, self.c_1.weight, mask[:, 0], 784)
        p_z_mean = self.c_1.weight.new_zeros(batch, frames, 10)
        p_z_logvar = self.c_1.weight.new_zeros(batch, frames, 10)
        z = noise_z
        d = self.d_rnn(z)[0]  # (1)
        c = torch.cumsum(self.c_1(d), 1)  # (2)
        c_last = last(c, lengths)
        p_x_logits = self.p_x(self.p_x_1(c_last))  # (5)
        x = torch.sigmoid(p_x_logits)
        if sample:
            x = (noise_x < torch.sigmoid(p_x_logits)).to(p_x_logits.dtype)
        return Generated(own(x, mask[:, 0]), own(z, mask), p_z_mean, p_z_logvar, p_x_logits)

    def elbo_fed(self, *_: Any, **__: Any) -> NoReturn:
        """This model has none: the error says why."""
        raise NotImplementedError(
            "DRAW has no elbo_fed: p reads no observed frame, so nothing that it makes comes "
            "back: elbo is the same in both modes"
        )

    def forecast(self, *_: Any, **__: Any) -> NoReturn:
        """This model has none: the error says why."""
        raise NotImplementedError(
            "DRAW has no forecast: no observed variable has frames to continue"
        )

    def imagine(self, *_: Any, **__: Any) -> NoReturn:
        """This model has none: the error says why."""
        raise NotImplementedError(
            "DRAW has no imagine: no observed variable has frames to run over"
        )

    def step(self, *_: Any, **__: Any) -> NoReturn:
        """This model has none: the error says why."""
        raise NotImplementedError(
            "DRAW has no step: no observed variable has frames to run over"
        )
