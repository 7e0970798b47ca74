"""Names and expressions shared by the batched and the looped statements of an entry point."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from dvaec.emit.families import family_text, names_of
from dvaec.plan.model import Entry, HeadNode, Network, ValueNode
from dvaec.spec.model import Role

T = TypeVar("T")
ROOM = 96  # columns for a statement inside a method, with room for the tag
MANY = 4  # assignments of one kind: more of them share lines
MOST_LINES = 24  # names as arguments: more of them share lines


def folded_call(line: str, room: int) -> list[str]:
    """Break a statement that is too long behind the bracket of its outermost call, one argument a line."""
    first = line.find("(", line.find(" = ") + 1)
    if (
        len(line) <= room
        or first < 0
        or line.startswith("#")
        or not line.endswith(")")
        or _closing(line, first) != len(line) - 1
    ):
        return [line]
    inside, arguments, depth, begun = line[first + 1 : -1], [], 0, 0
    for at, char in enumerate(inside):
        depth += (char in "([") - (char in ")]")
        if char == "," and depth == 0:
            arguments.append(inside[begun:at].strip())
            begun = at + 1
    arguments.append(inside[begun:].strip())
    closed: list[str] = []
    if len(arguments) > MOST_LINES and "(" not in inside:
        return [line[: first + 1], *_filled(inside, room), ")"]
    for argument in arguments:
        *parts, last = _folded_list(argument, room - 4)
        closed += [f"    {part}" for part in (*parts, f"{last},")]
    return [line[: first + 1], *closed, ")"]


def _folded_list(argument: str, room: int) -> list[str]:
    """Break an argument that is too long: a call, or a list of names, which share lines."""
    listed = argument.startswith("[") and argument.endswith("]") and "(" not in argument
    if not listed or len(argument) <= room:
        return folded_call(argument, room)
    return ["[", *_filled(argument[1:-1], room), "]"]


def _filled(names: str, room: int) -> list[str]:
    """Fill indented lines with names that commas separate."""
    lines = textwrap.wrap(f"{names},", room - 4, break_long_words=False, break_on_hyphens=False)
    return [f"    {line}" for line in lines]


def _closing(line: str, opening: int) -> int:
    depth = 0
    for at in range(opening, len(line)):
        depth += (line[at] in "([") - (line[at] in ")]")
        if depth == 0:
            return at
    return -1


@dataclass
class Body:
    """The statements of one entry point as they grow, and what they have already named."""

    network: Network
    entry: Entry
    like: str  # a tensor of the device and dtype to make new ones on
    tags: dict[str, str]  # equation numbers by node
    lines: list[str] = field(default_factory=list)
    named: set[str] = field(default_factory=set)
    functions: set[str] = field(default_factory=set)
    depth: int = 0

    def add(self, line: str, node: str = "") -> None:
        """Append one statement at the present depth, with the number of the equation that it computes."""
        tag = self.tags.get(node)
        indent = "    " * self.depth
        folded = folded_call(line, ROOM - len(indent))
        folded[0] += f"  # {tag}" if tag else ""
        self.lines.extend(indent + part for part in folded)

    def add_equal(self, names: Sequence[str], value: str) -> None:
        """Give several names one value; more than a few share lines: a = b = c = value."""
        for some in self._in_lines(names, lambda name: len(f"{name} = "), len(value)):
            self.add(f"{' = '.join(some)} = {value}")

    def add_shifted(self, made: Sequence[tuple[str, str]]) -> None:
        """Assign in order, none what an earlier one has named; more than a few share lines: a, b = c, d."""
        for some in self._in_lines(made, lambda pair: len(f"{pair[0]}, {pair[1]}, "), 0):
            names, values = zip(*some, strict=True)
            self.add(f"{', '.join(names)} = {', '.join(values)}")

    def _in_lines(self, made: Sequence[T], width: Callable[[T], int], more: int) -> Iterator[list[T]]:
        """Part what is to be written into lines; few have a line each."""
        room, line = ROOM - 4 * self.depth - more, list[T]()
        for one in made:
            if line and (len(made) <= MANY or sum(map(width, (*line, one))) > room):
                yield line
                line = []
            line.append(one)
        if line:
            yield line

    def note(self, text: str) -> None:
        """Append a comment, wrapped; an arrow stays with its two ends."""
        bound = text.replace(" <- ", "\u00a0<-\u00a0")
        for line in textwrap.wrap(bound, ROOM - 4 * self.depth):
            self.add(f"# {line}".replace("\u00a0", " "))

    def once(self, name: str, expression: str) -> str:
        """Name an expression at its first use; return the name."""
        if name not in self.named:
            self.named.add(name)
            self.add(f"{name} = {expression}")
        return name

    def call(self, function: str, *arguments: str) -> str:
        """Return a call of one of the emitted helper functions, which is thereby emitted."""
        self.functions.add(function)
        return f"{function}({', '.join(arguments)})"


def parameters(node: HeadNode) -> tuple[str, ...]:
    """Return the names of a conditional's parameters: p_z_mean, p_z_logvar."""
    return tuple(f"{node.name}_{p}" for p in names_of(node.variable))


def head_text(node: HeadNode, template: str, names: tuple[str, ...], **more: str) -> str:
    """Fill a family's template with the names of a head's parameters."""
    fields = dict(zip(names_of(node.variable), names, strict=True))
    return template.format(**fields, **more)


def drawn_from(body: Body, value: ValueNode) -> HeadNode:
    """Return the conditional that a value is drawn from in this entry point."""
    origin = body.entry.origin(value.name)
    head = body.network.node(("q_" if origin.name == "Q" else "p_") + value.name)
    assert isinstance(head, HeadNode)
    return head


def draw(body: Body, node: ValueNode, moment: str, noise: str) -> None:
    """Write the draw of a variable from its conditional; `moment` ends the names (_t in a loop)."""
    head = drawn_from(body, node)
    names = tuple(f"{parameter}{moment}" for parameter in parameters(head))
    draw_from(body, node, head, names, f"{node.name}{moment}", noise)


def draw_from(
    body: Body, node: ValueNode, head: HeadNode, names: tuple[str, ...], value: str, noise: str
) -> None:
    """Write the draw of a variable, to be named `value`, from a conditional whose parameters have `names`."""
    text = family_text(node.variable)
    if head.standard and text.standard_draw:
        body.add(f"{value} = {text.standard_draw.format(noise=noise)}")
        return
    drawn = head_text(head, text.draw, names, noise=noise)
    if node.variable.role is not Role.OBSERVED:
        body.add(f"{value} = {drawn}")
        return
    body.add(f"{value} = {head_text(head, text.mean, names)}")
    body.add("if sample:")
    body.add(f"    {value} = {drawn}")


def known(body: Body, node: ValueNode, moment: str, index: str = "") -> None:
    """Put what is known of a variable in the place of its draw: in a context, and at frames not fed back."""
    known_at(body, node, f"{node.name}{moment}", f"_at[{index}]" if index else "")


def known_at(body: Body, node: ValueNode, value: str, at: str) -> None:
    """Put what is known of a variable, `at` some frame or at all, in the place of `value`."""
    if body.entry.origin(node.name).partly_known:
        where, what = known_names(node.name)
        body.add(f"{value} = torch.where({where}{at}, {what}{at}, {value})")


def known_names(value: str) -> tuple[str, str]:
    """Return what says where a variable is known, and what it is there."""
    return f"known_{value}", f"{value}_known"


def joined(parts: list[str]) -> str:
    """Return the concatenation over the last axis."""
    return parts[0] if len(parts) == 1 else f"torch.cat([{', '.join(parts)}], -1)"


def mask_of(value: ValueNode) -> str:
    """Where a value is its sequence's own: (batch, time, 1), or (batch, 1) for a static one."""
    return "mask" if value.framed else "mask[:, 0]"
