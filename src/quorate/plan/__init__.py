"""Turns an inventory and a selection into what is asked of whom: each host once, in one batch."""

from quorate.plan.hosts import HostPlan, Plan, make_plan
from quorate.plan.selection import SelectorError, verdict_ids

__all__ = ["HostPlan", "Plan", "SelectorError", "make_plan", "verdict_ids"]
