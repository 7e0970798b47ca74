"""Random legal specs of the whole language, at the level of conditionals.

Frame-level and sequence-level latents, observed variables and inputs; causal, anticausal and noncausal
generation; z_0, z_1 and z_T with lines of their own; windows of every kind; any order of sweeps; every word
of inference.
"""

from __future__ import annotations

from hypothesis import assume
from hypothesis import strategies as st

from dvaec.spec.chain import with_first
from dvaec.spec.model import (
    LAST,
    Causality,
    Conditional,
    Inference,
    InferenceKind,
    Role,
    Spec,
    Sweep,
    Variable,
)
from dvaec.spec.offsets import window as span
from dvaec.testing.legality import unobserved
from dvaec.testing.strategies.numbered import NumberedFrames
from dvaec.testing.strategies.windows import Parents, windows


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
        maker.single_frames()
    maker.observe()
    order = maker.sweeps()
    spec = maker.spec(order, Inference(InferenceKind.EXACT))
    assume(not any(unobserved(spec)))  # as where x reads z_1 alone, which has a line of its own
    inference = maker.inference(spec, draw(st.sampled_from(kinds)))
    whole = [name for name in spec.latents if not spec.variable(name).framed]
    q = (*inference.conditionals, *inference.numbered)
    return maker.spec(tuple(with_first(sweep, q, whole, spec.zero) for sweep in order), inference)


class _Maker(NumberedFrames):
    """A whole spec in the making: q's order and declaration beside p."""

    def sweeps(self) -> tuple[Sweep, ...]:
        """Draw q's order; in some, the default one: sequence-level first, then one forward sweep."""
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
            "RANDOM",
            "",
            (),
            variables,
            tuple(self.conditional(name, self.lines[name]) for name in made),
            inference,
            order,
            numbered=tuple(
                self.conditional(name, self.first_lines[name, frame], frame)
                for frame in (0, 1, LAST)
                for name in made
                if (name, frame) in self.first_lines
            ),
            causality=self.causality,
            frames=self.frames,
        )

    def inference(self, spec: Spec, kind: InferenceKind) -> Inference:
        """Declare q: by a word, by conditionals, or by a word and conditionals."""
        delay = self.draw(st.integers(0, 3)) if kind is InferenceKind.LOOKAHEAD else 0
        restricted = kind in (InferenceKind.FILTERING, InferenceKind.LOOKAHEAD)
        own, numbered = [], []
        for place, sweep in enumerate(spec.order):
            for name in sweep.latents:
                variable = spec.variable(name)
                must = restricted and not variable.framed
                if must or (kind is InferenceKind.CONDITIONALS and not self.chance(8)):
                    own.append(self.conditional(name, self.reading(spec, place, name, None)))
                must = kind is InferenceKind.CONDITIONALS or (restricted and delay > 1)
                if variable.first == 0 and (must or (own and self.chance(2))):
                    numbered.append(self.conditional(name, self.reading(spec, place, name, 0), 0))
                if variable.framed and own and own[-1].target == name and self.chance(6):
                    numbered.append(self.conditional(name, self.reading(spec, place, name, 1), 1))
                several = variable.framed and spec.frames != 1
                if several and own and own[-1].target == name and self.chance(6):
                    numbered.append(self.conditional(name, self.reading(spec, place, name, LAST), LAST))
        for place, sweep in enumerate(spec.order):
            mates = sweep.latents
            if len(mates) > 1 and {c.target for c in own} >= set(mates) and self.chance(3):
                turned = self._turned(spec, place, sweep.backward)
                beside = [c for c in numbered if c.frame != 1 or c.target not in mates]
                lines = {(c.target, c.frame): c for c in (*beside, *turned)}
                numbered = [lines[n, f] for n in spec.latents for f in (0, 1, LAST) if (n, f) in lines]
        if kind is InferenceKind.CONDITIONALS and len(own) < len(spec.latents):
            kind = InferenceKind.EXACT  # the word speaks for the rest
        return Inference(kind, delay, tuple(own), tuple(numbered))

    def _turned(self, spec: Spec, place: int, backward: bool) -> list[Conditional]:
        """Draw lines of frame 1 for all latents of a sweep, in an order of their own."""
        mates, drawn, lines = spec.order[place].latents, list[str](), list[Conditional]()
        for name in self.draw(st.permutations(mates)):
            read = self.reading(spec, place, name, 1)
            parents: Parents = {key: window for key, window in read.items() if key[0] not in mates}
            parents.update({(mate, 1): None for mate in drawn if self.chance(2)})
            zeros = [mate for mate in mates if (mate, 0) in self.first_lines and not backward]
            parents.update({(mate, 0): None for mate in zeros if self.chance(2)})
            lines.append(self.conditional(name, parents, 1))
            drawn.append(name)
        return lines

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
            elif frame in (0, 1) and self.chance(2):
                self.frames_of(parents, name, frame or 0, 1)
            elif frame == LAST and self.chance(2):
                self.frames_back(parents, name)
            elif frame is not None or not framed:
                self._whole(parents, name)
            else:
                if self.chance(8):
                    parents[name, self.draw(st.sampled_from((1, LAST)))] = None
                shape = windows(past=True, future=True, now=True, longest=self.longest, opened=self.opened)
                if window := self.clipped(self.draw(shape)):
                    parents[name, None] = window
        return parents

    def _mate(self, parents: Parents, sweep: Sweep, target: str, name: str, frame: int | None) -> None:
        """Let a latent read one of its own sweep: earlier frames, or this one if that is listed before."""
        now = sweep.latents.index(name) < sweep.latents.index(target)
        if frame is None:
            past = not sweep.backward
            shape = windows(past=past, future=not past, now=now, longest=self.longest, opened=self.opened)
            if window := self.clipped(self.draw(shape)):
                parents[name, None] = window
            if self.chance(8):
                parents[name, LAST if sweep.backward else 1] = None
        elif frame in (0, 1) and sweep.backward and self.chance(3):
            self.frames_of(parents, name, frame or 0, (frame or 0) + 1)
        elif frame == LAST:
            if now:
                parents[name, LAST] = None
            if now and not sweep.backward and self.chance(2):
                parents[name, 1] = None
            if not sweep.backward and self.chance(2):
                self.frames_back(parents, name, now)
        elif frame == 0:
            if now and (name, 0) in self.first_lines:
                parents[name, 0] = None
            elif sweep.backward and (name, 0) in self.first_lines and self.chance(3):
                parents[name, None] = span(1, None)
            elif sweep.backward:
                parents[name, 1] = None
        elif now:
            parents[name, 1] = None
        elif not sweep.backward and (name, 0) in self.first_lines:
            parents[name, 0] = None
