"""Folders of results in Allure itself, and in the model of allure-python-commons."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def in_allure(report: Path, node_module: Callable[[str], Path], run: Callable[..., str]) -> Any:
    """Return what Allure made of the results at *report*: the tests of its report."""
    allure, made = node_module("allure/cli.js"), report.with_name(f"{report.name}-allure")
    run("node", allure, "generate", "--output", made, report)
    tests = [json.loads(path.read_text()) for path in made.glob("data/test-results/*.json")]
    return [each for each in tests if not each.get("isRetry")]


@pytest.mark.parametrize("name", ["sample", "devices", "hostile-3"])
def test_allure_has_a_test_for_each_job_and_its_retries(
    name: str,
    written: Callable[..., dict[str, Any]],
    node_module: Callable[[str], Path],
    run: Callable[..., str],
) -> None:
    (report,) = written("allure", "", "logs=all", only={name}).values()
    tests = in_allure(report.path, node_module, run)

    jobs = list(report.session.view().jobs())
    assert Counter(each["fullName"] for each in tests) == Counter(
        job.id or "unnamed" for job in jobs
    )
    assert sum(each["retriesCount"] for each in tests) == sum(
        max(job.attempt_count + job.in_flight, 1) - 1 for job in jobs
    )
    passed = sum(not job.in_flight and job.counts_as == "pass" for job in jobs)
    assert sum(each["status"] == "passed" for each in tests) == passed
    assert sum(each["flaky"] for each in tests) >= sum(job.is_flaky for job in jobs)


def test_the_model_of_allure_has_every_member(written: Callable[..., dict[str, Any]]) -> None:
    model = pytest.importorskip("allure_commons.model2")
    known = {
        "parameters": model.Parameter,
        "labels": model.Label,
        "statusDetails": model.StatusDetails,
        "steps": model.TestStepResult,
        "attachments": model.Attachment,
    }
    for each in written("allure", "", "logs=all").values():
        for path in each.path.glob("*-result.json"):
            result = json.loads(path.read_text("utf-8"))
            model.TestResult(**result)
            for name, kind in known.items():
                found = result.get(name, [])
                for part in [found] if isinstance(found, dict) else found:
                    kind(**part)
