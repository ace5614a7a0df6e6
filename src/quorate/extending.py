"""What a package needs that brings a kind of check of its own along; see docs/how-to/add-a-kind.md.

Names that are here, and those of `quorate.model`, keep their meaning as long as the major version does.
"""

from quorate.checks.cluster import Member, member_verdicts, node, unwell_detail
from quorate.checks.finding import Finding, words
from quorate.checks.kinds import Judge
from quorate.checks.quorum import NOT_ASKED, Quorum, judge_quorum
from quorate.checks.scene import Scene
from quorate.inventory.entries import CheckEntry, Entry, SecretEntry
from quorate.inventory.fields import (
    Address,
    Duration,
    Line,
    Percentage,
    Port,
    Size,
    default,
    required,
    unset,
)
from quorate.inventory.kinds.kind import Kind, Resolved, no_rules
from quorate.inventory.kinds.members import MemberEntry, member_rules, places
from quorate.inventory.kinds.tls import TlsEntry, tls
from quorate.inventory.secrets import secret
from quorate.model.extensions import Extension
from quorate.probes.json_body import flag, json_list, json_object, maybe, number, reading, text, whole_number
from quorate.probes.probe import Probe

__all__ = [
    "NOT_ASKED",
    "Address",
    "CheckEntry",
    "Duration",
    "Entry",
    "Extension",
    "Finding",
    "Judge",
    "Kind",
    "Line",
    "Member",
    "MemberEntry",
    "Percentage",
    "Port",
    "Probe",
    "Quorum",
    "Resolved",
    "Scene",
    "SecretEntry",
    "Size",
    "TlsEntry",
    "default",
    "flag",
    "json_list",
    "json_object",
    "judge_quorum",
    "maybe",
    "member_rules",
    "member_verdicts",
    "no_rules",
    "node",
    "number",
    "places",
    "reading",
    "required",
    "secret",
    "text",
    "tls",
    "unset",
    "unwell_detail",
    "whole_number",
    "words",
]
