"""A job's output survives a kill at any moment between its last byte and its stored result."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from holdall import open_repository
from holdall.view import SessionView

if TYPE_CHECKING:
    from pathlib import Path

    from holdall.view import JobView

STORES = ("file://{}/store", "sqlite:///{}/store.db")
HOLDALL = (sys.executable, "-m", "holdall")
UNIT = "id: job\nplugin: shell\ncommand: {}\n"
LITTLE = "echo begin; sleep 1.3; echo end"
LARGE = "printf '%09000d' 0; sleep 1.3; echo end"

# Kills itself, and the run with it, just behind the step of the log that is named.
KILLED = """
import os, sys
from holdall.session import capture
from holdall.cli import main

step, *arguments = sys.argv[1:]
if step == "finish":
    whole = capture.LogCapture.finish
    def finish(log):
        whole(log)
        os.kill(os.getpid(), 9)
    capture.LogCapture.finish = finish
else:
    whole = capture.OpenLogs.release
    def release(logs, stored):
        if any(type(event).__name__ == "ResultRecorded" for event in stored):
            os.kill(os.getpid(), 9)
        whole(logs, stored)
    capture.OpenLogs.release = release
main(arguments)
"""


def run(folder: Path, *command: str) -> int:
    environ = {**os.environ, "HOME": str(folder), "XDG_DATA_HOME": str(folder / "data")}
    done = subprocess.run(command, check=False, capture_output=True, env=environ, timeout=60)
    return done.returncode


def only_job(url: str) -> JobView:
    repository = open_repository(url)
    (session_id,) = repository.ids()
    (job,) = SessionView.of(repository.open(session_id, mode="r")).jobs()
    return job


def output(job: JobView) -> bytes:
    return b"".join(record.data for record in job.io_log())


@pytest.mark.parametrize("store", STORES)
@pytest.mark.parametrize(
    ("command", "written"), [(LITTLE, b"begin\nend\n"), (LARGE, b"0" * 9000 + b"end\n")]
)
def test_output_is_found_again_after_a_kill_before_its_result_was_stored(
    store: str, command: str, written: bytes, tmp_path: Path
) -> None:
    (tmp_path / "jobs.pxu").write_text(UNIT.format(command))
    url = store.format(tmp_path)

    killed = run(
        tmp_path, sys.executable, "-c", KILLED, "finish", "run", str(tmp_path), "--store", url
    )
    resumed = run(tmp_path, *HOLDALL, "resume", "--store", url)

    assert (killed, resumed) == (-signal.SIGKILL, 1)
    job = only_job(url)
    assert (job.outcome, job.interrupted_by) == ("crash", "killed")
    assert output(job) == written
    assert job.io_log_size == len(written)


@pytest.mark.parametrize("store", STORES)
def test_a_kill_before_the_live_log_is_dropped_leaves_the_stored_result(
    store: str, tmp_path: Path
) -> None:
    (tmp_path / "jobs.pxu").write_text(UNIT.format(LITTLE))
    url = store.format(tmp_path)

    killed = run(
        tmp_path, sys.executable, "-c", KILLED, "release", "run", str(tmp_path), "--store", url
    )

    assert killed == -signal.SIGKILL
    job = only_job(url)
    assert (job.outcome, job.attempt_count, output(job)) == ("pass", 1, b"begin\nend\n")
