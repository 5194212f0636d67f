"""Jobs of holdall performed behind a command: `prefix:nice -n 19`."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, Final

from holdall import JobResult, Registry, make_unit
from holdall.errors import RunnerUrlError
from holdall.session import TaskWrapper, open_runner
from holdall.units import Job

if TYPE_CHECKING:
    from holdall.contracts import ChecksAccounts, ProcessMark, Runner, Task
    from holdall.results import Interruption

_NAME: Final = "prefix"


@dataclass(frozen=True)
class PrefixRunnerOptions:
    """What can be set in the table `settings.prefix` of holdall.toml.

    Attributes:
        variables: Whether the variables of a job are named behind the command, for one that
            keeps none, such as `sudo`.
    """

    variables: bool = True


class PrefixRunner:
    """The runner of this machine, with another command before that of each job."""

    Options: ClassVar[type] = PrefixRunnerOptions

    def __init__(self, prefix: tuple[str, ...], options: PrefixRunnerOptions) -> None:
        """Perform jobs behind *prefix*."""
        self._prefix = prefix
        self._options = options

    @classmethod
    def from_url(cls, url: str, *, options: object = None) -> PrefixRunner:
        """Return the runner that *url* names."""
        _, colon, command = url.partition(":")
        try:
            prefix = tuple(shlex.split(command))
        except ValueError as error:
            raise RunnerUrlError(url, f"the command can't be read: {error}") from error
        if not colon or not prefix or "\0" in command or prefix[0].startswith("//"):
            raise RunnerUrlError(url, f"write {_NAME}:COMMAND, such as '{_NAME}:nice -n 19'")
        if not isinstance(options, PrefixRunnerOptions):
            options = PrefixRunnerOptions()
        return cls(prefix, options)

    def run(self, task: Task) -> JobResult:
        """Let the runner of this machine perform the command behind the other one."""
        problem = self.account_problem(task.user)
        if problem:
            return JobResult(outcome="error", comments=f"it could not be started: {problem}")
        variables = task.environ if self._options.variables else {}
        return self._local.run(_PrefixedTask(task, self._prefix, variables))

    def account_problem(self, user: str) -> str | None:
        """Return why no job can run as *user*, which holdall asks for before a run."""
        if not user:
            return None
        return f"a command has the account that it has; write {_NAME}:sudo -n -u {user}"

    def interrupted(self, process: ProcessMark | None) -> Interruption:
        """End what is left of an attempt that never finished, and return what interrupted it."""
        return self._local.interrupted(process)

    @cached_property
    def _local(self) -> Runner:
        """The runner of this machine, looked up when the first job needs it."""
        return open_runner("local", Registry.discover()).runner


class _PrefixedTask(TaskWrapper):
    """The task of a job, with the command that performs it behind another one."""

    def __init__(self, task: Task, prefix: tuple[str, ...], variables: dict[str, str]) -> None:
        super().__init__(task)
        self._prefix = prefix
        self._variables = variables

    @property
    def job(self) -> Job:
        """The job, whose command is passed on as it is."""
        job = self.inner.job
        if not job.command:
            return job
        given = [f"{name}={value}" for name, value in self._variables.items()]
        words = [*self._prefix, "env", *given, job.shell, "-c", job.command]
        fields = {**job.fields, "command": f"exec {shlex.join(words)}", "shell": "sh"}
        prefixed = make_unit(fields)
        assert isinstance(prefixed, Job)
        return prefixed


if TYPE_CHECKING:
    _: type[Runner] = PrefixRunner
    _accounts: type[ChecksAccounts] = PrefixRunner
