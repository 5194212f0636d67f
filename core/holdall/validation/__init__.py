"""What providers come to: what is wrong with their definitions, and what would run."""

from holdall.validation.issue import Issue, Severity
from holdall.validation.validating import validate

__all__ = ["Issue", "Severity", "validate"]
