"""dvaec: the compiler for dynamical variational autoencoders."""

from dvaec.api import compile, lightning_data, lightning_module, load
from dvaec.diagnostics import Fault

__all__ = ["Fault", "__version__", "compile", "lightning_data", "lightning_module", "load"]
__version__ = "0.1.0"
