"""Random legal specs in which q, and p, draw frames 1 and T in an order of their own, or ahead of the others.

Pages are drawn line by line, and those kept that can be read: which orders are legal is what is asked.
"""

from __future__ import annotations

from contextlib import suppress

from hypothesis import assume
from hypothesis import strategies as st

from dvaec.diagnostics import Fault
from dvaec.spec.model import Spec
from dvaec.spec.read import read_text

PAST = ("_<t-1>", "_<t-2>", "_<t-2:t-1>", "_<<t>")
FUTURE = ("_<t+1>", "_<t+2>", "_<t+1:t+2>", "_<t+1:T>")
SEEN = ("x_t", "x_<1:T>", "x_<<=t>")


@st.composite
def turned_specs(draw: st.DrawFn) -> Spec:
    """Draw a spec of two or three latents, with lines of frames 1 or T, some beside one of the sequence."""
    text = _Maker(draw).page()
    spec = None
    with suppress(Fault):
        spec, _ = read_text(text, "page.yaml")
    assume(spec is not None)
    assert spec is not None
    return spec


class _Maker:
    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw
        self.latents = ("a", "b", "z")[: draw(st.integers(2, 3))]
        self.static = draw(st.booleans())

    def chance(self, of: int) -> bool:
        """Draw whether, once in so many times."""
        return self.draw(st.integers(1, of)) == 1

    def page(self) -> str:
        """Write the page."""
        back = self.chance(3)
        whole = ["v"] if self.static else []
        now = "_<t:t+1>" if back else "_<t-1:t>"
        read = [name + self.draw(st.sampled_from(("_t", "_t", now))) for name in self.latents]
        p = [*whole, *self.lines(back, ["u_t", *whole]), f"x_t | {', '.join([*read, 'u_t', *whole])}"]
        own = self.static or self.chance(2)
        seen = [self.draw(st.sampled_from(SEEN)), "u_t", *whole]
        if ends := self.chance(3):
            seen += [f"{name}_T" for name in self.latents if self.chance(2)]
        q = self.lines(self.draw(st.booleans()), seen, 4 if ends else 1)
        q += self.ends() if ends else []
        q += self.of_the_sequence(q) if self.static else []
        blocks = [f"generation: [{_quoted(p)}]", f"inference: [{_quoted(q)}]" if own else "inference: exact"]
        sizes = {"x": "observed, dim: 2", "u": "input, dim: 1", "v": "latent, dim: 2, level: sequence"}
        sizes = {n: s for n, s in sizes.items() if n != "v" or self.static}
        sizes |= dict.fromkeys(self.latents, "latent, dim: 2")
        variables = (f"  {name}: {{role: {rest}}}" for name, rest in sizes.items())
        head = ("dvaec: 1", "model: RANDOM", f"causality: {'anticausal' if back else 'causal'}", "variables:")
        return "\n".join((*head, *variables, *blocks)) + "\n"

    def lines(self, back: bool, more: list[str], rarely: int = 1) -> list[str]:
        """Draw one side's lines of frame t, in some order, and (but `rarely`) of frame 1, in another."""
        windows = FUTURE if back else PAST
        order = self.draw(st.permutations(self.latents))
        found = []
        for k, name in enumerate(order):
            here = ("_t", "_t", *windows, "_<t:T>" if back else "_<<=t>")
            reads = [
                mate + self.draw(st.sampled_from(here if mate in order[:k] else windows))
                for mate in self.latents
                if self.chance(2)
            ]
            found.append(_line(f"{name}_t", [*reads, *(one for one in more if self.chance(2))]))
        first = self.draw(st.permutations(self.latents)) if self.chance(rarely) else []
        for k, name in enumerate(first):
            if not self.chance(4):
                reads = [f"{mate}_1" for mate in first[:k] if not self.chance(3)]
                if back and self.chance(3):
                    reads.append(self.draw(st.sampled_from(self.latents)) + "_2")
                reads += [f"{one[0]}_1" for one in more if "_t" in one and self.chance(2)]
                found.append(_line(f"{name}_1", reads))
        return found

    def ends(self) -> list[str]:
        """Draw q's lines of frame T, in some order; they may read frames just before it, of any latent."""
        order, found = self.draw(st.permutations(self.latents)), []
        for k, name in enumerate(order):
            if self.chance(4):
                continue
            reads = [f"{mate}_T" for mate in order[:k] if self.chance(2)]
            reads += [f"{mate}_<T-1>" for mate in self.latents if self.chance(4)]
            found.append(
                _line(f"{name}_T", [*reads, self.draw(st.sampled_from(("x_T", "x_<T-2:T>", "x_<1:T>")))])
            )
        return found

    def of_the_sequence(self, q: list[str]) -> list[str]:
        """Draw the line of v, which reads frame 1 of some latents, and lines of those that have none."""
        some = self.draw(st.lists(st.sampled_from(self.latents), min_size=1, max_size=2, unique=True))
        added = [_line("v", [*(f"{name}_1" for name in some), *(["x_<1:T>"] if self.chance(2) else [])])]
        given = {line.partition(" | ")[0] for line in q}
        return added + [f"{name}_1 | x_1" for name in some if f"{name}_1" not in given]


def _line(name: str, reads: list[str]) -> str:
    reads = list(dict.fromkeys(reads))
    return f"{name} | {', '.join(reads)}" if reads else name


def _quoted(lines: list[str]) -> str:
    return ", ".join(f'"{line}"' for line in lines)
