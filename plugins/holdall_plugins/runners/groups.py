"""Process groups of jobs: signalled, and ended even when their leader is gone."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from holdall.processes import is_alive, start_time, this_process

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdall.contracts import ProcessMark

TASK_VARIABLE: Final = "HOLDALL_TASK"
"""Set in every job to the number of its process group: distinguishes its processes from strangers
that were given the same number later."""


def was_rebooted(mark: ProcessMark) -> bool:
    """Whether the machine was started anew since *mark* was taken."""
    now = this_process().boot_id
    return bool(now and mark.boot_id and now != mark.boot_id)


def signal_group(group: int, number: signal.Signals) -> None:
    """Send a signal to every process of *group*; none left is fine."""
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return
    except PermissionError:
        return  # macOS says this of a group that holds only ended processes


def end_group(mark: ProcessMark, *, grace_s: float) -> bool:
    """End what is left of the group that *mark* leads; return whether anything was."""
    left = _members(mark)
    if not left:
        return False
    _signal(left, signal.SIGTERM)
    patience = time.monotonic() + grace_s
    while left := _members(mark):
        if time.monotonic() >= patience:
            _signal(left, signal.SIGKILL)
        time.sleep(0.02)
    return True


def _signal(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue


if sys.platform == "linux":

    def _members(mark: ProcessMark) -> list[int]:
        leader_lives = is_alive(mark)
        return [
            pid
            for pid in _group_pids(mark.pid)
            if leader_lives or _carries(pid, f"{TASK_VARIABLE}={mark.pid}".encode())
        ]

    def _group_pids(group: int) -> Iterator[int]:
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    stat = (entry / "stat").read_bytes()
                except (FileNotFoundError, ProcessLookupError):
                    continue
                fields = stat[stat.rindex(b")") + 2 :].split()
                if int(fields[2]) == group and start_time(stat) is not None:
                    yield int(entry.name)

    def _carries(pid: int, assignment: bytes) -> bool:
        try:
            environ = Path(f"/proc/{pid}/environ").read_bytes()
        except OSError:
            return False  # another user's, or gone
        return assignment in environ.split(b"\0")

else:

    def _members(mark: ProcessMark) -> list[int]:
        return [mark.pid] if is_alive(mark) else []
