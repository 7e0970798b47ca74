"""The order of the latents within a frame, in which q's chain rule takes them."""

from __future__ import annotations

from dvaec.diagnostics import Span, did_you_mean
from dvaec.spec.assemble import inference_kind
from dvaec.spec.check_conditionals import in_frame
from dvaec.spec.codes import Code
from dvaec.spec.context import Context
from dvaec.spec.graph import reachable, topological
from dvaec.spec.model import InferenceKind, Side
from dvaec.spec.yaml_tree import Items, Scalar


def chain_order(context: Context) -> tuple[str, ...]:
    """Return the order: that of `order`, else that of q's own conditionals, else the generative one.

    Ties keep the generative order, whose own ties keep the lines' order.
    """
    latents = context.having("latent")
    p = in_frame(context.parsed.generation)
    generated = [name for name in topological(list(p), p) if name in latents]
    q = _read_in_frame(context)
    derived = topological(generated, {name: _latent_needs(name, q, latents) for name in generated})
    given = _given(context)
    if given is None:
        return derived
    _conflicts(context, given, q)
    return given


def _latent_needs(name: str, needs: dict[str, list[str]], latents: tuple[str, ...]) -> list[str]:
    return [other for other in reachable(name, needs) if other in latents]


def _read_in_frame(context: Context) -> dict[str, list[str]]:
    """Return what q's conditionals need at the same frame: as written, or through their networks."""
    kind = inference_kind(context.parsed)
    if kind is InferenceKind.CONDITIONALS:
        return in_frame(context.parsed.inference)
    if kind is not InferenceKind.NETWORKS:
        return {}
    return developed_needs(context, Side.Q)


def developed_needs(context: Context, side: Side) -> dict[str, list[str]]:
    """Return what each state, feature and conditional of one side reads at the same frame."""
    parsed, needs = context.parsed, dict[str, list[str]]()
    for path, read in parsed.reads.items():
        block, key = str(path[0]), str(path[1])
        if block == "networks":
            head = parsed.heads.get(key)
            if head is None or head[0] is not side:
                continue
            name = head[1]
        else:
            name = (parsed.states if block == "states" else parsed.features).get(key, key)
        needs.setdefault(name, []).extend(
            r.name for r in read.references if r.offsets is not None and 0 in r.offsets and r.name != name
        )
    return needs


def _given(context: Context) -> tuple[str, ...] | None:
    """Read the block `order`, report its faults; None if there is none or it is faulty."""
    node = context.parsed.tree.get("order")
    if not isinstance(node, Items) or not context.parsed.sound.has("order"):
        return None
    blocks = [item.items if isinstance(item, Items) else (item,) for item in node.items]
    before, complete = len(context.report.found), True
    named: list[str] = []
    for scalar in (item for block in blocks for item in block if isinstance(item, Scalar)):
        complete = _named_once(context, scalar, named) and complete
        named.append(scalar.text)
    missing = [name for name in context.having("latent") if name not in named]
    if missing and complete and context.parsed.sound.whole("variables"):
        span = context.parsed.span(("order",))
        context.report.add(Code.ORDER, f"'order' does not name the latent '{missing[0]}'", span)
    if len(blocks) > 1 and len(context.report.found) == before:
        message = "an order of several blocks, each finished before the next begins, is not supported yet"
        hint = f"for an order within each frame write [[{', '.join(named)}]]"
        context.report.add(Code.NOT_SUPPORTED, message, context.parsed.span(("order",)), hint)
    return tuple(named) if len(context.report.found) == before else None


def _named_once(context: Context, scalar: Scalar, named: list[str]) -> bool:
    """Check one name in `order`."""
    name, latents = scalar.text, context.having("latent")
    if name in named:
        context.report.add(Code.ORDER, f"'order' names '{name}' twice", scalar.span)
        return False
    if name in latents or not context.parsed.sound.whole("variables"):
        return True
    what = (
        f"'{name}' is {context.role(name)}" if context.role(name) else f"there is no variable '{name[:40]}'"
    )
    stem = name.removesuffix("_t")
    hint = f"write {stem}, without its subscript" if stem in latents else did_you_mean(name, latents)
    context.report.add(Code.ORDER, f"{what}; 'order' lists the latents", scalar.span, hint)
    return False


def _conflicts(context: Context, order: tuple[str, ...], q: dict[str, list[str]]) -> None:
    """Report conditionals of q that read, at the same frame, a latent that comes later in `order`."""
    for position, name in enumerate(order):
        for later in _latent_needs(name, q, order[position + 1 :]):
            message = f"q's '{name}' reads '{later}' of the same frame, which comes after it in 'order'"
            span = _reading_place(context, name, later)
            context.report.add(Code.INFERENCE_ORDER, message, span, f"put {later} before {name}")


def _reading_place(context: Context, name: str, later: str) -> Span:
    parsed = context.parsed
    if ("inference", name, later) in parsed.spans:
        return parsed.spans[("inference", name, later)]
    for key, (side, target) in parsed.heads.items():
        if side is Side.Q and target == name:
            return parsed.span(("networks", key, "reads"))
    return parsed.span(("inference", name))
