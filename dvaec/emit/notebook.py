"""A model in a notebook: its diagrams and formulas where a cell ends with it."""

from __future__ import annotations

from dvaec.derive.model import Derivation, Elbo
from dvaec.derive.steps import derivation_steps
from dvaec.emit.diagram_set import default_form
from dvaec.emit.formula import FormulaWriter
from dvaec.emit.latex import LATEX
from dvaec.emit.mathml import mathml_writer
from dvaec.emit.render import RenderError
from dvaec.emit.report import environment
from dvaec.emit.report_parts import marked, shown
from dvaec.emit.report_pictures import svg_element
from dvaec.spec.model import Spec


def mimebundle(spec: Spec, derivation: Derivation, elbo: Elbo, size: int) -> dict[str, str]:
    """Return the model as HTML (diagrams, p, q, the bound) and as LaTeX (the same formulas), by MIME type.

    `size` is the number of trained values. Where there is no Graphviz, the diagrams are left out.
    """
    writer = mathml_writer(spec)
    bound = derivation_steps(spec, derivation.inference, elbo)[-1].expression
    html = (
        environment()
        .get_template("notebook.html.jinja")
        .render(
            name=spec.name,
            about=spec.about,
            size=size,
            pictures=[marked(one) for one in _pictures(spec, derivation)],
            joint=shown(writer.joint()),
            inference=shown(writer.inference(derivation.inference)) if spec.latents else None,
            bound=shown(writer.bound()),
            lines=[shown(line) for line in writer.lines(bound)],
        )
    )
    return {
        "text/html": html,
        "text/latex": _latex(spec, derivation, FormulaWriter(spec, LATEX).lines(bound)),
    }


def _pictures(spec: Spec, derivation: Derivation) -> list[str]:
    """Draw p, and q where there is one, in the form that a reader wants."""
    try:
        return [
            svg_element(spec, derivation, default_form(spec, inference))
            for inference in ((False, True) if spec.latents else (False,))
        ]
    except RenderError:
        return []


def _latex(spec: Spec, derivation: Derivation, bound: tuple[str, ...]) -> str:
    writer = FormulaWriter(spec, LATEX)
    q = [writer.inference(derivation.inference)] if spec.latents else []
    lines = [
        writer.joint(),
        *q,
        f"{writer.bound()} = {bound[0]}",
        *(rf"\quad {line.strip()}" for line in bound[1:]),
    ]
    return "\n".join([r"$\displaystyle \begin{array}{l}", " \\\\\n".join(lines), r"\end{array}$"])
