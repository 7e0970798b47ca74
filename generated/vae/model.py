"""VAE: Variational autoencoder on independent frames

    p = prod_t p(z_t) p(x_t | z_t)
    q = prod_t q(z_t | x_t)
    L = sum_t E_q[log p(x_t | z_t)]
        - sum_t KL(q(z_t | x_t) || p(z_t))

Frame-level tensors have shape (batch, time, dim), sequence-level ones (batch, dim), `lengths` (batch,).
Draws may be passed in as noise. Emitted by dvaec from spec aef8798a30852972: change the spec, not this file.
"""

import math
from typing import Any, NamedTuple, NoReturn, Optional, Tuple

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


class Imagined(NamedTuple):
    """One frame drawn from p."""

    x: Tensor  # (batch, 88), drawn from p
    z: Tensor  # (batch, 16), drawn from p
    p_z_mean: Tensor  # (batch, 16), parameter of p(z_t)
    p_z_logvar: Tensor  # (batch, 16), parameter of p(z_t)
    p_x_logits: Tensor  # (batch, 88), parameter of p(x_t)


class Stepped(NamedTuple):
    """One observed frame: latents drawn from q, and the parameters of every conditional."""

    z: Tensor  # (batch, 16), drawn from q
    q_z_mean: Tensor  # (batch, 16), parameter of q(z_t)
    q_z_logvar: Tensor  # (batch, 16), parameter of q(z_t)
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


def bounded(value: Tensor, bound: float = 30.0) -> Tensor:
    """A logarithm kept within +-`bound` by a smooth bound that is the identity near 0."""
    return bound * torch.tanh(value / bound)


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


class VAE(nn.Module):
    """VAE, developed:

    (1) p(z_t) = N(0, I)
    (2) p(x_t | z_t) = Bernoulli with logits from z_t through 32 tanh, 64 tanh, 128 tanh, 256 tanh
    (3) q(z_t | x_t) = Gaussian with mean and log-variance from x_t through 256 tanh, 128 tanh, 64 tanh, 32
        tanh
    """

    def __init__(self) -> None:
        super().__init__()
        # (2) p(x_t | z_t) = Bernoulli with logits from z_t through 32 tanh, 64 tanh, 128 tanh, 256 tanh
        self.p_x_1 = nn.Linear(16, 32)
        self.p_x_2 = nn.Linear(32, 64)
        self.p_x_3 = nn.Linear(64, 128)
        self.p_x_4 = nn.Linear(128, 256)
        self.p_x_out = nn.Linear(256, 88)
        # (3) q(z_t | x_t) = Gaussian with mean and log-variance from x_t through 256 tanh, 128 tanh, 64 tanh,
        #     32 tanh
        self.q_z_1 = nn.Linear(88, 256)
        self.q_z_2 = nn.Linear(256, 128)
        self.q_z_3 = nn.Linear(128, 64)
        self.q_z_4 = nn.Linear(64, 32)
        self.q_z_out = nn.Linear(32, 32)

    def p_x(self, a: Tensor) -> Tensor:
        """(2) from its first layer's pre-activation: (..., 32) -> logits."""
        a = torch.tanh(a)
        a = torch.tanh(self.p_x_2(a))
        a = torch.tanh(self.p_x_3(a))
        a = torch.tanh(self.p_x_4(a))
        logits: Tensor = self.p_x_out(a)
        return logits

    def q_z(self, a: Tensor) -> Tuple[Tensor, Tensor]:
        """(3) from its first layer's pre-activation: (..., 256) -> mean, logvar."""
        a = torch.tanh(a)
        a = torch.tanh(self.q_z_2(a))
        a = torch.tanh(self.q_z_3(a))
        a = torch.tanh(self.q_z_4(a))
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

            L = sum_t E_q[log p(x_t | z_t)]
              - sum_t KL(q(z_t | x_t) || p(z_t))
        """
        batch, frames = x.size(0), x.size(1)
        mask = frame_mask(lengths, x, batch, frames)
        seen_x = seen(mask, mask_x)
        x = own(framed(x, "x", 88), seen_x)
        noise_z = normal_noise(noise_z, x, mask, 16)
        q_z_mean, q_z_logvar = self.q_z(self.q_z_1(x))  # (3)
        z = q_z_mean + torch.exp(0.5 * q_z_logvar) * noise_z
        p_x_logits = self.p_x(self.p_x_1(z))  # (2)
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
        q_z_mean, q_z_logvar = self.q_z(self.q_z_1(x))  # (3)
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
        z = own(framed(z, "z", 16), mask)
        p_z_mean = x.new_zeros(batch, frames, 16)
        p_z_logvar = x.new_zeros(batch, frames, 16)
        p_x_logits = self.p_x(self.p_x_1(z))  # (2)
        q_z_mean, q_z_logvar = self.q_z(self.q_z_1(x))  # (3)
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
        q_z_mean, q_z_logvar = self.q_z(self.q_z_1(x))  # (3)
        z = q_z_mean + torch.exp(0.5 * q_z_logvar) * noise_z
        p_x_logits = self.p_x(self.p_x_1(z))  # (2)
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
        p_x_logits = self.p_x(self.p_x_1(z))  # (2)
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
        p_x_logits = self.p_x(self.p_x_1(z))  # (2)
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
        return State(0, batch)

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
        present = torch.ones([batch, 1], dtype=torch.bool, device=self.p_x_1.weight.device)
        noise_x = uniform_noise(noise_x, self.p_x_1.weight, present, 88)
        noise_z = normal_noise(noise_z, self.p_x_1.weight, present, 16)
        p_z_mean_t = self.p_x_1.weight.new_zeros(batch, 16)
        p_z_logvar_t = self.p_x_1.weight.new_zeros(batch, 16)
        z_t = noise_z
        p_x_logits_t = self.p_x(self.p_x_1(z_t))  # (2)
        x_t = torch.sigmoid(p_x_logits_t)
        if sample:
            x_t = (noise_x < torch.sigmoid(p_x_logits_t)).to(p_x_logits_t.dtype)
        after = State(state.frame + 1, batch)
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
        present = torch.ones([batch, 1], dtype=torch.bool, device=self.p_x_1.weight.device)
        x_t = own(static(x, "x", 88), seen(present, mask_x))
        noise_z = normal_noise(noise_z, self.p_x_1.weight, present, 16)
        p_z_mean_t = self.p_x_1.weight.new_zeros(batch, 16)
        p_z_logvar_t = self.p_x_1.weight.new_zeros(batch, 16)
        q_z_mean_t, q_z_logvar_t = self.q_z(self.q_z_1(x_t))  # (3)
        z_t = q_z_mean_t + torch.exp(0.5 * q_z_logvar_t) * noise_z
        p_x_logits_t = self.p_x(self.p_x_1(z_t))  # (2)
        after = State(state.frame + 1, batch)
        return after, Stepped(z_t, q_z_mean_t, q_z_logvar_t, p_z_mean_t, p_z_logvar_t, p_x_logits_t)

    def elbo_fed(self, *_: Any, **__: Any) -> NoReturn:
        """This model has none: the error says why."""
        raise NotImplementedError(
            "VAE has no elbo_fed: p reads no observed frame, so nothing that it makes comes "
            "back: elbo is the same in both modes"
        )
