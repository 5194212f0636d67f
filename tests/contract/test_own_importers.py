"""The importers of sessions: plainbox's, and holdall's own reports."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from tests.unit.importers.plainbox_sessions import document, record, result, written

import holdall
from holdall import Recorder
from holdall.testing import ImporterContract
from holdall.testing.sessions import devices_session
from holdall.view import SessionView
from holdall_plugins.importers.json import JsonImporter
from holdall_plugins.importers.plainbox import PlainboxImporter
from holdall_plugins.importers.submission import SubmissionImporter
from holdall_plugins.importers.tar import TarImporter
from holdall_plugins.stores.memory import MemoryRepository

if TYPE_CHECKING:
    from pathlib import Path

LARGE = 120
OUTPUT = b"a line that a job wrote\n" * 1000


class TestPlainboxImporter(ImporterContract):
    importer = PlainboxImporter

    @pytest.fixture
    def samples(self, tmp_path: Path) -> list[Path]:
        large = document(11)
        results = large["session"]["results"]
        for number in range(LARGE):
            results[f"ns::job-{number}"] = [result("pass", io_log=[record(OUTPUT)])]
        text = tmp_path / "large"
        text.write_text(json.dumps(large))  # as it is when it was unpacked
        return [written(tmp_path / "small", document(11)), text]


class TestJsonImporter(ImporterContract):
    importer = JsonImporter

    @pytest.fixture
    def samples(self, tmp_path: Path) -> list[Path]:
        return reports(tmp_path, "json", "logs=all")


class TestTarImporter(ImporterContract):
    importer = TarImporter

    @pytest.fixture
    def samples(self, tmp_path: Path) -> list[Path]:
        return reports(tmp_path, "tar", "compression=none", "contents=json")


class TestSubmissionImporter(ImporterContract):
    importer = SubmissionImporter

    @pytest.fixture
    def samples(self, tmp_path: Path) -> list[Path]:
        return reports(tmp_path, "json", "dialect=checkbox")


def reports(folder: Path, kind: str, *options: str) -> list[Path]:
    """Write a small report, and one that memory is measured with."""
    paths = [folder / f"small.{kind}", folder / f"large.{kind}"]
    holdall.export(devices_session(), kind, paths[0], options=options)
    holdall.export(large_session(), kind, paths[1], options=options)
    return paths


def large_session() -> SessionView:
    """Return a session of jobs that wrote a lot."""
    repository = MemoryRepository()
    with Recorder.create(repository) as recorder:
        for number in range(LARGE):
            recorder.record(f"ns::job-{number}", outcome="pass", output=OUTPUT)
    return SessionView.of(repository.open(recorder.session_id, mode="r"))
