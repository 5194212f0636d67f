"""JUnit XML, the report that every CI system already reads.

The file is valid against the schema of Jenkins' xUnit plugin (junit-10.xsd) and
keeps the stricter rules of windyroad's at the same time: suites don't nest, each
has properties, cases, system-out and system-err in this order, a case has one
child at most, times have three decimals. It is ASCII: some readers guess the
encoding. Characters that XML can't hold are visible (`␛`), terminal escape
sequences are left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, ClassVar, Final, Literal
from xml.sax.saxutils import escape

from holdall.exports.cleaning import xml_text
from holdall.exports.escapes import strip_escapes
from holdall.exports.logs import LogChoice, log_text, wants_log
from holdall.exports.moments import iso, moment
from holdall.results import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from holdall.contracts import ExportContext, Exporter, Sink
    from holdall.exports.group import JobGroup
    from holdall.exports.job import JobView
    from holdall.exports.view import SessionView

# What each outcome is in JUnit; a passing case has no child. A job in flight is an error,
# whatever its earlier attempts say: nobody knows how it would have ended.
_TAGS: Final[Mapping[Outcome, str]] = {
    Outcome.PASS: "",
    Outcome.FAIL: "failure",
    Outcome.CRASH: "error",
    Outcome.NONE: "skipped",
    Outcome.SKIP: "skipped",
    Outcome.SKIPPED_DEPENDENCY: "skipped",
    Outcome.SKIPPED_RESOURCE: "skipped",
    Outcome.SKIPPED_MANIFEST: "skipped",
    Outcome.NOT_SUPPORTED: "skipped",
    Outcome.NOT_IMPLEMENTED: "skipped",
    Outcome.UNDECIDED: "skipped",
}
_IN_FLIGHT: Final = "error"


@dataclass(frozen=True)
class Options:
    """What the file holds.

    Attributes:
        logs: Whose output it holds: nobody's, or that of failed and crashed jobs. The output
            of other jobs has no place in a file that all readers take, so `all` is the same.
    """

    logs: Literal["none", "failed", "all"] = "failed"


class JUnitExporter:
    """One `testsuite` per device and category."""

    summary: ClassVar[str] = "JUnit XML for CI systems"
    suffix: ClassVar[str] = ".xml"
    media_type: ClassVar[str] = "application/xml"
    Options: ClassVar[type] = Options

    def export(self, view: SessionView, sink: Sink, context: ExportContext) -> None:
        """Write the suites, each counted before its cases are written."""
        sink.write(b'<?xml version="1.0" encoding="US-ASCII"?>\n<testsuites>\n')
        several = len(view.devices) > 1
        total, done = view.job_count, 0
        for number, group in enumerate(view.groups()):
            sink.write(_suite_start(view, group, number, several=several))
            for prop in _properties(view, group, context):
                sink.write(prop)
            for job in group.jobs():
                for piece in _case(job, _class_name(group, several=several), context.options.logs):
                    sink.write(piece)
            sink.write(b"    <system-out>")
            for job in group.jobs():
                if job.attempt_count > 1:
                    sink.write(_history(job))
            sink.write(b"</system-out>\n    <system-err/>\n  </testsuite>\n")
            done += len(group)
            context.progress(done, total)
        sink.write(b"</testsuites>\n")


def _suite_start(view: SessionView, group: JobGroup, number: int, *, several: bool) -> bytes:
    tags = [_tag(job) for job in group.jobs()]
    name = f"{group.device_id}: {group.category}" if several else group.category
    timestamp = iso(moment(view.created)).removesuffix("Z")
    return (
        b'  <testsuite id="%d" name="%b" package="%b" hostname="%b" timestamp="%b" '
        b'tests="%d" failures="%d" errors="%d" skipped="%d" time="%.3f">\n'
    ) % (
        number,
        _attribute(name, empty="uncategorised"),
        _attribute(group.category_id),
        _attribute(group.device_id, empty="localhost"),
        timestamp.encode(),
        len(tags),
        tags.count("failure"),
        tags.count("error"),
        tags.count("skipped"),
        group.duration,
    )


def _properties(view: SessionView, group: JobGroup, context: ExportContext) -> Iterator[bytes]:
    device = next(each for each in view.devices if each.id == group.device_id)
    properties = {
        "holdall.session": view.session_id,
        "holdall.title": view.title,
        "holdall.exporter": context.provenance,
        "holdall.device": device.description or device.id,
        "holdall.test-plans": " ".join(plan.id for plan in view.plans),
        **{f"holdall.device.{name}": value for name, value in device.facts.items()},
    }
    yield b"    <properties>\n"
    for name, value in properties.items():
        yield b'      <property name="%b" value="%b"/>\n' % (_attribute(name), _attribute(value))
    yield b"    </properties>\n"


def _class_name(group: JobGroup, *, several: bool) -> bytes:
    """Return what, with the name of a case, is the same for no two cases."""
    category = _distinct(group.category_id) or "uncategorised"
    if not several:
        return _attribute(category)
    device = _distinct(group.device_id).replace("%", "%25").replace("/", "%2F")
    return _attribute(f"{device}/{category}")


def _case(job: JobView, class_name: bytes, logs: LogChoice) -> Iterator[bytes]:
    tag = _tag(job)
    yield b'    <testcase classname="%b" name="%b" time="%.3f"' % (
        class_name,
        _attribute(_distinct(job.id), empty="unnamed"),
        job.duration or 0.0,
    )
    if not tag:
        yield b"/>\n"
        return
    kind = "in-flight" if job.in_flight else job.outcome
    yield b'>\n      <%b type="%b" message="%b"' % (
        tag.encode(),
        _attribute(kind),
        _attribute(_message(job)),
    )
    if tag == "skipped" or job.in_flight:
        yield b"/>\n    </testcase>\n"
        return
    yield b">"
    if job.comments:
        yield _content(strip_escapes(job.comments)) + b"\n"
    if wants_log("failed" if logs == "all" else logs, job):
        for piece in log_text(job.io_log()):
            yield _content(piece)
    yield b"</%b>\n    </testcase>\n" % tag.encode()


def _tag(job: JobView) -> str:
    return _IN_FLIGHT if job.in_flight else _TAGS[job.outcome]


def _message(job: JobView) -> str:
    """Return the label, and the reason or the first line of the comments if there is one."""
    words = job.skip_reason or job.comments
    first = strip_escapes(words).strip().partition("\n")[0]
    return f"{job.label}: {first}" if first else job.label


def _history(job: JobView) -> bytes:
    ended = ", ".join(attempt.label for attempt in job.attempts)
    return _content(f"{job.id}: {job.attempt_count} attempts: {ended}\n")


def _distinct(text: str) -> str:
    """Return *text* for a name that readers compare, so that no two texts become one.

    Blanks and illegal characters, which readers change each in its own way, add
    a digest of what the text was.
    """
    plain = " ".join(xml_text(text).split())
    if plain == text:
        return text
    return f"{plain} #{sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:12]}"


def _attribute(text: str, *, empty: str = "") -> bytes:
    value = xml_text(text)
    if not value.strip():
        value = empty
    return escape(value, _QUOTES).encode("ascii", "xmlcharrefreplace")


def _content(text: str) -> bytes:
    return escape(xml_text(text), _RETURNS).encode("ascii", "xmlcharrefreplace")


_RETURNS: Final = {"\r": "&#13;"}
_QUOTES: Final = {'"': "&quot;", "\t": "&#9;", "\n": "&#10;", "\r": "&#13;"}


if TYPE_CHECKING:
    _: type[Exporter] = JUnitExporter
