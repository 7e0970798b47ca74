"""Checks of `auxiliary`, predictions from and of states (8.4), and of what the starts of states read."""

from __future__ import annotations

from dvaec.spec.check_frames import check_repeated, placed
from dvaec.spec.codes import Code
from dvaec.spec.conditionals import Line
from dvaec.spec.context import Context
from dvaec.spec.offsets import NOW
from dvaec.spec.subscripts import Reference
from dvaec.spec.yaml_tree import Scalar


def check_auxiliary(context: Context) -> None:
    """Report predictions of what is neither state nor data, and parents that no network can read directly."""
    given: dict[str, int] = {}
    for line in context.parsed.auxiliary:
        target, span = line.target, context.place(line.scalar, line.target)
        if not context.known(line.scalar, target, nodes_too=True):
            continue
        if wrong := _no_target(context, line):
            context.report.add(Code.AUXILIARY, wrong[0], span, wrong[1])
            continue
        if target.offsets != NOW:
            hint = f"write {target.name}_t and move the parents' subscripts"
            what = "state" if target.name in context.nodes else "variable"
            context.report.add(Code.TARGET, f"a {what} is predicted at frame t", span, hint)
        elif target.name in given:
            message = f"a second prediction of '{target.name}'; the first stands in line {given[target.name]}"
            context.report.add(Code.CONDITIONAL_TWICE, message, span, "one line holds all that it reads")
        elif not line.parents:
            message = f"the prediction of '{target.name}' reads nothing"
            context.report.add(Code.AUXILIARY, message, span, f"for example {target.name}_t | z_t")
        elif all(context.role(one.name) in ("observed", "input") for one in line.parents):
            message = f"'{target.name}' is predicted from data alone: nothing of the model learns from that"
            context.report.add(Code.AUXILIARY, message, span, f"for example {target.name}_t | z_t")
        given.setdefault(target.name, span.line)
        for parent in check_repeated(context, line):
            _parent(context, line.scalar, target, parent)


def _no_target(context: Context, line: Line) -> tuple[str, str] | None:
    """Say why nothing can be predicted of a target, with a hint: only of states, and of data from states."""
    name, parents = line.target.name, [parent.name for parent in line.parents]
    if context.nodes.get(name) == "state":
        return None
    if name in context.nodes:
        message = f"'{name}' is a feature; 'auxiliary' predicts states and observed variables"
        return message, "a state that reads it can be predicted"
    if name not in context.having("observed") or not context.framed[name]:
        message = f"'{name}' is no observed variable of every frame; 'auxiliary' predicts those and states"
        return message, "what is said of variables stands under 'generation' and 'inference'"
    if not any(context.nodes.get(parent) == "state" for parent in parents):
        message = f"the prediction of '{name}' reads no state, so that it is another p({name}_t)"
        return message, "what is said of variables stands under 'generation' and 'inference'"
    return None


def _parent(context: Context, scalar: Scalar, target: Reference, parent: Reference) -> None:
    if not context.known(scalar, parent, nodes_too=True):
        return
    if not placed(context, scalar, parent, f"{target.name}_t", at_t=True, networks=False):
        return
    name, span = parent.name, context.place(scalar, parent)
    if context.nodes.get(name) == "feature":
        message = f"'{name}' is a feature; a prediction reads variables and states"
        context.report.add(Code.AUXILIARY, message, span)
    elif parent.offsets is not None and not parent.offsets.finite:
        message = "a prediction reads single frames, no open window"
        context.report.add(Code.AUXILIARY, message, span, f"did you mean {name}_t?")
    elif name == target.name and parent.offsets is not None and 0 in parent.offsets:
        message = f"'{name}' at frame t would predict itself"
        context.report.add(Code.AUXILIARY, message, span, f"did you mean {name}_<t-1>?")


def check_starts(context: Context) -> None:
    """Report starts that read what they cannot: relative frames, or the state itself."""
    for key, name in context.parsed.states.items():
        read = context.parsed.reads.get(("states", key, "starts", "reads"))
        for reference in read.references if read is not None else ():
            assert read is not None
            if not context.known(read.scalar, reference, nodes_too=True):
                continue
            span = context.place(read.scalar, reference)
            if reference.offsets is not None:
                message = f"the start of '{name}' is one value and reads no frame t"
                hint = f"name a frame: {reference.name}_<1>, or a value of the sequence"
                context.report.add(Code.START, message, span, hint)
            elif reference.name == name:
                context.report.add(Code.START, f"the start of '{name}' cannot read '{name}'", span)
            else:
                placed(context, read.scalar, reference, f"the start of {name}", at_t=False, networks=True)
