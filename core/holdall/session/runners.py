"""Resolve the URL that a device names to the runner that performs its jobs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple, cast

from holdall.errors import PluginError, RunnerUrlError, masked_url
from holdall.registry import Identity, calling, shown
from holdall.settings import options_of

if TYPE_CHECKING:
    from pathlib import Path

    from holdall.contracts import ProcessMark, Runner, Task
    from holdall.registry import Registry
    from holdall.results import Stream
    from holdall.units import Device, Job

_NAME: Final = re.compile(r"(?P<name>[a-z][a-z0-9_]*)(?:[:?].*)?", re.DOTALL)


class BoundRunner(NamedTuple):
    """A runner, and which plugin it is, for the errors of calling it."""

    runner: Runner
    plugin: Identity


def open_runner(url: str, registry: Registry) -> BoundRunner:
    """Return the runner that *url* names; nothing is connected yet.

    Args:
        url: Its name, and what is behind it: `local`, `ssh://root@dut-7`.

    Raises:
        RunnerUrlError: It is no such URL.
        PluginError: There is no such runner, or it can't be loaded.
        ConfigurationError: The settings of the runner are no options of its class.
    """
    name = runner_name(url)
    try:
        plugin = registry.load("runners", name)
    except PluginError as error:
        error.add_note(f"while opening the runner {masked_url(url)!r}")
        raise
    options = options_of(plugin, registry.settings(name))
    identity = registry.resolve("runners", name).identity
    with calling(identity, f"opening {url!r}"):
        runner = plugin.from_url(url, options=options)
    if not callable(getattr(runner, "run", None)):
        raise identity.blame(f"opening {url!r}", f"it returned {shown(runner)} and not a runner")
    return BoundRunner(cast("Runner", runner), identity)


def bound_runner(runner: Runner | BoundRunner) -> BoundRunner:
    """Return *runner*; one that the application made itself is the application's."""
    if isinstance(runner, BoundRunner):
        return runner
    return BoundRunner(runner, Identity("runner", type(runner).__name__, "the application"))


def runner_name(url: str) -> str:
    """Return the name of the plugin that a runner's URL begins with.

    Raises:
        RunnerUrlError: It begins with none.
    """
    name = _NAME.fullmatch(url)
    if name is None:
        raise RunnerUrlError(url, "it does not begin with the name of a runner, as 'local' does")
    return name["name"]


class TaskWrapper:
    """Another task, of which a subclass changes something: for a runner that uses another one.

    Attributes:
        inner: The task that is wrapped.
    """

    def __init__(self, inner: Task) -> None:
        self.inner: Final = inner

    @property
    def job(self) -> Job:
        """What to do."""
        return self.inner.job

    @property
    def device(self) -> Device:
        """The device to do it on."""
        return self.inner.device

    @property
    def folder(self) -> Path:
        """A folder of the attempt's own, gone afterwards."""
        return self.inner.folder

    @property
    def user(self) -> str:
        """The account that performs the job; empty for the one that runs holdall."""
        return self.inner.user

    @property
    def environ(self) -> dict[str, str]:
        """The variables the command sees, complete."""
        return self.inner.environ

    @property
    def timeout(self) -> float | None:
        """Seconds after which the attempt is to be ended, None for never."""
        return self.inner.timeout

    @property
    def stdin(self) -> int | None:
        """The file descriptor that the command reads from; None for nothing to read."""
        return self.inner.stdin

    def started(self, process: ProcessMark | None) -> None:
        """Make durable that the attempt starts; the command may run only once it returned."""
        self.inner.started(process)

    def output(self, stream: Stream, data: bytes) -> None:
        """Record what the job wrote just now."""
        self.inner.output(stream, data)


if TYPE_CHECKING:
    _: type[Task] = TaskWrapper
