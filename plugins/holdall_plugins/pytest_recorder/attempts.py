"""Attempts at tests, from their start to what pytest reports at their end."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from holdall import JobResult
from holdall_plugins.pytest_recorder.definitions import known_by_id
from holdall_plugins.pytest_recorder.outcomes import (
    WORKER_CRASHED,
    collection_error,
    duration_of,
    encoded,
    ending,
    has_failed,
    measured,
    output_of,
    skip_reason,
    subtest_name,
    subtest_outcome,
)
from holdall_plugins.pytest_recorder.workers import attachment_name, parts_of

if TYPE_CHECKING:
    import os

    from holdall import Recorder
    from holdall.recording import Attempt
    from holdall_plugins.pytest_recorder.definitions import Definition
    from holdall_plugins.pytest_recorder.outcomes import Ending, Report
    from holdall_plugins.pytest_recorder.workers import Measured, Parts


# Kept, for tests put other clocks in its place.
_now: Final = time.time


class TestAttempt:
    """One attempt at a test, and what pytest reported of it so far."""

    __test__ = False
    __slots__ = ("_attempt", "_failed_subtests", "_phases", "is_begun", "started_at", "worker")

    def __init__(self, attempt: Attempt, started_at: float) -> None:
        self._attempt: Final = attempt
        self._phases: Final[dict[str, Report]] = {}
        self._failed_subtests = 0
        self.is_begun = True
        self.started_at: Final = started_at
        self.worker = ""

    @property
    def is_whole(self) -> bool:
        """Whether pytest reported its last phase."""
        return "teardown" in self._phases or WORKER_CRASHED in self._phases

    def take(self, report: Report) -> None:
        """Take in a report on a phase, or on a subtest."""
        parts = parts_of(report)
        if parts is not None:
            self._take_parts(parts)
        name = subtest_name(report)
        if name is None:
            self._phases[report.when] = report
            return
        outcome, why = subtest_outcome(report)
        self._failed_subtests += outcome == "fail"
        self._attempt.subtest(name, outcome, duration=report.duration, message=why)
        for stream, data in output_of(report.sections):
            self._attempt.write(data, stream, delay=0.0)

    def _take_parts(self, parts: Parts) -> None:
        for attached in parts.attachments:
            path = Path(attached.path)
            self.attach(path, name=attached.name, media_type=attached.media_type)
            path.unlink(missing_ok=True)
        for measurement in parts.measurements:
            self.measure(measurement)

    def attach(
        self, content: str | os.PathLike[str] | bytes, *, name: str, media_type: str
    ) -> None:
        """Keep a file with the attempt."""
        name = attachment_name(content, name)
        what = content if isinstance(content, bytes) else Path(content)
        self._attempt.attach(name, what, media_type=media_type)

    def measure(self, measurement: Measured) -> None:
        """Keep a value with the attempt."""
        name, value, unit, lower, upper = measurement
        self._attempt.measurement(name, value, unit=unit, lower=lower, upper=upper)

    @property
    def sections(self) -> list[tuple[str, str]]:
        """What the test wrote and logged, as pytest keeps it."""
        sections: list[tuple[str, str]] = next(reversed(self._phases.values())).sections
        return sections

    @property
    def is_repeated(self) -> bool:
        """Whether pytest-rerunfailures, or flaky, tries the test again."""
        is_rerun = any(report.outcome == "rerun" for report in self._phases.values())
        return is_rerun or "call" not in self._phases

    def finish(self, before: list[tuple[str, str]], without_call: Ending) -> Ending:
        """Record what the reports say, and return it.

        Args:
            before: What the attempts before it wrote, which pytest reports once more.
            without_call: What it means that there is no report on the test itself.
        """
        end = ending(self._phases, self._failed_subtests, without_call=without_call)
        last = next(reversed(self._phases.values()))
        is_more = bool(before) and self.sections[: len(before)] == before
        for stream, data in output_of(self.sections[len(before) if is_more else 0 :]):
            self._attempt.write(data, stream, delay=0.0)
        for report in self._phases.values():
            if has_failed(report) or end.xfail:
                self._write_traceback(report)
        for name, value in last.user_properties:
            self._attempt.measurement(str(name), measured(value))
        if self.worker:
            self._attempt.measurement("worker", self.worker)
        for phase, outcome, why in end.phases:
            self._attempt.subtest(phase, outcome, message=why)
        self._attempt.finish(
            end.outcome,
            duration=duration_of(self._phases),
            comments=end.comments,
            skip_reason=end.skip_reason,
        )
        return end

    def _write_traceback(self, report: Report) -> None:
        if report.longrepr is not None and not isinstance(report.longrepr, tuple):
            self._attempt.write(encoded(f"{report.longreprtext}\n"), "stderr", delay=0.0)

    def discard(self) -> None:
        """Drop what came of it."""
        self._attempt.discard()


class TestAttempts:
    """Tests as jobs of a recorder: defined once, and attempted as often as pytest says."""

    __test__ = False

    def __init__(self, recorder: Recorder, *, without_call: Ending) -> None:
        self._recorder: Final = recorder
        self._without_call: Final = without_call
        self._definitions: Final[dict[str, Definition]] = {}
        self._open: Final[dict[str, TestAttempt]] = {}
        self._expected_to_fail: Final[set[str]] = set()
        self._written: Final[dict[str, list[tuple[str, str]]]] = {}

    def define(self, node_id: str, definition: Definition) -> None:
        """Record a test; a second time is no other."""
        if node_id not in self._definitions:
            self._definitions[node_id] = definition
            self._record(definition)

    def record_collection(self, node_id: str, report: Report) -> None:
        """Record that a file could not be collected, or is skipped."""
        self._definition(node_id)
        if report.outcome == "skipped":
            self._recorder.record(node_id, outcome="skip", skip_reason=skip_reason(report))
            return
        self._recorder.record(
            node_id,
            outcome="error",
            comments=f"collection failed: {collection_error(report)}",
            output=[(0.0, "stderr", encoded(f"{report.longreprtext}\n"))],
        )

    def record_repaired(self, node_id: str) -> None:
        """Record that a file is collected that once could not be."""
        self._recorder.record(node_id, outcome="pass", comments="it is collected now")

    def announce(self, node_id: str) -> None:
        """Record that a test begins next; pytest has not said so yet."""
        if node_id not in self._open:
            self.start(node_id).is_begun = False

    def begin(self, node_id: str) -> bool:
        """Begin an attempt, and return whether it was announced."""
        announced = self._open.get(node_id)
        if announced is None or announced.is_begun:
            self.start(node_id)
            return False
        announced.is_begun = True
        return True

    def start(self, node_id: str) -> TestAttempt:
        """Begin an attempt; one that pytest left open ends with what it has."""
        left = self._open.pop(node_id, None)
        if left is not None:
            self._settle(node_id, left, "pytest began the test again")
        definition = self._definition(node_id)
        attempt = TestAttempt(self._recorder.attempt(definition.id), _now())
        self._open[node_id] = attempt
        return attempt

    def running(self, node_id: str) -> TestAttempt:
        """Return the attempt at a test that goes on; begin it if pytest did not say so."""
        return self._open.get(node_id) or self.start(node_id)

    def finish(self, node_id: str) -> None:
        """Record how the attempt ended, if there is one."""
        attempt = self._open.pop(node_id, None)
        if attempt is not None:
            self._settle(node_id, attempt, "pytest reported no end of the test")

    def interrupt(self, reason: str) -> None:
        """End all attempts that go on; what is not whole is no result."""
        for node_id in list(self._open):
            attempt = self._open.pop(node_id)
            if attempt.is_begun:
                self._settle(node_id, attempt, reason)
            else:
                attempt.discard()
                self._recorder.record_result(self._definition(node_id).id, JobResult())

    def _settle(self, node_id: str, attempt: TestAttempt, reason: str) -> None:
        definition = self._definition(node_id)
        if not attempt.is_whole:
            attempt.discard()
            result = JobResult(
                outcome="crash",
                interrupted_by="killed",
                started_at=attempt.started_at,
                execution_duration=max(0.0, _now() - attempt.started_at),
                comments=reason,
            )
            self._recorder.record_result(definition.id, result)
            return
        try:
            end = attempt.finish(self._written.pop(node_id, []), self._without_call)
        except (TypeError, ValueError) as error:
            # Something in it can't be kept; that is told of this one test, and the run goes on.
            attempt.discard()
            comments = f"the result of the test can't be kept: {error}"
            self._recorder.record_result(
                definition.id, JobResult(outcome="error", comments=comments)
            )
            return
        is_expected = end.xfail
        if attempt.is_repeated:
            self._written[node_id] = attempt.sections
        if is_expected != (definition.id in self._expected_to_fail):
            self._expected_to_fail.symmetric_difference_update({definition.id})
            self._record(definition, xfail=is_expected)

    def _definition(self, node_id: str) -> Definition:
        if node_id not in self._definitions:
            self.define(node_id, known_by_id(node_id))
        return self._definitions[node_id]

    def _record(self, definition: Definition, **more: Any) -> None:
        self._recorder.job(
            definition.id,
            category=definition.category,
            summary=definition.summary,
            description=definition.description,
            origin=definition.origin,
            **more,
        )
