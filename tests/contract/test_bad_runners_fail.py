"""The checks find out runners that break a promise; a check that nothing fails is worthless."""

from __future__ import annotations

from typing import Any

import pytest
from tests.contract import bad_runners

from holdall.testing import RunnerContract
from holdall.testing.checks import made, suite_of
from holdall.testing.checks.runners.subject import RunnerSubject
from holdall_plugins.runners.local import LocalRunner

CHECKS = {check.__name__: check for check in suite_of("runners").checks}

BROKEN = {
    "Shapeless": "has_the_shape_of_a_runner",
    "Connects": "connects_to_nothing_when_opened",
    "TakesAnything": "refuses_other_urls",
    "Speechless": "refuses_other_urls",
    "Passes": "judges_by_the_exit_code",
    "Reorders": "records_both_streams_in_order",
    "LogsTwice": "records_both_streams_in_order",
    "CutsOff": "records_much_output",
    "Decodes": "records_every_byte",
    "Unquoted": "passes_hostile_text_on",
    "Inherits": "gives_the_variables_of_the_task",
    "Forgets": "gives_the_variables_of_the_task",
    "InRoot": "runs_in_a_folder_of_its_own",
    "OneShell": "uses_the_shell_of_the_job",
    "Waits": "reads_nothing_unless_it_may",
    "AnyAccount": "returns_an_error_for_another_account",
    "Raises": "returns_a_result_for_what_can_not_run",
    "StartsTwice": "starts_once",
    "StartsBehind": "runs_only_when_its_start_is_durable",
    "SwallowsTheStart": "runs_only_when_its_start_is_durable",
    "Late": "hands_output_over_at_once",
    "Silent": "hands_output_over_at_once",
    "Deaf": "reads_what_it_is_given",
    "Endless": "ends_at_its_timeout",
    "LeavesChildren": "ends_at_its_timeout",
    "SwallowsTheEnd": "ends_when_the_person_wants",
    "LeavesAttempts": "ends_what_is_left_of_an_attempt",
    "Guesses": "ends_what_is_left_of_an_attempt",
    "MixesUp": "runs_tasks_at_once",
}


class TestLocal(RunnerContract):
    runner = LocalRunner

    @pytest.fixture
    def url(self) -> str:
        return "local"


@pytest.mark.parametrize(("name", "check"), BROKEN.items(), ids=BROKEN)
def test_a_runner_that_breaks_a_promise_is_found_out(name: str, check: str) -> None:
    runner: Any = getattr(bad_runners, name)

    found = made(CHECKS[check], RunnerSubject(runner=runner, url="local", soon_s=1.0))

    assert (found.check, found.outcome) == (check, "fail")
    assert found.message


def test_each_check_of_runners_is_failed_by_one() -> None:
    assert set(BROKEN.values()) == set(CHECKS)
