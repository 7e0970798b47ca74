"""Random legal specs whose lines of q read whatever can have been drawn: mostly in no order of sweeps.

Each line reads any frames; pages are kept that can be read, which is where a q can be drawn.
"""

from __future__ import annotations

from contextlib import suppress

from hypothesis import assume
from hypothesis import strategies as st

from dvaec.diagnostics import Fault
from dvaec.spec.model import Spec
from dvaec.spec.read import read_text

NEAR = {
    "t": ("_<t-1>", "_<t+1>", "_<t+2>", "_<t-2>", "_1", "_T", "_<t+1:T>", "_<1:t-1>"),
    "1": ("_2", "_3", "_T"),
    "T": ("_1", "_<T-1>", "_<T-2>"),
}
"""What a line of each frame may read of its own latent; of another also its own frame, and all frames."""


@st.composite
def unswept_specs(draw: st.DrawFn) -> Spec:
    """Draw a spec of two or three latents, with lines of frames 1 and T, some beside one of the sequence."""
    names = ("a", "z", "w")[: draw(st.integers(2, 3))]
    whole = ("v",) if draw(st.integers(1, 4)) == 1 else ()
    lines = []
    for name in names:
        ends = [at for at in "1T" if draw(st.booleans())]
        lines += [f"{name}_{at} | {_reads(draw, name, at, names, whole)}" for at in ("t", *ends)]
    for name in whole:
        some = [
            f"{one}{draw(st.sampled_from(('_1', '_T', '_<1:T>')))}" for one in names if draw(st.booleans())
        ]
        lines.append(f"{name} | {', '.join(['x_<1:T>', *some])}")
    priors = [*(f"{name}_t | {name}_<t-1>" for name in names), *whole]
    read = ", ".join([*(f"{name}_t" for name in names), *whole])
    page = (
        "dvaec: 1\nmodel: RANDOM\nvariables:\n  x: {role: observed, dim: 2}\n"
        + "".join(f"  {name}: {{role: latent, dim: 2}}\n" for name in names)
        + "".join(f"  {name}: {{role: latent, dim: 2, level: sequence}}\n" for name in whole)
        + f"generation: [{_quoted([*priors, f'x_t | {read}'])}]\ninference: [{_quoted(lines)}]\n"
    )
    spec = None
    with suppress(Fault):
        spec, _ = read_text(page, "page.yaml")
    assume(spec is not None)
    assert spec is not None
    return spec


def _reads(draw: st.DrawFn, name: str, at: str, names: tuple[str, ...], whole: tuple[str, ...]) -> str:
    """Draw what the line of one frame reads."""
    found = [f"x_{at}"]
    for other in names:
        if draw(st.integers(1, 5)) < 3:
            own = () if other == name else (f"_{at}", f"_{at}", "_<1:T>")
            found.append(other + draw(st.sampled_from((*NEAR[at], *own))))
    return ", ".join([*found, *(one for one in whole if draw(st.booleans()))])


def _quoted(lines: list[str]) -> str:
    return ", ".join(f'"{line}"' for line in lines)
