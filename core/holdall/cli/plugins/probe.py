"""Imports one plugin in a process of its own, and reports what the import did.

Started as `python -m holdall.cli.plugins.probe`, with the candidate as JSON on
standard input; the report is a row of the channel that `run_child` reads.
"""

from __future__ import annotations

import json
import locale
import os
import sys
import threading
import warnings
from contextlib import suppress
from tempfile import TemporaryFile
from time import perf_counter
from typing import Any, BinaryIO

from holdall.cli.plugins.channel import Channel
from holdall.errors import HoldallError, HookError, PluginLoadError
from holdall.registry import Candidate, Registry, State, imported


def main() -> None:
    """Read a candidate, import it, and report."""
    channel = Channel()
    given = json.loads(channel.given)
    candidate = Candidate(**{**given, "extras": tuple(given["extras"])})
    printed = TemporaryFile()  # what the plugin prints is no part of the report  # noqa: SIM115
    os.dup2(printed.fileno(), 1)
    heard: list[str] = []
    warnings.simplefilter("always")
    warnings.showwarning = lambda message, category, *_location, **_more: heard.append(
        f"{category.__name__}: {' '.join(str(message).split())}"
    )
    before = _World()
    start = perf_counter()
    state, reason = _load(candidate)
    took = perf_counter() - start
    new = set(sys.modules) - before.names
    channel.send(
        {
            "state": state,
            "reason": reason,
            "ms": round(took * 1000, 1),
            "modules": len(new),
            "packages": _packages(new, candidate),
            "warnings": heard,
            "changes": [*before.changes(), *_said(printed)],
        }
    )
    os._exit(0)  # threads that the import started are not waited for


def _load(candidate: Candidate) -> tuple[str, str]:
    if candidate.kind == "providers":
        return _read_provider(candidate)
    try:
        plugin = imported(candidate)
    except PluginLoadError as error:
        return error.state, error.reason
    if candidate.kind == "hooks":
        from holdall.hooks import implemented_hooks

        try:
            implemented_hooks(plugin, origin=candidate.origin)
        except HookError as error:
            return str(State.INVALID), error.reason
    return str(State.LOADED), ""


def _read_provider(candidate: Candidate) -> tuple[str, str]:
    """Return what reading a provider, which is never imported, came to."""
    from holdall.providers import load_provider

    try:
        load_provider(f"package:{candidate.target}", registry=Registry.discover())
    except HoldallError as error:
        return str(State.BROKEN), str(error)
    return str(State.LOADED), ""


def _said(printed: BinaryIO) -> list[str]:
    """Return what the import did to standard output."""
    with suppress(AttributeError):  # the import may have replaced it by nothing
        sys.stdout.flush()
    printed.seek(0)
    text = printed.read(60).decode(errors="replace")
    return [f"it printed {text!r}, where a report may be going"] if text else []


def _packages(new: set[str], candidate: Candidate) -> list[str]:
    """Return the packages that were pulled in, its own and Python's aside."""
    own = candidate.target.partition(".")[0].partition(":")[0]
    tops = {name.partition(".")[0] for name in new} - {own, "holdall"}
    return sorted(
        top for top in tops if top not in sys.stdlib_module_names and not top.startswith("_")
    )


class _World:
    """What belongs to everybody in a process, as it was."""

    def __init__(self) -> None:
        self.modules = dict(sys.modules)
        self.names = set(sys.modules)
        self.shared = _shared()

    def changes(self) -> list[str]:
        """Return what the import changed that is not its own."""
        reports = [
            f"it replaced the module {name!r}" if name in sys.modules else f"it removed {name!r}"
            for name, module in self.modules.items()
            if sys.modules.get(name) is not module
        ]
        now = _shared()
        reports += [
            f"it changed {what}" for what, value in self.shared.items() if now[what] != value
        ]
        return reports


def _shared() -> dict[str, Any]:
    return {
        "the locale": locale.setlocale(locale.LC_ALL),
        "the warnings filter": [tuple(map(str, item)) for item in warnings.filters],
        "the environment": dict(os.environ),
        "the current folder": os.getcwd(),  # noqa: PTH109 - compared, never used as a path
        "the search path of modules": list(sys.path),
        "the import finders": [str(item) for item in sys.meta_path],
        "the number of threads": threading.active_count(),
        "standard output": id(sys.stdout),
    }


if __name__ == "__main__":
    main()
