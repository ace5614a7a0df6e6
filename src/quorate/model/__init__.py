"""Frozen values that every other room speaks in; standard library only."""

from quorate.model.asking import Ask, Contact, NoReply, Reply
from quorate.model.facts import Addresses, HostObservation, UnitFacts, Unobserved
from quorate.model.inventory import (
    ActivePassive,
    Check,
    EvidenceSettings,
    Group,
    Host,
    Inventory,
    JudgingSettings,
    LogsFrom,
    Secret,
    SshSettings,
    unit_id,
)
from quorate.model.report import Evidence, Report, Verdict
from quorate.model.state import Reason, State

__all__ = [
    "ActivePassive",
    "Addresses",
    "Ask",
    "Check",
    "Contact",
    "Evidence",
    "EvidenceSettings",
    "Group",
    "Host",
    "HostObservation",
    "Inventory",
    "JudgingSettings",
    "LogsFrom",
    "NoReply",
    "Reason",
    "Reply",
    "Report",
    "Secret",
    "SshSettings",
    "State",
    "UnitFacts",
    "Unobserved",
    "Verdict",
    "unit_id",
]
