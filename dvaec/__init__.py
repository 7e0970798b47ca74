"""dvaec: the compiler for dynamical variational autoencoders."""

from dvaec.api import compile, load
from dvaec.diagnostics import Fault

__all__ = ["Fault", "__version__", "compile", "load"]
__version__ = "0.1.0"
