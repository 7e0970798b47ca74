"""Random pages of blocks: features and heads of every kind, over windows of every kind, read by one another.

The conditionals are what the drawn networks see. Two families keep generation causal: what reads the past of
anything, for p and q, and what reads the data at any frame, for q alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from hypothesis import strategies as st

from dvaec.network.unfold import unfold
from dvaec.spec.model import (
    Attention,
    Block,
    Combiner,
    Conditional,
    Convolution,
    Custom,
    Dense,
    Direction,
    Feature,
    Head,
    Identity,
    ImageEncoder,
    Inference,
    InferenceKind,
    Layer,
    LinearMixture,
    Link,
    Output,
    Parent,
    Role,
    Scan,
    SharedVariance,
    Side,
    Spec,
    State,
    Sweep,
    Variable,
    reads_of,
    reads_of_head,
)
from dvaec.spec.offsets import NOW, Offsets, of, window
from dvaec.testing.strategies.ends import ends
from dvaec.testing.strategies.images import image_decoders, image_encoders

SMOOTH = ("tanh", "sigmoid", "softplus", "elu", "gelu", "silu", "mish", "softsign", "linear")
OWN = "torch.nn:Linear"  # a class that anybody has: Linear(in_features, units)
KINDS = ("dense", "combiner", "mixture", "convolution", "attention", "scan", "image")
VARIABLES = (
    Variable("x", Role.OBSERVED, 6, axes=(3, 2)),
    Variable("z", Role.LATENT, 2),
    Variable("u", Role.INPUT, 2),
)


@dataclass
class _Drawing:
    """What has been drawn of one family: names that can be read at t, and at earlier frames."""

    past: bool
    draw: st.DrawFn
    python: bool = False
    features: list[Feature] = field(default_factory=list)
    states: list[State] = field(default_factory=list)

    @property
    def letter(self) -> str:
        return "f" if self.past else "g"

    def fresh(self) -> str:
        return f"{self.letter}{len(self.features) + len(self.states)}"

    def variable(self) -> str:
        names = ["x", "z", "u"] if self.past else ["x", "u"]
        return self.draw(st.sampled_from(names))

    def offset(self) -> int:
        return self.draw(st.integers(-2, -1 if self.past else 2))

    def parents(self, most: int = 2) -> tuple[Parent, ...]:
        """Single frames of variables, and features and states of this family at t."""
        made = [f.name for f in self.features] + [s.name for s in self.states]
        found: dict[str, Parent] = {}
        for _ in range(self.draw(st.integers(1, most))):
            again = self.draw(st.sampled_from((True, True, False)))
            if made and again:
                name = self.draw(st.sampled_from(made))
                found[name] = Parent(name, NOW)
            else:
                name = self.variable()
                found[name] = Parent(name, of(self.offset()))
        return tuple(found.values())

    def opened(self) -> Offsets:
        """A window for attention, open more often than not."""
        stop, stride = self.draw(st.integers(-2, -1)), self.draw(st.sampled_from((1, 1, 2)))
        kinds = [window(None, stop, stride), window(stop - 1, stop)]
        if not self.past:
            kinds += [window(None, None), window(self.draw(st.integers(0, 2)), None, stride), window(-1, 1)]
        return self.draw(st.sampled_from(kinds))

    def layers(self, most: int = 2, least: int = 0) -> tuple[Layer, ...]:
        one = st.builds(
            Layer,
            st.integers(2, 4),
            st.sampled_from(SMOOTH),
            st.booleans(),
            st.sampled_from((0.0, 0.0, 0.25)),
        )
        return tuple(self.draw(st.lists(one, min_size=least, max_size=most)))

    def block(self) -> Block:
        """A block that can stand in a feature."""
        kind = self.draw(st.sampled_from((*KINDS, "own") if self.python else KINDS))
        if kind == "image":
            at = sorted({self.offset(), self.offset()})
            return self.draw(image_encoders((Parent("x", of(*at)),), (3, 2)))
        if kind == "own":
            return Custom(self.parents(), OWN, 3)
        if kind == "combiner":
            (one,), (other,) = self.parents(1), self.parents(1)
            return Combiner(one, other, 3)
        if kind == "mixture":
            return LinearMixture(self.weights(), self.parents(), self.draw(st.integers(1, 3)))
        if kind == "convolution":
            kernel = self.draw(st.integers(2, 3))
            layers = self.layers(2, 1)
            dilations = tuple(2**n if self.draw(st.booleans()) else 1 for n in range(len(layers)))
            dilations = (1,) * len(layers) if len(set(dilations)) > 1 and dilations != (1, 2) else dilations
            frames = 1 + sum((kernel - 1) * d for d in dilations)
            stop = self.offset()
            return Convolution(
                (Parent(self.variable(), window(stop - frames + 1, stop)),), layers, kernel, dilations
            )
        if kind == "attention":
            query = self.parents(1) if self.draw(st.booleans()) else ()
            of_ = Parent(self.variable(), self.opened())
            return Attention((of_,), query, 4, self.draw(st.sampled_from((1, 2))))
        if kind == "scan":
            rest = tuple(p for p in self.parents(1) if p.name != "x")
            cell = self.draw(st.sampled_from(("lstm", "gru", "rnn")))
            return Scan((Parent("x", of(self.offset())), *rest), cell, 3, self.draw(st.integers(0, 1)))
        return Dense(self.parents(), self.layers())

    def weights(self) -> Parent:
        """Weights that add up to one: a feature of its own."""
        name = self.fresh()
        self.features.append(Feature(name, Dense(self.parents(), (Layer(2, "softmax"),))))
        return Parent(name, NOW)

    def grow(self) -> None:
        """Make one more feature or state."""
        if self.draw(st.integers(0, 3)):
            block = self.block()
            self.features.append(Feature(self.fresh(), block))
            return
        runs = Direction.FORWARD if self.past else self.draw(st.sampled_from(Direction))
        at = -1 if self.past else 0
        cell, layers = self.draw(st.sampled_from(("lstm", "gru", "rnn"))), self.draw(st.integers(1, 2))
        reads = (Parent(self.variable(), of(at)),)
        self.states.append(State(self.fresh(), cell, 3, reads, self.layers(1), runs, layers=layers))


def _output(drawing: _Drawing, target: Variable, extra: tuple[Parent, ...]) -> Output:
    """A parameter that reads on its own."""
    kind = drawing.draw(st.sampled_from(("dense", "mixture", "attention", "identity")))
    if kind == "identity" and target.name == "z" and drawing.past:
        return Output(block=Identity(Parent("z", of(-1))))
    if kind == "mixture":
        return Output(block=LinearMixture(drawing.weights(), (*extra, *drawing.parents(1))))
    if kind == "attention" and not extra:
        return Output(block=Attention((Parent(drawing.variable(), drawing.opened()),), (), 4, 2))
    return Output(block=Dense((*extra, *drawing.parents(1)), drawing.layers(1)))


def _head(side: Side, target: Variable, drawing: _Drawing, extra: tuple[Parent, ...]) -> Head:
    """A head with a trunk, with a mean that reads on its own, or with both apart."""
    draw = drawing.draw
    constant = draw(st.sampled_from((None, 0.5, SharedVariance())))
    form = draw(st.sampled_from(("trunk", "trunk", "block", "mean", "apart", "image")))
    if form == "apart":
        variance = constant or replace(
            Output(block=Dense(drawing.parents(), drawing.layers(1))), link=draw(st.sampled_from(Link))
        )
        return Head(side, target.name, None, _output(drawing, target, extra), variance)
    if form == "mean":
        trunk = Dense(drawing.parents(), drawing.layers())
        return Head(side, target.name, trunk, _output(drawing, target, extra))
    if form == "image" and target.axes:
        decoder = draw(image_decoders(extra or drawing.parents(1), target.axes))
        return Head(side, target.name, decoder, variance=constant)
    if form == "block" and target.axes:
        return Head(side, target.name, Scan(extra or drawing.parents(1), "gru", 3, 1), variance=constant)
    if form == "block" and not extra:
        block = drawing.block()
        if isinstance(block, Convolution | Attention | Scan | ImageEncoder):
            return Head(side, target.name, block, variance=constant)
    own = Output(drawing.layers(1)) if draw(st.booleans()) else None
    return Head(side, target.name, Dense((*extra, *drawing.parents()), drawing.layers()), own, constant)


@st.composite
def block_specs(draw: st.DrawFn, python: bool = False) -> Spec:
    """Draw a spec; its conditionals are what its networks see. `python` lets it name a class of its own."""
    past, data = _Drawing(True, draw, python), _Drawing(False, draw, python)
    for drawing in (past, past, past, data, data, data):
        if draw(st.integers(0, 3)):
            drawing.grow()
    x, z, _ = VARIABLES
    heads = (
        _head(Side.P, z, past, ()),
        _head(Side.P, x, past, (Parent("z", NOW),)),
        _head(Side.Q, z, data if draw(st.booleans()) else past, ()),
        *draw(ends(z.name, x.name, x.axes)),
    )
    spec = Spec("BLOCKS", "", (), VARIABLES, (), Inference(InferenceKind.EXACT), (Sweep(("z",)),))
    features, states = (*past.features, *data.features), (*past.states, *data.states)
    return with_conditionals(read_by_heads(replace(spec, features=features, states=states, heads=heads)))


def read_by_heads(spec: Spec) -> Spec:
    """Leave out what leads to no head, and the input if nothing reads it."""
    blocks = {f.name: reads_of(f.block) for f in spec.features} | {s.name: s.reads for s in spec.states}
    live = list(dict.fromkeys(p.name for head in spec.heads for p in reads_of_head(head)))
    for name in live:
        live += [p.name for p in blocks.get(name, ()) if p.name not in live]
    variables = tuple(v for v in spec.variables if v.role is not Role.INPUT or v.name in live)
    return replace(
        spec,
        variables=variables,
        features=tuple(f for f in spec.features if f.name in live),
        states=tuple(s for s in spec.states if s.name in live),
    )


def with_conditionals(spec: Spec) -> Spec:
    """Declare what the networks see."""
    unfolded = unfold(spec)
    seen = {
        (h.side, h.target, h.frame): Conditional(h.target, unfolded.seen(reads_of_head(h), h.frame), h.frame)
        for h in spec.heads
    }
    numbered = tuple(line for line in seen.values() if line.frame is not None)
    inference = Inference(InferenceKind.CONDITIONALS, 0, (seen[Side.Q, "z", None],), numbered)
    generation = (seen[Side.P, "z", None], seen[Side.P, "x", None])
    return replace(spec, generation=generation, inference=inference)
