"""Random lines for single frames, and random reads of single frames by their number."""

from __future__ import annotations

from hypothesis import strategies as st

from dvaec.spec.model import LAST, Causality, Role
from dvaec.testing.strategies.generation import Generation
from dvaec.testing.strategies.windows import Block, Parents


class NumberedFrames(Generation):
    """p with frames 0, 1 and T told from the others."""

    def numbered_lines(self) -> None:
        """Give some variables a frame 0 of their own, some a conditional of their own at frame 1 or T."""
        for block in self.blocks:
            if not block.framed or any(self.shift[n] for n in block.names):
                continue
            zeros: list[str] = []
            near = self._near_frame_1(block)
            for name in block.names:
                if self.roles[name] is Role.LATENT and self.chance(4):
                    self.first_lines[name, 0] = self._first(block, name, 0, tuple(zeros))
                    zeros.append(name)
                if name in near:
                    self.first_lines[name, 1] = self._first(block, name, 1, near[name])
                    back = [n for n in zeros if not block.backward and self.chance(2)]
                    self.first_lines[name, 1].update({(n, 0): None for n in back})
                if self.causality is not Causality.CAUSAL and self.frames != 1 and self.chance(4):
                    self.first_lines[name, LAST] = self._last(block, name)

    def _near_frame_1(self, block: Block) -> dict[str, tuple[str, ...]]:
        """The names that have a line of frame 1, each with the names that it may read there.

        Frame 1 may have an order of its own. Then what has no line of its own comes first, as far as it can
        wait for nothing that has one.
        """
        if len(block.names) > 1 and self.chance(5):
            start = self.draw(st.integers(0, len(block.names) - 2))
            plain, turned = block.names[:start], self.draw(st.permutations(block.names[start:]))
            return {name: (*plain, *turned[:place]) for place, name in enumerate(turned)}
        own = [name for name in block.names if self.chance(5)]
        return {name: block.names[: block.names.index(name)] for name in own}

    def single_frames(self) -> None:
        """Let some lines of every frame read frame 1 or T of a name by its number.

        At that frame itself the line must not wait for its own value: it reads what is listed before it, or
        has a line of its own there.
        """
        for block in self.blocks:
            if not block.framed or any(self.shift[n] for n in block.names):
                continue
            for place, child in enumerate(block.names):
                for name in [n for n in (*self.before(child), *block.names) if self.framed[n]]:
                    inside = name in block.names
                    if not self.chance(10):
                        continue
                    at = self.draw(st.sampled_from(self._ends(name, block.backward if inside else None)))
                    own = at == 1 and (child, 1) in self.first_lines
                    if not inside or own or at == 0 or block.names.index(name) < place:
                        self.lines[child][name, at] = None

    def _ends(self, name: str, backward: bool | None) -> tuple[int, ...]:
        """The single frames that p may read at any t: of a block, what its direction makes first."""
        begun = (0,) if (name, 0) in self.first_lines else ()
        if backward is not None:
            return (LAST,) if backward else (*begun, 1)
        if self.causality is Causality.NONCAUSAL:
            return (*begun, 1, LAST)
        return (*begun, 1) if self.causality is Causality.CAUSAL else (LAST,)

    def _last(self, block: Block, child: str) -> Parents:
        """The parents of a line of frame T, which keeps its block's order; of frame 1 where T > 1 alone."""
        same = block.names[: block.names.index(child)]
        parents = self._first(block, child, LAST, same)
        if not block.backward:
            begun = block.names if (child, 1) in self.first_lines else same
            parents.update({(name, 1): None for name in begun if self.chance(3)})
            for name in [n for n in block.names if self.chance(3)]:
                self.frames_back(parents, name, name in same)
        return parents

    def _first(self, block: Block, child: str, frame: int, same: tuple[str, ...]) -> Parents:
        """The parents of a numbered line: of the same frame, of the sequence, inputs; any, if noncausal."""
        parents: Parents = {}
        free = self.causality is Causality.NONCAUSAL
        for name in self.before(child):
            if not self.chance(3):
                continue
            if not self.framed[name]:
                parents[name, None] = None
            elif frame != LAST and self.causality is not Causality.CAUSAL and self.chance(3):
                self.frames_of(parents, name, frame, 1)
            elif free and frame == LAST and self.chance(2):
                self.frames_back(parents, name)
            elif free:
                self._whole(parents, name)
            elif frame != 0 or self.roles[name] is Role.INPUT or self.causality is Causality.ANTICAUSAL:
                parents[name, LAST if frame == LAST else 1] = None
        parents.update({(name, frame): None for name in same if self.chance(2)})
        if frame == 0 and block.backward:
            parents.update({(name, 1): None for name in block.names if self.chance(3)})
        for name in block.names if frame != LAST and block.backward else ():
            if self.chance(5):
                self.frames_of(parents, name, frame, frame + 1)
        return parents
