"""The table of contents: the passes from a page of YAML to a module, in order.

    spec         YAML text -> the validated page                                 dvaec.spec
    posterior    the exact posterior by D-separation, q as declared, the gap     dvaec.network, dvaec.derive
    elbo         the terms of the specialised bound and their estimators         dvaec.derive
    development  the developed form against the declared one; what the page      dvaec.derive, dvaec.plan
                 leaves out of it, by default
    plan         the data flow and the schedule of every entry point             dvaec.plan
    module       the source of the PyTorch module                                dvaec.emit

`run(path, until=...)` stops behind any of them; every value is frozen and can be printed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dvaec.derive.derivation import derive
from dvaec.derive.development_check import check_developed
from dvaec.derive.elbo import elbo_terms
from dvaec.derive.model import Derivation, Elbo
from dvaec.derive.remarks import remarks
from dvaec.diagnostics import Diagnostic, Fault, Severity
from dvaec.emit.weights import MOST_WEIGHTS, weights_of
from dvaec.network.windows import NoFixpointError
from dvaec.plan.aligning import UnschedulableError
from dvaec.plan.develop import develop
from dvaec.plan.entries import plan
from dvaec.plan.idle import IDLE, idle_on_page
from dvaec.plan.mending import hint_for, hint_for_idle, place_of
from dvaec.plan.model import HeadNode, Plan
from dvaec.spec.canonical import canonical_hash, layout_hash
from dvaec.spec.check_blocks import customs
from dvaec.spec.codes import Code
from dvaec.spec.model import Conditional, Spec
from dvaec.spec.notation import target
from dvaec.spec.partial import PageFault
from dvaec.spec.read import read_spec, read_text
from dvaec.spec.source import Source

STAGES = ("spec", "posterior", "elbo", "development", "plan", "module")


@dataclass(frozen=True)
class Compilation:
    """What is known after the passes that have run; what `until` stopped before is None."""

    source: Source
    overrides: tuple[str, ...]
    spec: Spec
    derivation: Derivation | None = None
    elbo: Elbo | None = None
    developed: Spec | None = None
    plan: Plan | None = None
    module: str | None = None

    @property
    def hash(self) -> str:
        """The canonical hash: equal for pages of equal meaning."""
        return canonical_hash(self.spec)

    @property
    def layout(self) -> str:
        """The hash of the module's layout: equal for pages of equal meaning with their lines in one order."""
        return layout_hash(self.spec)

    @property
    def notes(self) -> tuple[Diagnostic, ...]:
        """What there is to remark on a page that is right: notes and warnings, no error."""
        if self.derivation is None:
            return self.source.notes
        found = (*self.source.notes, *remarks(self.spec, self.derivation, self.source))
        if self.spec.frames is None or self.developed is None or self.plan is None:
            return found
        return (*found, *_idle(self.spec, self.developed, self.source))


def run(
    path: Path, overrides: Sequence[str] = (), until: str = "module", allow_python: bool = False
) -> Compilation:
    """Compile the page at `path` up to and with the stage `until`.

    A page that names a class of its own (`python:`) is compiled to a module with `allow_python` only, since
    whoever loads the module imports and runs what the page names.

    Raises Fault with every diagnostic of the page, also of the developed form where the rest of the page
    lets it be judged; else with those of the first stage that found any.
    """
    return _passes(lambda: read_spec(path, overrides), tuple(overrides), until, allow_python)


def run_text(
    text: str,
    file: str,
    overrides: Sequence[str] = (),
    until: str = "module",
    allow_python: bool = False,
) -> Compilation:
    """Compile a page given as text; `file` names it in diagnostics."""
    return _passes(lambda: read_text(text, file, overrides), tuple(overrides), until, allow_python)


def _with_developed(fault: PageFault) -> Fault:
    """Add what the sound part of a faulty page shows of its developed form: one run finds all faults."""
    if fault.sound is None:
        return fault
    try:
        found = check_developed(fault.sound, derive(fault.sound), fault.source)
    except NoFixpointError:
        return fault
    return Fault((*fault.diagnostics, *found), fault.sources)


def _passes(
    read: Callable[[], tuple[Spec, Source]], overrides: tuple[str, ...], until: str, allow_python: bool
) -> Compilation:
    if until not in STAGES:
        raise ValueError(f"no stage {until!r}; the stages are {', '.join(STAGES)}")
    try:
        spec, source = read()
    except PageFault as fault:
        raise _with_developed(fault) from None
    last = STAGES.index(until)
    derivation = elbo = developed = planned = module = None
    if last >= STAGES.index("posterior"):
        derivation = _derived(spec, source)
    # What a state is of, which predictions are made from, is asked of sound pages alone.
    if derivation and last >= STAGES.index("elbo" if spec.auxiliary else "development"):
        developed = _developed(spec, derivation, source)
    if derivation and last >= STAGES.index("elbo"):
        elbo = elbo_terms(spec, derivation.inference)
    if derivation and developed and elbo and last >= STAGES.index("plan"):
        planned = _planned(developed, elbo, source)
        if spec.frames is None and (found := tuple(_idle(spec, developed, source))):
            raise Fault(found, source.sources())
        _bounded(developed, planned, source)
    if last >= STAGES.index("module") and not allow_python:
        _refuse_python(spec, source)
    if derivation and elbo and developed and planned and last >= STAGES.index("module"):
        module = _module(spec, developed, planned, derivation, elbo)
    return Compilation(source, overrides, spec, derivation, elbo, developed, planned, module)


def _refuse_python(spec: Spec, source: Source) -> None:
    """Raise Fault where a page names classes of its own: the module would import and run them."""
    found = [
        Diagnostic(
            Code.PYTHON_NOT_ALLOWED,
            f"{block.path} is code of its own, which the module would import and run",
            source.span((*path, "python")),
            "where you trust it: dvaec compile --allow-python, or dvaec.compile(..., allow_python=True)",
        )
        for path, block in customs(spec)
    ]
    if found:
        raise Fault(found, source.sources())


def _derived(spec: Spec, source: Source) -> Derivation:
    try:
        return derive(spec)
    except NoFixpointError as error:
        hint = "take shorter lags, or strides that divide one another"
        fault = Diagnostic(error.code, str(error), source.span(("generation",)), hint)
        raise Fault([fault], source.sources()) from error


def _developed(spec: Spec, derivation: Derivation, source: Source) -> Spec:
    faults = check_developed(spec, derivation, source)
    if faults:
        raise Fault(faults, source.sources())
    return develop(spec, derivation.inference)


def _planned(developed: Spec, elbo: Elbo, source: Source) -> Plan:
    try:
        return plan(developed, elbo)
    except UnschedulableError as error:
        span, hint = (
            source.span(place_of(developed, source, error.nodes, error.frame)),
            hint_for(developed, error),
        )
        raise Fault([Diagnostic(error.code, error.message, span, hint)], source.sources()) from error


def _idle(spec: Spec, developed: Spec, source: Source) -> Iterator[Diagnostic]:
    """Yield what no data could teach: errors; warnings where the page fixes T, which `--set` may change."""
    severity = Severity.ERROR if spec.frames is None else Severity.WARNING
    for one in idle_on_page(spec, developed):
        span = source.span(place_of(developed, source, one.nodes))
        yield Diagnostic(IDLE, one.message, span, hint_for_idle(developed, one.nodes), severity)


def _bounded(developed: Spec, planned: Plan, source: Source) -> None:
    """Raise Fault where the module would have more weights than any memory is likely to hold."""
    weights = weights_of(planned.network)
    if (total := sum(weights.values())) <= MOST_WEIGHTS:
        return
    node = planned.network.node(max(weights, key=lambda name: weights[name]))
    shown = f"'{node.name}'"
    if isinstance(node, HeadNode):
        made = Conditional(node.head.target, (), node.head.frame)
        shown = f"{node.head.side}({target(made, node.variable.framed)})"
    has = f"the module would have {total:,} weights, more than {MOST_WEIGHTS:,}"
    message = f"{has}: {weights[node.name]:,} in {shown}"
    span = source.span(place_of(developed, source, (node.name,)))
    hint = "take fewer units or layers, or smaller dimensions"
    raise Fault([Diagnostic("DV305", message, span, hint)], source.sources())


def _module(spec: Spec, developed: Spec, planned: Plan, derivation: Derivation, elbo: Elbo) -> str:
    # The templates' library takes time to import; `check` and `explain` never come here.
    from dvaec.emit.module import Emission, module_text

    return module_text(Emission(developed, planned, derivation.inference, elbo, layout_hash(spec)))


@dataclass(frozen=True)
class Compiled:
    """A module, what the runtime must know of it, and what the passes have found out."""

    source: str
    class_name: str
    card: dict[str, Any]
    known: Compilation


def compile_spec(path: Path, overrides: Sequence[str] = (), allow_python: bool = False) -> Compiled:
    """Compile the page at `path` to a module."""
    return _compiled(run(path, overrides, allow_python=allow_python))


def compile_text(text: str, file: str, overrides: Sequence[str] = (), allow_python: bool = False) -> Compiled:
    """Compile a page given as text."""
    return _compiled(run_text(text, file, overrides, allow_python=allow_python))


def _compiled(compilation: Compilation) -> Compiled:
    spec = compilation.spec
    assert compilation.module is not None
    assert compilation.elbo is not None
    assert compilation.plan is not None
    # Behind the module, so that `check` and `explain` do not wait for the templates' library.
    from dvaec.emit.card import card_of

    card = {
        "name": spec.name,
        "spec": compilation.source.texts[compilation.source.file],
        "overrides": list(compilation.overrides),
        "hash": compilation.layout,
        **card_of(spec, compilation.elbo, compilation.plan),
        "canonical": compilation.hash,
    }
    return Compiled(compilation.module, spec.name, card, compilation)
