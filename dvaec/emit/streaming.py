"""The entry points that run frame by frame, with their state: `begin`, `step` (observe), `finish`, `imagine`.

The statements of a step are those of a loop over time that holds all nodes; what the loop would carry from
step to step is the stream's state.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from itertools import groupby

from dvaec.emit.carrying import (
    begin_with,
    begin_with_draws,
    carried_fields,
    gathered_in,
    held_in,
    name_begins,
    placeholder,
    shift,
    tensors_of,
)
from dvaec.emit.cells import recurrent
from dvaec.emit.families import family_text, noise_width
from dvaec.emit.first_frames import first_frames, made_first, name_outside
from dvaec.emit.loop_maps import earlier, mapped
from dvaec.emit.loop_steps import blank, group
from dvaec.emit.loops import stepping
from dvaec.emit.once import begun_by_draws, draw_once, explain_once, observed_once, take_once
from dvaec.emit.preparing import checked, one_hot
from dvaec.emit.pruning import pruned
from dvaec.emit.results import Field
from dvaec.emit.stepping import Stepping
from dvaec.emit.stream_calls import DRAWN, arguments, counted_on, delayed, take, when
from dvaec.emit.stream_results import stream_results
from dvaec.emit.texts import EntryText
from dvaec.emit.writer import Body
from dvaec.plan.model import (
    DrawNode,
    FirstFrame,
    HeadNode,
    Loop,
    Node,
    Once,
    Origin,
    Plan,
    Stream,
    ValueNode,
    framed,
    is_last,
)
from dvaec.plan.stream_first import apart, seen_back
from dvaec.spec.model import Role
from dvaec.spec.notation import counted

RECORDS = {"begin": "State", "step": "Stepped", "finish": "Stepped", "imagine": "Imagined"}


def stream_texts(plan: Plan, like: str, tags: dict[str, str]) -> tuple[EntryText, ...]:
    """Return the texts of the entry points that run frame by frame; none where the model has no stream."""
    if plan.stream is None:
        return ()
    texts = []
    for entry in plan.stream.entries:
        body = Body(plan.network, entry, like, tags)
        write = _begin if entry.name == "begin" else _step
        texts.append(write(body, plan.stream))
    return tuple(texts)


def _begin(body: Body, stream: Stream) -> EntryText:
    inputs = [v for v in body.network.values if v.variable.role is Role.INPUT and not v.framed]
    arguments = ["batch: int", *(f"{v.name}: Tensor" for v in inputs)]
    for value in inputs:
        one_hot(body, value, 1, body.like)
        body.add(f"{value.name} = {checked(body, value)}")
    fields = [("frame", "0", "int: the frame that comes next, from 0"), ("batch", "batch", "int")]
    if stream.one_way:
        late = f", {counted(stream.delay, 'frame')} behind" if stream.delay else ""
        fields.append((DRAWN, str(-stream.delay), f"int: the frame that q draws next{late}"))
    given = [value.name for value in inputs]
    for name in stream.static:
        shape = f"(batch, {body.network.node(name).dim})"
        if name in given:
            fields.append((name, name, shape))
        else:
            fields.append((name, placeholder(body, name), f"{shape}, of the first step"))
    fields += begin_with(body, stream)
    return replace(_text(body, arguments, fields, "State"), explained=explain_once(body.network, stream))


def _step(body: Body, stream: Stream) -> EntryText:
    network, entry, loop = body.network, body.entry, _loop(body)
    values = [n for n in (network.node(name) for name in loop.nodes) if isinstance(n, ValueNode)]
    given = [v for v in network.values if v in values and entry.origin(v.name) is Origin.GIVEN]
    drawn = [v for v in network.values if v in values and entry.origin(v.name) is not Origin.GIVEN]
    taken = arguments(body, given, drawn)
    when(body, stream, loop)
    told = [value.name for value in observed_once(body)]
    fields = carried_fields(body, stream)
    still = [(name, name) for name in stream.static if name not in told or entry.name == "finish"]
    taken_up = [(local, f"state.{field}") for field, local in (*still, *fields) if local]
    for _, some in groupby(taken_up, key=lambda pair: pair[0].rstrip("0123456789")):
        body.add_shifted(tuple(some))
    body.named |= {f"{name}_first" for name in held_in(body, stream)}
    _present(body)
    for value in given:
        take(body, value)
    for value in drawn:
        _noise(body, value)
        if value.name in entry.late:
            body.add(f"if t == {-loop.frame_of(value.name)}:")
            body.add(f"    noise_{value.name}_first = noise_{value.name}")
    take_once(body)
    _statements(body, stream, loop, given)
    results = stream_results(body, entry, loop)
    shift(body, stream)
    carried = (*stream.static, *(local or f"state.{field}" for field, local in fields))
    body.add(f"after = State({', '.join((*counted_on(body, stream), *carried))})")
    returned = f"Tuple[State, {RECORDS[entry.name]}]"
    return _text(body, taken, results, returned, before="after, ")


def _loop(body: Body) -> Loop:
    loop = body.entry.steps[-1]
    assert isinstance(loop, Loop)
    return loop


def _statements(body: Body, stream: Stream, loop: Loop, given: list[ValueNode]) -> None:
    """Write what a step makes; what it makes once, and frame 1 of its own order, where the loop needs it."""
    first = [step for step in body.entry.steps if isinstance(step, FirstFrame)]
    writing = Stepping(body, loop, held_in(body, stream))
    writing.apart = apart(body.network, first)
    writing.kept = gathered_in(body, stream)
    nodes = [n for n in (body.network.node(name) for name in loop.nodes) if n not in given]
    for step in _parts(first, body.entry.once):
        some = [node for node in nodes if node.name in step.behind]
        nodes = [node for node in nodes if node not in some]
        _made(writing, some)
        if isinstance(step, FirstFrame):
            _first_frame(writing, step)
        else:
            _begin_once(writing, stream, step, given)
    _made(writing, nodes)


def _parts(first: Sequence[FirstFrame], draws: Sequence[Once]) -> list[FirstFrame | Once]:
    """Frame 1 and what is drawn once, in the order of the step."""
    parts: list[FirstFrame | Once] = []
    for step in first:
        parts += [once for once in draws if once.name in step.behind and once not in parts]
        parts.append(step)
    return [*parts, *(once for once in draws if once not in parts)]


def _begin_once(writing: Stepping, stream: Stream, once: Once, given: list[ValueNode]) -> None:
    """Write what one step draws for the whole sequence."""
    body = writing.body
    steps = dict(stream.carried)
    kept = {value.name: steps.get(value.name, 0) for value in given}
    there = [place for place in once.ahead if place[1] > 1 or place[0] not in writing.apart]
    ahead = {place: once.steps_behind(writing.step, *place) for place in there}
    at = f"t == {once.after - stream.delay}" if delayed(body, stream) else f"state.frame == {once.after}"
    begun = [node.name for node in body.network.nodes if framed(node) and begun_by_draws(body, node.name)]
    body.named -= {f"{name}_{begins}" for name in begun for begins in ("start", "zero")}  # of other draws
    draw_once(body, once, at, kept, ahead, _noise, partial(begin_with_draws, body, stream, once))


def _made(writing: Stepping, nodes: list[Node]) -> None:
    """Write some nodes of a step."""
    body, loop = writing.body, writing.step
    if any(loop.ahead):
        for node in nodes:  # named before the conditions that may need them
            if not isinstance(node, HeadNode | DrawNode):
                name_begins(body, node)
            elif isinstance(node, HeadNode):
                blank(body, node, "_t")
    for node in nodes:
        if isinstance(node, HeadNode) and (node.head.frame == 1 or is_last(node)):
            blank(body, node, "")
    for node in nodes:
        recurrent(body, node)
    ports = {n.name: [mapped(writing, n, port) for port in stepping(n)] for n in nodes}
    for _, some in groupby(nodes, key=lambda node: loop.frame_of(node.name)):
        group(writing, list(some), ports, (), ())


def _first_frame(writing: Stepping, step: FirstFrame) -> None:
    """Write what is made of frame 1 in an order of its own, in the step that comes to it."""
    body, kept = writing.body, writing.held
    nodes = [body.network.node(name) for name in step.nodes]
    name_outside(body, step)
    for node in nodes:  # named before the condition under which they are made
        if node.name in kept:
            continue  # the state has it
        if isinstance(node, HeadNode) and (node.head.frame == 1 or is_last(node)):
            blank(body, node, "")
        elif isinstance(node, HeadNode) and node.value not in step.nodes:
            blank(body, node, "_first")
        elif not isinstance(node, HeadNode):
            body.add(f"{node.name}_first = {body.like}.new_zeros(batch, {node.dim})")
    named = body.named | {f"{name}_first" for name in step.nodes}
    body.add(f"if t == {-step.ahead}:")
    body.depth += 1
    looked = seen_back(body.network, writing.step, step, writing.apart)
    for (name, frame), back in looked.items():
        body.once(f"{name}_first" if frame == 1 else f"{name}_frame{frame}", earlier(name, back))
    first_frames(body, step)
    if step.late:
        body.note("It takes its place among the frames that came before.")
    for name, steps in step.late:
        for tensor, made in zip(tensors_of(body, name), made_first(body, name, step), strict=True):
            body.add(f"{earlier(tensor, steps)} = {made}")
    body.depth -= 1
    body.named = named  # what has come of other frames is named in this step alone


def _present(body: Body) -> None:
    device = f"device={body.like}.device"
    body.once("present", f"torch.ones([batch, 1], dtype=torch.bool, {device})")


def _noise(body: Body, value: ValueNode) -> None:
    noise, width = family_text(value.variable).noise, str(noise_width(value.variable))
    body.add(f"noise_{value.name} = {body.call(noise, f'noise_{value.name}', body.like, 'present', width)}")


def _text(body: Body, arguments: list[str], fields: list[Field], returns: str, before: str = "") -> EntryText:
    name = body.entry.name
    body.add(f"return {before}{RECORDS[name]}({', '.join(value for _, value, _ in fields)})")
    described = tuple((field, about) for field, _, about in fields)
    return EntryText(
        name, tuple(arguments), returns, described, pruned(body.lines, arguments), frozenset(body.functions)
    )
