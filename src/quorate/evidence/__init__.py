"""Log lines that explain a verdict: cleaned, masked and capped before anyone sees them."""

from quorate.evidence.cleaning import clean_text
from quorate.evidence.journal import evidence_from_journal, volatile_note
from quorate.evidence.masking import Mask, make_mask
from quorate.evidence.task_logs import evidence_of_task, find_entries

__all__ = [
    "Mask",
    "clean_text",
    "evidence_from_journal",
    "evidence_of_task",
    "find_entries",
    "make_mask",
    "volatile_note",
]
