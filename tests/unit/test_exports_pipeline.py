"""The pipeline: from a session and a name to a report, with faults kept where they are."""

from __future__ import annotations

import errno
import io
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any, BinaryIO, ClassVar

import pytest

from holdall.contracts.exporters import ExportWarning, ReportKind
from holdall.errors import (
    ExportCancelled,
    ExportTargetError,
    NestedReportError,
    OptionValueError,
    PluginCallError,
    UnknownOptionError,
    UnknownPluginError,
)
from holdall.exports.bound import BoundExporter
from holdall.exports.options import describe_options
from holdall.exports.pipeline import ExportRequest, export, export_many
from holdall.journal import Journal
from holdall.registry.registry import Registry
from holdall.testing.sessions import big_session, empty_session, sample_session

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from holdall.contracts.exporters import ExportContext, ExportReport, Sink
    from holdall.view.session import SessionView


@dataclass(frozen=True)
class Options:
    word: str = "hello"
    fail_with: str = ""


FAULTS: dict[str, BaseException] = {
    "ValueError": ValueError("bad luck"),
    "SystemExit": SystemExit(3),
    "KeyboardInterrupt": KeyboardInterrupt(),
    "OSError": OSError(5, "I/O error"),
    "no room": OSError(errno.ENOSPC, "No space left on device"),
    "no room elsewhere": RuntimeError("gave up"),
}
FAULTS["no room elsewhere"].__cause__ = ExportTargetError("/far/report", "No space left on device")
FAULTS["no room elsewhere"].__cause__.__cause__ = FAULTS["no room"]


class Greeter:
    """Writes a word for each job, and fails when told to."""

    summary: ClassVar[str] = "greetings"
    suffix: ClassVar[str] = ".txt"
    media_type: ClassVar[str] = "text/plain"
    Options: ClassVar[type] = Options

    def export(self, view: SessionView, sink: Sink, context: ExportContext) -> None:
        for number, _job in enumerate(view.jobs()):
            sink.write(f"{context.options.word}\n".encode())
            context.progress(number + 1, view.job_count)
        if context.options.fail_with:
            raise FAULTS[context.options.fail_with]


class Reflector:
    """Writes what the context says, and another exporter's report."""

    summary: ClassVar[str] = "the context"
    suffix: ClassVar[str] = ".txt"
    media_type: ClassVar[str] = "text/plain"
    Options: ClassVar[type] = Options
    folders: ClassVar[list[Path]] = []

    def export(self, view: SessionView, sink: Sink, context: ExportContext) -> None:
        self.folders.append(context.temporary_folder)
        assert context.temporary_folder.is_dir()
        context.warn("left-out", "something")
        sink.write(f"{context.now.isoformat()} {context.lang} {context.provenance}\n".encode())
        with context.render("acme.greeter", view, {"word": "inner"}) as report:
            sink.write(report.read())


class Circle:
    """Puts the report of an exporter into its own that may want to do the same."""

    summary: ClassVar[str] = "a circle"
    suffix: ClassVar[str] = ".txt"
    media_type: ClassVar[str] = "text/plain"
    Options: ClassVar[type] = Options

    def export(self, view: SessionView, sink: Sink, context: ExportContext) -> None:
        with context.render(context.options.word, view, {"word": "acme.circle"}) as report:
            sink.write(report.read())


class Silent:
    """Writes a str, which is a mistake."""

    summary: ClassVar[str] = "nothing"
    suffix: ClassVar[str] = ".txt"
    media_type: ClassVar[str] = "text/plain"
    Options: ClassVar[type] = Options

    def export(self, view: SessionView, sink: Any, context: ExportContext) -> None:
        del view, context
        sink.write("no bytes")


class ListStorage:
    """A storage that keeps its entries in a list."""

    id = "stored"
    where = "a list"

    def __init__(self) -> None:
        self.entries: list[bytes] = []

    @property
    def head(self) -> int:
        return len(self.entries)

    def append(self, entries: Sequence[bytes], *, expect: int, level: str) -> int:
        assert (expect, level) == (self.head, "system")
        self.entries += entries
        return self.head

    def read(self, after: int = 0) -> Iterator[tuple[int, bytes]]:
        yield from list(enumerate(self.entries, start=1))[after:]

    def open_blob(self, ref: str) -> BinaryIO:
        return io.BytesIO(ref.encode())


def registry() -> Registry:
    found = Registry.empty()
    found.register("exporters", "acme.greeter", Greeter)
    found.register("exporters", "acme.reflector", Reflector)
    found.register("exporters", "acme.silent", Silent)
    return found


def test_an_export_writes_the_file_and_reports_what_it_wrote(tmp_path: Path) -> None:
    target = tmp_path / "report.txt"

    report = export(big_session(2), "acme.greeter", target, registry=registry())

    content = b"hello\nhello\n"
    assert target.read_bytes() == content
    assert report.duration_s > 0
    assert {**report.as_dict(), "duration_s": 0} == {
        "exporter": "acme.greeter",
        "target": str(target),
        "size": len(content),
        "sha256": sha256(content).hexdigest(),
        "media_type": "text/plain",
        "distribution": "application",
        "version": "",
        "warnings": [],
        "changes": {},
        "parts": [],
        "ignored_options": [],
        "duration_s": 0,
        "error": None,
    }


def test_a_view_a_storage_and_a_manager_can_be_exported() -> None:
    session = big_session(3)
    storage: Any = ListStorage()
    Journal.begin(storage).append(session.events)
    reports = []
    for each in (session, session.view(), storage):
        stream = io.BytesIO()
        export(each, "acme.greeter", stream, registry=registry())
        reports.append(stream.getvalue())

    assert reports == [b"hello\n" * 3] * 3


def test_what_is_no_session_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="a session is a view"):
        export("session-1", "acme.greeter", io.BytesIO(), registry=registry())  # type: ignore[arg-type]


def test_an_unknown_exporter_touches_nothing(tmp_path: Path) -> None:
    with pytest.raises(UnknownPluginError, match=r"did you mean 'acme\.greeter'"):
        export(sample_session(), "acme.greter", tmp_path / "x", registry=registry())

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("fault", ["ValueError", "SystemExit", "OSError", "no room elsewhere"])
def test_whatever_an_exporter_raises_is_its_own_fault(tmp_path: Path, fault: str) -> None:
    target = tmp_path / "report.txt"
    target.write_bytes(b"old")

    with pytest.raises(PluginCallError) as caught:
        export(
            big_session(2),
            "acme.greeter",
            target,
            options=[f"fail-with={fault}"],
            registry=registry(),
        )

    assert caught.value.__cause__ is FAULTS[fault]
    assert (caught.value.name, caught.value.origin) == ("acme.greeter", "application")
    assert type(FAULTS[fault]).__name__ in caught.value.cause
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]


def test_no_room_for_temporary_files_is_nobodys_fault(tmp_path: Path) -> None:
    target = tmp_path / "report.txt"

    with pytest.raises(ExportTargetError, match="make room there, or let TMPDIR name") as caught:
        export(
            big_session(2),
            "acme.greeter",
            target,
            options=["fail-with=no room"],
            registry=registry(),
        )

    assert caught.value.target == tempfile.gettempdir()
    assert list(tmp_path.iterdir()) == []


def test_a_keyboard_interrupt_goes_on(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        export(
            big_session(2),
            "acme.greeter",
            tmp_path / "x",
            options=["fail-with=KeyboardInterrupt"],
            registry=registry(),
        )

    assert list(tmp_path.iterdir()) == []


def test_text_instead_of_bytes_is_the_exporters_fault() -> None:
    with pytest.raises(PluginCallError, match="TypeError"):
        export(empty_session(), "acme.silent", io.BytesIO(), registry=registry())


def test_a_target_that_refuses_is_not_the_exporters_fault() -> None:
    class Refusing:
        name = "refusing"

        def write(self, data: bytes) -> int:
            raise RuntimeError(f"{len(data)} bytes are too many")

    with pytest.raises(ExportTargetError, match="bytes are too many"):
        export(big_session(1), "acme.greeter", Refusing(), registry=registry())


def test_options_are_checked_before_anything_is_written(tmp_path: Path) -> None:
    session = sample_session()
    target = tmp_path / "x"

    with pytest.raises(UnknownOptionError):
        export(session, "acme.greeter", target, options=["wrd=x"], registry=registry())
    with pytest.raises(OptionValueError):
        export(session, "acme.greeter", target, options={"word": 5}, registry=registry())

    assert list(tmp_path.iterdir()) == []


def test_options_that_are_not_known_are_reported_when_not_strict() -> None:
    report = export(
        empty_session(),
        "acme.greeter",
        io.BytesIO(),
        options=["with-job-via", "word=x"],
        strict=False,
        registry=registry(),
    )

    assert report.ignored_options == ("with-job-via",)


def test_progress_is_told_and_an_order_to_stop_obeyed(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []

    with pytest.raises(ExportCancelled):
        export(
            big_session(9),
            "acme.greeter",
            tmp_path / "x",
            registry=registry(),
            progress=lambda done, total: told.append((done, total)),
            cancelled=lambda: len(told) == 2,
        )

    assert told == [(1, 9), (2, 9)]
    assert list(tmp_path.iterdir()) == []


def test_an_error_of_the_applications_own_callback_is_not_blamed_on_the_plugin() -> None:
    def progress(done: int, total: int) -> None:
        raise ArithmeticError(done, total)

    with pytest.raises(ArithmeticError):
        export(
            big_session(1), "acme.greeter", io.BytesIO(), registry=registry(), progress=progress
        )


def test_the_context_tells_moment_language_and_provenance_and_renders_others() -> None:
    stream = io.BytesIO()
    session = big_session(2)

    report = export(session, "acme.reflector", stream, registry=registry(), lang="de")

    now = datetime.fromtimestamp(session.view().modified, UTC).isoformat()
    assert stream.getvalue().decode() == f"{now} de application\ninner\ninner\n"
    assert report.warnings == (ExportWarning("left-out", "something"),)
    assert not Reflector.folders[-1].exists()


def test_the_context_tells_what_the_reports_of_others_are() -> None:
    found: list[ReportKind] = []

    class Asking(Silent):
        def export(self, view: SessionView, sink: Any, context: ExportContext) -> None:
            del view, sink
            found.append(context.kind_of("acme.greeter"))

    others = registry()
    others.register("exporters", "acme.asking", Asking)
    export(empty_session(), "acme.asking", io.BytesIO(), registry=others)

    (kind,) = found
    assert kind == ReportKind("acme.greeter", Greeter.suffix, Greeter.media_type, kind.options)
    assert kind.options == tuple(row.name for row in describe_options(Greeter.Options))


@pytest.mark.parametrize("way", [("acme.circle",), ("acme.circle", "acme.round")], ids=len)
def test_a_report_is_never_put_into_itself(way: tuple[str, ...]) -> None:
    others = registry()
    for name in way:
        others.register("exporters", name, Circle)

    with pytest.raises(NestedReportError) as caught:
        export(
            empty_session(),
            "acme.circle",
            io.BytesIO(),
            options={"word": way[-1]},
            registry=others,
        )

    assert (caught.value.exporter_id, caught.value.inside) == ("acme.circle", way)


@pytest.mark.parametrize(
    ("epoch", "now", "codes"),
    [
        pytest.param("86400", "1970-01-02T00:00:00+00:00", [], id="a number"),
        pytest.param("9" * 30, "9999-12-31T23:59:59+00:00", [], id="past all years"),
        pytest.param("soon", "2026-01-01T00:00:00+00:00", ["source-date-epoch"], id="a word"),
    ],
)
def test_source_date_epoch_is_the_moment_to_print(
    monkeypatch: pytest.MonkeyPatch, epoch: str, now: str, codes: list[str]
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", epoch)
    stream = io.BytesIO()

    report = export(empty_session(), "acme.reflector", stream, registry=registry())

    assert stream.getvalue().decode().startswith(now)
    assert [warning.code for warning in report.warnings if warning.code != "left-out"] == codes


def test_a_bound_exporter_checks_at_once_and_writes_the_session_as_it_is_then() -> None:
    class Growing:
        jobs = 0

        def view(self) -> SessionView:
            return big_session(self.jobs).view()

    session = Growing()
    bound = BoundExporter(session, "acme.greeter", options=["word=x"], registry=registry())
    session.jobs = 3
    first, second = io.BytesIO(), io.BytesIO()
    bound.export_to(first)
    session.jobs = 1
    bound.export_to(second)

    assert (bound.id, bound.suffix, bound.options) == ("acme.greeter", ".txt", Options(word="x"))
    assert (first.getvalue(), second.getvalue()) == (b"x\n" * 3, b"x\n")
    with pytest.raises(UnknownOptionError):
        BoundExporter(session, "acme.greeter", options=["y"], registry=registry())


def test_one_exporters_failure_is_only_its_own(tmp_path: Path) -> None:
    requests = [
        ExportRequest("acme.greeter", tmp_path / "a.txt"),
        ExportRequest("acme.greeter", tmp_path / "b.txt", options=["fail-with=ValueError"]),
        ExportRequest("acme.unknown", tmp_path / "c.txt"),
        ExportRequest("acme.greeter", tmp_path / "missing" / "d.txt"),
        ExportRequest("acme.greeter", tmp_path / "e.txt", options=["nonsense"]),
        ExportRequest("acme.greeter", tmp_path / "f.txt", options=["nonsense"], strict=False),
    ]

    reports = export_many(big_session(1), requests, registry=registry())

    assert [type(report.exception) for report in reports] == [
        type(None),
        PluginCallError,
        UnknownPluginError,
        ExportTargetError,
        UnknownOptionError,
        type(None),
    ]
    assert all(report.error for report in reports if report.exception)
    assert [report.target for report in reports] == [str(each.target) for each in requests]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.txt", "f.txt"]


def test_many_exports_see_one_moment_of_the_session() -> None:
    class Moving:
        asked = 0

        def view(self) -> SessionView:
            self.asked += 1
            return empty_session().view()

    session = Moving()
    request = ExportRequest("acme.greeter", io.BytesIO())

    reports = export_many(session, [request, request], registry=registry())

    assert session.asked == 1
    assert [report.error for report in reports] == [None, None]


def test_the_installed_exporters_are_used_by_default() -> None:
    stream = io.BytesIO()

    report: ExportReport = export(empty_session(), "global", stream)

    assert (report.exporter, report.distribution) == ("holdall.verdict", "holdall")
    assert stream.getvalue() == b"FAIL\n"
