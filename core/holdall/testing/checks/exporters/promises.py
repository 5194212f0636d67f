"""The promises of exporters: each function is one, and its first line names it."""

from __future__ import annotations

import os
import sys
import tracemalloc
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import TYPE_CHECKING, Any

from holdall.contracts import GrowsByLines, Verifies
from holdall.errors import ExportCancelled, HoldallError, UnknownOptionError
from holdall.exports import describe_options, export, options_class_of
from holdall.journal import JobStarted, ResultRecorded
from holdall.registry import misfits
from holdall.testing.checks.exporters.subject import ID, Discarding, exported, files_in, target_for
from holdall.testing.checks.outcomes import CheckFailed, CheckSkipped, raises, require
from holdall.testing.sessions import big_session, devices_session, empty_session, sample_session

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdall.contracts import ExportContext, ExportReport, FolderSink, Sink
    from holdall.exports import Session
    from holdall.testing.checks.exporters.subject import ExporterSubject
    from holdall.view import SessionView

_NO_OPTION = "surely-no-exporter-has-this-option"


def has_the_shape_of_an_exporter(subject: ExporterSubject) -> None:
    """Its members and signatures are those of the contract."""
    problems = misfits("exporters", subject.exporter)
    require(not problems, "; ".join(problems))


def describes_every_option(subject: ExporterSubject) -> None:
    """Its options can be listed, each with a help text and a default."""
    options = options_class_of(subject.exporter)
    silent = [row.name for row in describe_options(options) if not row.help]
    require(not silent, f"no words of help for {', '.join(silent)} in the Options' docstring")
    options()


def exports_everything(subject: ExporterSubject) -> None:
    """No outcome, no missing value and no hostile text stops it."""
    require(subject.export(sample_session()), "the report is empty")


def exports_an_empty_session(subject: ExporterSubject) -> None:
    """A session without jobs and devices gives a report too."""
    require(subject.export(empty_session()) is not None, "there is no report")


def exports_several_devices(subject: ExporterSubject) -> None:
    """A job that several devices ran is exported for each of them."""
    require(subject.export(devices_session()), "the report is empty")


def repeats_itself(subject: ExporterSubject) -> None:
    """The same session gives the same bytes: neither the moment nor chance is in a report."""
    same = subject.export(sample_session()) == subject.export(sample_session())
    require(same, "two exports of one session differ")


def leaves_the_view_alone(subject: ExporterSubject) -> None:
    """What it was shown is the same afterwards."""
    view = sample_session().view()
    before = _facts(view)
    first = exported(subject.exporter, view, registry=subject.registry())
    require(_facts(view) == before, "the view is not what it was before the export")
    again = exported(subject.exporter, view, registry=subject.registry())
    require(again == first, "a second export of the same view differs from the first")


def _facts(view: SessionView) -> list[Any]:
    jobs = [(job.id, job.device_id, job.outcome, job.comments) for job in view.jobs()]
    return [view.session_id, view.title, dict(view.counts), len(jobs), jobs]


def keeps_memory_flat(subject: ExporterSubject) -> None:
    """Jobs are written one by one and never gathered."""
    view = big_session(subject.many_jobs).view()
    registry = subject.registry()
    _written(subject, empty_session(), registry=registry)  # imports and caches
    tracemalloc.start()
    try:
        _written(subject, view, registry=registry)
        _now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    took = peak / 2**20
    reason = (
        f"{took:.1f} MiB for {subject.many_jobs} jobs, and {subject.allowance_mib} are allowed"
    )
    require(took < subject.allowance_mib, reason)


def _written(subject: ExporterSubject, session: Session, **more: Any) -> ExportReport:
    """Write a report that nobody reads."""
    with target_for(subject.exporter, Discarding()) as target:
        return export(session, ID, target, **{"registry": subject.registry(), **more})


def can_be_cancelled(subject: ExporterSubject) -> None:
    """A large export asks now and then whether to go on."""
    asked = iter([False, False])
    try:
        report = _written(subject, big_session(1000), cancelled=lambda: next(asked, True))
    except ExportCancelled:
        return
    if report.size < 1000:
        raise CheckSkipped("its report does not grow with the jobs; it is over before it could be")
    raise CheckFailed("1000 jobs were written without context.progress or context.check_cancelled")


def prints_nothing(subject: ExporterSubject) -> None:
    """Standard output and standard error belong to the program that exports."""
    subject.export(sample_session())  # what is printed at import is told by another check
    printed = StringIO()
    with TemporaryFile() as written:
        with _descriptors_to(written.fileno()), redirect_stdout(printed), redirect_stderr(printed):
            subject.export(sample_session())
        written.seek(0)
        text = printed.getvalue() or written.read(80).decode(errors="replace")
    require(not text, f"it printed {text[:40]!r}")


@contextmanager
def _descriptors_to(target: int) -> Iterator[None]:
    """Send what is written to the descriptors 1 and 2, by whatever means, to *target*."""
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    kept = {number: os.dup(number) for number in (1, 2)}
    try:
        for number in kept:
            os.dup2(target, number)
        yield
    finally:
        for number, copy in kept.items():
            os.dup2(copy, number)
            os.close(copy)


def writes_the_same_to_a_stream(subject: ExporterSubject) -> None:
    """A pipe gets the bytes that a file gets: `holdall export` prints a report too."""
    if getattr(subject.exporter, "output", "file") == "folder":
        raise CheckSkipped("its report is a folder, which no stream can hold")
    stream = _Pipe()
    registry = subject.registry()
    with TemporaryDirectory(prefix="holdall-check-") as folder:
        target = Path(folder) / f"report{subject.exporter.suffix}"
        export(sample_session(), ID, target, registry=registry)
        export(sample_session(), ID, stream, registry=registry)
        require(stream.data == target.read_bytes(), "a stream gets other bytes than a file")


class _Pipe:
    """A stream that can only be written to."""

    def __init__(self) -> None:
        self.data = b""

    def write(self, data: bytes) -> int:
        self.data += data
        return len(data)


def reads_its_reports_back(subject: ExporterSubject) -> None:
    """Its `verify` takes each of its own reports, and not what is none."""
    if not isinstance(subject.exporter, Verifies):
        raise CheckSkipped("it has no 'verify'")
    registry = subject.registry()
    sessions = (sample_session(), empty_session(), devices_session())
    with TemporaryDirectory(prefix="holdall-check-") as folder:
        for number, session in enumerate(sessions):
            export(session, ID, Path(folder) / f"report-{number}", registry=registry, verify=True)

        kind: Any = subject.exporter

        class Nonsense(kind):  # type: ignore[misc]
            def export(self, _view: SessionView, sink: Any, _context: ExportContext) -> None:
                if getattr(kind, "output", "file") == "folder":
                    sink = sink.open("nonsense")
                sink.write(b"\xff\0 this is no report")

        registry.register("exporters", "test.nonsense", Nonsense)
        target = Path(folder) / "nonsense"
        refused = raises(
            lambda: export(
                empty_session(), "test.nonsense", target, registry=registry, verify=True
            ),
            HoldallError,
        )
        require(refused, "its 'verify' takes what is no report")


def grows_by_lines(subject: ExporterSubject) -> None:
    """Where reports grow by lines, all lines but the last stay while a session goes on."""
    if not isinstance(subject.exporter, GrowsByLines):
        raise CheckSkipped("its reports don't grow by lines")
    whole = sample_session()
    results = [
        number
        for number, event in enumerate(whole.events)
        if isinstance(event, ResultRecorded | JobStarted)
    ]
    written: list[bytes] = []
    for end in (*results[::5], len(whole.events)):
        session = whole._replace(events=whole.events[:end])
        lines = subject.export(session).splitlines(keepends=True)
        require(len(set(lines)) == len(lines), "a report has two lines that are alike")
        gone = [line for line in written if line not in lines]
        require(not gone, f"a later report has no more the line {gone[:1]}")
        written = lines[:-1]


def refuses_unknown_options(subject: ExporterSubject) -> None:
    """An option that it does not have is refused, or ignored and reported if that is asked for."""
    registry = subject.registry()
    given = {_NO_OPTION: "x"}
    refused = raises(
        lambda: _written(subject, empty_session(), options=given, registry=registry),
        UnknownOptionError,
    )
    require(refused, f"the option {_NO_OPTION!r} was taken")
    report = _written(subject, empty_session(), options=given, registry=registry, strict=False)
    ignored = report.ignored_options
    require(ignored == (_NO_OPTION,), f"reported as ignored: {ignored or 'nothing'}")


def leaves_the_old_report_when_the_disk_is_full(subject: ExporterSubject) -> None:
    """A sink that fails half-way fails the export, and the old report stays."""
    size = len(subject.export(sample_session()))
    kind: Any = subject.exporter
    is_folder = getattr(kind, "output", "file") == "folder"

    class FullDisk(kind):  # type: ignore[misc]
        def export(self, view: SessionView, sink: Any, context: ExportContext) -> None:
            full = _FullFolder(sink) if is_folder else _FullSink(sink, size // 2)
            super().export(view, full, context)

    registry = subject.registry()
    registry.register("exporters", "test.full_disk", FullDisk)
    with TemporaryDirectory(prefix="holdall-check-") as folder:
        target = Path(folder) / "report"
        export(empty_session(), ID, target, registry=registry)
        before = _content(target)
        failed = raises(
            lambda: export(sample_session(), "test.full_disk", target, registry=registry),
            HoldallError,
            OSError,
        )
        require(failed, "the sink failed, and the exporter went on as if it had not")
        require(_content(target) == before, "the old report is gone")
        left = sorted(path.name for path in Path(folder).iterdir())
        require(left == ["report"], f"left behind: {', '.join(left)}")


def _content(report: Path) -> list[bytes]:
    return list(files_in(report)) if report.is_dir() else [report.read_bytes()]


class _FullSink:
    """Takes so many bytes, and has no room for more."""

    def __init__(self, sink: Sink, room: int) -> None:
        self._sink = sink
        self._room = room

    def write(self, data: bytes, /) -> object:
        if len(data) > self._room:
            raise OSError(28, "No space left on device")
        self._room -= len(data)
        return self._sink.write(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sink, name)


class _FullFolder:
    """Opens files, and none of them has room for a byte."""

    def __init__(self, sink: FolderSink) -> None:
        self._sink = sink

    def open(self, name: str) -> Any:
        return _FullSink(self._sink.open(name), 0)
