"""The archive: taken by tar and tarfile, every member where the manifest says, and what."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from holdall.errors import (
    ExportError,
    NestedReportError,
    OptionValueError,
    PluginCallError,
    PluginLoadError,
    UnknownOptionError,
    UnknownPluginError,
)
from holdall.exports.pipeline import export
from holdall.journal.events import SessionCreated
from holdall.recording import Recorder
from holdall.registry.candidates import Declared
from holdall.registry.registry import Registry
from holdall.results import Attachment, JobResult, Outcome
from holdall.stores import open_repository
from holdall.testing.exporters import ExporterContract
from holdall.testing.sessions import START, SampleSession, empty_session, sample_session
from holdall_exporters.tar import TarExporter
from holdall_exporters.tar.packing import add_member

if TYPE_CHECKING:
    from pathlib import Path

    from holdall.contracts import Storage
    from holdall.contracts.exporters import ExportContext, Exporter, Sink
    from holdall.view.session import SessionView


@dataclass(frozen=True)
class Options:
    """Nothing to choose."""


class Markdown:
    """An exporter of somebody else."""

    summary: ClassVar[str] = "Markdown"
    suffix: ClassVar[str] = ".md"
    media_type: ClassVar[str] = "text/markdown"
    Options: ClassVar[type] = Options

    def export(self, view: SessionView, sink: Sink, context: ExportContext) -> None:
        context.warn("acme", "something was left out")
        for job in view.jobs():
            sink.write(f"- {job.outcome}\n".encode())


class Failing(Markdown):
    """An exporter that fails."""

    def export(self, view: SessionView, sink: Sink, context: ExportContext) -> None:
        del view, sink, context
        raise ArithmeticError("it can't")


INSIDE = {
    "test.exporter": "tar:TarExporter",
    "holdall.html": "html:HtmlExporter",
    "holdall.json": "json:JsonExporter",
    "holdall.junit": "junit:JUnitExporter",
}


def registry(**targets: str) -> Registry:
    """Return a registry of the exporters; *targets* puts others in the places of some."""
    found = {name: f"holdall_exporters.{target}" for name, target in INSIDE.items()}
    found |= {f"holdall.{name}": target for name, target in targets.items()}
    return Registry(
        Declared(kind="exporters", name=name, value=target, distribution="holdall", version="1.0")
        for name, target in found.items()
    )


class TestTarExporter(ExporterContract):
    """The archive keeps the promises of all exporters."""

    exporter: ClassVar[type[TarExporter]] = TarExporter
    many_jobs: ClassVar[int] = 3000

    def registry(self) -> Registry:
        """Return a registry with the reports that go into the archive."""
        return registry()


def archive(session: SampleSession | None = None, found: Registry | None = None) -> bytes:
    stream = io.BytesIO()
    export(session or sample_session(), "test.exporter", stream, registry=found or registry())
    return stream.getvalue()


def members(report: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(report)) as tar:
        files = ((member.name, tar.extractfile(member)) for member in tar)
        return {name: file.read() for name, file in files if file}


def manifest(report: bytes, folder: str = "sample-1") -> dict[str, Any]:
    found: dict[str, Any] = json.loads(members(report)[f"{folder}/manifest.json"])
    return found


def test_the_manifest_tells_every_member_with_size_and_digest() -> None:
    report = archive()
    content = members(report)
    listed = manifest(report)["members"]

    assert [f"sample-1/{each['name']}" for each in listed] == list(content)[:-1]
    for each in listed:
        data = content[f"sample-1/{each['name']}"]
        assert (each["size"], each["sha256"]) == (len(data), sha256(data).hexdigest())


def test_the_manifest_says_which_job_a_member_is_of() -> None:
    listed = manifest(archive())["members"]

    assert next(each for each in listed if each.get("original_name") == "../Shot.png") == {
        "name": "attachments/local/com.example%3a%3abig-log.1/%2e.%2fShot~0fcb3061931f.png",
        "size": 264,
        "sha256": sha256(b"\x89PNG\r\n\x1a\n" + bytes(range(256))).hexdigest(),
        "kind": "attachment",
        "media_type": "image/png",
        "device": "local",
        "job": "com.example::big-log",
        "attempt": 1,
        "original_name": "../Shot.png",
    }


def test_the_reports_inside_can_be_read() -> None:
    content = members(archive())

    assert content["sample-1/report.html"].startswith(b"<!DOCTYPE html>")
    assert json.loads(content["sample-1/report.json"])["session"]["id"] == "sample-1"
    assert b"<testsuites>" in content["sample-1/report.junit.xml"]


def test_logs_and_attachments_are_there_byte_for_byte() -> None:
    content = members(archive())
    folder = "sample-1/attachments/local/com.example%3a%3abig-log.1"

    job = next(j for j in sample_session().view().jobs() if j.id == "com.example::flaky")
    log = b"".join(record.data for record in job.attempts[0].io_log())
    assert content["sample-1/logs/local/com.example%3a%3aflaky.1.log"] == log
    assert content[f"{folder}/notes.txt"] == b"notes"
    assert content[f"{folder}/2~notes.txt"] == b"more"


def stored(url: str, *, size: int) -> Storage:
    """Return a session with an attachment of 5 000 bytes, of which it says *size*."""
    repository = open_repository(url)
    storage = repository.create("s")
    ref = storage.put_blob([b"x" * 5000])
    attachment = Attachment(name="a.png", media_type="image/png", size=size, ref=ref)
    result = JobResult(outcome=Outcome.PASS, attachments=(attachment,))
    with Recorder(storage) as recorder:
        recorder.record_result("job", result)
    return repository.open("s", mode="r")


@pytest.mark.parametrize("store", ["file://{}", "sqlite:///{}/s.db", "memory://{}"])
def test_an_attachment_in_a_blob_goes_into_the_archive_from_every_store(
    store: str, tmp_path: Path
) -> None:
    report = io.BytesIO()

    export(stored(store.format(tmp_path), size=5000), "tar", report, verify=True)

    assert members(report.getvalue())["s/attachments/job.1/a.png"] == b"x" * 5000


@pytest.mark.parametrize(
    ("size", "reason"), [(4999, "goes on behind"), (5001, "ends after 5,000")]
)
def test_an_attachment_of_another_size_than_the_session_says_is_not_packed(
    size: int, reason: str, tmp_path: Path
) -> None:
    with pytest.raises(ExportError, match=reason):
        export(stored(f"file://{tmp_path}", size=size), "tar", io.BytesIO())


def test_output_of_attachment_jobs_is_an_attachment() -> None:
    content = members(archive())

    name = "sample-1/attachments/local/com.example%3a%3aattachment.1/stdout"
    assert content[name] == b"key: value\n"
    assert "sample-1/logs/local/com.example%3a%3aattachment.1.log" not in content


def test_hostile_ids_stay_in_the_folder_and_apart(tmp_path: Path) -> None:
    report = archive()
    with tarfile.open(fileobj=io.BytesIO(report)) as tar:
        names = tar.getnames()
        tar.extractall(tmp_path, filter="data")

    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) == len(names) == len({name.lower() for name in names})
    assert all(len(part.encode()) <= 255 for name in names for part in name.split("/"))
    assert {path.relative_to(tmp_path).parts[0] for path in files} == {"sample-1"}


def test_members_say_nothing_of_who_made_them_and_when() -> None:
    report = archive()
    with tarfile.open(fileobj=io.BytesIO(report)) as tar:
        found = {(m.uid, m.gid, m.uname, m.gname, m.mode, m.mtime) for m in tar}

    assert found == {(0, 0, "", "", 0o644, sample_session().view().modified)}
    assert report[:4] == b"\x1f\x8b\x08\x00"  # no file name
    assert report[4:8] == bytes(4)  # no moment


@pytest.mark.skipif(not shutil.which("tar"), reason="tar is not there")
def test_tar_takes_it(tmp_path: Path) -> None:
    (tmp_path / "report.tar.gz").write_bytes(archive())

    subprocess.run([str(shutil.which("tar")), "-xzf", "report.tar.gz"], cwd=tmp_path, check=True)

    assert (tmp_path / "sample-1" / "manifest.json").is_file()


def test_a_report_that_can_not_be_made_is_left_out_with_a_warning() -> None:
    stream = io.BytesIO()
    broken = registry(html="holdall_exporters.not_there:Nothing")

    report = export(sample_session(), "test.exporter", stream, registry=broken)

    assert [warning.code for warning in report.warnings] == ["left-out"]
    assert "report.html is not in the archive" in report.warnings[0].text
    assert "sample-1/report.html" not in members(stream.getvalue())
    assert "sample-1/report.json" in members(stream.getvalue())


def test_an_empty_session_has_reports_and_manifest() -> None:
    assert sorted(members(archive(empty_session()))) == [
        "sample-empty/manifest.json",
        "sample-empty/report.html",
        "sample-empty/report.json",
        "sample-empty/report.junit.xml",
    ]


@pytest.mark.parametrize(("compression", "start"), [("gz", b"\x1f\x8b"), ("xz", b"\xfd7zXZ")])
def test_an_archive_is_packed_as_was_asked_for(compression: str, start: bytes) -> None:
    stream = io.BytesIO()
    options = [f"compression={compression}", "contents=json,text"]

    export(
        sample_session(), "tar", stream, options=options, verify=True, registry=Registry.discover()
    )

    assert stream.getvalue().startswith(start)
    with tarfile.open(fileobj=io.BytesIO(stream.getvalue())) as tar:
        names = [each.name for each in tar if "report" in each.name]
    assert names == ["sample-1/report.json", "sample-1/report.text.txt"]


def test_an_archive_can_be_plain_and_hold_nothing_but_the_manifest() -> None:
    stream = io.BytesIO()
    options = ["compression=none", "contents=none", "no-data"]

    export(
        sample_session(), "tar", stream, options=options, verify=True, registry=Registry.discover()
    )

    with tarfile.open(fileobj=io.BytesIO(stream.getvalue()), mode="r:") as tar:
        assert tar.getnames() == ["sample-1/manifest.json"]


def test_zst_needs_its_package_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "backports.zstd", None)

    with pytest.raises(ExportError, match=r"holdall\[zstd\]"):
        export(
            sample_session(),
            "tar",
            io.BytesIO(),
            options=["compression=zst"],
            registry=Registry.discover(),
        )


def test_an_archive_packed_with_zst_is_read_by_the_library_itself() -> None:
    zstd = pytest.importorskip("backports.zstd", reason="the extra zstd is not installed")
    stream = io.BytesIO()

    export(
        sample_session(),
        "tar",
        stream,
        options=["compression=zst", "contents=json"],
        verify=True,
        registry=Registry.discover(),
    )

    plain = zstd.decompress(stream.getvalue())
    with tarfile.open(fileobj=io.BytesIO(plain)) as tar:
        assert "sample-1/report.json" in tar.getnames()


def test_an_archive_that_is_cut_short_is_not_published() -> None:
    stream = io.BytesIO()
    export(
        sample_session(), "tar", stream, options=["contents=json"], registry=Registry.discover()
    )

    with pytest.raises((ValueError, EOFError, tarfile.TarError)):
        TarExporter.verify(io.BytesIO(stream.getvalue()[:-2000]))


def with_strangers(**exporters: type[Exporter]) -> Registry:
    """Return the installed exporters and others, whose ids begin with `acme.`."""
    found = Registry.discover()
    for name, exporter in exporters.items():
        found.register("exporters", f"acme.{name}", exporter)
    return found


def inside(*contents: str, found: Registry | None = None) -> list[str]:
    """Return the names of the reports in an archive with *contents*."""
    stream = io.BytesIO()
    options = [f"contents={','.join(contents)}", "no-data"]
    export(sample_session(), "tar", stream, options=options, registry=found or with_strangers())
    names = [name.removeprefix("sample-1/") for name in members(stream.getvalue())]
    assert names.pop() == "manifest.json"
    return names


def test_the_report_of_any_exporter_can_be_inside() -> None:
    stream = io.BytesIO()
    options = ["contents=json,acme.markdown", "no-data"]

    report = export(
        sample_session(),
        "tar",
        stream,
        options=options,
        verify=True,
        registry=with_strangers(markdown=Markdown),
    )

    view = sample_session().view()
    wanted = "".join(f"- {job.outcome}\n" for job in view.jobs()).encode()
    assert members(stream.getvalue())["sample-1/report.acme.markdown.md"] == wanted
    assert [each.code for each in report.warnings] == ["acme"]
    listed = manifest(stream.getvalue())["members"]
    assert {each["name"]: each["media_type"] for each in listed} == {
        "report.json": "application/json",
        "report.acme.markdown.md": "text/markdown",
    }


def test_a_report_is_named_by_its_exporter_and_ending() -> None:
    assert inside("html", "json", "junit", "text", "global", "xlsx") == [
        "report.html",
        "report.json",
        "report.junit.xml",
        "report.text.txt",
        "report.verdict.txt",
        "report.xlsx",
    ]


def test_two_exporters_whose_reports_would_have_one_name_get_two() -> None:
    class Short(Markdown):
        suffix: ClassVar[str] = ".b.md"

    found = with_strangers(a=Short, **{"a.b": Markdown})

    assert inside("acme.a", "acme.a.b", found=found) == [
        "report.acme.a.b.md",
        "2~report.acme.a.b.md",
    ]


def test_an_ending_leads_out_of_no_folder() -> None:
    class Hostile(Markdown):
        suffix: ClassVar[str] = "/../../etc/passwd"

    with pytest.raises(PluginLoadError, match="its 'suffix' must be a file name ending"):
        with_strangers(hostile=Hostile)


def test_a_report_that_is_named_twice_is_there_once() -> None:
    assert inside("json", "default", "holdall.json", "html") == [
        "report.json",
        "report.html",
        "report.junit.xml",
    ]


@pytest.mark.parametrize(
    ("name", "error", "words"),
    [
        pytest.param("jsn", UnknownPluginError, "did you mean 'json'", id="unknown"),
        pytest.param("tar", NestedReportError, "it would be inside itself", id="itself"),
        pytest.param("acme.failing", PluginCallError, "it can't", id="failing"),
    ],
)
def test_what_can_not_be_inside_is_an_error(name: str, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        inside("json", name, found=with_strangers(failing=Failing))


def test_a_name_that_is_unknown_is_found_before_anything_is_written() -> None:
    stream = io.BytesIO()

    with pytest.raises(UnknownPluginError):
        export(
            sample_session(),
            "tar",
            stream,
            options=["contents=json,nothing"],
            registry=with_strangers(),
        )

    assert stream.getvalue() == b""


def test_html_that_was_asked_for_and_can_not_be_loaded_is_an_error() -> None:
    broken = registry(html="holdall_exporters.not_there:Nothing")

    with pytest.raises(PluginLoadError):
        export(
            sample_session(),
            "test.exporter",
            io.BytesIO(),
            options=["contents=holdall.html,holdall.json"],
            registry=broken,
        )


def test_the_reports_inside_take_options() -> None:
    wanted = "inside=junit.flavour=rich,holdall.junit.no-ascii"

    found = members(archive_with(["contents=json,junit", "no-data", wanted]))

    junit = found["sample-1/report.junit.xml"].decode()
    assert "<properties>" in junit.partition("<testcase")[2]
    assert 'encoding="UTF-8"' in junit


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        pytest.param(["inside=logs=all"], ExportError, "inside=html.logs=all", id="no exporter"),
        pytest.param(["inside=text.width=60"], ExportError, "contents=default,text", id="absent"),
        pytest.param(["inside=nobody.a=b"], UnknownPluginError, "nobody", id="unknown exporter"),
        pytest.param(["inside=json.nobody=b"], UnknownOptionError, "nobody", id="option"),
        pytest.param(
            ["flavour=checkbox", "inside=json.logs=none"],
            OptionValueError,
            "inside",
            id="checkbox",
        ),
    ],
)
def test_options_inside_that_fit_nothing_are_errors(
    options: list[str], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        archive_with(options)


def test_a_session_id_with_capitals_is_the_name_of_the_folder() -> None:
    session = SampleSession((SessionCreated(at=START, session_id="holdall-2026-11-26T15.31-a"),))

    (name,) = members(archive_with(["contents=none"], session))

    assert name == "holdall-2026-11-26T15.31-a/manifest.json"


def test_members_are_not_kept_in_memory() -> None:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w|", format=tarfile.PAX_FORMAT) as tar:
        for name in ("a", "b"):
            add_member(tar, name, io.BytesIO(b"content"), 7, datetime.fromtimestamp(START, UTC))
        kept = list(vars(tar)["members"])

    assert not kept
    stream.seek(0)
    assert members(stream.getvalue()) == {"a": b"content", "b": b"content"}


def archive_with(options: list[str], session: SampleSession | None = None) -> bytes:
    stream = io.BytesIO()
    export(session or sample_session(), "tar", stream, options=options)
    return stream.getvalue()
