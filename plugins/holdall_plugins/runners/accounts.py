"""The accounts that commands run as: holdall's own, or others as far as the system lets it."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from holdall.contracts import Task

_PROBE_S: Final = 8.0
"""Seconds in which sudo has to say whether it lets a command run."""

_ENDING_S: Final = 1.0
_KEPT: Final = (
    *("COLORTERM", "DISPLAY", "LANG", "LANGUAGE", "PATH", "TERM", "TZ", "XAUTHORITY"),
    "XDG_CURRENT_DESKTOP",
)
"""Variables that sudo leaves to a command by default; those that begin with LC_ besides."""


class Invocation(NamedTuple):
    """How a job's command is started.

    Attributes:
        account: Number of the account to become, of its group and of its other groups; None
            to stay what one is.
        signaller: What to put before `kill` where the command is not one's own to signal.
    """

    command: list[str]
    environ: Mapping[str, str]
    account: tuple[int, int, list[int]] | None = None
    signaller: tuple[str, ...] = ()


class Accounts:
    """What this process may start commands as.

    Args:
        uid: The account it runs as.
        environ: Its environment; `PATH` in it finds sudo.
    """

    def __init__(self, uid: int | None = None, environ: Mapping[str, str] = os.environ) -> None:
        self._uid: Final = os.geteuid() if uid is None else uid
        self._environ: Final = environ
        self._problems: Final[dict[str, str | None]] = {}

    def problem(self, user: str) -> str | None:
        """Return why no command can be started as *user*, and what to do; None if one can."""
        if user not in self._problems:
            self._problems[user] = self._found_problem(user)
        return self._problems[user]

    def _found_problem(self, user: str) -> str | None:
        if not user:
            return None
        try:
            uid = pwd.getpwnam(user).pw_uid
        except (KeyError, ValueError):
            return f"this machine has no account {user!r}; make one"
        if self._uid in {uid, 0}:
            return None
        sudo = self._sudo()
        if sudo is None:
            return "there is no sudo; start holdall as root, or install it"
        try:
            refusal = _refusal(sudo, user)
        except OSError as error:
            return f"sudo does not work ({error}); start holdall as root"
        except subprocess.TimeoutExpired:
            asked = f"whether commands may run as {user!r} without a password"
            waited = f"sudo was asked {asked}, and did not answer within {_PROBE_S:g} s"
            command = f"{sudo} -n -u {user} true"
            return f"{waited}; see what it waits for ({command}), or start holdall as root"
        if refusal is None:
            return None
        return f"{refusal}; start holdall as root, or let sudoers allow it without a password"

    def _sudo(self) -> str | None:
        return shutil.which("sudo", path=self._environ.get("PATH") or os.defpath)

    def invocation(self, task: Task) -> Invocation:
        """Return how the task's command is started as its account, which has no `problem`."""
        command = [task.job.shell, "-c", task.job.command]
        entry = pwd.getpwnam(task.user) if task.user else None
        if entry is None or entry.pw_uid == self._uid:
            return Invocation(command, task.environ)
        passed = self._passed_on(task)
        sudo = self._sudo()
        if self._uid == 0 or sudo is None:
            groups = os.getgrouplist(entry.pw_name, entry.pw_gid)
            environ = self._left(entry) | passed
            return Invocation(command, environ, (entry.pw_uid, entry.pw_gid, groups))
        assignments = [f"{name}={value}" for name, value in passed.items()]
        prefix = (sudo, "--non-interactive", "--user", task.user)
        return Invocation(
            [*prefix, "env", *assignments, *command],
            task.environ,
            signaller=(sudo, "--non-interactive"),
        )

    def _passed_on(self, task: Task) -> dict[str, str]:
        """Return the variables that are the job's and not the caller's, and those it names."""
        passed = {
            name: value
            for name, value in task.environ.items()
            if self._environ.get(name) != value or name in task.job.environ
        }
        if "reset-locale" in task.job.flags:  # what sudo keeps has to be overridden
            passed |= {"LANG": "C.UTF-8", "LANGUAGE": "", "LC_ALL": "C.UTF-8"}
        return passed

    def _left(self, entry: pwd.struct_passwd) -> dict[str, str]:
        """Return the environment that sudo would leave to a command of that account."""
        environ = {
            name: value
            for name, value in self._environ.items()
            if name in _KEPT or name.startswith("LC_")
        }
        environ |= {"HOME": entry.pw_dir, "SHELL": entry.pw_shell or "/bin/sh"}
        environ |= dict.fromkeys(("LOGNAME", "USER"), entry.pw_name)
        runtime = Path(f"/run/user/{entry.pw_uid}")
        if runtime.is_dir():
            environ["XDG_RUNTIME_DIR"] = str(runtime)
            environ["DBUS_SESSION_BUS_ADDRESS"] = f"unix:path={runtime}/bus"
        return environ


def _refusal(sudo: str, user: str) -> str | None:
    """Return why sudo runs no command as *user*; None if it does.

    Raises:
        OSError: It can't be started.
        subprocess.TimeoutExpired: It does not answer; it is ended, with what it started.
    """
    command = [sudo, "--non-interactive", "--user", user, "true"]
    # A file, which no process that is left behind keeps from its end.
    with TemporaryFile() as said:
        # As jobs are started: sudo remembers passwords by terminal and by parent.
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=said,
            start_new_session=True,
        )
        try:
            code = process.wait(_PROBE_S)
        except BaseException:  # Ctrl-C too
            _end_group(process)
            raise
        said.seek(0)
        reason = " ".join(said.read().decode(errors="replace").split()) or "it failed"
    return None if code == 0 else reason


def _end_group(process: subprocess.Popen[bytes]) -> None:
    """Kill a process that leads a group, and the group, as far as the system lets us."""
    with suppress(OSError):  # what runs as root is not ours to signal
        os.killpg(process.pid, signal.SIGKILL)
    with suppress(subprocess.TimeoutExpired):
        process.wait(_ENDING_S)
