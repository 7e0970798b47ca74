"""What an entry point takes, and its first statements: sizes, masks, data looked at, noise."""

from __future__ import annotations

from dvaec.emit.families import family_text, noise_width
from dvaec.emit.writer import Body, mask_of, parameters
from dvaec.plan.model import Entry, Network, Origin, ValueNode
from dvaec.spec.model import Family, Role


def leading(network: Network, entry: Entry) -> str:
    """The data that tell the sizes of a batch: the first with a time axis, else the first."""
    data = _data(network, entry) + _given(network, entry, Role.INPUT)
    return next((v.name for v in data if v.framed), data[0].name)


def arguments(network: Network, entry: Entry, frames: int | None) -> tuple[str, ...]:
    def tensors(*roles: Role) -> list[str]:
        return [f"{v.name}: Tensor" for role in roles for v in network.values if v.variable.role is role]

    if entry.name == "generate":
        given = ["batch: int", *(["frames: int"] if frames is None else []), *tensors(Role.INPUT)]
    elif entry.name == "forecast":
        given = ["steps: int", *tensors(Role.OBSERVED, Role.INPUT)]
    elif entry.name == "score":
        given = tensors(Role.OBSERVED, Role.INPUT, Role.LATENT)
    else:
        given = tensors(Role.OBSERVED, Role.INPUT)
    given.append("lengths: Optional[Tensor] = None")
    if entry.name == "elbo_fed":
        given.append("fed: Optional[Tensor] = None")
    given += [f"noise_{v.name}: Optional[Tensor] = None" for v in _drawn(network, entry)]
    if entry.name in ("generate", "forecast"):
        given.append("sample: bool = True")
    if entry.name == "elbo_fed":
        given.append("sample: bool = False")
    given += [f"mask_{v.name}: Optional[Tensor] = None" for v in _data(network, entry)]
    return tuple(given)


def _data(network: Network, entry: Entry) -> list[ValueNode]:
    """The observed variables that an entry point is given, for all frames or for some."""
    seen = [v for v in network.values if v.variable.role is Role.OBSERVED]
    origins = {v.name: entry.origin(v.name) for v in seen}
    return [v for v in seen if origins[v.name] is Origin.GIVEN or origins[v.name].partly_known]


def _given(network: Network, entry: Entry, *roles: Role) -> list[ValueNode]:
    given = [v for v in network.values if entry.origin(v.name) is Origin.GIVEN]
    return [v for v in given if v.variable.role in roles]


def _inferred(entry: Entry, value: ValueNode) -> bool:
    """Whether an entry point takes a value from `encode`, of its data or of its context."""
    return entry.name in ("forecast", "elbo_fed") and value.variable.role is Role.LATENT


def _drawn(network: Network, entry: Entry) -> list[ValueNode]:
    drawn = [v for v in network.values if entry.origin(v.name) is not Origin.GIVEN or _inferred(entry, v)]
    return sorted(drawn, key=lambda v: v.variable.role is Role.OBSERVED)


def noises(network: Network, entry: Entry) -> dict[str, tuple[str, int, bool]]:
    """Return the draws that an entry point takes: argument -> (normal or uniform, width, framed)."""
    return {
        f"noise_{v.name}": (
            family_text(v.variable).noise.removesuffix("_noise"),
            noise_width(v.variable),
            v.framed,
        )
        for v in _drawn(network, entry)
    }


def prepare(body: Body, frames: int | None) -> None:
    network, entry = body.network, body.entry
    if entry.name == "forecast":
        _forecast(body)
        return
    _sizes(body, frames)
    if entry.name == "elbo_fed":
        _inferences(body)
    for value in (v for v in _given(network, entry, *Role) if not _inferred(entry, v)):
        text = checked(body, value)
        if value.variable.role is Role.OBSERVED:
            body.add(f"seen_{value.name} = {body.call('seen', mask_of(value), f'mask_{value.name}')}")
            body.add(f"{value.name} = own({text}, seen_{value.name})")
        else:
            body.add(f"{value.name} = {f'own({text}, mask)' if value.framed else text}")
    if entry.name == "elbo_fed":
        _fed(body)
        return
    for value in _drawn(network, entry):
        _noise(body, value)


def one_hot_classes(body: Body, parameter: str) -> None:
    """Let whole numbers stand for classes; `parameter` has the device and dtype of one-hot vectors."""
    network, entry = body.network, body.entry
    given = [v for v in _given(network, entry, Role.INPUT, Role.LATENT) if not _inferred(entry, v)]
    for value in [*_data(network, entry), *given]:
        one_hot(body, value, 2 if value.framed else 1, parameter)


def one_hot(body: Body, value: ValueNode, axes: int, parameter: str) -> None:
    """Let whole numbers with `axes` axes stand for the classes of a categorical value."""
    if value.variable.family is Family.CATEGORICAL:
        hot = body.call("one_hot", value.name, str(value.dim), str(axes), parameter)
        body.add(f"{value.name} = {hot}")


def checked(body: Body, value: ValueNode) -> str:
    """Return the text of given data, their shape looked at."""
    function = "framed" if value.framed else "static"
    axes, text = value.variable.axes, value.name
    if axes:
        text = body.call("flat", text, "2" if value.framed else "1", f"[{', '.join(map(str, axes))}]")
    return body.call(function, text, f'"{value.name}"', str(value.dim))


def _noise(body: Body, value: ValueNode) -> None:
    noise, width = family_text(value.variable).noise, str(noise_width(value.variable))
    drawn = body.call(noise, f"noise_{value.name}", body.like, mask_of(value), width)
    body.add(f"noise_{value.name} = {drawn}")


def _forecast(body: Body) -> None:
    """Infer the latents of the context, and lay out what is known over all frames, also behind it."""
    network, entry, like = body.network, body.entry, body.like
    body.add(f"batch, context = {like}.size(0), {like}.size(1)")
    body.add("frames = context + steps")
    total = "None if lengths is None else lengths + steps"
    body.add(f"mask = frame_mask({total}, {like}, batch, frames)")
    body.add(f"own_context = frame_mask(lengths, {like}, batch, context)")
    latents = [v for v in network.values if v.variable.role is Role.LATENT]
    for value in _given(network, entry, Role.INPUT):
        text = checked(body, value)
        body.add(f"{value.name} = {f'own({text}, mask)' if value.framed else text}")
    for value in _drawn(network, entry):
        _noise(body, value)
    if latents:
        _encoded(body)
    known = body.call("extended", "own_context", "frames")
    for value in latents:
        if value.framed:
            body.add(f"known_{value.name} = {known}")
            body.add(f"{value.name}_known = {body.call('extended', f'inferred.{value.name}', 'frames')}")
        else:
            body.add(f"{value.name} = inferred.{value.name}")
    for value in _data(network, entry):
        text = checked(body, value)
        mask = "own_context" if value.framed else "own_context[:, 0]"
        seen = body.call("seen", mask, f"mask_{value.name}")
        if value.framed:  # a missing frame of the context is read as everywhere: 0 stands there
            body.add(f"known_{value.name} = {known}")
            own = body.call("extended", f"own({text}, {seen})", "frames")
            body.add(f"{value.name}_known = {own}")
        else:
            body.add(f"{value.name} = own({text}, {seen})")


def _inferences(body: Body) -> None:
    """Draw the latents from q at the data."""
    heads = [h for h in body.network.heads if h.head.side == "q" and h.head.frame in (None, 0)]
    if heads:
        _encoded(body)
    for head in heads:
        for name in (head.value, *parameters(head)):
            body.add(f"{name} = inferred.{name}")


def _fed(body: Body) -> None:
    """Lay out the data for p, with where they are given to it."""
    network, entry = body.network, body.entry
    given = body.call("unless_fed", "fed", "mask")
    for value in (v for v in _data(network, entry) if entry.origin(v.name) is Origin.FED):
        seen = body.call("seen", "mask", f"mask_{value.name}")
        body.add(f"seen_{value.name} = {seen}")
        body.add(f"{value.name}_known = own({checked(body, value)}, seen_{value.name})")
        body.add(f"known_{value.name} = {given}")
        _noise(body, value)


def _encoded(body: Body) -> None:
    """Infer the latents of the data, or of the context."""
    network, entry = body.network, body.entry
    latents = [v for v in network.values if v.variable.role is Role.LATENT]
    taken = [*_data(network, entry), *_given(network, entry, Role.INPUT)]
    arguments = [f"{v.name}={_context(entry, v, v.name)}" for v in taken]
    arguments.append("lengths=lengths")
    arguments += [f"noise_{v.name}={_context(entry, v, f'noise_{v.name}')}" for v in latents]
    arguments += [f"mask_{v.name}=mask_{v.name}" for v in _data(network, entry)]
    body.add(f"inferred = self.encode({', '.join(arguments)})")


def _context(entry: Entry, value: ValueNode, name: str) -> str:
    """The part of a tensor over all frames that belongs to the context; data stop there anyway."""
    covers_all = value.framed and (name != value.name or value.variable.role is Role.INPUT)
    covers_all = covers_all and entry.name == "forecast"
    return f"{name}[:, :context]" if covers_all else name


def _sizes(body: Body, frames: int | None) -> None:
    """Name `batch`, `frames` and the mask of each sequence's own frames."""
    network, entry = body.network, body.entry
    if entry.name != "generate":
        data = next(v for v in network.values if v.name == body.like)
        body.add(
            f"batch, frames = {data.name}.size(0), {data.name}.size(1)"
            if data.framed
            else f"batch = {data.name}.size(0)"
        )
    if frames is not None:
        body.add(f"frames = {frames}")
    body.add(f"mask = frame_mask(lengths, {body.like}, batch, frames)")
