"""One job as a `testcase`: its child, its output, its earlier attempts."""

from __future__ import annotations

import re
from hashlib import sha256
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, TypeVar
from xml.sax.saxutils import escape

from holdall.results import Outcome
from holdall.writing import (
    attachment_names,
    attempt_path,
    count_parts_left_out,
    dropped_mark,
    kept_log,
    log_text,
    number_text,
    reason_text,
    strip_escapes,
    wants_log,
    xml_text,
)
from holdall_exporters.junit.flavours import FLAVOURS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from holdall.contracts import ExportContext
    from holdall.results import Measurement, Subtest
    from holdall.view import AttemptView, JobView
    from holdall_exporters.junit.flavours import Flavour

    _Part = TypeVar("_Part", Measurement, Subtest)

# What each outcome is in JUnit; a passing case has no child. A job in flight is an error,
# whatever its earlier attempts say: nobody knows how it would have ended. Those of `_OPEN` keep a
# session from passing, so a CI system that reads nothing but this file must not be green.
_TAGS: Final[Mapping[Outcome, str]] = {
    Outcome.PASS: "",
    Outcome.FAIL: "failure",
    Outcome.CRASH: "error",
    Outcome.ERROR: "error",
    Outcome.SKIP: "skipped",
    Outcome.SKIPPED_DEPENDENCY: "skipped",
    Outcome.SKIPPED_RESOURCE: "skipped",
    Outcome.SKIPPED_MANIFEST: "skipped",
    Outcome.NOT_SUPPORTED: "skipped",
    Outcome.NOT_IMPLEMENTED: "skipped",
}
_OPEN: Final = frozenset({Outcome.NONE, Outcome.UNDECIDED})
_IN_FLIGHT: Final = "error"

OpenJobs = Literal["error", "skipped"]
"""The child that the case of a job has which is undecided or was not started."""


class Around(NamedTuple):
    """What a case needs to know of its suite.

    Attributes:
        class_name: The class name of its cases.
        several_devices: Whether the session has several devices.
    """

    class_name: bytes
    several_devices: bool


def case_of(job: JobView, around: Around, context: ExportContext) -> Iterator[bytes]:
    """Yield a case, in pieces only if its log is large."""
    flavour = FLAVOURS[context.options.flavour]
    yield b'    <testcase classname="%b" name="%b" time="%.3f"%b' % (
        around.class_name,
        attribute(distinct(job.id)),
        seconds(job.duration or 0.0),
        _place(job) if flavour.has_places else b"",
    )
    parts = _parts(job, flavour, around, context)
    first = next(parts, None)
    if first is None:
        yield b"/>\n"
        return
    yield b">\n"
    yield first
    yield from parts
    yield b"    </testcase>\n"


def _parts(
    job: JobView, flavour: Flavour, around: Around, context: ExportContext
) -> Iterator[bytes]:
    """Yield what is inside a case."""
    options = context.options
    tag = tag_of(job, options.open_jobs)
    if flavour.has_properties:
        yield from _case_properties(job)
        count_parts_left_out(
            job, context, subtests=len(job.subtests), measurements=len(job.measurements)
        )
    elif tag in {"", "skipped"}:
        count_parts_left_out(job, context)
    else:
        failed = len(_failed(job.subtests)), len(_failed(job.measurements))
        count_parts_left_out(job, context, subtests=failed[0], measurements=failed[1])
    if tag == "skipped":  # which the stricter of the two schemas gives a message alone
        whole = reason_text(job.last.result)
        message = f"{job.label}: {whole}" if whole else job.label
        yield b'      <skipped message="%b"/>\n' % attribute(message)
    elif tag:
        head = (tag.encode(), attribute(_type(job)), attribute(_message(job)))
        yield b'      <%b type="%b" message="%b">' % head
        yield from _body(job, context, with_log=not flavour.has_output)
        yield b"</%b>\n" % tag.encode()
    if flavour.has_output:
        yield from _earlier(job, context, flaky=not tag)
        lines = _attachment_lines(job, around, context) if flavour.has_files else ()
        yield from _output(job, list(lines), context)


def _body(job: JobView, context: ExportContext, *, with_log: bool) -> Iterator[bytes]:
    """Yield why a case failed; never nothing, which some readers show as nothing."""
    comments = strip_escapes(job.comments)
    parts = list(_failed_parts(job))
    has_log = with_log and wants_log(context.options.logs, job)
    if comments:
        yield _content(comments) + b"\n"
    yield from map(_content, parts)
    if has_log:
        yield from _log(job.last, context)
    if not (comments or parts or has_log):
        yield _content(_message(job))


def _output(job: JobView, lines: list[bytes], context: ExportContext) -> Iterator[bytes]:
    """Yield the output of a case, and *lines* behind it."""
    has_log = wants_log(context.options.logs, job)
    if has_log or lines:
        yield b"      <system-out>"
        if has_log:
            yield from _log(job.last, context)
        yield from lines
        yield b"</system-out>\n"


def _attachment_lines(job: JobView, around: Around, context: ExportContext) -> Iterator[bytes]:
    """Yield a line for each attachment of the last attempt, as readers look for them."""
    base: str = context.options.attachments_base
    if base and job.attachments:
        path = attempt_path(job, job.attempt_count, several_devices=around.several_devices)
        for name in attachment_names(job, job.last):
            yield _content(f"\n[[ATTACHMENT|{base.rstrip('/')}/attachments/{path}/{name}]]\n")


def _log(attempt: AttemptView, context: ExportContext) -> Iterator[bytes]:
    yield from map(_content, log_text(kept_log(attempt, context.options.log_max, context)))
    yield _content(dropped_mark(attempt.io_log_dropped))


def _earlier(job: JobView, context: ExportContext, *, flaky: bool) -> Iterator[bytes]:
    """Yield the attempts before the last one that went wrong, as Maven's Surefire does."""
    wants_logs = context.options.logs != "none"
    for attempt in job.earlier:
        if not attempt.outcome.failed:  # also what was expected, so that it can be read back
            continue
        kind = "Failure" if attempt.outcome is Outcome.FAIL else "Error"
        tag = f"{'flaky' if flaky else 'rerun'}{kind}".encode()
        comments = strip_escapes(attempt.comments)
        first = comments.strip().partition("\n")[0]
        message = f"{attempt.label}: {first}" if first else attempt.label
        yield b'      <%b type="%b" message="%b">' % (
            tag,
            attribute(attempt.outcome),
            attribute(message),
        )
        yield b"<stackTrace>%b</stackTrace>" % _content(comments or message)
        if wants_logs and attempt.io_log_size:
            yield b"<system-out>"
            yield from _log(attempt, context)
            yield b"</system-out>"
        yield b"</%b>\n" % tag


def _place(job: JobView) -> bytes:
    """Return the file that a job is defined in, and the line if that is known."""
    file, line = job.place
    if not file:
        return b""
    number = b"" if line is None else b' line="%d"' % line
    return b' file="%b"%b' % (attribute(file), number)


def _case_properties(job: JobView) -> Iterator[bytes]:
    properties = [
        ("summary", job.summary),
        ("outcome", "in-flight" if job.in_flight else job.outcome),
        *([("xfail", "true")] if job.xfail else []),
        ("plugin", job.plugin),
        ("certification-status", job.certification_status),
        ("attempts", str(job.attempt_count)),
        *(("attachment", attachment.name) for attachment in job.attachments),
        *((f"subtest {part.name}", _stated(part)) for part in job.subtests),
        *((f"measurement {part.name}", _measured(part)) for part in job.measurements),
    ]
    yield b"      <properties>\n"
    for name, value in properties:
        yield b'        <property name="%b" value="%b"/>\n' % (
            attribute(name),
            attribute(value),
        )
    yield b"      </properties>\n"


def _failed_parts(job: JobView) -> Iterator[str]:
    """Yield a line for each subtest and measurement that went wrong, for the body of a case."""
    for subtest in _failed(job.subtests):
        yield strip_escapes(f"subtest {subtest.name}: {_stated(subtest)}\n")
    for part in _failed(job.measurements):
        yield strip_escapes(f"measurement {part.name}: {_measured(part)}\n")


def _failed(parts: Iterable[_Part]) -> list[_Part]:
    return [part for part in parts if part.outcome is not None and part.outcome.failed]


def _stated(subtest: Subtest) -> str:
    """Return how a subtest ended, and its message: `fail: no such device`."""
    return f"{subtest.outcome}: {subtest.message}" if subtest.message else subtest.outcome


def _measured(part: Measurement) -> str:
    """Return a value, its unit and limits, and what came of it: `5 V (from 1 to 4): fail`."""
    unit = f" {part.unit}" if part.unit else ""
    limits = [
        f"{word} {number_text(limit)}"
        for word, limit in (("from", part.lower), ("to", part.upper))
        if limit is not None
    ]
    kept = f" ({' '.join(limits)})" if limits else ""
    judged = f": {part.outcome}" if part.outcome is not Outcome.NONE else ""
    return f"{part.value}{unit}{kept}{judged}"


def tag_of(job: JobView, open_jobs: OpenJobs) -> str:
    """Return the child that a case has; empty if it has none."""
    if job.in_flight:
        return _IN_FLIGHT
    if job.xfail and job.outcome is Outcome.FAIL:
        return "skipped"  # as readers of JUnit know a failure that is expected
    return open_jobs if job.outcome in _OPEN else _TAGS[job.counts_as]


def _type(job: JobView) -> str:
    if job.in_flight:
        return "in-flight"
    return job.outcome if job.counts_as is job.outcome else "unexpected-pass"


def _message(job: JobView) -> str:
    """Return the label, and the reason or the first line of the comments if there is one."""
    explanation = job.skip_reason or job.comments
    first = strip_escapes(explanation).strip().partition("\n")[0]
    return f"{job.label}: {first}" if first else job.label


def history_of(job: JobView) -> bytes:
    """Return a line with how each attempt ended."""
    ended = ", ".join(attempt.label for attempt in job.attempts)
    return _content(f"{job.id}: {job.attempt_count} attempts: {ended}\n")


def distinct(text: str) -> str:
    """Return *text* for a name that readers compare, so that no two texts become one.

    Blanks and illegal characters, which readers change each in its own way, add
    a digest of what the text was; so does what looks like such a digest, and no text at all.
    """
    plain = " ".join(xml_text(text).split())
    if text and plain == text and not _DIGEST.search(text):
        return text
    return f"{plain or 'unnamed'} #{_digest(text)}"


def whole_name(text: str) -> str:
    """Return *text* as `distinct` does, with dots that no reader takes for those of a package."""
    name = distinct(text)
    if _DOT in name:
        name = f"{name} #{_digest(text)}"
    return name.replace(".", _DOT)


def _digest(text: str) -> str:
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def seconds(duration: float) -> float:
    """Return *duration* as readers take it: with no more digits than their numbers have."""
    return min(duration, _LONGEST)


def attribute(text: str, *, empty: str = "") -> bytes:
    """Return *text* as the value of an attribute, *empty* in place of a blank one."""
    value = xml_text(text)
    if not value.strip():
        value = empty
    if _SIGNS.search(value):
        value = escape(value, _QUOTES)
    return value.encode("ascii", "xmlcharrefreplace")


def _content(text: str) -> bytes:
    return escape(xml_text(text), _RETURNS).encode("ascii", "xmlcharrefreplace")


_DOT: Final = "\N{ONE DOT LEADER}"  # looks like a dot
_LONGEST: Final = 1e12  # seconds; libxml2 takes numbers of 24 digits
_DIGEST: Final = re.compile("(?:^| )#[0-9a-f]{12}$")
_SIGNS: Final = re.compile('[&<>"\\t\\n\\r]')  # most names have none
_RETURNS: Final = {"\r": "&#13;"}
_QUOTES: Final = {'"': "&quot;", "\t": "&#9;", "\n": "&#10;", "\r": "&#13;"}
