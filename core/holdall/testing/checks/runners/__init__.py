"""The suite of runners."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from holdall.settings import options_of
from holdall.testing.checks.runners import attempts, promises
from holdall.testing.checks.runners.subject import RunnerSubject
from holdall.testing.checks.suites import Suite

if TYPE_CHECKING:
    from holdall.registry import Registry
    from holdall.testing.checks.suites import Given


def _installed(name: str, registry: Registry, given: Given) -> RunnerSubject:
    candidate = registry.resolve("runners", name)
    runner = registry.load("runners", candidate.id)
    options = options_of(runner, registry.settings(candidate.id))
    url = given.url or candidate.id
    return RunnerSubject(runner=runner, url=url, options=options, candidate=candidate)


SUITE: Final = Suite(
    (
        promises.has_the_shape_of_a_runner,
        promises.connects_to_nothing_when_opened,
        promises.refuses_other_urls,
        promises.judges_by_the_exit_code,
        promises.records_both_streams_in_order,
        promises.records_much_output,
        promises.records_every_byte,
        promises.passes_hostile_text_on,
        promises.gives_the_variables_of_the_task,
        promises.runs_in_a_folder_of_its_own,
        promises.uses_the_shell_of_the_job,
        promises.reads_nothing_unless_it_may,
        promises.returns_an_error_for_another_account,
        promises.returns_a_result_for_what_can_not_run,
        attempts.starts_once,
        attempts.runs_only_when_its_start_is_durable,
        attempts.hands_output_over_at_once,
        attempts.reads_what_it_is_given,
        attempts.ends_at_its_timeout,
        attempts.ends_when_the_person_wants,
        attempts.ends_what_is_left_of_an_attempt,
        attempts.runs_tasks_at_once,
    ),
    _installed,
)
