"""The contract of runners, and the task that a runner performs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from pathlib import Path

    from holdall.results import Interruption, JobResult, Stream
    from holdall.units import Device, Job


class Task(Protocol):
    """One attempt at a job, as the runner performs it."""

    @property
    def job(self) -> Job:
        """What to do."""
        ...

    @property
    def device(self) -> Device:
        """The device to do it on."""
        ...

    @property
    def folder(self) -> Path:
        """A folder of the attempt's own on this machine, empty at first and gone afterwards.

        The command runs in it. On another machine it runs in such a folder there.
        """
        ...

    @property
    def user(self) -> str:
        """The account that performs the job; empty for the one that the runner uses by itself.

        A job whose account it can't become is an `error`, and its command does not run.
        """
        ...

    @property
    def environ(self) -> dict[str, str]:
        """The variables the command sees, complete: nothing else of this process's own."""
        ...

    @property
    def timeout(self) -> float | None:
        """Seconds after which the command and its children are to be ended, None for never.

        The result is a `crash` then, and its comments say that it took too long.
        """
        ...

    @property
    def stdin(self) -> int | None:
        """The file descriptor that the command reads from, a terminal; None for nothing to read.

        It stays open, and belongs to the caller.
        """
        ...

    def started(self, process: ProcessMark | None) -> None:
        """Make durable that the attempt starts; the command may run only once it returned.

        A runner calls it once for each attempt whose command can be started. What it raises
        is holdall's: the command does not run then, and `run` lets it pass.

        Args:
            process: What `interrupted` will be given if holdall ends before the attempt does;
                None if nothing of the attempt could be found again.
        """
        ...

    def output(self, stream: Stream, data: bytes) -> None:
        """Record what the job wrote just now.

        A runner calls it with no data while the job is silent, a few times a
        second, so that what was written before is soon safe. Any thread may call
        it until `run` returns; what one call was given stays together.

        Raises:
            AttemptEnded: The person at the terminal wants it to end. A runner ends the command,
                and lets it pass.
        """
        ...


@runtime_checkable
class ProcessMark(Protocol):
    """The identity of a process, unique also after a reboot."""

    @property
    def pid(self) -> int:
        """Number of the process, which is also that of its group."""
        ...

    @property
    def started(self) -> str:
        """When the system says it started, in a form of the system's own."""
        ...

    @property
    def boot_id(self) -> str:
        """Which boot of the machine that was; empty where the system has no such thing."""
        ...


class Runner(Protocol):
    """Performs jobs on a device: class of the group `holdall.runners`.

    It is made by `from_url` once for each device, and connects to nothing before
    the first job.
    """

    @classmethod
    def from_url(cls, url: str, *, options: object = None) -> Runner:
        """Return the runner that *url* names: its name, and how the device is reached.

        Args:
            options: An instance of the class's `Options`, from settings; None if it has none.

        Raises:
            RunnerUrlError: It is no such URL.
        """
        ...

    def run(self, task: Task) -> JobResult:
        """Run the job's command and return what came out; the log is taken from `task.output`.

        The command is performed by the job's shell, `shell -c command`. Exit code 0 is a pass
        and any other a fail; a command that a signal or the timeout ended is a crash. Several
        threads may call it at once, each with a task of its own.

        What a person is asked before and behind it is none of a runner's business.
        A job that can't be performed has a result too, with the outcome `error`. What this
        raises is the runner's own fault: it ends the run of the device, and the jobs of other
        devices go on.
        """
        ...

    def interrupted(self, process: ProcessMark | None) -> Interruption:
        """End what is left of an attempt that never finished; return what interrupted it.

        Another process may have begun it, so nothing of it is known but the mark: `killed` if
        the device was not restarted since, `rebooted` if it was, `unknown` if nobody can say.
        """
        ...


@runtime_checkable
class ChecksAccounts(Protocol):
    """A runner that says before a run as which accounts it can perform jobs."""

    def account_problem(self, user: str) -> str | None:
        """Return why no job can run as *user* on the device, and what to do; None if one can."""
        ...
