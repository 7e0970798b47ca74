"""The whole chain on specs of the whole language: derivations, drawings, module, TorchScript, the property list."""

from __future__ import annotations

from hypothesis import HealthCheck, assume, given, settings

from dvaec.derive.derivation import derive
from dvaec.derive.elbo import elbo_terms
from dvaec.emit.derivation_text import derivation_text
from dvaec.plan.schedule import UnschedulableError
from dvaec.spec.model import InferenceKind, Spec
from dvaec.testing import properties
from tests.general_strategies import general_specs

KINDS = tuple(kind for kind in InferenceKind if kind is not InferenceKind.NETWORKS)


@settings(max_examples=2 * settings().max_examples, suppress_health_check=list(HealthCheck))
@given(general_specs(kinds=KINDS))
def test_specs_of_the_whole_language_have_every_property(spec: Spec) -> None:
    derivation = derive(spec)
    assert derivation_text(spec, derivation, elbo_terms(spec, derivation.inference))
    try:
        properties.check_all(spec)
    except UnschedulableError as error:
        if error.code != "DV304":
            raise
        assume(False)
