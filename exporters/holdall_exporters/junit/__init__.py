"""JUnit XML, the report that every CI system already reads.

The file is valid against the schema of Jenkins' xUnit plugin (junit-10.xsd) and
keeps the stricter rules of windyroad's at the same time: suites don't nest, each
has properties, cases, system-out and system-err in this order, a case has one
child at most, times have three decimals. It is ASCII: some readers guess the
encoding. Characters that XML can't hold are visible (`␛`), terminal escape
sequences are left out.

Other flavours say more than windyroad's rules allow, each for its readers: all of
them the output of each case and its earlier attempts with theirs, as junit-10.xsd
does; some of them more, as `holdall_exporters.junit.flavours` says.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated, BinaryIO, ClassVar, Final, Literal, NamedTuple
from xml.etree.ElementTree import iterparse

from msgspec import Meta

from holdall.results import Outcome
from holdall.view import verdict
from holdall.writing import gathered, iso, moment
from holdall_exporters.junit.cases import (
    Around,
    OpenJobs,
    attribute,
    case_of,
    distinct,
    history_of,
    seconds,
    tag_of,
    whole_name,
)
from holdall_exporters.junit.files import Files
from holdall_exporters.junit.flavours import FLAVOURS, Name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from holdall.contracts import ExportContext, SplitExporter, SplitSink
    from holdall.view import DeviceView, JobGroup, JobView, Reason, SessionView


@dataclass(frozen=True)
class Options:
    """Options of the file.

    Attributes:
        logs: Whose output it holds: nobody's, or that of failed and crashed jobs. The output
            of other jobs has no place in a `portable` file, so there `all` is the same.
        flavour: What every reader takes; or, for the readers of that name, the output and the
            earlier attempts of each case besides. `gitlab`, `github` and `rich` say the file of
            its definition, `rich` has properties of each case as well.
        attachments_base: Folder of an extracted `holdall.tar`, as those see it who read the file.
            `jenkins` and `gitlab` then name the attachments of each case there.
        open_jobs: What jobs are that are undecided or were not started. They keep a session from
            passing, so they are errors; so is, in a suite of its own, that no job passed although
            nothing failed. `skipped` leaves all that to those who read the verdict.
        ascii: Whether to write what is not ASCII as references, which every reader takes.
        log_max: Bytes of one log at most; what is more is left out of its middle. Readers that are
            built on libxml2 refuse texts of 10 MB. 0 is no limit.
        max_cases: Cases of a file at most; what is more goes to `report.2.xml` and so on, and
            files of higher numbers are removed. 0 is no limit.
        max_bytes: Bytes of a file at most, in the same way.
    """

    logs: Literal["none", "failed", "all"] = "failed"
    flavour: Name = "portable"
    attachments_base: str = ""
    open_jobs: OpenJobs = "error"
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
            splits = FLAVOURS[options.flavour].splits_names
            of_case = Around(_class_name(group, several=several, splits=splits), several)
            nothing = _suite_start(view, group, _NO_BATCH, options, several=several) + _suite_end(
                ()
            )
            around = len(head) + len(nothing) + _NUMBERS_SIZE
            for batch in _batches(group, of_case, file, context, around=around):
                start = _suite_start(view, group, batch, options, several=several)
                file.write(start + head)
                for piece in gathered(batch.written):
                    file.write(piece)
                file.write(_suite_end(batch.jobs()))
                done += batch.size
                context.progress(done, total)
        reason = _unseen_reason(view) if options.open_jobs == "error" else None
        if reason is not None:
            _write_verdict(file, view, common, reason)
        if not file.suites and file.is_first:
            _write_nothing(file, view, common)
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
    group: JobGroup, of_case: Around, file: Files, context: ExportContext, *, around: int
) -> Iterator[_Batch]:
    """Yield the cases of a suite, all at once unless files are limited."""
    if not file.is_limited:
        cases = (piece for job in group.jobs() for piece in case_of(job, of_case, context))
        yield _Batch(_next_suite(file, len(group)), len(group), group.jobs, cases)
        return
    taken: list[JobView] = []
    written: list[bytes] = []
    size = around
    for job in group.jobs():
        case = b"".join(case_of(job, of_case, context))
        more = len(case) + (len(history_of(job)) if job.attempt_count > 1 else 0)
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


_SUITE: Final = (
    b'  <testsuite id="%d" name="%b" package="%b" hostname="%b" timestamp="%b" '
    b'tests="%d" failures="%d" errors="%d" skipped="%d" time="%.3f">\n'
)


def _unseen_reason(view: SessionView) -> Reason | None:
    """Return why the session has not passed although no case speaks against it."""
    if Outcome.PASS in view.whole.counts:
        return None
    reasons = verdict(view).reasons
    return reasons[0] if [reason.code for reason in reasons] == ["nothing-passed"] else None


def _write_verdict(file: Files, view: SessionView, head: bytes, reason: Reason) -> None:
    """Write a suite of one case, which says that no job passed."""
    rest = (
        b"%b    </properties>\n"
        b'    <testcase classname="holdall" name="verdict" time="0.000">\n'
        b'      <error type="nothing-passed" message="%b"/>\n    </testcase>\n%b'
    ) % (head, attribute(str(reason)), _suite_end(()))
    names = (b"holdall", b"holdall", b"localhost", _created(view))
    if not file.has_room(1, len(_SUITE % (0, *names, 1, 0, 1, 0, 0)) + len(rest)):
        file.next()
    file.write(_SUITE % (_next_suite(file, 1), *names, 1, 0, 1, 0, 0) + rest)


def _write_nothing(file: Files, view: SessionView, head: bytes) -> None:
    """Write a suite without a case: a file without a suite is an error to many readers."""
    names = (b"holdall", b"holdall", b"localhost", _created(view))
    file.write(_SUITE % (_next_suite(file, 0), *names, 0, 0, 0, 0, 0))
    file.write(head + b"    </properties>\n" + _suite_end(()))


def _created(view: SessionView) -> bytes:
    return iso(moment(view.created)).removesuffix("Z").encode()


def _suite_start(
    view: SessionView, group: JobGroup, batch: _Batch, options: Options, *, several: bool
) -> bytes:
    tags, durations = [], []
    for job in batch.jobs():
        tags.append(tag_of(job, options.open_jobs))
        durations.append(job.duration or 0.0)
    name = f"{group.device_id}: {group.category}" if several else group.category
    return _SUITE % (
        batch.number,
        attribute(name, empty="uncategorised"),
        attribute(group.category_id),
        attribute(group.device_id, empty="localhost"),
        _created(view),
        len(tags),
        tags.count("failure"),
        tags.count("error"),
        tags.count("skipped"),
        seconds(sum(durations)),
    )


def _suite_end(jobs: Iterable[JobView]) -> bytes:
    history = b"".join(history_of(job) for job in jobs if job.attempt_count > 1)
    return b"    <system-out>%b</system-out>\n    <system-err/>\n  </testsuite>\n" % history


def _common_properties(view: SessionView, context: ExportContext) -> bytes:
    """Return what the properties of every suite begin with."""
    properties = {
        "holdall.session": view.session_id,
        "holdall.title": view.title,
        "holdall.exporter": context.provenance,
    }
    return b"    <properties>\n" + b"".join(_property(*item) for item in properties.items())


def _properties(device: DeviceView, plans: str) -> Iterator[bytes]:
    yield _property("holdall.device", device.description or device.id)
    yield _property("holdall.test-plans", plans)
    for name, value in device.facts.items():
        yield _property(f"holdall.device.{name}", value)
    yield b"    </properties>\n"


def _property(name: str, value: str) -> bytes:
    return b'      <property name="%b" value="%b"/>\n' % (attribute(name), attribute(value))


def _class_name(group: JobGroup, *, several: bool, splits: bool) -> bytes:
    """Return what, with the name of a case, is the same for no two cases.

    Readers that split it at dots find those alone that are between device and category.
    """
    category = whole_name(group.category_id) if splits else distinct(group.category_id)
    if not several:
        return attribute(category)
    if splits:
        return attribute(f"{whole_name(group.device_id)}.{category}")
    device = distinct(group.device_id).replace("%", "%25").replace("/", "%2F")
    return attribute(f"{device}/{category}")


_NO_BATCH: Final = _Batch(0, 0, tuple, ())
_NUMBERS_SIZE: Final = 100  # bytes by which the numbers of a suite may be longer than noughts


if TYPE_CHECKING:
    _: type[SplitExporter] = JUnitExporter
