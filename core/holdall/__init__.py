"""holdall keeps a test session alive and turns it into any report.

The names here are the public interface; each is imported when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from holdall.version import __version__

if TYPE_CHECKING:
    from holdall.contracts import ExportReport as ExportReport
    from holdall.contracts import SessionInfo as SessionInfo
    from holdall.errors import HoldallError as HoldallError
    from holdall.exports import export as export
    from holdall.hooks import hookimpl as hookimpl
    from holdall.journal import list_sessions as list_sessions
    from holdall.providers import load_provider as load_provider
    from holdall.recording import Recorder as Recorder
    from holdall.registry import Registry as Registry
    from holdall.results import IOLogRecord as IOLogRecord
    from holdall.results import JobResult as JobResult
    from holdall.results import Measurement as Measurement
    from holdall.results import Outcome as Outcome
    from holdall.results import Subtest as Subtest
    from holdall.session import SessionDeviceContext as SessionDeviceContext
    from holdall.session import SessionManager as SessionManager
    from holdall.session import SessionState as SessionState
    from holdall.session import peek as peek
    from holdall.stores import open_repository as open_repository
    from holdall.units import Device as Device
    from holdall.units import Provider as Provider
    from holdall.units import Unit as Unit
    from holdall.units import make_unit as make_unit
    from holdall.view import SessionView as SessionView

_HOMES = {
    "Device": "holdall.units",
    "ExportReport": "holdall.contracts",
    "HoldallError": "holdall.errors",
    "IOLogRecord": "holdall.results",
    "JobResult": "holdall.results",
    "Measurement": "holdall.results",
    "Outcome": "holdall.results",
    "Subtest": "holdall.results",
    "Provider": "holdall.units",
    "Recorder": "holdall.recording",
    "Registry": "holdall.registry",
    "SessionDeviceContext": "holdall.session",
    "SessionInfo": "holdall.contracts",
    "SessionManager": "holdall.session",
    "SessionState": "holdall.session",
    "SessionView": "holdall.view",
    "Unit": "holdall.units",
    "export": "holdall.exports",
    "hookimpl": "holdall.hooks",
    "list_sessions": "holdall.journal",
    "load_provider": "holdall.providers",
    "make_unit": "holdall.units",
    "open_repository": "holdall.stores",
    "peek": "holdall.session",
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
