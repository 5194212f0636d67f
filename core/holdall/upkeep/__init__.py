"""Stored sessions as a whole: followed, copied, packed, checked, swept, removed in time."""

from holdall.upkeep.archives import LIMITS, Limits, pack_session, unpack_session
from holdall.upkeep.checking import Checked, check_session
from holdall.upkeep.following import follow_session, wait_for_entries
from holdall.upkeep.moving import Copied, copy_session, move_session
from holdall.upkeep.retention import FINISHED, Retention, Surplus, remove_session, surplus_sessions
from holdall.upkeep.sweeping import GRACE_S, Swept, sweep_session

__all__ = [
    "FINISHED",
    "GRACE_S",
    "LIMITS",
    "Checked",
    "Copied",
    "Limits",
    "Retention",
    "Surplus",
    "Swept",
    "check_session",
    "copy_session",
    "follow_session",
    "move_session",
    "pack_session",
    "remove_session",
    "surplus_sessions",
    "sweep_session",
    "unpack_session",
    "wait_for_entries",
]
