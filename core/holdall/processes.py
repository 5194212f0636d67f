"""The identity of a process on this machine, unique also after a reboot.

A number alone does not do: numbers are used again. The moment the process was
started and the boot of the machine settle it, both as the system words them.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from holdall.journal import Process

if TYPE_CHECKING:
    from holdall.contracts import ProcessMark


def this_process() -> Process:
    """Return the identity of this process, unique across reboots."""
    pid = os.getpid()
    return process_mark(pid) or Process(pid=pid, boot_id=_boot_id())


def process_mark(pid: int) -> Process | None:
    """Return the identity of process *pid*, None if no such process runs.

    One that has ended and only waits to be collected by its parent runs no more.
    """
    started = _started(pid)
    return None if started is None else Process(pid=pid, started=started, boot_id=_boot_id())


def is_alive(mark: ProcessMark) -> bool:
    """Whether the very process of *mark* still runs.

    What a mark leaves empty is not compared, so an incomplete one may take a
    stranger for the process, but never a living process for a dead one.
    """
    now = process_mark(mark.pid)
    if now is None:
        return False
    return _agree(mark.boot_id, now.boot_id) and _agree(mark.started, now.started)


def started_at() -> float:
    """Return when this machine was started, in seconds since 1970; 0 where it can't say."""
    if sys.platform == "linux":
        return time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
    return 0.0


def _agree(one: str, other: str) -> bool:
    return not one or not other or one == other


if sys.platform == "linux":

    def _started(pid: int) -> str | None:
        try:
            with open(f"/proc/{pid}/stat", "rb") as stat:  # noqa: PTH123 - half the cost
                data = stat.read()
        except (FileNotFoundError, ProcessLookupError):
            return "" if _is_hidden(pid) else None
        return start_time(data)

    def _is_hidden(pid: int) -> bool:
        # A /proc mounted with hidepid shows no process of another user.
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            return True
        return False

    def _boot_id() -> str:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as boot_id:  # noqa: PTH123
            return boot_id.read().strip()

else:

    def _started(pid: int) -> str | None:
        state, _, started = _said(["ps", "-o", "stat=,lstart=", "-p", str(pid)]).partition(" ")
        return None if not state or state.startswith("Z") else " ".join(started.split())

    def _boot_id() -> str:
        return _said(["sysctl", "-n", "kern.bootsessionuuid"])

    def _said(command: list[str]) -> str:
        environ = {"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "LC_ALL": "C", "TZ": "UTC"}
        done = subprocess.run(command, capture_output=True, check=False, env=environ)
        return done.stdout.decode(errors="replace").strip()


def start_time(stat: bytes) -> str | None:
    """Return the start time in Linux's `/proc/<pid>/stat`, None for a process that has ended.

    The program's name stands in parentheses and may hold blanks and parentheses itself.
    """
    fields = stat[stat.rindex(b")") + 2 :].split()
    state, ticks = fields[0], fields[19]
    return None if state in (b"Z", b"X", b"x") else ticks.decode()
