"""What the checks share: the parsed page, the report, who is who and at which level."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from dvaec.diagnostics import Span, did_you_mean
from dvaec.spec.build import Parsed
from dvaec.spec.codes import Code
from dvaec.spec.conditionals import Line
from dvaec.spec.frames import FRAMES
from dvaec.spec.notation_hints import WITHOUT_PARENTS, no_parent
from dvaec.spec.report import Report
from dvaec.spec.shape_hints import keyword_of
from dvaec.spec.subscripts import Reference
from dvaec.spec.yaml_tree import Entries, Scalar


@dataclass(frozen=True)
class Context:
    """`roles` holds the sound variables, `variables` the names of all that are declared, sound or not.

    `zero` holds those with a frame 0 of their own, a numbered line z_0 under generation.
    """

    parsed: Parsed
    report: Report
    roles: Mapping[str, str]
    variables: tuple[str, ...]
    nodes: Mapping[str, str]  # states and features -> "state" or "feature"
    framed: dict[str, bool]
    zero: frozenset[str] = frozenset()

    @property
    def closed(self) -> bool:
        """Whether all names of variables are known, so that another can be called undefined."""
        return self.parsed.sound.has("variables") and not self.parsed.misnamed

    def role(self, name: str) -> str | None:
        """Return a sound variable's role."""
        return self.roles.get(name)

    def having(self, role: str) -> tuple[str, ...]:
        """Return the sound variables of a role, in declaration order."""
        return tuple(name for name, its in self.roles.items() if its == role)

    def place(self, scalar: Scalar, reference: Reference) -> Span:
        """Return the place of a reference within its text."""
        return scalar.part(reference.start, reference.stop)

    def known(self, scalar: Scalar, reference: Reference, nodes_too: bool) -> bool:
        """Report a name that nothing bears, or that may not stand here; return whether it is in order."""
        name, span = reference.name, self.place(scalar, reference)
        if name in self.variables or (nodes_too and name in self.nodes):
            return self.at_its_level(scalar, reference)
        if name in self.nodes:
            message = f"'{name}' is a {self.nodes[name]}; conditionals speak of variables only"
            hint = "say which variables it carries; the check compares them with the networks"
            self.report.add(Code.NOT_A_VARIABLE, message, span, hint)
        elif self.closed:
            names = list(dict.fromkeys([*self.variables, *(self.nodes if nodes_too else ())]))
            what = "variable, state or feature" if nodes_too else "variable"
            hint = did_you_mean(name, names) or f"known are {', '.join(names)}"
            if not nodes_too and reference.bare and (word := keyword_of(name)) is not None:
                hint = f"did you mean '{word}'?"
            if nodes_too and self.nodes.get(name) is None and hint.startswith("known"):
                hint += f"; a state {name}_t would stand under 'states'"
            hint = WITHOUT_PARENTS if not nodes_too and no_parent(name) else hint
            self.report.add(Code.UNDEFINED, f"there is no {what} '{name[:40]}'", span, hint)
        return False

    def _read_without_a_frame(self, scalar: Scalar, reference: Reference) -> bool:
        """Whether what reads a reference is of the sequence, or of a single frame by its number."""
        parsed = self.parsed
        lines = (line for line in (*parsed.generation, *parsed.inference) if line.scalar is scalar)
        readers = [line.target for line in lines if line.target is not reference]
        keys = (str(path[1]) for path, read in parsed.reads.items() if read.scalar is scalar)
        readers += [parsed.targets[key] for key in keys if key in parsed.targets]
        return any(reader.bare or reader.frame is not None for reader in readers)

    def at_its_level(self, scalar: Scalar, reference: Reference) -> bool:
        """Report a subscript where none belongs, none where one does, and frames such as x_12."""
        name, span = reference.name, self.place(scalar, reference)
        if reference.frame is not None and reference.frame not in FRAMES:
            message = f"'{name}_{reference.frame}': of single frames only 0, 1 and T are supported"
            hint = f"frames are relative to t ({name}_t, {name}_<t-1>), or one of 0, 1 and T"
            self.report.add(Code.NOT_SUPPORTED, message, span, hint)
            return False
        framed = self.framed.get(name, True)
        if framed and reference.bare:
            message = f"'{name}' has a value at each frame and needs a subscript"
            hint = f"write {name}_t for the value at frame t"
            if self._read_without_a_frame(scalar, reference):
                first = 0 if name in self.zero else 1
                hint = f"write {name}_<{first}:T> for all frames, or {name}_1 or {name}_<T> for one"
            self.report.add(Code.LEVEL, message, span, hint)
            return False
        if not framed and not reference.bare:
            message = f"'{name}' has one value a sequence and takes no subscript"
            bare = any(line.target.name == name and line.target.bare for line in self.parsed.generation)
            hint = f"write {name}, or say level: frame"
            shape = self.parsed.shape.variables.get(name)
            if bare and (shape is None or shape.level is None):
                hint = f"write {name}; or, if it has a value at each frame, {name}_t in its conditional"
            self.report.add(Code.LEVEL, message, span, hint)
            return False
        return True


def context_of(parsed: Parsed, report: Report) -> Context:
    """Gather roles, names and levels."""
    block = parsed.tree.get("variables")
    declared = tuple(key.text for key, _ in block.entries) if isinstance(block, Entries) else ()
    shapes = parsed.shape.variables if parsed.sound.has("variables") else {}
    sound = {name: shape for name, shape in shapes.items() if name not in parsed.misnamed}
    nodes = dict.fromkeys(parsed.states.values(), "state") | dict.fromkeys(
        parsed.features.values(), "feature"
    )
    levels = {name: variable.level for name, variable in sound.items()}
    subscripted: dict[str, bool] = {}
    for references in ([line.target for line in parsed.generation], list(_references(parsed))):
        written: dict[str, bool] = {}
        for one in references:
            written[one.name] = written.get(one.name, False) or not one.bare
        subscripted = written | subscripted  # the conditionals of a variable say how it is written
    framed = {
        name: levels[name] == "frame" if levels.get(name) else subscripted.get(name, True)
        for name in declared
    }
    roles = {n: v.role for n, v in sound.items()}
    zero = frozenset(line.target.name for line in parsed.generation if line.target.frame == "0")
    return Context(parsed, report, roles, declared, nodes, framed, zero)


def _references(parsed: Parsed) -> Iterator[Reference]:
    lines: list[Line] = [*parsed.generation, *parsed.inference, *parsed.auxiliary]
    for line in lines:
        yield line.target
        yield from line.parents
    for read in parsed.reads.values():
        yield from read.references
