"""What providers of Checkbox count on though none of them defines it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from holdall.languages import load_catalog
from holdall.registry import Registry
from holdall.results import JobResult, Outcome
from holdall.session import SessionManager
from holdall.units import BUILTIN_CATEGORIES, BUILTIN_JOBS, UNCATEGORISED, make_unit
from holdall_plugins.stores.memory import MemoryRepository

if TYPE_CHECKING:
    from holdall.units import Unit

SHARED = Path(__file__).parents[2].parent / "shared/data/checkbox-plans/builtin.json"
AUDIO = "com.canonical.plainbox::audio"


def session(*units: Unit) -> SessionManager:
    manager = SessionManager.create_with_unit_list(
        units, MemoryRepository(), registry=Registry.empty()
    )
    assert manager.state is not None
    jobs = manager.state.job_list
    manager.state.update_desired_job_list(jobs)
    for job in jobs:
        manager.state.update_job_result(job, JobResult(outcome=Outcome.PASS))
    manager.checkpoint()
    return manager


def audio_job() -> Unit:
    return make_unit({"id": "a", "plugin": "shell", "command": "true", "category_id": AUDIO})


def test_a_category_that_no_provider_defines_has_its_heading_in_reports() -> None:
    view = session(audio_job()).view()

    assert [job.category for job in view.jobs()] == ["Audio tests"]
    assert [group.category for group in view.groups()] == ["Audio tests"]
    assert view.categories == {AUDIO: "Audio tests"}


def test_the_heading_of_such_a_category_is_translated() -> None:
    view = session(audio_job()).view().with_catalog(load_catalog("de"))

    assert [job.category for job in view.jobs()] == ["Audio-Tests"]


def test_a_category_of_a_provider_says_otherwise() -> None:
    own = make_unit(
        {"unit": "category", "id": "audio", "name": "Sound"}, namespace="com.canonical.plainbox"
    )
    view = session(own, audio_job()).view()

    assert [job.category for job in view.jobs()] == ["Sound"]
    assert [job.category for job in view.with_catalog(load_catalog("de")).jobs()] == ["Sound"]


@pytest.mark.parametrize("namespace", ["com.canonical.plainbox", "2013.com.canonical.plainbox"])
@pytest.mark.parametrize(
    ("unit", "exporter"),
    [
        ("global", "holdall.verdict"),
        ("html", "holdall.html"),
        ("html-multi-page", "holdall.html"),
        ("json", "holdall.json"),
        ("junit", "holdall.junit"),
        ("tar", "holdall.tar"),
        ("text", "holdall.text"),
        ("tp-export", "holdall.testplan"),
        ("xlsx", "holdall.xlsx"),
    ],
)
def test_exporter_units_of_checkbox_are_known_by_their_ids(
    namespace: str, unit: str, exporter: str
) -> None:
    with pytest.warns(DeprecationWarning, match=unit):
        assert Registry.discover().resolve("exporters", f"{namespace}::{unit}").id == exporter


@pytest.mark.skipif(not SHARED.is_file(), reason="no ../shared/data/checkbox-plans")
def test_the_ids_are_those_of_checkbox() -> None:
    facts = json.loads(SHARED.read_text())

    headings = {name: category["name"] for name, category in facts["categories"].items()}
    assert headings == {**BUILTIN_CATEGORIES, UNCATEGORISED: "Uncategorised"}
    assert set(facts["manifest jobs"]) == BUILTIN_JOBS
