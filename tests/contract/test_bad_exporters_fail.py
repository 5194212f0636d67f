"""The checks find out exporters that break a promise; a check that nothing fails is worthless."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.contract import bad_exporters

from holdall.testing.checks import findings, made, suite_of
from holdall.testing.checks.exporters.subject import ExporterSubject, registry_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CHECKS = {check.__name__: check for check in suite_of("exporters").checks}

BROKEN = {
    "NoSummary": "has_the_shape_of_an_exporter",
    "SilentOptions": "describes_every_option",
    "EveryLine": "takes_other_values",
    "RawOption": "tames_hostile_options",
    "RawFacts": "tames_hostile_text",
    "LinksUnquoted": "links_lead_to_files",
    "NamesItsTarget": "writes_the_same_to_a_stream",
    "Believes": "reads_its_reports_back",
    "DoubtsItself": "reads_its_reports_back",
    "PrintsErrors": "prints_nothing",
    "PrintsPastPython": "prints_nothing",
    "OutcomesThatPassOnly": "exports_everything",
    "FirstJob": "exports_an_empty_session",
    "OneDevice": "exports_several_devices",
    "Raw": "tames_hostile_text",
    "RawHtml": "tames_hostile_text",
    "HalfXml": "tames_hostile_text",
    "RawCsv": "tames_hostile_text",
    "TellsTheTime": "repeats_itself",
    "ChangesTheView": "leaves_the_view_alone",
    "Prints": "prints_nothing",
    "Gathers": "keeps_memory_flat",
    "ChangesItsLines": "grows_by_lines",
    "RepeatsItsLines": "grows_by_lines",
    "NeverAsks": "can_be_cancelled",
    "TakesEverything": "refuses_unknown_options",
    "SwallowsErrors": "leaves_the_old_report_when_the_disk_is_full",
    "LocalTime": "works_elsewhere",
    "SharesState": "works_in_threads",
}


def subject(name: str) -> ExporterSubject:
    exporter: Any = getattr(bad_exporters, name)

    def registry() -> Any:
        return registry_of(exporter)

    return ExporterSubject(exporter=exporter, registry=registry)


@pytest.mark.parametrize(("name", "check"), BROKEN.items(), ids=BROKEN)
def test_an_exporter_that_breaks_a_promise_is_found_out(name: str, check: str) -> None:
    found = made(CHECKS[check], subject(name))

    assert (found.check, found.outcome) == (check, "fail")
    assert found.message


def test_links_to_names_that_are_quoted_lead_to_files() -> None:
    assert made(CHECKS["links_lead_to_files"], subject("LinksQuoted")).outcome == "pass"


def test_a_good_exporter_keeps_every_promise_that_can_be_checked() -> None:
    found = {
        each.check: (each.outcome, each.message)
        for each in findings(suite_of("exporters"), subject("Good"))
    }

    skipped = {check for check, (outcome, _words) in found.items() if outcome == "skip"}
    assert {check: each for check, each in found.items() if each[0] == "fail"} == {}
    assert skipped == {
        "tames_hostile_options",
        "links_lead_to_files",
        "reads_its_reports_back",
        "grows_by_lines",
        "is_found_without_import",
        "is_imported_quickly",
        "repeats_itself_in_other_processes",
    }


@pytest.fixture
def installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[str, str], ExporterSubject]]:
    """Install one of the exporters, in a module that begins with some source of the test's."""
    monkeypatch.syspath_prepend(tmp_path)

    def install(name: str, before: str = "") -> ExporterSubject:
        source = Path(bad_exporters.__file__).read_text(encoding="utf-8")
        head = "from __future__ import annotations\n"
        module = source.replace(head, f"{head}{before}\n", 1)
        (tmp_path / "odd_exporter.py").write_text(module, encoding="utf-8")
        info = tmp_path / "odd-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.3\nName: odd\nVersion: 1.0\n")
        points = f"[holdall.exporters]\nodd.lines = odd_exporter:{name}\n"
        (info / "entry_points.txt").write_text(f"{points}[holdall.aliases]\nodd = odd.lines\n")
        return ExporterSubject.installed("odd")

    yield install
    sys.modules.pop("odd_exporter", None)


INSTALLED = ("is_found_without_import", "is_imported_quickly", "repeats_itself_in_other_processes")


def test_a_good_exporter_that_is_installed_keeps_the_promises_about_processes(
    installed: Callable[..., ExporterSubject],
) -> None:
    good = installed("Good")

    assert [made(CHECKS[name], good).outcome for name in INSTALLED] == ["pass"] * 3


def test_an_exporter_that_something_imports_at_the_start_is_found_out(
    installed: Callable[..., ExporterSubject], tmp_path: Path
) -> None:
    odd = installed("Good")
    (tmp_path / "sitecustomize.py").write_text("import odd_exporter\n")

    assert made(CHECKS["is_found_without_import"], odd).message == (
        "finding it imported odd_exporter"
    )


@pytest.mark.parametrize(
    ("before", "words"),
    [
        ("import time\nwhile time.process_time() < 1.5: pass", "1000 ms are allowed"),
        ("import unittest.mock", "pulls in unittest.mock"),
    ],
    ids=["slow", "heavy"],
)
def test_an_expensive_import_is_found_out(
    installed: Callable[..., ExporterSubject], before: str, words: str
) -> None:
    assert words in made(CHECKS["is_imported_quickly"], installed("Good", before)).message


def test_an_import_that_others_keep_waiting_is_not_expensive(
    installed: Callable[..., ExporterSubject],
) -> None:
    waiting = installed("Good", "import time; time.sleep(1.1)")

    assert made(CHECKS["is_imported_quickly"], waiting).outcome == "pass"


@pytest.mark.parametrize("name", ["ByHash", "ByProcess"])
def test_an_exporter_that_depends_on_its_process_is_found_out(
    installed: Callable[..., ExporterSubject], name: str
) -> None:
    found = made(CHECKS["repeats_itself_in_other_processes"], installed(name))

    assert found.outcome == "fail"


def test_every_check_has_an_exporter_that_fails_it() -> None:
    assert set(CHECKS) == {*BROKEN.values(), *INSTALLED}
