"""Reports that are folders: they appear whole or not at all, and replace nothing of others."""

from __future__ import annotations

import io
import resource
from hashlib import sha256
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import pytest

from holdall.errors import ExportTargetError, PluginCallError
from holdall.exports import export
from holdall.exports.folders import LISTING, open_folder
from holdall.registry import Registry
from holdall.testing.exporters import ExporterContract
from holdall.testing.sessions import big_session, empty_session
from holdall.writing import line_text

if TYPE_CHECKING:
    from pathlib import Path

    from holdall.contracts import ExportContext, FolderExporter, FolderSink
    from holdall.view import SessionView


class Site:
    """An index, and a file for each outcome."""

    summary: ClassVar[str] = "a folder"
    suffix: ClassVar[str] = ""
    media_type: ClassVar[str] = "text/plain"
    output: ClassVar[Literal["folder"]] = "folder"
    names: ClassVar[tuple[str, ...]] = ("index.txt", "data/jobs.txt")

    def export(self, view: SessionView, sink: FolderSink, context: ExportContext) -> None:
        for name in self.names:
            with sink.open(name) as file:
                for number, job in enumerate(view.jobs()):
                    file.write(f"{job.outcome} {line_text(job.id)}\n".encode())
                    context.progress(number, view.job_count)
                file.write(b"end\n")

    def verify(self, report: Path) -> None:
        for name in self.names:
            assert (report / name).read_bytes().endswith(b"end\n")


if TYPE_CHECKING:
    _: type[FolderExporter] = Site


class TestSite(ExporterContract):
    """A folder keeps the promises of every exporter."""

    exporter = Site


def registry(**exporters: Any) -> Registry:
    found = Registry.empty()
    for name, exporter in exporters.items():
        found.register("exporters", f"acme.{name}", exporter)
    return found


def naming(*written: str) -> type[Site]:
    class Naming(Site):
        names = written

    return Naming


def tree(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_a_folder_is_written_listed_counted_and_digested(tmp_path: Path) -> None:
    target = tmp_path / "site"

    report = export(empty_session(), "acme.site", target, registry=registry(site=Site))

    digest = sha256(b"end\n").hexdigest()
    listed = f"{digest}  data/jobs.txt\n{digest}  index.txt\n"
    assert tree(target) == {
        "index.txt": b"end\n",
        "data/jobs.txt": b"end\n",
        LISTING: b"data/jobs.txt\nindex.txt\n",
    }
    assert (report.size, report.sha256) == (8, sha256(listed.encode()).hexdigest())
    assert report.parts == (f"{target}/data/jobs.txt", f"{target}/index.txt")
    assert [path.name for path in tmp_path.iterdir()] == ["site"]


def test_a_later_report_takes_the_place_of_an_earlier_one_whole(tmp_path: Path) -> None:
    target = tmp_path / "site"
    found = registry(old=naming("old.txt"), new=naming("new.txt"))
    export(empty_session(), "acme.old", target, registry=found)

    export(empty_session(), "acme.new", target, registry=found)

    assert set(tree(target)) == {"new.txt", LISTING}
    assert [path.name for path in tmp_path.iterdir()] == ["site"]


def test_a_failure_leaves_the_earlier_report_and_nothing_else(tmp_path: Path) -> None:
    class Failing(Site):
        def export(self, view: SessionView, sink: FolderSink, context: ExportContext) -> None:
            super().export(view, sink, context)
            raise ZeroDivisionError

    target = tmp_path / "site"
    found = registry(site=Site, failing=Failing)
    export(empty_session(), "acme.site", target, registry=found)
    before = tree(target)

    with pytest.raises(PluginCallError, match="ZeroDivisionError"):
        export(big_session(2), "acme.failing", target, registry=found)

    assert tree(target) == before
    assert [path.name for path in tmp_path.iterdir()] == ["site"]


def test_a_report_that_cannot_be_read_back_replaces_nothing(tmp_path: Path) -> None:
    class Unreadable(Site):
        def verify(self, report: Path) -> None:
            raise ValueError(f"{report.name} is no good")

    found = registry(site=Site, unreadable=Unreadable)
    export(empty_session(), "acme.site", tmp_path / "site", registry=found)
    before = tree(tmp_path / "site")

    with pytest.raises(PluginCallError, match="reading its report back"):
        export(big_session(1), "acme.unreadable", tmp_path / "site", registry=found, verify=True)

    assert tree(tmp_path / "site") == before


@pytest.mark.parametrize("foreign", ["notes.txt", "data/more.txt"])
def test_a_folder_that_holds_something_else_is_never_replaced(
    tmp_path: Path, foreign: str
) -> None:
    target = tmp_path / "site"
    export(empty_session(), "acme.site", target, registry=registry(site=Site))
    (target / foreign).write_bytes(b"mine")
    before = tree(target)

    with pytest.raises(ExportTargetError) as caught:
        export(empty_session(), "acme.site", target, registry=registry(site=Site))

    assert f"it holds what no earlier report wrote ({foreign})" in caught.value.reason
    assert tree(target) == before


def test_a_link_inside_a_folder_is_something_else(tmp_path: Path) -> None:
    target = tmp_path / "site"
    target.mkdir()
    (target / "link").symlink_to(tmp_path)

    with pytest.raises(ExportTargetError, match="link"), open_folder(target):
        pass


def test_an_empty_folder_is_replaced_and_keeps_its_mode(tmp_path: Path) -> None:
    target = tmp_path / "site"
    target.mkdir(mode=0o750)
    target.chmod(0o750)

    export(empty_session(), "acme.site", f"{target}/", registry=registry(site=Site))

    assert "index.txt" in tree(target)
    assert target.stat().st_mode & 0o777 == 0o750


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        pytest.param(io.BytesIO(), "needs a path, not a stream", id="stream"),
        pytest.param("file", "it is a file, and the report is a folder", id="file"),
        pytest.param("missing/site", "there is no folder", id="no such folder"),
    ],
)
def test_a_target_that_can_be_no_folder_is_refused(
    tmp_path: Path, target: Any, reason: str
) -> None:
    (tmp_path / "file").touch()
    where = tmp_path / target if isinstance(target, str) else target

    with pytest.raises(ExportTargetError, match=reason):
        export(empty_session(), "acme.site", where, registry=registry(site=Site))

    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize(
    "name", ["../x", "/x", "a//b", "a/./b", "", ".", "a/", "a\\b", "a\nb", LISTING]
)
def test_a_name_that_leads_out_or_is_none_is_the_exporters_fault(
    tmp_path: Path, name: str
) -> None:
    with pytest.raises(PluginCallError, match="ValueError"):
        export(empty_session(), "acme.out", tmp_path / "site", registry=registry(out=naming(name)))

    assert list(tmp_path.iterdir()) == []


def test_a_name_that_is_taken_is_refused(tmp_path: Path) -> None:
    found = registry(twice=naming("a", "a"), inside=naming("a", "a/b"))

    with pytest.raises(ExportTargetError, match="has a file 'a' already"):
        export(empty_session(), "acme.twice", tmp_path / "site", registry=found)
    with pytest.raises(ExportTargetError):
        export(empty_session(), "acme.inside", tmp_path / "site", registry=found)

    assert list(tmp_path.iterdir()) == []


def test_a_disk_without_room_is_not_the_exporters_fault(tmp_path: Path) -> None:
    class Large(Site):
        def export(self, view: SessionView, sink: FolderSink, context: ExportContext) -> None:
            del view, context
            with sink.open("large") as file:
                file.write(b"x" * (1 << 21))

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, hard))
    try:
        with pytest.raises(ExportTargetError, match="File too large"):
            export(
                empty_session(), "acme.large", tmp_path / "site", registry=registry(large=Large)
            )
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    assert list(tmp_path.iterdir()) == []


def test_a_folder_has_no_place_in_another_report() -> None:
    class Archive:
        summary: ClassVar[str] = "an archive"
        suffix: ClassVar[str] = ".x"
        media_type: ClassVar[str] = "application/octet-stream"

        def export(self, view: SessionView, sink: Any, context: ExportContext) -> None:
            with context.render("acme.site", view) as report:
                sink.write(report.read())

    with pytest.raises(ExportTargetError, match="its report is a folder"):
        export(
            empty_session(),
            "acme.archive",
            io.BytesIO(),
            registry=registry(archive=Archive, site=Site),
        )
