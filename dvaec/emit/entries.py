"""The entry points of the module: arguments, preparation, scheduled statements, and what is returned."""

from __future__ import annotations

from dataclasses import dataclass

from dvaec.derive.model import Elbo, Estimator, TermKind
from dvaec.emit.batched import batched, whole_sequence
from dvaec.emit.families import FAMILIES
from dvaec.emit.loops import loop
from dvaec.emit.writer import Body, head_text, parameters
from dvaec.plan.model import Batched, Entry, HeadNode, Network, Origin, Plan, ValueNode, WholeSequence
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
    observed = [v for v in network.values if v.variable.role is Role.OBSERVED]
    body = Body(network, entry, like if entry.name == "generate" else observed[0].name, tags)
    _prepare(body)
    for step in entry.steps:
        if isinstance(step, Batched):
            batched(body, step)
        elif isinstance(step, WholeSequence):
            whole_sequence(body, step)
        else:
            loop(body, step)
    fields = _FINISH[entry.name](body, elbo)
    returned = ", ".join(expression for _, expression, _ in fields)
    body.add(f"return {RECORDS[entry.name]}({returned})")
    described = tuple((name, about) for name, _, about in fields)
    return EntryText(
        entry.name,
        _arguments(network, entry),
        RECORDS[entry.name],
        described,
        tuple(body.lines),
        frozenset(body.functions),
    )


def _arguments(network: Network, entry: Entry) -> tuple[str, ...]:
    def tensors(*roles: Role) -> list[str]:
        return [f"{v.name}: Tensor" for role in roles for v in network.values if v.variable.role is role]

    if entry.name == "generate":
        given = ["batch: int", "frames: int", *tensors(Role.INPUT)]
    elif entry.name == "score":
        given = tensors(Role.OBSERVED, Role.INPUT, Role.LATENT)
    else:
        given = tensors(Role.OBSERVED, Role.INPUT)
    given.append("lengths: Optional[Tensor] = None")
    given += [f"noise_{v.name}: Optional[Tensor] = None" for v in _drawn(network, entry)]
    if entry.name == "generate":
        given.append("sample: bool = True")
    return tuple(given)


def _drawn(network: Network, entry: Entry) -> list[ValueNode]:
    drawn = [v for v in network.values if entry.origin(v.name) is not Origin.GIVEN]
    return sorted(drawn, key=lambda v: v.variable.role is Role.OBSERVED)


def _prepare(body: Body) -> None:
    network, entry = body.network, body.entry
    if entry.name != "generate":
        body.add(f"batch, frames = {body.like}.size(0), {body.like}.size(1)")
    body.add(f"mask = frame_mask(lengths, {body.like}, batch, frames)")
    for value in network.values:
        if entry.origin(value.name) is Origin.GIVEN:
            framed = value.variable.framed
            checked = body.call(
                "framed" if framed else "static", value.name, f'"{value.name}"', str(value.dim)
            )
            body.add(f"{value.name} = {f'own({checked}, mask)' if framed else checked}")
    for value in _drawn(network, entry):
        noise = FAMILIES[value.variable.family].noise
        drawn = body.call(noise, f"noise_{value.name}", body.like, "mask", str(value.dim))
        body.add(f"noise_{value.name} = {drawn}")


Field = tuple[str, str, str]  # name, expression, what it is


def _parameters(node: HeadNode) -> list[Field]:
    return [
        (name, name, f"{_shape(node.dim)}, parameter of {node.name[0]}({node.name[2:]}_t)")
        for name in parameters(node)
    ]


def _shape(dim: int) -> str:
    return f"(batch, time, {dim})"


def _of_role(body: Body, role: Role) -> list[ValueNode]:
    return [v for v in body.network.values if v.variable.role is role]


def _heads(body: Body, side: str) -> list[HeadNode]:
    return [h for h in body.network.heads if h.head.side == side]


def _density(body: Body, node: HeadNode) -> str:
    return body.call(FAMILIES[node.variable.family].density, node.variable.name, *parameters(node))


def _finish_elbo(body: Body, elbo: Elbo) -> list[Field]:
    fields: list[Field] = []
    for term in elbo.terms:
        p = body.network.node(f"p_{term.target}")
        assert isinstance(p, HeadNode)
        if term.kind is TermKind.RECONSTRUCTION:
            name, value, about = f"log_p_{term.target}", _density(body, p), f"log p({term.target}_t | ...)"
        else:
            name, value, about = _divergence(body, p, term.estimator)
        body.add(f"{name} = own({value}, mask.squeeze(-1))")
        fields.append((name, name, f"(batch, time), {about}, 0 on the padding"))
    signed = [f"{'-' if name.startswith('kl_') else '+'} {name}" for name, _, _ in fields]
    total = " ".join(signed).removeprefix("+ ")
    body.add(f"elbo = ({total}).sum(1)" if len(signed) > 1 else f"elbo = {total}.sum(1)")
    return [("elbo", "elbo", "(batch,), summed over each sequence's own frames"), *fields]


def _divergence(body: Body, p: HeadNode, estimator: Estimator) -> tuple[str, str, str]:
    name = p.variable.name
    q = body.network.node(f"q_{name}")
    assert isinstance(q, HeadNode)
    if estimator is not Estimator.ANALYTIC:
        value = f"{_density(body, q)} - {_density(body, p)}"
        return f"kl_{name}", value, f"log q - log p of the drawn {name}_t"
    if p.standard:
        value = body.call("standard_kl", *parameters(q))
    else:
        value = body.call("gaussian_kl", *parameters(q), *parameters(p))
    return f"kl_{name}", value, f"KL(q || p) of {name}_t in closed form"


def _finish_encode(body: Body, _: Elbo) -> list[Field]:
    fields: list[Field] = []
    for value in _of_role(body, Role.LATENT):
        fields.append((value.name, f"own({value.name}, mask)", f"{_shape(value.dim)}, drawn from q"))
    return fields + [f for head in _heads(body, "q") for f in _parameters(head)]


def _finish_score(body: Body, _: Elbo) -> list[Field]:
    fields: list[Field] = []
    for side in ("p", "q"):
        for head in _heads(body, side):
            name = f"log_{head.name}"
            body.add(f"{name} = own({_density(body, head)}, mask.squeeze(-1))")
            fields += _parameters(head)
            fields.append(
                (name, name, f"(batch, time), log {side}({head.variable.name}_t | ...), 0 on the padding")
            )
    return fields


def _finish_reconstruct(body: Body, _: Elbo) -> list[Field]:
    fields: list[Field] = []
    for head in _heads(body, "p"):
        if head.variable.role is Role.OBSERVED:
            mean = head_text(head, FAMILIES[head.variable.family].mean, parameters(head))
            about = f"{_shape(head.dim)}, mean of p({head.variable.name}_t | ...), teacher-forced"
            fields.append((head.variable.name, f"own({mean}, mask)", about))
            fields += _parameters(head)
    return fields


def _finish_generate(body: Body, _: Elbo) -> list[Field]:
    fields: list[Field] = []
    for role in (Role.OBSERVED, Role.LATENT):
        for value in _of_role(body, role):
            fields.append((value.name, f"own({value.name}, mask)", f"{_shape(value.dim)}, drawn from p"))
    return fields + [f for head in _heads(body, "p") for f in _parameters(head)]


_FINISH = {
    "elbo": _finish_elbo,
    "encode": _finish_encode,
    "score": _finish_score,
    "reconstruct": _finish_reconstruct,
    "generate": _finish_generate,
}
