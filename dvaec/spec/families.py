"""What each family of distributions takes: parameters with their widths, options, and where it may stand.

gaussian          N(mean, diag exp logvar)
full_gaussian     N(mean, L L'), L lower triangular: log of its diagonal, then its rows times sqrt(d)
complex_gaussian  N_c(0, diag exp logvar), circular (10.2): one variance for a real and an imaginary part
bernoulli         s(logits)
categorical       softmax(logits), one-hot vectors
poisson           rate exp lograte
gamma             a shape (1, a number, or exp logshape) and the scale exp logscale
laplace           location mean, scale exp logscale
student_t         location mean, scale exp logscale, degrees of freedom (a number or exp logdegrees)
beta              concentrations exp logalpha, exp logbeta
gaussian_mixture  sum_k softmax(logits)_k N(mean_k, diag exp logvar_k), component after component
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from dvaec.spec.variables import Family, Variable

LEARNED = 0.0
"""The value of an option that the network gives: `shape: learned`."""

TEMPERATURE = 0.5
"""Of a relaxed categorical variable, unless the page says another."""

SHAPE = 1.0
"""Of a gamma variable, unless the page says another."""


OPTIONS = ("shape", "degrees", "components", "temperature")
"""The numbers that go with some family."""

_ANYWAY = (("shape", SHAPE), ("degrees", LEARNED), ("temperature", TEMPERATURE))
"""What an option says that holds without it too."""


@dataclass(frozen=True)
class Parameter:
    """One parameter of a conditional: a vector of `width` numbers at each frame, or all log `fixed`."""

    name: str
    width: int
    fixed: float | None = None


@dataclass(frozen=True)
class Form:
    """What a page may say of one family.

    `mean` and `variance` name the parameters that these keys of a head speak for; empty where there is none.
    `latent` says that it can be drawn with a gradient, and so be latent. `options` go with the variable.
    """

    parameters: Callable[[Variable], tuple[Parameter, ...]]
    mean: str = ""
    variance: str = ""
    latent: bool = False
    options: tuple[str, ...] = ()


def _each(*names: str) -> Callable[[Variable], tuple[Parameter, ...]]:
    """Parameters of one number a dimension."""
    return lambda variable: tuple(Parameter(name, variable.dim) for name in names)


def _full(v: Variable) -> tuple[Parameter, ...]:
    return Parameter("mean", v.dim), Parameter("factor", v.dim * (v.dim + 1) // 2)


def _complex(v: Variable) -> tuple[Parameter, ...]:
    return (Parameter("logvar", v.dim // 2),)


def _gamma(v: Variable) -> tuple[Parameter, ...]:
    scale, shape = Parameter("logscale", v.dim), gamma_shape(v)
    return (scale,) if shape == SHAPE else (scale, Parameter("logshape", v.dim, shape or None))


def _student(v: Variable) -> tuple[Parameter, ...]:
    degrees = Parameter("logdegrees", v.dim, v.option("degrees") or None)
    return Parameter("mean", v.dim), Parameter("logscale", v.dim), degrees


def _mixture(v: Variable) -> tuple[Parameter, ...]:
    k = components(v)
    return Parameter("mean", k * v.dim), Parameter("logvar", k * v.dim), Parameter("logits", k)


FORMS = {
    Family.GAUSSIAN: Form(_each("mean", "logvar"), "mean", "logvar", latent=True),
    Family.FULL_GAUSSIAN: Form(_full, "mean", latent=True),
    Family.COMPLEX_GAUSSIAN: Form(_complex, variance="logvar"),
    Family.BERNOULLI: Form(_each("logits")),
    Family.CATEGORICAL: Form(_each("logits"), latent=True, options=("temperature",)),
    Family.POISSON: Form(_each("lograte")),
    Family.GAMMA: Form(_gamma, options=("shape",)),
    Family.LAPLACE: Form(_each("mean", "logscale"), "mean", latent=True),
    Family.STUDENT: Form(_student, "mean", options=("degrees",)),
    Family.BETA: Form(_each("logalpha", "logbeta")),
    Family.MIXTURE: Form(_mixture, options=("components",)),
}


def parameters_of(variable: Variable) -> tuple[Parameter, ...]:
    """Return the parameters of a variable's conditionals, in order."""
    return FORMS[variable.family].parameters(variable)


def option_values(said: Mapping[str, float | str | None]) -> tuple[tuple[str, float], ...]:
    """Return a family's numbers as a page says them, sorted by name, without those that hold anyway.

    Pages of equal meaning make equal specs.
    """
    numbers = {name: LEARNED if isinstance(value, str) else value for name, value in said.items()}
    found = [(name, float(value)) for name, value in numbers.items() if value is not None]
    return tuple(sorted(item for item in found if item not in _ANYWAY))


def gamma_shape(variable: Variable) -> float:
    """Return a gamma variable's shape; LEARNED where the network gives it."""
    said = variable.option("shape")
    return SHAPE if said is None else said


def components(variable: Variable) -> int:
    """Return the number of a mixture's components."""
    return int(variable.option("components") or 1)


def temperature(variable: Variable) -> float:
    """Return the temperature at which a latent categorical variable is relaxed."""
    return variable.option("temperature") or TEMPERATURE
