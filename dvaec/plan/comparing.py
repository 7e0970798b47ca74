"""Two models made ready to be compared: one order of lines, derived, their developed forms complete."""

from __future__ import annotations

from dvaec.derive.changes import Model
from dvaec.derive.derivation import derive
from dvaec.derive.elbo import elbo_terms
from dvaec.plan.develop import develop
from dvaec.spec.arrange import arranged
from dvaec.spec.model import Spec


def comparable(a: Spec, b: Spec) -> tuple[Model, Model]:
    """Return both models, their lines in one order, a's: of one meaning, they are equal then."""
    first, second = (_model(arranged(one, a, b), (a, b)) for one in (a, b))
    return first, second


def _model(spec: Spec, like: tuple[Spec, ...]) -> Model:
    derivation = derive(spec)
    developed = arranged(develop(spec, derivation.inference), *like)
    return Model(spec, derivation, elbo_terms(spec, derivation.inference), developed)
