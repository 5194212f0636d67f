"""An importer by a stranger, from its class to the report."""

from __future__ import annotations

import csv
import tracemalloc
from typing import TYPE_CHECKING, Any

import pytest

import holdall
from holdall import Recorder, Registry
from holdall.contracts.importers import HEAD
from holdall.errors import PluginLoadError
from holdall.view import SessionView
from holdall_plugins.stores.memory import MemoryRepository

if TYPE_CHECKING:
    from pathlib import Path

    from holdall.contracts import Importer


class CsvImporter:
    """Lines `name,outcome,seconds,message` below a head that says so."""

    def accepts(self, head: bytes, name: str) -> bool:  # noqa: ARG002 - content decides
        return head.startswith(b"name,outcome,seconds,message")

    def load(self, source: Path, recorder: Recorder) -> None:
        with source.open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                try:
                    duration = float(row["seconds"])
                except ValueError as error:
                    raise ValueError(f"{source}: the job {row['name']!r}: {error}") from error
                recorder.record(
                    row["name"],
                    outcome=row["outcome"],
                    duration=duration,
                    comments=row["message"] or None,
                )


if TYPE_CHECKING:
    _: type[Importer] = CsvImporter

RESULTS = """\
name,outcome,seconds,message
disk,pass,0.5,
net,fail,1.25,"no carrier, no link"
"""


def written(folder: Path, text: str = RESULTS) -> Path:
    path = folder / "results.txt"
    path.write_text(text, encoding="utf-8")
    return path


def registry() -> Registry:
    registry = Registry.discover()
    registry.register("importers", "csv", CsvImporter)
    return registry


def chosen(registry: Registry, source: Path) -> Importer | None:
    """Return the importer that accepts *source*, found by its content."""
    with source.open("rb") as file:
        head = file.read(HEAD)
    for candidate in registry.candidates("importers"):
        importer: Importer = registry.load("importers", candidate.id)()
        if importer.accepts(head, source.name):
            return importer
    return None


def test_an_importer_is_listed_as_what_it_is() -> None:
    found = {candidate.id: candidate for candidate in registry().candidates("importers")}

    assert (found["csv"].kind, found["csv"].state) == ("importers", "loaded")


def test_the_results_of_another_program_become_any_report(tmp_path: Path) -> None:
    source = written(tmp_path)
    importer = chosen(registry(), source)
    repository = MemoryRepository()

    assert importer is not None
    with Recorder.create(repository, title="from csv") as recorder:
        importer.load(source, recorder)
    view = SessionView.of(repository.open(recorder.session_id, mode="r"))
    report = tmp_path / "report.xml"
    holdall.export(view, "junit", report)

    jobs = [(job.id, str(job.outcome), job.duration, job.comments) for job in view.jobs()]
    assert jobs == [
        ("disk", "pass", 0.5, ""),
        ("net", "fail", 1.25, "no carrier, no link"),
    ]
    assert 'failures="1"' in report.read_text(encoding="utf-8")


def test_a_file_of_another_format_is_accepted_by_nobody(tmp_path: Path) -> None:
    assert chosen(registry(), written(tmp_path, "<catalog/>")) is None


def test_what_was_read_before_a_damage_is_recorded(tmp_path: Path) -> None:
    source = written(tmp_path, f"{RESULTS}usb,pass,soon,\n")
    repository = MemoryRepository()

    with (
        pytest.raises(ValueError, match=r"results\.txt: the job 'usb'"),
        Recorder.create(repository) as recorder,
    ):
        CsvImporter().load(source, recorder)

    (info,) = holdall.list_sessions(repository)
    assert (info.jobs, info.results) == (2, 2)


def test_importing_keeps_little_of_each_result(tmp_path: Path) -> None:
    rows = "".join(f"job-{number},fail,1,{'why ' * 500}\n" for number in range(2000))
    source = written(tmp_path, RESULTS + rows)
    with Recorder.create(f"file://{tmp_path}/lab") as recorder:
        tracemalloc.start()
        CsvImporter().load(source, recorder)
        recorder.checkpoint()
        kept, _peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()

    assert kept / 2000 < 800


class NoAccepts:
    def load(self, source: Path, recorder: Recorder) -> None: ...


class OldSignature:
    def accepts(self, head: bytes) -> bool: ...  # type: ignore[empty-body]

    def load(self, source: Path) -> None: ...


class Generator:
    def accepts(self, head: bytes, name: str) -> bool: ...  # type: ignore[empty-body]

    def load(self, source: Path, recorder: Recorder) -> Any:
        yield source, recorder


@pytest.mark.parametrize(
    ("importer", "reasons"),
    [
        (NoAccepts, ["no method 'accepts'"]),
        (OldSignature, ["'accepts' must take 2 arguments", "'load' must take 2 arguments"]),
        (Generator, ["'load' is a generator"]),
    ],
)
def test_a_class_that_is_no_importer_is_refused_with_all_reasons(
    importer: type, reasons: list[str]
) -> None:
    with pytest.raises(PluginLoadError) as caught:
        Registry.empty().register("importers", "mine", importer)

    for reason in reasons:
        assert reason in str(caught.value)
