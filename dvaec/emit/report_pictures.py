"""Pictures for a page of HTML: Graphviz's SVG as an element that stands in line."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from dvaec.derive.model import Derivation
from dvaec.emit.diagram import Form
from dvaec.emit.diagram_set import picture_source
from dvaec.emit.render import picture
from dvaec.spec.model import Spec

_LINK = re.compile(r"(?<=#)[^)\"']+")
NAMES = {
    Form.COMPACT: "generative model in compact form",
    Form.DEVELOPED: "generative model in developed form",
    Form.INFERENCE_COMPACT: "inference model in compact form",
    Form.INFERENCE: "inference model in developed form",
}
"""The forms in the order of the page, as a reader who hears the page is told of them."""


def pictures(spec: Spec, derivation: Derivation) -> tuple[str, ...]:
    """Draw every form of a model as an element; without latents there is no q to draw. Raises RenderError."""
    return tuple(svg_element(spec, derivation, form) for form in NAMES if spec.latents or not form.of_q)


def svg_element(spec: Spec, derivation: Derivation, form: Form) -> str:
    """Draw one form as an <svg> element. Raises RenderError where there is no Graphviz."""
    drawn = picture(picture_source(spec, derivation, form), "svg").decode("utf-8")
    return inline_svg(drawn, form.value, f"{spec.name}: {NAMES[form]}")


def inline_svg(text: str, prefix: str, label: str) -> str:
    """Make a document of SVG an element of HTML: no declarations, names, tooltips or namespaces.

    Ids get the prefix, so that several pictures can stand on one page; its size in points stays the natural
    one, and the page's style may shrink it.
    """
    root = ElementTree.fromstring(text)
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
        for title in [child for child in element if child.tag.rpartition("}")[2] == "title"]:
            element.remove(title)
        for key, value in list(element.attrib.items()):
            del element.attrib[key]
            short = key.rpartition("}")[2]
            if short == "id":
                element.set("id", f"{prefix}-{value}")
            elif short in ("href", "space"):
                # Graphviz links only within the picture; white space is kept by the page's style.
                if value.startswith("#"):
                    element.set("href", f"#{prefix}-{value[1:]}")
            else:
                element.set(
                    key, _LINK.sub(lambda m: f"{prefix}-{m[0]}", value) if "url(#" in value else value
                )
    for name in ("width", "height"):
        root.attrib.pop(name, None)
    width = float(root.get("viewBox", "0 0 400 300").split()[2])
    # A picture with a dark style of its own is left alone in the dark; others are inverted by the page.
    kind = "diagram" if "prefers-color-scheme" in text else "diagram invertible"
    root.attrib |= {"class": kind, "role": "img", "aria-label": label, "style": f"--natural:{width:.0f}pt"}
    return ElementTree.tostring(root, encoding="unicode", short_empty_elements=True)
