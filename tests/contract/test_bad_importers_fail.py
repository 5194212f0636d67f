"""The checks find out importers that break a promise; a check that nothing fails is worthless."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.contract import bad_importers
from tests.contract.bad_importers import Good, written

from holdall.registry import Registry
from holdall.testing import ImporterContract
from holdall.testing.checks import Given, findings, made, suite_of
from holdall.testing.importers import ImporterSubject

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SUITE = suite_of("importers")
CHECKS = {check.__name__: check for check in SUITE.checks}

BROKEN = {
    "TakesEverything": "refuses_other_formats",
    "TakesFilesOfAName": "refuses_other_formats",
    "StumblesOverNothing": "refuses_other_formats",
    "AnswersWithNothing": "refuses_other_formats",
    "ByItsName": "accepts_its_samples",
    "Ponders": "accepts_its_samples",
    "Idle": "records_jobs",
    "WithoutResults": "records_jobs",
    "Closes": "records_jobs",
    "CleansUp": "leaves_the_source_alone",
    "WritesBeside": "leaves_the_source_alone",
    "Prints": "prints_nothing",
    "TellsTheTime": "repeats_itself",
    "SharesState": "works_in_threads",
    "Careless": "survives_damage",
    "Wordless": "survives_damage",
    "LosesBlobs": "can_be_exported",
    "Gathers": "keeps_memory_flat",
}
INSTALLED = {"is_found_without_import", "is_imported_quickly"}


class TestGood(ImporterContract):
    """A good importer keeps every promise."""

    importer = Good

    @pytest.fixture
    def samples(self, tmp_path: Path) -> list[Path]:
        return [written(tmp_path), written(tmp_path, jobs=900, text="quiet " * 200)]


@pytest.mark.parametrize(("name", "check"), BROKEN.items(), ids=BROKEN)
def test_an_importer_that_breaks_a_promise_is_found_out(
    name: str, check: str, tmp_path: Path
) -> None:
    large = check == "keeps_memory_flat"
    samples = [written(tmp_path, jobs=900, text="quiet " * 200) if large else written(tmp_path)]
    importer: Any = getattr(bad_importers, name)

    found = made(CHECKS[check], ImporterSubject(importer=importer, samples=samples))

    assert (found.check, found.outcome) == (check, "fail")
    assert found.message


@pytest.mark.parametrize(
    ("name", "check"),
    [("TakesSmallOnes", "accepts_its_samples"), ("ReadsSmallOnes", "records_jobs")],
)
def test_a_large_sample_counts_beside_a_small_one(name: str, check: str, tmp_path: Path) -> None:
    samples = [written(tmp_path), written(tmp_path, jobs=900, text="quiet " * 200)]
    importer: Any = getattr(bad_importers, name)

    found = made(CHECKS[check], ImporterSubject(importer=importer, samples=samples))

    assert found.outcome == "fail"
    assert "night-900.lab" in found.message


def test_a_sample_too_small_to_measure_memory_is_told_the_size_that_is_wanted(
    tmp_path: Path,
) -> None:
    sample = written(tmp_path)

    found = made(CHECKS["keeps_memory_flat"], ImporterSubject(importer=Good, samples=[sample]))

    assert found.outcome == "skip"
    assert found.message == (
        "it takes a sample of 1 MiB (1048576 bytes) or more, and the largest that was given has "
        f"{sample.stat().st_size}; give a larger one besides"
    )


def test_without_samples_the_checks_say_how_to_give_some() -> None:
    found = {each.check: each for each in findings(SUITE, ImporterSubject(importer=Good))}

    skipped = {check for check, each in found.items() if each.outcome == "skip"}
    assert skipped == set(CHECKS) - {"refuses_other_formats"}
    assert "give --source PATH" in found["records_jobs"].message


@pytest.fixture
def installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[str], ImporterSubject]]:
    """Install the good importer, in a module that begins with some source of the test's."""
    monkeypatch.syspath_prepend(tmp_path)

    def install(before: str = "") -> ImporterSubject:
        source = Path(bad_importers.__file__).read_text(encoding="utf-8")
        head = "from __future__ import annotations\n"
        module = source.replace(head, f"{head}{before}\n", 1)
        (tmp_path / "odd_importer.py").write_text(module, encoding="utf-8")
        info = tmp_path / "odd-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.3\nName: odd\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text("[holdall.importers]\nlab = odd_importer:Good\n")
        subject: ImporterSubject = SUITE.installed("lab", Registry.discover(), Given())
        return subject

    yield install
    sys.modules.pop("odd_importer", None)


def test_a_good_importer_that_is_installed_keeps_the_promises_about_processes(
    installed: Callable[[], ImporterSubject],
) -> None:
    good = installed()

    assert {made(CHECKS[name], good).outcome for name in INSTALLED} == {"pass"}


def test_an_importer_that_something_imports_at_the_start_is_found_out(
    installed: Callable[[], ImporterSubject], tmp_path: Path
) -> None:
    odd = installed()
    (tmp_path / "sitecustomize.py").write_text("import odd_importer\n")

    found = made(CHECKS["is_found_without_import"], odd)
    assert found.message == "finding it imported odd_importer"


def test_an_expensive_import_is_found_out(installed: Callable[[str], ImporterSubject]) -> None:
    found = made(CHECKS["is_imported_quickly"], installed("import unittest.mock"))

    assert found.message == "its import pulls in unittest.mock"


def test_every_check_has_an_importer_that_fails_it() -> None:
    assert set(CHECKS) == {*BROKEN.values(), *INSTALLED}
