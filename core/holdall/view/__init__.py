"""Views of a session: one frozen fold of its journal."""

from typing import TYPE_CHECKING

from holdall.doors import lazy_door
from holdall.view.verdict import Reason, Verdict, VerdictPolicy, verdict

if TYPE_CHECKING:
    from holdall.view.filtering import Location, OpenBlob, ViewFilter
    from holdall.view.folded import DeviceView, FoldedJob, SessionState
    from holdall.view.group import JobGroup
    from holdall.view.job import AttemptView, JobView
    from holdall.view.labels import Tally
    from holdall.view.logs import SharedLogs
    from holdall.view.session import SessionView
else:
    __getattr__, __dir__ = lazy_door(
        __name__,
        {
            ".filtering": ("Location", "OpenBlob", "ViewFilter"),
            ".folded": ("DeviceView", "FoldedJob", "SessionState"),
            ".group": ("JobGroup",),
            ".job": ("AttemptView", "JobView"),
            ".labels": ("Tally",),
            ".logs": ("SharedLogs",),
            ".session": ("SessionView",),
        },
    )

__all__ = [
    "AttemptView",
    "DeviceView",
    "FoldedJob",
    "JobGroup",
    "JobView",
    "Location",
    "OpenBlob",
    "Reason",
    "SessionState",
    "SessionView",
    "SharedLogs",
    "Tally",
    "Verdict",
    "VerdictPolicy",
    "ViewFilter",
    "verdict",
]
