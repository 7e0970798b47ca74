"""Two models made ready to be compared: one order of lines, derived, their developed forms complete."""

from __future__ import annotations

from dvaec.derive.changes import Model
from dvaec.derive.derivation import derive
from dvaec.derive.elbo import elbo_terms
from dvaec.plan.develop import develop
from dvaec.spec.arrange import arranged
from dvaec.spec.model import Spec


def comparable(a: Spec, b: Spec) -> tuple[Model, Model]:
    """Return both models, the lines of both in the order of a's: of one meaning, they are equal then."""
    return _model(arranged(a, a)), _model(arranged(b, a))


def _model(spec: Spec) -> Model:
    derivation = derive(spec)
    elbo = elbo_terms(spec, derivation.inference)
    return Model(spec, derivation, elbo, develop(spec, derivation.inference))
