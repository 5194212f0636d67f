"""The check of an installed store, without any option."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from holdall.testing import RepositoryContract
from holdall.testing.checks.stores import promises

if TYPE_CHECKING:
    from tests.e2e.conftest import Cli


def test_a_store_says_by_itself_that_it_lives_in_one_process(holdall: Cli) -> None:
    checked = holdall("plugins", "check", "memory", "--json")

    checks = json.loads(checked.out)["checks"]
    outcomes = {check["check"]: (check["outcome"], check["words"]) for check in checks}
    assert checked.code == 0, checked.out
    tests = {name.partition("[")[0] for name in outcomes}
    assert tests == {promise.test for promise in promises(RepositoryContract)}
    assert len(outcomes) == len(checks)
    assert outcomes["test_every_durable_step_is_synced"] == (
        "skip",
        "not applicable: nothing of the store outlives its process",
    )
    assert outcomes["test_a_writer_of_another_process_keeps_others_out"] == (
        "skip",
        "not applicable: the store is seen by one process alone",
    )


def test_what_a_wrapper_says_of_itself_is_what_its_store_says(holdall: Cli) -> None:
    checked = holdall(
        *("plugins", "check", "memory", "--url", "faulty::memory://{folder}", "--json")
    )

    checks = json.loads(checked.out)["checks"]
    skipped = {check["check"] for check in checks if check["outcome"] == "skip"}
    assert checked.code == 0, checked.out
    assert "test_a_writer_of_another_process_keeps_others_out" in skipped
