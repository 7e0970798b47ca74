"""The developed model as numbered equations in plain text, for the docstrings and the plan."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from dvaec.derive.factors import placed
from dvaec.derive.model import Elbo, Estimator, Term, TermKind
from dvaec.emit.block_equations import block_equation, layers_text, parameters_equation, port_text
from dvaec.emit.conditions import in_print_order
from dvaec.emit.families import family_text
from dvaec.plan.blocks import arity
from dvaec.plan.model import (
    DrawNode,
    FeatureNode,
    HeadNode,
    HoldNode,
    Network,
    Node,
    Port,
    Read,
    StateNode,
    ValueNode,
    head_name,
)
from dvaec.spec.model import LAST, Block, Conditional, Dense, Parent, Side, Spec
from dvaec.spec.notation import Window, parent_braces, subscript, target, windows
from dvaec.spec.offsets import of, window


def conditional_text(spec: Spec, side: Side, conditional: Conditional, frame: int | None = None) -> str:
    """Return p(z_t | x_{1:t-1}, z_{t-1}), q(z_0 | x_{1:T}), or p(v) of sequence level.

    With a `frame`, a conditional of every frame is written as it reads there: q(z_1 | z_0, x_{1:T}).
    """
    if frame is not None and conditional.frame is None:
        parents = in_print_order(spec, side, placed(spec, conditional, frame))
        given = ", ".join(_parent_at(spec, p, frame) for p in parents)
    else:
        parents = in_print_order(spec, side, conditional.parents)
        first = {v.name: v.first for v in spec.variables}  # a prediction may read a state (8.4)
        given = ", ".join(parent_braces(p, first.get(p.name, 1), conditional.frame) for p in parents)
        frame = conditional.frame
    framed = all(v.framed for v in spec.variables if v.name == conditional.target)
    made = target(Conditional(conditional.target, (), frame), framed)
    return f"{side}({made}{f' | {given}' if given else ''})"


def _parent_at(spec: Spec, parent: Parent, frame: int) -> str:
    """Write what is read from one frame, with the frames as numbers."""
    if parent.offsets is None:
        return parent_braces(parent)
    first = spec.variable(parent.name).first
    if frame == LAST:
        ended = parent.offsets & window(None, 0)
        return ", ".join(f"{parent.name}_{_ending(one, first)}" for one in windows(ended))
    there = parent.offsets.shift(frame) & window(first, None)
    return ", ".join(f"{parent.name}_{_numbers(one)}" for one in windows(there))


def _ending(one: Window, first: int) -> str:
    """Write a window that is counted from T."""
    text = subscript(one, first, LAST)
    return text if len(text) == 1 else f"{{{text}}}"


def _numbers(one: Window) -> str:
    if one.single:
        return str(one.start)
    stop = "T" if one.stop is None else one.stop
    return f"{{{one.start}:{stop}{f':{one.stride}' if one.stride > 1 else ''}}}"


def factorization(spec: Spec, side: Side, lines: Iterable[Conditional]) -> str:
    """Return p(v) prod_t p(z_t | v) p(x_t | z_t): what has no frame t first, the products behind it."""
    lines = tuple(lines)
    own = {(c.target, c.frame) for c in lines}
    alone: list[str] = []
    over: dict[str, list[str]] = {}
    for line in lines:
        text = conditional_text(spec, side, line)
        if line.frame is not None or not spec.variable(line.target).framed:
            beside = line.frame == LAST and (line.target, 1) in own  # the one that speaks where T is 1
            alone.append(f"{text}^[T > 1]" if beside else text)
        else:
            begun, ended = (line.target, 1) in own, (line.target, LAST) in own
            frames = "1<t<T" if begun and ended else "t<T" if ended else "t>1" if begun else "t"
            over.setdefault(frames, []).append(text)
    return " ".join((*alone, *(f"prod_{t} {' '.join(over[t])}" for t in _PRODUCTS if t in over)))


_PRODUCTS = ("1<t<T", "t<T", "t>1", "t")


def numbered(network: Network) -> dict[str, int]:
    """Number the equations: every feature, state and conditional, in the network's order."""
    made = [n.name for n in network.nodes if not isinstance(n, ValueNode | DrawNode)]
    return {name: number for number, name in enumerate(made, 1)}


def equations(spec: Spec, network: Network, inference: tuple[Conditional, ...]) -> dict[str, str]:
    """Return the equation of every node that is made, by name."""
    both = [(Side.P, c) for c in (*spec.generation, *spec.numbered)] + [(Side.Q, c) for c in inference]
    factors = {head_name(side, c.target, c.frame): (side, c) for side, c in both}
    factors |= {f"aux_{c.target}": (Side.P, c) for c in spec.auxiliary}
    out: dict[str, str] = {}
    for node in network.nodes:
        if isinstance(node, HeadNode):
            side, conditional = factors[node.name]
            others = [*(("t > 1",) * bool(node.begins)), *(("t < T",) * bool(node.ends))]
            later = f", for {' and '.join(others)}" if others else ""
            out[node.name] = f"{conditional_text(spec, side, conditional)} = {_head(node)}{later}"
        elif not isinstance(node, ValueNode | DrawNode):
            out[node.name] = f"{node.name}_t = {_right_side(node)}"
    return out


def _right_side(node: FeatureNode | StateNode) -> str:
    if isinstance(node, HoldNode):
        return _held(node)
    if isinstance(node, StateNode):
        recurrent = read_text(Read(node.name, node.step))
        if node.state.cell == "sum":
            return f"{recurrent} + W {_port(node.ports[0])} + b{_start(node)}"
        layers = f"; {node.state.layers} layers" if node.state.layers > 1 else ""
        return f"{node.state.cell.upper()}({_port(node.ports[0])}, {recurrent}{layers}){_start(node)}"
    if node.block is None:
        return f"[{_port(node.ports[0])}]"
    return block_equation(node.block, node.ports)


def _held(node: HoldNode) -> str:
    """Say from where on a frame is held."""
    what = read_text(Read(node.source, None, node.frame))
    end, later = ("T", "<") if node.frame == LAST else ("1", ">")
    there = f"t {later} {end}" + " or T = 1" * node.ahead
    return f"{what} for {there}, else 0" if node.past else what


def _start(node: StateNode) -> str:
    """What a state starts at, where it reads that."""
    if len(node.ports) < 2:
        return ""
    frame = "0" if node.step < 0 else "{T+1}"
    return f", {node.name}_{frame} = tanh(W {_port(node.ports[1])} + b)"


def block_words(block: Block) -> str:
    """Name a block in words: `linear mixture`, `attention`."""
    return re.sub("(?<!^)([A-Z])", r" \1", type(block).__name__).lower()


def _head(node: HeadNode) -> str:
    text = family_text(node.variable)
    if node.head.frame == 1:
        node = replace(node, ports=tuple(map(_at_frame_1, node.ports)))
    if node.fixed:
        return text.standard
    apart = parameters_equation(node)
    if not node.ports:
        family, fixed = text.words.partition(" with ")[0], isinstance(node.head.variance, float)
        if fixed:
            return f"{family} with a mean that is a learned constant, {apart}"
        return f"{text.words} that are learned constants"
    if node.block is None:
        return f"{text.words}: {apart}"
    further = f", {apart}" if apart else ""
    if isinstance(node.block, Dense):
        layers = layers_text(node.block.layers)
        return (
            f"{text.words} from {port_text(node.ports[0])}{f' through {layers}' if layers else ''}{further}"
        )
    return f"{text.words} from {block_equation(node.block, node.ports[: arity(node.block)])}{further}"


def _at_frame_1(port: Port) -> Port:
    """A port of the head of frame 1, what is relative to its frame by its number."""
    reads = (r if r.offset is None else Read(r.node, None, 1 + r.offset) for r in port.reads)
    return replace(port, reads=tuple(reads))


def read_text(read: Read) -> str:
    """Return x_t, z_{t-1}, g_T, or the bare name of a sequence-level value."""
    name, last = (read.node[:-5], LAST) if read.node.endswith("_last") else (read.node, read.frame)
    return parent_braces(Parent(name, None if read.offset is None else of(read.offset), last))


def _port(port: Port) -> str:
    return ", ".join(read_text(read) for read in port.reads)


def tag(node: Node, numbers: dict[str, int]) -> str:
    """Return (3), or nothing for a variable."""
    return f"({numbers[node.name]})" if node.name in numbers else ""


def elbo_lines(spec: Spec, elbo: Elbo) -> tuple[str, ...]:
    """Return the ELBO in plain text, one line a term.

    Where frame 1 has a term of its own it is `sum_t>1`, and a term of frame T has the factor `[T > 1]`. Where
    the sides have lines of different frames there, both have it, and one of both lines has `[T = 1]`.
    """
    return tuple(
        f"{'  ' if number == 0 else ''}{_term(spec, term, number == 0)}"
        for number, term in enumerate(elbo.terms)
    )


def auxiliary_lines(spec: Spec, elbo: Elbo) -> tuple[str, ...]:
    """Return what training adds to the ELBO, which makes it a surrogate, one line a term."""
    return tuple(_term(spec, term, False) for term in elbo.auxiliary)


def term_text(spec: Spec, term: Term) -> str:
    """Return one term of the ELBO in plain text, with its sign."""
    return _term(spec, term, False)


def _term(spec: Spec, term: Term, first: bool) -> str:
    p = conditional_text(spec, Side.P, term.p, term.frame)
    if term.kind is not TermKind.DIVERGENCE:
        sign, body = ("" if first else "+ "), f"log {p}"
    else:
        assert term.q is not None
        q = conditional_text(spec, Side.Q, term.q, term.frame)
        body = f"KL({q} || {p})" if term.estimator is Estimator.ANALYTIC else f"log {q} - log {p}"
        sign = "- "
    mean = f"E_q[{body}]" if term.expectation else body
    if not term.framed or term.frame is not None:
        return f"{sign}{f'[{term.lengths}] ' if term.lengths else ''}{mean}"
    below, above = "1<" * (term.first > 1), "<T" * bool(term.left)
    over = f"{below}t{above}" if above else f"t{'>1' * bool(below)}"
    return f"{sign}sum_{over} {mean}"
