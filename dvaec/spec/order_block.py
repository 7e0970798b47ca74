"""Reading the block `order`: sweeps of latents, each named once, sequence-level ones by themselves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dvaec.diagnostics import did_you_mean
from dvaec.spec.codes import Code
from dvaec.spec.context import Context
from dvaec.spec.model import Sweep
from dvaec.spec.yaml_tree import Entries, Items, Node, Scalar


@dataclass(frozen=True)
class _Block:
    names: tuple[Scalar, ...]
    backward: bool
    node: Node


def given_order(context: Context) -> tuple[Sweep, ...] | None:
    """Return what the page says under `order`; None if it says nothing or is faulty, which is reported."""
    node = context.parsed.tree.get("order")
    if not isinstance(node, Items) or not context.parsed.sound.has("order"):
        return None
    before, complete, named = len(context.report.found), True, list[str]()
    blocks = [_block(item) for item in node.items]
    for scalar in (name for block in blocks for name in block.names):
        complete = _named_once(context, scalar, named) and complete
        named.append(scalar.text)
    for block in blocks:
        _levels(context, block)
    missing = [name for name in context.having("latent") if name not in named]
    if missing and complete and context.parsed.sound.whole("variables"):
        span = context.parsed.span(("order",))
        message = f"'order' does not name the latent '{missing[0]}'"
        context.report.add(Code.ORDER, message, span, "it names every latent once")
    if len(context.report.found) > before:
        return None
    return tuple(Sweep(tuple(name.text for name in block.names), block.backward) for block in blocks)


def _block(item: Node) -> _Block:
    backward = isinstance(item, Entries)
    inner = item.get("backward") if isinstance(item, Entries) else item
    return _Block(tuple(_scalars(inner)), backward, item)


def _scalars(node: Node | None) -> Iterator[Scalar]:
    for item in node.items if isinstance(node, Items) else (node,):
        if isinstance(item, Scalar):
            yield item


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
    stem = name.removesuffix("_t").removesuffix("_0")
    hint = f"write {stem}, without its subscript" if stem in latents else did_you_mean(name, latents)
    if (several := name.replace(",", " ").split()) and len(several) > 1:
        listed = ", ".join(several)[:40]
        hint = f"name them one by one: [{listed}], or [[{listed}]] for one after the other in every frame"
    if "backward" in several or "reverse" in several:
        hint = f"write {{backward: {[*(one for one in several if one in latents), *latents, 'z'][0]}}}"
    context.report.add(Code.ORDER, f"{what}; 'order' lists the latents", scalar.span, hint)
    return False


def _levels(context: Context, block: _Block) -> None:
    """A latent with one value a sequence is a block of its own, without a direction."""
    static = [name for name in block.names if not context.framed.get(name.text, True)]
    if static and len(block.names) > 1:
        message = f"'{static[0].text}' has one value a sequence and is not drawn frame by frame with others"
        context.report.add(Code.ORDER, message, static[0].span, f"name {static[0].text} by itself")
    elif static and block.backward:
        message = f"'{static[0].text}' has one value a sequence and no direction of time"
        context.report.add(Code.ORDER, message, static[0].span, f"name it alone: {static[0].text}")
