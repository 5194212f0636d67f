"""NDJSON in jq, line by line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

LAST = """
reduce inputs as $line ({};
  if $line.type == "attempt" then .["\\($line.device) \\($line.job)"] = $line.outcome else . end)
"""


def test_jq_finds_the_outcome_of_every_job(
    written: Callable[..., dict[str, Any]], program: Callable[[str], str], run: Callable[..., str]
) -> None:
    for each in written("ndjson", ".ndjson").values():
        found = json.loads(run(program("jq"), "-n", LAST, each.path))
        assert found == {
            f"{job.device_id} {job.id}": str(job.outcome)
            for job in each.session.view().jobs()
            if job.attempt_count
        }


def test_jq_counts_as_many_lines_as_the_end_says(
    written: Callable[..., dict[str, Any]], program: Callable[[str], str], run: Callable[..., str]
) -> None:
    for each in written("ndjson", ".ndjson", "logs=none").values():
        assert run(program("jq"), "-s", "length - 1 == last.lines", each.path).strip() == "true"
