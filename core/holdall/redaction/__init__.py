"""Secrets masked in whatever form a reader could read them, in reports and in sessions."""

from typing import TYPE_CHECKING

from holdall.doors import lazy_door

if TYPE_CHECKING:
    from holdall.redaction.masker import MASK, Masker
    from holdall.redaction.recorded import check_rules, masked_event, rules_in, rules_record
    from holdall.redaction.rules import NOTHING_SECRET, RedactionRules, masker_of
else:
    __getattr__, __dir__ = lazy_door(
        __name__,
        {
            ".masker": ("MASK", "Masker"),
            ".recorded": ("check_rules", "masked_event", "rules_in", "rules_record"),
            ".rules": ("NOTHING_SECRET", "RedactionRules", "masker_of"),
        },
    )

__all__ = [
    "MASK",
    "NOTHING_SECRET",
    "Masker",
    "RedactionRules",
    "check_rules",
    "masked_event",
    "masker_of",
    "rules_in",
    "rules_record",
]
