"""How long a checkpoint of one result takes, beside a bare append and sync of the same bytes.

python tests/bench/checkpoint.py /path/on/a/real/disk
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from holdall import JobResult, SessionManager, make_unit

RESULTS = 400
RESULT = JobResult(outcome="pass", return_code=0, io_log=((0.1, "stdout", b"hello\n"),))


def measure(folder: Path) -> tuple[float, float]:
    """Return the medians, in seconds, of a checkpoint and of a bare append."""
    fields = {"plugin": "shell", "command": "true"}
    jobs = [make_unit({"id": f"job-{n}", **fields}, namespace="bench") for n in range(RESULTS)]
    checkpoints, bare = [], []
    bare_fd = os.open(folder / "bare", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    with SessionManager.create_with_unit_list(jobs, folder / "store") as manager:
        state = manager.state
        assert state is not None
        state.update_desired_job_list(state.job_list)
        manager.checkpoint()
        [journal] = folder.rglob("journal-*")
        for job in state.run_list:
            state.update_job_result(job, RESULT)
            size = journal.stat().st_size
            begun = time.perf_counter()
            manager.checkpoint()
            checkpoints.append(time.perf_counter() - begun)
            data = b"x" * (journal.stat().st_size - size)
            begun = time.perf_counter()
            os.write(bare_fd, data)
            os.fdatasync(bare_fd)
            bare.append(time.perf_counter() - begun)
    os.close(bare_fd)
    return median(checkpoints), median(bare)


if __name__ == "__main__":
    for _run in range(3):
        with tempfile.TemporaryDirectory(dir=sys.argv[1]) as made:
            ours, theirs = measure(Path(made))
        print(
            f"checkpoint {ours * 1e6:.0f} us, bare append {theirs * 1e6:.0f} us, "
            f"ratio {ours / theirs:.2f}"
        )
