"""The check of an installed store, without any option."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

from holdall.testing import RepositoryContract, WrapperContract
from holdall.testing.checks.repositories.emptying import empty
from holdall.testing.checks.repositories.promises import promises
from holdall_plugins.stores.memory import MemoryRepository

if TYPE_CHECKING:
    from pathlib import Path

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
    tests = {check["check"].partition("[")[0] for check in checks}
    assert tests == {promise.test for promise in promises(WrapperContract)}


def test_a_url_that_is_one_place_for_all_tests_is_refused(holdall: Cli) -> None:
    checked = holdall("plugins", "check", "memory", "--url", "memory://lab")

    assert checked.code == 2
    assert "each test needs an empty place; write {folder}" in checked.err


def test_what_a_test_left_is_removed() -> None:
    repository = MemoryRepository()
    repository.create("closed").close()
    writer = repository.create("left open")

    empty(repository)

    assert list(repository.ids()) == []
    writer.close()


TRIAL = """\
import json
import sys

import pytest

from holdall.testing.checks.repositories.promises import Outcomes


class TestTrial:
    def test_that_fails(self):
        assert 6 * 7 == 43


if __name__ == "__main__":
    kept = Outcomes(TestTrial)
    pytest.main(["-q", "-p", "no:cacheprovider", "-c", "/dev/null", __file__], plugins=[kept])
    print(json.dumps([finding for _promise, finding in kept.findings]), file=sys.stderr)
"""


def test_the_finding_of_a_failed_test_has_its_traceback(tmp_path: Path) -> None:
    trial = tmp_path / "test_trial.py"
    trial.write_text(TRIAL)

    done = subprocess.run(
        [sys.executable, trial], cwd=tmp_path, capture_output=True, encoding="utf-8", check=False
    )

    [[check, _about, outcome, _message, trace]] = json.loads(done.stderr)
    assert (check, outcome) == ("test_that_fails", "fail")
    assert "assert 6 * 7 == 43" in trace
    assert "test_trial.py:11: AssertionError" in trace
