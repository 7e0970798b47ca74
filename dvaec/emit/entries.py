"""The entry points of the module: arguments, preparation, scheduled statements, and what is returned."""

from __future__ import annotations

from dataclasses import dataclass

from dvaec.derive.model import Elbo
from dvaec.emit.batched import batched, whole_sequence
from dvaec.emit.families import family_text, noise_width
from dvaec.emit.loops import loop
from dvaec.emit.results import FINISH
from dvaec.emit.writer import Body, mask_of
from dvaec.plan.model import Batched, Entry, Network, Origin, Plan, ValueNode, WholeSequence
from dvaec.spec.model import Role


@dataclass(frozen=True)
class EntryText:
    """One entry point as text."""

    name: str
    arguments: tuple[str, ...]
    returns: str
    fields: tuple[tuple[str, str], ...]
    body: tuple[str, ...]
    functions: frozenset[str]


RECORDS = {
    "elbo": "Elbo",
    "encode": "Encoded",
    "score": "Score",
    "reconstruct": "Reconstruction",
    "generate": "Generated",
}


def entry_text(plan: Plan, entry: Entry, elbo: Elbo, like: str, tags: dict[str, str]) -> EntryText:
    """Return the text of one entry point, `like` naming a parameter for the entry point without data."""
    network = plan.network
    body = Body(network, entry, like if entry.name == "generate" else _leading(network, entry), tags)
    _prepare(body, plan.frames)
    for step in entry.steps:
        if isinstance(step, Batched):
            batched(body, step)
        elif isinstance(step, WholeSequence):
            whole_sequence(body, step)
        else:
            loop(body, step)
    fields = FINISH[entry.name](body, elbo)
    returned = ", ".join(expression for _, expression, _ in fields)
    body.add(f"return {RECORDS[entry.name]}({returned})")
    described = tuple((name, about) for name, _, about in fields)
    return EntryText(
        entry.name,
        _arguments(network, entry, plan.frames),
        RECORDS[entry.name],
        described,
        tuple(body.lines),
        frozenset(body.functions),
    )


def _leading(network: Network, entry: Entry) -> str:
    """The data that tell the sizes of a batch: the first with a time axis, else the first."""
    data = _given(network, entry, Role.OBSERVED) + _given(network, entry, Role.INPUT)
    return next((v.name for v in data if v.framed), data[0].name)


def _arguments(network: Network, entry: Entry, frames: int | None) -> tuple[str, ...]:
    def tensors(*roles: Role) -> list[str]:
        return [f"{v.name}: Tensor" for role in roles for v in network.values if v.variable.role is role]

    if entry.name == "generate":
        given = ["batch: int", *(["frames: int"] if frames is None else []), *tensors(Role.INPUT)]
    elif entry.name == "score":
        given = tensors(Role.OBSERVED, Role.INPUT, Role.LATENT)
    else:
        given = tensors(Role.OBSERVED, Role.INPUT)
    given.append("lengths: Optional[Tensor] = None")
    given += [f"noise_{v.name}: Optional[Tensor] = None" for v in _drawn(network, entry)]
    if entry.name == "generate":
        given.append("sample: bool = True")
    given += [f"mask_{v.name}: Optional[Tensor] = None" for v in _given(network, entry, Role.OBSERVED)]
    return tuple(given)


def _given(network: Network, entry: Entry, *roles: Role) -> list[ValueNode]:
    given = [v for v in network.values if entry.origin(v.name) is Origin.GIVEN]
    return [v for v in given if v.variable.role in roles]


def _drawn(network: Network, entry: Entry) -> list[ValueNode]:
    drawn = [v for v in network.values if entry.origin(v.name) is not Origin.GIVEN]
    return sorted(drawn, key=lambda v: v.variable.role is Role.OBSERVED)


def _prepare(body: Body, frames: int | None) -> None:
    network, entry = body.network, body.entry
    _sizes(body, frames)
    for value in _given(network, entry, *Role):
        checked = body.call(
            "framed" if value.framed else "static", value.name, f'"{value.name}"', str(value.dim)
        )
        if value.variable.role is Role.OBSERVED:
            body.add(f"seen_{value.name} = {body.call('seen', mask_of(value), f'mask_{value.name}')}")
            body.add(f"{value.name} = own({checked}, seen_{value.name})")
        else:
            body.add(f"{value.name} = {f'own({checked}, mask)' if value.framed else checked}")
    for value in _drawn(network, entry):
        noise, width = family_text(value.variable).noise, str(noise_width(value.variable))
        drawn = body.call(noise, f"noise_{value.name}", body.like, mask_of(value), width)
        body.add(f"noise_{value.name} = {drawn}")


def _sizes(body: Body, frames: int | None) -> None:
    """Name `batch`, `frames` and the mask of each sequence's own frames."""
    network, entry = body.network, body.entry
    if entry.name != "generate":
        data = next(v for v in network.values if v.name == body.like)
        body.add(
            f"batch, frames = {data.name}.size(0), {data.name}.size(1)"
            if data.framed
            else f"batch = {data.name}.size(0)"
        )
    if frames is not None:
        body.add(f"frames = {frames}")
    body.add(f"mask = frame_mask(lengths, {body.like}, batch, frames)")
