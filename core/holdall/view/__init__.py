"""What a session looks like from outside: one frozen fold of its journal."""

from holdall.view.filtering import OpenBlob, Place, ViewFilter
from holdall.view.fold import DeviceView, FoldedJob
from holdall.view.group import JobGroup
from holdall.view.job import AttemptView, JobView
from holdall.view.labels import Tally
from holdall.view.logs import SharedLogs
from holdall.view.session import SessionView
from holdall.view.verdict import Policy, Verdict, verdict

__all__ = [
    "AttemptView",
    "DeviceView",
    "FoldedJob",
    "JobGroup",
    "JobView",
    "OpenBlob",
    "Place",
    "Policy",
    "SessionView",
    "SharedLogs",
    "Tally",
    "Verdict",
    "ViewFilter",
    "verdict",
]
