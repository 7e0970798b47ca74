"""RVAECausal: Recurrent variational autoencoder, causal, white latents read through a forward recurrence

    p = prod_t p(z_t) p(x_t | z_{1:t})
    q = prod_t q(z_t | z_{1:t-1}, x_{t:T})
    L = sum_t E_q[log p(x_t | z_{1:t})]
        - sum_t E_q[KL(q(z_t | z_{1:t-1}, x_{t:T}) || p(z_t))]

Frame-level tensors have shape (batch, time, dim), sequence-level ones (batch, dim), `lengths` (batch,).
Draws may be passed in as noise. Emitted by dvaec from spec 258a8cb39ebb85f4: change the spec, not this file.
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
    h_prev: Tensor  # (batch, 128), h 1 step before
    h_cell_prev: Tensor  # (batch, 128), h_cell 1 step before


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


def weights(value: Any) -> Tensor:
    """`value` itself: torch does not say that a recurrent layer's weights are tensors."""
    assert isinstance(value, Tensor)
    return value


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


class RVAECausal(nn.Module):
    """RVAECausal, developed:

    (1) h_t = LSTM(z_t, h_{t-1})
    (2) gz_t = LSTM(z_{t-1}, gz_{t-1})
    (3) gx_t = LSTM(x_t, gx_{t+1})
    (4) p(z_t) = N(0, I)
    (5) p(x_t | z_{1:t}) = Bernoulli with logits from h_t
    (6) q(z_t | z_{1:t-1}, x_{t:T}) = Gaussian with mean and log-variance from gz_t, gx_t
    """

    def __init__(self) -> None:
        super().__init__()
        # (1) h_t = LSTM(z_t, h_{t-1})
        self.h_rnn = nn.LSTM(16, 128, batch_first=True)
        # (2) gz_t = LSTM(z_{t-1}, gz_{t-1})
        self.gz_rnn = nn.LSTM(16, 128, batch_first=True)
        # (3) gx_t = LSTM(x_t, gx_{t+1})
        self.gx_rnn = nn.LSTM(88, 128, batch_first=True)
        # (5) p(x_t | z_{1:t}) = Bernoulli with logits from h_t
        self.p_x_1 = nn.Linear(128, 88)
        # (6) q(z_t | z_{1:t-1}, x_{t:T}) = Gaussian with mean and log-variance from gz_t, gx_t
        self.q_z_1 = nn.Linear(256, 32)

    def p_x(self, a: Tensor) -> Tensor:
        """(5) from its first layer's pre-activation: (..., 88) -> logits."""
        logits: Tensor = a
        return logits

    def q_z(self, a: Tensor) -> Tuple[Tensor, Tensor]:
        """(6) from its first layer's pre-activation: (..., 32) -> mean, logvar."""
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

            L = sum_t E_q[log p(x_t | z_{1:t})]
              - sum_t E_q[KL(q(z_t | z_{1:t-1}, x_{t:T}) || p(z_t))]
        """
        batch, frames = x.size(0), x.size(1)
        mask = frame_mask(lengths, x, batch, frames)
        seen_x = seen(mask, mask_x)
        x = own(framed(x, "x", 88), seen_x)
        noise_z = normal_noise(noise_z, x, mask, 16)
        gx = reverse(self.gx_rnn(reverse(x, lengths))[0], lengths)  # (3)
        gz_input_weight = weights(self.gz_rnn.weight_ih_l0)
        gz_input_bias = weights(self.gz_rnn.bias_ih_l0)
        q_z_1_pre = F.linear(gx, self.q_z_1.weight[:, 128:256], self.q_z_1.bias)
        q_z_1_pre_at = q_z_1_pre.unbind(1)
        q_z_1_weight = self.q_z_1.weight[:, 0:128]
        gz_start = x.new_zeros(batch, 128)
        gz_prev = gz_start
        gz_cell_prev = gz_start
        gz_recurrent = weights(self.gz_rnn.weight_hh_l0)
        gz_bias = weights(self.gz_rnn.bias_hh_l0)
        z_start = x.new_zeros(batch, 16)
        z_prev = z_start
        noise_z_at = noise_z.unbind(1)
        q_z_mean_list: List[Tensor] = []
        q_z_logvar_list: List[Tensor] = []
        z_list: List[Tensor] = []
        # Loop over time, forward: gz, q_z, z; cycle over time through gz_t <- z_<t-1>, gz_t <- gz_<t-1>.
        for t in range(frames):
            gz_gates = F.linear(z_prev, gz_input_weight, gz_input_bias)
            gz_gates = gz_gates + F.linear(gz_prev, gz_recurrent, gz_bias)
            gz_t, gz_cell_t = lstm_cell(gz_gates, gz_cell_prev)  # (2)
            q_z_mean_t, q_z_logvar_t = self.q_z(q_z_1_pre_at[t] + F.linear(gz_t, q_z_1_weight))  # (6)
            z_t = q_z_mean_t + torch.exp(0.5 * q_z_logvar_t) * noise_z_at[t]
            q_z_mean_list.append(q_z_mean_t)
            q_z_logvar_list.append(q_z_logvar_t)
            z_list.append(z_t)
            gz_prev = gz_t
            gz_cell_prev = gz_cell_t
            z_prev = z_t
        q_z_mean = torch.stack(q_z_mean_list, 1)
        q_z_logvar = torch.stack(q_z_logvar_list, 1)
        z = torch.stack(z_list, 1)
        h = self.h_rnn(z)[0]  # (1)
        p_x_logits = self.p_x(self.p_x_1(h))  # (5)
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
        noise_z = normal_noise(noise_z, x, mask, 16)
        gx = reverse(self.gx_rnn(reverse(x, lengths))[0], lengths)  # (3)
        gz_input_weight = weights(self.gz_rnn.weight_ih_l0)
        gz_input_bias = weights(self.gz_rnn.bias_ih_l0)
        q_z_1_pre = F.linear(gx, self.q_z_1.weight[:, 128:256], self.q_z_1.bias)
        q_z_1_pre_at = q_z_1_pre.unbind(1)
        q_z_1_weight = self.q_z_1.weight[:, 0:128]
        gz_start = x.new_zeros(batch, 128)
        gz_prev = gz_start
        gz_cell_prev = gz_start
        gz_recurrent = weights(self.gz_rnn.weight_hh_l0)
        gz_bias = weights(self.gz_rnn.bias_hh_l0)
        z_start = x.new_zeros(batch, 16)
        z_prev = z_start
        noise_z_at = noise_z.unbind(1)
        q_z_mean_list: List[Tensor] = []
        q_z_logvar_list: List[Tensor] = []
        z_list: List[Tensor] = []
        # Loop over time, forward: gz, q_z, z; cycle over time through gz_t <- z_<t-1>, gz_t <- gz_<t-1>.
        for t in range(frames):
            gz_gates = F.linear(z_prev, gz_input_weight, gz_input_bias)
            gz_gates = gz_gates + F.linear(gz_prev, gz_recurrent, gz_bias)
            gz_t, gz_cell_t = lstm_cell(gz_gates, gz_cell_prev)  # (2)
            q_z_mean_t, q_z_logvar_t = self.q_z(q_z_1_pre_at[t] + F.linear(gz_t, q_z_1_weight))  # (6)
            z_t = q_z_mean_t + torch.exp(0.5 * q_z_logvar_t) * noise_z_at[t]
            q_z_mean_list.append(q_z_mean_t)
            q_z_logvar_list.append(q_z_logvar_t)
            z_list.append(z_t)
            gz_prev = gz_t
            gz_cell_prev = gz_cell_t
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
        h = self.h_rnn(z)[0]  # (1)
        z_lag1 = lag(z, 1)
        gz = self.gz_rnn(z_lag1)[0]  # (2)
        gx = reverse(self.gx_rnn(reverse(x, lengths))[0], lengths)  # (3)
        p_z_mean = x.new_zeros(batch, frames, 16)
        p_z_logvar = x.new_zeros(batch, frames, 16)
        p_x_logits = self.p_x(self.p_x_1(h))  # (5)
        q_z_mean, q_z_logvar = self.q_z(self.q_z_1(torch.cat([gz, gx], -1)))  # (6)
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
        gx = reverse(self.gx_rnn(reverse(x, lengths))[0], lengths)  # (3)
        gz_input_weight = weights(self.gz_rnn.weight_ih_l0)
        gz_input_bias = weights(self.gz_rnn.bias_ih_l0)
        q_z_1_pre = F.linear(gx, self.q_z_1.weight[:, 128:256], self.q_z_1.bias)
        q_z_1_pre_at = q_z_1_pre.unbind(1)
        q_z_1_weight = self.q_z_1.weight[:, 0:128]
        gz_start = x.new_zeros(batch, 128)
        gz_prev = gz_start
        gz_cell_prev = gz_start
        gz_recurrent = weights(self.gz_rnn.weight_hh_l0)
        gz_bias = weights(self.gz_rnn.bias_hh_l0)
        z_start = x.new_zeros(batch, 16)
        z_prev = z_start
        noise_z_at = noise_z.unbind(1)
        z_list: List[Tensor] = []
        # Loop over time, forward: gz, q_z, z; cycle over time through gz_t <- z_<t-1>, gz_t <- gz_<t-1>.
        for t in range(frames):
            gz_gates = F.linear(z_prev, gz_input_weight, gz_input_bias)
            gz_gates = gz_gates + F.linear(gz_prev, gz_recurrent, gz_bias)
            gz_t, gz_cell_t = lstm_cell(gz_gates, gz_cell_prev)  # (2)
            q_z_mean_t, q_z_logvar_t = self.q_z(q_z_1_pre_at[t] + F.linear(gz_t, q_z_1_weight))  # (6)
            z_t = q_z_mean_t + torch.exp(0.5 * q_z_logvar_t) * noise_z_at[t]
            z_list.append(z_t)
            gz_prev = gz_t
            gz_cell_prev = gz_cell_t
            z_prev = z_t
        z = torch.stack(z_list, 1)
        h = self.h_rnn(z)[0]  # (1)
        p_x_logits = self.p_x(self.p_x_1(h))  # (5)
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
        mask = frame_mask(lengths, self.p_x_1.weight, batch, frames)
        noise_z = normal_noise(noise_z, self.p_x_1.weight, mask, 16)
        noise_x = uniform_noise(noise_x, self.p_x_1.weight, mask, 88)
        p_z_mean = self.p_x_1.weight.new_zeros(batch, frames, 16)
        p_z_logvar = self.p_x_1.weight.new_zeros(batch, frames, 16)
        z = noise_z
        h = self.h_rnn(z)[0]  # (1)
        p_x_logits = self.p_x(self.p_x_1(h))  # (5)
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
        p_z_mean = x.new_zeros(batch, frames, 16)
        p_z_logvar = x.new_zeros(batch, frames, 16)
        z = noise_z
        z = torch.where(known_z, z_known, z)
        h = self.h_rnn(z)[0]  # (1)
        p_x_logits = self.p_x(self.p_x_1(h))  # (5)
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
        h_start = self.p_x_1.weight.new_zeros(batch, 128)
        return State(0, batch, h_start, h_start)

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
        h_prev = state.h_prev
        h_cell_prev = state.h_cell_prev
        present = torch.ones([batch, 1], dtype=torch.bool, device=self.p_x_1.weight.device)
        noise_x = uniform_noise(noise_x, self.p_x_1.weight, present, 88)
        noise_z = normal_noise(noise_z, self.p_x_1.weight, present, 16)
        h_recurrent = weights(self.h_rnn.weight_hh_l0)
        h_bias = weights(self.h_rnn.bias_hh_l0)
        h_input_weight = weights(self.h_rnn.weight_ih_l0)
        h_input_bias = weights(self.h_rnn.bias_ih_l0)
        p_z_mean_t = self.p_x_1.weight.new_zeros(batch, 16)
        p_z_logvar_t = self.p_x_1.weight.new_zeros(batch, 16)
        z_t = noise_z
        h_gates = F.linear(z_t, h_input_weight, h_input_bias)
        h_gates = h_gates + F.linear(h_prev, h_recurrent, h_bias)
        h_t, h_cell_t = lstm_cell(h_gates, h_cell_prev)  # (1)
        p_x_logits_t = self.p_x(self.p_x_1(h_t))  # (5)
        x_t = torch.sigmoid(p_x_logits_t)
        if sample:
            x_t = (noise_x < torch.sigmoid(p_x_logits_t)).to(p_x_logits_t.dtype)
        h_prev = h_t
        h_cell_prev = h_cell_t
        after = State(state.frame + 1, batch, h_prev, h_cell_prev)
        return after, Imagined(x_t, z_t, p_z_mean_t, p_z_logvar_t, p_x_logits_t)

    def elbo_fed(self, *_: Any, **__: Any) -> NoReturn:
        """This model has none: the error says why."""
        raise NotImplementedError(
            "RVAECausal has no elbo_fed: p reads no observed frame, so nothing that it makes "
            "comes back: elbo is the same in both modes"
        )

    def step(self, *_: Any, **__: Any) -> NoReturn:
        """This model has none: the error says why."""
        raise NotImplementedError(
            "RVAECausal has no step: q(z_t) waits for gx, which runs backward from frame T "
            "(gx_t <- gx_<t+1>)"
        )
