"""Emitted modules under test: small, in float64, with the page's meaning beside them."""

from __future__ import annotations

import inspect
import linecache
import sys
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from dvaec.derive.elbo import elbo_terms
from dvaec.derive.model import Derivation, Elbo
from dvaec.emit.families import names_of
from dvaec.emit.module import Emission, module_text
from dvaec.plan.develop import develop
from dvaec.plan.entries import plan
from dvaec.plan.model import HeadNode, Plan
from dvaec.runtime.source import load_class
from dvaec.spec.model import (
    Block,
    Combiner,
    Dense,
    Family,
    GatedTransition,
    Head,
    Layer,
    Output,
    Role,
    Spec,
)
from dvaec.testing.derived import derived
from dvaec.testing.family_data import legal, noise_for


@dataclass(frozen=True)
class Built:
    """A module with everything that it was made from."""

    spec: Spec  # developed
    derivation: Derivation
    elbo: Elbo
    plan: Plan
    text: str
    module: Any

    def names(self, *roles: Role) -> tuple[str, ...]:
        """Return the variables of these roles, role by role."""
        return tuple(v.name for role in roles for v in self.spec.having(role))

    def values(self, *roles: Role) -> tuple[str, ...]:
        """Return the value nodes of these roles, role by role: with `z_0` beside `z`."""
        nodes = self.plan.network.values
        return tuple(node.name for role in roles for node in nodes if node.variable.role is role)

    def has(self, method: str) -> bool:
        """Whether the module has an entry point (without latents there is no `encode`)."""
        refused = dict(self.plan.refused)
        return method not in refused and hasattr(self.module, method)

    def takes(self, method: str, argument: str) -> bool:
        """Whether an entry point has an argument of that name."""
        return argument in inspect.signature(getattr(self.module, method)).parameters

    def call(self, method: str, values: dict[str, Tensor], module: Any = None, **more: Any) -> Any:
        """Call an entry point with what it takes of `values` (data, noise_NAME, a mask_NAME if there)."""
        given: tuple[Role, ...] = (Role.OBSERVED, Role.INPUT)
        given = (*given, Role.LATENT) if method == "score" else given
        given = (Role.INPUT,) if method == "generate" else given
        masks = {f"mask_{name}" for name in self.values(Role.OBSERVED)} if method != "generate" else set()
        drawn: tuple[Role, ...] = () if method == "score" else (Role.LATENT,)
        drawn = (Role.LATENT, Role.OBSERVED) if method == "generate" else drawn
        arguments = {name: values[name] for name in (*self.values(*given), *(masks & set(values)))}
        arguments |= {f"noise_{name}": values[f"noise_{name}"] for name in self.values(*drawn)}
        if method == "generate" and self.spec.frames is not None:
            more.pop("frames", None)
        return getattr(module or self.module, method)(**arguments, **more)


def build(spec: Spec, seed: int = 0, small: bool = True) -> Built:
    """Compile a spec in-process and instantiate it in float64; `small` cuts all widths to a few units."""
    made = emitted(spec, small)
    return replace(made, module=_instance(load_class(made.text, made.spec.name), seed))


def emitted(spec: Spec, small: bool = True) -> Built:
    """Compile a spec in-process; there is no module yet."""
    derivation = derived(spec)
    elbo = elbo_terms(spec, derivation.inference)
    developed = develop(spec, derivation.inference)
    developed = shrunk(developed) if small else developed
    planned = plan(developed, elbo)
    text = module_text(Emission(developed, planned, derivation.inference, elbo, "0" * 64))
    return Built(developed, derivation, elbo, planned, text, None)


def reseeded(built: Built, seed: int) -> Built:
    """Return the same module with other random weights, ready for evaluation."""
    module = _instance(type(built.module), seed)
    module.eval()
    return replace(built, module=module)


def _instance(made: type[nn.Module], seed: int) -> nn.Module:
    torch.manual_seed(seed)
    module = made().double()
    with torch.no_grad():  # constants start at zero, which would hide them
        for parameter in module.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return module


def forget(built: Built) -> None:
    """Drop what Python and TorchScript keep of a module for good: thousands of them would fill the memory."""
    name = type(built.module).__module__
    module = sys.modules.pop(name, None)
    linecache.cache.pop(getattr(module, "__file__", None) or "", None)
    torch._C._jit_clear_class_registry()
    torch.jit._recursive.concrete_type_store = torch.jit._recursive.ConcreteTypeStore()
    torch.jit._state._clear_class_state()


def shrunk(spec: Spec) -> Spec:
    """Cut every width of a developed spec to a few units, different ones where they need not agree.

    A page with blocks whose sizes must fit one another is small already.
    """
    if fitted(spec):
        return spec
    variables = tuple(
        replace(v, dim=min(v.dim, 2 if v.family is Family.COMPLEX_GAUSSIAN else 2 + n % 2))
        for n, v in enumerate(spec.variables)
    )
    states = tuple(replace(s, units=min(s.units, 4), through=_layers(s.through)) for s in spec.states)
    features = tuple(replace(f, block=_block(f.block)) for f in spec.features)
    heads = tuple(_head(h) for h in spec.heads)
    return replace(spec, variables=variables, states=states, features=features, heads=heads)


def fitted(spec: Spec) -> bool:
    """Whether some block of a spec has sizes that must fit what it reads or makes."""
    outputs = [o for h in spec.heads for o in (h.mean, h.variance) if isinstance(o, Output)]
    blocks = [*(f.block for f in spec.features), *(h.block for h in spec.heads), *(o.block for o in outputs)]
    free = Dense | Combiner | GatedTransition | None
    return any(not isinstance(block, free) for block in blocks) or any(v.axes for v in spec.variables)


def _layers(layers: tuple[Layer, ...]) -> tuple[Layer, ...]:
    return tuple(replace(layer, units=min(layer.units, 4)) for layer in layers)


def _block(block: Block) -> Any:
    if isinstance(block, Dense):
        return replace(block, layers=_layers(block.layers))
    if isinstance(block, Combiner):
        return replace(block, units=None if block.units is None else min(block.units, 3))
    assert isinstance(block, GatedTransition)
    return replace(block, units=min(block.units, 4))


def _head(head: Head) -> Head:
    def output(given: Any) -> Any:
        return replace(given, layers=_layers(given.layers)) if isinstance(given, Output) else given

    block = None if head.block is None else _block(head.block)
    return replace(head, block=block, mean=output(head.mean), variance=output(head.variance))


def sample_values(built: Built, batch: int, frames: int, seed: int = 1) -> dict[str, Tensor]:
    """Draw data, latents and noise for every variable, by name and as noise_NAME; of frame 0 too (z_0)."""
    generator = torch.Generator().manual_seed(seed)
    values: dict[str, Tensor] = {}
    for variable in built.spec.variables:
        leads = {variable.name: (batch, frames) if variable.framed else (batch,)}
        if variable.first == 0:
            leads[f"{variable.name}_0"] = (batch,)
        for name, lead in leads.items():
            values[name] = legal(variable, lead, generator)
            values[f"noise_{name}"] = noise_for(variable, lead, generator)
    return values


def some_fed(batch: int, frames: int) -> Tensor:
    """Frames whose outputs are fed back, other ones in every sequence: (batch, time)."""
    return torch.arange(batch * frames).reshape(batch, frames) % 3 != 1


def head_fields(result: Any, head: HeadNode) -> dict[str, Tensor]:
    """Return the parameters of one conditional among the fields of a result."""
    return {name: getattr(result, f"{head.name}_{name}") for name in names_of(head.variable)}
