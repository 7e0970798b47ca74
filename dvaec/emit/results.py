"""What the entry points hand out: the fields of their records, with the statements that make them."""

from __future__ import annotations

from dvaec.derive.model import Elbo, Estimator
from dvaec.emit.families import family_text
from dvaec.emit.writer import Body, head_text, mask_of, parameters
from dvaec.plan.entries import parts
from dvaec.plan.model import HeadNode, Origin, ValueNode
from dvaec.spec.families import parameters_of
from dvaec.spec.model import Role

Field = tuple[str, str, str]  # name, expression, what it is


def parameter_fields(node: HeadNode) -> list[Field]:
    """The parameters of one conditional."""
    of = _named(node)
    return [
        (name, name, f"{shape_of(node, made.width)}, parameter of {node.head.side}({of})")
        for name, made in zip(parameters(node), parameters_of(node.variable), strict=True)
    ]


def shape_of(node: ValueNode | HeadNode, width: int | None = None) -> str:
    width = node.dim if width is None else width
    return f"(batch, time, {width})" if node.framed else f"(batch, {width})"


def _named(node: ValueNode | HeadNode) -> str:
    """The variable with its subscript: z_t, z_0, v."""
    value = node.value if isinstance(node, HeadNode) else node.name
    return f"{value}_t" if node.framed else value


def _of_role(body: Body, role: Role) -> list[ValueNode]:
    return [v for v in body.network.values if v.variable.role is role]


def _heads(body: Body, side: str) -> list[HeadNode]:
    """The conditionals of one side; the head of frame 1 or T is part of the one that it begins or ends."""
    some = (h for h in body.network.heads if not h.auxiliary)
    return [h for h in some if h.head.side == side and h.head.frame in (None, 0)]


def _density(body: Body, node: HeadNode) -> str:
    value = f"{node.value}_known" if body.entry.origin(node.value) is Origin.FED else node.value
    return body.call(family_text(node.variable).density, value, *parameters(node))


def _masked(node: HeadNode, value: str) -> tuple[str, str]:
    """A log-density where there is something to score, and the words for its shape."""
    mask = "mask" if node.framed else "mask[:, 0]"
    if node.variable.role is Role.OBSERVED:
        mask = f"seen_{node.value}"
    about = "(batch, time)" if node.framed else "(batch,)"
    return f"own({value}, {mask}.squeeze(-1))", about


def _finish_elbo(body: Body, elbo: Elbo) -> list[Field]:
    return _bound(body, elbo) + predictions(body)


def _finish_elbo_fed(body: Body, elbo: Elbo) -> list[Field]:
    """The bound with its parts, the predictions made before, and the outputs of p that may be fed back."""
    foretold = [_prediction(head) for head in body.network.heads if head.auxiliary]
    return _bound(body, elbo) + foretold + _means(body, "")


def _bound(body: Body, elbo: Elbo) -> list[Field]:
    fields: list[Field] = []
    framed: list[str] = []
    static: list[str] = []
    for part in parts(elbo):
        p = body.network.node(f"p_{part.value}")
        assert isinstance(p, HeadNode)
        if not part.divergence:
            name, value, about = f"log_p_{part.value}", _density(body, p), f"log p({_named(p)} | ...)"
        else:
            name, value, about = _divergence(body, p, part.estimator)
        masked, shape = _masked(p, value)
        body.add(f"{name} = {masked}")
        fields.append(
            (name, name, f"{shape}, {about}, 0 on the padding" if p.framed else f"{shape}, {about}")
        )
        signed = f"{'-' if part.divergence else '+'} {name}"
        (framed if p.framed else static).append(signed)
    body.add(f"elbo = {_total(framed, static)}")
    return [("elbo", "elbo", "(batch,), summed over each sequence's own frames"), *fields]


def predictions(body: Body) -> list[Field]:
    """The log-densities that training adds to the bound (8.4); a predicted state does not learn from them."""
    fields: list[Field] = []
    for head in (h for h in body.network.heads if h.auxiliary):
        target, density = head.variable.name, family_text(head.variable).density
        if isinstance(body.network.node(target), ValueNode):
            masked, _ = _masked(head, body.call(density, target, *parameters(head)))
            body.add(f"{head.name} = {masked}")
        else:
            value = body.call(density, f"{target}.detach()", *parameters(head))
            body.add(f"{head.name} = own({value}, mask.squeeze(-1))")
        fields.append(_prediction(head))
    return fields


def _prediction(head: HeadNode) -> Field:
    about = f"(batch, time), log p({head.variable.name}_t | ...), no part of the bound"
    return head.name, head.name, about


def _total(framed: list[str], static: list[str]) -> str:
    """The sum of signed parts: those of every frame are summed over time first."""
    over_time = " ".join(framed).removeprefix("+ ")
    bracketed = f"({over_time})" if len(framed) > 1 or over_time.startswith("-") else over_time
    return " ".join(([f"{bracketed}.sum(1)"] if framed else []) + static).removeprefix("+ ")


def _divergence(body: Body, p: HeadNode, estimator: Estimator) -> tuple[str, str, str]:
    q = body.network.node(f"q_{p.value}")
    assert isinstance(q, HeadNode)
    if estimator is not Estimator.ANALYTIC:
        value = f"{_density(body, q)} - {_density(body, p)}"
        return f"kl_{p.value}", value, f"log q - log p of the drawn {_named(p)}"
    text = family_text(p.variable)
    if p.standard:
        value = body.call(text.standard_kl, *parameters(q))
    else:
        value = body.call(text.kl, *parameters(q), *parameters(p))
    return f"kl_{p.value}", value, f"KL(q || p) of {_named(p)} in closed form"


def _finish_encode(body: Body, _: Elbo) -> list[Field]:
    fields: list[Field] = []
    for value in _of_role(body, Role.LATENT):
        fields.append(
            (value.name, f"own({value.name}, {mask_of(value)})", f"{shape_of(value)}, drawn from q")
        )
    return fields + [f for head in _heads(body, "q") for f in parameter_fields(head)]


def _finish_score(body: Body, _: Elbo) -> list[Field]:
    fields: list[Field] = []
    for side in ("p", "q"):
        for head in _heads(body, side):
            name = f"log_{head.name}"
            masked, shape = _masked(head, _density(body, head))
            body.add(f"{name} = {masked}")
            fields += parameter_fields(head)
            padded = ", 0 on the padding" if head.framed else ""
            fields.append((name, name, f"{shape}, log {side}({_named(head)} | ...){padded}"))
    return fields


def _finish_reconstruct(body: Body, _: Elbo) -> list[Field]:
    return _means(body, ", teacher-forced")


def _means(body: Body, how: str) -> list[Field]:
    """The mean of every observed variable under p, with the parameters."""
    fields: list[Field] = []
    for head in _heads(body, "p"):
        if head.variable.role is Role.OBSERVED:
            mean = head_text(head, family_text(head.variable).mean, parameters(head))
            about = f"{shape_of(head)}, mean of p({_named(head)} | ...){how if head.framed else ''}"
            mask = "mask" if head.framed else "mask[:, 0]"
            fields.append((head.value, f"own({mean}, {mask})", about))
            fields += parameter_fields(head)
    return fields


def _finish_forecast(body: Body, _: Elbo) -> list[Field]:
    """All of the context and of the steps behind it, in the places of each sequence's own frames."""
    fields: list[Field] = []
    for role in (Role.OBSERVED, Role.LATENT):
        for value in _of_role(body, role):
            if body.entry.origin(value.name) is Origin.MIXED:
                about = f"{shape_of(value)}, known in the context, drawn from p behind it"
                fields.append((value.name, f"own({value.name}, mask)", about))
            elif role is Role.LATENT:
                fields.append((value.name, value.name, f"{shape_of(value)}, drawn from q"))
    return fields + [f for head in _heads(body, "p") if head.framed for f in parameter_fields(head)]


def _finish_generate(body: Body, _: Elbo) -> list[Field]:
    fields: list[Field] = []
    for role in (Role.OBSERVED, Role.LATENT):
        for value in _of_role(body, role):
            fields.append(
                (value.name, f"own({value.name}, {mask_of(value)})", f"{shape_of(value)}, drawn from p")
            )
    return fields + [f for head in _heads(body, "p") for f in parameter_fields(head)]


FINISH = {
    "elbo": _finish_elbo,
    "elbo_fed": _finish_elbo_fed,
    "encode": _finish_encode,
    "score": _finish_score,
    "reconstruct": _finish_reconstruct,
    "generate": _finish_generate,
    "forecast": _finish_forecast,
}
