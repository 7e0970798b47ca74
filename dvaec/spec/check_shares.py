"""What choices are shared out by: weights that are never negative and add up to one."""

from __future__ import annotations

from dvaec.spec.build import Parsed
from dvaec.spec.codes import Code
from dvaec.spec.model import Block, Convolution, Custom, Dense, Family, Spec
from dvaec.spec.report import Report


def check_shares(spec: Spec, parsed: Parsed, report: Report) -> None:
    """Report `weights` and `by` of what is neither a one-hot variable nor a feature that ends in softmax."""
    sharing = {v.name for v in spec.variables if v.family is Family.CATEGORICAL}
    sharing |= {f.name for f in spec.features if _shares(f.block)}
    for path, read in parsed.reads.items():
        if path[-1] not in ("weights", "by"):
            continue
        for reference in (r for r in read.references if r.name not in sharing):
            message = f"'{path[-1]}' shares out by what adds up to one, and '{reference.name}' need not"
            hint = "a categorical variable does, and a feature that ends in softmax: layers: [3 softmax]"
            report.add(Code.BLOCK_READS, message, read.scalar.part(reference.start, reference.stop), hint)


def _shares(block: Block) -> bool:
    match block:
        case Dense(layers=layers) | Convolution(channels=layers):
            return bool(layers) and layers[-1].activation == "softmax" and not layers[-1].dropout
        case Custom():
            return True  # whoever wrote it knows
        case _:
            return False
