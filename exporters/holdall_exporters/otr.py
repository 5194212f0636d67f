"""Open Test Reporting, the events form: what began and what ended, as JUnit's successor reads it.

Each attempt at a job is a test below its category, the category below its device if there are
several. A job in flight has begun and not ended. What the format has no element for are entries of
`data`: the outcome itself, subtests, measurements, exit codes, names of files. No element is of
another namespace, so the schemas of the format alone say whether a report is valid.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, BinaryIO, ClassVar, Final, Literal
from xml.etree.ElementTree import iterparse
from xml.sax.saxutils import escape

from msgspec import Meta

from holdall.results import Outcome
from holdall.writing import (
    cause_of,
    gathered,
    iso_milliseconds,
    kept_log,
    log_text,
    measured_text,
    number_text,
    reason_text,
    strip_escapes,
    wants_log,
    xml_text,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from holdall.contracts import ExportContext, Exporter, Sink
    from holdall.results import IOLogRecord, JobResult, Subtest
    from holdall.view import AttemptView, JobView, SessionView

_NAMESPACES: Final = "https://schemas.opentest4j.org/reporting"
_EVENT: Final = f"{{{_NAMESPACES}/events/0.2.0}}"
_ROOT: Final = (
    f'<?xml version="1.0" encoding="UTF-8"?>\n<e:events xmlns="{_NAMESPACES}/core/0.2.0"'
    f' xmlns:e="{_NAMESPACES}/events/0.2.0">\n'
)

_STATUSES: Final[Mapping[Outcome, str]] = {
    Outcome.PASS: "SUCCESSFUL",
    Outcome.FAIL: "FAILED",
    Outcome.CRASH: "FAILED",
    Outcome.ERROR: "FAILED",
    Outcome.UNDECIDED: "ABORTED",
    **{outcome: "SKIPPED" for outcome in Outcome if outcome.skipped},
}


@dataclass(frozen=True)
class Options:
    """Options of the file.

    Attributes:
        logs: Whose output it holds: nobody's, that of failed attempts, all.
        log_max: Bytes of one log at most; what is more is left out of its middle.
    """

    logs: Literal["none", "failed", "all"] = "failed"
    log_max: Annotated[int, Meta(ge=1)] = 1 << 20


class OtrExporter:
    """A test for each attempt, in the order of the run list."""

    summary: ClassVar[str] = "Open Test Reporting, as events"
    suffix: ClassVar[str] = ".xml"
    media_type: ClassVar[str] = "application/xml"
    Options: ClassVar[type] = Options

    def export(self, view: SessionView, sink: Sink, context: ExportContext) -> None:
        """Write the events, those of one job behind each other."""
        for piece in gathered(text.encode() for text in _Events(view, context).written()):
            sink.write(piece)

    @staticmethod
    def verify(report: BinaryIO) -> None:
        """Read the file as XML, and see that nothing ends that has not begun."""
        begun: set[str] = set()
        root = ""
        for event, element in iterparse(report, events=("start", "end")):  # noqa: S314 - our own
            root = root or element.tag
            if event == "start":
                continue
            number = element.get("id", "")
            if element.tag == f"{_EVENT}started":
                begun.add(number)
            elif element.tag == f"{_EVENT}finished":
                if number not in begun:
                    raise ValueError(f"{number!r} ends, and has not begun")
                begun.remove(number)
            if element.tag.startswith(_EVENT):
                element.clear()
        if root != f"{_EVENT}events":
            raise ValueError(f"it is no Open Test Report but {root!r}")


class _Events:
    """Numbers what begins, and keeps which categories have begun."""

    def __init__(self, view: SessionView, context: ExportContext) -> None:
        self._view: Final = view
        self._context: Final = context
        self._options: Final[Options] = context.options
        self._several: Final = len(view.devices) > 1
        self._created: Final = view.created
        self._parents: Final[dict[tuple[str, ...], int]] = {}
        self._last = 0

    def written(self) -> Iterator[str]:
        """Yield the document in pieces."""
        view, total = self._view, self._view.job_count
        yield _ROOT
        if len(view.devices) == 1:
            host = _text(view.devices[0].id)
            yield f"<infrastructure><hostName>{host}</hostName></infrastructure>\n"
        for number, job in enumerate(view.jobs()):
            path = (job.device_id, job.category) if self._several else (job.category,)
            if path not in self._parents:
                yield from self._begin_parents(path)
            yield "".join(self._job(job, self._parents[path]))
            if number % 100 == 0:
                self._context.progress(number, total)
        end = iso_milliseconds(view.modified)
        for parent in reversed(self._parents.values()):
            yield (
                f'<e:finished id="{parent}" time="{end}"><result status="SUCCESSFUL"/>'
                "</e:finished>\n"
            )
        yield "</e:events>\n"

    def _begin_parents(self, path: tuple[str, ...]) -> Iterator[str]:
        """Yield the start of a category, and of its device, at its first job."""
        parent: int | None = None
        for end in range(1, len(path) + 1):
            if path[:end] not in self._parents:
                yield f"{self._started(path[end - 1], self._created, parent)}/>\n"
                self._parents[path[:end]] = self._last
            parent = self._parents[path[:end]]

    def _started(self, name: str, at: float, parent: int | None) -> str:
        self._last += 1
        inside = "" if parent is None else f' parentId="{parent}"'
        named = _attribute(name or "unnamed")
        time = iso_milliseconds(at)
        return f'<e:started id="{self._last}" name="{named}"{inside} time="{time}"'

    def _job(self, job: JobView, parent: int) -> Iterator[str]:
        """Yield the events of every attempt at *job*; one in flight, or none yet, is one more."""
        sources = _sources(job)
        attempts = job.attempts
        for attempt in attempts:
            is_last = attempt is attempts[-1] and not job.in_flight
            begun = attempt.started_at
            begin = self._created if begun is None else begun
            yield f"{self._started(job.id, begin, parent)}>{sources}</e:started>\n"
            yield self._ended(job, attempt, begin, is_last=is_last)
        if job.in_flight or not attempts:
            yield f"{self._started(job.id, self._created, parent)}>{sources}</e:started>\n"
            if not job.in_flight:
                yield (
                    f'<e:finished id="{self._last}" time="{iso_milliseconds(self._created)}">'
                    '<result status="SKIPPED"><reason>not started</reason></result>'
                    "</e:finished>\n"
                )

    def _ended(self, job: JobView, attempt: AttemptView, begin: float, *, is_last: bool) -> str:
        """Return the end of an attempt: what it left behind, and why it ended so."""
        told = attempt.result
        outcome = attempt.counts_as
        end = begin + max(told.execution_duration or 0.0, 0.0)
        time = iso_milliseconds(end)
        output = self._output(attempt, time) if wants_log(self._options.logs, attempt) else ()
        reason = reason_text(told)
        if outcome.failed and not reason:
            reason = cause_of(job) if is_last else _exit(told) or told.outcome.value
        inside = f"<reason>{_text(reason)}</reason>" if reason else ""
        status = _STATUSES.get(outcome, "ABORTED")
        return (
            f'<e:finished id="{self._last}" time="{time}"><attachments><data time="{time}">'
            f"{''.join(_entries(job, told))}</data>{''.join(output)}</attachments>"
            f'<result status="{status}">{inside}</result></e:finished>\n'
        )

    def _output(self, attempt: AttemptView, time: str) -> Iterator[str]:
        """Yield the output, a piece for each run of one stream."""
        streams: dict[str, list[IOLogRecord]] = {}
        for record in kept_log(attempt, self._options.log_max, self._context):
            streams.setdefault(record.stream, []).append(record)
        for name in sorted(streams, reverse=True):
            yield f'<output time="{time}" source="{name}">'
            yield from map(_text, log_text(streams[name]))
            yield "</output>"


def _entries(job: JobView, told: JobResult) -> Iterator[str]:
    """Yield what the format has no element for."""
    yield (
        f'<entry key="outcome">{told.outcome}</entry>'
        f'<entry key="certification status">{_text(job.certification_status)}</entry>'
    )
    if job.xfail:
        yield '<entry key="expected to fail">yes</entry>'
    if told.return_code is not None:
        yield f'<entry key="exit code">{told.return_code}</entry>'
    if told.interrupted_by is not None:
        yield _entry("interrupted by", told.interrupted_by)
    for part in told.subtests:
        yield _entry(f"subtest {part.name}", _stated(part))
    for measurement in told.measurements:
        yield _entry(measurement.name, measured_text(measurement))
    for file in told.attachments:
        yield _entry(f"file {file.name}", f"{file.media_type}, {file.size} bytes")
    if told.io_log_dropped:
        yield f'<entry key="bytes of output not kept">{told.io_log_dropped}</entry>'


def _entry(key: str, value: str) -> str:
    return f'<entry key="{_attribute(key)}">{_text(value)}</entry>'


def _stated(part: Subtest) -> str:
    lasted = "" if part.duration is None else f" ({number_text(part.duration)} s)"
    words = f": {strip_escapes(part.message)}" if part.message else ""
    return f"{part.outcome}{lasted}{words}"


def _exit(told: JobResult) -> str:
    return "" if told.return_code is None else f"exit code {told.return_code}"


def _sources(job: JobView) -> str:
    """Return where a job is defined, with the line if that is known."""
    path, line = job.place
    if not path:
        return ""
    position = "" if line is None else f'<filePosition line="{line}"/>'
    return f'<sources><fileSource path="{_attribute(path)}">{position}</fileSource></sources>'


def _text(text: str) -> str:
    """Return *text* as content; a return stays one, which a reader would take for a line feed."""
    shown = xml_text(text)
    return escape(shown, _IN_TEXTS) if _SIGNS.search(shown) else shown


def _attribute(text: str) -> str:
    shown = xml_text(text)
    return escape(shown, _IN_ATTRIBUTES) if _SIGNS.search(shown) else shown


_SIGNS: Final = re.compile('[&<>"\\n\\r\\t]')
_IN_TEXTS: Final = {"\r": "&#13;"}
_IN_ATTRIBUTES: Final = {'"': "&quot;", "\n": "&#10;", "\r": "&#13;", "\t": "&#9;"}


if TYPE_CHECKING:
    _: type[Exporter] = OtrExporter
