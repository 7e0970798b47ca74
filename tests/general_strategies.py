"""Random legal specs of the whole language, at the level of conditionals.

Frame-level and sequence-level latents, observed variables and inputs; causal, anticausal and noncausal
generation; z_0 and z_1 with lines of their own; windows of every kind; any order of sweeps; every word of
inference.

Acyclic by construction: the generated variables are dealt into *blocks* that come one after another. A block
is one sequence-level variable, or several frame-level ones with one direction of time. Between blocks a child
reads any frames of what comes before; within a block it reads earlier frames (later ones if the block runs
backward), and of its own frame what the block lists before it. In noncausal pages the variables of a block
are moreover shifted against one another in time, which keeps the sum of lags around every cycle.
"""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st

from dvaec.spec.model import (
    LAST,
    Causality,
    Conditional,
    Inference,
    InferenceKind,
    Parent,
    Role,
    Spec,
    Sweep,
    Variable,
)
from dvaec.spec.offsets import ALL, NOW, Offsets, of, window

FRAMED_LATENTS = ("z", "a", "s")
STATIC_LATENTS = ("v", "m")
Key = tuple[str, int | None]  # a parent: its name, and its absolute frame if it is read at one
Parents = dict[Key, Offsets | None]


@dataclass(frozen=True)
class Block:
    """Frame-level names with one direction of time, or one sequence-level name."""

    names: tuple[str, ...]
    framed: bool
    backward: bool = False


@st.composite
def windows(
    draw: st.DrawFn, *, past: bool, future: bool, now: bool, longest: int = 3, opened: bool = True
) -> Offsets:
    """Draw a non-empty window that keeps to the past, to the future, or goes both ways."""
    low = -longest if past else 0 if now else 1
    high = longest if future else 0 if now else -1
    inside = st.integers(low, high).filter(lambda d: now or d != 0)
    kinds = ["single", "single", "single", "several"]
    if opened:
        kinds += ["before"] * past + ["after"] * future + (["all"] if past and future and now else [])
    kind = draw(st.sampled_from(kinds))
    stride = draw(st.sampled_from((1, 1, 1, 2, 3)))
    if kind == "single":
        return of(draw(inside))
    if kind == "several":
        return of(*draw(st.sets(inside, min_size=1, max_size=3)))
    if kind == "before":
        return window(None, draw(st.integers(low, min(high, 0 if now else -1))), stride)
    if kind == "after":
        return window(draw(st.integers(max(low, 0 if now else 1), high)), None, stride)
    return ALL


@st.composite
def general_specs(
    draw: st.DrawFn,
    *,
    longest: int = 3,
    latents: int = 3,
    static: bool = True,
    numbered: bool = True,
    inputs: bool = True,
    causalities: tuple[Causality, ...] = tuple(Causality),
    kinds: tuple[InferenceKind, ...] = tuple(k for k in InferenceKind if k is not InferenceKind.NETWORKS),
    opened: bool = True,
) -> Spec:
    """Draw a spec; `latents` bounds the frame-level ones, `opened` allows windows without end."""
    maker = _Maker(draw, longest, opened, draw(st.sampled_from(causalities)))
    maker.cast(latents, static, inputs)
    maker.deal()
    maker.generic_lines()
    if numbered:
        maker.numbered_lines()
    maker.observe()
    order = maker.sweeps()
    spec = maker.spec(order, Inference(InferenceKind.EXACT))
    return maker.spec(order, maker.inference(spec, draw(st.sampled_from(kinds))))


class _Maker:
    """One spec in the making; `lines` and `first_lines` are its conditionals by target (and frame)."""

    def __init__(self, draw: st.DrawFn, longest: int, opened: bool, causality: Causality) -> None:
        self.draw, self.longest, self.opened, self.causality = draw, longest, opened, causality
        self.roles: dict[str, Role] = {}
        self.framed: dict[str, bool] = {}
        self.blocks: list[Block] = []
        self.shift: dict[str, int] = {}
        self.lines: dict[str, Parents] = {}
        self.first_lines: dict[tuple[str, int], Parents] = {}
        self.frames: int | None = None

    def chance(self, one_in: int) -> bool:
        return self.draw(st.integers(1, one_in)) == 1

    def cast(self, latents: int, static: bool, inputs: bool) -> None:
        """Choose the variables; now and then none that is observed or given has frames."""
        flat = static and self.chance(8)
        wanted = [("x", Role.OBSERVED, not flat)]
        if self.chance(3):
            wanted.append(("y", Role.OBSERVED, not flat and not (static and self.chance(2))))
        hidden = FRAMED_LATENTS[: self.draw(st.integers(1 if flat else 0, latents))]
        wanted += [(name, Role.LATENT, True) for name in hidden]
        count = self.draw(st.sampled_from((0, 0, 0, 1, 1, 2))) if static else 0
        wanted += [(n, Role.LATENT, False) for n in STATIC_LATENTS[: max(count, 0 if hidden else 1)]]
        if inputs and not flat and self.chance(2):
            wanted.append(("u", Role.INPUT, True))
        if inputs and static and self.chance(4):
            wanted.append(("c", Role.INPUT, False))
        self.roles = {name: role for name, role, _ in wanted}
        self.framed = {name: framed for name, _, framed in wanted}
        self.frames = self.draw(st.integers(1, 6)) if flat else None

    def deal(self) -> None:
        """Deal the generated variables into blocks; x is the last of all."""
        rest = [n for n, role in self.roles.items() if role is not Role.INPUT and n != "x"]
        queue = [*self.draw(st.permutations(rest)), "x"]
        open_names: list[str] = []
        for name in queue:
            if open_names and (not self.framed[name] or self.chance(4)):
                self._close(open_names)
            if self.framed[name]:
                open_names.append(name)
            else:
                self.blocks.append(Block((name,), False))
        self._close(open_names)

    def _close(self, names: list[str]) -> None:
        if not names:
            return
        mixed = self.causality is Causality.NONCAUSAL
        backward = self.causality is Causality.ANTICAUSAL or (mixed and self.chance(2))
        self.blocks.append(Block(tuple(names), True, backward))
        for name in names:
            self.shift[name] = self.draw(st.sampled_from((0, 0, 1, -1))) if mixed else 0
        names.clear()

    def window(self, child: str, parent: str) -> Offsets | None:
        """Draw the frames of `parent` that `child` may read, or None if there are none."""
        causal, anticausal = self.causality is Causality.CAUSAL, self.causality is Causality.ANTICAUSAL
        block = self._block(child)
        if block is None or parent not in block.names:
            return self.draw(
                windows(
                    past=not anticausal, future=not causal, now=True, longest=self.longest, opened=self.opened
                )
            )
        now = block.names.index(parent) < block.names.index(child)
        found = self.draw(
            windows(
                past=not block.backward,
                future=block.backward,
                now=now,
                longest=self.longest,
                opened=self.opened,
            )
        )
        return found.shift(self.shift[parent] - self.shift[child])

    def _block(self, name: str) -> Block | None:
        return next((b for b in self.blocks if name in b.names), None)

    def before(self, name: str) -> list[str]:
        """The names of earlier blocks, and the inputs."""
        found = [n for n, role in self.roles.items() if role is Role.INPUT]
        for block in self.blocks:
            if name in block.names:
                break
            found += block.names
        return found

    def generic_lines(self) -> None:
        for block in self.blocks:
            for child in block.names:
                earlier = self.before(child)
                parents: Parents = {}
                for name in (*earlier, *(block.names if block.framed else ())):
                    if not self.chance(2):
                        continue
                    if not self.framed[name]:
                        parents[name, None] = None
                    elif not block.framed:
                        self._whole(parents, name)
                    else:
                        parents[name, None] = self.window(child, name)
                self.lines[child] = parents

    def _whole(self, parents: Parents, name: str) -> None:
        """Let what has no frame t read all frames of a name, its first or its last."""
        kind = self.draw(st.sampled_from(("all", "all", "first", "last", "ends")))
        if kind == "all":
            parents[name, None] = ALL
        if kind in ("first", "ends"):
            parents[name, 1] = None
        if kind in ("last", "ends"):
            parents[name, LAST] = None

    def numbered_lines(self) -> None:
        """Give some variables a frame 0 of their own, some a conditional of their own at frame 1."""
        for block in self.blocks:
            if not block.framed or any(self.shift[n] for n in block.names):
                continue
            zeros: list[str] = []
            for place, name in enumerate(block.names):
                if self.roles[name] is Role.LATENT and self.chance(4):
                    self.first_lines[name, 0] = self._first(block, name, 0, tuple(zeros))
                    zeros.append(name)
                if self.chance(5):
                    near = block.names[:place]
                    self.first_lines[name, 1] = self._first(block, name, 1, near)
                    back = [n for n in zeros if not block.backward and self.chance(2)]
                    self.first_lines[name, 1].update({(n, 0): None for n in back})

    def _first(self, block: Block, child: str, frame: int, same: tuple[str, ...]) -> Parents:
        """The parents of a numbered line: of the same frame, of the sequence, inputs; any, if noncausal."""
        parents: Parents = {}
        free = self.causality is Causality.NONCAUSAL
        for name in self.before(child):
            if not self.chance(3):
                continue
            if not self.framed[name]:
                parents[name, None] = None
            elif free:
                self._whole(parents, name)
            elif frame == 1 or self.roles[name] is Role.INPUT or self.causality is Causality.ANTICAUSAL:
                parents[name, 1] = None
        parents.update({(name, frame): None for name in same if self.chance(2)})
        if frame == 0 and block.backward:
            parents.update({(name, 1): None for name in block.names if self.chance(3)})
        return parents

    def observe(self) -> None:
        """Let x, the last of all, read every latent of which nothing observed follows."""
        watched = {name for name, role in self.roles.items() if role is Role.OBSERVED}
        for _ in self.roles:
            watched |= {p for child in self.lines if child in watched for p, _ in self.lines[child]}
        for name, role in self.roles.items():
            if role is Role.LATENT and name not in watched:
                here = (
                    NOW.shift(self.shift.get(name, 0) - self.shift.get("x", 0)) if self._near(name) else NOW
                )
                whole = here if self.framed["x"] else ALL
                self.lines["x"][name, None] = whole if self.framed[name] else None
        used = {p for line in (*self.lines.values(), *self.first_lines.values()) for p, _ in line}
        for name in [n for n, role in self.roles.items() if role is Role.INPUT and n not in used]:
            del self.roles[name]

    def _near(self, name: str) -> bool:
        return name in self.blocks[-1].names

    def sweeps(self) -> tuple[Sweep, ...]:
        """Draw q's chain-rule order; in some, the default one: sequence-level first, then one forward sweep."""
        made = [n for block in self.blocks for n in block.names if self.roles[n] is Role.LATENT]
        framed, whole = [n for n in made if self.framed[n]], [n for n in made if not self.framed[n]]
        if self.chance(3):
            return (*(Sweep((n,)) for n in whole), *((Sweep(tuple(framed)),) if framed else ()))
        found = [Sweep((n,)) for n in whole]
        group: list[str] = []
        for name in self.draw(st.permutations(framed)) if framed else []:
            group.append(name)
            if self.chance(2):
                found.append(Sweep(tuple(group), self.chance(2)))
                group = []
        if group:
            found.append(Sweep(tuple(group), self.chance(2)))
        return tuple(self.draw(st.permutations(found)))

    def spec(self, order: tuple[Sweep, ...], inference: Inference) -> Spec:
        variables = tuple(
            Variable(
                name,
                role,
                1 if role is Role.INPUT else 2,
                framed=self.framed[name],
                first=0 if (name, 0) in self.first_lines else 1,
            )
            for name, role in self.roles.items()
        )
        made = [name for block in self.blocks for name in block.names]
        return Spec(
            "GENERAL",
            "",
            (),
            variables,
            tuple(self.conditional(name, self.lines[name]) for name in made),
            inference,
            order,
            numbered=tuple(
                self.conditional(name, self.first_lines[name, frame], frame)
                for frame in (0, 1)
                for name in made
                if (name, frame) in self.first_lines
            ),
            causality=self.causality,
            frames=self.frames,
        )

    def conditional(self, target: str, parents: Parents, frame: int | None = None) -> Conditional:
        """Sort the parents: in declaration order, relative before absolute ones."""
        found = []
        for name in self.roles:
            for at in (None, 0, 1, LAST):
                if (name, at) in parents:
                    found.append(Parent(name, parents[name, at], at))
        return Conditional(target, tuple(found), frame)

    def inference(self, spec: Spec, kind: InferenceKind) -> Inference:
        """Declare q: by a word, by conditionals, or by a word and conditionals."""
        delay = self.draw(st.integers(0, 3)) if kind is InferenceKind.LOOKAHEAD else 0
        restricted = kind in (InferenceKind.FILTERING, InferenceKind.LOOKAHEAD)
        own, numbered = [], []
        for place, sweep in enumerate(spec.order):
            for name in sweep.latents:
                variable = spec.variable(name)
                must = restricted and not variable.framed
                if must or (kind is InferenceKind.CONDITIONALS and not self.chance(4)):
                    own.append(self.conditional(name, self.reading(spec, place, name, None)))
                must = restricted and delay > 1
                if variable.first == 0 and (must or (own and self.chance(2))):
                    numbered.append(self.conditional(name, self.reading(spec, place, name, 0), 0))
                if variable.framed and own and own[-1].target == name and self.chance(6):
                    numbered.append(self.conditional(name, self.reading(spec, place, name, 1), 1))
        if kind is InferenceKind.CONDITIONALS and not own:
            kind, numbered = InferenceKind.EXACT, []
        return Inference(kind, delay, tuple(own), tuple(numbered))

    def reading(self, spec: Spec, place: int, target: str, frame: int | None) -> Parents:
        """Draw what q may read: what is observed or given, and latents that come earlier in its order."""
        parents: Parents = {}
        framed = spec.variable(target).framed
        rank = {name: k for k, sweep in enumerate(spec.order) for name in sweep.latents}
        for name, role in self.roles.items():
            earlier = role is not Role.LATENT or rank[name] < place
            same = role is Role.LATENT and rank[name] == place and framed
            if not self.chance(2) or not (earlier or same):
                continue
            if same:
                self._mate(parents, spec.order[place], target, name, frame)
            elif not self.framed[name]:
                parents[name, None] = None
            elif frame is not None or not framed:
                self._whole(parents, name)
            else:
                shape = windows(past=True, future=True, now=True, longest=self.longest, opened=self.opened)
                parents[name, None] = self.draw(shape)
        return parents

    def _mate(self, parents: Parents, sweep: Sweep, target: str, name: str, frame: int | None) -> None:
        """Let a latent read one of its own sweep: earlier frames, or this one if that is listed before."""
        now = sweep.latents.index(name) < sweep.latents.index(target)
        if frame is None:
            past = not sweep.backward
            shape = windows(past=past, future=not past, now=now, longest=self.longest, opened=self.opened)
            parents[name, None] = self.draw(shape)
        elif frame == 0:
            if now and (name, 0) in self.first_lines:
                parents[name, 0] = None
            elif sweep.backward:
                parents[name, 1] = None
        elif now:
            parents[name, 1] = None
        elif not sweep.backward and (name, 0) in self.first_lines:
            parents[name, 0] = None
