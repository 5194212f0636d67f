"""What providers come to: what is wrong with their definitions, and what would run."""

from holdall.validation.expansion import (
    Expansion,
    PlannedJob,
    WaitingTemplate,
    device_context,
    expand,
)
from holdall.validation.issue import Issue, Severity
from holdall.validation.validating import validate

__all__ = [
    "Expansion",
    "Issue",
    "PlannedJob",
    "Severity",
    "WaitingTemplate",
    "device_context",
    "expand",
    "validate",
]
