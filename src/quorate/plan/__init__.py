"""Turns an inventory and a selection into what is asked of whom: each host once, in one batch."""

from quorate.model.selectors import SelectorError, verdict_ids
from quorate.plan.hosts import HostPlan, Plan, make_plan

__all__ = ["HostPlan", "Plan", "SelectorError", "make_plan", "verdict_ids"]
