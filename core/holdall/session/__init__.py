"""The engine: a session that is alive, its devices, its states and its runs."""

from holdall.session.context import SessionDeviceContext
from holdall.session.load import IGNORE_CHECKSUMS, peek
from holdall.session.manager import SessionManager
from holdall.session.run import RunSettings, run_session
from holdall.session.selection import Request, begin, default_plan, find_plan
from holdall.session.state import SessionState

__all__ = [
    "IGNORE_CHECKSUMS",
    "Request",
    "RunSettings",
    "SessionDeviceContext",
    "SessionManager",
    "SessionState",
    "begin",
    "default_plan",
    "find_plan",
    "peek",
    "run_session",
]
