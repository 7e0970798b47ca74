"""Checks of the heads of p and q: whose they are, and what they may say of which distribution."""

from __future__ import annotations

from dvaec.spec.check_frames import head_level
from dvaec.spec.codes import Code
from dvaec.spec.context import Context
from dvaec.spec.families import FORMS
from dvaec.spec.model import Family, Side
from dvaec.spec.schema_base import Shape
from dvaec.spec.schema_heads import GatedHeadShape

_NO_PARENTS = "its conditional has no parents: leave the network out, or give the conditional some"


def check_heads(context: Context) -> None:
    """Report heads of what has no conditional, and parameters that do not fit the distribution."""
    parsed = context.parsed
    for key, (side, name) in parsed.heads.items():
        role, span = context.role(name), parsed.span(("networks", key))
        if name in context.nodes and name not in context.variables:
            message = f"'{name}' is a {context.nodes[name]}, not a random variable"
            context.report.add(Code.HEAD_NAME, message, span)
        elif name not in context.variables:
            if context.closed:
                message = f"there is no variable '{name[:40]}'"
                context.report.add(Code.UNDEFINED, message, span, f"known are {', '.join(context.variables)}")
        elif role == "input":
            message = f"'{name}' is an input: it is given, and has no conditional"
            context.report.add(Code.CONDITIONAL_OF_INPUT, message, span)
        elif not head_level(context, key, side, name):
            continue
        elif role == "observed" and side is Side.Q:
            message = f"'{name}' is observed; q has conditionals of latent variables only"
            context.report.add(Code.INFERENCE_OF_OBSERVED, message, span, f"did you mean p({name}_t)?")
        elif role is not None and key in parsed.shape.networks:
            _parameters(context, key, side, name)


def _parameters(context: Context, key: str, side: Side, name: str) -> None:
    """Check the keys of one head against the distribution and the parents of its target."""
    parsed, report = context.parsed, context.report
    shape, at = parsed.shape.networks[key], ("networks", key)
    family = Family(parsed.shape.variables[name].distribution or "gaussian")
    form = FORMS[family]
    if isinstance(shape, GatedHeadShape) and family is not Family.GAUSSIAN:
        message = f"the gated transition gives a mean and a variance a dimension, and '{name}' is {family}"
        report.add(Code.HEAD_PARAMETERS, message, parsed.span((*at, "block")), "it is for gaussian variables")
    for part, speaks in (("mean", form.mean), ("variance", form.variance)):
        said = getattr(shape, part)
        if said is not None and not speaks:
            message = f"'{name}' is {family}: it has no {part} of its own to set"
            hint = "give its layers under 'layers'" if isinstance(said, Shape) else "leave it out"
            report.add(Code.HEAD_PARAMETERS, message, parsed.span((*at, part)), hint)
        elif said is not None and family is Family.COMPLEX_GAUSSIAN and isinstance(said, str | float | int):
            message = f"'{name}' is {family}, of mean zero: its variance is all that the network gives"
            hint = "give the variance layers, or leave it out"
            report.add(Code.HEAD_PARAMETERS, message, parsed.span((*at, part)), hint)
        elif isinstance(shape, GatedHeadShape) and _networked(part, getattr(shape, part)):
            message = f"the gated transition makes its own {part}, by (B.1)-(B.5)"
            hint = "leave it out" if part == "mean" else "leave it out, or give a number or shared"
            report.add(Code.HEAD_PARAMETERS, message, parsed.span((*at, part)), hint)
    reads, frame = getattr(shape, "reads", None), parsed.targets[key].frame
    lines = [one for one in parsed.generation if one.target.name == name and one.target.frame == frame]
    orphan = bool(lines) and not lines[0].parents
    if getattr(shape, "layers", None) is not None and reads is None and not shape.learned:
        message = "layers need something to read"
        hint = _NO_PARENTS if orphan and side is Side.P else "add reads: ..."
        report.add(Code.LAYERS_WITHOUT_READS, message, parsed.span((*at, "layers")), hint)
    if reads is None and not getattr(shape, "block", None):
        _layers_of_nothing(context, key)
    fixed = orphan and side is Side.P and context.role(name) == "latent"
    if not shape.learned and "learned" in shape.model_fields_set and not fixed:
        message = "'learned: false' fixes the prior of a latent without parents; all else is trained"
        report.add(Code.LEARNED, message, parsed.span((*at, "learned")), "leave it out")
    elif shape.learned:
        _learned(context, key, side, name, orphan)
    elif (
        orphan
        and side is Side.P
        and context.role(name) == "latent"
        and (shape.mean or shape.variance is not None)
    ):
        message = f"'{name}' has no parents, so its prior is N(0, I)"
        report.add(
            Code.LEARNED, message, parsed.span(at), "leave the network out, or say learned: true alone"
        )


def _layers_of_nothing(context: Context, key: str) -> None:
    """Report layers of a mean or a variance where no part of the network reads anything."""
    shape = context.parsed.shape.networks[key]
    said = {part: getattr(shape, part) for part in ("mean", "variance")}
    made = {part: its for part, its in said.items() if isinstance(its, Shape)}
    if any(isinstance(its, str) and part == "mean" for part, its in said.items()):
        return
    if any({"reads", "block", "of", "python"} & its.model_fields_set for its in made.values()):
        return
    for part, its in made.items():
        if getattr(its, "layers", None):
            span = context.parsed.span(("networks", key, part, "layers"))
            message = f"the layers of the {part} need something to read"
            context.report.add(Code.LAYERS_WITHOUT_READS, message, span, "add reads: ... to the network")


def _networked(part: str, said: object) -> bool:
    """Whether a parameter is given by a network, and not by a number or as shared."""
    return isinstance(said, Shape) or (part == "mean" and said is not None)


def _learned(context: Context, key: str, side: Side, name: str, orphan: bool) -> None:
    """`learned` belongs to a conditional of p without parents, and stands alone."""
    shape, at = context.parsed.shape.networks[key], ("networks", key)
    span = context.parsed.span((*at, "learned"))
    others = sorted(shape.model_fields_set - {"learned"})
    if side is Side.Q or not orphan:
        message = f"'learned' is for constants, and {side.value}({name}_t) has parents"
        if side is Side.Q:
            message = "'learned' is for constants of p"
        context.report.add(Code.LEARNED, message, span, "leave it out; networks are trained anyway")
    elif others:
        message = f"a learned constant has no '{others[0]}'"
        context.report.add(Code.LEARNED, message, context.parsed.span((*at, others[0])))
