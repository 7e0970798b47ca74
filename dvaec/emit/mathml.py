"""Formulas as MathML, for pages and notebooks: the third notation of `dvaec.emit.formula`."""

from __future__ import annotations

import re
from html import escape

from dvaec.derive.expression import Formula
from dvaec.emit.formula import FormulaWriter, Notation
from dvaec.spec.model import Spec

_TOKEN = re.compile(r"\d+|[A-Za-z]|[:+-]")
_OPEN = '<mo stretchy="false">(</mo>'
_CLOSE = '<mo stretchy="false" rspace="0.1em">)</mo>'
_GREEK = {"theta": "θ", "phi": "φ", "xi": "ξ"}


def _variable(name: str, below: str | None) -> str:
    # Browsers know no other mathvariant than `normal`; an inline style is kept where a page's CSS is not.
    letter = f'<mi mathvariant="normal" style="font-weight:bold">{escape(name)}</mi>'
    return letter if below is None else f"<msub>{letter}<mrow>{_frames(below)}</mrow></msub>"


def _frames(below: str) -> str:
    """Return a subscript's tokens, close together: t, 1:t-1, t:T:2."""
    return "".join(_token(one) for one in _TOKEN.findall(below))


def _token(text: str) -> str:
    if text.isdigit():
        return f"<mn>{text}</mn>"
    if text.isalpha():
        return f"<mi>{text}</mi>"
    return f'<mo lspace="0" rspace="0">{"−" if text == "-" else text}</mo>'


def _symbol(side: str, parameters: str) -> str:
    letter = f"<mi>{escape(side)}</mi>"
    if not parameters:
        return letter
    greek, _, of = parameters.partition("_")
    below = f"<mi>{_GREEK[greek]}</mi>"
    if of:
        below = f"<msub>{below}<mi>{escape(of)}</mi></msub>"
    return f"<msub>{letter}{below}</msub>"


def _there(lengths: str) -> str:
    inside = "".join(f"<mo>{escape(one)}</mo>" if one in "<>=" else _token(one) for one in lengths.split())
    return f'<mrow><mo stretchy="false">[</mo>{inside}<mo stretchy="false">]</mo></mrow>'


def _over_time(sign: str, first: int, left: int) -> str:
    last = f"<mrow><mi>T</mi><mo>−</mo><mn>{left}</mn></mrow>" if left else "<mi>T</mi>"
    below = f"<mrow><mi>t</mi><mo lspace='0' rspace='0'>=</mo><mn>{first}</mn></mrow>"
    return f"<munderover><mo>{sign}</mo>{below}{last}</munderover>"


MATHML = Notation(
    variable=_variable,
    symbol=_symbol,
    density=f"<mrow>{{symbol}}{_OPEN}{{of}}{_CLOSE}</mrow>",
    conditional=f"<mrow>{{symbol}}{_OPEN}{{of}}<mo>∣</mo>{{given}}{_CLOSE}</mrow>",
    log="<mrow><mi>log</mi><mspace width='0.17em'/>{body}</mrow>",
    mean="<mrow><msub><mi mathvariant='normal'>𝔼</mi>{measure}</msub><mo>[</mo>{body}<mo>]</mo></mrow>",
    divergence=(
        "<mrow><msub><mi>D</mi><mi mathvariant='normal'>KL</mi></msub>"
        "<mo>(</mo>{q}<mo lspace='0.3em' rspace='0.3em'>∥</mo>{p}<mo>)</mo></mrow>"
    ),
    sum_over=lambda first, left: _over_time("∑", first, left),
    product_over=lambda first, left: _over_time("∏", first, left),
    there=_there,
    where_longer=f"<msup>{{body}}{_there('T > 1')}</msup>",
    group="<mrow><mo>(</mo>{body}<mo>)</mo></mrow>",
    bound=(f"<mrow><mi>ℒ</mi>{_OPEN}<mi>θ</mi><mo>,</mo><mi>φ</mi><mo>;</mo>{{given}}{_CLOSE}</mrow>"),
    equation="{whole}<mo>=</mo>{factors}",
    plus="<mo form='infix'>+</mo>",
    minus="<mo form='infix'>−</mo>",
    comma="<mo>,</mo>",
)


def mathml_writer(spec: Spec) -> FormulaWriter:
    """Return the writer of one spec's formulas; what it writes goes through `math`."""
    return FormulaWriter(spec, MATHML)


def math(body: str) -> str:
    """Return the element that shows what a writer wrote: in line, with sums and products at full size."""
    return f'<math displaystyle="true"><mrow>{body}</mrow></math>'


def formula_mathml(spec: Spec, formula: Formula) -> str:
    """Return an expression as one MathML element."""
    return math(mathml_writer(spec).formula(formula))
