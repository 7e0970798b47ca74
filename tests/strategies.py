"""Random legal specs: one to three latents, one or two observed variables, inputs, windows of every kind.

The template is causal and acyclic within the frame, and every latent has an observed descendant. `to_page`
writes such a spec as the YAML page that means it.
"""

from __future__ import annotations

from hypothesis import strategies as st

from dvaec.spec.model import Conditional, Inference, InferenceKind, Parent, Role, Spec, Sweep, Variable
from dvaec.spec.offsets import NOW, Offsets, of, union, window

LATENTS = ("z", "a", "s")
OBSERVED = ("x", "y")
INPUTS = ("u", "c")  # c is sequence-level


def windows(*, now: bool, longest: int = 3) -> st.SearchStrategy[Offsets]:
    """Return non-empty causal windows; `now` says whether frame t itself may be in them."""
    first = 0 if now else -1
    single = st.integers(-longest, first).map(of)
    several = st.sets(st.integers(-longest, first), min_size=1, max_size=3).map(lambda s: of(*s))
    opened = st.integers(-longest + 1, first).map(lambda stop: window(None, stop))
    strided = st.builds(
        lambda stop, stride: window(None, stop, stride), st.integers(-longest, first), st.integers(2, 3)
    )
    return st.one_of(single, single, single, several, opened, strided)


@st.composite
def specs(
    draw: st.DrawFn,
    *,
    longest: int = 3,
    latents: int = 3,
    observed: int = 2,
    inputs: bool = True,
    shuffled: bool = True,
) -> Spec:
    """Draw a spec; `shuffled` lets q's order within the frame differ from the generative one."""
    hidden = LATENTS[: draw(st.integers(1, latents))]
    seen = OBSERVED[: draw(st.integers(1, observed))]
    given = tuple(name for name in INPUTS if inputs and draw(st.booleans()))
    order = draw(st.permutations((*hidden, *seen))) if draw(st.booleans()) else [*hidden, *seen]
    names = (*seen, *hidden, *given)
    chance = st.integers(0, 3)
    lines: dict[str, dict[str, Offsets | None]] = {}
    for place, child in enumerate(order):
        parents: dict[str, Offsets | None] = {}
        for name in names:
            if name == "c":
                if draw(chance) == 0:
                    parents[name] = None
            elif draw(chance) <= 1:
                now = name in given or name in order[:place]
                parents[name] = draw(windows(now=now, longest=longest))
        lines[child] = parents
    _observe(lines, hidden, seen, order)
    given = tuple(name for name in given if any(name in parents for parents in lines.values()))
    variables = (
        *(Variable(name, Role.OBSERVED, 2) for name in seen),
        *(Variable(name, Role.LATENT, 2) for name in hidden),
        *(Variable(name, Role.INPUT, 1, framed=name != "c") for name in given),
    )
    generation = tuple(
        Conditional(
            child, tuple(Parent(v.name, lines[child][v.name]) for v in variables if v.name in lines[child])
        )
        for child in order
    )
    chain = tuple(name for name in order if name in hidden)
    if shuffled:
        chain = tuple(draw(st.permutations(chain)))
    return Spec("RANDOM", "", (), variables, generation, Inference(InferenceKind.EXACT), (Sweep(chain),))


def _observe(
    lines: dict[str, dict[str, Offsets | None]],
    hidden: tuple[str, ...],
    seen: tuple[str, ...],
    order: list[str],
) -> None:
    """Give every latent without an observed descendant an observed child."""
    watched = set(seen)
    for _ in order:
        watched |= {parent for child in order if child in watched for parent in lines[child]}
    for name in hidden:
        if name not in watched:
            child = seen[0]
            lines[child][name] = NOW if order.index(name) < order.index(child) else of(-1)


def to_page(spec: Spec) -> str:
    """Return the YAML page that means `spec` (no states, no networks)."""
    lines = ["dvaec: 1", f"model: {spec.name}", "variables:"]
    for variable in spec.variables:
        lines.append(f"  {variable.name}: {{role: {variable.role}, dim: {variable.dim}}}")
    lines.append("generation:")
    lines += [f"  - {_line(c)}" for c in spec.generation]
    if spec.inference.kind is InferenceKind.CONDITIONALS:
        lines += ["inference:", *(f"  - {_line(c)}" for c in spec.inference.conditionals)]
    elif spec.inference.kind is InferenceKind.LOOKAHEAD:
        lines.append(f"inference: {{lookahead: {spec.inference.delay}}}")
    else:
        lines.append(f"inference: {spec.inference.kind}")
    if len(spec.latents) > 1:
        lines.append(f"order: [[{', '.join(spec.latents)}]]")
    return "\n".join(lines) + "\n"


def _line(conditional: Conditional) -> str:
    parents = ", ".join(text for p in conditional.parents for text in _texts(p))
    return f"{conditional.target}_t | {parents}" if parents else f"{conditional.target}_t"


def _texts(parent: Parent) -> list[str]:
    """Write one parent as references: an open window with its stride, single frames for the rest."""
    if parent.offsets is None:
        return [parent.name]
    found, rest = [], parent.offsets
    if rest.reaches_past:
        stride = len(rest.past)
        for start in range(rest.low - 1, rest.low - 1 - stride, -1):
            if start in rest:
                found.append(f"{parent.name}_<1:{_moment(start)}" + (f":{stride}>" if stride > 1 else ">"))
        rest = rest - union(window(None, s, stride) for s in range(rest.low - stride, rest.low) if s in rest)
    return found + [f"{parent.name}_<{_moment(d)}>" for d in rest.members]


def _moment(offset: int) -> str:
    return "t" if offset == 0 else f"t{offset:+d}"
