"""Records sessions for a test, one for each line it reads: `recording.py URL`.

It says what was acknowledged to it, a line each, as soon as it was, and `end NAME` when a
session is over; `failed NAME REASON` if it could not go on with it.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from holdall import Recorder, open_repository
from holdall.errors import StorageError

if TYPE_CHECKING:
    from holdall.contracts import Repository

JOBS = 4
ATTACHED = b"attached " * 1000
LOGGED = b"a line of a log, and more of it\n" * 3000


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def record(repository: Repository, name: str) -> None:
    """Record a session in two sittings, with attachments, and logs that become blobs."""
    with Recorder.create(repository, title="Recorded", prefix=name) as recorder:
        session_id = recorder.session_id
        say(f"session {session_id}")
        for number in range(JOBS // 2):
            _run(recorder, number)
    with Recorder.append(repository, session_id) as recorder:
        for number in range(JOBS // 2, JOBS):
            _run(recorder, number)


def _run(recorder: Recorder, number: int) -> None:
    job = f"com.example::job-{number}"
    recorder.job(job, summary=f"Job {number}")
    with recorder.attempt(job) as attempt:
        attempt.write(LOGGED)
        attempt.attach("data", b"%d " % number + ATTACHED)
        attempt.finish("pass", duration=0.1)
    recorder.checkpoint()
    say(f"acknowledged {number + 1}")


def main() -> None:
    repository = open_repository(sys.argv[1])
    for line in sys.stdin:
        name = line.strip()
        try:
            record(repository, name)
        except StorageError as error:
            say(f"failed {name} {error}")
        else:
            say(f"end {name}")


if __name__ == "__main__":
    main()
