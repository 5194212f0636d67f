"""What an exporter may look like, and what becomes of one that does not keep to its contract."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

import pytest

from holdall.contracts import HasOptions, HasSchema, Verifies
from holdall.errors import ExportTargetError, OptionValueError, PluginCallError, PluginLoadError
from holdall.exports import BoundExporter, ExportRequest, export, export_many
from holdall.registry import Registry
from holdall.testing.sessions import big_session, empty_session
from holdall_exporters.json import JsonExporter
from holdall_exporters.junit import JUnitExporter
from holdall_exporters.text import TextExporter

if TYPE_CHECKING:
    from pathlib import Path


class Minimal:
    """All that an exporter must have."""

    summary, suffix, media_type = "Lines", ".txt", "text/plain"

    def export(self, view: Any, sink: Any, context: Any) -> Any:
        del view, context
        sink.write(b"report\n")


class Static(Minimal):
    @staticmethod
    def export(view: Any, sink: Any, context: Any) -> None:
        del view, context
        sink.write(b"report\n")


class OfItsClass(Minimal):
    @classmethod
    def export(cls, view: Any, sink: Any, context: Any) -> None:
        del view, context
        sink.write(b"report\n")


def registry(exporter: type) -> Registry:
    found = Registry.empty()
    found.register("exporters", "acme.x", exporter)
    return found


def exported(exporter: type, *options: str, **more: Any) -> bytes:
    stream = io.BytesIO()
    export(empty_session(), "acme.x", stream, options=options, registry=registry(exporter), **more)
    return stream.getvalue()


def misfit(exporter: type) -> str:
    with pytest.raises(PluginLoadError) as caught:
        registry(exporter)
    return caught.value.reason


@pytest.mark.parametrize("exporter", [Minimal, Static, OfItsClass])
def test_export_may_be_a_method_of_any_kind_and_options_may_be_missing(exporter: type) -> None:
    assert exported(exporter) == b"report\n"


def test_an_exporter_without_options_takes_none() -> None:
    with pytest.raises(ValueError, match=r"has no option 'width'"):
        exported(Minimal, "width=3")


def with_attribute(name: str, value: object) -> type:
    return type("Odd", (Minimal,), {name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("summary", ""),
        ("summary", "  "),
        ("summary", "two\nlines"),
        ("summary", "\x1b[31mred"),
        ("summary", 7),
        ("suffix", ""),
        ("suffix", "txt"),
        ("suffix", "."),
        ("suffix", "./x"),
        ("suffix", ".a\\b"),
        ("suffix", ".a b"),
        ("suffix", "../../x"),
        ("media_type", ""),
        ("media_type", "text"),
        ("media_type", "text/plain\nX: y"),
        ("media_type", "text/plain/x"),
        ("output", "stream"),
        ("output", None),
    ],
)
def test_what_lists_and_file_names_are_made_of_is_checked(name: str, value: object) -> None:
    assert f"its {name!r} must be" in misfit(with_attribute(name, value))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("summary", "Ein Bericht für Menschen"),
        ("suffix", ".tar.gz"),
        ("media_type", "text/plain; charset=utf-8"),
        ("media_type", "application/vnd.x+json"),
        ("output", "parts"),
    ],
)
def test_what_is_as_it_should_be_is_taken(name: str, value: str) -> None:
    assert exported(with_attribute(name, value)) == b"report\n"


class Generating(Minimal):
    def export(self, view: Any, sink: Any, context: Any) -> Any:
        sink.write(b"never")
        yield view, context


class Waiting(Minimal):
    async def export(self, view: Any, sink: Any, context: Any) -> Any: ...


class WaitingGenerator(Minimal):
    async def export(self, view: Any, sink: Any, context: Any) -> Any:
        yield view, sink, context


class VerifyingLater(Minimal):
    async def verify(self, report: Any) -> None: ...


class VerifyingNothing(Minimal):
    def verify(self) -> None: ...


@pytest.mark.parametrize(
    ("exporter", "reason"),
    [
        (Generating, "its method 'export' is a generator, which would never run"),
        (Waiting, "its method 'export' is a coroutine, which would never run"),
        (WaitingGenerator, "its method 'export' is a coroutine, which would never run"),
        (VerifyingLater, "its method 'verify' is a coroutine, which would never run"),
        (VerifyingNothing, "its method 'verify' must take 1 argument"),
    ],
)
def test_a_method_that_would_never_run_is_refused_at_load(exporter: type, reason: str) -> None:
    assert reason in misfit(exporter)


class Grumpy(type):
    def __getattribute__(cls, name: str) -> Any:
        if name == "output":
            raise SystemExit("do not look")
        return super().__getattribute__(name)


def test_a_class_that_can_not_be_looked_at_is_broken_and_no_more() -> None:
    class Hidden(Minimal, metaclass=Grumpy): ...

    with pytest.raises(PluginLoadError) as caught:
        registry(Hidden)

    assert caught.value.state == "broken"
    assert caught.value.reason == "looking at it raised SystemExit: do not look"


class Returning(Minimal):
    def export(self, view: Any, sink: Any, context: Any) -> Any:
        super().export(view, sink, context)
        return b"report"


class Unmakeable(Minimal):
    def __init__(self) -> None:
        raise SystemExit(3)


@pytest.mark.parametrize(
    ("exporter", "cause"),
    [
        (Returning, "it returned b'report' and not None"),
        (Unmakeable, "SystemExit: 3"),
    ],
)
def test_a_report_is_published_only_if_the_exporter_did_its_part(
    tmp_path: Path, exporter: type, cause: str
) -> None:
    target = tmp_path / "report.txt"
    target.write_bytes(b"old")

    with pytest.raises(PluginCallError) as caught:
        export(empty_session(), "acme.x", target, registry=registry(exporter))

    assert (caught.value.cause, caught.value.origin) == (cause, "application")
    assert target.read_bytes() == b"old"


class VerifiedByInstance(Minimal):
    seen = b""

    def verify(self, report: BinaryIO) -> None:
        type(self).seen = report.read()


class VerifiedByClass(Minimal):
    seen = b""

    @classmethod
    def verify(cls, report: BinaryIO) -> None:
        cls.seen = report.read()


class VerifiedStatically(Minimal):
    seen = b""

    @staticmethod
    def verify(report: BinaryIO) -> None:
        VerifiedStatically.seen = report.read()


@pytest.mark.parametrize("exporter", [VerifiedByInstance, VerifiedByClass, VerifiedStatically])
def test_verify_may_be_a_method_of_any_kind(exporter: Any) -> None:
    assert exported(exporter, verify=True) == b"report\n"
    assert exporter.seen == b"report\n"


def test_a_verify_that_says_no_instead_of_raising_is_blamed() -> None:
    class Saying(Minimal):
        def verify(self, report: BinaryIO) -> Any:
            return report.read() == b"something else"

    with pytest.raises(PluginCallError, match="reading its report back: it returned False"):
        exported(Saying, verify=True)


@dataclass(frozen=True)
class Picky:
    """Options that say what they have against a value.

    Attributes:
        x: A number.
    """

    x: int = 1

    def __post_init__(self) -> None:
        if self.x == 0:
            raise ValueError("x can't be zero")
        if self.x < 0:
            raise RuntimeError("nobody thought of that")


class WithPicky(Minimal):
    Options = Picky


def test_what_an_options_class_has_against_a_value_is_told_and_else_it_is_blamed() -> None:
    with pytest.raises(OptionValueError, match=r"'x' of the exporter 'acme\.x'.*can't be zero"):
        exported(WithPicky, "x=0")
    with pytest.raises(PluginCallError) as caught:
        exported(WithPicky, "x=-1")

    assert caught.value.doing == "making its options"
    assert caught.value.cause == "RuntimeError: nobody thought of that"


def test_options_that_can_not_be_made_cost_no_other_report(tmp_path: Path) -> None:
    requests = [
        ExportRequest("acme.x", tmp_path / "x", options=["x=-1"]),
        ExportRequest("acme.x", tmp_path / "y"),
    ]

    reports = export_many(empty_session(), requests, registry=registry(WithPicky))

    assert [type(report.exception) for report in reports] == [PluginCallError, type(None)]


def test_options_that_refuse_their_own_defaults_are_the_exporters_fault() -> None:
    @dataclass(frozen=True)
    class Never:
        """None.

        Attributes:
            x: A number.
        """

        x: int = 1

        def __post_init__(self) -> None:
            raise ValueError("never")

    class WithNever(Minimal):
        Options = Never

    with pytest.raises(PluginCallError, match="making its options: ValueError: never"):
        exported(WithNever)


class Splitting(Minimal):
    def export(self, view: Any, sink: Any, context: Any) -> None:
        super().export(view, sink, context)
        sink.part().write(b"more\n")
        for name in sink.end_parts():
            context.warn("removed", name)


class Declared(Splitting):
    output = "parts"


def test_an_exporter_that_declares_it_may_write_numbered_files(tmp_path: Path) -> None:
    surplus = [tmp_path / "report.3.txt", tmp_path / "report.4.txt"]
    for path in (*surplus, tmp_path / "report.6.txt"):
        path.touch()

    report = export(
        empty_session(), "acme.x", tmp_path / "report.txt", registry=registry(Declared)
    )

    assert report.parts == (str(tmp_path / "report.2.txt"),)
    assert [warning.text for warning in report.warnings] == list(map(str, surplus))
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "report.2.txt",
        "report.6.txt",
        "report.txt",
    ]


def test_one_that_does_not_declare_it_may_not(tmp_path: Path) -> None:
    with pytest.raises(PluginCallError, match="no attribute 'part'"):
        export(empty_session(), "acme.x", tmp_path / "x.txt", registry=registry(Splitting))

    assert list(tmp_path.iterdir()) == []


def test_a_stream_has_no_numbered_files_beside_it() -> None:
    with pytest.raises(ExportTargetError, match="needs a file, not a stream"):
        exported(Declared)


def test_a_path_that_names_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(ExportTargetError, match="it names a folder; name a file in it"):
        export(empty_session(), "acme.x", f"{tmp_path}/new/", registry=registry(Minimal))

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("color", [True, False])
def test_an_exporter_is_told_whether_its_reader_sees_colours(*, color: bool) -> None:
    told = []

    class Asking(Minimal):
        def export(self, view: Any, sink: Any, context: Any) -> None:
            del view, sink
            told.append(context.color)

    exported(Asking, color=color)

    assert told == [color]


def test_the_text_is_coloured_for_who_sees_colours() -> None:
    bound = BoundExporter(big_session(1), "acme.x", registry=registry(TextExporter))
    plain, coloured = io.BytesIO(), io.BytesIO()

    bound.export_to(plain)
    bound.export_to(coloured, color=True)

    assert (b"\x1b" in plain.getvalue(), b"\x1b" in coloured.getvalue()) == (False, True)


def test_what_an_exporter_may_do_besides_is_known_from_its_class() -> None:
    assert isinstance(JsonExporter, HasOptions)
    assert isinstance(JsonExporter, HasSchema)
    assert isinstance(JsonExporter, Verifies)
    assert not isinstance(JUnitExporter, HasSchema)
    assert not isinstance(Minimal, HasOptions | Verifies)


def test_an_exit_in_a_callback_of_the_application_is_not_the_exporters() -> None:
    def exiting(done: int, total: int) -> None:
        raise SystemExit(done + total)

    class Telling(Minimal):
        def export(self, view: Any, sink: Any, context: Any) -> None:
            del view, sink
            context.progress(1, 2)

    with pytest.raises(SystemExit):
        exported(Telling, progress=exiting)
