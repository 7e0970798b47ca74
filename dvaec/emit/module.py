"""The emitted module: one readable Python file, laid out from the plan by templates."""

from __future__ import annotations

import json
import re
import textwrap
from dataclasses import dataclass
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from dvaec.derive.model import Elbo
from dvaec.emit import streaming
from dvaec.emit.blocks import own_class
from dvaec.emit.entries import RECORDS, entry_text
from dvaec.emit.equations import elbo_lines, equations, factorization, numbered
from dvaec.emit.families import names_of
from dvaec.emit.head_nets import Method
from dvaec.emit.helpers import HELPERS, needed
from dvaec.emit.module_docs import ENTRY_DOCS, EXPLAINED, RECORD_DOCS
from dvaec.emit.nets import Nets, nets_of
from dvaec.emit.texts import EntryText
from dvaec.emit.writer import folded_call
from dvaec.plan.model import FeatureNode, HeadNode, Network, Plan
from dvaec.spec.check_blocks import customs
from dvaec.spec.model import Attention, Conditional, Side, Spec

WIDTH = 110
LOG_BOUND = "30.0"
TYPING = ("Any", "List", "NamedTuple", "NoReturn", "Optional", "Tuple")


@dataclass(frozen=True)
class Emission:
    """All that the module's text is made from."""

    spec: Spec
    plan: Plan
    inference: tuple[Conditional, ...]
    elbo: Elbo
    hash: str


@cache
def _environment() -> Environment:
    """The templates, each read and compiled once."""
    return Environment(
        loader=PackageLoader("dvaec.emit"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )


def module_text(emission: Emission) -> str:
    """Return the source of the module: the same text for the same spec, on every machine."""
    spec, network = emission.spec, emission.plan.network
    nets = nets_of(network)
    numbers = numbered(network)
    written = equations(spec, network, emission.inference)
    tags = {name: f"({number})" for name, number in numbers.items()}
    like = _first_parameter(nets)
    entries = [entry_text(emission.plan, e, emission.elbo, like, tags) for e in emission.plan.entries]
    entries += streaming.stream_texts(emission.plan, like, tags)
    functions = {name for e in entries for name in e.functions}
    functions |= {name for method in nets.methods for name in method.functions}
    environment = _environment()
    functions |= needed(environment, [line for m in nets.methods for line in m.body])
    functions |= needed(environment, [line for e in entries for line in e.body])
    helpers = "\n\n".join(
        environment.get_template(name).render(functions=functions, bound=LOG_BOUND).strip("\n")
        for name in HELPERS
    )
    body = environment.get_template("body.py.jinja").render(
        records=[_record(e) for e in entries if e.name in RECORD_DOCS],
        functions=helpers.strip("\n") + "\n",
        class_name=spec.name,
        about=f"{spec.name}, developed:",
        equations=[line for name in written for line in _wrapped(f"{tags[name]} {written[name]}", 4)],
        layers=[(_wrapped(f"{tags[name]} {written[name]}", 10), made) for name, made in nets.layers if made],
        methods=[_method(method, network, tags) for method in nets.methods],
        entries=[_entry(spec, e, emission.elbo) for e in entries],
        refused=[(name, _quoted(f"{spec.name} has no {name}: {why}")) for name, why in emission.plan.refused],
    )
    text = environment.get_template("module.py.jinja").render(
        title="\n".join(_wrapped(f"{spec.name}: {_plain(spec.about)}" if spec.about else spec.name, 3, 0)),
        mathematics=_mathematics(emission),
        hash=emission.hash[:16],
        typing=", ".join(name for name in TYPING if re.search(rf"\b{name}\b", body)),
        uses_math="math." in body,
        own=_own_imports(spec),
        uses_functional=re.search(r"\bF\.", body) is not None,
        body=body,
    )
    return _tidy(text)


def _quoted(text: str) -> list[str]:
    """Text as string literals that Python puts together."""
    lines = textwrap.wrap(text, 80, drop_whitespace=False, break_long_words=False)
    return [json.dumps(line, ensure_ascii=False) for line in lines]


def _own_imports(spec: Spec) -> list[str]:
    """The imports of the user's own networks, each once."""
    paths = dict.fromkeys(block.path for _, block in customs(spec))
    named = (path.partition(":")[::2] for path in paths)
    return [f"from {module} import {name} as {own_class(f'{module}:{name}')}" for module, name in named]


def _plain(text: str) -> str:
    """Free text of a spec, made safe to stand in a docstring."""
    kept = "".join(c if c.isprintable() and c not in '\\"' else "'" if c == '"' else " " for c in text)
    return " ".join(kept.split())


def _mathematics(emission: Emission) -> str:
    spec = emission.spec
    lines = [f"    p = {factorization(spec, Side.P, (*spec.numbered, *spec.generation))}"]
    if emission.inference:
        lines.append(f"    q = {factorization(spec, Side.Q, emission.inference)}")
    bound = elbo_lines(spec, emission.elbo)
    lines.append(f"    L = {bound[0].strip()}")
    lines += [f"        {line}" for line in bound[1:]]
    return "\n".join(
        wrapped for line in lines for wrapped in _wrapped(line, 0, len(line) - len(line.lstrip()) + 4)
    )


def _wrapped(line: str, room: int, indent: int = 4) -> list[str]:
    return textwrap.wrap(line, WIDTH - room, subsequent_indent=" " * indent, break_long_words=False) or [""]


def _first_parameter(nets: Nets) -> str:
    """Name a parameter of one of torch's layers, for entry points without data; a recurrent one at need."""
    made = [line.split(" = ", 1) for _, lines in nets.layers for line in lines]
    for name, text in made:
        if text.startswith(("nn.Linear", "nn.Conv")):
            return f"{name}.weight"
    for name, text in made:
        if text.startswith("nn.Parameter"):
            return name
    recurrent = next(name for name, text in made if text.startswith(("nn.LSTM", "nn.GRU", "nn.RNN")))
    return f"weights({recurrent}.weight_ih_l0)"


def _record(entry: EntryText) -> dict[str, object]:
    name = {**RECORDS, **streaming.RECORDS}[entry.name]
    return {"name": name, "about": RECORD_DOCS[entry.name], "fields": [_field(*f) for f in entry.fields]}


def _field(name: str, about: str) -> dict[str, str]:
    """A field of a record: a tensor, unless what is said of it begins with another type."""
    if about.startswith("int"):
        return {"name": name, "type": "int", "about": about.removeprefix("int").removeprefix(": ")}
    return {"name": name, "type": "Tensor", "about": about}


def _method(method: Method, network: Network, tags: dict[str, str]) -> dict[str, object]:
    node = network.node(method.node or method.name.removesuffix("_net").removesuffix("_frames"))
    gives = ", ".join(names_of(node.variable)) if isinstance(node, HeadNode) else f"(..., {node.dim})"
    taken = [f"(..., {port.units})" for port in node.ports]
    if isinstance(node, FeatureNode) and isinstance(node.block, Attention):
        about = f"{tags[node.name]} from keys and values of frames s, by the distances s - t: -> {gives}."
    elif method.name.endswith("_frames"):
        width = method.width or node.dim
        about = f"{tags[node.name]} of every window in a row of frames: -> (batch, windows, {width})."
    elif len(taken) == 1 and node.ports[0].weights:
        about = f"{tags[node.name]} from its first layer's pre-activation: {taken[0]} -> {gives}."
    else:
        named = ", ".join(f"{a} {shape}" for a, shape in zip(method.arguments, taken, strict=True))
        about = f"{tags[node.name]} from {named} -> {gives}."
    several = len(method.returns) > 1
    return {
        "name": method.name,
        "signature": ", ".join(f"{a}: Tensor" for a in method.arguments),
        "returns": f"Tuple[{', '.join('Tensor' for _ in method.returns)}]" if several else "Tensor",
        "about": about,
        "body": [part for line in method.body for part in folded_call(line, WIDTH - 8)],
    }


def _entry(spec: Spec, entry: EntryText, elbo: Elbo) -> dict[str, object]:
    about, prefix = ENTRY_DOCS[entry.name]
    explained = list(EXPLAINED.get(entry.name, ()))
    if prefix:
        bound = elbo_lines(spec, elbo)
        lines = [prefix + bound[0].strip(), *("  " + line for line in bound[1:])]
        explained = ["    " + w for line in lines for w in _wrapped(line, 16, 6)]
    explained += _wrapped(entry.explained, 8, 0) if entry.explained else []
    return {
        "name": entry.name,
        "arguments": entry.arguments,
        "returns": entry.returns,
        "about": about,
        "explained": explained,
        "body": entry.body,
    }


def _tidy(text: str) -> str:
    """Drop trailing blanks and runs of more than two empty lines."""
    lines = [line.rstrip() for line in text.splitlines()]
    out: list[str] = []
    for line in lines:
        if line or len(out) < 2 or out[-1] or out[-2]:
            out.append(line)
    return "\n".join(out).rstrip("\n") + "\n"
