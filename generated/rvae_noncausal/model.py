"""RVAENoncausal: Recurrent variational autoencoder, noncausal, every frame reads all white latents

    p = prod_t p(z_t) p(x_t | z_{1:T})
    q = prod_t q(z_t | z_{1:t-1}, x_{1:T})
    L = sum_t E_q[log p(x_t | z_{1:T})]
        - sum_t E_q[KL(q(z_t | z_{1:t-1}, x_{1:T}) || p(z_t))]

Frame-level tensors have shape (batch, time, dim), sequence-level ones (batch, dim), `lengths` (batch,).
Draws may be passed in as noise. Emitted by dvaec from spec 223f18a2ae8f6791: change the spec, not this file.
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


class RVAENoncausal(nn.Module):
    """RVAENoncausal, developed:

    (1) h_forward_t = LSTM(z_t, h_forward_{t-1})
    (2) h_backward_t = LSTM(z_t, h_backward_{t+1})
    (3) gz_t = LSTM(z_{t-1}, gz_{t-1})
    (4) gx_forward_t = LSTM(x_t, gx_forward_{t-1})
    (5) gx_backward_t = LSTM(x_t, gx_backward_{t+1})
    (6) h_t = [h_forward_t, h_backward_t]
    (7) gx_t = [gx_forward_t, gx_backward_t]
    (8) p(z_t) = N(0, I)
    (9) p(x_t | z_{1:T}) = Bernoulli with logits from h_t
    (10) q(z_t | z_{1:t-1}, x_{1:T}) = Gaussian with mean and log-variance from gz_t, gx_t
    """

    def __init__(self) -> None:
        super().__init__()
        # (1) h_forward_t = LSTM(z_t, h_forward_{t-1})
        self.h_forward_rnn = nn.LSTM(16, 128, batch_first=True)
        # (2) h_backward_t = LSTM(z_t, h_backward_{t+1})
        self.h_backward_rnn = nn.LSTM(16, 128, batch_first=True)
        # (3) gz_t = LSTM(z_{t-1}, gz_{t-1})
        self.gz_rnn = nn.LSTM(16, 128, batch_first=True)
        # (4) gx_forward_t = LSTM(x_t, gx_forward_{t-1})
        self.gx_forward_rnn = nn.LSTM(88, 128, batch_first=True)
        # (5) gx_backward_t = LSTM(x_t, gx_backward_{t+1})
        self.gx_backward_rnn = nn.LSTM(88, 128, batch_first=True)
        # (9) p(x_t | z_{1:T}) = Bernoulli with logits from h_t
        self.p_x_1 = nn.Linear(256, 88)
        # (10) q(z_t | z_{1:t-1}, x_{1:T}) = Gaussian with mean and log-variance from gz_t, gx_t
        self.q_z_1 = nn.Linear(384, 32)

    def p_x(self, a: Tensor) -> Tensor:
        """(9) from its first layer's pre-activation: (..., 88) -> logits."""
        logits: Tensor = a
        return logits

    def q_z(self, a: Tensor) -> Tuple[Tensor, Tensor]:
        """(10) from its first layer's pre-activation: (..., 32) -> mean, logvar."""
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

            L = sum_t E_q[log p(x_t | z_{1:T})]
              - sum_t E_q[KL(q(z_t | z_{1:t-1}, x_{1:T}) || p(z_t))]
        """
        batch, frames = x.size(0), x.size(1)
        mask = frame_mask(lengths, x, batch, frames)
        seen_x = seen(mask, mask_x)
        x = own(framed(x, "x", 88), seen_x)
        noise_z = normal_noise(noise_z, x, mask, 16)
        gx_forward = self.gx_forward_rnn(x)[0]  # (4)
        gx_backward = reverse(self.gx_backward_rnn(reverse(x, lengths))[0], lengths)  # (5)
        gx = torch.cat([gx_forward, gx_backward], -1)  # (7)
        gz_input_weight = weights(self.gz_rnn.weight_ih_l0)
        gz_input_bias = weights(self.gz_rnn.bias_ih_l0)
        q_z_1_pre = F.linear(gx, self.q_z_1.weight[:, 128:384], self.q_z_1.bias)
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
            gz_t, gz_cell_t = lstm_cell(gz_gates, gz_cell_prev)  # (3)
            q_z_mean_t, q_z_logvar_t = self.q_z(q_z_1_pre_at[t] + F.linear(gz_t, q_z_1_weight))  # (10)
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
        h_forward = self.h_forward_rnn(z)[0]  # (1)
        h_backward = reverse(self.h_backward_rnn(reverse(z, lengths))[0], lengths)  # (2)
        h = torch.cat([h_forward, h_backward], -1)  # (6)
        p_x_logits = self.p_x(self.p_x_1(h))  # (9)
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
        gx_forward = self.gx_forward_rnn(x)[0]  # (4)
        gx_backward = reverse(self.gx_backward_rnn(reverse(x, lengths))[0], lengths)  # (5)
        gx = torch.cat([gx_forward, gx_backward], -1)  # (7)
        gz_input_weight = weights(self.gz_rnn.weight_ih_l0)
        gz_input_bias = weights(self.gz_rnn.bias_ih_l0)
        q_z_1_pre = F.linear(gx, self.q_z_1.weight[:, 128:384], self.q_z_1.bias)
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
            gz_t, gz_cell_t = lstm_cell(gz_gates, gz_cell_prev)  # (3)
            q_z_mean_t, q_z_logvar_t = self.q_z(q_z_1_pre_at[t] + F.linear(gz_t, q_z_1_weight))  # (10)
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
        h_forward = self.h_forward_rnn(z)[0]  # (1)
        h_backward = reverse(self.h_backward_rnn(reverse(z, lengths))[0], lengths)  # (2)
        z_lag1 = lag(z, 1)
        gz = self.gz_rnn(z_lag1)[0]  # (3)
        gx_forward = self.gx_forward_rnn(x)[0]  # (4)
        gx_backward = reverse(self.gx_backward_rnn(reverse(x, lengths))[0], lengths)  # (5)
        h = torch.cat([h_forward, h_backward], -1)  # (6)
        gx = torch.cat([gx_forward, gx_backward], -1)  # (7)
        p_z_mean = x.new_zeros(batch, frames, 16)
        p_z_logvar = x.new_zeros(batch, frames, 16)
        p_x_logits = self.p_x(self.p_x_1(h))  # (9)
        q_z_mean, q_z_logvar = self.q_z(self.q_z_1(torch.cat([gz, gx], -1)))  # (10)
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
        gx_forward = self.gx_forward_rnn(x)[0]  # (4)
        gx_backward = reverse(self.gx_backward_rnn(reverse(x, lengths))[0], lengths)  # (5)
        gx = torch.cat([gx_forward, gx_backward], -1)  # (7)
        gz_input_weight = weights(self.gz_rnn.weight_ih_l0)
        gz_input_bias = weights(self.gz_rnn.bias_ih_l0)
        q_z_1_pre = F.linear(gx, self.q_z_1.weight[:, 128:384], self.q_z_1.bias)
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
            gz_t, gz_cell_t = lstm_cell(gz_gates, gz_cell_prev)  # (3)
            q_z_mean_t, q_z_logvar_t = self.q_z(q_z_1_pre_at[t] + F.linear(gz_t, q_z_1_weight))  # (10)
            z_t = q_z_mean_t + torch.exp(0.5 * q_z_logvar_t) * noise_z_at[t]
            z_list.append(z_t)
            gz_prev = gz_t
            gz_cell_prev = gz_cell_t
            z_prev = z_t
        z = torch.stack(z_list, 1)
        h_forward = self.h_forward_rnn(z)[0]  # (1)
        h_backward = reverse(self.h_backward_rnn(reverse(z, lengths))[0], lengths)  # (2)
        h = torch.cat([h_forward, h_backward], -1)  # (6)
        p_x_logits = self.p_x(self.p_x_1(h))  # (9)
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
        h_forward = self.h_forward_rnn(z)[0]  # (1)
        h_backward = reverse(self.h_backward_rnn(reverse(z, lengths))[0], lengths)  # (2)
        h = torch.cat([h_forward, h_backward], -1)  # (6)
        p_x_logits = self.p_x(self.p_x_1(h))  # (9)
        x = torch.sigmoid(p_x_logits)
        if sample:
            x = (noise_x < torch.sigmoid(p_x_logits)).to(p_x_logits.dtype)
        return Generated(own(x, mask), own(z, mask), p_z_mean, p_z_logvar, p_x_logits)

    def elbo_fed(self, *_: Any, **__: Any) -> NoReturn:
        """This model has none: the error says why."""
        raise NotImplementedError(
            "RVAENoncausal has no elbo_fed: p reads no observed frame, so nothing that it "
            "makes comes back: elbo is the same in both modes"
        )

    def forecast(self, *_: Any, **__: Any) -> NoReturn:
        """This model has none: the error says why."""
        raise NotImplementedError(
            "RVAENoncausal has no forecast: generation is noncausal: what stands before a "
            "frame depends on what comes after it"
        )

    def imagine(self, *_: Any, **__: Any) -> NoReturn:
        """This model has none: the error says why."""
        raise NotImplementedError(
            "RVAENoncausal has no imagine: generation is noncausal: a frame waits for later "
            "ones"
        )

    def step(self, *_: Any, **__: Any) -> NoReturn:
        """This model has none: the error says why."""
        raise NotImplementedError(
            "RVAENoncausal has no step: generation is noncausal: a frame waits for later ones"
        )
