"""Known posteriors of the whole language: the review's systems, sweeps, frames of their own, and what is too long."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dvaec.derive.derivation import derive
from dvaec.derive.explain import explain
from dvaec.derive.horizon import posterior_at
from dvaec.derive.posterior import exact_posterior
from dvaec.derive.question import Question
from dvaec.network.windows import NoFixpointError
from dvaec.spec import notation
from dvaec.spec.model import (
    LAST,
    Causality,
    Conditional,
    Inference,
    InferenceKind,
    Parent,
    Role,
    Spec,
    Sweep,
    Variable,
)
from dvaec.spec.offsets import ALL, NOW, Offsets, of, window
from dvaec.spec.read import read_text
from tests.models import BEFORE, DKF, EXACT, PREVIOUS, UP_TO, U, X, Z, line, own

V = Variable("v", Role.LATENT, 1, framed=False)
A = Variable("a", Role.LATENT, 1)
S = Variable("s", Role.LATENT, 1)
W = Variable("w", Role.OBSERVED, 1, framed=False)
Z0 = replace(Z, first=0)
CHAIN = (line("z", z=PREVIOUS), line("x", z=NOW))
DSAE = (line("v"), line("z", z=BEFORE), line("x", z=NOW, v=None))
KVAE = (line("z", z=PREVIOUS, u=NOW), line("a", z=NOW), line("x", a=NOW))


def at(name: str, frame: int | None = None) -> Parent:
    """Return an absolute read, or one of a sequence-level variable."""
    return Parent(name, None, frame)


def forward(*names: str) -> Sweep:
    return Sweep(names)


def backward(*names: str) -> Sweep:
    return Sweep(names, backward=True)


def made(
    variables: tuple[Variable, ...],
    generation: tuple[Conditional, ...],
    *order: Sweep,
    numbered: tuple[Conditional, ...] = (),
    inference: Inference = EXACT,
    causality: Causality = Causality.CAUSAL,
    frames: int | None = None,
) -> Spec:
    """Return a spec without a developed form."""
    return Spec(
        "m", "", (), variables, generation, inference, order,
        numbered=numbered, causality=causality, frames=frames,
    )  # fmt: skip


def text(parent: Parent) -> str:
    """Write a parent with its offsets: `x[..0]` up to t, `x[1..]` from t + 1, `x[..]` all, `x[-1]` a few, `x_T`."""
    if parent.frame is not None:
        return f"{parent.name}_{'T' if parent.frame == LAST else parent.frame}"
    offsets = parent.offsets
    if offsets is None:
        return parent.name
    if offsets == ALL:
        return f"{parent.name}[..]"
    if offsets.finite:
        return f"{parent.name}[{','.join(map(str, offsets.members))}]"
    stride = "" if len(offsets.past) == len(offsets.future) == 1 else " strided"
    if offsets.reaches_past:
        return f"{parent.name}[..{offsets.low - 1}{stride}]"
    return f"{parent.name}[{offsets.high}..{stride}]"


def lines(conditionals: tuple[Conditional, ...]) -> list[str]:
    """Write conditionals, `z_0 | x[..], v`."""
    found = []
    for c in conditionals:
        target = text(Parent(c.target, None, c.frame))
        found.append(f"{target} | {', '.join(map(text, c.parents))}")
    return found


def exact(spec: Spec) -> list[str]:
    return lines(tuple(f.conditional for f in exact_posterior(spec).factors))


def tight(spec: Spec) -> bool:
    """Whether every factor of the posterior is the minimum at every frame."""
    loose = [factor.loose for factor in exact_posterior(spec).factors]
    return not any(one.first or one.last or one.spare or one.lengths for one in loose)


def test_dsae() -> None:
    """(11.9): v first; and v last, given all of z."""
    first = made((X, Z, V), DSAE, forward("v"), forward("z"))
    assert exact(first) == ["v | x[..]", "z | x[0..], z[..-1], v"]
    last = made((X, Z, V), DSAE, forward("z"), forward("v"))
    assert exact(last) == ["z | x[..], z[..-1]", "v | x[..], z[..]"]


def test_kvae_has_its_smoother_in_either_direction() -> None:
    """(6.12): a before z; then z is smoothed from a, forward or backward."""
    one = made((X, Z, A, U), KVAE, forward("a"), forward("z"))
    assert exact(one) == ["a | x[0..], a[..-1], u[..]", "z | z[-1], a[0..], u[0..]"]
    other = made((X, Z, A, U), KVAE, forward("a"), backward("z"))
    assert exact(other)[1] == "z | z[1], a[..0], u[..1]"


def test_rvae() -> None:
    """(10.16): x from t on in the causal case, all of it in the noncausal one."""
    assert exact(made((X, Z), (line("z"), line("x", z=UP_TO)), forward("z"))) == ["z | x[0..], z[..-1]"]
    both = made((X, Z), (line("z"), line("x", z=ALL)), forward("z"), causality=Causality.NONCAUSAL)
    assert exact(both) == ["z | x[..], z[..-1]"]


def test_vrae_and_draw() -> None:
    assert exact(made((X, V), (line("v"), line("x", x=BEFORE, v=None)), forward("v"))) == ["v | x[..]"]
    image = replace(X, framed=False)
    drawn = made((image, Z), (line("z"), line("x", z=ALL)), forward("z"), frames=10)
    assert exact(drawn) == ["z | x, z[..-1]"]


def test_a_backward_sweep_reads_the_past_of_the_data() -> None:
    assert exact(made((X, Z, U), DKF.generation, backward("z"))) == ["z | x[..0], z[1], u[..1]"]


def test_an_anticausal_chain() -> None:
    spec = made((X, Z), (line("z", z=of(1)), line("x", z=NOW)), forward("z"), causality=Causality.ANTICAUSAL)
    assert exact(spec) == ["z | x[0..], z[-1]"]


def test_z_0_is_a_latent_of_its_own() -> None:
    numbered = (Conditional("z", (), 0),)
    ahead = made((X, Z0, U), DKF.generation, forward("z"), numbered=numbered)
    assert exact(ahead) == ["z_0 | x[..], u[..]", "z | x[0..], z[-1], u[0..]"]
    back = made((X, Z0, U), DKF.generation, backward("z"), numbered=numbered)
    assert exact(back) == ["z | x[..0], z[1], u[..1]", "z_0 | z_1, u_1"]
    sets = posterior_at(ahead, 2)
    assert sets["z_0"] == ["u_1", "u_2", "x_1", "x_2"]
    assert sets["z_1"] == ["u_1", "u_2", "x_1", "x_2", "z_0"]


def test_a_switching_chain_starts_with_lines_of_its_own() -> None:
    spec = made(
        (X, Z, S),
        (line("s", s=PREVIOUS), line("z", z=PREVIOUS, s=NOW), line("x", z=NOW)),
        forward("s", "z"),
        numbered=(Conditional("s", (), 1), Conditional("z", (at("s", 1),), 1)),
    )
    factors = exact_posterior(spec).factors
    assert exact(spec) == ["s | x[0..], z[-1], s[-1]", "z | x[0..], z[-1], s[0]"]
    assert not any(f.loose.first or f.loose.last or f.loose.inside for f in factors)


def test_an_extra_parent_of_frame_1() -> None:
    """z_1 | u_1: a factor of frame 1 alone reads it, whether the page gives q a line there or not."""
    start = (Conditional("z", (at("u", 1),), 1),)
    plain = made((X, Z, U), CHAIN, forward("z"), numbered=start)
    assert exact(plain) == ["z_1 | x[..], u_1", "z | x[0..], z[-1]"]
    assert tight(plain)
    separate = Inference(
        InferenceKind.CONDITIONALS,
        conditionals=(line("z", z=PREVIOUS, x=window(0, None)),),
        numbered=(Conditional("z", (Parent("x", ALL), at("u", 1)), 1),),
    )
    apart = replace(plain, inference=separate)
    assert exact(apart) == ["z_1 | x[..], u_1", "z | x[0..], z[-1]"]
    assert tight(apart)
    one = Inference(InferenceKind.CONDITIONALS, conditionals=separate.conditionals)
    assert exact(replace(plain, inference=one)) == ["z_1 | x[..], u_1", "z | x[0..], z[-1]"]
    found = derive(replace(plain, inference=one))
    assert found.inference == separate.conditionals
    assert [(c.frame, c.golden, c.silver) for c in found.comparisons] == [
        (1, (at("u", 1),), ()),
        (None, (), ()),
    ]


def test_a_factor_of_frame_1_reads_windows_that_count_frames() -> None:
    """z_t | z_{t-2}, and u_1 alone enters: z_1 reads x_1, x_3, ..., and no later z_t reads u_t."""
    strided = (line("z", z=of(-2)), line("x", z=NOW))
    start = (Conditional("z", (at("u", 1),), 1),)
    spec = made((X, Z, U), strided, forward("z"), numbered=start)
    assert exact(spec) == ["z_1 | x[0.. strided], u_1", "z | x[0.. strided], z[-2]"]
    assert tight(spec)


LAGS = (
    (of(), ["z_1 | x[..]", "z | x[0], z_1"]),
    (of(-2), ["z_1 | x[..]", "z | x[0.. strided], z[-2], z_1"]),
    (of(-1, -3), ["z | x[0..], z[-3,-2,-1], z_1"]),
    (of(-1), ["z | x[0..], z[-1], z_1"]),
)


@pytest.mark.parametrize(("lags", "expected"), LAGS)
def test_what_only_the_first_latent_needs_is_in_its_own_factor(lags: Offsets, expected: list[str]) -> None:
    """x_t | z_t, z_1: all of x tells of z_1, and given z_1 of z_t only what the lags link to it."""
    observed = Conditional("x", (*line("x", z=NOW).parents, at("z", 1)))
    prior = line("z", z=lags) if lags else line("z")
    spec = made((X, Z), (prior, observed), forward("z"))
    assert exact(spec) == expected
    assert all(not f.loose.inside for f in exact_posterior(spec).factors)


@pytest.mark.parametrize("delay", [0, 2])
def test_a_word_of_inference_parts_frame_1(delay: int) -> None:
    """Filtering: z_1 | x_1, u_1. Looking ahead: z_1 | x_{1:3}, u_1."""
    start = (Conditional("z", (at("u", 1),), 1),)
    word = Inference(InferenceKind.LOOKAHEAD, delay) if delay else Inference(InferenceKind.FILTERING)
    spec = made((X, Z, U), CHAIN, forward("z"), numbered=start, inference=word)
    filtering = ["z_1 | x_1, u_1", "z | x[0], z[-1]"]
    ahead = ["z_1 | x[0,1,2], u_1", "z | x[0,1,2], z[-1]"]
    assert lines(derive(spec).inference) == (ahead if delay else filtering)


def test_frame_1_is_read_from_far_in_a_backward_sweep() -> None:
    """Every z_t, given z_{t+1}, is linked through the earlier ones to u_1."""
    start = (Conditional("z", (at("u", 1),), 1),)
    spec = made((X, Z, U), CHAIN, backward("z"), numbered=start)
    assert exact(spec) == ["z | x[..0], z[1], u_1"]
    assert posterior_at(spec, 4)["z_3"] == ["u_1", "x_1", "x_2", "x_3", "z_4"]


def test_what_the_last_frame_determines_links_every_frame() -> None:
    """w | z_1, z_T: through the chain z_t is linked to z_T, and there meets z_1, which is given."""
    spec = made((X, W, Z), (*CHAIN, Conditional("w", (at("z", 1), at("z", LAST)))), forward("z"))
    assert exact(spec) == ["z | x[0..], w, z[-1], z_1"]


def test_a_frame_that_only_itself_is_linked_to_is_no_absolute_read() -> None:
    """w | z_1 tells of z_1 alone, w | z_T of z_T alone: the neighbour in E parts all other frames from it."""
    first = made((X, W, Z), (*CHAIN, Conditional("w", (at("z", 1),))), forward("z"))
    assert exact(first) == ["z_1 | x[..], w", "z | x[0..], z[-1]"]
    assert tight(first)
    last = Conditional("w", (at("z", LAST),))
    turned = made((X, W, Z), (*CHAIN, last), backward("z"))
    assert exact(turned) == ["z_T | x[..], w", "z | x[..0], z[1]"]
    assert tight(turned)


def test_single_frames_are_not_laid_over_one_another() -> None:
    """z_t | z_<t-2>: what is linked to frame 1 has its parity, so no window holds the frames between."""
    strided = (line("z", z=of(-2)), line("x", z=NOW), Conditional("w", (at("z", 1),)))
    (factor,) = exact_posterior(made((X, W, Z), strided, backward("z"))).factors
    assert factor.conditional == line("z", x=window(None, 0, 2), w=None, z=of(2))


FIRST_AMONG_STRIDES = """dvaec: 1
model: M
variables:
  x: {role: observed, dim: 2}
  z: {role: latent, dim: 2}
  a: {role: latent, dim: 2}
generation: ["z_t | z_<t-3>", "a_t | x_<t+3>, z_<t+1>, a_<t+3>", "x_t | x_<t+1>, a_<t+1:T:3>", a_1 | z_1]
inference: exact
order: [{backward: z}, a]
causality: noncausal
"""


def test_the_line_of_frame_1_links_nothing_before_it() -> None:
    """No x comes before a_1: where frame 1 is far from t, what is three frames apart is linked to its like alone."""
    spec = read_text(FIRST_AMONG_STRIDES, "page.yaml")[0]
    [z] = [one.conditional for one in exact_posterior(spec).factors if one.conditional.target == "z"]
    assert notation.line(z) == "z_t | x_<1:t-2:3>, x_<1:t-1:3>, x_<t+1:T:3>, x_<t+2:T:3>, z_<t+3:T:3>"
    exact = posterior_at(spec, 16)["z_9"]  # x_16 is too near the end
    assert exact == [*(f"x_{k}" for k in range(1, 15) if k % 3), "z_12", "z_15"]


def test_a_sequence_level_latent_may_need_single_frames_alone() -> None:
    spec = made(
        (X, W, Z, V),
        (line("v"), line("z"), line("x", z=NOW), Conditional("w", (at("z", 1), at("z", LAST), at("v")))),
        forward("v"),
        forward("z"),
    )
    assert exact(spec)[0] == "v | x_1, x_T, w"
    assert posterior_at(spec, 5)["v"] == ["w", "x_1", "x_5"]


def test_later_sweeps_link_all_frames() -> None:
    """v comes last: x_s of every frame s is linked to z_t through it."""
    white = (line("v"), line("z"), line("x", z=NOW, v=None))
    assert exact(made((X, Z, V), white, forward("z"), forward("v")))[0] == "z | x[..], z[..-1]"
    assert exact(made((X, Z, V), white, forward("v"), forward("z")))[1] == "z | x[0], v"


def test_words_restrict_z_0_as_well() -> None:
    numbered = (Conditional("z", (), 0),)

    def declared(inference: Inference) -> list[str]:
        spec = made((X, Z0, U), DKF.generation, forward("z"), numbered=numbered, inference=inference)
        return lines(derive(spec).inference)

    assert declared(Inference(InferenceKind.FILTERING)) == ["z_0 | ", "z | x[0], z[-1], u[0]"]
    ahead = declared(Inference(InferenceKind.LOOKAHEAD, 1))
    assert ahead == ["z_0 | x_1, u_1", "z | x[0,1], z[-1], u[0,1]"]
    assert declared(Inference(InferenceKind.MEAN_FIELD)) == ["z_0 | x[..], u[..]", "z | x[..], u[..]"]
    farther = declared(Inference(InferenceKind.LOOKAHEAD, 2))
    assert farther == ["z_0 | x[1,2], u[1,2]", "z | x[0,1,2], z[-1], u[0,1,2]"]


def test_a_word_speaks_for_those_that_have_no_line() -> None:
    """[filtering, "v | x_<1:T>"]."""
    mixed = Inference(InferenceKind.FILTERING, conditionals=(Conditional("v", (Parent("x", ALL),)),))
    spec = made((X, Z, V), DSAE, forward("v"), forward("z"), inference=mixed)
    assert lines(derive(spec).inference) == ["v | x[..]", "z | x[0], z[..-1], v"]


def test_redundant_links() -> None:
    """Given z_{t-1}, neither z_{t-2} nor earlier data say more; without z_{t-1} they do."""
    reads = own(line("z", x=ALL, z=of(-1, -2), u=NOW))
    (comparison,) = derive(made((X, Z, U), DKF.generation, forward("z"), inference=reads)).comparisons
    assert list(map(text, comparison.golden)) == ["u[1..]"]
    assert list(map(text, comparison.silver)) == ["x[..-1]", "z[-2]"]
    assert list(map(text, comparison.redundant)) == ["x[..-1]", "z[-2]"]
    without = own(line("z", x=ALL, z=of(-2), u=NOW))
    (comparison,) = derive(made((X, Z, U), DKF.generation, forward("z"), inference=without)).comparisons
    assert list(map(text, comparison.silver)) == ["x[..-1]", "z[-2]"]
    assert list(map(text, comparison.redundant)) == ["x[..-2]"]


def test_redundant_single_frames() -> None:
    """Given z_{t-1}, frame 1 says nothing; given z_{t+1}, frame T says nothing; by themselves they do."""
    kept = Conditional("z", (Parent("x", NOW), at("x", 1), Parent("z", of(-1)), at("z", 1)))
    assert _idle(forward("z"), kept) == ["x_1", "z_1"]
    assert _idle(forward("z"), Conditional("z", (Parent("x", NOW), at("x", 1)))) == []
    late = Conditional("z", (Parent("x", NOW), Parent("z", of(1)), at("z", LAST)))
    assert _idle(backward("z"), late) == ["z_T"]
    assert _idle(backward("z"), Conditional("z", (Parent("x", NOW), at("z", LAST)))) == []


def _idle(sweep: Sweep, q: Conditional) -> list[str]:
    (comparison,) = derive(made((X, Z, U), DKF.generation, sweep, inference=own(q))).comparisons
    return [f"{p.name}_{'T' if p.frame == LAST else p.frame}" for p in comparison.redundant]


def test_redundant_links_of_a_sequence_level_latent() -> None:
    both = own(Conditional("z", (Parent("x", ALL),)), Conditional("v", (Parent("x", ALL), Parent("z", ALL))))
    generation = (line("v"), line("z", v=None), line("x", z=NOW))
    spec = made((X, Z, V), generation, forward("z"), forward("v"), inference=both)
    assert list(map(text, derive(spec).comparisons[1].redundant)) == ["x[..]"]


def test_a_frame_that_is_needed_from_far_is_not_redundant() -> None:
    """Backward, u_1 is needed at every t: of all of u, only what lies after t can be told redundant."""
    start = (Conditional("z", (at("u", 1),), 1),)
    reads = own(line("z", x=UP_TO, z=of(1), u=ALL))
    spec = made((X, Z, U), CHAIN, backward("z"), numbered=start, inference=reads)
    (comparison,) = derive(spec).comparisons
    assert list(map(text, comparison.redundant)) == ["u[1..]"]


@pytest.mark.parametrize("sweep", [forward("z"), backward("z")])
@pytest.mark.parametrize(
    ("lag", "other"), [(of(-1000), NOW), (window(-1000, -1), NOW), (of(-50), of(0, -49)), (of(-500), of(0, -499))]
)  # fmt: skip
def test_long_lags_are_found(lag: object, other: object, sweep: Sweep) -> None:
    assert isinstance(lag, type(ALL))
    assert isinstance(other, type(ALL))
    (factor,) = exact_posterior(made((X, Z), (line("z", z=lag), line("x", z=other)), sweep)).factors
    assert factor.conditional.parents


def test_twenty_variables_with_lags_of_fifty() -> None:
    latents = tuple(Variable(f"z{k}", Role.LATENT, 1) for k in range(10))
    observed = tuple(Variable(f"x{k}", Role.OBSERVED, 1) for k in range(10))
    generation = (
        *(line(f"z{k}", **{f"z{k}": of(-1), f"z{(k + 1) % 10}": of(-50 + k)}) for k in range(10)),
        *(line(f"x{k}", **{f"x{k}": of(-50), f"z{k}": NOW}) for k in range(10)),
    )
    order = tuple(Sweep((f"z{k}",), backward=k % 2 == 1) for k in range(10))
    factors = exact_posterior(made((*latents, *observed), generation, *order)).factors
    assert len(factors) == 10
    assert all(f.proof.searched < 1000 for f in factors)


def test_limits_are_said() -> None:
    with pytest.raises(NoFixpointError, match="windows that end 90,000 frames from t are too long"):
        exact_posterior(made((X, Z), (line("z", z=of(-90_000)), line("x", z=NOW)), forward("z")))
    strides = (line("z", z=window(None, -1, 499)), line("x", z=window(None, 0, 500)))
    with pytest.raises(NoFixpointError, match=r"do not repeat within \d+ frames"):
        exact_posterior(made((X, Z), strides, forward("z")))


def test_a_dependence_near_an_end_is_explained_there() -> None:
    """u_1 enters z_2 alone, by x_1: the answer is shown there, not searched for in ever longer networks."""
    start = (Conditional("x", (Parent("z", of(1)), at("u", 1)), 1),)
    spec = made((X, Z, U), (line("z"), line("x", z=NOW)), forward("z"), numbered=start)
    spec = replace(spec, causality=Causality.NONCAUSAL)
    explanation = explain(spec, derive(spec), Question("z", Parent("u", of(-1))))
    (finding,) = explanation.findings
    assert finding.depends
    assert (finding.example.name, finding.frames is not None, len(finding.trail)) == ("u", True, 2)


def test_what_frame_1_needs_of_a_sequence_of_one_frame_is_explained_there() -> None:
    """y | z_T tells of z_1 at T = 1 alone, where z_1 is z_T."""
    apart = Inference(
        InferenceKind.CONDITIONALS,
        conditionals=(line("z", x=NOW),),
        numbered=(Conditional("z", (at("x", 1),), 1),),
    )
    generation = (line("z"), line("x", z=NOW), Conditional("w", (at("z", LAST),)))
    spec = made((X, W, Z), generation, forward("z"), inference=apart, causality=Causality.NONCAUSAL)
    assert exact_posterior(spec).of("z", 1).of("w") == at("w")
    (finding,) = explain(spec, derive(spec), Question("z", at("w"), 1)).findings
    assert (finding.depends, finding.frames, finding.trail) == (True, 1, finding.trail[:1])
