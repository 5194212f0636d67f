"""The processes of a job whose runner is gone: recognised without doubt, and ended."""

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
"""Set in every job to the identity of its first process: number, start time and boot. What
carries it descends from that very process, whatever group or session it is in by now."""


def was_rebooted(mark: ProcessMark) -> bool:
    """Whether the machine was started anew since *mark* was taken."""
    now = this_process().boot_id
    return bool(now and mark.boot_id and now != mark.boot_id)


def end_group(mark: ProcessMark, *, grace_s: float) -> bool:
    """End what is left of the processes of the job that *mark* was; return whether any were.

    Only processes that are provably the job's are ended: members of the group while its
    leader is the very process of *mark*, and processes that carry the job's identity.
    """
    left = _members(mark)
    if not left:
        return False
    _signal(left, signal.SIGTERM)
    patience = time.monotonic() + grace_s
    while left := _members(mark):
        if time.monotonic() >= patience:
            _signal(left, signal.SIGKILL)
        if time.monotonic() >= patience + _UNENDING_S:
            return True  # the kernel keeps them, or they are another user's
        time.sleep(0.02)
    return True


_UNENDING_S: Final = 5.0


def _signal(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        for sent in (number, signal.SIGCONT):  # one that is stopped would not heed it
            try:
                os.kill(pid, sent)
            except (ProcessLookupError, PermissionError):
                break


if sys.platform == "linux":

    def _members(mark: ProcessMark) -> list[int]:
        leader_lives = is_alive(mark)
        identity = f"{TASK_VARIABLE}={mark.pid}-{mark.started}-{mark.boot_id}".encode()
        return [
            pid
            for pid, group in _processes()
            if (leader_lives and group == mark.pid) or _carries(pid, identity)
        ]

    def _processes() -> Iterator[tuple[int, int]]:
        """Yield the number and the group of each process that has not ended."""
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    stat = (entry / "stat").read_bytes()
                except (FileNotFoundError, ProcessLookupError):
                    continue
                fields = stat[stat.rindex(b")") + 2 :].split()
                if start_time(stat) is not None:
                    yield int(entry.name), int(fields[2])

    def _carries(pid: int, assignment: bytes) -> bool:
        try:
            environ = Path(f"/proc/{pid}/environ").read_bytes()
        except OSError:
            return False  # another user's, or gone
        return assignment in environ.split(b"\0")

else:

    def _members(mark: ProcessMark) -> list[int]:
        return [mark.pid] if is_alive(mark) else []
