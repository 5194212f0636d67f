"""What a run gives its jobs besides their definitions: variables and the normal user."""

from __future__ import annotations

import os
from functools import wraps
from gettext import gettext as _
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from holdall.cli.configuration import configured, is_variable
from holdall.cli.options import command_options
from holdall.cli.output import note
from holdall.redaction import MASK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from holdall.session import SessionManager

_options = command_options(
    click.option(
        "--env",
        "variables",
        multiple=True,
        metavar="NAME=VALUE",
        help="Let all jobs see this variable, whatever the environment says.",
    ),
)


class JobOptions(NamedTuple):
    """What the options of a run say about its jobs.

    Attributes:
        environ: Variables that win over those of the environment.
        configured: Variables that count where the environment has none of the name.
    """

    environ: Mapping[str, str]
    configured: Mapping[str, str]


def job_options(command: Callable[..., int]) -> Callable[..., int]:
    """Give *command* the argument `jobs`: what these options and holdall.toml say."""

    @wraps(command)
    def called(*arguments: Any, variables: tuple[str, ...], **options: Any) -> int:
        jobs = JobOptions(environ=parse_variables(variables), configured=configured().environment)
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
