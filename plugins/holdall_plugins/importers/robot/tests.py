"""A test of Robot Framework as a job, whichever format told of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from holdall import Subtest
from holdall.reading import LongText, moment_of, seconds_of
from holdall_plugins.importers.findings import LONGEST_COMMENT, Finding, Names

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from holdall import Recorder
    from holdall_plugins.importers.findings import Devices

OUTCOMES: Final = {"PASS": "pass", "FAIL": "fail", "SKIP": "skip", "NOT RUN": "skip"}
_NOT_PERFORMED: Final = (
    "Setup failed:",
    "Parent suite setup failed:",
    "Teardown failed:",
    "Parent suite teardown failed:",
)
_TIMED_OUT: Final = ("Test timeout ", "Task timeout ")
_LONGEST_MESSAGE: Final = 64 * 1024


@dataclass(slots=True)
class Ending:
    """How a test, a keyword or the tear-down of a suite ended.

    Attributes:
        status: A word of Robot's.
        message: Why.
        started_at: Seconds since 1970, where Robot says it.
        duration: Seconds.
    """

    status: str
    message: str = ""
    started_at: float | None = None
    duration: float | None = None

    @property
    def outcome(self) -> str:
        """The outcome that the status is.

        Raises:
            ValueError: There is no such status.
        """
        if self.status.replace("_", " ") not in OUTCOMES:
            raise ValueError(f"the status {self.status!r} is none of {', '.join(OUTCOMES)}")
        return OUTCOMES[self.status.replace("_", " ")]


@dataclass(slots=True)
class Test:
    """A test while it is read.

    Attributes:
        steps: Keywords and control structures that are directly in it.
    """

    suites: tuple[str, ...]
    name: str
    line: str = ""
    source: str = ""
    documentation: str = ""
    tags: list[str] = field(default_factory=list)
    output: LongText = field(default_factory=LongText)
    steps: list[Subtest] = field(default_factory=list)
    ending: Ending | None = None

    def say(self, level: str, text: str) -> None:
        """Add a message to the output."""
        self.output.add(f"{text}\n" if level in {"", "INFO"} else f"{level}: {text}\n")

    def step(self, name: str, ending: Ending, message: str) -> None:
        """Add a part; one that was not run is skipped."""
        why = ending.message or ("" if ending.outcome == "pass" else message)
        self.steps.append(
            Subtest(
                name=name or "keyword",
                outcome=ending.outcome,
                duration=ending.duration,
                message=why[:_LONGEST_MESSAGE] or None,
            )
        )


class Recording:
    """Tests as they are recorded; names that a suite has twice are told apart."""

    def __init__(self, recorder: Recorder, devices: Devices) -> None:
        self.recorder: Final = recorder
        self._devices: Final = devices
        self._names: Final = Names()

    def metadata(self, facts: Mapping[str, str]) -> None:
        """Take in what a suite says of what was tested."""
        self._devices.add(None, facts, "metadata of suites")

    def record(self, test: Test, teardowns: Sequence[Ending]) -> None:
        """Record a test; *teardowns* of suites around it did not pass, innermost first."""
        ending = test.ending or Ending("FAIL", "the output ends within the test")
        outcome, message = _after(ending, teardowns)
        finding = Finding(outcome, ending.duration, ending.started_at)
        if outcome == "skip":
            finding.skip_reason = message
        else:
            finding.comments = message[:LONGEST_COMMENT]
        finding.write("stdout", test.output)
        finding.subtests = test.steps
        for tag in test.tags:
            finding.measure("tag", tag)
        category = ".".join(test.suites)
        job_id = self._names.unique(f"{category}.{test.name}" if category else test.name)
        origin = f"{test.source}:{test.line}" if test.source and test.line else test.source
        self.recorder.job(job_id, description=test.documentation, category=category, origin=origin)
        finding.record(self.recorder, job_id, None)


def _after(ending: Ending, teardowns: Sequence[Ending]) -> tuple[str, str]:
    """Return outcome and message of a test, as Robot makes them of what tear-downs did."""
    outcome, message = ending.outcome, ending.message
    for teardown in teardowns:
        if teardown.outcome == "skip":
            earlier = f"\n\nEarlier message:\n{message}" if message else ""
            message = f"Skipped in parent suite teardown:\n{teardown.message}{earlier}"
            outcome = "skip"
        else:
            also = f"\n\nAlso parent suite teardown failed:\n{teardown.message}"
            alone = f"Parent suite teardown failed:\n{teardown.message}"
            message = f"{message}{also}" if message else alone
            outcome = "fail"
    if outcome == "fail":
        if message.startswith(_TIMED_OUT):
            outcome = "crash"
        elif message.startswith(_NOT_PERFORMED):
            outcome = "error"
    return outcome, message


def started(text: str | None) -> float | None:
    """Return a time of Robot's, which has no zone, or a space and no dashes before version 7."""
    if not text or text == "N/A":
        return None
    try:
        moment = datetime.strptime(text, "%Y%m%d %H:%M:%S.%f").replace(tzinfo=UTC)
    except ValueError:
        return moment_of(text)
    return max(moment.timestamp(), 0.0)


def lasted(begin: str | None, end: str | None, elapsed: str | None) -> float | None:
    """Return how long something took: the seconds that are told, or those between two times."""
    if elapsed is not None:
        return seconds_of(elapsed)
    first, last = started(begin), started(end)
    if first is None or last is None or last < first:
        return None
    return round(last - first, 6)
