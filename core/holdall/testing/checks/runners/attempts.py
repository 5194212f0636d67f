"""The promises of runners about the start and the end of an attempt."""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TYPE_CHECKING, Any, Final, get_args

from holdall.contracts import AttemptEnded
from holdall.results import Interruption, Outcome
from holdall.testing.checks.outcomes import CheckSkipped, raises, require
from holdall.testing.checks.runners.subject import mark_on

if TYPE_CHECKING:
    from holdall.results import JobResult
    from holdall.testing.checks.runners.subject import RecordingTask, RunnerSubject

_SLEEPS: Final = "sleep 300 & echo $! $$; wait"
"""A command with a child; their numbers are the first words that it writes."""

_AHEAD_S: Final = 0.3
"""Seconds that a command which does not wait for its start would be ahead by."""


class _NotDurableError(Exception):
    """What `started` raises when the start of an attempt can't be stored."""


def runs_only_when_its_start_is_durable(subject: RunnerSubject) -> None:
    """The command starts when `task.started` has returned, and not at all if that raises."""
    with mark_on(subject) as (leave_mark, is_there):

        def refuse() -> None:
            time.sleep(_AHEAD_S)
            raise _NotDurableError

        with subject.task(leave_mark) as task:
            task.on_start = refuse
            raised = raises(lambda: subject.opened().run(task), _NotDurableError)
            require(raised, "what `task.started` raised was swallowed, or it was not called")
        require(not is_there(), "the command ran before its start was durable")


def starts_once(subject: RunnerSubject) -> None:
    """`task.started` is called once for each attempt, whatever becomes of it."""
    for command in ("true", "exit 3"):
        _, task = subject.ran(command)
        count = len(task.marks)
        require(count == 1, f"`task.started` was called {count} times for {command!r}")


def hands_output_over_at_once(subject: RunnerSubject) -> None:
    """Output arrives while the command runs, and calls without data while it is silent."""
    _, task = subject.ran("echo first; sleep 1.2; echo second")
    moments = [moment for moment, _stream, size in task.pieces if size]
    require(len(moments) >= 2, "both lines came in one piece, when the command had ended")
    late = moments[-1] - moments[0]
    require(late > 0.5, f"lines that were written 1.2 s apart came {late:.1f} s apart")
    silent = [moment for moment, _stream, size in task.pieces if not size]
    reason = "while the command was silent for a second, `task.output` was not called"
    require(any(moments[0] < moment < moments[-1] for moment in silent), reason)


def reads_what_it_is_given(subject: RunnerSubject) -> None:
    """The command reads from `task.stdin`, which stays open."""
    reader, writer = os.pipe()
    try:
        os.write(writer, b"typed\n")
        os.close(writer)
        _, task = subject.ran("cat", stdin=reader, timeout=subject.soon_s)
        os.fstat(reader)
    finally:
        os.close(reader)
    require(task.words == ["typed"], f"the command read {task.words or 'nothing'}")


def ends_at_its_timeout(subject: RunnerSubject) -> None:
    """A command that takes too long is ended with its children, and crashed; comments say why."""
    start = time.monotonic()
    result, task = subject.ran(_SLEEPS, timeout=0.5)
    took = time.monotonic() - start
    require(took < subject.soon_s, f"a command that had 0.5 s was ended after {took:.1f} s")
    require(result.outcome is Outcome.CRASH, f"its outcome is {result.outcome}")
    require(result.comments, "nothing in its comments says that it took too long")
    _require_gone(subject, task)


def ends_when_the_person_wants(subject: RunnerSubject) -> None:
    """AttemptEnded out of `task.output` ends the command with its children, and passes."""
    with subject.task(_SLEEPS, timeout=4 * subject.soon_s) as task:

        def end() -> None:
            raise AttemptEnded

        task.on_output = end
        raised = raises(lambda: subject.opened().run(task), AttemptEnded)
        require(raised, "AttemptEnded was swallowed")
    _require_gone(subject, task)


def ends_what_is_left_of_an_attempt(subject: RunnerSubject) -> None:
    """`interrupted` ends what its mark names, and says what interrupted the attempt."""
    known = get_args(Interruption)
    answer: Any = subject.opened().interrupted(None)
    require(answer in known, f"without a mark it returned {answer!r}, none of {known}")
    with subject.running(_SLEEPS) as task:
        mark = task.marks[0]
        if mark is None:
            raise CheckSkipped("it gives no mark, so nobody can end what is left of an attempt")
        answer = subject.opened().interrupted(mark)
        require(answer == "killed", f"it returned {answer!r}, and the device was not restarted")
        _require_gone(subject, task)


def runs_tasks_at_once(subject: RunnerSubject) -> None:
    """Two threads may run a task each by one runner, and their output is not mixed up."""
    runner = subject.opened()
    together = Barrier(2)

    def perform(name: str) -> tuple[JobResult, bytes]:
        with subject.task(f"for n in $(seq 50); do echo {name}; done; sleep 0.2") as task:
            together.wait(subject.soon_s)
            return runner.run(task), task.written["stdout"]

    with ThreadPoolExecutor(2) as pool:
        ended = dict(zip("ab", pool.map(perform, "ab"), strict=True))
    for name, (result, written) in ended.items():
        reason = f"{name!r} came to {result.outcome} with {written[:20]!r}"
        whole = written == f"{name}\n".encode() * 50
        require(result.outcome is Outcome.PASS and whole, reason)


def _require_gone(subject: RunnerSubject, task: RecordingTask) -> None:
    require(task.words, "the command wrote nothing before it was ended")
    alive = [pid for pid in task.words[:2] if not subject.is_gone(pid)]
    require(not alive, f"processes of the command still run: {', '.join(alive)}")
