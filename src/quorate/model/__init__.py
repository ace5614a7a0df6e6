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
from quorate.model.report import Evidence, Report, TaskInstance, Verdict, upper_snake
from quorate.model.services import (
    AmqpAsk,
    AmqpReply,
    CheckObservation,
    PostgresAsk,
    PostgresReply,
    ServiceAsk,
    ServiceReply,
)
from quorate.model.state import Reason, State

__all__ = [
    "ActivePassive",
    "Addresses",
    "AmqpAsk",
    "AmqpReply",
    "Ask",
    "Check",
    "CheckObservation",
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
    "PostgresAsk",
    "PostgresReply",
    "Reason",
    "Reply",
    "Report",
    "Secret",
    "ServiceAsk",
    "ServiceReply",
    "SshSettings",
    "State",
    "TaskInstance",
    "UnitFacts",
    "Unobserved",
    "Verdict",
    "unit_id",
    "upper_snake",
]
