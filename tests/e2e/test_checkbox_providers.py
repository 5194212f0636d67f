"""Real providers of Checkbox, read whole; they lie beside the checkout, if at all."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from holdall.providers import load_provider
from holdall.units import Job, Template

if TYPE_CHECKING:
    from holdall.units.provider import Provider

FOLDER = Path(__file__).parents[2].parent / "shared/data/checkbox-providers"

pytestmark = pytest.mark.skipif(
    not FOLDER.is_dir(), reason="the Checkbox providers are not in ../shared/data"
)

KINDS = {
    "base": {
        "job": 917,
        "template": 317,
        "test plan": 600,
        "category": 45,
        "manifest entry": 108,
        "packaging meta-data": 28,
        "setup job": 3,
    },
    "certification-client": {"test plan": 122},
    "docker": {"job": 3, "template": 19, "test plan": 4, "category": 1},
    "genio": {"job": 40, "template": 19, "test plan": 54, "category": 10, "manifest entry": 14},
    "resource": {"job": 45, "template": 1, "category": 1, "packaging meta-data": 8},
}


UNDESCRIBED = (
    "com.canonical.certification::power-management/suspend-on-battery-power-test"  # in YAML
)


def provider(name: str) -> Provider:
    return load_provider(FOLDER / name)


@pytest.mark.parametrize("name", KINDS)
def test_every_unit_is_read(name: str) -> None:
    found = Counter(unit.kind for unit in provider(name).unit_list)

    assert found == KINDS[name]


@pytest.mark.parametrize("name", KINDS)
def test_no_definition_is_lost(name: str) -> None:
    problems = provider(name).problems

    assert [str(each) for each in problems if each.severity == "error"] == []


def test_all_that_base_is_warned_of_is_fields_that_checkbox_ignores_too() -> None:
    messages = Counter(each.message.rpartition(": ")[2] for each in provider("base").problems)

    assert messages == {
        "holdall does not know the field 'category_id'": 2,
        "holdall does not know the field 'environment'; did you mean 'environ'?": 2,
    }


@pytest.mark.parametrize("name", KINDS)
def test_every_unit_stands_where_it_says(name: str) -> None:
    lines = {
        path: path.read_text().split("\n") for path in (FOLDER / name).rglob("*") if path.is_file()
    }

    for unit in provider(name).unit_list:
        assert unit.origin is not None
        line = lines[Path(unit.origin.file)][unit.origin.line - 1]
        assert line.partition(":")[0] in unit.fields


def test_every_field_of_every_job_can_be_asked_for() -> None:
    for unit in provider("base").unit_list:
        assert unit.id.startswith("com.canonical.certification::") or not unit.id
        assert unit.summary or unit.kind == "packaging meta-data"
        if isinstance(unit, Job):
            assert unit.category_id
            assert unit.depends == unit.ids("depends")
            assert unit.description or unit.automated or unit.id == UNDESCRIBED
            assert unit.command or not unit.automated
        if isinstance(unit, Template):
            assert unit.resource.partition("::")[2]
