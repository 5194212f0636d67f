"""The promises of plugins as plain functions; pytest is not needed to run them.

suite = suite_of("exporters")
subject = suite.installed("acme.markdown", Registry.discover(), Given())
for finding in findings(suite, subject):
    print(finding.check, finding.outcome, finding.message)
"""

from __future__ import annotations

from holdall.testing.checks.outcomes import CheckFailed, CheckSkipped, Finding
from holdall.testing.checks.suites import Given, Suite, findings, made, promise_of, suite_of

__all__ = [
    "CheckFailed",
    "CheckSkipped",
    "Finding",
    "Given",
    "Suite",
    "findings",
    "made",
    "promise_of",
    "suite_of",
]
