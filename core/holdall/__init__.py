"""holdall keeps a test session alive and turns it into any report.

The names here are the public interface; each is imported when it is first used.
"""

from typing import TYPE_CHECKING

from holdall.doors import lazy_door
from holdall.version import __version__

if TYPE_CHECKING:
    from holdall.contracts import ExportReport, SessionInfo
    from holdall.errors import HoldallError
    from holdall.exports import export
    from holdall.hooks import hookimpl
    from holdall.journal import list_sessions
    from holdall.providers import load_provider
    from holdall.recording import Recorder
    from holdall.registry import Registry
    from holdall.results import IOLogRecord, JobResult, Measurement, Outcome, Subtest
    from holdall.session import SessionDeviceContext, SessionManager, SessionState, peek
    from holdall.stores import open_repository
    from holdall.units import Device, Provider, Unit, make_unit
    from holdall.view import SessionView
else:
    __getattr__, __dir__ = lazy_door(
        __name__,
        {
            ".contracts": ("ExportReport", "SessionInfo"),
            ".errors": ("HoldallError",),
            ".exports": ("export",),
            ".hooks": ("hookimpl",),
            ".journal": ("list_sessions",),
            ".providers": ("load_provider",),
            ".recording": ("Recorder",),
            ".registry": ("Registry",),
            ".results": ("IOLogRecord", "JobResult", "Measurement", "Outcome", "Subtest"),
            ".session": ("SessionDeviceContext", "SessionManager", "SessionState", "peek"),
            ".stores": ("open_repository",),
            ".units": ("Device", "Provider", "Unit", "make_unit"),
            ".view": ("SessionView",),
        },
    )

__all__ = [
    "Device",
    "ExportReport",
    "HoldallError",
    "IOLogRecord",
    "JobResult",
    "Measurement",
    "Outcome",
    "Provider",
    "Recorder",
    "Registry",
    "SessionDeviceContext",
    "SessionInfo",
    "SessionManager",
    "SessionState",
    "SessionView",
    "Subtest",
    "Unit",
    "__version__",
    "export",
    "hookimpl",
    "list_sessions",
    "load_provider",
    "make_unit",
    "open_repository",
    "peek",
]
