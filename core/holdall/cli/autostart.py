"""Sessions that go on by themselves after a restart of the machine."""

from __future__ import annotations

import os
import re
import shlex
import sys
from gettext import gettext as _
from gettext import ngettext
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import click

from holdall.cli.output import note
from holdall.session import RESTARTING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from holdall.cli.job_options import JobOptions
    from holdall.session import SessionManager
    from holdall.units import Job

KINDS: Final = ("systemd-user", "systemd", "xdg")
AT_START: Final = "--at-start"
"""The option by which a resume knows that nobody called it."""

_PASSED_ON: Final = re.compile(r"HOME|LANG|LC_\w+|LANGUAGE|PATH|HOLDALL_\w+|XDG_\w+_HOME")
_SYSTEM_UNITS: Final = Path("/etc/systemd/system")
_SYSTEMD: Final = Path("/run/systemd/system")


class AutostartCommand(click.Command):
    """A command whose option `--install-autostart` takes a value behind `=` and no other."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments of the command."""
        option = "--install-autostart"
        args = [f"{option}=auto" if text == option else text for text in args]
        return super().parse_args(ctx, args)


class Restart(NamedTuple):
    """What goes on with a session.

    Attributes:
        command: Program and arguments.
        folder: Where it is to run.
        environ: Variables that it needs.
    """

    session_id: str
    command: Sequence[str]
    folder: Path
    environ: Mapping[str, str]

    @property
    def shell_command(self) -> str:
        """The command for a shell, with its folder."""
        return f"cd {shlex.quote(str(self.folder))} && {shlex.join(self.command)}"


def restart_of(session_id: str, store: str, kind: str | None, own: Mapping[str, str]) -> Restart:
    """Return what goes on with a session in *store*, which keeps what else its run was told."""
    command = [sys.executable, "-m", "holdall", "resume", session_id, "--store", store]
    command += [*([f"--install-autostart={kind}"] if kind else []), AT_START]
    environ = {name: text for name, text in own.items() if _PASSED_ON.fullmatch(name)}
    return Restart(session_id, command, Path.cwd(), environ)


def chosen_kind(kind: str, environ: Mapping[str, str]) -> str:
    """Return *kind*, or the one that fits this machine and account where it is `auto`.

    Raises:
        click.UsageError: It needs root, or nothing here starts anything.
    """
    if kind == "systemd" and os.geteuid():
        raise click.UsageError(_("only root can install a unit of the system; take systemd-user"))
    if kind != "auto":
        return kind
    has_desktop = bool(environ.get("XDG_CURRENT_DESKTOP"))
    if has_desktop and os.geteuid():
        return "xdg"
    if not _SYSTEMD.is_dir():
        message = _("nothing here starts programs with the machine; choose one of {kinds}")
        raise click.UsageError(message.format(kinds=", ".join(KINDS)))
    return "systemd-user" if os.geteuid() else "systemd"


def install(kind: str, restart: Restart) -> Path:
    """Let the machine run *restart* whenever it starts; return the file that says so.

    Raises:
        click.UsageError: The file can't be written.
    """
    path, link = _paths(kind, restart.session_id, os.environ)
    text = _desktop_entry(restart) if kind == "xdg" else _unit(restart, kind)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f".{path.name}.{os.getpid()}")
        beside.write_text(text, encoding="utf-8")
        beside.replace(path)
        if link is not None:
            link.parent.mkdir(parents=True, exist_ok=True)
            link.unlink(missing_ok=True)
            link.symlink_to(path)
    except OSError as error:
        message = _("no autostart can be installed: {error}")
        raise click.UsageError(message.format(error=error)) from error
    return path


def remove(session_id: str, environ: Mapping[str, str] = os.environ) -> list[Path]:
    """Remove what `install` made for a session; return the files that were there."""
    removed = []
    for kind in KINDS:
        path, link = _paths(kind, session_id, environ)
        for file in filter(None, (link, path)):
            try:
                file.unlink()
            except FileNotFoundError:
                continue
            except OSError as error:
                message = _("the autostart {path} can't be removed: {reason}")
                note(f"holdall: {message.format(path=file, reason=error.strerror)}")
                continue
            if file == path:
                removed.append(path)
    return removed


def _paths(kind: str, session_id: str, environ: Mapping[str, str]) -> tuple[Path, Path | None]:
    """Return the file of an autostart, and the link that enables it."""
    name = re.sub(r"[^A-Za-z0-9._-]", "_", session_id)
    name = name if name.startswith("holdall") else f"holdall-{name}"
    base = environ.get("XDG_CONFIG_HOME") or ""
    config = Path(base) if base else Path(environ.get("HOME") or "~").expanduser() / ".config"
    if kind == "xdg":
        return config / "autostart" / f"{name}.desktop", None
    folder, target = (
        (_SYSTEM_UNITS, "multi-user.target.wants")
        if kind == "systemd"
        else (config / "systemd" / "user", "default.target.wants")
    )
    return folder / f"{name}.service", folder / target / f"{name}.service"


def _unit(restart: Restart, kind: str) -> str:
    # systemd refuses programs whose paths have a quote or a backslash; arguments may have any.
    started = " ".join(["/usr/bin/env", *map(_unit_argument, restart.command)])
    variables = [f"{name}={text}" for name, text in sorted(restart.environ.items())]
    target = "multi-user.target" if kind == "systemd" else "default.target"
    lines = [
        "[Unit]",
        f"Description=holdall goes on with the session {_unit_text(restart.session_id)}",
        "",
        "[Service]",
        "Type=exec",
        f"WorkingDirectory={_unit_text(str(restart.folder))}",
        *(f"Environment={_unit_word(text)}" for text in variables),
        f"ExecStart={started}",
        "",
        "[Install]",
        f"WantedBy={target}",
    ]
    return "\n".join(lines) + "\n"


def _unit_text(text: str) -> str:
    return text.replace("%", "%%")


def _unit_word(text: str) -> str:
    """Return *text* as one word of a setting of systemd, in which `$` means nothing."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{_unit_text(escaped)}"'


def _unit_argument(text: str) -> str:
    """Return *text* as an argument of a command, in which `$` begins a variable."""
    return _unit_word(text.replace("$", "$$"))


def _desktop_entry(restart: Restart) -> str:
    variables = [f"{name}={text}" for name, text in sorted(restart.environ.items())]
    environ = ["env", *variables] if variables else []
    command = " ".join(_desktop_word(text) for text in [*environ, *restart.command])
    lines = [
        "[Desktop Entry]",
        "Type=Application",
        f"Name=holdall {_desktop_text(restart.session_id)}",
        f"Path={_desktop_text(str(restart.folder))}",
        f"Exec={command}",
        "Terminal=true",
        "X-GNOME-Autostart-enabled=true",
    ]
    return "\n".join(lines) + "\n"


def _desktop_text(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n")


def _desktop_word(text: str) -> str:
    """Return *text* as one argument: quoted for the command, and escaped as a value is."""
    quoted = re.sub(r'(["`$\\])', r"\\\1", text).replace("%", "%%")
    return _desktop_text(f'"{quoted}"')


def note_removed(session_id: str) -> None:
    """Remove the autostart of a session that ended, and say so."""
    for path in remove(session_id):
        note(_("the session ended: {path} is removed").format(path=path))


def restart_session(manager: SessionManager, store: str, jobs: JobOptions) -> str:
    """Return the command that goes on with the session; install it, if that is asked for."""
    kind = jobs.autostart
    chosen = chosen_kind(kind, os.environ) if kind else None
    restart = restart_of(manager.storage.id, store, chosen, os.environ)
    if chosen is not None:
        path = install(chosen, restart)
        note(_("the session goes on after a restart, by {path}").format(path=path))
    elif restarting := [job for job in _jobs_of(manager) if job.flags & RESTARTING]:
        message = ngettext(
            "{count} job restarts the machine; go on afterwards with: {command}",
            "{count} jobs restart the machine; go on afterwards with: {command}",
            len(restarting),
        )
        command = shlex.join(["holdall", "resume", manager.storage.id, "--store", store])
        hint = _("--install-autostart does it by itself")
        note(f"{message.format(count=len(restarting), command=command)} ({hint})")
    return restart.shell_command


def _jobs_of(manager: SessionManager) -> Iterator[Job]:
    """Yield the jobs still to run."""
    for context in manager.device_context_list:
        for job in context.state.run_list:
            if not context.state.job_state_map[job.id].was_tried:
                yield job
