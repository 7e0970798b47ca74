"""The families of conditionals as text: their parameters, densities, means and draws, all as data."""

from __future__ import annotations

from dataclasses import dataclass

from dvaec.spec.model import Family


@dataclass(frozen=True)
class FamilyText:
    """How one family reads in the emitted module.

    `parameters` are the suffixes of its parameters' names; `mean` and `draw` are templates in which {noise}
    and one {field} per parameter stand; `density` names the emitted function of x and the parameters that is
    its log-density, `noise` the one that draws its noise.
    """

    parameters: tuple[str, ...]
    density: str
    mean: str
    draw: str
    noise: str
    words: str


FAMILIES = {
    Family.GAUSSIAN: FamilyText(
        parameters=("mean", "logvar"),
        density="gaussian_log_density",
        mean="{mean}",
        draw="{mean} + torch.exp(0.5 * {logvar}) * {noise}",
        noise="normal_noise",
        words="Gaussian with mean and log-variance",
    ),
    Family.BERNOULLI: FamilyText(
        parameters=("logits",),
        density="bernoulli_log_density",
        mean="torch.sigmoid({logits})",
        draw="({noise} < torch.sigmoid({logits})).to({logits}.dtype)",
        noise="uniform_noise",
        words="Bernoulli with logits",
    ),
    Family.GAMMA: FamilyText(
        parameters=("logscale",),
        density="gamma_log_density",
        mean="torch.exp({logscale})",
        draw="-torch.log1p(-{noise}) * torch.exp({logscale})",
        noise="uniform_noise",
        words="Gamma of shape 1 with log-scale (13.2.1)",
    ),
}

ACTIVATIONS = {
    "tanh": "torch.tanh({a})",
    "relu": "torch.relu({a})",
    "sigmoid": "torch.sigmoid({a})",
    "softplus": "F.softplus({a})",
    "elu": "F.elu({a})",
    "gelu": "F.gelu({a})",
    "silu": "F.silu({a})",
    "leaky_relu": "F.leaky_relu({a})",
    "linear": "{a}",
}


def activate(activation: str, argument: str) -> str:
    """Return the text of an element-wise activation of `argument`."""
    return ACTIVATIONS[activation].format(a=argument)
