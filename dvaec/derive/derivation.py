"""All derivations of one spec, in order."""

from __future__ import annotations

from dvaec.derive.compare import compare
from dvaec.derive.model import Derivation
from dvaec.derive.posterior import declared_inference, exact_posterior
from dvaec.spec.model import Spec


def derive(spec: Spec) -> Derivation:
    """Return the exact posterior, q as declared, and the difference between them."""
    posterior = exact_posterior(spec)
    inference = declared_inference(spec, posterior)
    return Derivation(posterior, inference, compare(spec, posterior, inference))
