"""What a run gives its jobs besides their definitions: variables and the normal user."""

from __future__ import annotations

import os
import pwd
from contextlib import suppress
from functools import wraps
from gettext import gettext as _
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from holdall.cli.autostart import AT_START, KINDS
from holdall.cli.configuration import configured, is_variable
from holdall.cli.manifest import ManifestAnswers, manifest_folder, parse_answers
from holdall.cli.options import command_options
from holdall.cli.output import note
from holdall.recording import read_output
from holdall.redaction import MASK
from holdall.session import RunSettings, runner_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from contextlib import AbstractContextManager

    from holdall.cli.manifest import GivenAnswer
    from holdall.session import SessionManager

_options = command_options(
    click.option(
        "--env",
        "variables",
        multiple=True,
        metavar="NAME=VALUE",
        help="Let all jobs see this variable, whatever the environment says.",
    ),
    click.option(
        "--install-autostart",
        type=click.Choice(["auto", *KINDS]),
        metavar="[=KIND]",
        help="Go on with the session whenever the machine starts, until the session ends: by a "
        "unit of systemd-user or systemd, or an xdg desktop.",
    ),
    click.option(AT_START, is_flag=True, hidden=True),
    click.option(
        "--manifest",
        multiple=True,
        metavar="ANSWER",
        help="Answer a manifest entry by ID=VALUE, or those that a JSON file answers. Answers "
        "are remembered for the device.",
    ),
    click.option(
        "--normal-user",
        metavar="NAME",
        help="Run jobs that name no account as this one. [default: for root the one that called "
        "sudo, if one did]",
    ),
)


class JobOptions(NamedTuple):
    """What the options of a run say about its jobs.

    Attributes:
        environ: Variables that win over those of the environment.
        configured: Variables that count where the environment has none of the name.
        normal_user: The account of jobs that name none; None where nobody said.
        manifest: Answers to manifest entries.
        autostart: By what the session goes on after a restart; None not to.
        at_start: Whether the start of the machine called this.
    """

    environ: Mapping[str, str]
    configured: Mapping[str, str]
    normal_user: str | None = None
    manifest: Sequence[GivenAnswer] = ()
    autostart: str | None = None
    at_start: bool = False


def job_options(command: Callable[..., int]) -> Callable[..., int]:
    """Give *command* the argument `jobs`: what these options and holdall.toml say."""

    @wraps(command)
    def called(
        *arguments: Any,
        variables: tuple[str, ...],
        manifest: tuple[str, ...],
        normal_user: str | None,
        install_autostart: str | None,
        at_start: bool,
        **options: Any,
    ) -> int:
        if normal_user is not None:
            _check_account(normal_user)
        jobs = JobOptions(
            environ=parse_variables(variables),
            configured=configured().environment,
            normal_user=normal_user,
            manifest=parse_answers(manifest),
            autostart=install_autostart,
            at_start=at_start,
        )
        return command(*arguments, jobs=jobs, **options)

    decorated: Callable[..., int] = _options(called)
    return decorated


def parse_variables(texts: Iterable[str]) -> dict[str, str]:
    """Return the variables that `NAME=VALUE` arguments set; the last of a name counts."""
    variables = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not is_variable(name):
            message = _("{text!r} is not NAME=VALUE with the name of a variable")
            raise click.UsageError(message.format(text=text))
        variables[name] = value
    return variables


def run_settings(
    manager: SessionManager,
    jobs: JobOptions,
    pause: Callable[[], AbstractContextManager[Any]] | None,
) -> RunSettings:
    """Return how the jobs of the session run, as far as these options say it.

    Args:
        pause: Keeps still whatever is shown while somebody is asked; None to ask nobody.
    """
    answers = ManifestAnswers(
        jobs.manifest, pause=pause, folder=manifest_folder(), checkpoint=manager.checkpoint
    )
    return RunSettings(
        environ=job_variables(manager, jobs),
        normal_user=normal_user_of(manager, jobs),
        selected=answers.answer,
        at_start=jobs.at_start,
        read_output=read_output,
    )


def job_variables(
    manager: SessionManager, jobs: JobOptions, own: Mapping[str, str] = os.environ
) -> dict[str, str]:
    """Return the variables that the session's jobs see, and keep in it what *own* lacks.

    Given ones win over those that the session was given before, these over the
    environment's own, and what is configured counts where none of them has the name.
    """
    contexts = manager.device_context_list
    kept = dict(contexts[0].state.metadata.environ) if contexts else {}
    added = {name: text for name, text in jobs.configured.items() if name not in own}
    stored = added | kept | {**jobs.environ}
    for context in contexts:
        context.state.metadata.environ = stored
    masked = {name for name, text in kept.items() if MASK in text} - jobs.environ.keys()
    for name in sorted(masked - own.keys()):
        message = _("the session keeps {name} masked; give it again with --env {name}=...")
        note(f"holdall: {message.format(name=name)}")
    known = {name: text for name, text in stored.items() if name not in masked}
    return {**own, **known}


def _check_account(name: str) -> None:
    try:
        pwd.getpwnam(name)
    except (KeyError, ValueError):
        message = _("this machine has no account {name!r} for --normal-user")
        raise click.UsageError(message.format(name=name)) from None


def normal_user_of(
    manager: SessionManager, jobs: JobOptions, own: Mapping[str, str] = os.environ
) -> str:
    """Return the account of jobs that name none, and keep it in the session.

    It is the one that was given, now or to the session before. Else it is the one that runs
    holdall, or that called sudo to run it as root; and nobody where root itself did.
    """
    contexts = manager.device_context_list
    name = jobs.normal_user
    if name is None and contexts:
        name = contexts[0].state.metadata.normal_user
    is_here = all(runner_name(context.device.runner) == "local" for context in contexts)
    if name is None and is_here and not os.geteuid():
        name = _caller_of_sudo(own)
    for context in contexts:
        context.state.metadata.normal_user = name
    if name is None and is_here and os.geteuid():
        return _name_here()
    return name or ""


def _caller_of_sudo(own: Mapping[str, str]) -> str | None:
    try:
        caller = pwd.getpwnam(own.get("SUDO_USER", ""))
    except KeyError:
        return None
    return caller.pw_name if caller.pw_uid else None


def _name_here() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return ""


def default_normal_user() -> str | None:
    """Return the account that a launcher of Checkbox takes where it names none, if there is one.

    That is `ubuntu`, or else the first one that people get on a machine.
    """
    with suppress(KeyError):
        return pwd.getpwnam("ubuntu").pw_name
    for uid in (1000, 1001):
        with suppress(KeyError):
            return pwd.getpwuid(uid).pw_name
    return None
