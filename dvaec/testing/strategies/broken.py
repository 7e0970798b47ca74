"""Pages with a fault: legal ones that are changed in a way that is known to be wrong.

Structures are changed at random, one link more or one less or another promise, and judged node by node
(`dvaec.testing.legality`); the text is changed in ways that no page may have.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from hypothesis import assume
from hypothesis import strategies as st

from dvaec.spec.model import Causality, Conditional, Parent, Role, Spec
from dvaec.testing.legality import unlawful
from dvaec.testing.strategies.conditionals import general_specs
from dvaec.testing.strategies.page_text import page_of
from dvaec.testing.strategies.windows import windows


@dataclass(frozen=True)
class BrokenPage:
    """A page that must be refused, and why."""

    text: str
    why: str


@st.composite
def changed_specs(draw: st.DrawFn) -> Spec:
    """Draw a spec with one link too many or too few, or with another promise: legal or not."""
    spec = draw(general_specs())
    kind = draw(st.sampled_from(("more", "more", "more", "less", "promise", "order")))
    if kind == "promise":
        return replace(spec, causality=draw(st.sampled_from(Causality)))
    own = bool(spec.inference.conditionals) and draw(st.booleans())
    if kind == "order":
        assume(len(spec.order) > 1 and spec.inference.conditionals)
        return replace(spec, order=tuple(draw(st.permutations(spec.order))))
    lines = spec.inference.conditionals if own else spec.generation
    line = draw(st.sampled_from(lines))
    other = draw(_with_one_more(spec, line)) if kind == "more" else draw(_with_one_less(spec, line))
    changed = tuple(other if one == line else one for one in lines)
    if own:
        return replace(spec, inference=replace(spec.inference, conditionals=changed))
    return replace(spec, generation=changed)


@st.composite
def _with_one_more(draw: st.DrawFn, spec: Spec, line: Conditional) -> Conditional:
    """Give a frame-level conditional one more window, of any variable and any frames."""
    framed = [v.name for v in spec.variables if v.framed]
    assume(framed and spec.variable(line.target).framed and spec.frames is None)
    new = draw(st.sampled_from(framed))
    window = draw(windows(past=True, future=True, now=True))
    old = line.of(new)
    kept = [p for p in line.parents if p != old]
    kept.append(Parent(new, window | old.offsets if old is not None and old.offsets else window))
    names = [v.name for v in spec.variables]
    kept.sort(key=lambda p: (names.index(p.name), p.frame is not None, p.frame == -1, p.frame or 0))
    return replace(line, parents=tuple(kept))


@st.composite
def _with_one_less(draw: st.DrawFn, spec: Spec, line: Conditional) -> Conditional:
    """Take a parent away that is no input: that nothing reads one is another fault."""
    gone = [p for p in line.parents if spec.variable(p.name).role is not Role.INPUT]
    assume(gone)
    left = draw(st.sampled_from(gone))
    return replace(line, parents=tuple(p for p in line.parents if p != left))


Change = Callable[[list[str], Spec], str]
"""Changes the lines of a page in place, and returns what is wrong then; nothing where it does not apply."""


def _twice(lines: list[str], _: Spec) -> str:
    at = lines.index("generation:") + 1
    lines.insert(at, lines[at])
    return "a conditional is given twice"


def _unknown_parent(lines: list[str], _: Spec) -> str:
    at = lines.index("generation:") + 1
    lines[at] = lines[at].removesuffix('"') + (", " if "|" in lines[at] else " | ") + 'nowhere_t"'
    return "a parent that is no variable"


def _no_line(lines: list[str], spec: Spec) -> str:
    lines[:] = [line for line in lines if not line.startswith(f'  - "{spec.generation[-1].target}')]
    return "a variable without a conditional"


def _own_frame(lines: list[str], spec: Spec) -> str:
    framed = [v.name for v in spec.variables if v.framed and v.role is not Role.INPUT]
    starts = tuple(f'  - "{name}_t' for name in framed)
    first = lines.index("generation:")
    at = next((k for k, line in enumerate(lines) if k > first and line.startswith(starts)), None)
    if at is None or spec.generation == ():
        return ""
    name = lines[at].removeprefix('  - "').split("_")[0]
    lines[at] = lines[at].removesuffix('"') + (", " if "|" in lines[at] else " | ") + f'{name}_t"'
    return "a variable that reads itself"


def _dim(lines: list[str], _: Spec) -> str:
    at = lines.index("variables:") + 1
    lines[at] = lines[at].replace("dim: ", "dim: -")
    return "a size below 1"


def _family(lines: list[str], _: Spec) -> str:
    at = lines.index("variables:") + 1
    lines[at] = lines[at].replace("distribution: ", "distribution: un")
    return "a distribution that there is not"


def _role(lines: list[str], _: Spec) -> str:
    at = lines.index("variables:") + 1
    lines[at] = lines[at].replace("role: ", "roles: ")
    return "a variable without a role"


def _key(lines: list[str], _: Spec) -> str:
    lines.append("generations: []")
    return "a key that there is not"


def _notation(lines: list[str], _: Spec) -> str:
    at = lines.index("generation:") + 1
    lines[at] = lines[at].removesuffix('"') + (", " if "|" in lines[at] else " | ") + 'x_<<t"'
    return "a subscript that does not end"


def _version(lines: list[str], _: Spec) -> str:
    lines[0] = "dvaec: 2"
    return "a version of the language that there is not"


def _state(lines: list[str], spec: Spec) -> str:
    if not any(v.framed for v in spec.variables) or spec.heads:
        return ""
    lines += ["states:", "  h_t: {rnn: gru, units: 3, reads: x_<t-1>}"]
    return "a state that nothing reads"


def _order(lines: list[str], spec: Spec) -> str:
    at = next((k for k, line in enumerate(lines) if line.startswith("order:")), None)
    if at is None:
        return ""
    lines[at] = lines[at].removesuffix("]") + f", {spec.latents[0]}]"
    return "an order that names a latent twice"


CHANGES: tuple[Change, ...] = (
    _twice,
    _unknown_parent,
    _no_line,
    _own_frame,
    _dim,
    _family,
    _role,
    _key,
    _notation,
    _version,
    _state,
    _order,
)


@st.composite
def _wrong_texts(draw: st.DrawFn) -> BrokenPage:
    """Draw a page with a fault in its text."""
    spec = draw(general_specs())
    lines = page_of(spec).splitlines()
    why = draw(st.sampled_from(CHANGES))(lines, spec)
    assume(why)
    return BrokenPage("\n".join(lines) + "\n", why)


@st.composite
def _wrong_structures(draw: st.DrawFn) -> BrokenPage:
    """Draw a page whose conditionals are illegal."""
    spec = draw(changed_specs())
    why = unlawful(spec)
    assume(why is not None)
    return BrokenPage(page_of(spec), str(why))


def broken_pages() -> st.SearchStrategy[BrokenPage]:
    """Return pages that must be refused, each with the reason."""
    return st.one_of(_wrong_structures(), _wrong_structures(), _wrong_texts())
