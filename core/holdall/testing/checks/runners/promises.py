"""The promises of runners about URLs, results and output; the first line of each names it."""

from __future__ import annotations

import os
import shlex
import sys
from contextlib import contextmanager
from threading import get_ident
from typing import TYPE_CHECKING, Any, Final

from holdall.errors import RunnerUrlError
from holdall.registry import misfits
from holdall.results import JobResult, Outcome
from holdall.testing.checks.outcomes import CheckFailed, require
from holdall.testing.sessions import HOSTILE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdall.testing.checks.runners.subject import RunnerSubject

_LINES: Final = 300
_MUCH: Final = 1 << 20
_UNSEEN: Final = "CHECK_UNSEEN"
_NOBODY: Final = "surely-no-account-here"
_REACHING: Final = (
    *("socket.connect", "socket.getaddrinfo", "subprocess.Popen"),
    *("os.fork", "os.forkpty", "os.posix_spawn", "os.system", "os.exec", "pty.spawn"),
)
"""What Python audits of all that connects to something or starts something."""


def has_the_shape_of_a_runner(subject: RunnerSubject) -> None:
    """Its members and signatures are those of the contract."""
    problems = misfits("runners", subject.runner)
    require(not problems, "; ".join(problems))


def connects_to_nothing_when_opened(subject: RunnerSubject) -> None:
    """To make it connects to nothing and starts nothing: no job may need the device."""
    with _audited() as events:
        subject.opened()
    require(not events, f"from_url did {', '.join(sorted(set(events)))}")


@contextmanager
def _audited() -> Iterator[list[str]]:
    """Give a list of what this thread does meanwhile that reaches out of it."""
    if not _AUDITS:
        sys.addaudithook(_note)  # one can't be removed, so it is added once
    events: list[str] = []
    _AUDITS[get_ident()] = events
    try:
        yield events
    finally:
        _AUDITS[get_ident()] = []


_AUDITS: Final[dict[int, list[str]]] = {}


def _note(event: str, _arguments: tuple[Any, ...]) -> None:
    if event in _REACHING and get_ident() in _AUDITS:
        _AUDITS[get_ident()].append(event)


def refuses_other_urls(subject: RunnerSubject) -> None:
    """A URL that names no device of its kind raises RunnerUrlError, which says why."""
    for rest in ("://\0", "?surely-no-runner-has-this-option=1"):
        url = f"{subject.name}{rest}"
        try:
            subject.opened(url)
        except RunnerUrlError as error:
            require(error.reason, f"{url!r} is refused without a reason")
        else:
            raise CheckFailed(f"{url!r} was taken")


def judges_by_the_exit_code(subject: RunnerSubject) -> None:
    """An exit code of 0 is a pass, any other a fail; the result has it, and how long it took."""
    for code, outcome in ((0, Outcome.PASS), (3, Outcome.FAIL)):
        result, _ = subject.ran(f"exit {code}")
        require(isinstance(result, JobResult), f"it returned {result!r}")
        reason = f"exit {code} is {result.outcome} with the code {result.return_code}"
        require((result.outcome, result.return_code) == (outcome, code), reason)
        require(result.execution_duration is not None, "the result has no execution_duration")


def records_both_streams_in_order(subject: RunnerSubject) -> None:
    """Each stream arrives complete, in the order it was written, and in `task.output` alone."""
    command = f"for n in $(seq {_LINES}); do echo $n; echo $n >&2; done"
    result, task = subject.ran(command)
    expected = b"".join(b"%d\n" % number for number in range(1, _LINES + 1))
    for stream, data in task.written.items():
        require(data == expected, f"{stream} has {len(data)} bytes, or another order")
    require(not result.io_log, "the result has a log of its own, which would be there twice")


def records_much_output(subject: RunnerSubject) -> None:
    """A megabyte on each stream, one behind the other, stops no command and loses nothing."""
    result, task = subject.ran(
        f"head -c {_MUCH} /dev/zero >&2; head -c {_MUCH} /dev/zero", timeout=60.0
    )
    sizes = {stream: len(data) for stream, data in task.written.items()}
    require(set(sizes.values()) == {_MUCH}, f"recorded: {sizes}")
    require(result.outcome is Outcome.PASS, f"its outcome is {result.outcome}")


def records_every_byte(subject: RunnerSubject) -> None:
    """Output is bytes: each of the 256, and lines that end in none, arrive as they are."""
    octal = "".join(f"\\{number:03o}" for number in range(256))
    _, task = subject.ran(f"printf '{octal}'")
    require(task.written["stdout"] == bytes(range(256)), "some of 256 bytes changed")


def passes_hostile_text_on(subject: RunnerSubject) -> None:
    """Quotes, control characters and what a shell would expand reach the command as they are."""
    texts = [text.replace("\0", "") for text in HOSTILE.values()]
    texts += ["-n", "' \" \\ `id` $(id) $HOME", "*", "a\n"]
    shown = " ".join(map(shlex.quote, texts))
    names = {f"HOSTILE_{number}": text for number, text in enumerate(texts)}
    values = " ".join(f'"${name}"' for name in names)
    _, task = subject.ran(f"printf '%s|' {shown} {values}", environ=names)
    expected = "".join(f"{text}|" for text in texts * 2).encode()
    require(task.written["stdout"] == expected, "a text in the command or a variable changed")


def gives_the_variables_of_the_task(subject: RunnerSubject) -> None:
    """The command sees the variables of the task, and none of the process that runs holdall."""
    os.environ[_UNSEEN] = "seen"
    try:
        given = {"CHECK_GIVEN": "given"}
        _, task = subject.ran(f'echo "$CHECK_GIVEN ${{{_UNSEEN}-unset}}"', environ=given)
    finally:
        del os.environ[_UNSEEN]
    require(task.words[:1] == ["given"], "a variable of task.environ is not there")
    require(task.words[1:] == ["unset"], "a variable is there that task.environ does not have")


def runs_in_a_folder_of_its_own(subject: RunnerSubject) -> None:
    """The command runs in a new, empty folder, where it may write."""
    _, task = subject.ran("ls -A; touch written && ls")
    require(task.words == ["written"], f"in the folder there is {task.words or 'nothing'}")


def uses_the_shell_of_the_job(subject: RunnerSubject) -> None:
    """The program that a job names as its shell runs its command, bash where it names none."""
    _, by_default = subject.ran("echo ${BASH_VERSION:+bash}")
    require(by_default.words == ["bash"], "a job that names no shell is not run by bash")
    _, by_wish = subject.ran("echo ${BASH_VERSION:-none}", shell="sh")  # noqa: S604 - a field
    _, by_sh = subject.ran("exec sh -c 'echo ${BASH_VERSION:-none}'")
    require(by_wish.words == by_sh.words, "the field 'shell' of the job makes no difference")


def reads_nothing_unless_it_may(subject: RunnerSubject) -> None:
    """Where `task.stdin` is None the command has nothing to read, and does not wait."""
    result, task = subject.ran("cat; echo done", timeout=subject.soon_s)
    require(task.words == ["done"], f"it read {task.words}, and ended as {result.outcome}")


def returns_an_error_for_another_account(subject: RunnerSubject) -> None:
    """A job for an account that it can't become is an `error`, and its command does not run."""
    result, task = subject.ran("echo ran", user=_NOBODY)
    require(not task.words, f"the command for {_NOBODY!r} ran as somebody else")
    reason = f"its outcome is {result.outcome}, with the comments {result.comments!r}"
    require(result.outcome is Outcome.ERROR and result.comments, reason)


def returns_a_result_for_what_can_not_run(subject: RunnerSubject) -> None:
    """A job that can't be performed has a result that says so; nothing is raised."""
    result, _ = subject.ran("true", shell="no-such-shell-anywhere")  # noqa: S604 - a field
    unfound = result.outcome is Outcome.FAIL and result.return_code in (126, 127)
    reason = f"a shell that is not there is {result.outcome}, and no error"
    require(result.outcome is Outcome.ERROR or unfound, reason)
    require(result.comments, "nothing in its comments says what is wrong")
