"""JUnit XML, the report that every CI system already reads.

The file is valid against the schema of Jenkins' xUnit plugin (junit-10.xsd) and
keeps the stricter rules of windyroad's at the same time: suites don't nest, each
has properties, cases, system-out and system-err in this order, a case has one
child at most, times have three decimals. It is ASCII: some readers guess the
encoding. Characters that XML can't hold are visible (`␛`), terminal escape
sequences are left out.

Two more flavours say more than windyroad's rules allow: `jenkins`, which
junit-10.xsd does, with the output of each case and its earlier attempts, and
`rich`, which neither does, with properties of each case besides.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING, Annotated, BinaryIO, ClassVar, Final, Literal, NamedTuple
from xml.etree.ElementTree import iterparse
from xml.sax.saxutils import escape

from msgspec import Meta

from holdall.results import Outcome
from holdall.writing import (
    BYTES_CUT,
    LOGS_CUT,
    gathered,
    iso,
    log_text,
    moment,
    shortened,
    strip_escapes,
    wants_log,
    xml_text,
)
from holdall_exporters.junit.files import Files

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from holdall.contracts import ExportContext, SplitExporter, SplitSink
    from holdall.view import DeviceView, JobGroup, JobView, SessionView

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
            of other jobs has no place in a `portable` file, so there `all` is the same.
        flavour: What every reader takes; or with the output and the earlier attempts of each
            case, as Jenkins and GitLab read them; or with properties of each case as well.
        ascii: Whether to write what is not ASCII as references, which every reader takes.
        log_max: Bytes of one log at most; what is more is left out of its middle. Readers that are
            built on libxml2 refuse texts of 10 MB. 0 is no limit.
        max_cases: Cases of a file at most; what is more goes to `report.2.xml` and so on, and
            files of higher numbers are removed. 0 is no limit.
        max_bytes: Bytes of a file at most, in the same way.
    """

    logs: Literal["none", "failed", "all"] = "failed"
    flavour: Literal["portable", "jenkins", "rich"] = "portable"
    ascii: bool = True
    log_max: Annotated[int, Meta(ge=0)] = 1 << 20
    max_cases: Annotated[int, Meta(ge=0)] = 0
    max_bytes: Annotated[int, Meta(ge=0)] = 0


class JUnitExporter:
    """One `testsuite` per device and category."""

    summary: ClassVar[str] = "JUnit XML for CI systems"
    suffix: ClassVar[str] = ".xml"
    media_type: ClassVar[str] = "application/xml"
    output: ClassVar[Literal["parts"]] = "parts"
    Options: ClassVar[type] = Options

    def export(self, view: SessionView, sink: SplitSink, context: ExportContext) -> None:
        """Write the suites, each counted before its cases are written."""
        options: Options = context.options
        common = _common_properties(view, context)
        devices = {device.id: device for device in view.devices}
        several = len(devices) > 1
        plans = " ".join(plan.id for plan in view.plans)
        file = Files(sink, options)
        total, done = view.job_count, 0
        for group in view.groups():
            head = common + b"".join(_properties(devices[group.device_id], plans))
            class_name = _class_name(group, several=several)
            nothing = _suite_start(view, group, _NO_BATCH, several=several) + _suite_end(())
            around = len(head) + len(nothing) + _NUMBERS_SIZE
            for batch in _batches(group, class_name, file, context, around=around):
                file.write(_suite_start(view, group, batch, several=several) + head)
                for piece in gathered(batch.written):
                    file.write(piece)
                file.write(_suite_end(batch.jobs()))
                done += batch.size
                context.progress(done, total)
        for name in file.finish():
            context.warn("removed", f"{name!r}, a part of an earlier report, is removed")

    @staticmethod
    def verify(report: BinaryIO) -> None:
        """Read the file as XML, and compare the numbers of each suite with its cases."""
        root = ""
        for event, element in iterparse(report, events=("start", "end")):  # noqa: S314 - our own
            root = root or element.tag
            if event == "end" and element.tag == "testsuite":
                cases = len(element.findall("testcase"))
                if element.get("tests") != str(cases):
                    raise ValueError(f"a suite of {element.get('tests')} tests has {cases}")
                element.clear()
        if root != "testsuites":
            raise ValueError(f"it is no JUnit file but {root!r}")


class _Batch(NamedTuple):
    """Cases of one suite that go to one file."""

    number: int
    size: int
    jobs: Callable[[], Iterable[JobView]]
    written: Iterable[bytes]


def _batches(
    group: JobGroup, class_name: bytes, file: Files, context: ExportContext, *, around: int
) -> Iterator[_Batch]:
    """Yield the cases of a suite, all at once unless files are limited."""
    if not file.is_limited:
        cases = (piece for job in group.jobs() for piece in _case(job, class_name, context))
        yield _Batch(_next_suite(file, len(group)), len(group), group.jobs, cases)
        return
    taken: list[JobView] = []
    written: list[bytes] = []
    size = around
    for job in group.jobs():
        case = b"".join(_case(job, class_name, context))
        more = len(case) + (len(_history(job)) if job.attempt_count > 1 else 0)
        if not file.has_room(len(taken) + 1, size + more):
            if taken:
                number = _next_suite(file, len(taken))
                yield _Batch(number, len(taken), partial(iter, taken), written)
            if file.cases:
                file.next()
            taken, written, size = [], [], around
            if not file.has_room(1, size + more):
                context.warn("too-large", f"the case {job.id!r} alone is larger than max-bytes")
        taken.append(job)
        written.append(case)
        size += more
    yield _Batch(_next_suite(file, len(taken)), len(taken), partial(iter, taken), written)


def _next_suite(file: Files, cases: int) -> int:
    file.suites += 1
    file.cases += cases
    return file.suites - 1


def _suite_start(view: SessionView, group: JobGroup, batch: _Batch, *, several: bool) -> bytes:
    tags = [_tag(job) for job in batch.jobs()]
    name = f"{group.device_id}: {group.category}" if several else group.category
    timestamp = iso(moment(view.created)).removesuffix("Z")
    return (
        b'  <testsuite id="%d" name="%b" package="%b" hostname="%b" timestamp="%b" '
        b'tests="%d" failures="%d" errors="%d" skipped="%d" time="%.3f">\n'
    ) % (
        batch.number,
        _attribute(name, empty="uncategorised"),
        _attribute(group.category_id),
        _attribute(group.device_id, empty="localhost"),
        timestamp.encode(),
        len(tags),
        tags.count("failure"),
        tags.count("error"),
        tags.count("skipped"),
        _seconds(sum(job.duration or 0.0 for job in batch.jobs())),
    )


def _suite_end(jobs: Iterable[JobView]) -> bytes:
    history = b"".join(_history(job) for job in jobs if job.attempt_count > 1)
    return b"    <system-out>%b</system-out>\n    <system-err/>\n  </testsuite>\n" % history


def _common_properties(view: SessionView, context: ExportContext) -> bytes:
    """Return what the properties of every suite begin with."""
    properties = {
        "holdall.session": view.session_id,
        "holdall.title": view.title,
        "holdall.exporter": context.provenance,
    }
    return b"    <properties>\n" + b"".join(_property(*each) for each in properties.items())


def _properties(device: DeviceView, plans: str) -> Iterator[bytes]:
    yield _property("holdall.device", device.description or device.id)
    yield _property("holdall.test-plans", plans)
    for name, value in device.facts.items():
        yield _property(f"holdall.device.{name}", value)
    yield b"    </properties>\n"


def _property(name: str, value: str) -> bytes:
    return b'      <property name="%b" value="%b"/>\n' % (_attribute(name), _attribute(value))


def _class_name(group: JobGroup, *, several: bool) -> bytes:
    """Return what, with the name of a case, is the same for no two cases."""
    category = _distinct(group.category_id)
    if not several:
        return _attribute(category)
    device = _distinct(group.device_id).replace("%", "%25").replace("/", "%2F")
    return _attribute(f"{device}/{category}")


def _case(job: JobView, class_name: bytes, context: ExportContext) -> Iterator[bytes]:
    yield b'    <testcase classname="%b" name="%b" time="%.3f"' % (
        class_name,
        _attribute(_distinct(job.id)),
        _seconds(job.duration or 0.0),
    )
    parts = _parts(job, context)
    first = next(parts, None)
    if first is None:
        yield b"/>\n"
        return
    yield b">\n"
    yield first
    yield from parts
    yield b"    </testcase>\n"


def _parts(job: JobView, context: ExportContext) -> Iterator[bytes]:
    """Yield what is inside a case."""
    options: Options = context.options
    portable = options.flavour == "portable"
    if options.flavour == "rich":
        yield from _case_properties(job)
    tag = _tag(job)
    if tag:
        yield b'      <%b type="%b" message="%b"' % (
            tag.encode(),
            _attribute("in-flight" if job.in_flight else job.outcome),
            _attribute(_message(job)),
        )
        if tag == "skipped" or job.in_flight:
            yield b"/>\n"
        else:
            yield b">"
            if job.comments:
                yield _content(strip_escapes(job.comments)) + b"\n"
            if portable and options.logs != "none":
                yield from _log(job, context)
            yield b"</%b>\n" % tag.encode()
    if not portable:
        yield from _earlier(job, flaky=not tag)
        if wants_log(options.logs, job):
            yield b"      <system-out>"
            yield from _log(job, context)
            yield b"</system-out>\n"


def _log(job: JobView, context: ExportContext) -> Iterator[bytes]:
    most: int = context.options.log_max
    records = job.io_log()
    if 0 < most < job.io_log_size:
        context.count(LOGS_CUT)
        context.count(BYTES_CUT, job.io_log_size - most)
        records = shortened(records, most // 2, most - most // 2)
    return map(_content, log_text(records))


def _earlier(job: JobView, *, flaky: bool) -> Iterator[bytes]:
    """Yield the attempts before the last one that went wrong."""
    for attempt in job.attempts[:-1]:
        if attempt.outcome.failed:
            kind = "Failure" if attempt.outcome is Outcome.FAIL else "Error"
            words = strip_escapes(attempt.comments).strip().partition("\n")[0]
            yield b'      <%b type="%b" message="%b"/>\n' % (
                f"{'flaky' if flaky else 'rerun'}{kind}".encode(),
                _attribute(attempt.outcome),
                _attribute(f"{attempt.label}: {words}" if words else attempt.label),
            )


def _case_properties(job: JobView) -> Iterator[bytes]:
    properties = [
        ("summary", job.summary),
        ("outcome", "in-flight" if job.in_flight else job.outcome),
        ("plugin", job.plugin),
        ("certification-status", job.certification_status),
        ("attempts", str(job.attempt_count)),
        *(("attachment", each.name) for each in job.attachments),
    ]
    yield b"      <properties>\n"
    for name, value in properties:
        yield b'        <property name="%b" value="%b"/>\n' % (
            _attribute(name),
            _attribute(value),
        )
    yield b"      </properties>\n"


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
    a digest of what the text was; so does what looks like such a digest, and no text at all.
    """
    plain = " ".join(xml_text(text).split())
    if text and plain == text and not _DIGEST.search(text):
        return text
    digest = sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    return f"{plain or 'unnamed'} #{digest}"


def _seconds(duration: float) -> float:
    """Return *duration* as readers take it: with no more digits than their numbers have."""
    return min(duration, _LONGEST)


def _attribute(text: str, *, empty: str = "") -> bytes:
    value = xml_text(text)
    if not value.strip():
        value = empty
    return escape(value, _QUOTES).encode("ascii", "xmlcharrefreplace")


def _content(text: str) -> bytes:
    return escape(xml_text(text), _RETURNS).encode("ascii", "xmlcharrefreplace")


_NO_BATCH: Final = _Batch(0, 0, tuple, ())
_NUMBERS_SIZE: Final = 100  # bytes by which the numbers of a suite may be longer than noughts
_LONGEST: Final = 1e12  # seconds; libxml2 takes numbers of 24 digits
_DIGEST: Final = re.compile("(?:^| )#[0-9a-f]{12}$")
_RETURNS: Final = {"\r": "&#13;"}
_QUOTES: Final = {'"': "&quot;", "\t": "&#9;", "\n": "&#10;", "\r": "&#13;"}


if TYPE_CHECKING:
    _: type[SplitExporter] = JUnitExporter
