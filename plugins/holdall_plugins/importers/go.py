"""Events of `go test -json` (test2json): one object a line, tests of a package mixed.

A line that is no object is what the compiler or a program printed beside them; it is counted.
"""

from __future__ import annotations

import math
import re
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import msgspec

from holdall.reading import moment_of, text_lines
from holdall.results import Measurement

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from holdall.contracts import Importer
    from holdall.recording import Attempt, Recorder

_EVENT: Final = re.compile(
    r'\{(?=.*"Action"\s*:\s*"[a-z-]+")(?=.*"(?:Package|ImportPath)"\s*:\s*").*\}', re.ASCII
)
_ENDS: Final = {"pass": "pass", "fail": "fail", "skip": "skip", "bench": "pass"}
_PASSED_OVER: Final = frozenset({"start", "pause", "cont", "artifacts"})
_MESSAGE: Final = re.compile(r"\s*([\w./-]+\.go:\d+(?::\d+)?: .*)")
_FRAME: Final = re.compile(r"\s*(?:=== \w+|--- \w+:)")
_VALUE: Final = re.compile(r"[0-9]+(?:\.[0-9]+)?(?:e[+-]?[0-9]+)?")
_LONGEST_VALUES: Final = 4096
_IN_MEMORY: Final = 64 * 1024


class _Event(msgspec.Struct, frozen=True):
    action: str = msgspec.field(name="Action")
    time: str = msgspec.field(name="Time", default="")
    package: str = msgspec.field(name="Package", default="")
    import_path: str = msgspec.field(name="ImportPath", default="")
    test: str = msgspec.field(name="Test", default="")
    output: str = msgspec.field(name="Output", default="")
    output_type: str = msgspec.field(name="OutputType", default="")
    elapsed: float | None = msgspec.field(name="Elapsed", default=None)
    key: str = msgspec.field(name="Key", default="")
    value: str = msgspec.field(name="Value", default="")


_decode: Final = msgspec.json.Decoder(_Event).decode


class GoImporter:
    """Records each test, also one that has parts, as go counts them; a package if it broke."""

    def accepts(self, head: bytes, name: str) -> bool:
        """Return whether one of the first lines is an event."""
        lines = head.decode("utf-8", "replace").lstrip("\ufeff").splitlines()
        return any(_EVENT.fullmatch(line.strip()) for line in lines)

    def load(self, source: Path, recorder: Recorder) -> None:
        """Record the run."""
        run = _Run(recorder)
        try:
            self._read(source, run)
        except ValueError:
            run.finish()  # what ran counts, where the import is partial
            raise
        run.finish()

    @staticmethod
    def _read(source: Path, run: _Run) -> None:
        for number, line in text_lines(source):
            if not line.startswith("{"):
                run.pass_over(line)
                continue
            try:
                run.take(_decode(line))
            except (ValueError, TypeError) as error:
                raise ValueError(f"line {number}: {error}") from error


class _Test:
    """A test while it runs: what it printed, and when it began."""

    __slots__ = (
        *("_attempt", "_output", "_recorder", "_size", "is_job"),
        *("job_id", "measurements", "said", "started_at"),
    )

    def __init__(self, recorder: Recorder, job_id: str, started: str = "") -> None:
        self.job_id: Final = job_id
        self.started_at: Final = moment_of(started)  # Go's zero, the year 1, is none
        self.is_job = True
        self.said = ""
        self.measurements: list[Measurement] = []
        self._recorder: Final = recorder
        self._output: list[bytes] = []
        self._size = 0
        self._attempt: Attempt | None = None

    def write(self, text: str) -> None:
        """Keep what the test printed; much of it goes to the session at once."""
        data = text.encode("utf-8", "surrogatepass")
        if self._attempt is not None:
            self._attempt.write(data, delay=0.0)
            return
        if self._size + len(data) > _IN_MEMORY and not self.is_job:
            self._recorder.leave_out("bytes that packages printed outside of tests", len(data))
            return
        self._output.append(data)
        self._size += len(data)
        if self._size > _IN_MEMORY:
            self._attempt = self._recorder.attempt(self.job_id, started_at=self.started_at)
            self._attempt.write(b"".join(self._output), delay=0.0)
            self._output.clear()

    def end(self, outcome: str, duration: float | None, *, comments: str | None = None) -> None:
        """Record the test."""
        said = comments or self.said or None
        reason = said if outcome == "skip" else None
        told = None if outcome in {"pass", "skip"} else said
        if self._attempt is not None:
            self._attempt.finish(
                outcome,
                duration=duration,
                comments=told,
                skip_reason=reason,
                measurements=self.measurements,
            )
            return
        self._recorder.record(
            self.job_id,
            outcome=outcome,
            started_at=self.started_at,
            duration=duration,
            comments=told,
            skip_reason=reason,
            output=b"".join(self._output),
            measurements=self.measurements,
        )


class _Run:
    """Tests that run, by package and name, and what is known of each package."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder: Final = recorder
        self._running: Final[dict[tuple[str, str], _Test]] = {}
        self._packages: Final[dict[str, _Test]] = {}
        self._with_failures: Final[set[str]] = set()

    def pass_over(self, line: str) -> None:
        """Count a line that is no event, unless it is blank."""
        if line.strip():
            self._recorder.leave_out("lines that are no events")

    def take(self, event: _Event) -> None:
        """Take in one event.

        Raises:
            ValueError: It is none that `go test` has.
        """
        package = event.package or event.import_path.partition(" ")[0]
        if not package:
            raise ValueError("the event names no package")
        if event.action in {"output", "build-output"}:
            self._write(event, package)
        elif event.action == "run":
            self._begin(event, package)
        elif event.action == "attr":
            value = Measurement(name=event.key or "attribute", value=event.value)
            self._test(event, package).measurements.append(value)
        elif event.action == "build-fail":
            self._package(package)
        elif event.action in _ENDS:
            self._end(event, package)
        elif event.action not in _PASSED_OVER:
            known = ", ".join(sorted({*_ENDS, *_PASSED_OVER, "run", "output"}))
            raise ValueError(f"the action {event.action!r} is none of {known}")

    def _begin(self, event: _Event, package: str) -> None:
        key = package, event.test
        job_id = f"{package}.{event.test}"
        self._recorder.job(job_id, summary=event.test, category=package)
        self._running[key] = _Test(self._recorder, job_id, event.time)

    def _test(self, event: _Event, package: str) -> _Test:
        if not event.test:
            return self._package(package)
        if (package, event.test) not in self._running:
            self._begin(event, package)
        return self._running[package, event.test]

    def _package(self, package: str) -> _Test:
        if package not in self._packages:
            self._packages[package] = _Test(self._recorder, package)
            self._packages[package].is_job = False  # it is one only if it breaks
        return self._packages[package]

    def _write(self, event: _Event, package: str) -> None:
        test = self._test(event, package)
        test.write(event.output)
        if event.output_type == "frame":
            return
        if event.test.startswith("Benchmark"):
            test.measurements.extend(self._values(event.output))
        if not test.said and ".go:" in event.output and not _FRAME.match(event.output):
            message = _MESSAGE.match(event.output)
            if message:
                test.said = message[1].rstrip()

    def _values(self, line: str) -> Iterator[Measurement]:
        """Yield the numbers that a line of a benchmark gives, such as `12.5 ns/op`."""
        words = line.split() if len(line) <= _LONGEST_VALUES else []
        for value, unit in pairwise(words):
            if unit.endswith(("/op", "/s")) and _VALUE.fullmatch(value):
                if math.isfinite(float(value)):
                    yield Measurement(name=unit, value=float(value), unit=unit)
                else:
                    self._recorder.leave_out("numbers of benchmarks that are not finite")

    def _end(self, event: _Event, package: str) -> None:
        outcome = _ENDS[event.action]
        if event.test:
            test = self._test(event, package)
            del self._running[package, event.test]
            test.end(outcome, event.elapsed)
            if outcome == "fail":
                self._with_failures.add(package)
            return
        whole = self._packages.pop(package, None) or _Test(self._recorder, package)
        self._crash(package, "the package ended before the test did")
        if outcome == "fail" and package not in self._with_failures:
            self._recorder.job(package, category=package)
            whole.end("error", event.elapsed, comments=whole.said or "the package failed")
        elif outcome == "skip":
            self._recorder.leave_out("packages without tests")

    def _crash(self, package: str | None, reason: str) -> None:
        """End the tests of a package, or all, that have no end of their own."""
        for key in self._unended(package):
            self._running.pop(key).end("crash", None, comments=reason)
            self._with_failures.add(key[0])

    def _unended(self, package: str | None) -> Iterator[tuple[str, str]]:
        yield from [key for key in self._running if package is None or key[0] == package]

    def finish(self) -> None:
        """Record what never ended: the stream was cut off, or the run was killed."""
        self._crash(None, "the stream ended before the test did")
        for package, whole in self._packages.items():
            self._recorder.job(package, category=package)
            whole.end("crash", None, comments="the stream ended before the package did")


if TYPE_CHECKING:
    _: type[Importer] = GoImporter
