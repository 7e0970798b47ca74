"""The four first models as values, written by hand: what the pages in `specs/` mean."""

from __future__ import annotations

from dvaec.spec.model import (
    Combiner,
    Conditional,
    Dense,
    Direction,
    Feature,
    GatedTransition,
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
from dvaec.spec.offsets import NOW, Offsets, of, window

X = Variable("x", Role.OBSERVED, 3)
Z = Variable("z", Role.LATENT, 2)
U = Variable("u", Role.INPUT, 1)

BEFORE = window(None, -1)
UP_TO = window(None, 0)
PREVIOUS = of(-1)
EXACT = Inference(InferenceKind.EXACT)


def line(target: str, **parents: Offsets | None) -> Conditional:
    """Return the conditional of one target."""
    return Conditional(target, tuple(Parent(name, offsets) for name, offsets in parents.items()))


def page(
    *generation: Conditional,
    variables: tuple[Variable, ...] = (X, Z),
    inference: Inference = EXACT,
    order: tuple[str, ...] = ("z",),
    name: str = "page",
) -> Spec:
    """Return a spec without a developed form."""
    return Spec(name, "", (), variables, generation, inference, (Sweep(order),) if order else ())


def _reads(*reads: Parent) -> Dense:
    return Dense(reads, ())


def _at(name: str, offset: int = 0) -> Parent:
    return Parent(name, of(offset))


def own(*conditionals: Conditional) -> Inference:
    """Return the declaration of q by conditionals of one's own."""
    return Inference(InferenceKind.CONDITIONALS, conditionals=conditionals)


DKF = Spec(
    "DKF",
    "",
    (),
    (X, Z, U),
    (line("z", z=PREVIOUS, u=NOW), line("x", z=NOW)),
    EXACT,
    (Sweep(("z",)),),
    states=(State("b", "lstm", 4, (_at("x"), _at("u")), runs=Direction.BACKWARD),),
    features=(Feature("g", Combiner(_at("z", -1), _at("b"), 4)),),
    heads=(
        Head(Side.P, "z", GatedTransition(_at("z", -1), (_at("u"),), 4)),
        Head(Side.P, "x", _reads(_at("z"))),
        Head(Side.Q, "z", _reads(_at("g"))),
    ),
)

STORN = Spec(
    "STORN",
    "",
    (),
    (X, Z),
    (line("z"), line("x", x=BEFORE, z=UP_TO)),
    own(line("z", x=UP_TO)),
    (Sweep(("z",)),),
    states=(
        State("h", "lstm", 4, (_at("fx", -1), _at("fz"))),
        State("g", "lstm", 4, (_at("x"),)),
    ),
    features=(Feature("fx", _reads(_at("x"))), Feature("fz", _reads(_at("z")))),
    heads=(Head(Side.P, "x", _reads(_at("h"))), Head(Side.Q, "z", _reads(_at("g")))),
)

VRNN = Spec(
    "VRNN",
    "",
    (),
    (X, Z),
    (line("z", x=BEFORE, z=BEFORE), line("x", x=BEFORE, z=UP_TO)),
    own(line("z", x=UP_TO, z=BEFORE)),
    (Sweep(("z",)),),
    states=(State("h", "lstm", 4, (_at("fx", -1), _at("fz", -1))),),
    features=(Feature("fx", _reads(_at("x"))), Feature("fz", _reads(_at("z")))),
    heads=(
        Head(Side.P, "z", _reads(_at("h"))),
        Head(Side.P, "x", _reads(_at("fz"), _at("h"))),
        Head(Side.Q, "z", _reads(_at("fx"), _at("h"))),
    ),
)

SRNN = Spec(
    "SRNN",
    "",
    (),
    (X, Z),
    (line("z", x=BEFORE, z=PREVIOUS), line("x", x=BEFORE, z=NOW)),
    EXACT,
    (Sweep(("z",)),),
    states=(
        State("h", "lstm", 4, (_at("x", -1),)),
        State("g", "lstm", 4, (_at("h"), _at("x")), runs=Direction.BACKWARD),
    ),
    heads=(
        Head(Side.P, "z", _reads(_at("z", -1), _at("h"))),
        Head(Side.P, "x", _reads(_at("z"), _at("h"))),
        Head(Side.Q, "z", _reads(_at("z", -1), _at("g"))),
    ),
)

FOUR = (DKF, STORN, VRNN, SRNN)
