"""What a page must satisfy beyond its form; every fault is reported, a follow-on of another fault is not."""

from __future__ import annotations

from dvaec.spec.build import Parsed
from dvaec.spec.check_auxiliary import check_auxiliary, check_starts
from dvaec.spec.check_conditionals import check_generation, check_inference
from dvaec.spec.check_developed import check_nodes
from dvaec.spec.check_heads import check_heads
from dvaec.spec.check_networks import check_networks
from dvaec.spec.check_objective import check_objective
from dvaec.spec.check_order import chain_rule, declared
from dvaec.spec.check_page import check_page
from dvaec.spec.check_rings import check_developed_cycles, check_rings
from dvaec.spec.check_unread import check_unread
from dvaec.spec.check_variables import check_variables
from dvaec.spec.codes import Code
from dvaec.spec.context import Context, context_of
from dvaec.spec.report import Report
from dvaec.spec.unswept import ChainRule

UNDRAWABLE = (
    Code.CYCLE,
    Code.CYCLE_OVER_TIME,
    Code.CYCLE_OF_LEVELS,
    Code.CYCLE_DEVELOPED,
    Code.INFERENCE_CYCLE,
)
"""What leaves no order to judge the rest by."""


def check(parsed: Parsed, report: Report) -> tuple[dict[str, bool], ChainRule]:
    """Report every fault of meaning; return whether each variable is framed, and the order of the latents."""
    context: Context = context_of(parsed, report)
    check_variables(context)
    check_generation(context)
    check_inference(context)
    check_page(context)
    q = declared(context)
    chain = chain_rule(context, q)
    check_nodes(context)
    check_heads(context)
    check_developed_cycles(context)
    check_starts(context)
    check_rings(context)
    check_auxiliary(context)
    check_networks(context, q)
    check_objective(context)
    if not report.found:
        check_unread(context)
    circular = any(fault.code in UNDRAWABLE for fault in report.found)
    return context.framed, ChainRule(()) if circular else chain
