"""The developed model as numbered equations in plain text, for the docstrings and the plan."""

from __future__ import annotations

from dvaec.derive.model import Elbo, Estimator, Term, TermKind
from dvaec.emit.conditions import in_print_order
from dvaec.emit.families import family_text
from dvaec.plan.model import (
    FeatureNode,
    HeadNode,
    Network,
    Node,
    Port,
    Read,
    StateNode,
    ValueNode,
    head_name,
)
from dvaec.spec.model import Combiner, Conditional, Dense, GatedTransition, Side, Spec
from dvaec.spec.notation import braces
from dvaec.spec.offsets import of


def conditional_text(spec: Spec, side: Side, conditional: Conditional) -> str:
    """Return p(z_t | x_{1:t-1}, z_{t-1}) or q(z_t | z_{t-1}, x_{1:T})."""
    given = ", ".join(braces(p.name, p.offsets) for p in in_print_order(spec, side, conditional.parents))
    return f"{side}({conditional.target}_t{f' | {given}' if given else ''})"


def numbered(network: Network) -> dict[str, int]:
    """Number the equations: every feature, state and conditional, in the network's order."""
    made = [n.name for n in network.nodes if not isinstance(n, ValueNode)]
    return {name: number for number, name in enumerate(made, 1)}


def equations(spec: Spec, network: Network, inference: tuple[Conditional, ...]) -> dict[str, str]:
    """Return the equation of every node that is made, by name."""
    both = [(Side.P, c) for c in (*spec.generation, *spec.numbered)] + [(Side.Q, c) for c in inference]
    factors = {head_name(side, c.target, c.frame): (side, c) for side, c in both}
    out: dict[str, str] = {}
    for node in network.nodes:
        if isinstance(node, HeadNode):
            side, conditional = factors[node.name]
            out[node.name] = f"{conditional_text(spec, side, conditional)} = {_head(node)}"
        elif not isinstance(node, ValueNode):
            out[node.name] = f"{node.name}_t = {_right_side(node)}"
    return out


def _right_side(node: FeatureNode | StateNode) -> str:
    if isinstance(node, StateNode):
        recurrent = read_text(Read(node.name, node.step))
        if node.state.cell == "sum":
            return f"{recurrent} + W {_port(node.ports[0])} + b"
        return f"{node.state.cell.upper()}({_port(node.ports[0])}, {recurrent})"
    if node.block is None:
        return f"[{_port(node.ports[0])}]"
    if isinstance(node.block, Combiner):
        other = _port(node.ports[1])
        other = f"P {other}" if node.ports[1].weights else other
        return f"1/2 (tanh(W {_port(node.ports[0])} + b) + {other})"
    return f"MLP({_port(node.ports[0])}; {_layers(node.block)})"


def _head(node: HeadNode) -> str:
    text = family_text(node.variable)
    if node.standard:
        return text.standard
    words = text.words
    if node.block is None:
        return f"{words} that are learned constants"
    if isinstance(node.block, GatedTransition):
        return f"{words} by a gated transition of {_port(node.ports[0])}"
    layers = _layers(node.block)
    through = f" through {layers}" if layers else ""
    return f"{words} from {_port(node.ports[0])}{through}"


def _layers(block: Dense) -> str:
    return ", ".join(f"{layer.units} {layer.activation}" for layer in block.layers)


def read_text(read: Read) -> str:
    """Return x_t, z_{t-1}, or the bare name of a sequence-level value."""
    return braces(read.node, None if read.offset is None else of(read.offset))


def _port(port: Port) -> str:
    return ", ".join(read_text(read) for read in port.reads)


def tag(node: Node, numbers: dict[str, int]) -> str:
    """Return (3), or nothing for a variable."""
    return f"({numbers[node.name]})" if node.name in numbers else ""


def elbo_lines(spec: Spec, elbo: Elbo) -> tuple[str, ...]:
    """Return the ELBO in plain text, one line a term."""
    return tuple(
        f"{'  ' if number == 0 else ''}{_term(spec, term, number == 0)}"
        for number, term in enumerate(elbo.terms)
    )


def _term(spec: Spec, term: Term, first: bool) -> str:
    p = conditional_text(spec, Side.P, term.p)
    if term.kind is TermKind.RECONSTRUCTION:
        sign, body = ("" if first else "+ "), f"log {p}"
    else:
        assert term.q is not None
        q = conditional_text(spec, Side.Q, term.q)
        body = f"KL({q} || {p})" if term.estimator is Estimator.ANALYTIC else f"log {q} - log {p}"
        sign = "- "
    return f"{sign}sum_t {f'E_q[{body}]' if term.expectation else body}"
