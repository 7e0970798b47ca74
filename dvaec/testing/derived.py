"""What is derived from a spec, once for all the properties that look at it."""

from __future__ import annotations

from functools import lru_cache

from dvaec.derive.derivation import derive
from dvaec.derive.model import Derivation
from dvaec.spec.model import Spec


@lru_cache(maxsize=2)
def derived(spec: Spec) -> Derivation:
    """Return the derivation of a spec; the last ones are kept, since a spec is a frozen value."""
    return derive(spec)
