"""Random generative models: variables and their levels, and p's conditionals.

Acyclic by construction: the generated variables are dealt into *blocks* that come one after another. A block
is one sequence-level variable, or several frame-level ones with one direction of time. Between blocks a child
reads any frames of what comes before; within a block it reads earlier frames (later ones if the block runs
backward), and of its own frame what the block lists before it. In noncausal pages the variables of a block
are moreover shifted against one another in time, which keeps the sum of lags around every cycle.
"""

from __future__ import annotations

from hypothesis import strategies as st

from dvaec.spec.frames import united
from dvaec.spec.model import LAST, Causality, Conditional, Parent, Role
from dvaec.spec.offsets import ALL, NONE, NOW, Offsets
from dvaec.spec.offsets import window as span
from dvaec.testing.strategies.windows import FRAMED_LATENTS, STATIC_LATENTS, Block, Key, Parents, windows


class Generation:
    """p in the making; `lines` and `first_lines` are its conditionals by target (and frame)."""

    def __init__(self, draw: st.DrawFn, longest: int, opened: bool, causality: Causality) -> None:
        self.draw, self.longest, self.opened, self.causality = draw, longest, opened, causality
        self.roles: dict[str, Role] = {}
        self.framed: dict[str, bool] = {}
        self.blocks: list[Block] = []
        self.shift: dict[str, int] = {}
        self.lines: dict[str, Parents] = {}
        self.first_lines: dict[tuple[str, int], Parents] = {}
        self.frames: int | None = None
        self.whole: set[str] = set()  # what is made of whole sequences, which no frame of a promised p reads

    def chance(self, one_in: int) -> bool:
        return self.draw(st.integers(1, one_in)) == 1

    def cast(self, latents: int, static: bool, inputs: bool) -> None:
        """Choose the variables; now and then none that is observed or given has frames, or none at all."""
        flat = static and self.chance(8)
        wanted = [("x", Role.OBSERVED, not flat)]
        if self.chance(3):
            wanted.append(("y", Role.OBSERVED, not flat and not (static and self.chance(2))))
        hidden = FRAMED_LATENTS[: self.draw(st.integers(0, latents))]
        wanted += [(name, Role.LATENT, True) for name in hidden]
        count = self.draw(st.sampled_from((0, 0, 0, 1, 1, 2))) if static else 0
        wanted += [(n, Role.LATENT, False) for n in STATIC_LATENTS[: max(count, 0 if hidden else 1)]]
        if inputs and not flat and self.chance(2):
            wanted.append(("u", Role.INPUT, True))
        if inputs and static and self.chance(4):
            wanted.append(("c", Role.INPUT, False))
        self.roles = {name: role for name, role, _ in wanted}
        self.framed = {name: framed for name, _, framed in wanted}
        self.frames = self.draw(st.integers(1, 6 if hidden else 1)) if flat else None

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

    def clipped(self, offsets: Offsets | None) -> Offsets | None:
        """Leave out what is beyond every frame of a T that the page fixes."""
        if self.frames is None or offsets is None:
            return offsets
        return (offsets & span(1 - self.frames, self.frames - 1)) or None

    def frames_of(self, parents: Parents, name: str, reader: int, first: int) -> None:
        """Let frame 0 or 1 read some frames of a name from `first` on, which it counts from itself."""
        shape = windows(
            past=False, future=True, now=True, longest=self.longest + first, opened=self.opened
        ).map(lambda offsets: offsets & span(first, self.frames))
        if frames := self.draw(shape):
            parents[name, None] = frames.shift(-reader) | (parents.get((name, None)) or NONE)

    def _block(self, name: str) -> Block | None:
        return next((b for b in self.blocks if name in b.names), None)

    def before(self, name: str) -> list[str]:
        """The names of earlier blocks, and the inputs, of what `name` may read."""
        found = [n for n, role in self.roles.items() if role is Role.INPUT]
        for block in self.blocks:
            if name in block.names:
                break
            found += block.names
        promised = self.causality is not Causality.NONCAUSAL and (
            self.framed[name] or self.roles[name] is Role.LATENT
        )
        return [n for n in found if not (promised and n in self.whole)]

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
                        self._whole(parents, name, self.roles[child] is Role.LATENT)
                    elif window := self.clipped(self.window(child, name)):
                        parents[name, None] = window
                self.lines[child] = parents
                if not block.framed and any(self._sums_up(key, seen) for key, seen in parents.items()):
                    self.whole.add(child)

    def _sums_up(self, parent: Key, seen: Offsets | None) -> bool:
        name, frame = parent
        return name in self.whole or (
            (seen is not None or frame == LAST) and self.roles[name] is not Role.INPUT
        )

    def _whole(self, parents: Parents, name: str, latent: bool = False) -> None:
        """Let what has no frame t read all frames of a name, its first or its last.

        A latent of a promised p reads the first alone of what is generated: its own readers have frames.
        """
        kind = self.draw(st.sampled_from(("all", "all", "first", "last", "ends")))
        if latent and self.causality is not Causality.NONCAUSAL and self.roles[name] is not Role.INPUT:
            kind = "first" if self.chance(2) else "none"
        if kind == "all":
            parents[name, None] = ALL
        if kind in ("first", "ends"):
            parents[name, 1] = None
        if kind in ("last", "ends"):
            parents[name, LAST] = None

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
        while unread := [
            name for name, frame in self.first_lines if frame == 0 and not self._zero_read(name)
        ]:
            for name in unread:
                del self.first_lines[name, 0]
        used = {p for line in (*self.lines.values(), *self.first_lines.values()) for p, _ in line}
        for name in [n for n, role in self.roles.items() if role is Role.INPUT and n not in used]:
            del self.roles[name]

    def _zero_read(self, name: str) -> bool:
        """Whether something reads the frame 0 of a name."""
        if any((name, 0) in line for key, line in self.first_lines.items() if key != (name, 0)):
            return True
        if any(-at in (line.get((name, None)) or NONE) for (_, at), line in self.first_lines.items()):
            return True
        last = self.frames or self.longest + 1
        for child, line in self.lines.items():
            first = 2 if (child, 1) in self.first_lines else 1
            seen = line.get((name, None))
            if (name, 0) in line or (seen is not None and not self.framed[child]):
                return True
            if seen is not None and seen.within(-last, -first):
                return True
        return False

    def _near(self, name: str) -> bool:
        return name in self.blocks[-1].names

    def conditional(self, target: str, parents: Parents, frame: int | None = None) -> Conditional:
        """Sort the parents: in declaration order, relative before absolute ones, each in its one form."""
        found = []
        for name in self.roles:
            for at in (None, 0, 1, LAST):
                if (name, at) in parents:
                    found.append(Parent(name, parents[name, at], at))
        zero = [name for name in self.roles if (name, 0) in self.first_lines]
        return Conditional(target, united(found, list(self.roles), zero, frame), frame)
