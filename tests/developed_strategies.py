"""Random developed forms: states, features and heads first, the conditionals that they mean afterwards.

Every node is drawn with random reads; a head then reads what keeps p causal and q in its order, and the
declared windows are what the heads see. So a draw is a legal page by construction, whatever its recurrences are.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from hypothesis import assume
from hypothesis import strategies as st

from dvaec.network.ends import Ends, ends
from dvaec.network.unfold import Unfolded, UnfoldError, unfold
from dvaec.spec.model import (
    Combiner,
    Conditional,
    Dense,
    Direction,
    Family,
    Feature,
    GatedTransition,
    Head,
    Inference,
    InferenceKind,
    Layer,
    Link,
    Output,
    Parent,
    Role,
    SharedVariance,
    Side,
    Spec,
    State,
    Sweep,
    Variable,
    reads_of,
    reads_of_head,
)
from dvaec.spec.offsets import NOW, of, window
from dvaec.testing.strategies.families import of_some_family
from dvaec.testing.strategies.networks import SMOOTH, few, layers
from tests.strategies import windows

LATENTS = ("z", "a")
OBSERVED = ("x", "y")
STATES = ("h", "k", "g", "b", "r")
FEATURES = ("e", "f", "d", "m", "o")
FARTHEST = 3

seldom = st.integers(0, 3).map(lambda n: n == 0)


@dataclass(frozen=True)
class _Readable:
    """A name and the offsets at which a reader may read it; None for a sequence-level variable."""

    name: str
    offsets: tuple[int, ...] | None


@st.composite
def _reads(
    draw: st.DrawFn, options: tuple[_Readable, ...], *, single: bool, most: int = 3
) -> tuple[Parent, ...]:
    """Draw one to `most` reads; `single` reads one frame at a time, else also short windows in time order."""
    chosen: list[Parent] = []
    for option in draw(st.lists(st.sampled_from(options), min_size=1, max_size=most)):
        met = [p for p in chosen if p.name == option.name]
        if option.offsets is None:
            if not met:
                chosen.append(Parent(option.name, None))
            continue
        start = draw(st.sampled_from(option.offsets))
        step = 1 if single else draw(st.sampled_from((1, 1, 2)))
        count = 1 if single else draw(st.sampled_from((1, 1, 2, 3)))
        count = count if step == 1 or count == 3 else 1  # two frames apart are written one by one
        frames = [start + step * k for k in range(count)]
        if all(f in option.offsets for f in frames) and not any(
            p.offsets is not None and p.offsets & of(*frames) for p in met
        ):
            chosen.append(Parent(option.name, of(*frames)))
    assume(chosen)
    return tuple(chosen)


@dataclass(frozen=True)
class _Sketch:
    """A deterministic node before its reads are drawn; one that is `ahead` may see later frames."""

    name: str
    kind: str
    ahead: bool
    runs: Direction

    @property
    def turning(self) -> bool:
        """Whether it sees both ways, so that no cycle through it has one direction of time."""
        return self.ahead and self.kind == "state" and self.runs is not Direction.BACKWARD

    @property
    def lookout(self) -> bool:
        """Whether it sees the future without end, so that it may see no latent in q's forward order."""
        return self.ahead and self.kind == "state" and self.runs is not Direction.FORWARD

    @property
    def range(self) -> range:
        """The offsets at which it reads what was drawn before it."""
        if self.kind != "state" and self.ahead:
            return range(-2, 3)
        ranges = {
            Direction.FORWARD: range(-FARTHEST, 1),
            Direction.BACKWARD: range(3),
            Direction.BOTH: range(1),
        }
        return ranges[self.runs]

    def recurs_through(self, other: _Sketch) -> bool:
        """Whether it may read a node drawn after it: in one direction of time, and never from map to map."""
        one_way = self.ahead == other.ahead and not self.turning and not other.turning
        return one_way and "state" in (self.kind, other.kind) and (other.kind == "state" or not other.ahead)


@st.composite
def _sketches(draw: st.DrawFn) -> tuple[_Sketch, ...]:
    found = []
    for place, kind in enumerate(
        draw(st.lists(st.sampled_from(("state", "state", "map", "combiner")), min_size=1, max_size=5))
    ):
        ahead = draw(st.booleans())
        runs = draw(st.sampled_from(("backward", "backward", "both", "forward"))) if ahead else "forward"
        name = (STATES if kind == "state" else FEATURES)[place]
        found.append(_Sketch(name, kind, ahead, Direction(runs)))
    return tuple(found)


@st.composite
def _nodes(draw: st.DrawFn, variables: tuple[Variable, ...]) -> tuple[tuple[State, ...], tuple[Feature, ...]]:
    sketches = draw(_sketches())
    made: list[State | Feature] = []
    seeing = {v.name for v in variables if v.role is Role.LATENT}  # what shows latents
    for place, sketch in enumerate(sketches):
        barred = seeing if sketch.lookout else set()
        before = [s.name for s in sketches[:place] if sketch.ahead or not s.ahead]
        options = [
            _Readable(v.name, tuple(sketch.range) if v.framed else None)
            for v in variables
            if v.name not in barred
        ]
        options += [_Readable(n, tuple(sketch.range)) for n in before * 2 if n not in barred]
        step = 1 if sketch.ahead else -1
        after = [s.name for s in sketches[place + 1 :] if sketch.recurs_through(s)]
        options += [_Readable(n, tuple(sorted((step, 2 * step)))) for n in after]
        node = draw(_node(sketch.name, sketch.kind, sketch.runs, tuple(options)))
        reads = node.reads if isinstance(node, State) else reads_of(node.block)
        if any(r.name in seeing for r in reads):
            seeing.add(sketch.name)
        made.append(node)
    return tuple(n for n in made if isinstance(n, State)), tuple(n for n in made if isinstance(n, Feature))


@st.composite
def _node(
    draw: st.DrawFn, name: str, kind: str, direction: Direction, options: tuple[_Readable, ...]
) -> State | Feature:
    if kind == "combiner":
        of_, other = (draw(_reads(options, single=True, most=1))[0] for _ in range(2))
        return Feature(name, Combiner(of_, other, draw(st.one_of(st.none(), few))))
    if kind == "map":
        own = (Layer(draw(few), draw(st.sampled_from(SMOOTH))), *draw(layers(1)))
        return Feature(name, Dense(draw(_reads(options, single=False)), own))
    return State(
        name,
        draw(st.sampled_from(("lstm", "gru", "rnn", "sum"))),
        draw(few),
        draw(_reads(options, single=True)),
        through=draw(layers(2)),
        runs=direction,
        lag=draw(st.sampled_from((1, 1, 1, 2, 3))),
        learned_start=draw(st.booleans()),
    )


@dataclass(frozen=True)
class _Sight:
    """What reading one frame of one thing shows, on the endless line and at the ends."""

    unfolded: Unfolded
    finite: Ends

    def allowed(self, name: str, offset: int, limits: dict[str, int | None], losing: bool) -> bool:
        """Say whether it shows nothing beyond the largest offset of each variable, and loses nothing.

        What is `losing` may: networks that alone declare q.
        """
        seen = self.unfolded.seen((Parent(name, of(offset)),))
        for parent in seen:
            limit = limits[parent.name]
            if parent.offsets is not None and limit is not None and parent.offsets & window(limit + 1, None):
                return False
        probe = Conditional(self.unfolded.spec.variables[0].name, seen)
        return losing or next(self.finite.lost(Side.P, (Parent(name, of(offset)),), probe), None) is None

    def options(self, limits: dict[str, int | None], losing: bool = False) -> tuple[_Readable, ...]:
        """Everything that a head with these limits may read."""
        spec = self.unfolded.spec
        found = [_Readable(v.name, None) for v in spec.variables if not v.framed]
        nodes = [s.name for s in spec.states] + [f.name for f in spec.features]
        states = {s.name for s in spec.states}
        for name in (*nodes, *(v.name for v in spec.variables if v.framed)):
            offsets = tuple(d for d in range(-FARTHEST, 3) if self.allowed(name, d, limits, losing))
            times = (
                8 if name in states else 4 if name in nodes else 1
            )  # what has a form of its own comes often
            found += [_Readable(name, offsets)] * times if offsets else []
        return tuple(found)


@st.composite
def _head(draw: st.DrawFn, side: Side, variable: Variable, options: tuple[_Readable, ...]) -> Head:
    """Draw the network of one conditional."""
    head = Head(side, variable.name, None)
    gaussian = variable.family is Family.GAUSSIAN
    framed = tuple(o for o in options if o.offsets is not None)
    if gaussian and framed and draw(seldom):
        first = draw(_reads(framed, single=True, most=1))[0]
        rest = draw(_reads(options, single=False, most=2)) if draw(st.booleans()) else ()
        rest = tuple(r for r in rest if r.name != first.name)
        head = replace(head, block=GatedTransition(first, rest, draw(st.integers(2, 4))))
        return replace(head, variance=draw(st.sampled_from((None, None, SharedVariance(), 0.25))))
    head = replace(head, block=Dense(draw(_reads(options, single=False)), draw(layers())))
    return draw(_with_parameters(head)) if gaussian else head


@st.composite
def _with_parameters(draw: st.DrawFn, head: Head) -> Head:
    """Draw how a Gaussian's mean and variance leave the network: together, on layers of their own, or fixed."""
    mean = draw(st.one_of(st.none(), st.builds(Output, layers())))
    own = st.builds(Output, layers(), st.sampled_from(Link))
    given: tuple[SharedVariance | float, ...] = (SharedVariance(), 0.5)
    variance = draw(st.one_of(st.none(), own, st.sampled_from(given)))
    return replace(head, mean=mean, variance=variance)


@st.composite
def _variables(draw: st.DrawFn) -> tuple[Variable, ...]:
    seen = OBSERVED[: draw(st.sampled_from((1, 1, 2)))]
    hidden = LATENTS[: draw(st.integers(1, 2))]
    observed = [draw(of_some_family(Variable(n, Role.OBSERVED, 1))) for n in seen]
    latent = [draw(of_some_family(Variable(n, Role.LATENT, 1))) for n in hidden]
    given = [Variable(n, Role.INPUT, draw(st.integers(1, 2)), framed=n != "c") for n in "uc" if draw(seldom)]
    return (*observed, *latent, *given)


@st.composite
def developed_specs(draw: st.DrawFn) -> Spec:
    """Draw a legal spec with a developed form of its own; every node is read by some head."""
    variables = draw(_variables())
    names = [v.name for v in variables if v.role is not Role.INPUT]
    made = draw(st.permutations(names))
    chain = tuple(draw(st.permutations([n for n in names if n in LATENTS])))
    states, features = draw(_nodes(variables))
    order = (Sweep(chain),)
    spec = Spec("RANDOM", "", (), variables, (), Inference(InferenceKind.EXACT), order, states, features)
    sight = _sight(spec)
    heads: list[Head] = []
    lines: dict[str, Conditional] = {}
    for place, name in enumerate(made):
        variable = spec.variable(name)
        limits = {v.name: 0 if v.name in made[:place] or v.role is Role.INPUT else -1 for v in variables}
        options = sight.options(dict(limits))
        way = draw(st.sampled_from(("network",) * 6 + ("default", "nothing")))
        if way == "network":
            heads.append(draw(_head(Side.P, variable, options)))
        elif way == "default":
            lines[name] = draw(_undeveloped(variables, name, limits))
        elif variable.role is Role.LATENT and draw(st.booleans()):
            heads.append(Head(Side.P, name, None, learned=True))
    _observe(heads, lines, sight, variables, list(made))
    generation = tuple(_line(sight, heads, lines, name) for name in made)
    spec = replace(spec, heads=tuple(heads), generation=generation)
    return _without_unread(draw(_with_inference(spec, sight)))


@st.composite
def _undeveloped(
    draw: st.DrawFn, variables: tuple[Variable, ...], name: str, limits: dict[str, int]
) -> Conditional:
    """Draw a conditional whose network is left to the default development."""
    parents = []
    for variable in variables:
        if draw(st.booleans()):
            now = limits[variable.name] == 0 and variable.name != name
            parents.append(Parent(variable.name, draw(windows(now=now)) if variable.framed else None))
    return Conditional(name, tuple(parents))


def _sight(spec: Spec) -> _Sight:
    probe = Head(Side.P, "x", Dense((Parent("x", of(-FARTHEST, FARTHEST)),), ()))
    finite = ends(replace(spec, heads=(probe,)))
    try:
        return _Sight(unfold(spec), finite)
    except UnfoldError:
        assume(False)
        raise


def _line(sight: _Sight, heads: list[Head], lines: dict[str, Conditional], name: str) -> Conditional:
    if name in lines:
        return lines[name]
    reads = [r for head in heads if head.target == name for r in reads_of_head(head)]
    return Conditional(name, sight.unfolded.seen(reads))


def _observe(
    heads: list[Head],
    lines: dict[str, Conditional],
    sight: _Sight,
    variables: tuple[Variable, ...],
    order: list[str],
) -> None:
    """Let x read every latent that nothing observed depends on, directly."""
    while True:
        parents = {n: _line(sight, heads, lines, n).parents for n in order}
        watched = {v.name for v in variables if v.role is Role.OBSERVED}
        for _ in order:
            watched |= {p.name for n in order if n in watched for p in parents[n]}
        missing = [n for n in order if n not in watched]
        if not missing:
            return
        name = missing[0]
        extra = Parent(name, NOW if order.index(name) < order.index("x") else of(-1))
        if "x" in lines:
            index = [v.name for v in variables].index
            both = sorted((*lines["x"].parents, extra), key=lambda p: index(p.name))
            lines["x"] = Conditional("x", tuple(both))
            continue
        old = next((h for h in heads if h.target == "x"), Head(Side.P, "x", None))
        if isinstance(old.block, GatedTransition):
            new = replace(old, block=replace(old.block, reads=(*old.block.reads, extra)))
        elif old.block is None:
            new = replace(old, block=Dense((extra,), ()))
        else:
            assert isinstance(old.block, Dense)
            new = replace(old, block=replace(old.block, reads=(*old.block.reads, extra)))
        heads[:] = [h for h in heads if h.target != "x"] + [new]


@st.composite
def _with_inference(draw: st.DrawFn, spec: Spec, sight: _Sight) -> Spec:
    """Add q: by networks, by the same as conditionals, or the exact posterior developed by default."""
    kind = draw(
        st.sampled_from((InferenceKind.NETWORKS,) * 4 + (InferenceKind.CONDITIONALS, InferenceKind.EXACT))
    )
    if kind is InferenceKind.EXACT:
        return spec
    heads = []
    for place, name in enumerate(spec.latents):
        limits: dict[str, int | None] = {
            v.name: None if v.role is not Role.LATENT else 0 if v.name in spec.latents[:place] else -1
            for v in spec.variables
        }
        losing = kind is InferenceKind.NETWORKS
        heads.append(draw(_head(Side.Q, spec.variable(name), sight.options(limits, losing))))
    own = tuple(Conditional(h.target, sight.unfolded.seen(reads_of_head(h))) for h in heads)
    inference = Inference(kind, conditionals=own if kind is InferenceKind.CONDITIONALS else ())
    return replace(spec, inference=inference, heads=(*spec.heads, *heads))


def _without_unread(spec: Spec) -> Spec:
    """Drop the nodes that no head needs."""
    reads = {s.name: s.reads for s in spec.states} | {f.name: reads_of(f.block) for f in spec.features}
    wanted = [r.name for head in spec.heads for r in reads_of_head(head)]
    for name in wanted:
        wanted.extend(r.name for r in reads.get(name, ()) if r.name not in wanted)
    read = {p.name for c in (*spec.generation, *spec.inference.conditionals) for p in c.parents}
    used = [v for v in spec.variables if v.role is not Role.INPUT or v.name in {*wanted, *read}]
    return replace(
        spec,
        variables=tuple(used),
        states=tuple(s for s in spec.states if s.name in wanted),
        features=tuple(f for f in spec.features if f.name in wanted),
    )
