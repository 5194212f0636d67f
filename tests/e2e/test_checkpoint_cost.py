"""A checkpoint costs what changed, however much there is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdall import JobResult, SessionManager, make_unit

if TYPE_CHECKING:
    from pathlib import Path

    from holdall import Unit

LEEWAY = 16
"""Bytes that may differ: an entry holds its own number."""

RESULT = JobResult(
    outcome="pass",
    return_code=0,
    execution_duration=0.25,
    io_log=((0.1, "stdout", b"hello\n"),),
)


def job(number: int) -> Unit:
    fields = {"id": f"job-{number:06d}", "plugin": "shell", "command": "true"}
    return make_unit(fields, namespace="cost")


def stored(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def growth(folder: Path, results: int) -> int:
    """Return by how many bytes one more result makes the store grow behind so many of them."""
    jobs = [job(number) for number in range(results + 1)]
    manager = SessionManager.create_with_unit_list(
        jobs, f"file://{folder}", clock=lambda: 1_700_000_000.25
    )
    with manager:
        state = manager.state
        assert state is not None
        assert state.update_desired_job_list(state.job_list) == []
        *most, last = state.run_list
        for each in most:
            state.update_job_result(each, RESULT)
        manager.checkpoint()
        before = stored(folder)

        state.update_job_result(last, RESULT)
        manager.checkpoint()

        return stored(folder) - before


def test_a_checkpoint_writes_as_much_at_ten_results_as_at_ten_thousand(tmp_path: Path) -> None:
    few = growth(tmp_path / "few", 10)
    many = growth(tmp_path / "many", 10_000)

    assert few > len(b"hello\n")
    assert abs(many - few) <= LEEWAY
