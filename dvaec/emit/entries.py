"""The entry points of the module: arguments, preparation, scheduled statements, and what is returned."""

from __future__ import annotations

from dvaec.derive.model import Elbo
from dvaec.emit.batched import batched, whole_sequence
from dvaec.emit.first_frames import first_frames
from dvaec.emit.loops import loop
from dvaec.emit.one_frame import one_frame_alone
from dvaec.emit.preparing import arguments, leading, one_hot_classes, prepare
from dvaec.emit.pruning import pruned
from dvaec.emit.results import FINISH, predictions
from dvaec.emit.texts import EntryText
from dvaec.emit.writer import Body
from dvaec.plan.model import Batched, Entry, FirstFrame, OneFrame, Origin, Plan, WholeSequence

RECORDS = {
    "elbo": "Elbo",
    "encode": "Encoded",
    "score": "Score",
    "reconstruct": "Reconstruction",
    "generate": "Generated",
    "forecast": "Forecast",
    "elbo_fed": "ElboFed",
}


def _steps(body: Body) -> None:
    for step in body.entry.steps:
        if isinstance(step, Batched):
            batched(body, step)
        elif isinstance(step, WholeSequence):
            whole_sequence(body, step)
        elif isinstance(step, FirstFrame):
            first_frames(body, step)
        elif isinstance(step, OneFrame):
            one_frame_alone(body, step)
        else:
            loop(body, step)


def _before(body: Body, entry: Entry, before: Entry) -> None:
    """Write the auxiliary predictions of the data; what is named on the way is made anew where p is fed."""
    at_data = Body(body.network, before, body.like, body.tags, lines=body.lines, functions=body.functions)
    for name, origin in entry.binding:
        if origin is Origin.FED:
            at_data.add(f"{name} = {name}_known")
    _steps(at_data)
    predictions(at_data)


def entry_text(plan: Plan, entry: Entry, elbo: Elbo, like: str, tags: dict[str, str]) -> EntryText:
    """Return the text of one entry point, `like` naming a parameter for the entry point without data."""
    network = plan.network
    body = Body(network, entry, like if entry.name == "generate" else leading(network, entry), tags)
    one_hot_classes(body, like)
    prepare(body, plan.frames)
    if entry.before is not None:
        _before(body, entry, entry.before)
    _steps(body)
    fields = FINISH[entry.name](body, elbo)
    returned = ", ".join(expression for _, expression, _ in fields)
    body.add(f"return {RECORDS[entry.name]}({returned})")
    described = tuple((name, about) for name, _, about in fields)
    return EntryText(
        entry.name,
        arguments(network, entry, plan.frames),
        RECORDS[entry.name],
        described,
        pruned(body.lines, arguments(network, entry, plan.frames)),
        frozenset(body.functions),
    )
