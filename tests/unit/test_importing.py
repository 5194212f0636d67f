"""A file becomes a session by the importer that accepts it, and a damage has a name."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.unit.test_importers import RESULTS, CsvImporter, written

import holdall
from holdall import Registry
from holdall.errors import (
    ImportSourceError,
    NoImporterError,
    PluginCallError,
    SeveralImportersError,
    UnknownPluginError,
)
from holdall.recording import find_importer, import_results
from holdall.view import SessionView, verdict
from holdall_plugins.stores.memory import MemoryRepository

if TYPE_CHECKING:
    from holdall import Recorder


class Faulty(CsvImporter):
    def load(self, source: Path, recorder: Recorder) -> None:
        super().load(source, recorder)
        raise KeyError("no such column")


class Crashing(CsvImporter):
    def accepts(self, head: bytes, name: str) -> bool:
        raise IndexError(head, name)


class Folders(CsvImporter):
    def accepts(self, head: bytes, name: str) -> bool:
        return not head and name == "results"

    def load(self, source: Path, recorder: Recorder) -> None:
        for path in sorted(source.iterdir()):
            super().load(path, recorder)


def registry(**importers: type) -> Registry:
    made = Registry.discover()
    for name, importer in importers.items():
        made.register("importers", name, importer)
    return made


def imported(source: Path, made: Registry, **more: Any) -> SessionView:
    repository = MemoryRepository()
    done = import_results(source, repository, registry=made, **more)
    return SessionView.of(repository.open(done.session_id, mode="r"))


def test_the_importer_that_accepts_a_file_makes_a_session_that_names_it(tmp_path: Path) -> None:
    view = imported(written(tmp_path), registry(csv=CsvImporter, folders=Folders))

    used = [(each.kind, each.id) for each in view.plugins]
    assert used == [("importers", "csv")]
    assert view.title == "results.txt"
    assert [(job.id, str(job.outcome)) for job in view.jobs()] == [
        ("disk", "pass"),
        ("net", "fail"),
    ]


def test_a_folder_is_offered_by_its_name_and_imported(tmp_path: Path) -> None:
    folder = tmp_path / "results"
    folder.mkdir()
    written(folder)

    assert imported(folder, registry(csv=CsvImporter, folders=Folders)).job_count == 2


def test_a_pipe_is_imported_from_a_file(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_text, args=(RESULTS,))
    writer.start()

    view = imported(pipe, registry(csv=CsvImporter))

    writer.join()
    assert view.job_count == 2


def test_results_without_a_device_are_of_the_one_that_is_given(tmp_path: Path) -> None:
    view = imported(written(tmp_path), registry(csv=CsvImporter), device="dut-7", title="Nightly")

    assert (view.title, [device.id for device in view.devices]) == ("Nightly", ["dut-7"])
    assert [job.device_id for job in view.jobs()] == ["dut-7", "dut-7"]


def test_a_file_that_nobody_accepts_names_those_that_were_asked(tmp_path: Path) -> None:
    source = written(tmp_path, "<catalog/>")

    with pytest.raises(NoImporterError) as caught:
        find_importer(source, registry=registry(csv=CsvImporter, odd=Crashing))

    asked = caught.value.asked
    assert "csv" in asked
    assert "odd" not in asked
    words = f"no importer accepts {str(source)!r} (asked: {', '.join(asked)}; "
    assert f"{words}1 could not be asked: " in str(caught.value)
    assert any("'odd'" in fault for fault in caught.value.faults)


def test_an_importer_that_fails_at_looking_leaves_the_file_to_others(tmp_path: Path) -> None:
    made = registry(odd=Crashing, csv=CsvImporter)

    assert find_importer(written(tmp_path), registry=made) == "csv"


def test_a_file_that_several_accept_is_left_to_the_user(tmp_path: Path) -> None:
    source = written(tmp_path)
    made = registry(csv=CsvImporter, table=Faulty)

    with pytest.raises(SeveralImportersError, match=r"accept .*: csv, table; name the one"):
        imported(source, made)
    assert imported(source, made, importer="csv").job_count == 2


def test_an_importer_of_no_such_name_is_refused_with_near_ones(tmp_path: Path) -> None:
    with pytest.raises(UnknownPluginError, match="did you mean 'csv'"):
        imported(written(tmp_path), registry(csv=CsvImporter), importer="cvs")


def test_a_damage_names_file_and_importer_and_leaves_no_session(tmp_path: Path) -> None:
    source = written(tmp_path, f"{RESULTS}usb,pass,soon,\n")
    repository = MemoryRepository()

    with pytest.raises(ImportSourceError) as caught:
        import_results(source, repository, registry=registry(csv=CsvImporter))

    assert list(repository.ids()) == []
    assert str(caught.value).startswith(f"cannot import {str(source)!r} by the importer 'csv' of ")
    assert "the job 'usb': could not convert string to float" in str(caught.value)


def test_a_partial_import_keeps_what_was_sound_and_says_what_is_missing(tmp_path: Path) -> None:
    source = written(tmp_path, f"{RESULTS}usb,pass,soon,\n")
    repository = MemoryRepository()

    done = import_results(source, repository, partial=True, registry=registry(csv=CsvImporter))

    (problem,) = done.problems
    view = SessionView.of(repository.open(done.session_id, mode="r"))
    first, *jobs = view.jobs()
    assert "the job 'usb': could not convert string to float" in problem
    assert (first.id, str(first.outcome), first.comments) == ("import", "error", problem)
    assert first.device_id == f"import-{done.session_id.rpartition('-')[2]}"
    assert [(job.device_id, job.id) for job in jobs] == [("local", "disk"), ("local", "net")]
    assert verdict(view).word == "FAIL"


def test_a_partial_import_of_nothing_sound_is_an_error(tmp_path: Path) -> None:
    repository = MemoryRepository()
    source = written(tmp_path, f"{RESULTS.splitlines()[0]}\nusb,pass,soon,\n")

    with pytest.raises(ImportSourceError, match="the job 'usb'"):
        import_results(source, repository, partial=True, registry=registry(csv=CsvImporter))
    assert list(repository.ids()) == []


class Stopped(CsvImporter):
    def load(self, source: Path, recorder: Recorder) -> None:
        super().load(source, recorder)
        recorder.checkpoint()
        raise KeyboardInterrupt


def test_an_import_that_is_stopped_leaves_no_session(tmp_path: Path) -> None:
    repository = MemoryRepository()

    with pytest.raises(KeyboardInterrupt):
        import_results(written(tmp_path), repository, registry=registry(csv=Stopped))
    assert list(repository.ids()) == []


def test_what_is_stored_while_an_import_goes_on_does_not_look_whole(tmp_path: Path) -> None:
    repository = MemoryRepository()

    with pytest.raises(KeyboardInterrupt) as caught:
        import_results(written(tmp_path), repository, partial=True, registry=registry(csv=Stopped))

    (info,) = holdall.list_sessions(repository)
    assert (info.state, info.verdict, info.results) == ("unfinished", "FAIL", 2)
    assert caught.value.__notes__ == [
        f"what was recorded before is in the session {info.id}",
    ]


def test_several_sources_become_one_session(tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    sources = [written(tmp_path), written(tmp_path / "more", RESULTS.replace("disk", "usb"))]
    repository = MemoryRepository()

    done = import_results(sources, repository, registry=registry(csv=CsvImporter))

    view = SessionView.of(repository.open(done.session_id, mode="r"))
    assert view.title == "results.txt, results.txt"
    assert [(job.id, job.attempt_count) for job in view.jobs()] == [
        ("disk", 1),
        ("net", 2),
        ("usb", 1),
    ]
    assert [device.id for device in view.devices] == ["local"]


def test_a_folder_that_nobody_accepts_is_imported_file_by_file(tmp_path: Path) -> None:
    written(tmp_path)
    (tmp_path / "a").mkdir()
    written(tmp_path / "a", RESULTS.replace("disk", "usb"))
    (tmp_path / "notes.md").write_text("about them")
    repository = MemoryRepository()

    done = import_results(tmp_path, repository, registry=registry(csv=CsvImporter))

    view = SessionView.of(repository.open(done.session_id, mode="r"))
    assert [job.id for job in view.jobs()] == ["disk", "net", "usb"]
    assert done.left_out == {"files that no importer accepts": 1}


def test_a_folder_without_an_accepted_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.md").write_text("about nothing")

    with pytest.raises(NoImporterError, match=r"asked: .*\bcsv\b"):
        imported(tmp_path, registry(csv=CsvImporter))


class Looking(CsvImporter):
    def accepts_folder(self, folder: Path) -> bool:
        return (folder / "results.txt").exists()

    def load(self, source: Path, recorder: Recorder) -> None:
        super().load(source / "results.txt", recorder)


def test_an_importer_of_folders_looks_into_them(tmp_path: Path) -> None:
    folder = tmp_path / "any-name"
    folder.mkdir()
    written(folder)

    assert find_importer(folder, registry=registry(odd=Looking)) == "odd"
    assert imported(folder, registry(odd=Looking)).job_count == 2


def test_a_damaged_file_of_a_folder_keeps_none_of_the_others_out(tmp_path: Path) -> None:
    for name, text in (("a", RESULTS), ("b", f"{RESULTS}usb,pass,soon,\n"), ("c", RESULTS)):
        (tmp_path / name).mkdir()
        written(tmp_path / name, text.replace("disk", f"disk-{name}"))
    repository = MemoryRepository()

    done = import_results(tmp_path, repository, partial=True, registry=registry(csv=CsvImporter))

    view = SessionView.of(repository.open(done.session_id, mode="r"))
    assert {job.id for job in view.jobs()} >= {"disk-a", "disk-b", "disk-c"}
    assert len(done.problems) == 1


def test_a_packed_file_that_is_damaged_at_its_beginning_is_a_problem_of_its_own(
    tmp_path: Path,
) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "c").mkdir()
    written(tmp_path / "a", RESULTS.replace("disk", "disk-a"))
    (tmp_path / "b.gz").write_bytes(gzip.compress(RESULTS.encode())[:14])
    written(tmp_path / "c", RESULTS.replace("disk", "disk-c"))
    repository = MemoryRepository()

    done = import_results(tmp_path, repository, partial=True, registry=registry(csv=CsvImporter))

    view = SessionView.of(repository.open(done.session_id, mode="r"))
    assert {job.id for job in view.jobs()} >= {"disk-a", "disk-c"}
    assert "b.gz" in done.problems[0]
    with pytest.raises(ImportSourceError, match=r"b\.gz"):
        import_results(tmp_path, repository, registry=registry(csv=CsvImporter))


def test_no_source_is_refused() -> None:
    with pytest.raises(ValueError, match="there is no source to import"):
        import_results([], MemoryRepository())


def test_what_was_unpacked_before_the_damage_is_kept(tmp_path: Path) -> None:
    lines = [f"job-{number},pass,1,\n" for number in range(20_000)]
    packed = tmp_path / "results.gz"
    whole = gzip.compress((RESULTS + "".join(lines)).encode())
    packed.write_bytes(whole[: len(whole) // 2])
    made, repository = registry(csv=CsvImporter), MemoryRepository()

    done = import_results(packed, repository, partial=True, registry=made)

    view = SessionView.of(repository.open(done.session_id, mode="r"))
    assert view.job_count > 1000
    assert "what gzip packed is damaged" in done.problems[0]
    with pytest.raises(ImportSourceError, match="what gzip packed is damaged"):
        import_results(packed, repository, registry=made)
    assert len(list(repository.ids())) == 1


@pytest.mark.parametrize("is_folder", [True, False])
def test_a_source_that_is_empty_is_said_to_be_so(tmp_path: Path, *, is_folder: bool) -> None:
    source = tmp_path / "source"
    source.mkdir() if is_folder else source.touch()

    with pytest.raises(
        ImportSourceError, match="no file is in it" if is_folder else "it is empty"
    ):
        imported(source, registry(csv=CsvImporter))


@pytest.mark.parametrize(
    "pack", [gzip.compress, bz2.compress, lzma.compress], ids=["gzip", "bzip2", "xz"]
)
def test_what_is_packed_is_unpacked_first(tmp_path: Path, pack: Any) -> None:
    packed = tmp_path / "results.packed"
    packed.write_bytes(pack(RESULTS.encode()))

    assert imported(packed, registry(csv=CsvImporter)).job_count == 2


def test_what_is_packed_and_cut_off_is_damaged(tmp_path: Path) -> None:
    packed = tmp_path / "results.gz"
    packed.write_bytes(gzip.compress(RESULTS.encode())[:-12])

    with pytest.raises(ImportSourceError, match=r"results\.gz': what gzip packed is damaged"):
        imported(packed, registry(csv=CsvImporter))


class Losing(CsvImporter):
    def load(self, source: Path, recorder: Recorder) -> None:
        super().load(source, recorder)
        recorder.leave_out("colours", 2)
        recorder.leave_out("colours")


def test_what_a_session_can_not_keep_is_counted(tmp_path: Path) -> None:
    done = import_results(written(tmp_path), MemoryRepository(), registry=registry(csv=Losing))

    assert done.left_out == {"colours": 3}


def test_a_damage_before_the_first_result_leaves_no_session(tmp_path: Path) -> None:
    source = written(tmp_path, f"{RESULTS.splitlines()[0]}\nusb,pass,soon,\n")
    repository = MemoryRepository()

    with pytest.raises(ImportSourceError):
        import_results(source, repository, registry=registry(csv=CsvImporter))
    assert list(repository.ids()) == []


def test_a_source_without_results_is_said_to_be_so_and_leaves_no_session(tmp_path: Path) -> None:
    repository = MemoryRepository()
    source = written(tmp_path, "")

    with pytest.raises(ImportSourceError, match="no result is in it") as caught:
        import_results(source, repository, importer="csv", registry=registry(csv=CsvImporter))

    assert caught.value.importer == "csv"
    assert list(repository.ids()) == []


def test_a_fault_of_an_importer_is_blamed_on_it(tmp_path: Path) -> None:
    repository = MemoryRepository()

    with pytest.raises(PluginCallError, match=r"importer 'csv' of .* KeyError: 'no such column'"):
        import_results(written(tmp_path), repository, registry=registry(csv=Faulty))
    assert list(repository.ids()) == []


def test_a_file_that_is_not_there_is_said_to_be_so(tmp_path: Path) -> None:
    with pytest.raises(ImportSourceError, match=r"gone\.txt': No such file or directory"):
        imported(tmp_path / "gone.txt", registry(csv=CsvImporter))


class Vague(CsvImporter):
    def accepts(self, head: bytes, name: str) -> Any:
        return head[:4] or name


def test_an_importer_that_does_not_say_yes_or_no_accepts_nothing(tmp_path: Path) -> None:
    with pytest.raises(NoImporterError) as caught:
        find_importer(written(tmp_path), registry=registry(vague=Vague))

    assert any("it returned b'name' and not a bool" in fault for fault in caught.value.faults)


def test_a_stream_without_end_is_judged_by_its_beginning() -> None:
    with pytest.raises(NoImporterError, match="'/dev/zero'"):
        imported(Path("/dev/zero"), registry(csv=CsvImporter))


def test_a_pipe_is_called_what_the_user_called_it(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(
        target=pipe.write_text, args=("name,outcome,seconds,message\na,pass,x,\n",)
    )
    writer.start()

    with pytest.raises(ImportSourceError, match=f"{str(pipe)!r}") as caught:
        imported(pipe, registry(csv=CsvImporter))

    writer.join()
    assert caught.value.importer == "csv"


def test_a_source_without_a_name_is_refused() -> None:
    with pytest.raises(ImportSourceError, match="it names no file"):
        import_results("", MemoryRepository(), registry=registry(csv=CsvImporter))
