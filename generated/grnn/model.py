"""GRNN: Generative recurrent neural network, driven; without latents the bound is the log-likelihood (3.8)

    p = prod_t p(x_t | u_{1:t})
    L = sum_t log p(x_t | u_{1:t})

Frame-level tensors have shape (batch, time, dim), sequence-level ones (batch, dim), `lengths` (batch,).
Draws may be passed in as noise. Emitted by dvaec from spec b8f4cc07939c351e: change the spec, not this file.
"""

from typing import Any, NamedTuple, NoReturn, Optional, Tuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Elbo(NamedTuple):
    """The evidence lower bound and its parts."""

    elbo: Tensor  # (batch,), summed over each sequence's own frames
    log_p_x: Tensor  # (batch, time), log p(x_t | ...), 0 on the padding


class Score(NamedTuple):
    """All conditionals at given values."""

    p_x_logits: Tensor  # (batch, time, 88), parameter of p(x_t)
    log_p_x: Tensor  # (batch, time), log p(x_t | ...), 0 on the padding


class Reconstruction(NamedTuple):
    """What p makes of latents drawn from q."""

    x: Tensor  # (batch, time, 88), mean of p(x_t | ...), teacher-forced
    p_x_logits: Tensor  # (batch, time, 88), parameter of p(x_t)


class Generated(NamedTuple):
    """A sequence drawn from p."""

    x: Tensor  # (batch, time, 88), drawn from p
    p_x_logits: Tensor  # (batch, time, 88), parameter of p(x_t)


class Forecast(NamedTuple):
    """A context and its continuation by p."""

    x: Tensor  # (batch, time, 88), known in the context, drawn from p behind it
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
    p_x_logits: Tensor  # (batch, 88), parameter of p(x_t)


class Stepped(NamedTuple):
    """One observed frame: latents drawn from q, and the parameters of every conditional."""

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


def static(value: Tensor, name: str, dim: int) -> Tensor:
    """`value` itself, after a look at its shape: (batch, dim)."""
    if value.dim() != 2 or value.size(1) != dim:
        raise ValueError(f"{name} must have shape (batch, {dim}), not {list(value.shape)}")
    return value


def lstm_cell(gates: Tensor, cell: Tensor) -> Tuple[Tensor, Tensor]:
    """One LSTM step from the sum of its input and recurrent products, in torch's gate order i, f, g, o."""
    i, f, g, o = gates.chunk(4, -1)
    cell = torch.sigmoid(f) * cell + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(cell), cell


def uniform_noise(noise: Optional[Tensor], like: Tensor, mask: Tensor, dim: int) -> Tensor:
    """The draws that were passed in, or new ones from U[0, 1): (batch, time, dim), 0 on the padding."""
    if noise is None:
        noise = torch.rand(list(mask.shape[:-1]) + [dim], device=like.device, dtype=like.dtype)
    return own(noise, mask)


def bernoulli_log_density(x: Tensor, logits: Tensor) -> Tensor:
    """x log s(l) + (1 - x) log(1 - s(l)) = x l - log(1 + exp l): (..., dim) -> (...)."""
    return (x * logits - F.softplus(logits)).sum(-1)


class GRNN(nn.Module):
    """GRNN, developed:

    (1) h_t = LSTM(u_t, h_{t-1})
    (2) p(x_t | u_{1:t}) = Bernoulli with logits from h_t through 256 tanh
    """

    def __init__(self) -> None:
        super().__init__()
        # (1) h_t = LSTM(u_t, h_{t-1})
        self.h_rnn = nn.LSTM(1, 128, batch_first=True)
        # (2) p(x_t | u_{1:t}) = Bernoulli with logits from h_t through 256 tanh
        self.p_x_1 = nn.Linear(128, 256)
        self.p_x_out = nn.Linear(256, 88)

    def p_x(self, a: Tensor) -> Tensor:
        """(2) from its first layer's pre-activation: (..., 256) -> logits."""
        a = torch.tanh(a)
        logits: Tensor = self.p_x_out(a)
        return logits

    @torch.jit.export
    def elbo(
        self,
        x: Tensor,
        u: Tensor,
        lengths: Optional[Tensor] = None,
        mask_x: Optional[Tensor] = None,
    ) -> Elbo:
        """The evidence lower bound of every sequence and its parts, one draw of the latents:

            L = sum_t log p(x_t | u_{1:t})
        """
        batch, frames = x.size(0), x.size(1)
        mask = frame_mask(lengths, x, batch, frames)
        seen_x = seen(mask, mask_x)
        x = own(framed(x, "x", 88), seen_x)
        u = own(framed(u, "u", 1), mask)
        h = self.h_rnn(u)[0]  # (1)
        p_x_logits = self.p_x(self.p_x_1(h))  # (2)
        log_p_x = own(bernoulli_log_density(x, p_x_logits), seen_x.squeeze(-1))
        elbo = log_p_x.sum(1)
        return Elbo(elbo, log_p_x)

    @torch.jit.export
    def score(
        self,
        x: Tensor,
        u: Tensor,
        lengths: Optional[Tensor] = None,
        mask_x: Optional[Tensor] = None,
    ) -> Score:
        """Every conditional's parameters and log-density at given values."""
        batch, frames = x.size(0), x.size(1)
        mask = frame_mask(lengths, x, batch, frames)
        seen_x = seen(mask, mask_x)
        x = own(framed(x, "x", 88), seen_x)
        u = own(framed(u, "u", 1), mask)
        h = self.h_rnn(u)[0]  # (1)
        p_x_logits = self.p_x(self.p_x_1(h))  # (2)
        log_p_x = own(bernoulli_log_density(x, p_x_logits), seen_x.squeeze(-1))
        return Score(p_x_logits, log_p_x)

    @torch.jit.export
    def reconstruct(
        self,
        x: Tensor,
        u: Tensor,
        lengths: Optional[Tensor] = None,
        mask_x: Optional[Tensor] = None,
    ) -> Reconstruction:
        """Draw the latents from q and return the mean of p at the data (teacher forcing)."""
        batch, frames = x.size(0), x.size(1)
        mask = frame_mask(lengths, x, batch, frames)
        seen_x = seen(mask, mask_x)
        x = own(framed(x, "x", 88), seen_x)
        u = own(framed(u, "u", 1), mask)
        h = self.h_rnn(u)[0]  # (1)
        p_x_logits = self.p_x(self.p_x_1(h))  # (2)
        return Reconstruction(own(torch.sigmoid(p_x_logits), mask), p_x_logits)

    @torch.jit.export
    def generate(
        self,
        batch: int,
        frames: int,
        u: Tensor,
        lengths: Optional[Tensor] = None,
        noise_x: Optional[Tensor] = None,
        sample: bool = True,
    ) -> Generated:
        """Draw a sequence from p. Each drawn x_t is fed back; with sample=False the conditional's mean is."""
        mask = frame_mask(lengths, self.p_x_1.weight, batch, frames)
        u = own(framed(u, "u", 1), mask)
        noise_x = uniform_noise(noise_x, self.p_x_1.weight, mask, 88)
        h = self.h_rnn(u)[0]  # (1)
        p_x_logits = self.p_x(self.p_x_1(h))  # (2)
        x = torch.sigmoid(p_x_logits)
        if sample:
            x = (noise_x < torch.sigmoid(p_x_logits)).to(p_x_logits.dtype)
        return Generated(own(x, mask), p_x_logits)

    @torch.jit.export
    def forecast(
        self,
        steps: int,
        x: Tensor,
        u: Tensor,
        lengths: Optional[Tensor] = None,
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
        noise_x = uniform_noise(noise_x, x, mask, 88)
        known_x = extended(own_context, frames)
        x_known = extended(own(framed(x, "x", 88), seen(own_context, mask_x)), frames)
        h = self.h_rnn(u)[0]  # (1)
        p_x_logits = self.p_x(self.p_x_1(h))  # (2)
        x = torch.sigmoid(p_x_logits)
        if sample:
            x = (noise_x < torch.sigmoid(p_x_logits)).to(p_x_logits.dtype)
        x = torch.where(known_x, x_known, x)
        return Forecast(own(x, mask), p_x_logits)

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
        u: Tensor,
        noise_x: Optional[Tensor] = None,
        sample: bool = True,
    ) -> Tuple[State, Imagined]:
        """Draw one frame of each stream from p; return the state behind it."""
        batch = state.batch
        h_prev = state.h_prev
        h_cell_prev = state.h_cell_prev
        present = torch.ones([batch, 1], dtype=torch.bool, device=self.p_x_1.weight.device)
        u_t = static(u, "u", 1)
        noise_x = uniform_noise(noise_x, self.p_x_1.weight, present, 88)
        h_recurrent = weights(self.h_rnn.weight_hh_l0)
        h_bias = weights(self.h_rnn.bias_hh_l0)
        h_input_weight = weights(self.h_rnn.weight_ih_l0)
        h_input_bias = weights(self.h_rnn.bias_ih_l0)
        h_gates = F.linear(u_t, h_input_weight, h_input_bias)
        h_gates = h_gates + F.linear(h_prev, h_recurrent, h_bias)
        h_t, h_cell_t = lstm_cell(h_gates, h_cell_prev)  # (1)
        p_x_logits_t = self.p_x(self.p_x_1(h_t))  # (2)
        x_t = torch.sigmoid(p_x_logits_t)
        if sample:
            x_t = (noise_x < torch.sigmoid(p_x_logits_t)).to(p_x_logits_t.dtype)
        h_prev = h_t
        h_cell_prev = h_cell_t
        after = State(state.frame + 1, batch, h_prev, h_cell_prev)
        return after, Imagined(x_t, p_x_logits_t)

    @torch.jit.export
    def step(
        self,
        state: State,
        u: Tensor,
    ) -> Tuple[State, Stepped]:
        """Observe one frame of each stream: draw the latents from q; return the state behind it."""
        batch = state.batch
        h_prev = state.h_prev
        h_cell_prev = state.h_cell_prev
        u_t = static(u, "u", 1)
        h_recurrent = weights(self.h_rnn.weight_hh_l0)
        h_bias = weights(self.h_rnn.bias_hh_l0)
        h_input_weight = weights(self.h_rnn.weight_ih_l0)
        h_input_bias = weights(self.h_rnn.bias_ih_l0)
        h_gates = F.linear(u_t, h_input_weight, h_input_bias)
        h_gates = h_gates + F.linear(h_prev, h_recurrent, h_bias)
        h_t, h_cell_t = lstm_cell(h_gates, h_cell_prev)  # (1)
        p_x_logits_t = self.p_x(self.p_x_1(h_t))  # (2)
        h_prev = h_t
        h_cell_prev = h_cell_t
        after = State(state.frame + 1, batch, h_prev, h_cell_prev)
        return after, Stepped(p_x_logits_t)

    def elbo_fed(self, *_: Any, **__: Any) -> NoReturn:
        """This model has none: the error says why."""
        raise NotImplementedError(
            "GRNN has no elbo_fed: p reads no observed frame, so nothing that it makes comes "
            "back: elbo is the same in both modes"
        )
