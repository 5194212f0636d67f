"""The one word on a session, and why: the same in every report and for the exit code.

A session passes if at least one job passed, none failed or crashed, and nothing
is left to do: no job of the run list without a result, none undecided, none in
flight. Skipped jobs don't matter, and neither does the certification status:
a non-blocker that fails is a failure too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from holdall.results import Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping

    from holdall.exports.job import JobView
    from holdall.exports.view import SessionView

EXAMPLES: Final = 10
"""How many jobs a reason names at most; it knows how many more there are."""

# What speaks against a pass, worst first, with the words for one job and for several.
_AGAINST: Final[Mapping[str, tuple[str, str]]] = {
    "failed": ("job failed", "jobs failed"),
    "crashed": ("job crashed", "jobs crashed"),
    "in-flight": (
        "job was started and has not ended",
        "jobs were started and have not ended",
    ),
    "undecided": ("job is undecided", "jobs are undecided"),
    "not-started": ("job was not started", "jobs were not started"),
}
_CODES: Final[Mapping[Outcome, str]] = {
    Outcome.FAIL: "failed",
    Outcome.CRASH: "crashed",
    Outcome.UNDECIDED: "undecided",
    Outcome.NONE: "not-started",
}


@dataclass(frozen=True, slots=True)
class Reason:
    """One kind of thing that keeps a session from passing.

    Attributes:
        code: `failed`, `crashed`, `in-flight`, `undecided`, `not-started` or `nothing-passed`.
        count: How many jobs it is about.
        jobs: The first of them; with the device in front if there are several.
    """

    code: str
    count: int = 0
    jobs: tuple[str, ...] = ()

    @property
    def headline(self) -> str:
        """The reason without the jobs: `2 jobs failed`."""
        if self.code not in _AGAINST:
            return "no job passed"
        one, several = _AGAINST[self.code]
        return f"{self.count} {one if self.count == 1 else several}"

    def __str__(self) -> str:
        if not self.jobs:
            return self.headline
        more = f" and {self.count - len(self.jobs)} more" if self.count > len(self.jobs) else ""
        return f"{self.headline}: {', '.join(self.jobs)}{more}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a session passed, and what speaks against it, worst first."""

    passed: bool
    reasons: tuple[Reason, ...] = ()

    @property
    def word(self) -> str:
        """`PASS` or `FAIL`."""
        return "PASS" if self.passed else "FAIL"


def verdict(view: SessionView) -> Verdict:
    """Return the verdict on the whole session; an empty one has not passed."""
    counts = dict.fromkeys(_AGAINST, 0)
    examples: dict[str, list[str]] = {code: [] for code in _AGAINST}
    several = len(view.devices) > 1
    any_passed = False
    for job in view.whole.jobs():
        code = _code(job)
        any_passed |= job.outcome is Outcome.PASS
        if code is None:
            continue
        counts[code] += 1
        if len(examples[code]) < EXAMPLES:
            examples[code].append(f"{job.device_id}: {job.id}" if several else job.id)
    reasons = [Reason(code, n, tuple(examples[code])) for code, n in counts.items() if n]
    if not any_passed:
        reasons.append(Reason("nothing-passed"))
    return Verdict(not reasons, tuple(reasons))


def _code(job: JobView) -> str | None:
    return "in-flight" if job.in_flight else _CODES.get(job.outcome)
