"""The families of conditionals as text: links, densities, means, draws and divergences, all as data.

The functions that a row names are emitted helpers (`templates/families.py.jinja`); a density takes x and
the parameters in the order of `dvaec.spec.families`, a divergence q's parameters and then p's.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from dvaec.spec.families import SHAPE, gamma_shape, parameters_of, temperature
from dvaec.spec.model import Family, Role, Variable


@dataclass(frozen=True)
class FamilyText:
    """How one family reads in the emitted module.

    `mean` and `draw` are templates in which {noise} and one {field} per parameter stand; `density` names the
    function that is its log-density, `noise` the one that draws its noise, of `noises` numbers a dimension
    and `choices` more a frame. `kl` and `standard_kl` (from the parentless prior, `standard` in words) are
    empty where no closed form is known; so is `standard_draw` where the prior has no shorter draw.
    """

    density: str
    mean: str
    draw: str
    noise: str
    words: str
    noises: int = 1
    choices: int = 0
    kl: str = ""
    standard_kl: str = ""
    standard_draw: str = ""
    standard: str = ""


LINKS = {
    "logvar": "bounded({a})",
    "logscale": "bounded({a})",
    "lograte": "bounded({a})",
    "factor": "bounded_factor({a}, {dim})",
    # Concentrations between e^-8 and e^8, degrees of freedom between e^-5 and e^5: log-gamma loses its digits
    # beyond.
    "logshape": "bounded({a}, 8.0)",
    "logalpha": "bounded({a}, 8.0)",
    "logbeta": "bounded({a}, 8.0)",
    "logdegrees": "bounded({a}, 5.0)",
}
"""How a network's output becomes a parameter; unchanged where there is no entry."""

STARTS = {(Family.MIXTURE, "mean"): "torch.randn"}
"""How learned constants start; at zero where there is no entry. Equal components would stay equal."""

FAMILIES = {
    Family.GAUSSIAN: FamilyText(
        density="gaussian_log_density",
        mean="{mean}",
        draw="{mean} + torch.exp(0.5 * {logvar}) * {noise}",
        noise="normal_noise",
        words="Gaussian with mean and log-variance",
        kl="gaussian_kl",
        standard_kl="standard_kl",
        standard_draw="{noise}",
        standard="N(0, I)",
    ),
    Family.FULL_GAUSSIAN: FamilyText(
        density="full_gaussian_log_density",
        mean="{mean}",
        draw="full_gaussian_draw({mean}, {factor}, {noise})",
        noise="normal_noise",
        words="Gaussian with mean and Cholesky factor of its covariance",
        kl="full_gaussian_kl",
        standard_kl="full_gaussian_standard_kl",
        standard_draw="{noise}",
        standard="N(0, I)",
    ),
    Family.COMPLEX_GAUSSIAN: FamilyText(
        density="complex_gaussian_log_density",
        mean="torch.zeros_like(torch.cat([{logvar}, {logvar}], -1))",
        draw="complex_gaussian_draw({logvar}, {noise})",
        noise="normal_noise",
        words="circular complex Gaussian of zero mean with log-variance (10.2)",
    ),
    Family.BERNOULLI: FamilyText(
        density="bernoulli_log_density",
        mean="torch.sigmoid({logits})",
        draw="({noise} < torch.sigmoid({logits})).to({logits}.dtype)",
        noise="uniform_noise",
        words="Bernoulli with logits",
    ),
    Family.CATEGORICAL: FamilyText(
        density="categorical_log_density",
        mean="torch.softmax({logits}, -1)",
        draw="categorical_draw({logits}, {noise})",
        noise="uniform_noise",
        words="categorical with logits",
        kl="categorical_kl",
        standard_kl="categorical_uniform_kl",
        standard="uniform",
    ),
    Family.POISSON: FamilyText(
        density="poisson_log_density",
        mean="torch.exp({lograte})",
        draw="poisson_draw({lograte}, {noise})",
        noise="uniform_noise",
        words="Poisson with log-rate",
    ),
    Family.GAMMA: FamilyText(
        density="gamma_log_density",
        mean="torch.exp({logscale})",
        draw="-torch.log1p(-{noise}) * torch.exp({logscale})",
        noise="uniform_noise",
        words="Gamma of shape 1 with log-scale (13.2.1)",
    ),
    Family.LAPLACE: FamilyText(
        density="laplace_log_density",
        mean="{mean}",
        draw="laplace_draw({mean}, {logscale}, {noise})",
        noise="uniform_noise",
        words="Laplace with location and log-scale",
        kl="laplace_kl",
        standard_kl="laplace_standard_kl",
        standard="Laplace(0, 1)",
    ),
    Family.STUDENT: FamilyText(
        density="student_log_density",
        mean="{mean}",
        draw="student_draw({mean}, {logscale}, {logdegrees}, {noise})",
        noise="normal_noise",
        noises=2,
        words="Student's t with location, log-scale and log-degrees of freedom",
    ),
    Family.BETA: FamilyText(
        density="beta_log_density",
        mean="torch.sigmoid({logalpha} - {logbeta})",
        draw="beta_draw({logalpha}, {logbeta}, {noise})",
        noise="uniform_noise",
        noises=2,
        words="Beta with log-concentrations",
    ),
    Family.MIXTURE: FamilyText(
        density="mixture_log_density",
        mean="mixture_mean({mean}, {logits})",
        draw="mixture_draw({mean}, {logvar}, {logits}, {noise})",
        noise="normal_noise",
        choices=1,
        words="mixture of Gaussians with means, log-variances and logits",
    ),
}

SHAPED_GAMMA = replace(
    FAMILIES[Family.GAMMA],
    density="shaped_gamma_log_density",
    mean="torch.exp({logscale} + {logshape})",
    draw="shaped_gamma_draw({logscale}, {logshape}, {noise})",
    words="Gamma with log-scale and log-shape",
)
"""The gamma family of any other shape than 1."""

RELAXED = "relaxed_draw({{logits}}, {{noise}}, {temperature}, self.training)"
"""The draw of a latent categorical variable."""


def family_text(variable: Variable) -> FamilyText:
    """Return how a variable's family reads."""
    row = FAMILIES[variable.family]
    if variable.family is Family.GAMMA and gamma_shape(variable) != SHAPE:
        return SHAPED_GAMMA
    if variable.family is Family.CATEGORICAL and variable.role is Role.LATENT:
        return replace(row, draw=RELAXED.format(temperature=repr(temperature(variable))))
    return row


def names_of(variable: Variable) -> tuple[str, ...]:
    """Return the names of the parameters of a variable's conditionals."""
    return tuple(parameter.name for parameter in parameters_of(variable))


def noise_width(variable: Variable) -> int:
    """Return how many numbers of noise one draw takes."""
    row = family_text(variable)
    return row.noises * variable.dim + row.choices


def linked(variable: Variable, parameter: str, text: str) -> str:
    """Return a parameter from a network's output `text`: bounded, where it is a logarithm."""
    return LINKS.get(parameter, "{a}").format(a=text, dim=variable.dim)


ACTIVATIONS = {
    "tanh": "torch.tanh({a})",
    "relu": "torch.relu({a})",
    "sigmoid": "torch.sigmoid({a})",
    "softplus": "F.softplus({a})",
    "elu": "F.elu({a})",
    "gelu": "F.gelu({a})",
    "silu": "F.silu({a})",
    "leaky_relu": "F.leaky_relu({a})",
    "mish": "F.mish({a})",
    "selu": "F.selu({a})",
    "softsign": "F.softsign({a})",
    "hardtanh": "F.hardtanh({a})",
    "softmax": "torch.softmax({a}, -1)",
    "exp": "torch.exp({a})",
    "linear": "{a}",
}


def activate(activation: str, argument: str) -> str:
    """Return the text of an activation of `argument`."""
    return ACTIVATIONS[activation].format(a=argument)
