"""What a session looks like from outside: one frozen fold of its journal."""

from holdall.view.filtering import Location, OpenBlob, ViewFilter
from holdall.view.fold import DeviceView, FoldedJob
from holdall.view.group import JobGroup
from holdall.view.job import AttemptView, JobView
from holdall.view.labels import Tally
from holdall.view.logs import SharedLogs
from holdall.view.session import SessionView
from holdall.view.verdict import Verdict, VerdictPolicy, verdict

__all__ = [
    "AttemptView",
    "DeviceView",
    "FoldedJob",
    "JobGroup",
    "JobView",
    "Location",
    "OpenBlob",
    "SessionView",
    "SharedLogs",
    "Tally",
    "Verdict",
    "VerdictPolicy",
    "ViewFilter",
    "verdict",
]
