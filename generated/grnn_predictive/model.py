"""PredictiveGRNN: Generative recurrent neural network in the predictive mode; the bound is the log-likelihood

    p = prod_t p(x_t | x_{1:t-1})
    L = sum_t log p(x_t | x_{1:t-1})

Frame-level tensors have shape (batch, time, dim), sequence-level ones (batch, dim), `lengths` (batch,).
Draws may be passed in as noise. Emitted by dvaec from spec f2e6110460a091fd: change the spec, not this file.
"""

from typing import Any, List, NamedTuple, Optional, Tuple

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


class ElboFed(NamedTuple):
    """The bound, its parts, and p's outputs where these are fed back."""

    elbo: Tensor  # (batch,), summed over each sequence's own frames
    log_p_x: Tensor  # (batch, time), log p(x_t | ...), 0 on the padding
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


class PredictiveGRNN(nn.Module):
    """PredictiveGRNN, developed:

    (1) h_in_t = MLP(x_{t-1}; 256 tanh)
    (2) h_t = LSTM(h_in_t, h_{t-1})
    (3) p(x_t | x_{1:t-1}) = Bernoulli with logits from h_t through 256 tanh
    """

    def __init__(self) -> None:
        super().__init__()
        # (1) h_in_t = MLP(x_{t-1}; 256 tanh)
        self.h_in_1 = nn.Linear(88, 256)
        # (2) h_t = LSTM(h_in_t, h_{t-1})
        self.h_rnn = nn.LSTM(256, 128, batch_first=True)
        # (3) p(x_t | x_{1:t-1}) = Bernoulli with logits from h_t through 256 tanh
        self.p_x_1 = nn.Linear(128, 256)
        self.p_x_out = nn.Linear(256, 88)

    def h_in_net(self, a: Tensor) -> Tensor:
        """(1) from its first layer's pre-activation: (..., 256) -> (..., 256)."""
        a = torch.tanh(a)
        return a

    def p_x(self, a: Tensor) -> Tensor:
        """(3) from its first layer's pre-activation: (..., 256) -> logits."""
        a = torch.tanh(a)
        logits: Tensor = self.p_x_out(a)
        return logits

    @torch.jit.export
    def elbo(
        self,
        x: Tensor,
        lengths: Optional[Tensor] = None,
        mask_x: Optional[Tensor] = None,
    ) -> Elbo:
        """The evidence lower bound of every sequence and its parts, one draw of the latents:

            L = sum_t log p(x_t | x_{1:t-1})
        """
        batch, frames = x.size(0), x.size(1)
        mask = frame_mask(lengths, x, batch, frames)
        seen_x = seen(mask, mask_x)
        x = own(framed(x, "x", 88), seen_x)
        x_lag1 = lag(x, 1)
        h_in = self.h_in_net(self.h_in_1(x_lag1))  # (1)
        h = self.h_rnn(h_in)[0]  # (2)
        p_x_logits = self.p_x(self.p_x_1(h))  # (3)
        log_p_x = own(bernoulli_log_density(x, p_x_logits), seen_x.squeeze(-1))
        elbo = log_p_x.sum(1)
        return Elbo(elbo, log_p_x)

    @torch.jit.export
    def score(
        self,
        x: Tensor,
        lengths: Optional[Tensor] = None,
        mask_x: Optional[Tensor] = None,
    ) -> Score:
        """Every conditional's parameters and log-density at given values."""
        batch, frames = x.size(0), x.size(1)
        mask = frame_mask(lengths, x, batch, frames)
        seen_x = seen(mask, mask_x)
        x = own(framed(x, "x", 88), seen_x)
        x_lag1 = lag(x, 1)
        h_in = self.h_in_net(self.h_in_1(x_lag1))  # (1)
        h = self.h_rnn(h_in)[0]  # (2)
        p_x_logits = self.p_x(self.p_x_1(h))  # (3)
        log_p_x = own(bernoulli_log_density(x, p_x_logits), seen_x.squeeze(-1))
        return Score(p_x_logits, log_p_x)

    @torch.jit.export
    def reconstruct(
        self,
        x: Tensor,
        lengths: Optional[Tensor] = None,
        mask_x: Optional[Tensor] = None,
    ) -> Reconstruction:
        """Draw the latents from q and return the mean of p at the data (teacher forcing)."""
        batch, frames = x.size(0), x.size(1)
        mask = frame_mask(lengths, x, batch, frames)
        seen_x = seen(mask, mask_x)
        x = own(framed(x, "x", 88), seen_x)
        x_lag1 = lag(x, 1)
        h_in = self.h_in_net(self.h_in_1(x_lag1))  # (1)
        h = self.h_rnn(h_in)[0]  # (2)
        p_x_logits = self.p_x(self.p_x_1(h))  # (3)
        return Reconstruction(own(torch.sigmoid(p_x_logits), mask), p_x_logits)

    @torch.jit.export
    def generate(
        self,
        batch: int,
        frames: int,
        lengths: Optional[Tensor] = None,
        noise_x: Optional[Tensor] = None,
        sample: bool = True,
    ) -> Generated:
        """Draw a sequence from p. Each drawn x_t is fed back; with sample=False the conditional's mean is."""
        mask = frame_mask(lengths, self.h_in_1.weight, batch, frames)
        noise_x = uniform_noise(noise_x, self.h_in_1.weight, mask, 88)
        h_input_weight = weights(self.h_rnn.weight_ih_l0)
        h_input_bias = weights(self.h_rnn.bias_ih_l0)
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
            p_x_logits_t = self.p_x(self.p_x_1(h_t))  # (3)
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
        return Generated(own(x, mask), p_x_logits)

    @torch.jit.export
    def forecast(
        self,
        steps: int,
        x: Tensor,
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
        noise_x = uniform_noise(noise_x, x, mask, 88)
        known_x = extended(own_context, frames)
        x_known = extended(own(framed(x, "x", 88), seen(own_context, mask_x)), frames)
        h_input_weight = weights(self.h_rnn.weight_ih_l0)
        h_input_bias = weights(self.h_rnn.bias_ih_l0)
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
            p_x_logits_t = self.p_x(self.p_x_1(h_t))  # (3)
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
        return Forecast(own(x, mask), p_x_logits)

    @torch.jit.export
    def elbo_fed(
        self,
        x: Tensor,
        lengths: Optional[Tensor] = None,
        fed: Optional[Tensor] = None,
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
        seen_x = seen(mask, mask_x)
        x_known = own(framed(x, "x", 88), seen_x)
        known_x = unless_fed(fed, mask)
        noise_x = uniform_noise(noise_x, x, mask, 88)
        h_input_weight = weights(self.h_rnn.weight_ih_l0)
        h_input_bias = weights(self.h_rnn.bias_ih_l0)
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
            p_x_logits_t = self.p_x(self.p_x_1(h_t))  # (3)
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
        elbo = log_p_x.sum(1)
        return ElboFed(elbo, log_p_x, own(torch.sigmoid(p_x_logits), mask), p_x_logits)

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
        sample: bool = True,
    ) -> Tuple[State, Imagined]:
        """Draw one frame of each stream from p; return the state behind it."""
        batch = state.batch
        x_prev = state.x_prev
        h_prev = state.h_prev
        h_cell_prev = state.h_cell_prev
        present = torch.ones([batch, 1], dtype=torch.bool, device=self.h_in_1.weight.device)
        noise_x = uniform_noise(noise_x, self.h_in_1.weight, present, 88)
        h_recurrent = weights(self.h_rnn.weight_hh_l0)
        h_bias = weights(self.h_rnn.bias_hh_l0)
        h_input_weight = weights(self.h_rnn.weight_ih_l0)
        h_input_bias = weights(self.h_rnn.bias_ih_l0)
        h_in_t = self.h_in_net(self.h_in_1(x_prev))  # (1)
        h_gates = F.linear(h_in_t, h_input_weight, h_input_bias)
        h_gates = h_gates + F.linear(h_prev, h_recurrent, h_bias)
        h_t, h_cell_t = lstm_cell(h_gates, h_cell_prev)  # (2)
        p_x_logits_t = self.p_x(self.p_x_1(h_t))  # (3)
        x_t = torch.sigmoid(p_x_logits_t)
        if sample:
            x_t = (noise_x < torch.sigmoid(p_x_logits_t)).to(p_x_logits_t.dtype)
        x_prev = x_t
        h_prev = h_t
        h_cell_prev = h_cell_t
        after = State(state.frame + 1, batch, x_prev, h_prev, h_cell_prev)
        return after, Imagined(x_t, p_x_logits_t)

    @torch.jit.export
    def step(
        self,
        state: State,
        x: Tensor,
        mask_x: Optional[Tensor] = None,
    ) -> Tuple[State, Stepped]:
        """Observe one frame of each stream: draw the latents from q; return the state behind it."""
        batch = state.batch
        x_prev = state.x_prev
        h_prev = state.h_prev
        h_cell_prev = state.h_cell_prev
        present = torch.ones([batch, 1], dtype=torch.bool, device=self.h_in_1.weight.device)
        x_t = own(static(x, "x", 88), seen(present, mask_x))
        h_recurrent = weights(self.h_rnn.weight_hh_l0)
        h_bias = weights(self.h_rnn.bias_hh_l0)
        h_input_weight = weights(self.h_rnn.weight_ih_l0)
        h_input_bias = weights(self.h_rnn.bias_ih_l0)
        h_in_t = self.h_in_net(self.h_in_1(x_prev))  # (1)
        h_gates = F.linear(h_in_t, h_input_weight, h_input_bias)
        h_gates = h_gates + F.linear(h_prev, h_recurrent, h_bias)
        h_t, h_cell_t = lstm_cell(h_gates, h_cell_prev)  # (2)
        p_x_logits_t = self.p_x(self.p_x_1(h_t))  # (3)
        x_prev = x_t
        h_prev = h_t
        h_cell_prev = h_cell_t
        after = State(state.frame + 1, batch, x_prev, h_prev, h_cell_prev)
        return after, Stepped(p_x_logits_t)
