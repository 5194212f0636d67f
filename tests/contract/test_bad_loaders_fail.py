"""The checks find out loaders that break a promise; a check that nothing fails is worthless."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.contract import bad_loaders
from tests.contract.bad_loaders import Good, written

from holdall.testing import ProviderLoaderContract
from holdall.testing.checks import findings, made, suite_of
from holdall.testing.provider_loaders import LoaderSubject
from holdall_plugins.providers.package import PackageLoader
from holdall_plugins.providers.pxu import PxuLoader

SUITE = suite_of("provider_loaders")
CHECKS = {check.__name__: check for check in SUITE.checks}
SMOKE = Path(__file__).parents[2] / "plugins/holdall_plugins/providers/smoke"

BROKEN = {
    "TakesEverything": "refuses_nonsense",
    "Stumbles": "refuses_nonsense",
    "AnswersWithText": "refuses_nonsense",
    "AsksAProgram": "accepts_its_sources",
    "Ponders": "accepts_its_sources",
    "RefusesAll": "accepts_its_sources",
    "Empty": "loads_units",
    "ReturnsNothing": "loads_units",
    "FromNowhere": "says_where_units_are",
    "NamesAnother": "loads_again_what_it_names",
    "OtherError": "fails_as_a_loader",
    "LoadsNonsense": "fails_as_a_loader",
    "Calls": "executes_nothing",
    "Compiles": "executes_nothing",
    "Executes": "executes_no_python_of_the_source",
    "Caches": "leaves_the_source_alone",
    "Prints": "prints_nothing",
    "Counts": "repeats_itself",
    "SharesState": "works_in_threads",
    "Careless": "survives_damage",
    "NamesNoFile": "survives_damage",
    "NamesNoLine": "keeps_the_rest_of_a_damaged_source",
    "Swallows": "keeps_the_rest_of_a_damaged_source",
    "TranslatesIds": "speaks_other_languages",
    "FindsWithoutReason": "finds_what_it_loads",
    "FindsWhatIsGone": "finds_what_it_loads",
}
INSTALLED = {"is_found_without_import", "is_imported_quickly"}


class TestGood(ProviderLoaderContract):
    """A good loader keeps every promise."""

    loader = Good

    @pytest.fixture
    def source(self, tmp_path: Path) -> str:
        return written(tmp_path)

    @pytest.fixture
    def damaged(self, tmp_path: Path) -> str:
        bad = tmp_path / "bad"
        bad.mkdir()
        return written(bad, damaged=True)


class TestPxu(ProviderLoaderContract):
    """The loader of Checkbox's files keeps every promise."""

    loader = PxuLoader

    @pytest.fixture
    def source(self) -> str:
        return str(SMOKE)

    @pytest.fixture
    def damaged(self, tmp_path: Path) -> str:
        good = "id: a\nplugin: shell\n_summary: A\ncommand: true\n"
        (tmp_path / "a.pxu").write_text(f"{good}\nnonsense\n\n{good.replace('a', 'b', 1)}")
        return str(tmp_path)


class TestPxuOfASourceTree(TestPxu):
    """It reads what a manage.py says, and does not execute it."""

    @pytest.fixture
    def source(self, tmp_path: Path) -> str:
        tree = tmp_path / "tree"
        (tree / "units").mkdir(parents=True)
        (tree / "units/a.pxu").write_text("id: a\nplugin: shell\n_summary: A\ncommand: true\n")
        (tree / "manage.py").write_text(
            "from plainbox.provider_manager import setup\n"
            "setup(name='acme.lab:tree', namespace='acme.lab', version='1.0')\n"
        )
        return str(tree)


class TestPackage(ProviderLoaderContract):
    """The loader of installed packages keeps every promise."""

    loader = PackageLoader

    @pytest.fixture
    def source(self) -> str:
        return "holdall_plugins.providers.smoke"


@pytest.mark.parametrize(("name", "check"), BROKEN.items(), ids=BROKEN)
def test_a_loader_that_breaks_a_promise_is_found_out(
    name: str, check: str, tmp_path: Path
) -> None:
    loader: Any = getattr(bad_loaders, name)
    (tmp_path / "bad").mkdir()
    subject = LoaderSubject(
        loader=loader,
        sources=[written(tmp_path)],
        damaged=[written(tmp_path / "bad", damaged=True)],
    )

    found = made(CHECKS[check], subject)

    assert (found.check, found.outcome) == (check, "fail")
    assert found.message


def test_without_a_source_the_checks_say_how_to_give_one() -> None:
    found = {each.check: each for each in findings(SUITE, LoaderSubject(loader=Good))}

    passed = {check for check, each in found.items() if each.outcome == "pass"}
    assert passed == {"refuses_nonsense", "fails_as_a_loader", "finds_what_it_loads"}
    assert "give --source SOURCE" in found["loads_units"].message


def test_every_check_has_a_loader_that_fails_it() -> None:
    assert set(CHECKS) == {*BROKEN.values(), *INSTALLED}
