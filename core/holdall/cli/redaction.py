"""What a command masks: its options, and the table `redaction` of holdall.toml."""

from __future__ import annotations

import os
from dataclasses import replace
from functools import wraps
from gettext import gettext as _
from typing import TYPE_CHECKING, Any

import click

from holdall.cli.configuration import configured
from holdall.cli.options import command_options
from holdall.cli.output import note
from holdall.redaction import RedactionRules

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from holdall.cli.configuration import RedactionTable
    from holdall.journal import RulesRecord

_options = command_options(
    click.option("--redact", multiple=True, metavar="REGEX", help="Mask what REGEX matches."),
    click.option(
        "--redact-env", multiple=True, metavar="NAME", help="Mask the value of the variable NAME."
    ),
    click.option(
        "--redact-key", multiple=True, metavar="NAME", help="Mask what follows NAME: or NAME=."
    ),
)


def redact_option(command: Callable[..., int]) -> Callable[..., int]:
    """Give *command* the argument `rules`: what these options say is to be masked."""
    return _with_rules(command, lambda: None)


def redact_stored_option(command: Callable[..., int]) -> Callable[..., int]:
    """Give *command* the argument `rules`: what these options and holdall.toml say."""
    return _with_rules(command, lambda: configured().redaction)


def _with_rules(
    command: Callable[..., int], table: Callable[[], RedactionTable | None]
) -> Callable[..., int]:
    @wraps(command)
    def called(
        *arguments: Any,
        redact: tuple[str, ...],
        redact_env: tuple[str, ...],
        redact_key: tuple[str, ...],
        **options: Any,
    ) -> int:
        rules = rules_of(redact, redact_env, redact_key, table())
        return command(*arguments, rules=rules, **options)

    decorated: Callable[..., int] = _options(called)
    return decorated


def rules_of(
    patterns: Iterable[str],
    variables: Iterable[str],
    keys: Iterable[str],
    table: RedactionTable | None = None,
) -> RedactionRules:
    """Return what is to be masked, with the values that the variables have now.

    A variable of *table* that has no value masks nothing, and a note says so: the file may be
    of a whole machine, and name the variables of other projects too.
    """
    names = dict.fromkeys(variables)
    for name in names:
        if not _is_set(name):
            raise click.UsageError(_without_value(name).format(name=name, source="--redact-env"))
    if table is not None:
        for name in dict.fromkeys(table.env):
            if _is_set(name):
                names[name] = None
            elif name not in names:
                problem = _without_value(name).format(name=name, source="[redaction]")
                note(_("holdall: {problem}; its secret is not masked").format(problem=problem))
        patterns = dict.fromkeys((*patterns, *table.patterns))
        keys = dict.fromkeys((*keys, *table.keys))
    secrets = {name: os.environ[name] for name in names}
    try:
        return RedactionRules(secrets=secrets, patterns=tuple(patterns), keys=tuple(keys))
    except ValueError as error:
        raise click.UsageError(str(error)) from error


def rules_again(rules: RedactionRules, before: RulesRecord) -> RedactionRules:
    """Return *rules* with those of *before* that the environment and their names allow."""
    secrets = {name: os.environ[name] for name in before.secrets if _is_set(name)}
    return replace(
        rules,
        secrets=secrets | {**rules.secrets},
        keys=tuple(dict.fromkeys((*rules.keys, *before.keys))),
    )


def _without_value(name: str) -> str:
    if name in os.environ:
        return _("the variable {name!r} of {source} is empty")
    return _("the variable {name!r} of {source} is not set")


def _is_set(name: str) -> bool:
    return bool(os.environ.get(name, "").strip())
