"""Log lines that explain a verdict: cleaned, masked and capped before anyone sees them."""

from quorate.evidence.cleaning import clean_text
from quorate.evidence.journal import evidence_from_journal, volatile_note
from quorate.evidence.masking import Mask, make_mask

__all__ = ["Mask", "clean_text", "evidence_from_journal", "make_mask", "volatile_note"]
