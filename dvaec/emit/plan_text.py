"""The plan as text: what is computed where, and why."""

from __future__ import annotations

from dvaec.emit.equations import equations
from dvaec.plan.model import (
    Batched,
    DrawNode,
    Entry,
    FirstFrame,
    HeadNode,
    HoldNode,
    Loop,
    Once,
    Origin,
    Passes,
    Plan,
    Step,
    Stream,
    ValueNode,
    WholeSequence,
)
from dvaec.spec.model import Conditional, Spec
from dvaec.spec.notation import counted, target

ABOUT = {
    "elbo": "the evidence lower bound",
    "encode": "latents from q",
    "score": "every conditional at given values",
    "reconstruct": "p's means at latents from q, teacher-forced",
    "generate": "a sequence from p",
    "forecast": "a sequence goes on: latents of its context from q, then p",
    "elbo_fed": "the bound at latents of encode, p's outputs fed back",
    "begin": "what a stream starts with",
    "step": "one observed frame of a stream",
    "finish": "a frame that q draws behind the last one",
    "imagine": "one frame of a stream from p",
}


def plan_text(spec: Spec, plan: Plan, inference: tuple[Conditional, ...]) -> str:
    """Return the equations of the developed form and the schedule of every entry point, with reasons."""
    written = equations(spec, plan.network, inference)
    lines = [f"{spec.name}: the developed form", ""]
    lines += [f"  ({number}) {text}" for number, text in enumerate(written.values(), 1)]
    for entry in plan.entries:
        lines += _entry(plan, entry)
    if plan.stream is not None:
        for entry in plan.stream.entries:
            lines += _entry(plan, entry) if entry.steps else []
        lines += ["", *_carried(plan, plan.stream)]
    for name, why in plan.refused:
        lines += ["", f"{name}: refused: {why}"]
    return "\n".join(lines) + "\n"


def _entry(plan: Plan, entry: Entry) -> list[str]:
    lines = ["", f"{entry.name}: {ABOUT[entry.name]}"]
    lines += [f"  {binding_words(entry)}"] if entry.binding else []
    lines += [f"  once      {first_words(plan, once)}: {once.reason}" for once in entry.once]
    return [*lines, *(line for step in entry.all_steps for line in _step(plan, step))]


def _carried(plan: Plan, stream: Stream) -> list[str]:
    """What a stream keeps from step to step, and by how many frames its draws are behind."""
    kept = (
        ", ".join(f"{node_words(plan, name)} ({counted(steps, 'frame')})" for name, steps in stream.carried)
        or "nothing"
    )
    lines = [f"a stream carries {kept}"]
    lines += [f"  kept for the whole sequence: {', '.join(stream.static)}"] if stream.static else []
    if stream.delay:
        lines.append(f"  what step draws is {counted(stream.delay, 'frame')} behind the frame it is given")
        lines += _ahead(plan, stream)
    return lines


def _ahead(plan: Plan, stream: Stream) -> list[str]:
    """Which latents a step draws before the frame that it hands out; each with the noise of its own frame."""
    entry = next((entry for entry in stream.entries if entry.name == "step"), None)
    loops = [step for step in entry.steps if isinstance(step, Loop)] if entry else []
    drawn = [value.name for value in plan.network.values if entry and entry.origin(value.name) is Origin.Q]
    ahead = {name: loop.frame_of(name) for loop in loops for name in drawn if name in loop.nodes}
    words = [f"{name} by {counted(frames, 'frame')}" for name, frames in ahead.items() if frames > 0]
    if not words:
        return []
    return [f"  drawn before it is handed out, with the noise of its own frame: {', '.join(words)}"]


def binding_words(entry: Entry) -> str:
    """Say where the variables' values come from: `x is given; z is drawn from q`."""
    if entry.name == "finish":
        return "nothing is given; what was observed is kept"
    return "; ".join(f"{name} is {origin}" for name, origin in entry.binding)


def _step(plan: Plan, step: Step) -> list[str]:
    if isinstance(step, Batched):
        return [f"  batched   {node_words(plan, step.node):<8} {step.reason}"]
    if isinstance(step, WholeSequence):
        return [f"  sequence  {step.node:<8} {call_words(plan, step)}, {step.direction}: {step.reason}"]
    if isinstance(step, FirstFrame):
        return [f"  frame 1   {first_words(plan, step)}: {step.reason}"]
    if isinstance(step, Passes):
        inner = [f"  {line}" for one in step.steps for line in _step(plan, one)]
        return [f"  {step.times} passes, as {step.reason}:", *inner]
    return [*_loop(plan, step)]


def first_words(plan: Plan, step: FirstFrame | Once) -> str:
    """Name what a step makes beforehand, in its order."""
    return " -> ".join(node_words(plan, name) for name in step.nodes)


def _loop(plan: Plan, step: Loop) -> list[str]:
    names = " -> ".join(node_words(plan, name) for name in step.nodes)
    lines = [
        f"  loop      {step.direction} in time, {counted(len(step.nodes), 'node')}: {names}",
        f"            {step.reason}",
    ]
    if step.turned:
        lines.append(f"            at frame 1: {' -> '.join(node_words(plan, n) for n in step.turned)}")
    lines += [
        f"            {node_words(plan, name)}: its linear map of {outer} is computed before the loop"
        for name, outer in outer_maps(plan, step)
    ]
    return lines


def outer_maps(plan: Plan, loop: Loop) -> list[tuple[str, str]]:
    """Return the linear maps that are computed before a loop: of which node, and of what it reads."""
    found = []
    for name in loop.nodes:
        for port in plan.network.node(name).ports:
            outer = [read.node for read in port.reads if read.node not in loop.nodes]
            if outer and port.weights:
                found.append((name, ", ".join(dict.fromkeys(outer))))
    return found


def call_words(plan: Plan, step: WholeSequence) -> str:
    """Name the one call that makes a whole sequence of a state: `one LSTM call`."""
    node = plan.network.node(step.node)
    if isinstance(node, HoldNode):
        return "one frame of it, held"
    cell = getattr(getattr(node, "state", None), "cell", "")
    return "one cumulative sum" if cell == "sum" else f"one {cell.upper()} call"


def node_words(plan: Plan, name: str) -> str:
    """Name a node as the page does: `h_t`, `q(z_t)`; a variable by its bare name."""
    node = plan.network.node(name)
    if isinstance(node, HeadNode):
        made = target(Conditional(node.variable.name, (), node.head.frame), node.variable.framed)
        return f"{node.head.side}({made})"
    if isinstance(node, DrawNode):
        return f"{node.value}_T"
    return name if isinstance(node, ValueNode) else f"{name}_t"
