"""Resolve the URL that a device names to the runner that performs its jobs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple, cast

from holdall.errors import PluginError, RunnerUrlError, masked_url
from holdall.registry import Identity, calling, shown
from holdall.settings import options_of

if TYPE_CHECKING:
    from holdall.contracts import Runner
    from holdall.registry import Registry

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
