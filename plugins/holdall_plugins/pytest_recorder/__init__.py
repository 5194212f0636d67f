"""The pytest plugin: options and fixtures, and nothing of holdall until a run is recorded.

pytest imports this module in every run of whoever has holdall installed, so it imports
nothing but pytest.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    import os

    from holdall_plugins.pytest_recorder.fixtures import Attach, Measure

PLUGIN: Final = "holdall-recording"
"""Name under which what records is registered with pytest."""

# Options whose value is optional take it behind `=` only: `pytest --holdall tests` means tests.
_OPTIONAL: Final = {"--holdall": "--holdall=", "--holdall-resume": "--holdall-resume=last"}


_OPTIONS: Final[dict[str, dict[str, Any]]] = {
    "--holdall": {
        "metavar": "STORE",
        "nargs": "?",
        "const": "",
        "help": "record the run in a session; --holdall=STORE says where (default: the ini option "
        "holdall_store, HOLDALL_STORE, or a folder in your data folder)",
    },
    "--holdall-resume": {
        "metavar": "SESSION",
        "nargs": "?",
        "const": "last",
        "help": "go on with a session, and run only what has no result in it (default: the last)",
    },
    "--holdall-export": {
        "metavar": "FORMAT=PATH",
        "action": "append",
        "default": [],
        "help": "write a report at the end, as in html=report.html; may be repeated",
    },
    "--holdall-title": {"metavar": "TEXT", "default": "", "help": "what to call the session"},
    "--holdall-device": {"metavar": "ID", "default": "", "help": "the device under test"},
    "--holdall-durability": {
        "choices": ("process", "system"),
        "default": "process",
        "help": "what each result survives at once: the end of the process (and a second later a "
        "power cut), or a power cut (default: process)",
    },
    **{
        option: {
            "metavar": metavar,
            "action": "append",
            "default": [],
            "help": f"mask {what} before anything is stored; may be repeated",
        }
        for option, metavar, what in (
            ("--holdall-redact", "REGEX", "what REGEX matches"),
            ("--holdall-redact-env", "NAME", "the value of the variable NAME"),
            ("--holdall-redact-key", "NAME", "what follows NAME: or NAME="),
        )
    },
}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options; see docs/reference/pytest.md."""
    group = parser.getgroup("holdall", "recording in a session of holdall")
    for name, keywords in _OPTIONS.items():
        group.addoption(name, **keywords)
    parser.addini("holdall_store", "the store of --holdall without a value", default="")


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(
    early_config: pytest.Config, parser: pytest.Parser, args: list[str]
) -> None:
    """Leave what stands behind `--holdall` to pytest: it is a file or folder of tests."""
    if any(arg in _OPTIONAL for arg in args):
        args[:] = [_OPTIONAL.get(arg, arg) for arg in args]
        early_config.known_args_namespace = parser.parse_known_args(
            args, namespace=copy.copy(early_config.option)
        )


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Begin to record, if the run is to be recorded."""
    config = session.config
    option = config.option
    if option.holdall is None and option.holdall_resume is None:
        if option.holdall_export:
            raise pytest.UsageError("--holdall-export needs --holdall or --holdall-resume")
        return
    if option.collectonly:
        return
    if hasattr(config, "workerinput"):
        from holdall_plugins.pytest_recorder.workers import Worker

        config.pluginmanager.register(Worker(config), PLUGIN)
    else:
        from holdall_plugins.pytest_recorder.recording import Recording

        config.pluginmanager.register(Recording(config), PLUGIN)
    config.pluginmanager.import_plugin("holdall_plugins.pytest_recorder.properties")


@pytest.fixture
def holdall_attach(request: pytest.FixtureRequest) -> Attach:
    """Keep a file or bytes with the result of the test, where the run is recorded."""

    def attach(
        content: str | os.PathLike[str] | bytes, *, name: str = "", media_type: str = ""
    ) -> None:
        plugin = _plugin(request)
        if plugin is not None:
            plugin.attach(request.node, content, name=name, media_type=media_type)

    return attach


@pytest.fixture
def holdall_measure(request: pytest.FixtureRequest) -> Measure:
    """Record a measured value, and fail the test if it is out of its limits."""

    def measure(
        name: str,
        value: float | str,
        unit: str = "",
        lower: float | None = None,
        upper: float | None = None,
    ) -> None:
        __tracebackhide__ = True
        plugin = _plugin(request)
        if plugin is not None:
            from holdall_plugins.pytest_recorder.outcomes import checked_measurement

            # What is wrong with the value is the test's own failure, on a worker too.
            checked = checked_measurement(name, value, unit, lower, upper)
            plugin.measure(request.node, checked)
        sides = (("below the lower", lower, -1), ("above the upper", upper, 1))
        for side, limit, sign in sides:
            # Written so that NaN keeps no limit.
            if limit is not None and not (value - limit) * sign <= 0:  # type: ignore[operator]
                shown = " ".join(part for part in (str(value), unit) if part)
                pytest.fail(f"{name} is {shown}, {side} limit {limit}", pytrace=False)

    return measure


def _plugin(request: pytest.FixtureRequest) -> Any:
    """Return the `Recording` or `Worker` of the run, None if it is not recorded."""
    return request.config.pluginmanager.get_plugin(PLUGIN)
