"""A file becomes a session by the importer that accepts it, and a damage has a name."""

from __future__ import annotations

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
from holdall.view import SessionView
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
    source = written(tmp_path, "<testsuite/>")

    with pytest.raises(NoImporterError) as caught:
        find_importer(source, registry=registry(csv=CsvImporter, odd=Crashing))

    assert caught.value.asked == ("csv",)
    assert f"no importer accepts {str(source)!r} (asked: csv; 1 could not be asked: " in str(
        caught.value
    )
    assert "'odd'" in caught.value.faults[0]


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


def test_a_damage_names_file_and_importer_and_what_was_read_stays(tmp_path: Path) -> None:
    source = written(tmp_path, f"{RESULTS}usb,pass,soon,\n")
    repository = MemoryRepository()

    with pytest.raises(ImportSourceError) as caught:
        import_results(source, repository, registry=registry(csv=CsvImporter))

    (info,) = holdall.list_sessions(repository)
    assert (info.jobs, info.results) == (2, 2)
    assert str(caught.value).startswith(f"cannot import {str(source)!r} by the importer 'csv' of ")
    assert "the job 'usb': could not convert string to float" in str(caught.value)
    assert caught.value.__notes__ == [
        f"2 jobs were recorded before, in the session {info.id}",
    ]


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
    (info,) = holdall.list_sessions(repository)
    assert info.results == 2


def test_a_file_that_is_not_there_is_said_to_be_so(tmp_path: Path) -> None:
    with pytest.raises(ImportSourceError, match=r"gone\.txt': No such file or directory"):
        imported(tmp_path / "gone.txt", registry(csv=CsvImporter))


class Vague(CsvImporter):
    def accepts(self, head: bytes, name: str) -> Any:
        return head[:4] or name


def test_an_importer_that_does_not_say_yes_or_no_accepts_nothing(tmp_path: Path) -> None:
    with pytest.raises(NoImporterError) as caught:
        find_importer(written(tmp_path), registry=registry(vague=Vague))

    assert "it returned b'name' and not a bool" in caught.value.faults[0]


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
