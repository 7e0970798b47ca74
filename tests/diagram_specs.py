"""Specs as values for the pictures: one for each structure that a diagram has to show."""

from __future__ import annotations

from dvaec.derive.model import Comparison, Derivation, Posterior
from dvaec.spec.blocks import Attention
from dvaec.spec.model import (
    LAST,
    Causality,
    Conditional,
    Dense,
    Direction,
    Feature,
    Head,
    Inference,
    InferenceKind,
    Parent,
    Role,
    Side,
    Spec,
    State,
    Sweep,
    Variable,
)
from dvaec.spec.offsets import ALL, NOW, Offsets, of, window

PAST_OF_T = window(None, -1)
BEFORE = of(-1)
AFTERWARDS = of(1)


def at(name: str, offsets: Offsets | None = NOW, frame: int | None = None) -> Parent:
    """A parent; of an absolute frame where one is given."""
    return Parent(name, None if frame is not None else offsets, frame)


def var(name: str, role: Role, *, framed: bool = True, first: int = 1) -> Variable:
    return Variable(name, role, 3, framed=framed, first=first)


def given(target: str, *parents: Parent, frame: int | None = None) -> Conditional:
    return Conditional(target, parents, frame)


def head(side: Side, target: str, *reads: Parent, frame: int | None = None) -> Head:
    return Head(side, target, Dense(reads, ()), frame=frame)


def model(
    name: str,
    variables: tuple[Variable, ...],
    generation: tuple[Conditional, ...],
    q: tuple[Conditional, ...],
    order: tuple[Sweep, ...],
    *,
    numbered: tuple[Conditional, ...] = (),
    q_numbered: tuple[Conditional, ...] = (),
    states: tuple[State, ...] = (),
    features: tuple[Feature, ...] = (),
    heads: tuple[Head, ...] = (),
    causality: Causality = Causality.CAUSAL,
    frames: int | None = None,
    auxiliary: tuple[Conditional, ...] = (),
) -> Spec:
    inference = Inference(InferenceKind.CONDITIONALS, conditionals=q, numbered=q_numbered)
    return Spec(
        name,
        "",
        (),
        variables,
        generation,
        inference,
        order,
        states,
        features,
        heads,
        numbered,
        causality,
        frames,
        auxiliary,
    )


def derived(spec: Spec, *comparisons: Comparison) -> Derivation:
    """A derivation that holds what a picture shows of one: q in its order, and what it lacks or has too much."""
    q = (*spec.inference.numbered, *spec.inference.conditionals)
    found = tuple(c for name in spec.latents for c in q if c.target == name)
    return Derivation(Posterior(spec.latents, ()), found, comparisons)


X, Z, A, U = (
    var(n, r) for n, r in (("x", Role.OBSERVED), ("z", Role.LATENT), ("a", Role.LATENT), ("u", Role.INPUT))
)
V = var("v", Role.LATENT, framed=False)
RUN = {"cell": "lstm", "units": 4}


def dsae() -> Spec:
    """(11.1)-(11.17): v of the whole sequence, and q's encoders read at their last and first frame."""
    return model(
        "DSAE",
        (X, Z, V),
        (given("v"), given("z", at("z", PAST_OF_T)), given("x", at("z"), at("v", None))),
        (given("v", at("x", ALL)), given("z", at("v", None), at("x", ALL))),
        (Sweep(("v",)), Sweep(("z",))),
        states=(
            State("h", "lstm", 4, (at("z", BEFORE),)),
            State("gf", "lstm", 4, (at("x"),)),
            State("gb", "lstm", 4, (at("x"),), runs=Direction.BACKWARD),
            State("gz", "lstm", 4, (at("x"), at("v", None)), runs=Direction.BOTH, layers=2),
            State("r", "rnn", 4, (at("gz"),)),
        ),
        heads=(
            Head(Side.P, "v", None),
            head(Side.P, "z", at("h")),
            head(Side.P, "x", at("z"), at("v", None)),
            head(Side.Q, "v", at("gf", frame=LAST), at("gb", frame=1)),
            head(Side.Q, "z", at("r")),
        ),
    )


def dssm() -> Spec:
    """Chapter 12: z_0 is a latent of its own."""
    return model(
        "DSSM",
        (X, var("z", Role.LATENT, first=0), var("c", Role.INPUT, framed=False)),
        (given("z", at("z", BEFORE), at("c", None)), given("x", at("z"))),
        (given("z", at("z", BEFORE), at("x", window(0, None)), at("c", None)),),
        (Sweep(("z",)),),
        numbered=(given("z", frame=0),),
        q_numbered=(given("z", at("x", ALL), at("c", None), frame=0),),
        states=(State("b", "lstm", 4, (at("x"),), runs=Direction.BACKWARD),),
        heads=(
            Head(Side.P, "z", None, frame=0),
            head(Side.P, "z", at("z", BEFORE), at("c", None)),
            head(Side.P, "x", at("z")),
            head(Side.Q, "z", at("b", frame=1), at("c", None), frame=0),
            head(Side.Q, "z", at("z", BEFORE), at("b"), at("c", None)),
        ),
    )


def rvae() -> Spec:
    """(10.10)-(10.12): noncausal, x_t reads the latents of every frame."""
    return model(
        "RVAE",
        (X, Z),
        (given("z"), given("x", at("z", ALL))),
        (given("z", at("z", PAST_OF_T), at("x", ALL)),),
        (Sweep(("z",)),),
        states=(
            State("h", "lstm", 4, (at("z"),), runs=Direction.BOTH),
            State("gz", "lstm", 4, (at("z", BEFORE),)),
            State("gx", "lstm", 4, (at("x"),), runs=Direction.BOTH),
        ),
        heads=(Head(Side.P, "z", None), head(Side.P, "x", at("h")), head(Side.Q, "z", at("gz"), at("gx"))),
        causality=Causality.NONCAUSAL,
    )


def kvae() -> Spec:
    """(6.1)-(6.17): all of a before z."""
    return model(
        "KVAE",
        (X, A, Z, U),
        (
            given("z", at("z", BEFORE), at("u"), at("a", PAST_OF_T)),
            given("a", at("z"), at("a", PAST_OF_T)),
            given("x", at("a")),
        ),
        (given("a", at("x")), given("z", at("a", ALL), at("z", BEFORE), at("u", ALL))),
        (Sweep(("a",)), Sweep(("z",))),
        states=(
            State("d", "lstm", 4, (at("a", BEFORE),)),
            State("s", "lstm", 4, (at("a"), at("u")), runs=Direction.BOTH),
        ),
        features=(Feature("alpha", Dense((at("d"),), ())),),
        heads=(
            head(Side.P, "z", at("alpha"), at("z", BEFORE), at("u")),
            head(Side.P, "a", at("alpha"), at("z")),
            head(Side.P, "x", at("a")),
            head(Side.Q, "a", at("x")),
            head(Side.Q, "z", at("z", BEFORE), at("s")),
        ),
    )


def backward() -> Spec:
    """A q that runs from T down to 1."""
    return model(
        "BACK",
        (X, Z),
        (given("z", at("z", BEFORE)), given("x", at("z"))),
        (given("z", at("z", AFTERWARDS), at("x", window(None, 0))),),
        (Sweep(("z",), backward=True),),
        states=(State("f", "gru", 4, (at("x"),)),),
        heads=(
            head(Side.P, "z", at("z", BEFORE)),
            head(Side.P, "x", at("z")),
            head(Side.Q, "z", at("z", AFTERWARDS), at("f")),
        ),
    )


def draw() -> Spec:
    """DRAW's structure (chapter 12): an observation without frames, built up over T steps."""
    return model(
        "DRAW",
        (var("x", Role.OBSERVED, framed=False), Z),
        (given("z"), given("x", at("z", ALL))),
        (given("z", at("z", PAST_OF_T), at("x", None)),),
        (Sweep(("z",)),),
        states=(
            State("d", "lstm", 4, (at("z"),)),
            State("c", "sum", 4, (at("d"),)),
            State("e", "lstm", 4, (at("x", None), at("c", BEFORE), at("d", BEFORE))),
        ),
        heads=(Head(Side.P, "z", None), head(Side.P, "x", at("c", frame=LAST)), head(Side.Q, "z", at("e"))),
        frames=10,
    )


def vrae() -> Spec:
    """VRAE (chapter 12): a state that starts at the latent of the whole sequence."""
    z = var("z", Role.LATENT, framed=False)
    return model(
        "VRAE",
        (X, z),
        (given("z"), given("x", at("x", PAST_OF_T), at("z", None))),
        (given("z", at("x", ALL)),),
        (Sweep(("z",)),),
        states=(
            State("h", "gru", 4, (at("x", BEFORE),), start_reads=(at("z", None),)),
            State("e", "gru", 4, (at("x"),)),
        ),
        heads=(Head(Side.P, "z", None), head(Side.P, "x", at("h")), head(Side.Q, "z", at("e", frame=LAST))),
    )


def switching() -> Spec:
    """A first frame with conditionals of its own, as in the switching linear dynamical system."""
    s = var("s", Role.LATENT)
    return model(
        "SLDS",
        (X, s, Z),
        (given("s", at("s", BEFORE)), given("z", at("z", BEFORE), at("s")), given("x", at("z"))),
        (given("s", at("s", BEFORE), at("x", ALL)), given("z", at("z", BEFORE), at("s"), at("x", ALL))),
        (Sweep(("s", "z")),),
        numbered=(given("s", frame=1), given("z", at("s", frame=1), frame=1)),
        features=(Feature("w", Attention((at("x", ALL),), (), 4, 2)),),
        heads=(
            head(Side.P, "s", at("s", BEFORE)),
            head(Side.P, "z", at("z", BEFORE), at("s")),
            head(Side.P, "x", at("z")),
            Head(Side.P, "s", None, frame=1),
            head(Side.P, "z", at("s", frame=1), frame=1),
            head(Side.Q, "s", at("s", BEFORE), at("w")),
            head(Side.Q, "z", at("z", BEFORE), at("s"), at("w")),
        ),
    )


EVERY = (dsae, dssm, rvae, kvae, backward, draw, vrae, switching)
