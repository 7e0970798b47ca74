"""log p(x) of small models without sampling: classes are enumerated, what is linear and Gaussian is integrated."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from dvaec.compiler import compile_text
from dvaec.runtime.batches import collate
from dvaec.runtime.card import Card
from dvaec.runtime.data import Split
from dvaec.runtime.posterior import call
from dvaec.runtime.source import load_class

HEAD = "dvaec: 1\nmodel: {name}\n"


@dataclass(frozen=True)
class Model:
    """A compiled page in float64 with weights at random."""

    card: Card
    module: Any


def compiled(name: str, body: str, seed: int = 0, scale: float = 0.3) -> Model:
    """Compile a page given without its head."""
    made = compile_text(HEAD.format(name=name) + body, f"{name}.yaml")
    torch.manual_seed(seed)
    module = load_class(made.source, made.class_name)().double()
    with torch.no_grad():
        for label, value in module.named_parameters():
            if label.startswith("p_"):
                value.add_(scale * torch.randn_like(value))
    return Model(Card(**made.card), module.eval())


def split_of(
    card: Card, lengths: list[int], seed: int = 0, missing: dict[str, list[int]] | None = None
) -> Split:
    """Draw data of any family that is real or 0 and 1; `missing` rows are not there, and hold 0."""
    random = np.random.default_rng(seed)
    count, total = len(lengths), sum(lengths)
    framed: dict[str, Any] = {}
    static: dict[str, Any] = {}
    gone: dict[str, Any] = {}
    for name, dim in card.dims.items():
        rows = count if name in card.static else total
        values = random.normal(size=(rows, dim))
        if card.families.get(name) == "bernoulli":
            values = (values > 0).astype(np.float64)
        if missing and name in missing:
            gone[name] = np.isin(np.arange(rows), missing[name])
            values[gone[name]] = 0.0
        (static if name in card.static else framed)[name] = values
    return Split("test", tuple(card.dims), framed, static, np.array(lengths), gone)


def evidence(model: Model, split: Split) -> np.ndarray[Any, Any]:
    """Return log p(x) of every sequence: (sequences,)."""
    return np.array([_one(model, split, number) for number in range(split.sequences)])


def _one(model: Model, split: Split, number: int) -> float:
    start, length = int(split.lengths[:number].sum()), int(split.lengths[number])
    given: dict[str, Tensor] = {}
    for name in split.order:
        values = (
            split.static[name][number] if name in split.static else split.framed[name][start : start + length]
        )
        given[name] = torch.from_numpy(values).unsqueeze(0)
        if name in split.missing:
            gone = split.missing[name]
            here = ~gone[[number]] if name in split.static else ~gone[None, start : start + length]
            given[f"mask_{name}"] = torch.from_numpy(here)
    shapes = {n: tuple(v.shape) for n, v in _draw(model, given).items()}
    discrete = [n for n in shapes if f"q_{n}_logits" in _fields(model.module.encode(**given))]
    found = []
    for classes in _assignments({n: shapes[n] for n in discrete}):
        real = {n: shape for n, shape in shapes.items() if n not in discrete}
        found.append(_integrated(model, given, classes, real))
    return float(torch.logsumexp(torch.stack(found), 0))


def fitted(model: Model, split: Split, steps: int = 150) -> Model:
    """Bring q nearer to the posterior of these data: weights far from each other make a poor estimate."""
    torch.manual_seed(0)
    batch = collate(split, range(split.sequences), torch.device("cpu"), torch.float64)
    own = [value for label, value in model.module.named_parameters() if not label.startswith("p_")]
    optimizer = torch.optim.Adam(own, lr=0.01)
    model.module.train()
    for _ in range(steps):
        optimizer.zero_grad()
        (-call(model.module, "elbo", model.card, batch).elbo.sum()).backward()
        optimizer.step()
    model.module.eval()
    return model


def _draw(model: Model, given: dict[str, Tensor]) -> dict[str, Tensor]:
    encoded = model.module.encode(**given)
    return {name: getattr(encoded, name) for name in model.card.latent_values}


def _fields(result: Any) -> tuple[str, ...]:
    return tuple(result._fields)


def _assignments(shapes: dict[str, tuple[int, ...]]) -> Iterator[dict[str, Tensor]]:
    """Every choice of a class at every place."""
    places = [(name, int(np.prod(shape[1:-1])), shape[-1]) for name, shape in shapes.items()]
    for chosen in itertools.product(*(itertools.product(range(k), repeat=n) for _, n, k in places)):
        yield {
            name: nn.functional.one_hot(torch.tensor(own), k).double().reshape(shapes[name])
            for (name, _, k), own in zip(places, chosen, strict=True)
        }


def _integrated(
    model: Model, given: dict[str, Tensor], classes: dict[str, Tensor], real: dict[str, tuple[int, ...]]
) -> Tensor:
    """log of the integral of p(x, z) over real latents: exact, as log p(x, z) is quadratic in them."""

    def log_joint(flat: Tensor) -> Tensor:
        parts = flat.split([int(np.prod(shape)) for shape in real.values()]) if real else ()
        latents = {n: part.reshape(shape) for (n, shape), part in zip(real.items(), parts, strict=True)}
        score = model.module.score(**given, **classes, **latents)
        names = (*model.card.observed, *model.card.latent_values)
        return torch.stack([getattr(score, f"log_p_{name}").sum() for name in names]).sum()

    size = sum(int(np.prod(shape)) for shape in real.values())
    at = torch.zeros(size, dtype=torch.float64)
    if not size:
        return log_joint(at).detach()
    slope = torch.autograd.functional.jacobian(log_joint, at)
    bend = torch.autograd.functional.hessian(log_joint, at)
    elsewhere = torch.autograd.functional.hessian(log_joint, at + 0.7)
    torch.testing.assert_close(bend, elsewhere, rtol=1e-8, atol=1e-10)  # quadratic indeed
    _, log_det = torch.linalg.slogdet(-bend)
    inner = 0.5 * slope @ torch.linalg.solve(-bend, slope)
    found: Tensor = log_joint(at) + inner + 0.5 * size * math.log(2 * math.pi) - 0.5 * log_det
    return found.detach()
