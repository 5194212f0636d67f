"""The parent of a job's command: reports how it ended, and ends the processes it left.

This file is run as a program, by path and without site-packages, so it imports nothing
but the standard library. It forks a launcher for each job that is asked for through the
socket that is its standard input, and ends when that is closed.

As a child subreaper it becomes the parent of every
descendant of the command whose own parent ended, also after setsid and double forks:
nothing the command started can get out of its sight.

A launcher takes a line at a time from standard input: `go` lets the command start,
`term` and `kill` signal all of its processes. Its report is its own pid and that of the
command, then one JSON object when all is over: the exit `code` of the command, how many
processes of which name it `left` and how many of them are `stuck`, and the `error` for
which it could not be started.

When its standard input is closed, holdall is gone, and the launcher ends. A command that was not
to be killed goes on: whoever resumes the session knows it by `HOLDALL_TASK`, and ends it.
"""

from __future__ import annotations

import ctypes
import json
import os
import select
import signal
import socket
import sys
import time
import warnings  # noqa: F401 - `os.execvpe` does, when another account may not read it any more
from contextlib import suppress

_TASK_VARIABLE = "HOLDALL_TASK"  # as in `groups`
_SET_CHILD_SUBREAPER = 36
_MOST_NAMES = 50
_DRAIN_S = 0.5
_UNENDING_S = 5.0
_SIGNALLED_S = 2.0
_UNSTARTED = 127
_IGNORED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGTSTP)


def serve(control: socket.socket) -> None:
    """Fork a launcher for each request, until nobody is there to make one."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the system collects them
    while True:
        request, given, _, _ = socket.recv_fds(control, 1, 7)
        if not request:
            return
        if not os.fork():
            try:
                control.detach()
                launch(*given)
            finally:
                os._exit(0)
        for descriptor in given:
            os.close(descriptor)


def launch(*given: int) -> None:
    """Become the launcher that a request asks for."""
    *streams, status, life, what, stdin = given
    os.setsid()
    for target, descriptor in enumerate(streams):
        os.dup2(descriptor, target)
        os.close(descriptor)
    for own in (status, life, stdin):  # `life` is open as long as this process is there
        os.set_inheritable(own, False)  # noqa: FBT003 - it takes no keywords
    with os.fdopen(what, "rb") as stream:
        request = json.load(stream)
    run(status, stdin, **request)


def run(
    status: int,
    stdin: int,
    command: list[str],
    folder: str,
    environ: dict[str, str],
    *,
    leave: bool,
    account: tuple[int, int, list[int]] | None = None,
    signaller: tuple[str, ...] = (),
) -> None:
    """Run *command* once told to, and report how it ended and what it left behind."""
    wake, waker = _guarded()
    go, start = os.pipe()
    failed, failure = os.pipe()
    job = os.fork()
    if not job:
        others = [start, status, failed, wake, waker]
        _become(command, folder, environ, stdin, go, failure, others, account)
    for inherited in (go, failure, stdin):
        os.close(inherited)
    _write(status, f"{os.getpid()} {job}\n".encode())
    if _first_line() != b"go\n":
        os.kill(job, signal.SIGKILL)
        return
    null = os.open(os.devnull, os.O_RDWR)
    for stream in (1, 2):  # or their reader would wait for the end of this process too
        os.dup2(null, stream)
    _write(start, b"go")
    os.close(start)
    code = _waited(job, wake, signaller)
    if code is None:
        return
    left, stuck = ({}, {}) if leave else _ended_leftovers(job, signaller)
    # A command that was started could write here too.
    error = os.read(failed, 4096).decode(errors="replace") if code == _UNSTARTED else ""
    report = {"code": code, "left": left, "stuck": stuck, "error": error}
    _write(status, json.dumps(report).encode() + b"\n")


def _guarded() -> tuple[int, int]:
    """Become the parent of all orphans; return a pipe that is written to when one ends."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    for number in _IGNORED:
        signal.signal(number, signal.SIG_IGN)  # the end of the terminal or of a group is not ours
    wake, waker = os.pipe()
    os.set_blocking(waker, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
    return wake, waker


def _become(  # noqa: PLR0917 - a function of this module alone
    command: list[str],
    folder: str,
    environ: dict[str, str],
    stdin: int,
    go: int,
    failure: int,
    others: list[int],
    account: tuple[int, int, list[int]] | None,
) -> None:
    """Wait until the start is durable, then become the command; a failure is reported."""
    try:
        signal.set_wakeup_fd(-1)
        for number in (*_IGNORED, signal.SIGCHLD, signal.SIGPIPE):
            signal.signal(number, signal.SIG_DFL)
        os.setsid()
        for other in others:
            os.close(other)
        # A terminal does not become the controlling one: Ctrl-C there is not for the command.
        os.dup2(stdin, 0)
        if os.read(go, 2) == b"go":
            os.chdir(folder)
            # Before the switch: the account may not be able to read what Python imports.
            environ = {**environ, _TASK_VARIABLE: _identity()}
            if account:
                _switch(*account)
            os.execvpe(command[0], command, environ)  # noqa: S606 - that is what it is for
    except BaseException as error:  # noqa: BLE001 - reported, whatever it is
        reason = getattr(error, "strerror", None) or str(error)
        what = getattr(error, "filename", None) or command[0]
        os.write(failure, f"{what!r}: {reason}".encode(errors="replace"))
    finally:
        os._exit(_UNSTARTED)


def _switch(user: int, group: int, groups: list[int]) -> None:
    """Become another account for good."""
    for stream in (1, 2):
        os.fchown(stream, user, group)  # or it could not open /dev/stderr
    os.setgroups(groups)
    os.setresgid(group, group, group)
    os.setresuid(user, user, user)


def _identity() -> str:
    """Return what no other process has: the number, the start time and the boot."""
    pid = os.getpid()
    if sys.platform != "linux":
        return str(pid)
    _, started, _ = _stat(pid) or (0, "", "")
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as boot:  # noqa: PTH123
        return f"{pid}-{started}-{boot.read().strip()}"


def _first_line() -> bytes:
    line = b""
    while not line.endswith(b"\n"):
        byte = os.read(0, 1)
        if not byte:
            break  # who would say `go` is gone
        line += byte
    return line


def _waited(job: int, wake: int, signaller: tuple[str, ...]) -> int | None:
    """Return the exit code of the command; carry out what is asked for meanwhile.

    None says that nobody waits for it any more.
    """
    asked = b""
    is_to_die = False
    while True:
        code = _reaped(job)
        if code is not None:
            return code
        ready, _, _ = select.select([0, wake], [], [])
        if wake in ready:
            os.read(wake, 4096)
        if 0 in ready:
            data = os.read(0, 4096)
            if not data:
                if is_to_die:
                    _ended_leftovers(job, signaller)
                return _reaped(job)
            *lines, asked = (asked + data).split(b"\n")
            for line in lines:
                is_to_die |= line == b"kill"
                number = signal.SIGKILL if line == b"kill" else signal.SIGTERM
                _signal_all(job, number, signaller)


def _reaped(job: int) -> int | None:
    """Collect children that ended; return the exit code of the command if it is among them."""
    code = None
    while True:
        try:
            pid, state = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return code
        if not pid:
            return code
        if pid == job:
            code = os.waitstatus_to_exitcode(state)


def _is_childless() -> bool:
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return True
    return False


def _ended_leftovers(
    job: int, signaller: tuple[str, ...]
) -> tuple[dict[str, int], dict[str, int]]:
    """End what the command left behind; count it by name, and what of it can't be ended."""
    if sys.platform == "linux" and _is_childless():
        return {}, {}  # what lost its parent would be a child, so nothing is left
    patience = time.monotonic() + _DRAIN_S
    while (alive := _descendants(job)) and time.monotonic() < patience:
        time.sleep(0.01)  # the last one of a pipeline may need a moment to end by itself
        _reaped(job)
    left = _counted(alive)
    _signal_all(job, signal.SIGKILL, signaller)
    patience = time.monotonic() + _UNENDING_S
    while (alive := _descendants(job)) and time.monotonic() < patience:
        _signal_all(job, signal.SIGKILL, signaller)
        time.sleep(0.01)
        _reaped(job)
    return left, _counted(alive)


def _counted(processes: dict[int, str]) -> dict[str, int]:
    """Return how many processes have which name, the most frequent names."""
    counts: dict[str, int] = {}
    for name in filter(None, processes.values()):
        counts[name] = counts.get(name, 0) + 1
    # The report must fit in a pipe: nobody reads it before this process has ended.
    return dict(sorted(counts.items(), key=lambda item: -item[1])[:_MOST_NAMES])


def _signal_all(job: int, number: signal.Signals, signaller: tuple[str, ...]) -> None:
    foreign = []
    for pid in _descendants(job):
        for sent in (number, signal.SIGCONT):  # one that is stopped would not heed it
            try:
                os.kill(pid, sent)
            except ProcessLookupError:
                break
            except PermissionError:
                foreign.append(str(pid))
                break
    if foreign and signaller:
        _run_briefly([*signaller, "kill", "-s", number.name.removeprefix("SIG"), *foreign])
    if sys.platform != "linux":
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(job, number)


def _run_briefly(command: list[str]) -> None:
    """Run a command that may wait for what never comes, and end it then."""
    pid = os.spawnvp(os.P_NOWAIT, command[0], command)  # noqa: S606 - that is what it is for
    patience = time.monotonic() + _SIGNALLED_S
    with suppress(ChildProcessError):
        while not os.waitpid(pid, os.WNOHANG)[0]:
            if time.monotonic() >= patience:
                with suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGKILL)
                return
            time.sleep(0.01)


if sys.platform == "linux":

    def _descendants(_job: int) -> dict[int, str]:
        """Return the name of each process below this one; a zombie may have living threads."""
        children: dict[int, list[int]] = {}
        names: dict[int, str] = {}
        for entry in os.listdir("/proc"):  # noqa: PTH208 - it makes no paths
            if entry.isdigit():
                known = _stat(int(entry))
                if known is not None:
                    children.setdefault(known[0], []).append(int(entry))
                    names[int(entry)] = known[2]
        below: dict[int, str] = {}
        pending = children.get(os.getpid(), [])
        while pending:
            pid = pending.pop()
            below[pid] = names[pid]
            pending.extend(children.get(pid, ()))
        return below

    def _stat(pid: int) -> tuple[int, str, str] | None:
        """Return parent, start time and name of a process, without a name if it is a zombie."""
        try:
            with open(f"/proc/{pid}/stat", "rb") as stat:  # noqa: PTH123
                data = stat.read()
        except OSError:
            return None
        end = data.rindex(b")")
        fields = data[end + 2 :].split()
        name = data[data.index(b"(") + 1 : end].decode(errors="replace")
        name = "" if fields[0] == b"Z" else name
        return int(fields[1]), fields[19].decode(), name

else:

    def _descendants(_job: int) -> dict[int, str]:
        return {}  # the group is signalled, and nothing tells what else there is

    def _stat(_pid: int) -> tuple[int, str, str] | None:
        return None


def _write(descriptor: int, data: bytes) -> None:
    try:
        os.write(descriptor, data)
    except BrokenPipeError:
        return  # nobody is left to read it


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    serve(socket.socket(fileno=0))
