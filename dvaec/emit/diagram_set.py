"""The pictures of a spec: which form a reader wants by default, and each form's DOT source."""

from __future__ import annotations

from dvaec.derive.model import Derivation
from dvaec.emit.diagram import Diagram, Form
from dvaec.emit.diagram_build import THREE, Extent, diagram
from dvaec.emit.diagram_dot import dot_source
from dvaec.plan.develop import develop
from dvaec.spec.model import Spec


def default_form(spec: Spec, inference: bool = False) -> Form:
    """The developed form where the page gives states or features, else the compact one."""
    if spec.states or spec.features:
        return Form.INFERENCE if inference else Form.DEVELOPED
    return Form.INFERENCE_COMPACT if inference else Form.COMPACT


def picture_of(spec: Spec, derivation: Derivation, form: Form, extent: Extent = THREE) -> Diagram:
    """Return one form; what the page leaves out of the developed form is developed by default."""
    shown = develop(spec, derivation.inference) if form.shows_states else spec
    return diagram(shown, derivation, form, extent)


def picture_source(spec: Spec, derivation: Derivation, form: Form, extent: Extent = THREE) -> str:
    """Return one form's DOT text."""
    return dot_source(picture_of(spec, derivation, form, extent))


def all_sources(spec: Spec, derivation: Derivation) -> dict[str, str]:
    """Return every form's DOT text by the name of its file; without latents there is no q to draw."""
    forms = [form for form in Form if spec.latents or not form.of_q]
    return {f"{form.value}.dot": picture_source(spec, derivation, form) for form in forms}
