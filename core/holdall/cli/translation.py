"""The messages of the command line, in the language that the user's environment names."""

from __future__ import annotations

import gettext
from copy import copy
from pathlib import Path
from typing import Any

import click

DOMAIN = "holdall"


def speak() -> None:
    """Make `gettext` speak the user's language, for us and for click; English if it knows none.

    This is the application's own choice, so only `main` makes it.
    """
    gettext.bindtextdomain(DOMAIN, str(Path(__file__).parents[1] / "locale"))
    gettext.textdomain(DOMAIN)


def translated(command: click.Command) -> click.Command:
    """Return *command* with its help, and that of its parameters and commands, translated."""
    shown = copy(command)
    shown.help = _translated(command.help)
    shown.params = [_parameter(parameter) for parameter in command.params]
    if isinstance(shown, click.Group):
        shown.commands = {
            name: translated(subcommand) for name, subcommand in shown.commands.items()
        }
    return shown


def messages(text: str | None) -> list[str]:
    """Return the paragraphs of a help text; each is translated by itself."""
    return [" ".join(part.split()) for part in (text or "").split("\n\n") if part.strip()]


def _translated(text: str | None) -> str | None:
    return "\n\n".join(map(gettext.gettext, messages(text))) or None


def _parameter(parameter: click.Parameter) -> click.Parameter:
    if not isinstance(parameter, click.Option) or not parameter.help:
        return parameter
    shown: Any = copy(parameter)
    shown.help = _translated(parameter.help)
    return shown  # type: ignore[no-any-return]
