"""Random families, with sizes and numbers that they can have."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import strategies as st

from dvaec.spec.model import Family, Role, Spec, Variable

Numbers = tuple[tuple[str, float], ...]

OBSERVED: tuple[tuple[Family, Numbers], ...] = (
    *((Family.GAUSSIAN, ()),) * 6,
    *((family, ()) for family in Family if family is not Family.MIXTURE),
    (Family.MIXTURE, (("components", 2.0),)),
    (Family.GAMMA, (("shape", 2.5),)),
    (Family.GAMMA, (("shape", 0.0),)),  # learned
    (Family.STUDENT, (("degrees", 4.5),)),
)
LATENT: tuple[tuple[Family, Numbers], ...] = (
    *((Family.GAUSSIAN, ()),) * 5,
    (Family.FULL_GAUSSIAN, ()),
    (Family.LAPLACE, ()),
    (Family.CATEGORICAL, (("temperature", 0.7),)),
)
SIZES = {Family.COMPLEX_GAUSSIAN: (2, 4), Family.CATEGORICAL: (2, 3)}


@st.composite
def of_some_family(draw: st.DrawFn, variable: Variable) -> Variable:
    """Draw the family and the size of an observed variable or a latent."""
    family, options = draw(st.sampled_from(LATENT if variable.role is Role.LATENT else OBSERVED))
    return replace(
        variable, family=family, options=options, dim=draw(st.sampled_from(SIZES.get(family, (1, 2, 3))))
    )


@st.composite
def with_families(draw: st.DrawFn, spec: Spec) -> Spec:
    """Draw the families of all variables; now and then an input is a class."""
    drawn = []
    for variable in spec.variables:
        if variable.role is not Role.INPUT:
            drawn.append(draw(of_some_family(variable)))
        elif draw(st.integers(0, 3)) == 0:
            drawn.append(replace(variable, family=Family.CATEGORICAL, dim=3))
        else:
            drawn.append(variable)
    return replace(spec, variables=tuple(drawn))
