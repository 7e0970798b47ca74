"""The evidence lower bound of one p and one q, term by term.

With q's chain-rule order known, (4.22) splits into

      sum_t sum_x E_q[ log p(x_t | parents) ]
    - sum_t sum_z E_q[ log q(z_t | parents) - log p(z_t | parents) ],

the general form of (4.24). Each expectation runs over the latents of its integrand only, and a difference of
log-densities becomes a Kullback-Leibler divergence under q's own conditional where that is legal. This module
decides; `dvaec.derive.expression` is the same bound as mathematics.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence

from dvaec.derive.model import Elbo, Estimator, Term, TermKind
from dvaec.spec.model import Conditional, Family, Parent, Role, Spec
from dvaec.spec.notation import page
from dvaec.spec.offsets import ALL, NOW, Offsets, of, union, window

CLOSED_FORMS: frozenset[tuple[Family, Family]] = frozenset({(Family.GAUSSIAN, Family.GAUSSIAN)})
"""Pairs of families (q's, p's) whose Kullback-Leibler divergence has a closed form."""

NOT_LATER = window(None, 0)
"""The frames up to t."""

Node = tuple[str, int]
"""A latent and its frame relative to t."""


def elbo_terms(spec: Spec, inference: tuple[Conditional, ...]) -> Elbo:
    """Return the terms: a reconstruction per observed variable, then a divergence per latent in q's order.

    `inference` holds q's conditionals in chain-rule order. Raises ValueError where a latent has none.
    """
    q_of = {c.target: c for c in inference}
    missing = [v.name for v in spec.having(Role.LATENT) if v.name not in q_of]
    if missing:
        raise ValueError(f"q has no conditional for {', '.join(missing)}")
    p_of = {c.target: c for c in spec.generation}
    observed = {v.name for v in spec.having(Role.OBSERVED)}
    reconstructions = [_reconstruction(spec, p, inference) for p in spec.generation if p.target in observed]
    divergences = [_divergence(spec, p_of[q.target], q, inference) for q in inference]
    given = [v.name for role in (Role.OBSERVED, Role.INPUT) for v in spec.having(role)]
    return Elbo((*reconstructions, *divergences), tuple(given))


def latent_windows(spec: Spec, parents: Iterable[Parent]) -> tuple[Parent, ...]:
    """Return the latents among `parents`, the windows of each united, in q's order within a frame."""
    latents = {v.name for v in spec.having(Role.LATENT)}
    windows: dict[str, list[Offsets | None]] = {}
    for parent in parents:
        if parent.name in latents:
            windows.setdefault(parent.name, []).append(parent.offsets)
    found = []
    for name in spec.latents:
        if name in windows:
            framed = [w for w in windows[name] if w is not None]
            found.append(Parent(name, union(framed) if framed else None))
    return tuple(found)


def route_from_target(
    spec: Spec, p: Conditional, inference: Sequence[Conditional]
) -> tuple[Node, ...] | None:
    """Return a directed path under q from the target of `p` at t to a latent that its prior reads, or None.

    No such path means that z_t is independent, under q, of what its prior reads given its own parents in q,
    so that the average of log q - log p over z_t is KL(q || p) with both conditionals read off the same draw.
    Under a causal prior and a q in forward order such a path never leaves frame t, and the search is exact;
    else it looks as far as all finite windows together reach.
    """
    prior = latent_windows(spec, p.parents)
    reach = _reach(prior, inference)
    came: dict[Node, Node | None] = {(p.target, 0): None}
    queue = deque(came)
    while queue:
        node = queue.popleft()
        for child in _children(spec, node, inference, reach):
            if child in came:
                continue
            came[child] = node
            if any(child[0] == parent.name and child[1] in _frames(parent) for parent in prior):
                return _path(came, child)
            queue.append(child)
    return None


def _reconstruction(spec: Spec, p: Conditional, inference: Sequence[Conditional]) -> Term:
    read = latent_windows(spec, p.parents)
    sampled = _ancestry(spec, [parent.name for parent in read], inference)
    if read:
        estimator = Estimator.MONTE_CARLO
        reason = (
            f"p({p.target}_t) reads {_names(read)} through a network: the average over q has no closed form"
        )
    else:
        estimator = Estimator.ANALYTIC
        reason = f"p({p.target}_t) reads no latent: the log-density needs no average"
    sequential, why = _schedule(sampled, inference)
    return Term(TermKind.RECONSTRUCTION, p.target, p, None, read, sampled, estimator, sequential, reason, why)


def _divergence(spec: Spec, p: Conditional, q: Conditional, inference: Sequence[Conditional]) -> Term:
    name = q.target
    variable = spec.variable(name)
    families = (variable.family, variable.family)
    route = route_from_target(spec, p, inference)
    read = latent_windows(spec, (*q.parents, *p.parents))
    if route is None and families in CLOSED_FORMS:
        estimator = Estimator.ANALYTIC
        reason = (
            f"q({name}_t) and p({name}_t) are both {variable.family.value}, and q draws nothing that "
            f"p({name}_t) reads from {name}_t: the divergence has a closed form"
        )
    else:
        estimator = Estimator.LOG_RATIO
        read = latent_windows(spec, (Parent(name, NOW), *q.parents, *p.parents))
        reason = _why_log_ratio(name, variable.family, route)
    sampled = _ancestry(spec, [parent.name for parent in read], inference)
    sequential, why = _schedule(sampled, inference)
    return Term(TermKind.DIVERGENCE, name, p, q, read, sampled, estimator, sequential, reason, why)


def _why_log_ratio(name: str, family: Family, route: tuple[Node, ...] | None) -> str:
    if route is None:
        return f"no closed form is registered for the divergence of two {family.value} distributions"
    arrows = " -> ".join(_at(node) for node in route)
    return (
        f"p({name}_t) reads {_at(route[-1])}, which q draws from {name}_t ({arrows}): given one, the other "
        f"is no longer distributed as q({name}_t), so the log-densities of the draws are compared"
    )


def _ancestry(spec: Spec, names: Sequence[str], inference: Sequence[Conditional]) -> tuple[str, ...]:
    """Return `names` and the latents that q must draw before them, in q's order."""
    parents = {c.target: [p.name for p in latent_windows(spec, c.parents)] for c in inference}
    found = set(names)
    queue = list(names)
    while queue:
        for parent in parents[queue.pop()]:
            if parent not in found:
                found.add(parent)
                queue.append(parent)
    return tuple(name for name in spec.latents if name in found)


def _schedule(sampled: tuple[str, ...], inference: Sequence[Conditional]) -> tuple[bool, str]:
    """Say whether drawing `sampled` loops over time: whether q's graph on their names has a cycle."""
    if not sampled:
        return False, "nothing is drawn: all frames are computed at once"
    reads = {c.target: [p.name for p in c.parents if p.name in sampled] for c in inference}
    for name in sampled:
        cycle = _cycle(name, reads)
        if cycle is not None:
            arrows = " -> ".join(cycle)
            what = (
                f"{name}_t depends on earlier {name}" if len(cycle) == 2 else f"{arrows} is a cycle over time"
            )
            return True, f"under q, {what}: the draws are made one frame after another"
    names = " and ".join(sampled)
    return (
        False,
        f"under q, no draw of {names} waits for one of the frame before: all frames are drawn at once",
    )


def _cycle(name: str, reads: dict[str, list[str]]) -> tuple[str, ...] | None:
    """Return a shortest cycle through `name`, from cause to effect, if there is one."""
    came: dict[str, str] = {}
    queue = deque([name])
    while queue:
        child = queue.popleft()
        for parent in reads[child]:
            if parent == name:
                cycle = [name, child]
                while cycle[-1] != name:
                    cycle.append(came[cycle[-1]])
                return tuple(cycle)
            if parent not in came:
                came[parent] = child
                queue.append(parent)
    return None


def _children(spec: Spec, node: Node, inference: Sequence[Conditional], reach: int) -> list[Node]:
    """Return the nodes that q draws from `node`, at most `reach` frames from t."""
    name, frame = node
    found = []
    for conditional in inference:
        for parent in latent_windows(spec, conditional.parents):
            if parent.name == name:
                # The child at frame f reads `name` at f + d; so f = frame - d.
                lags = _frames(parent).within(frame - reach, frame + reach)
                found += [(conditional.target, frame - d) for d in reversed(lags)]
    return found


def _reach(prior: Sequence[Parent], inference: Sequence[Conditional]) -> int:
    latents = {c.target for c in inference}
    drawn = [p for c in inference for p in c.parents if p.name in latents]
    if all(_frames(parent) <= NOT_LATER for parent in (*prior, *drawn)):
        return 0
    return 1 + sum(_frames(parent).reach for parent in (*prior, *drawn))


def _frames(parent: Parent) -> Offsets:
    return ALL if parent.offsets is None else parent.offsets


def _path(came: dict[Node, Node | None], last: Node) -> tuple[Node, ...]:
    path: list[Node] = []
    node: Node | None = last
    while node is not None:
        path.append(node)
        node = came[node]
    return tuple(reversed(path))


def _names(parents: Sequence[Parent]) -> str:
    return " and ".join(parent.name for parent in parents)


def _at(node: Node) -> str:
    return page(node[0], of(node[1]))
