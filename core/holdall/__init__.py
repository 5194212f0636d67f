"""holdall keeps a test session alive and turns it into any report.

The names here are the public interface; each is imported when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from holdall.version import __version__

if TYPE_CHECKING:
    from holdall.errors import HoldallError as HoldallError
    from holdall.exports.pipeline import export as export
    from holdall.exports.report import ExportReport as ExportReport
    from holdall.exports.view import SessionView as SessionView
    from holdall.hookspecs import hookimpl as hookimpl
    from holdall.providers import Provider as Provider
    from holdall.providers import load_provider as load_provider
    from holdall.registry import Registry as Registry
    from holdall.repositories import open_repository as open_repository
    from holdall.results import IOLogRecord as IOLogRecord
    from holdall.results import JobResult as JobResult
    from holdall.results import Outcome as Outcome
    from holdall.session.context import Device as Device
    from holdall.session.context import SessionDeviceContext as SessionDeviceContext
    from holdall.session.load import peek as peek
    from holdall.session.manager import SessionManager as SessionManager
    from holdall.session.state import SessionState as SessionState
    from holdall.units import Unit as Unit
    from holdall.units import make_unit as make_unit

_HOMES = {
    "Device": "holdall.session.context",
    "ExportReport": "holdall.exports.report",
    "HoldallError": "holdall.errors",
    "IOLogRecord": "holdall.results",
    "JobResult": "holdall.results",
    "Outcome": "holdall.results",
    "Provider": "holdall.providers",
    "Registry": "holdall.registry",
    "SessionDeviceContext": "holdall.session.context",
    "SessionManager": "holdall.session.manager",
    "SessionState": "holdall.session.state",
    "SessionView": "holdall.exports.view",
    "Unit": "holdall.units",
    "export": "holdall.exports.pipeline",
    "hookimpl": "holdall.hookspecs",
    "load_provider": "holdall.providers",
    "make_unit": "holdall.units",
    "open_repository": "holdall.repositories",
    "peek": "holdall.session.load",
}

__all__ = ["__version__", *sorted(_HOMES)]  # noqa: PLE0604 - all of them are strings


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'holdall' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
